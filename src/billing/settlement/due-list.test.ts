import { createWorld, type World } from '../../../test/stories/world.ts';
import { doDue, listDue } from './due-list.ts';

describe('what is due', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld('2026-11-23T11:02:00Z');
  });
  afterEach(async () => {
    expect(await world.check()).toMatchObject({ wrongBalances: 0, wrongLots: 0, wrongFolds: 0 });
    await world.close();
  });

  const wake = () => doDue({ ...world, clock: { now: world.now } });
  /** A week from Monday to Monday, that renews itself; paid for `weeks`. */
  const customer = async (weeks: bigint) => {
    const { number, msisdn, id } = await world.customer({ term: 'week', autoRenew: true });
    const credit = weeks * 20_000n;
    await world.pay({ amount: credit, accountRef: number });
    return { number, msisdn, id };
  };
  const runOf = async (number: string) =>
    (
      await world.rows(
        `SELECT run_from AS "from", paid_until AS "to", waiting_term AS waiting
           FROM subscription s JOIN card c ON c.id = s.card_id WHERE c.number = $1`,
        [number],
      )
    )[0];

  it('go on from the end, are charged once, and stop when the money does', async () => {
    const { number } = await customer(2n);
    expect(await wake()).toBe(0);
    world.moveTo('2026-11-30T21:00:07Z');
    const woken = await Promise.all([wake(), wake()]);
    expect(woken).toContain(1);
    const from = '2026-11-23T11:02:00.000Z';
    expect(await runOf(number)).toEqual({ from, to: '2026-12-07T21:00:00.000Z', waiting: null });
    expect(await wake()).toBe(0);

    world.moveTo('2026-12-07T21:00:07Z');
    expect(await wake()).toBe(1);
    expect(await runOf(number)).toMatchObject({ to: '2026-12-07T21:00:00.000Z', waiting: 'week' });
    expect(world.said.at(-1)?.message).toMatchObject({ name: 'renewal_failed', missing: 20_000n });
    expect(await wake()).toBe(0);

    world.moveTo('2026-12-09T08:00:00Z');
    await world.pay({ amount: 20_000n, accountRef: number });
    expect(await runOf(number)).toEqual({
      from: '2026-12-09T08:00:00.000Z',
      to: '2026-12-16T21:00:00.000Z',
      waiting: null,
    });
  });

  it('noticed late start when they are noticed', async () => {
    const { number } = await customer(2n);
    world.moveTo('2026-12-02T09:00:00Z');
    expect(await wake()).toBe(1);
    expect(await runOf(number)).toMatchObject({
      from: '2026-12-02T09:00:00.000Z',
      to: '2026-12-09T21:00:00.000Z',
    });
  });

  it('tries an end once, also when an act as of before it ends the wait at it', async () => {
    await customer(1n);
    world.moveTo('2026-11-30T21:00:07Z');
    expect(await wake()).toBe(1);
    await world.rows('UPDATE subscription SET waiting_term = NULL');
    expect(await wake()).toBe(0);
    expect(await listDue(world.pool, world.now())).toEqual([]);
  });

  it('is done in its order: credit that ends with the term renews nothing', async () => {
    const { number, id } = await customer(1n);
    const expiresAt = new Date('2026-11-30T21:00:00Z');
    const promo = { amount: 20_000n, credit: 'promo', expiresAt, priority: null } as const;
    await world.act({ kind: 'top_up', subscriberId: id, ...promo });
    world.moveTo('2026-11-30T21:00:07Z');
    expect(await wake()).toBe(2);
    expect(await runOf(number)).toMatchObject({ waiting: 'week', to: '2026-11-30T21:00:00.000Z' });
    const [lot] = await world.rows("SELECT remaining FROM lot WHERE kind = 'promo'");
    expect(lot).toEqual({ remaining: '0' });
    expect(await wake()).toBe(0);
  });

  it('is done page by page in the same order, though all of it is due at one instant', async () => {
    const numbers: string[] = [];
    for (let n = 0; n < 5; n++) {
      const { number, id } = await customer(n < 2 ? 2n : 1n);
      numbers.push(number);
      const expiresAt = new Date('2026-11-30T21:00:00Z');
      const promo = { amount: 20_000n, credit: 'promo', expiresAt, priority: null } as const;
      await world.act({ kind: 'top_up', subscriberId: id, ...promo });
    }
    world.moveTo('2026-11-30T21:00:07Z');
    const deps = { ...world, clock: { now: world.now }, pageMax: 2 };
    expect(await doDue(deps)).toBe(10);
    const waiting = [];
    for (const number of numbers) waiting.push((await runOf(number))?.waiting);
    expect(waiting).toEqual([null, null, 'week', 'week', 'week']);
    expect(await doDue(deps)).toBe(0);
  });

  it('ends a pause at its midnight, and lets the term go on', async () => {
    const { number } = await customer(1n);
    await world.changeCatalogue([
      'language: en',
      'language: en\n    rules: { pause: { daysPerYear: 30 } }',
    ]);
    const [card] = await world.rows('SELECT id FROM card WHERE number = $1', [number]);
    const cardId = BigInt(String(card?.id));
    await world.act({ kind: 'pause', cardId, days: 3 });
    expect(await wake()).toBe(0);
    world.moveTo('2026-11-25T21:00:07Z');
    expect(await wake()).toBe(1);
    expect(await runOf(number)).toMatchObject({ to: '2026-12-03T21:00:00.000Z' });
    expect(await wake()).toBe(0);
  });
});
