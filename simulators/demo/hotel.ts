/**
 * A hotel that pays afterwards, with a little of its past: two invoices, the first paid, the
 * second overdue.
 */
import type { Pool } from 'pg';
import type { Site } from '../../src/billing/catalogue/rules.ts';
import type { Action } from '../../src/billing/postpaid/actions.ts';
import type { PostpaidService } from '../../src/billing/postpaid/service.ts';
import { openCustomer } from '../../src/billing/subscriptions/service.ts';
import { dayOfInstant, partsOf } from '../../src/platform/day.ts';
import type { Clock, Ids } from '../../src/platform/ports.ts';
import type { Details } from '../../src/registry/details.ts';

export interface HotelDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  site: Site;
  /** The plan of its rooms: monthly, in advance, a price for each room. */
  plan: string;
  /** Postpaid billing at another time. */
  postpaidAt(clock: Clock): Pick<PostpaidService, 'open' | 'act' | 'billingRun' | 'read'>;
}

export const HOTEL = { name: 'Hotel Baobab', msisdn: '+254700000200', rooms: 40 } as const;
const DETAILS: Details = {
  billingAddress: 'Hotel Baobab Ltd, P.O. Box 1040, 00100 Nairobi',
  installationAddress: 'Westlands, Waiyaki Way 40',
  position: { latitude: '-1.264700', longitude: '36.802600' },
  landline: '+254200000040',
  email: 'accounts@baobab.example.com',
};
const DAY_MS = 86_400_000;
/**
 * Whatever the months: the second invoice is 19 to 22 days old, and due in 14, so that the hotel is
 * to be reminded and not yet warned.
 */
const LIVED_DAYS = 50;
const PAID_AFTER_DAYS = 5;
/** A month after the first invoice, whatever the month. */
const INVOICED_AFTER_DAYS = [28, 29, 30, 31];

/** Adds the hotel once; resolves to its account. Its site needs a legal entity to invoice. */
export async function addHotel(deps: HotelDeps): Promise<bigint> {
  const { pool, ids, site, plan, postpaidAt } = deps;
  const { rows: known } = await pool.query<{ id: bigint }>(
    `SELECT a.id FROM postpaid_account a JOIN subscriber s ON s.id = a.subscriber_id
      WHERE s.full_name = $1 AND s.site_id = $2`,
    [HOTEL.name, site.id],
  );
  if (known[0]) return known[0].id;
  const openedMs = deps.clock.now().getTime() - LIVED_DAYS * DAY_MS;
  let at = new Date(openedMs);
  const subscriberId = await openCustomer(pool, ids, {
    ...{ site, fullName: HOTEL.name, msisdn: HOTEL.msisdn, language: site.language },
    ...{ cards: [], details: DETAILS, at },
  });
  await pool.query("UPDATE subscriber SET category = 'hotel' WHERE id = $1", [subscriberId]);
  const postpaid = postpaidAt({ now: () => at });
  const accountId = await postpaid.open(subscriberId, {
    ...{ timeZone: site.timeZone, currency: site.currency },
    ...{ billingDay: partsOf(dayOfInstant(at, site.timeZone)).day },
    ...{ autoPay: false, autoInvoice: true },
  });
  const act = async (key: string, action: Action): Promise<void> => {
    const done = await postpaid.act(accountId, key, action);
    if (!done.ok || !done.value.ok) throw new Error(`The hotel's past: ${JSON.stringify(done)}`);
  };
  const sale = { ref: 'rooms', plan, quantity: HOTEL.rooms };
  await act('demo-sale', { act: 'create_subscription', ...sale });
  const [first] = (await postpaid.read(accountId)).rows.invoices;
  if (!first) throw new Error('The hotel was not invoiced');
  at = new Date(openedMs + PAID_AFTER_DAYS * DAY_MS);
  await act('demo-payment', { act: 'external_payment', invoiceId: first.id, amount: 'balance' });
  // A document has the day on which it is made.
  for (const days of INVOICED_AFTER_DAYS) {
    at = new Date(openedMs + days * DAY_MS);
    await postpaid.billingRun(at, [accountId]);
  }
  return accountId;
}
