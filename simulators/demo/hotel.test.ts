import { balanceOf } from '../../src/billing/postpaid/balances.ts';
import {
  openTestPostpaid,
  TERMS,
  type TestPostpaid,
} from '../../src/billing/postpaid/database-harness.ts';
import { createPostpaidService } from '../../src/billing/postpaid/service.ts';
import { formatDay } from '../../src/platform/day.ts';
import { silentLogger } from '../../src/platform/log.ts';
import type { Clock } from '../../src/platform/ports.ts';
import { addHotel, HOTEL } from './hotel.ts';

const NOW = new Date('2026-11-23T11:02:00Z');

let world: TestPostpaid;
beforeAll(async () => {
  world = await openTestPostpaid(NOW);
});
afterAll(() => world.close());

const postpaidAt = (clock: Clock) =>
  createPostpaidService({
    ...{ pool: world.pool, clock, logger: silentLogger },
    termsOf: () => TERMS,
    gateway: { charge: () => ({ outcome: 'declined' }) },
  });

describe('the hotel of the demo', () => {
  it('has two invoices of its rooms, of which the second is not paid, and comes once', async () => {
    const hotel = { ...world, plan: 'rooms', postpaidAt };
    const accountId = await addHotel(hotel);
    const book = await postpaidAt(world.clock).read(accountId);
    const invoices = book.rows.invoices.map(
      (one) => `${formatDay(one.on)} ${one.status} ${balanceOf(book, one)}`,
    );
    const month = 30_000n * BigInt(HOTEL.rooms);
    expect(invoices).toEqual(['2026-10-04 committed 0', `2026-11-04 committed ${month}`]);
    expect(await addHotel(hotel)).toBe(accountId);
  });
});
