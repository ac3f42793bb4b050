import type { Dunning } from '../../src/billing/dunning/rules.ts';
import {
  openTestPostpaid,
  TERMS,
  type TestPostpaid,
} from '../../src/billing/postpaid/database-harness.ts';
import { createPostpaidService } from '../../src/billing/postpaid/service.ts';
import { openCustomer } from '../../src/billing/subscriptions/service.ts';
import { createTestClocks, type TestClocks } from '../../src/billing/test-clocks/service.ts';
import { dayOfInstant, formatDay, parseDay } from '../../src/platform/day.ts';
import { silentLogger } from '../../src/platform/log.ts';
import type { Clock } from '../../src/platform/ports.ts';

/** Goal: a hotel with a test clock is invoiced while the clock moves, and by nothing else. */
const HOUSE = new Date('2026-11-23T11:02:00Z');
const START = new Date('2027-01-10T09:00:00Z');

/** How a subscriber stands who is reminded on this day and goes on owing. */
const REMINDED_ON = parseDay('2027-06-01');
const standsOn = (today: number): Dunning => ({
  ...{ since: null, cycle: null, owed: 0n, level: 'open', because: 'clear', blockedFor: null },
  ...{ held: null, due: [], state: today < REMINDED_ON ? 'clear' : 'reminder' },
  next: today < REMINDED_ON ? { step: 'reminder', on: REMINDED_ON } : null,
});

let world: TestPostpaid;
let tests: TestClocks;
const looks: string[] = [];
beforeAll(async () => {
  world = await openTestPostpaid(HOUSE);
  tests = createTestClocks({
    ...{ pool: world.pool, ids: world.ids, postpaidAt },
    settlement: { settle: () => Promise.reject(new Error('Nothing prepaid is due')) },
    timeZoneOf: () => world.site.timeZone,
    remind: async () => undefined,
    dunningAt: (clock) => ({
      reconsider: async (ids) => {
        looks.push(`${clock.now().toISOString().slice(0, 10)} ${ids.length}`);
        return { looked: 1, queued: 0, changed: 0, failed: 0 };
      },
      look: async (ids) => {
        const today = dayOfInstant(clock.now(), 'UTC');
        return new Map(ids.map((id) => [id, standsOn(today)]));
      },
    }),
  });
});
afterAll(() => world.close());

const postpaidAt = (clock: Clock) =>
  createPostpaidService({
    ...{ pool: world.pool, clock, logger: silentLogger },
    termsOf: () => TERMS,
    gateway: { charge: () => ({ outcome: 'approved' }) },
  });

/** Forty rooms, paid by themselves on the first of each month. */
async function hotel(clock: Clock, attach?: (subscriberId: bigint) => Promise<unknown>) {
  const { pool, ids, site } = world;
  const name = { fullName: 'Hotel', msisdn: null, language: 'fr', cards: [] } as const;
  const subscriberId = await openCustomer(pool, ids, { ...name, site, at: HOUSE });
  await attach?.(subscriberId);
  const service = postpaidAt(clock);
  const money = { timeZone: site.timeZone, currency: site.currency };
  const settings = { billingDay: 1, autoPay: true, autoInvoice: true };
  const accountId = await service.open(subscriberId, { ...money, ...settings });
  const sale = { act: 'create_subscription', ref: 'r', plan: 'rooms', quantity: 40 } as const;
  await service.act(accountId, 'sale', sale);
  return { accountId };
}

describe('a hotel with a test clock', () => {
  it('is invoiced each month of a year, on the day, with no work of the house’s', async () => {
    const clock = await tests.make({ siteId: world.site.id, at: START, by: 'test' });
    const { accountId } = await hotel({ now: () => START }, (id) => tests.attach(id, clock));
    expect(await tests.timeOf({ accountId })).toEqual(START);
    await hotel({ now: () => HOUSE });
    const house = postpaidAt({ now: () => new Date('2027-02-02T09:00:00Z') });
    expect(await house.billingRun(new Date('2027-02-02T09:00:00Z'))).toMatchObject({ accounts: 1 });

    const done = await tests.advance(clock.id, new Date('2028-01-10T09:00:00Z'));
    if (!done.ok) throw new Error(done.error);
    const issued = done.advance.invoices.map(
      ({ issuedOn, amount }) => `${formatDay(issuedOn)} ${amount}`,
    );
    expect(issued).toHaveLength(12);
    expect(issued.slice(0, 2)).toEqual(['2027-02-01 1200000', '2027-03-01 1200000']);
    expect(issued.at(-1)).toBe('2028-01-01 1200000');
    // Who owes is looked at each day, who does not on the day of the next step.
    expect(looks).toEqual(expect.arrayContaining(['2027-06-01 1', '2027-06-15 1']));
    expect(looks).not.toContain('2027-03-10 1');
    const again = await house.billingRun(new Date('2028-06-01T09:00:00Z'));
    expect(again).toMatchObject({ accounts: 1, failed: [] });
  });
});
