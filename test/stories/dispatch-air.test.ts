import {
  type Air,
  CAS_ID,
  createAir,
  createLog,
  dispatcherOf,
  listenIn,
  type TestLink,
} from '../../src/entitlement/dispatch/dispatch-harness.ts';
import { REAIRS_PER_ROUND_MAX } from '../../src/entitlement/dispatch/reair.ts';
import type { DispatcherDeps, DispatchStep } from '../../src/entitlement/dispatch/service.ts';
import { cardTarget } from '../../src/entitlement/vip-control/command.ts';
import type { RepeatStep } from '../../src/entitlement/vip-control/messages.ts';
import { until } from '../../src/entitlement/vip-control/testing.ts';
import { createWorld, severally, type World } from './world.ts';

const START = '2026-11-23T11:02:00Z';
const MONTH = 65_000n;
const HOUR_S = 3_600;
const DAY_S = 86_400;

/** What dispatch does beside sending each set once: re-airing, suspension, margin, the alarm. */
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
    await world.close();
  });

  /** A dispatcher, by default to a head-end that repeats nothing by itself. */
  const setUp = async (more: Partial<DispatcherDeps> = {}, repeats: RepeatStep[] = []) => {
    const listening = listenIn(await air.link(more.processId ?? 'dispatcher-1'));
    const capabilities = () => {
      const said = listening.capabilities();
      return said && { ...said, repeats };
    };
    const link = { ...listening, capabilities };
    const { pool, settlement, now } = world;
    const dispatch = dispatcherOf({ pool, settlement, now, link }, more);
    const commands = () => listening.sent.map(({ command }) => command);
    const refreshes = () => commands().filter(({ op }) => op === 'REFRESH');
    const sets = () => commands().filter(({ op }) => op === 'ENTITLE');
    return { link, dispatch, refreshes, sets };
  };
  const paid = async () => {
    const { number } = await world.customer();
    await world.pay({ amount: MONTH, accountRef: number });
    return number;
  };
  const manyPaid = (count: number) => severally(count, paid);
  const state = async (number: string) => {
    const [row] = await world.rows(
      `SELECT r.* FROM card_rights r JOIN card c ON c.id = r.card_id WHERE c.number = $1`,
      [number],
    );
    return row;
  };
  /** As staff and settlement do it: another content, with the next revision. */
  const raise = (number: string, content: { desired?: unknown; suspended?: string | null }) =>
    world.pool.query(
      `UPDATE card_rights r
          SET desired_rev = desired_rev + 1, desired = coalesce($2, desired), suspended = $3,
              next_at = $4, raised_at = $4
         FROM card c WHERE c.id = r.card_id AND c.number = $1`,
      [
        number,
        content.desired ? JSON.stringify(content.desired) : null,
        content.suspended ?? null,
        world.now(),
      ],
    );
  const at = (seconds: number) => new Date(Date.parse(START) + seconds * 1000).toISOString();
  const moveTo = (seconds: number) => world.moveTo(at(seconds));

  describe('of a suspended card', () => {
    it('says so, with the set it keeps, and says when it is over', async () => {
      const { dispatch, sets } = await setUp();
      const number = await paid();
      await dispatch.runUntilIdle();
      await raise(number, { suspended: 'fraud' });
      await dispatch.runUntilIdle();
      expect(air.headEnd().card(number)).toMatchObject({ rev: 2, suspended: 'fraud' });
      await raise(number, { suspended: null });
      await dispatch.runUntilIdle();
      expect(sets()).toMatchObject([{ rev: 1 }, { rev: 2, suspended: 'fraud' }, { rev: 3 }]);
      expect(sets().map((command) => 'suspended' in command)).toEqual([false, true, false]);
      const contents = sets().map((command) => command.op === 'ENTITLE' && command.set);
      expect(contents).toEqual([contents[0], contents[0], contents[0]]);
      expect(await state(number)).toMatchObject({ acked_rev: 3, next_at: null });
    });
  });

  describe('with a margin of the air', () => {
    const AIR_MARGIN_MS = 6 * HOUR_S * 1000;

    it('prolongs what the head-end gets, and not what we keep', async () => {
      const { dispatch } = await setUp({ airMarginMs: AIR_MARGIN_MS });
      const number = await paid();
      await dispatch.runUntilIdle();
      expect(air.headEnd().card(number)?.set[0]).toMatchObject({ to: '2026-12-24T03:00:00.000Z' });
      const row = await state(number);
      expect(row?.desired).toMatchObject([{ product: 'ESS', to: '2026-12-23T21:00:00.000Z' }]);
    });

    it('that was changed counts from the next revision', async () => {
      const first = await setUp({ processId: 'before', airMarginMs: AIR_MARGIN_MS });
      const number = await paid();
      const heard = Promise.withResolvers<void>();
      const dying: TestLink = {
        ...first.link,
        async send(command) {
          await first.link.send(command);
          heard.resolve();
          return new Promise<never>(() => undefined);
        },
      };
      const { pool, settlement, now } = world;
      const dead = dispatcherOf(
        { pool, settlement, now, link: dying },
        { airMarginMs: AIR_MARGIN_MS },
      );
      void dead.runUntilIdle();
      await heard.promise;
      moveTo(31);
      const { dispatch } = await setUp({ processId: 'after', airMarginMs: 0 });
      await dispatch.runUntilIdle();
      expect(await state(number)).toMatchObject({ acked_rev: 1, failure: null });
      expect(air.headEnd().card(number)?.set[0]).toMatchObject({ to: '2026-12-24T03:00:00.000Z' });
      await raise(number, {});
      await dispatch.runUntilIdle();
      expect(air.headEnd().card(number)?.set[0]).toMatchObject({ to: '2026-12-23T21:00:00.000Z' });
    });
  });

  it('raises the revision when the head-end has another content under it', async () => {
    const logger = createLog();
    const { dispatch, link } = await setUp({ logger });
    const number = await paid();
    await link.send({
      op: 'ENTITLE',
      cmdId: 'somebody-else',
      target: cardTarget(number),
      rev: 1,
      set: [],
      prio: 'SALE',
      notAfter: new Date(world.now().getTime() + 60_000),
    });
    await dispatch.runUntilIdle();
    expect(logger.events).toEqual(['dispatch.revision_conflict']);
    expect(await state(number)).toMatchObject({ desired_rev: 2, failure: 'REV_CONFLICT' });
    moveTo(2);
    await dispatch.runUntilIdle();
    expect(air.headEnd().card(number)).toMatchObject({ rev: 2, set: [{ product: 'ESS' }] });
    expect(await state(number)).toMatchObject({ acked_rev: 2, next_at: null, failure: null });
  });

  it('replays after a reconnect what has no result, and each is executed once', async () => {
    await air.close();
    air = await createAir(() => world.now(), { latencyMs: 50 });
    const steps: DispatchStep[] = [];
    const { dispatch, sets } = await setUp({ onStep: (step) => steps.push(step) });
    const numbers = await manyPaid(40);
    const run = dispatch.runUntilIdle();
    await until(() => steps.some(({ kind }) => kind === 'accepted'));
    await air.goDown();
    await air.comeBack();
    await run;
    expect(sets()).toHaveLength(40);
    const executed = air.headEnd().commands({ limit: 1_000 });
    expect(executed.map((command) => command.card).sort()).toEqual(numbers.sort());
    expect(executed.every((command) => command.result?.code === 'DONE')).toBe(true);
    expect(steps.filter(({ kind }) => kind === 'on_air')).toHaveLength(40);
  });

  it('tells the steps of a set, and how long after it was raised they came', async () => {
    const steps: DispatchStep[] = [];
    const measured: [string, number][] = [];
    const { dispatch } = await setUp({
      onStep: (step) => steps.push(step),
      metrics: {
        onDispatched: () => undefined,
        onPicture: (...measure) => measured.push(measure),
      },
    });
    const number = await paid();
    moveTo(9);
    await dispatch.runUntilIdle();
    const common = { number, rev: 1, at: new Date(at(9)), raisedAt: new Date(START) };
    expect(steps).toMatchObject([
      { kind: 'sent', ...common },
      { kind: 'accepted', ...common },
      { kind: 'on_air', ...common },
    ]);
    expect(measured).toEqual([
      ['accepted', 9],
      ['on_air', 9],
    ]);
  });

  describe('re-airs', () => {
    it('what is on air a minute later, in bulk, once, outside the limit of the card', async () => {
      const { dispatch, refreshes } = await setUp();
      const number = await paid();
      await dispatch.runUntilIdle();
      moveTo(59);
      await dispatch.runUntilIdle();
      expect(refreshes()).toEqual([]);
      moveTo(60);
      await dispatch.runUntilIdle();
      await dispatch.runUntilIdle();
      expect(refreshes()).toMatchObject([
        {
          cmdId: `${CAS_ID}.1.${number}.1.air.1`,
          target: { kind: 'card', id: number },
          args: { scope: 'rights', boostSeconds: 0 },
          prio: 'BULK',
        },
      ]);
      expect(await state(number)).toMatchObject({
        reairs: 1,
        reair_at: new Date(at(120)).toJSON(),
      });
    });

    it('by itself, once it was started', async () => {
      const { dispatch, refreshes } = await setUp();
      const number = await paid();
      await dispatch.runUntilIdle();
      moveTo(60);
      dispatch.start();
      await until(() => refreshes().length > 0);
      await dispatch.stop();
      expect(refreshes()).toMatchObject([{ target: { id: number } }]);
    });

    it('ever more rarely, until the profile is over', async () => {
      const { dispatch, refreshes } = await setUp();
      const number = await paid();
      await dispatch.runUntilIdle();
      const nextAfter = async (seconds: number) => {
        moveTo(seconds);
        await dispatch.runUntilIdle();
        const next = (await state(number))?.reair_at;
        return next === null ? null : (Date.parse(String(next)) - Date.parse(at(seconds))) / 1000;
      };
      expect(await nextAfter(HOUR_S)).toBe(60);
      expect(await nextAfter(2 * HOUR_S)).toBe(900);
      expect(await nextAfter(2 * DAY_S)).toBe(HOUR_S);
      expect(await nextAfter(8 * DAY_S)).toBe(HOUR_S);
      expect(await nextAfter(8 * DAY_S + HOUR_S)).toBeNull();
      expect(refreshes()).toHaveLength(5);
    });

    it('not what the head-end repeats by itself', async () => {
      const { dispatch } = await setUp({}, [
        { everySeconds: 10, forSeconds: 300 },
        { everySeconds: 60, forSeconds: HOUR_S },
      ]);
      const number = await paid();
      await dispatch.runUntilIdle();
      const first = new Date(at(300 + HOUR_S + 900)).toJSON();
      expect(await state(number)).toMatchObject({ reair_at: first });
    });

    it('not beyond the end of the last right', async () => {
      const { dispatch, refreshes } = await setUp();
      const number = await paid();
      await raise(number, { desired: [{ product: 'ESS', from: START, to: at(180) }] });
      await dispatch.runUntilIdle();
      for (const seconds of [60, 120, 180, 240]) {
        moveTo(seconds);
        await dispatch.runUntilIdle();
      }
      expect(refreshes()).toHaveLength(2);
      expect(await state(number)).toMatchObject({ reair_at: null });
    });

    it('nothing that ended while nobody could re-air it', async () => {
      const { dispatch, refreshes } = await setUp();
      const number = await paid();
      await dispatch.runUntilIdle();
      moveTo(40 * DAY_S);
      await dispatch.runUntilIdle();
      expect(refreshes()).toEqual([]);
      expect(await state(number)).toMatchObject({ reair_at: null });
    });

    it('nothing of a card that was raised meanwhile, and begins anew with that set', async () => {
      const { dispatch, refreshes } = await setUp();
      const number = await paid();
      await dispatch.runUntilIdle();
      moveTo(60);
      await world.pay({ amount: MONTH, accountRef: number });
      expect(await dispatch.reairDue()).toBe(0);
      await dispatch.runUntilIdle();
      expect(refreshes()).toEqual([]);
      expect(await state(number)).toMatchObject({
        acked_rev: 2,
        reairs: 0,
        reair_at: new Date(at(120)).toJSON(),
      });
      moveTo(120);
      await dispatch.runUntilIdle();
      expect(refreshes()).toMatchObject([{ cmdId: `${CAS_ID}.1.${number}.2.air.1` }]);
    });

    it('each card once, in bounded rounds, however many processes there are', async () => {
      const one = await setUp({ processId: 'one' });
      const two = await setUp({ processId: 'two' });
      const numbers = await manyPaid(REAIRS_PER_ROUND_MAX + 20);
      await one.dispatch.runUntilIdle();
      moveTo(60);
      const rounds = [await one.dispatch.reairDue()];
      rounds.push(
        ...(await Promise.all([one.dispatch.reairDue(), two.dispatch.reairDue()])),
        await one.dispatch.reairDue(),
      );
      expect(rounds[0]).toBe(REAIRS_PER_ROUND_MAX);
      const sent = [...one.refreshes(), ...two.refreshes()].map(({ target }) => target.id);
      expect(sent.sort()).toEqual(numbers.sort());
    });

    it('again at the next step when one failed', async () => {
      const logger = createLog();
      const results: string[] = [];
      const metrics = {
        onDispatched: () => undefined,
        onReaired: (result: string) => void results.push(result),
      };
      const { dispatch } = await setUp({ logger, metrics });
      const number = await paid();
      await dispatch.runUntilIdle();
      knownCard = () => false;
      moveTo(60);
      await dispatch.runUntilIdle();
      expect(logger.events).toEqual(['dispatch.reairs_failed']);
      expect(await state(number)).toMatchObject({ failure: null, next_at: null });
      knownCard = () => true;
      moveTo(120);
      await dispatch.runUntilIdle();
      expect(results).toEqual(['failed', 'on_air']);
    });
  });

  describe('raises the alarm', () => {
    it('once for a card that is paid and two minutes not on air, and says when it is', async () => {
      const logger = createLog();
      const { dispatch } = await setUp({ logger });
      await air.goDown();
      const number = await paid();
      moveTo(119);
      expect(await dispatch.alarmDark()).toBe(0);
      moveTo(120);
      expect(await dispatch.alarmDark()).toBe(1);
      moveTo(300);
      expect(await dispatch.alarmDark()).toBe(1);
      expect(logger.events).toEqual(['dispatch.paid_not_on_air']);
      // Raised again, it has two minutes anew; then it is another set that is not on air.
      await world.pay({ amount: MONTH, accountRef: number });
      expect(await dispatch.alarmDark()).toBe(0);
      moveTo(420);
      expect(await dispatch.alarmDark()).toBe(1);
      await air.comeBack();
      await dispatch.runUntilIdle();
      expect(await dispatch.alarmDark()).toBe(0);
      expect(await dispatch.alarmDark()).toBe(0);
      expect(logger.events).toEqual([
        'dispatch.paid_not_on_air',
        'dispatch.paid_not_on_air',
        'dispatch.on_air_again',
      ]);
    });
  });
});
