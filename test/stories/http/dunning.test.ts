import type { PostpaidService } from '../../../src/billing/postpaid/service.ts';
import { parseDay } from '../../../src/platform/day.ts';
import { createPublisher } from '../../../src/publish-catalogue.ts';
import { createHouse, type House } from './house.ts';
import type { Customer } from './town.ts';

/**
 * Goal: who does not pay is reminded, walled, left in the dark, and has the picture back by paying,
 * without anybody's act. Method: the whole product; only the calendar is moved by hand.
 */
const DUNNING = `
dunning:
  - site: NBO
    from: 2026-01-01
    policy:
      steps:
        - { name: reminder, when: { daysOverdue: 1 }, does: remind, say: [text] }
        - { name: notice, when: { daysOverdue: 2 }, does: wall, say: [osd], repeatDays: 1 }
        - { name: dark, when: { daysOverdue: 5 }, does: suspend, say: [text] }
`;

let house: House;
let postpaid: PostpaidService;
beforeAll(async () => {
  house = await createHouse();
  const { pool, ids, billing } = house.product;
  postpaid = house.product.postpaid;
  const text = billing.catalogue.inForce()?.text ?? '';
  const publisher = createPublisher({
    ...{ pool, ids, clock: house.clock, reload: () => billing.catalogue.reload() },
  });
  const published = await publisher.publish({
    text: text.slice(0, text.indexOf('\ndunning:')) + DUNNING,
    ...{ by: 'system', note: 'Everybody is dunned', allowPast: false },
  });
  expect(published).toMatchObject({ ok: true, isNew: true });
});
afterAll(() => house.close());

/** Ten in the morning in Nairobi. */
const morning = (date: string) => `${date}T07:00:00Z`;
const dunAt = async (at: string) => {
  await house.passTo(at);
  expect(await house.product.jobs?.runNow('dunning')).toBe('done');
};
const subscriberOf = async ({ msisdn }: Customer): Promise<bigint> => {
  const [row] = await house.rows('SELECT subscriber_id FROM phone WHERE msisdn = $1', [msisdn]);
  return BigInt(String(row?.subscriber_id));
};
const holdsOf = async (customer: Customer) => {
  const rows = await house.rows(
    `SELECT level, from_on::text, to_on::text FROM dunning_hold
      WHERE subscriber_id = $1 ORDER BY from_at`,
    [await subscriberOf(customer)],
  );
  return rows.map(({ level, from_on, to_on }) => `${level} ${from_on}..${to_on ?? ''}`);
};
const forced = ({ card }: Customer) => {
  house.tv(card).shows();
  const screen = house.headEnd.air.decoders.view(card, house.clock.now())?.screen;
  return screen?.kind === 'off' ? undefined : screen?.osd?.forced;
};

describe('a prepaid subscriber who does not pay again', () => {
  it('is reminded, then walled, and has the picture back by M-PESA that moment', async () => {
    const customer = await house.customer({ term: 'day', name: 'Amina Diallo' });
    const tv = house.tv(customer.card);
    await house.pay(customer, 4_000n);
    await tv.until('NOVA1');
    const until = Date.parse(String(await house.paidUntil(customer.card)));
    const dayAfter = (days: number) =>
      morning(new Date(until - 1 + days * 86_400_000).toISOString().slice(0, 10));
    await dunAt(dayAfter(1));
    await house.textTo(customer.msisdn, /^Your TV was paid to .* To have it back: KES 40/);
    await tv.until('V03');
    await dunAt(dayAfter(2));
    await tv.untilOsd(/This notice goes when it is paid again/);
    expect(forced(customer)).toBe(true);
    tv.turn({ service: 'NEWS1' });
    expect(forced(customer)).toBe(true);
    tv.turn({ service: 'NOVA1' });
    await house.pay(customer, 4_000n);
    await tv.until('NOVA1');
    await house.until(async () => {
      expect(await holdsOf(customer)).toEqual([expect.stringMatching(/^walled .*\.\.2026/)]);
    });
    house.clock.advance(120_000);
    expect(forced(customer)).toBeUndefined();
  });
});

