import { createWorld, type World } from '../../../test/stories/world.ts';
import { silentLogger } from '../../platform/log.ts';
import { CAS_ID, dispatcherOf, outletOf, type TestLink } from '../dispatch/dispatch-harness.ts';
import type { DispatcherDeps } from '../dispatch/service.ts';
import { ackCards } from '../dispatch/store.ts';
import { createOsdSender } from '../osd/service.ts';
import { byUssd, deskOf, later, START, suspensionsOf } from '../picture/picture-harness.ts';
import { createRefresher } from '../picture/refresher.ts';
import type { Command, CommandOutcome } from '../vip-control/command.ts';
import { createFakeRandom } from '../vip-control/testing.ts';
import { type LogLine, sendLogged } from './command-log.ts';

const AIRED = new Date('2026-11-23T11:02:04.000Z');
const DONE: CommandOutcome = { kind: 'done', code: 'DONE', dup: false, firstAirAt: AIRED };

describe('the command log', () => {
  let world: World;
  let answers: CommandOutcome[];
  beforeAll(async () => {
    world = await createWorld(START);
  });
  afterAll(() => world.close());
  beforeEach(() => {
    world.moveTo(START);
    answers = [];
  });

  /** A head-end that gives these answers to rights in turn; all else is done. */
  const link: TestLink = {
    state: () => 'connected',
    capabilities: () => ({ maxWindow: 16, repeats: [] }) as never,
    async send(command: Command) {
      command.onAccepted?.();
      return (command.op === 'ENTITLE' ? answers.shift() : undefined) ?? DONE;
    },
  };
  const dispatch = (more: Partial<DispatcherDeps> = {}) =>
    dispatcherOf({ pool: world.pool, settlement: world.settlement, now: world.now, link }, more);
  const senderDeps = () => ({
    ...{ pool: world.pool, casId: CAS_ID, outlet: outletOf(link, world.now) },
    ...{ clock: { now: world.now }, random: createFakeRandom(), logger: silentLogger },
  });
  const paid = async () => {
    const { number } = await world.customer();
    await world.pay({ amount: 65_000n, accountRef: number });
    const [row] = await world.rows('SELECT id FROM card WHERE number = $1', [number]);
    return { number, id: BigInt(String(row?.id)) };
  };
  const logged = async (number: string) =>
    await world.rows('SELECT * FROM command_log WHERE target_id = $1 ORDER BY id', [number]);

  it('has a row of rights that went on air: what, when, and for what', async () => {
    const { number, id } = await paid();
    await dispatch().runUntilIdle();
    const [line, ...more] = await logged(number);
    expect(more).toEqual([]);
    expect(line).toMatchObject({
      at: START.replace('Z', '.000Z'),
      cas: CAS_ID,
      cmd_id: `${CAS_ID}.1.${number}.1`,
      op: 'ENTITLE',
      target_kind: 'card',
      epoch: 1,
      rev: 1,
      args: {
        set: [{ product: 'ESS', from: '2026-11-23T11:02:00.000Z', to: '2026-12-23T21:00:00.000Z' }],
      },
      prio: 'SALE',
      actor: 'dispatcher-1',
      on_air_at: AIRED.toISOString(),
      result: 'done',
      code: 'DONE',
      attempt: 1,
    });
    expect(String(line?.card_id)).toBe(String(id));
    expect(line?.reason).toMatch(/^PAYMENT:mpesa\/\w+$/);
    expect([line?.sent_at, line?.accepted_at]).toEqual([line?.at, line?.at]);
  });

  it('has a row of each answer, and none of what never left', async () => {
    const { number } = await paid();
    const busy: CommandOutcome = { kind: 'retry', code: 'BUSY' };
    const lost: CommandOutcome = { kind: 'unknown', sent: true };
    const refused: CommandOutcome = { kind: 'rejected', code: 'UNKNOWN_CARD', class: 'data' };
    answers = [{ kind: 'unknown', sent: false }, busy, lost, refused];
    for (let n = 0; n < 5; n++) {
      await dispatch().runUntilIdle();
      later(world, 3_600);
    }
    const rows = (await logged(number)).filter(({ op }) => op === 'ENTITLE');
    expect(rows.map(({ result, code, on_air_at }) => [result, code, on_air_at])).toEqual([
      ['retry', 'BUSY', null],
      ['unknown', 'NO_ANSWER', null],
      ['rejected', 'UNKNOWN_CARD', null],
      ['done', 'DONE', AIRED.toISOString()],
    ]);
  });

  it('has one row of an answer that was written twice, the first time unheard', async () => {
    const { number } = await paid();
    let lost = 0;
    const query = async (...args: Parameters<typeof world.pool.query>) => {
      const result = await world.pool.query(...args);
      const { name } = args[0] as unknown as { name?: string };
      if (name === 'dispatch-ack' && lost++ === 0) throw new Error('Connection terminated');
      return result;
    };
    const pool = new Proxy(world.pool, {
      get: (target, key) => (key === 'query' ? query : Reflect.get(target, key)),
    });
    await dispatch({ pool }).runUntilIdle();
    expect(lost).toBe(2);
    expect(await logged(number)).toHaveLength(1);
  });

  it('has a row of an earlier set that another process had sent, and heard of late', async () => {
    const { number, id } = await paid();
    await world.pay({ amount: 65_000n, accountRef: number });
    await dispatch().runUntilIdle();
    const [second] = await logged(number);
    const late = { ...second, rev: 1, cmd_id: 'late', card_id: id } as unknown as LogLine;
    const acked = { cardId: id, rev: 1, onAirAt: AIRED, reairAt: null, token: 0n };
    await ackCards(world.pool, [{ ...acked, line: late }], world.now());
    expect((await logged(number)).map(({ cmd_id, rev }) => [cmd_id, rev])).toEqual([
      [`${CAS_ID}.1.${number}.2`, 2],
      ['late', 1],
    ]);
  });

  it('says who suspended a card, and that nothing was to be shown', async () => {
    const { number, id } = await paid();
    await suspensionsOf(world).suspendCard({ cardId: id, reason: 'fraud', by: 'staff:7' });
    await dispatch().runUntilIdle();
    expect(await logged(number)).toMatchObject([
      { rev: 2, reason: 'SUSPEND:staff:7', args: { suspended: 'fraud' } },
    ]);
  });

  it('has rows of refreshes, messages and what is broadcast again by itself', async () => {
    const { number, id } = await paid();
    await dispatch().runUntilIdle();
    await deskOf(world).refresh(byUssd({ number, id }));
    await createRefresher(senderDeps()).runUntilIdle();
    await createOsdSender(senderDeps()).runUntilIdle();
    later(world, 86_400);
    await dispatch().reairDue();
    const rows = await logged(number);
    expect(rows.map(({ op, prio, result }) => [op, prio, result])).toEqual([
      ['ENTITLE', 'SALE', 'done'],
      ['REFRESH', 'REFRESH', 'done'],
      ['OSD', 'MESSAGE', 'done'],
      ['REFRESH', 'BULK', 'done'],
    ]);
    expect(rows[2]?.args).toMatchObject({ text: 'term_paid' });
  });

  it('keeps that a PIN was given, never the PIN', async () => {
    const { line } = await sendLogged(
      { outlet: link, clock: { now: world.now }, cas: { id: CAS_ID } },
      {
        ...{ op: 'PIN_RESET', cmdId: 'pin.1', target: { kind: 'card', id: '1' }, prio: 'SALE' },
        ...{ args: { pin: '4711' }, notAfter: AIRED },
      } as Command,
      { attempt: 1 },
    );
    expect(line?.args).toEqual({ pin: 'given' });
  });
});
