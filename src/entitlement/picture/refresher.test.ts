import { createWorld, type World } from '../../../test/stories/world.ts';
import { silentLogger } from '../../platform/log.ts';
import { CAS_ID, outletOf, type TestLink } from '../dispatch/dispatch-harness.ts';
import type { Command, CommandOutcome } from '../vip-control/command.ts';
import { createFakeRandom, until } from '../vip-control/testing.ts';
import { byUssd, cardOnAir, deskOf, later, type PaidCard, START } from './picture-harness.ts';
import { createRefresher, type RefresherDeps } from './refresher.ts';

const DONE: CommandOutcome = { kind: 'done', code: 'DONE', dup: false };

describe('a refresh that was asked for', () => {
  let world: World;
  let sent: Command[];
  beforeAll(async () => {
    world = await createWorld(START);
  });
  afterAll(() => world.close());
  beforeEach(() => {
    world.moveTo(START);
    sent = [];
  });
  afterEach(() =>
    world.pool.query(
      "UPDATE card_refresh SET state = 'failed', next_at = NULL, lease_until = NULL",
    ),
  );

  /** A head-end that gives these answers in turn, the last one from then on. */
  const headEnd = (...answers: (CommandOutcome | Promise<CommandOutcome>)[]) => ({
    state: () => 'connected' as const,
    capabilities: () => ({ osdMax: 160, maxWindow: 64, supports: [] }),
    async send(command: Command) {
      sent.push(command);
      return (answers.length > 1 ? answers.shift() : answers[0]) ?? DONE;
    },
  });
  const refresher = (link: TestLink, more: Partial<RefresherDeps> = {}) =>
    createRefresher({
      pool: world.pool,
      casId: CAS_ID,
      outlet: outletOf(link, world.now),
      clock: { now: world.now },
      random: createFakeRandom(),
      logger: silentLogger,
      ...more,
    });
  const asked = async () => {
    const dark = await cardOnAir(world);
    await deskOf(world).refresh(byUssd(dark));
    return dark;
  };
  const row = async ({ id }: PaidCard) => {
    const [found] = await world.rows(
      `SELECT id, state, on_air_at, failure, next_at, attempts, lease_until FROM card_refresh
        WHERE card_id = $1`,
      [id],
    );
    return found;
  };

  it('is broadcast afresh, everything of the card, as after a change', async () => {
    const measured: unknown[] = [];
    const dark = await asked();
    later(world, 3);
    const firstAirAt = new Date('2026-11-23T11:02:04Z');
    const sender = refresher(headEnd({ ...DONE, firstAirAt }), {
      metrics: { onRefresh: (result) => measured.push(result) },
    });
    await sender.runUntilIdle();
    const { id } = (await row(dark)) ?? {};
    expect(sent).toEqual([
      {
        op: 'REFRESH',
        cmdId: `rfr.${id}`,
        target: { kind: 'card', id: dark.number },
        args: { scope: 'all', boostSeconds: 300 },
        prio: 'REFRESH',
        notAfter: new Date('2026-11-23T11:17:03Z'),
        reason: 'asked',
        onAccepted: expect.any(Function),
      },
    ]);
    expect(await row(dark)).toMatchObject({
      state: 'on_air',
      on_air_at: '2026-11-23T11:02:04.000Z',
      failure: null,
      next_at: null,
      lease_until: null,
    });
    expect(measured).toEqual(['on_air']);
    expect(await deskOf(world).diagnose(dark.id)).toMatchObject({ refreshedAt: firstAirAt });
  });

  it('is sent again under the same name until somebody knows what became of it', async () => {
    const dark = await asked();
    const link = headEnd(
      { kind: 'retry', code: 'BUSY', retryAfterMs: 4_000 },
      { kind: 'unknown', sent: true },
      { kind: 'unknown', sent: false },
      DONE,
    );
    const sender = refresher(link);
    const expected = [
      { seconds: 4, failure: 'BUSY' },
      { seconds: 2, failure: 'NO_ANSWER' },
      { seconds: 5, failure: 'NOT_SENT' },
    ];
    for (const { seconds, failure } of expected) {
      await sender.runUntilIdle();
      const nextAt = new Date(world.now().getTime() + seconds * 1000).toISOString();
      expect(await row(dark)).toMatchObject({ state: 'queued', failure, next_at: nextAt });
      later(world, seconds);
    }
    await sender.runUntilIdle();
    expect(await row(dark)).toMatchObject({ state: 'on_air', failure: null, attempts: 4 });
    expect(new Set(sent.map(({ cmdId }) => cmdId)).size).toBe(1);
  });

  it('that the head-end refuses has failed for good', async () => {
    const dark = await asked();
    const sender = refresher(headEnd({ kind: 'rejected', code: 'RATE_LIMITED', class: 'state' }));
    await sender.runUntilIdle();
    later(world, 600);
    await sender.runUntilIdle();
    expect(sent).toHaveLength(1);
    expect(await row(dark)).toMatchObject({
      state: 'failed',
      failure: 'RATE_LIMITED',
      next_at: null,
    });
  });

  it('waits for a head-end that is away, and is given up after a day', async () => {
    const dark = await asked();
    const away = refresher({ ...headEnd(DONE), state: () => 'connecting' });
    await away.runUntilIdle();
    later(world, 1_800);
    expect(await deskOf(world).refresh(byUssd(dark))).toEqual({
      kind: 'already',
      at: new Date(START),
    });
    expect(await row(dark)).toMatchObject({ state: 'queued', attempts: 0 });
    later(world, 86_400);
    await refresher(headEnd(DONE)).runUntilIdle();
    expect(sent).toEqual([]);
    expect(await row(dark)).toMatchObject({ state: 'failed', failure: 'EXPIRED', next_at: null });
  });

  it('is sent again when the process died, and the first answer still counts', async () => {
    const dark = await asked();
    const late = Promise.withResolvers<CommandOutcome>();
    const first = refresher(headEnd(late.promise));
    const running = first.runUntilIdle();
    await until(() => sent.length === 1);
    const busy = refresher(headEnd({ kind: 'retry', code: 'BUSY' }));
    await busy.runUntilIdle();
    expect(sent).toHaveLength(1);
    later(world, 20);
    await busy.runUntilIdle();
    expect(sent).toHaveLength(2);
    expect(await row(dark)).toMatchObject({ state: 'queued', failure: 'BUSY', attempts: 2 });
    late.resolve(DONE);
    await running;
    expect(await row(dark)).toMatchObject({ state: 'on_air', failure: null, next_at: null });
  });

  it('is sent by one of several senders', async () => {
    const dark = await Promise.all(Array.from({ length: 40 }, asked));
    const link = headEnd(DONE);
    await Promise.all([1, 2, 3].map(() => refresher(link).runUntilIdle()));
    expect(new Set(sent.map((command) => command.target.id))).toEqual(
      new Set(dark.map(({ number }) => number)),
    );
    expect(sent).toHaveLength(40);
  });

  it('is sent when the sender is woken, and what is under way is awaited at the end', async () => {
    const answer = Promise.withResolvers<CommandOutcome>();
    const sender = refresher(headEnd(answer.promise));
    sender.start();
    const dark = await cardOnAir(world);
    await deskOf(world, { wake: sender.wake }).refresh(byUssd(dark));
    await until(() => sent.length === 1);
    const stopped = sender.stop();
    answer.resolve(DONE);
    await stopped;
    expect(await row(dark)).toMatchObject({ state: 'on_air' });
  });
});