describe('a hotel that does not pay its bill', () => {
  let hotel: Customer;
  let accountId: bigint;
  beforeAll(async () => {
    hotel = await house.customer({ cards: 2, name: 'Hotel Savane' });
    const { product } = house;
    const site = [...product.billing.catalogue.current().sites.values()].find(
      ({ code }) => code === 'NBO',
    );
    if (!site) throw new Error('No site');
    const subscriberId = await subscriberOf(hotel);
    await product.pool.query("UPDATE subscriber SET category = 'hotel' WHERE id = $1", [
      subscriberId,
    ]);
    // What the cards show is granted for longer than the story; their decoders are on by then.
    for (const card of hotel.cards) {
      house.tv(card);
      await house.pay({ ...hotel, card });
      await house.pay({ ...hotel, card });
    }
    accountId = await postpaid.open(subscriberId, {
      ...{ timeZone: site.timeZone, currency: site.currency, billingDay: 1 },
      ...{ autoPay: false, autoInvoice: true },
    });
    await postpaid.act(accountId, 'sale', {
      ...{ act: 'create_subscription', ref: 'rooms-1', plan: 'HOTEL_ROOMS' },
    });
  });
  const bought = async () => {
    const book = await postpaid.read(accountId);
    return { lines: book.rows.lines, invoices: book.rows.invoices };
  };
  const payAll = async (key: string) => {
    for (const { id, status } of (await bought()).invoices) {
      if (status !== 'committed') continue;
      const answer = await postpaid.act(accountId, `${key}-${id}`, {
        ...{ act: 'external_payment', invoiceId: id, amount: 'balance' },
      });
      expect(answer.ok).toBe(true);
    }
  };

  it('loses its pictures after the notice, and has them back as it pays', async () => {
    const [tv, other] = hotel.cards.map((card) => house.tv(card));
    await tv?.until('NOVA1');
    const [bill] = (await bought()).invoices;
    const issued = house.clock.now();
    const due = new Date(issued.getTime() + 14 * 86_400_000);
    const dueAnd = (days: number) =>
      morning(new Date(due.getTime() + days * 86_400_000).toISOString().slice(0, 10));
    expect(bill).toMatchObject({ status: 'committed' });
    await dunAt(dueAnd(1));
    await house.textTo(hotel.msisdn, /unpaid since .*keep your TV/);
    await dunAt(dueAnd(2));
    await tv?.untilOsd(/This notice goes when it is paid: dial/);
    expect(forced(hotel)).toBe(true);
    await dunAt(dueAnd(5));
    await tv?.until('V04');
    await other?.until('V04');
    expect(house.headEnd.card(hotel.card)).toMatchObject({ suspended: 'unpaid' });
    const screen = await house.dial(house.phone(hotel.msisdn), '*384*100#', '2', '1');
    expect(screen).toMatch(/: KES \d+(\.\d+)? is unpaid\. Your TV is back as soon as/);
    const stoppedOn = dueAnd(5).slice(0, 10);
    await house.passTo(dueAnd(9));
    await postpaid.billingRun(house.clock.now());
    await payAll('paid');
    await tv?.until('NOVA1');
    await other?.until('NOVA1');
    const paidOn = dueAnd(9).slice(0, 10);
    await house.until(async () => {
      expect((await holdsOf(hotel)).at(-1)).toBe(`stopped ${stoppedOn}..${paidOn}`);
    });
    // Its days in the dark are given back, and make the next bill smaller.
    const given = (await bought()).lines.filter(({ type }) => type === 'repair');
    expect(given.map(({ from, to, amount }) => [from, to, amount])).toEqual([
      [parseDay(stoppedOn), parseDay(paidOn), -3_871n],
    ]);
    await house.passTo(morning('2027-01-01'));
    await postpaid.billingRun(house.clock.now());
    const { invoices, lines } = await bought();
    const next = lines.filter(({ invoiceId }) => invoiceId === invoices.at(-1)?.id);
    expect(next.map(({ type, amount }) => [type, amount])).toEqual([
      ['recurring', 30_000n],
      ['credit', -3_871n],
    ]);
  });
});
