import { Client } from 'pg';
import {
  type Air,
  CAS_ID,
  createAir,
  createLog,
  dispatcherOf,
  listenIn,
  type TestLink,
} from '../../src/entitlement/dispatch/dispatch-harness.ts';
import type { DispatcherDeps, OnAirCard } from '../../src/entitlement/dispatch/service.ts';
import { type CommandOutcome, cardTarget } from '../../src/entitlement/vip-control/command.ts';
import { until } from '../../src/entitlement/vip-control/testing.ts';
import { createWorld, severally, type World } from './world.ts';

const START = '2026-11-23T11:02:00Z';
const MONTH = 65_000n;

describe('dispatch', () => {
  let world: World;
  let air: Air;
  let knownCard: (card: string) => boolean;
  beforeEach(async () => {
    world = await createWorld(START);
    knownCard = () => true;
    air = await createAir(() => world.now(), { knownCard: (card) => knownCard(card) });
  });
  afterEach(async () => {
    await air.close();
    expect(await world.rows('SELECT * FROM card_rights WHERE lease_by IS NOT NULL')).toEqual([]);
    await world.close();
  });

  const dispatcher = (link: TestLink, more: Partial<DispatcherDeps> = {}) =>
    dispatcherOf({ pool: world.pool, settlement: world.settlement, now: world.now, link }, more);
  const setUp = async (more: Partial<DispatcherDeps> = {}) => {
    const link = listenIn(await air.link('dispatcher-1'));
    return { link, dispatch: dispatcher(link, more) };
  };
  const paid = async () => {
    const { number } = await world.customer();
    await world.pay({ amount: MONTH, accountRef: number });
    return number;
  };
  const manyPaid = (count: number) => severally(count, paid);
  const state = async (number: string) => {
    const [row] = await world.rows(
      `SELECT r.desired_rev, r.acked_rev, r.on_air_at, r.next_at, r.attempts, r.lease_by,
              r.lease_until, r.failure
         FROM card_rights r JOIN card c ON c.id = r.card_id WHERE c.number = $1`,
      [number],
    );
    return row;
  };
  const later = (seconds: number) =>
    world.moveTo(new Date(world.now().getTime() + seconds * 1000).toISOString());

  it('puts on air exactly what was paid for', async () => {
    const onAir: OnAirCard[] = [];
    const measured: [string, number][] = [];
    const { dispatch, link } = await setUp({
      onAir: (cards) => onAir.push(...cards),
      metrics: { onDispatched: (...measure) => measured.push(measure) },
    });
    const number = await paid();
    await dispatch.runUntilIdle();
    expect(air.headEnd().card(number)).toMatchObject({
      epoch: 1,
      rev: 1,
      set: [{ product: 'ESS', from: '2026-11-23T11:02:00.000Z', to: '2026-12-23T21:00:00.000Z' }],
    });
    expect(await state(number)).toEqual({
      desired_rev: 1,
      acked_rev: 1,
      on_air_at: '2026-11-23T11:02:00.000Z',
      next_at: null,
      attempts: 0,
      lease_by: null,
      lease_until: null,
      failure: null,
    });
    expect(link.sent.map(({ command }) => command.cmdId)).toEqual([`${CAS_ID}.1.${number}.1`]);
    expect(onAir).toMatchObject([{ number, rev: 1, onAirAt: new Date(START) }]);
    expect(measured).toEqual([['on_air', 0]]);
  });

  it('sends only the last of three quick changes to one card', async () => {
    const { dispatch, link } = await setUp();
    const number = await paid();
    await world.pay({ amount: MONTH, accountRef: number });
    await world.pay({ amount: MONTH, accountRef: number });
    await dispatch.runUntilIdle();
    expect(link.sent).toHaveLength(1);
    expect(air.headEnd().card(number)).toMatchObject({ rev: 3 });
    expect(await state(number)).toMatchObject({ desired_rev: 3, acked_rev: 3, next_at: null });
  });

  it('sends once more what was raised while an earlier set was under way', async () => {
    const link = listenIn(await air.link('dispatcher-1'));
    const number = await paid();
    const slow: TestLink = {
      ...link,
      async send(command) {
        if (link.sent.length === 0) await world.pay({ amount: MONTH, accountRef: number });
        return link.send(command);
      },
    };
    await dispatcher(slow).runUntilIdle();
    expect(link.sent.map(({ command }) => command.op === 'ENTITLE' && command.rev)).toEqual([1, 2]);
    expect(await state(number)).toMatchObject({ desired_rev: 2, acked_rev: 2, next_at: null });
  });

  it('claims nothing while the head-end is away, and then sends each card once', async () => {
    const { dispatch, link } = await setUp();
    await air.goDown();
    const numbers = await manyPaid(500);
    await dispatch.runUntilIdle();
    expect(await dispatch.backlog()).toEqual({ waiting: 500, oldestSeconds: 0 });
    later(30);
    expect(await dispatch.backlog()).toEqual({ waiting: 500, oldestSeconds: 30 });
    await air.comeBack();
    await dispatch.runUntilIdle();
    expect(await dispatch.backlog()).toEqual({ waiting: 0, oldestSeconds: 0 });
    const executed = air.headEnd().commands({ limit: 1_000 });
    expect(executed.map((command) => command.card).sort()).toEqual(numbers.sort());
    expect(link.sent).toHaveLength(500);
  });

  it('brings through what was under way when the head-end went away', async () => {
    const { dispatch, link } = await setUp();
    const numbers = await manyPaid(40);
    const run = dispatch.runUntilIdle();
    await until(() => link.sent.length === 40);
    await air.goDown();
    expect(link.sent.filter(({ outcome }) => outcome)).toEqual([]);
    await air.comeBack();
    await run;
    expect(await dispatch.backlog()).toMatchObject({ waiting: 0 });
    const executed = air.headEnd().commands({ limit: 1_000 });
    expect(executed.map((command) => command.card).sort()).toEqual(numbers.sort());
    expect(executed.every((command) => command.result?.code === 'DONE')).toBe(true);
  });

  it('repeats the command of a process that died before it wrote the answer', async () => {
    const first = listenIn(await air.link('dispatcher-1'));
    const heard = Promise.withResolvers<void>();
    const dying: TestLink = {
      ...first,
      async send(command) {
        await first.send(command);
        heard.resolve();
        return new Promise<never>(() => undefined);
      },
    };
    const number = await paid();
    void dispatcher(dying, { processId: 'dead' }).runUntilIdle();
    await heard.promise;

    const second = listenIn(await air.link('dispatcher-2'));
    const dispatch = dispatcher(second, { processId: 'alive' });
    await dispatch.runUntilIdle();
    expect(second.sent).toEqual([]);
    later(31);
    await dispatch.runUntilIdle();
    expect(second.sent).toMatchObject([
      { command: { cmdId: first.sent[0]?.command.cmdId }, outcome: { kind: 'done', dup: true } },
    ]);
    expect(air.headEnd().commands({ card: number })).toHaveLength(1);
    // On air since the first sending, not since we learned of it.
    expect(await state(number)).toMatchObject({
      acked_rev: 1,
      on_air_at: first.sent[0]?.outcome && new Date(world.now().getTime() - 31_000).toISOString(),
    });
  });

  it('sends again what it could not write the answer of', async () => {
    const logger = createLog();
    let away = true;
    const query = async (statement: { name: string }) => {
      if (away && statement.name === 'dispatch-ack') throw new Error('No space left');
      return world.pool.query(statement as never);
    };
    const { dispatch, link } = await setUp({ logger, pool: { query } as unknown as World['pool'] });
    const number = await paid();
    await dispatch.runUntilIdle();
    expect(logger.events).toEqual(['dispatch.answers_unwritten']);
    away = false;
    later(31);
    await dispatch.runUntilIdle();
    expect(link.sent.map(({ outcome }) => outcome?.kind === 'done' && outcome.dup)).toEqual([
      false,
      true,
    ]);
    expect(await state(number)).toMatchObject({ acked_rev: 1, next_at: null });
  });

  it('writes an answer late when the database was away, and sends nothing again', async () => {
    const lost = [new Error('Connection terminated'), new Error('Connection terminated')];
    const query = async (statement: { name: string }) => {
      const error = statement.name === 'dispatch-ack' ? lost.pop() : undefined;
      if (error) throw error;
      return world.pool.query(statement as never);
    };
    const { dispatch, link } = await setUp({ pool: { query } as unknown as World['pool'] });
    const number = await paid();
    await dispatch.runUntilIdle();
    expect(link.sent).toHaveLength(1);
    expect(await state(number)).toMatchObject({ acked_rev: 1, next_at: null });
  });

  it('keeps a card for as long as its answer is awaited', async () => {
    const link = listenIn(await air.link('dispatcher-1'));
    const answer = Promise.withResolvers<CommandOutcome>();
    const sent = Promise.withResolvers<void>();
    const waiting = dispatcher({
      ...link,
      send() {
        sent.resolve();
        return answer.promise;
      },
    });
    const number = await paid();
    waiting.start();
    await sent.promise;
    const leaseUntil = async () => (await state(number))?.lease_until;
    const before = await leaseUntil();
    later(6);
    waiting.wake();
    // Each look is a question to the database; the renewal stands in the same queue.
    for (let look = 0; look < 1_000 && (await leaseUntil()) === before; look += 1);
    later(8);
    await dispatcher(link, { processId: 'other' }).runUntilIdle();
    expect(link.sent).toEqual([]);
    answer.resolve({ kind: 'done', code: 'DONE', dup: false });
    await waiting.stop();
    expect(await state(number)).toMatchObject({ acked_rev: 1, next_at: null });
  });

  it('shares the cards among two processes, each card once', async () => {
    const one = listenIn(await air.link('dispatcher-1'));
    const two = listenIn(await air.link('dispatcher-2'));
    const numbers = await manyPaid(300);
    await Promise.all([
      dispatcher(one, { processId: 'one' }).runUntilIdle(),
      dispatcher(two, { processId: 'two' }).runUntilIdle(),
    ]);
    const sent = [...one.sent, ...two.sent].map(({ command }) => command.target.id);
    expect(sent.sort()).toEqual(numbers.sort());
    expect(one.sent.length).toBeGreaterThan(0);
    expect(two.sent.length).toBeGreaterThan(0);
  });

  it('keeps a refusal for staff and tries again when it may have been mended', async () => {
    const logger = createLog();
    const { dispatch, link } = await setUp({ logger });
    knownCard = () => false;
    const number = await paid();
    await dispatch.runUntilIdle();
    expect(await state(number)).toMatchObject({
      acked_rev: 0,
      failure: 'UNKNOWN_CARD',
      next_at: new Date(world.now().getTime() + 300_000).toISOString(),
    });
    expect(logger.events).toEqual(['dispatch.refused']);
    expect(link.sent).toHaveLength(1);
    knownCard = () => true;
    later(301);
    await dispatch.runUntilIdle();
    expect(await state(number)).toMatchObject({ acked_rev: 1, failure: null, next_at: null });
  });

  it('writes a refusal and its work item both or not at all', async () => {
    const owner = new Client({ connectionString: world.database.ownerUrl });
    await owner.connect();
    const [role] = await world.rows('SELECT current_user AS name');
    await owner.query(`REVOKE INSERT ON work_item FROM ${role?.name}`);
    const { dispatch } = await setUp();
    knownCard = () => false;
    const number = await paid();
    await dispatch.runUntilIdle();
    expect(await state(number)).toMatchObject({ failure: null });
    await owner.query(`GRANT INSERT ON work_item TO ${role?.name}`);
    await owner.end();
    later(31);
    await dispatch.runUntilIdle();
    expect(await state(number)).toMatchObject({ failure: 'UNKNOWN_CARD', attempts: 1 });
    expect(await world.rows('SELECT code FROM work_item')).toEqual([{ code: 'UNKNOWN_CARD' }]);
  });

  it('asks anew after a refusal that the head-end keeps as its answer', async () => {
    const { dispatch, link } = await setUp();
    let asked = 0;
    // Known when it is taken, unknown when its turn has come.
    knownCard = () => {
      asked += 1;
      return asked !== 2;
    };
    const number = await paid();
    await dispatch.runUntilIdle();
    expect(await state(number)).toMatchObject({ failure: 'UNKNOWN_CARD' });
    later(301);
    await dispatch.runUntilIdle();
    expect(link.sent.map(({ command }) => command.cmdId)).toEqual([
      `${CAS_ID}.1.${number}.1`,
      `${CAS_ID}.1.${number}.1.1`,
    ]);
    expect(await state(number)).toMatchObject({ acked_rev: 1, failure: null });
  });

  it('sends a raised set at once, whatever the one before waits for', async () => {
    const { dispatch } = await setUp();
    knownCard = () => false;
    const number = await paid();
    await dispatch.runUntilIdle();
    knownCard = () => true;
    await world.pay({ amount: MONTH, accountRef: number });
    await dispatch.runUntilIdle();
    expect(await state(number)).toMatchObject({ desired_rev: 2, acked_rev: 2, failure: null });
  });

  it('raises the alarm when the head-end knows a later revision, and does not insist', async () => {
    const logger = createLog();
    const { dispatch, link } = await setUp({ logger });
    const number = await paid();
    await link.send({
      op: 'ENTITLE',
      cmdId: 'from-before-the-restore',
      target: cardTarget(number),
      rev: 50,
      set: [],
      prio: 'SALE',
      notAfter: new Date(world.now().getTime() + 60_000),
    });
    await dispatch.runUntilIdle();
    expect(logger.events).toEqual(['dispatch.behind_head_end']);
    expect(link.sent).toHaveLength(2);
    expect(await state(number)).toMatchObject({
      acked_rev: 0,
      failure: 'STALE_REV',
      next_at: new Date(world.now().getTime() + 300_000).toISOString(),
    });
  });

  it('sends what it is woken for', async () => {
    const onAir = Promise.withResolvers<readonly OnAirCard[]>();
    const { dispatch } = await setUp({ onAir: onAir.resolve });
    dispatch.start();
    const number = await paid();
    dispatch.wake();
    expect(await onAir.promise).toMatchObject([{ number }]);
    await dispatch.stop();
  });

  it('gives back, when it stops, the cards whose answer it did not get', async () => {
    const link = listenIn(await air.link('dispatcher-1'));
    const sent = Promise.withResolvers<void>();
    const dispatch = dispatcher(
      {
        ...link,
        send() {
          sent.resolve();
          return new Promise<never>(() => undefined);
        },
      },
      { stopWaitMs: 1 },
    );
    const number = await paid();
    dispatch.start();
    await sent.promise;
    expect(await state(number)).toMatchObject({ lease_by: 'dispatcher-1' });
    await dispatch.stop();
    expect(await state(number)).toMatchObject({ lease_by: null });
    await dispatcher(link).runUntilIdle();
    expect(await state(number)).toMatchObject({ acked_rev: 1 });
  });
});
