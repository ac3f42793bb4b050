/**
 * A head-end restarts and has lost its queue, or what it had done since its backup: what the link,
 * the comparison after the log-in and the night find and heal, card by card.
 */

import { createComparison } from '../../src/entitlement/dispatch/comparison.ts';
import { CAS_ID } from '../../src/entitlement/dispatch/dispatch-harness.ts';
import { createSuspensions } from '../../src/entitlement/picture/suspension.ts';
import { until } from '../../src/entitlement/vip-control/testing.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { type Compared, createCompared, DAY_MS, MINUTE_MS } from './reconciliation.ts';

/** A month of ESSENTIAL. */
const MONTH = 65_000n;
const DAYS = 3;

let house: Compared;
beforeEach(async () => {
  house = await createCompared();
});
afterEach(() => house.close());

const renewed = (number: string) => house.world.pay({ amount: MONTH, accountRef: number });
const held = (number: string) => house.air.headEnd().card(number)?.set ?? [];
/** What the head-end holds of a card is what is wanted, under the revision that is known here. */
async function isRight(number: string): Promise<boolean> {
  const [row] = await house.world.rows(
    `SELECT desired, desired_rev, acked_rev, next_at FROM card_rights r
       JOIN card c ON c.id = r.card_id WHERE c.number = $1`,
    [number],
  );
  const wanted = ((row?.desired ?? []) as { product: string }[]).map(({ product }) => product);
  const { rev, set = [] } = house.air.headEnd().card(number) ?? {};
  const products = set.map(({ product }) => product);
  return (
    products.join() === wanted.join() &&
    rev === row?.desired_rev &&
    rev === row?.acked_rev &&
    row?.next_at === null
  );
}
const allRight = async (numbers: readonly string[]) =>
  (await Promise.all(numbers.map(isRight))).every(Boolean);
const suspensions = ({ world }: Compared) =>
  createSuspensions({
    ...{ pool: world.pool, ids: world.ids, clock: { now: world.now }, logger: silentLogger },
    dispatcher: { wake: () => undefined },
  });
const comparison = () =>
  createComparison({
    ...{ pool: house.world.pool, clock: { now: house.world.now }, logger: silentLogger },
    ...{ driver: house.link, cas: { id: CAS_ID, epoch: () => 1 } },
  });
const ends = (number: string) => held(number).map(({ to }) => Date.parse(to));

describe('a head-end that restarts without its queue', () => {
  it('is sent again what it had taken, and nothing differs after that', async () => {
    const numbers = await house.onAir(4);
    const compare = comparison();
    await compare();
    const before = numbers.map(ends);
    await Promise.all(numbers.map(renewed));
    // Taken, and not executed when it falls.
    house.air.headEnd().setLatency(10 * MINUTE_MS);
    const sending = house.send();
    const taken = () => house.air.headEnd().commands().length;
    await until(() => taken() >= 2 * numbers.length);
    expect(numbers.map(ends)).toEqual(before);
    house.air.headEnd().setLatency(0);
    await house.air.restart({ lose: 'queue' });
    await sending;
    expect(await allRight(numbers)).toBe(true);
    for (const [n, number] of numbers.entries()) {
      expect(Math.max(...ends(number))).toBeGreaterThan(Math.max(...(before[n] ?? [])));
    }
    house.later(5 * MINUTE_MS);
    expect(await compare()).toBe(0);
    const { end, found } = await house.reconcile();
    expect(found).toEqual([]);
    expect(end).toMatchObject({ error: null, cards: 4, variance_ppm: 0 });
  });
});

describe('a head-end that comes back as it was some days ago', () => {
  /** Cards as the copy has them, lost to it, renewed since, and suspended since. */
  async function rolledBack() {
    const [kept = '', renewedSince = '', suspended = ''] = (await house.onAir(3)).sort();
    const compare = comparison();
    await compare();
    const copyAt = house.world.now();
    house.later(MINUTE_MS);
    const [lost = ''] = await house.onAir(1);
    await renewed(renewedSince);
    const [card] = await house.world.rows('SELECT id FROM card WHERE number = $1', [suspended]);
    const act = { cardId: BigInt(String(card?.id)), reason: 'fraud', by: 'staff:7' } as const;
    expect(await suspensions(house).suspendCard(act)).toEqual({ ok: true });
    await house.send();
    house.later(DAYS * DAY_MS);
    const numbers = [kept, renewedSince, suspended, lost];
    expect(await allRight(numbers)).toBe(true);
    await compare();
    house.later(2 * MINUTE_MS);
    await house.air.restart({ lose: 'since', sinceMs: copyAt.getTime() });
    return { compare, numbers, kept, renewedSince, suspended, lost };
  }

  it('is put right by the comparison after its log-in', async () => {
    const { compare, numbers, kept } = await rolledBack();
    expect(await allRight(numbers)).toBe(false);
    expect(await compare()).toBe(3);
    const before = held(kept);
    await house.send();
    expect(await allRight(numbers)).toBe(true);
    expect(held(kept)).toEqual(before);
    house.later(5 * MINUTE_MS);
    expect((await house.reconcile()).found).toEqual([]);
  });

  it('is put right in the night, each card with its class and value', async () => {
    const { numbers, renewedSince, suspended, lost } = await rolledBack();
    const { end, found } = await house.reconcile();
    const byCard = found.map(({ card, class: kind, amount, currency, is_healed }) => ({
      ...{ card, kind, amount: String(amount), currency, is_healed },
    }));
    const common = { currency: 'KES', is_healed: true };
    // What was on air for three days is worth a tenth of a month, and some minutes.
    const worth = (minutes: number) =>
      String(Math.round((Number(MONTH) * (DAYS * DAY_MS + minutes * MINUTE_MS)) / (30 * DAY_MS)));
    expect(byCard).toEqual([
      // The first month still runs there: nobody has lost anything yet.
      { card: renewedSince, kind: 'C', amount: '0', ...common },
      { card: suspended, kind: 'A', amount: worth(2), ...common },
      { card: lost, kind: 'B', amount: worth(7), ...common },
    ]);
    expect(end).toMatchObject({ error: null, variance_ppm: 750_000 });
    await house.send();
    expect(await allRight(numbers)).toBe(true);
    await house.reconciliation.verify();
    for (const number of numbers) expect(await house.openOf(number)).toEqual([]);
    house.later(5 * MINUTE_MS);
    expect((await house.reconcile()).found).toEqual([]);
  });
});
