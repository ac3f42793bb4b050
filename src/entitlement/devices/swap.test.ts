import type { Pool } from 'pg';
import { createWorld, type World } from '../../../test/stories/world.ts';
import { withLuhnDigit } from '../../platform/luhn.ts';
import { dispatcherOf } from '../dispatch/dispatch-harness.ts';
import { createSuspensions } from '../picture/suspension.ts';
import { AIR_MARGIN_MS } from '../rights/rules.ts';
import type { Command, CommandOutcome } from '../vip-control/command.ts';
import { acting, devicesOf, headEnd, senderOf, stateOf } from './devices-harness.ts';

const START = '2026-12-01T08:00:00Z';
const MONTH = 65_000n;
const STATEMENTS_MAX = 80;
const rejected = (code: string): CommandOutcome => ({ kind: 'rejected', code, class: 'state' });

describe('a swap of cards', () => {
  let world: World;
  let serial = 0;
  beforeAll(async () => {
    world = await createWorld(START);
  });
  afterAll(() => world.close());
  afterEach(() => world.check());

  const fresh = () => {
    serial += 1;
    return withLuhnDigit(`4088${String(serial).padStart(6, '0')}`);
  };
  const paid = async () => {
    const { number, msisdn } = await world.customer();
    await world.pay({ amount: MONTH, accountRef: number });
    return { number, msisdn };
  };
  const rightsOf = async (number: string) => {
    const [row] = await world.rows(
      `SELECT r.desired_rev, r.acked_rev, r.suspended, r.lease_by,
              jsonb_array_length(r.desired) AS n
         FROM card_rights r JOIN card c ON c.id = r.card_id WHERE c.number = $1`,
      [number],
    );
    return row ?? {};
  };
  const subscribed = async (number: string) =>
    (
      await world.rows(
        'SELECT s.id FROM subscription s JOIN card c ON c.id = s.card_id WHERE c.number = $1',
        [number],
      )
    )[0]?.id;
  const opsOf = (sent: readonly Command[], ...numbers: string[]) =>
    sent.filter(({ target }) => numbers.includes(target.id)).map((c) => `${c.op} ${c.target.id}`);
  const dispatch = (link: ReturnType<typeof headEnd>) =>
    dispatcherOf(
      { pool: world.pool, settlement: world.settlement, now: world.now, link: withWindow(link) },
      { airMarginMs: AIR_MARGIN_MS },
    ).runUntilIdle();
  const withWindow = (link: ReturnType<typeof headEnd>) => ({
    ...link,
    capabilities: () => ({ osdMax: 160, maxWindow: 50, supports: [] }),
  });

  it('is one act here and one command there: the new card has all', async () => {
    const { number: old, msisdn } = await paid();
    const next = fresh();
    await dispatch(headEnd());
    const subscription = await subscribed(old);
    expect(await devicesOf(world).swapCard(acting(), { old, new: next })).toEqual({
      ok: true,
      state: 'in_use',
    });
    expect(await subscribed(next)).toBe(subscription);
    expect(await subscribed(old)).toBeUndefined();
    expect([await stateOf(world, old), await stateOf(world, next)]).toEqual(['replaced', 'in_use']);
    const owner = await world.rows(
      `SELECT c.number FROM phone p JOIN card c ON c.subscriber_id = p.subscriber_id
        WHERE p.msisdn = $1 AND c.replaced_by IS NULL`,
      [msisdn],
    );
    expect(owner).toEqual([{ number: next }]);

    const air = headEnd();
    await dispatch(air);
    expect(opsOf(air.sent, old, next)).toEqual([]);
    await senderOf(world, air).runUntilIdle();
    expect(opsOf(air.sent, old, next)).toEqual([`SWAP ${old}`]);
    await dispatch(air);
    expect(opsOf(air.sent, old, next).sort()).toEqual(
      [`ENTITLE ${next}`, `ENTITLE ${old}`, `SWAP ${old}`].sort(),
    );
    const [swap, ...sets] = air.sent.filter(({ target }) => [old, next].includes(target.id));
    const entitled = sets.find(({ target }) => target.id === next);
    if (swap?.op !== 'SWAP' || entitled?.op !== 'ENTITLE') throw new Error('not sent');
    // Found done: the same revision, and the same set to the millisecond.
    expect(swap.args.newRev).toBe(entitled.rev);
    expect(swap.args.set).toEqual(
      entitled.set.map(({ product, from, to }) => ({
        product,
        from: from.toISOString(),
        to: to.toISOString(),
      })),
    );
    expect(swap.args.set.length).toBeGreaterThan(0);
    expect(sets.find(({ target }) => target.id === old)).toMatchObject({ rev: swap.rev, set: [] });
    expect(await rightsOf(next)).toMatchObject({ acked_rev: swap.args.newRev, lease_by: null });
  });

  it('heals by the sets themselves when the head-end refuses it', async () => {
    const { number: old } = await paid();
    const next = fresh();
    await devicesOf(world).swapCard(acting(), { old, new: next });
    const air = headEnd(({ op }) =>
      op === 'SWAP' ? rejected('UNKNOWN_CARD') : { kind: 'done', code: 'DONE', dup: false },
    );
    await senderOf(world, air).runUntilIdle();
    expect(opsOf(air.sent, old, next)).toEqual([`SWAP ${old}`, `UNPAIR ${old}`]);
    await dispatch(air);
    expect(opsOf(air.sent, old, next).slice(2).sort()).toEqual(
      [`ENTITLE ${next}`, `ENTITLE ${old}`].sort(),
    );
  });

  it('does not hold the sets back for ever when the head-end never answers', async () => {
    const { number: old } = await paid();
    const next = fresh();
    await devicesOf(world).swapCard(acting(), { old, new: next });
    world.moveTo('2026-12-02T08:00:01Z');
    const air = headEnd();
    await dispatch(air);
    world.moveTo(START);
    expect(opsOf(air.sent, old, next)).toHaveLength(2);
  });

  it('leaves nothing done, or everything, wherever the process ends', async () => {
    const { number: old } = await paid();
    const next = fresh();
    const before = await rightsOf(old);
    const key = acting();
    for (let statement = 1; statement < STATEMENTS_MAX; statement++) {
      const pool = dyingPool(world.pool, statement);
      const done = await devicesOf(world, { pool })
        .swapCard(key, { old, new: next })
        .catch(() => null);
      const live = [await subscribed(old), await subscribed(next)].filter(Boolean);
      expect(live).toHaveLength(1);
      if (done) break;
      expect(await rightsOf(old)).toEqual(before);
    }
    expect(await devicesOf(world).swapCard(key, { old, new: next })).toMatchObject({ ok: true });
    const swaps = await world.rows(`SELECT id FROM cas_command WHERE target = $1`, [old]);
    expect(swaps).toHaveLength(1);
    expect(await rightsOf(old)).toMatchObject({ n: 0 });
  });

  it('of two at once is done once', async () => {
    const { number: old } = await paid();
    const both = [fresh(), fresh()];
    const done = await Promise.all(
      both.map((next) => devicesOf(world).swapCard(acting(), { old, new: next })),
    );
    expect(done.filter(({ ok }) => ok)).toHaveLength(1);
    const live = await Promise.all([old, ...both].map(subscribed));
    expect(live.filter(Boolean)).toHaveLength(1);
  });

  it('leads money for the old number to the new card', async () => {
    const { number: old } = await paid();
    const next = fresh();
    const third = fresh();
    const devices = devicesOf(world);
    await devices.swapCard(acting(), { old, new: next });
    await devices.swapCard(acting(), { old: next, new: third });
    const before = await rightsOf(third);
    const outcome = await world.pay({ amount: MONTH, accountRef: old });
    expect(world.settledOf(outcome)).toMatchObject({ paidUntil: '2027-02-01T21:00:00.000Z' });
    const after = await rightsOf(third);
    expect(Number(after.desired_rev)).toBe(Number(before.desired_rev) + 1);
  });

  it('loses no term that is paid at the same moment', async () => {
    const pairs = await Promise.all(
      Array.from({ length: 6 }, async () => ({ old: (await paid()).number, next: fresh() })),
    );
    await Promise.all(
      pairs.flatMap(({ old, next }) => [
        world.pay({ amount: MONTH, accountRef: old }),
        devicesOf(world).swapCard(acting(), { old, new: next }),
      ]),
    );
    const ends = await world.rows(
      `SELECT DISTINCT s.paid_until FROM subscription s JOIN card c ON c.id = s.card_id
        WHERE c.number = ANY ($1::text[])`,
      [pairs.map(({ next }) => next)],
    );
    expect(ends).toEqual([{ paid_until: '2027-02-01T21:00:00.000Z' }]);
  });

  it('takes saved cards, held events, promotions and reminders with it', async () => {
    const { number: old } = await paid();
    const next = fresh();
    const [card] = await world.rows('SELECT id FROM card WHERE number = $1', [old]);
    await world.pool.query('INSERT INTO saved_card (msisdn, card_id) VALUES ($1, $2)', [
      ...['+254700999001', card?.id],
    ]);
    await world.pool.query(
      `INSERT INTO reminder (card_id, paid_until, step, decided_at, decision)
       SELECT card_id, paid_until, 'd3', now(), 'sent' FROM subscription WHERE card_id = $1`,
      [card?.id],
    );
    await devicesOf(world).swapCard(acting(), { old, new: next });
    const found = await world.rows(
      `SELECT (SELECT c.number FROM saved_card s JOIN card c ON c.id = s.card_id
                WHERE s.msisdn = '+254700999001') AS saved,
              (SELECT count(*)::integer FROM reminder r JOIN card c ON c.id = r.card_id
                WHERE c.number = $1) AS reminders`,
      [next],
    );
    expect(found).toEqual([{ saved: next, reminders: 1 }]);
  });

  it('keeps a suspension of the subscriber, and ends one for the loss of the card', async () => {
    const by = 'staff:7';
    const suspensions = createSuspensions({
      ...{ pool: world.pool, ids: world.ids, clock: { now: world.now } },
      logger: { info: () => undefined, warn: () => undefined, error: () => undefined },
      dispatcher: { wake: () => undefined },
    });
    const devices = devicesOf(world);
    const vacation = await paid();
    const lost = await paid();
    const [row] = await world.rows('SELECT id FROM card WHERE number = $1', [vacation.number]);
    const cardId = BigInt(String(row?.id));
    await suspensions.suspendCard({ cardId, reason: 'vacation', by });
    const said = { kind: 'card', state: 'lost', siteId: null, ownership: null } as const;
    await devices.declare(acting(), { ...said, name: lost.number });
    const next = [fresh(), fresh()] as const;
    await devices.swapCard(acting(), { old: vacation.number, new: next[0] });
    await devices.swapCard(acting(), { old: lost.number, new: next[1] });
    expect((await rightsOf(next[0])).suspended).toBe('vacation');
    expect((await rightsOf(next[1])).suspended).toBeNull();
    const open = await world.rows(
      `SELECT c.number, x.reason FROM card_suspension x JOIN card c ON c.id = x.card_id
        WHERE x.resumed_at IS NULL AND c.number = ANY ($1::text[])`,
      [[...next, vacation.number, lost.number]],
    );
    expect(open).toEqual([{ number: next[0], reason: 'vacation' }]);
  });

  it('is refused to a card that carries something, and from one that carries nothing', async () => {
    const one = await paid();
    const other = await paid();
    const devices = devicesOf(world);
    expect(await devices.swapCard(acting(), { old: one.number, new: other.number })).toMatchObject({
      error: 'card_in_use',
    });
    const next = fresh();
    await devices.swapCard(acting(), { old: one.number, new: next });
    expect(await devices.swapCard(acting(), { old: one.number, new: fresh() })).toMatchObject({
      error: 'card_not_in_use',
    });
    expect(await devices.swapCard(acting(), { old: other.number, new: one.number })).toMatchObject({
      error: 'device_state',
    });
  });

  it('gives nobody a second trial, by card or by decoder', async () => {
    const devices = devicesOf(world);
    const { number: old } = await world.customer();
    await devices.pair(acting(), { card: old, stb: 'STB-TRIAL1', mode: 'strict' });
    const trial = async (number: string) => {
      const [row] = await world.rows('SELECT id FROM card WHERE number = $1', [number]);
      return await world.act({ kind: 'grant_trial', cardId: BigInt(String(row?.id)) });
    };
    expect(await trial(old)).toMatchObject({ settled: { state: 'settled' } });
    const next = fresh();
    await devices.swapCard(acting(), { old, new: next });
    await devices.swapDecoder(acting(), { old: 'STB-TRIAL1', new: 'STB-TRIAL2' });
    const refused = { settled: { state: 'refused', code: 'trial_used' } };
    expect(await trial(next)).toMatchObject(refused);
    // Another card in the old decoder, and the new card in yet another one.
    const stranger = await world.customer();
    await devices.unpair(acting(), { card: next, stb: null });
    const shelf = { kind: 'stb', name: 'STB-TRIAL2', state: 'in_stock' } as const;
    await devices.declare(acting(), { ...shelf, siteId: null, ownership: null });
    await devices.pair(acting(), { card: stranger.number, stb: 'STB-TRIAL2', mode: 'strict' });
    expect(await trial(stranger.number)).toMatchObject(refused);
    await devices.pair(acting(), { card: next, stb: 'STB-TRIAL3', mode: 'strict' });
    expect(await trial(next)).toMatchObject(refused);
  });
});

/** A pool whose connection breaks at this statement, counted over all of them. */
function dyingPool(pool: Pool, statement: number): Pool {
  let left = statement;
  return new Proxy(pool, {
    get(target, name, receiver) {
      if (name !== 'connect') return Reflect.get(target, name, receiver);
      return async () => {
        const client = await target.connect();
        return new Proxy(client, {
          get(inner, key) {
            const value = Reflect.get(inner, key);
            if (key !== 'query') return typeof value === 'function' ? value.bind(inner) : value;
            return (...args: unknown[]) => {
              left -= 1;
              if (left === 0) return Promise.reject(new Error('the line is cut'));
              return (value as (...all: unknown[]) => unknown).apply(inner, args);
            };
          },
        });
      };
    },
  });
}
