import { CARD_DAYS_ALONE_MAX } from '../../../src/backoffice/resources/incidents.ts';
import { type Customer, createOffice, type Office } from './office.ts';
import { newcomersOf } from './office-acts.ts';

/** Goal: what staff do for subscribers is done by the rules of the site, once, and by who may. */
const LIMIT = 100_000n;
const DAY_MS = 86_400_000;
const MONTH = 65_000n;
const kes = (amount: string) => ({ amount, currency: 'KES' });
const reason = 'asked for at the desk';

let office: Office;
beforeAll(async () => {
  office = await createOffice({ approvalAbove: LIMIT });
});
afterAll(() => office.close());

const { act, look } = newcomersOf(() => office);

const approve = (id: string) => act('supervisor', `/approvals/${id}/approval`, { reason });
const cardOf = ({ cardId }: Customer) => look(`/cards/${cardId}`);
const walletOf = ({ subscriberId }: Customer) => look(`/subscribers/${subscriberId}/wallet`);

async function paying(amount: bigint, by: 'card' | 'phone' = 'phone'): Promise<Customer> {
  const customer = await office.customer('NBO');
  const accountRef = by === 'card' ? customer.number : customer.phone;
  await office.pay('NBO', { amount, accountRef });
  return customer;
}

async function inSuspense(amount: bigint, payerMsisdn?: string): Promise<string> {
  const payer = payerMsisdn === undefined ? {} : { payerMsisdn };
  await office.pay('NBO', { amount, accountRef: 'nobody', ...payer });
  const [row] = await office.rows('SELECT inbox_id FROM suspense_item ORDER BY inbox_id DESC');
  return String(row?.inbox_id);
}

describe('what was bought', () => {
  it('shows its taxes, and a bouquet those of today', async () => {
    const { cardId } = await paying(MONTH, 'card');
    const { items } = await look(`/cards/${cardId}/terms`);
    expect(items).toMatchObject([
      { price: kes('650.00'), tax: kes('89.66'), taxes: [{ percent: '16', amount: kes('89.66') }] },
    ]);
    const bouquets = (await look('/bouquets?site=NBO')).items;
    expect(bouquets[0]).toMatchObject({ kind: 'bouquet', taxes: [{ percent: '16' }] });
  });
});

describe('a wallet', () => {
  it('takes cash without a phone, and shows what is promotional', async () => {
    const customer = await office.customer('NBO');
    await office.pool.query('UPDATE phone SET subscriber_id = NULL WHERE subscriber_id = $1', [
      customer.subscriberId,
    ]);
    const path = `/subscribers/${customer.subscriberId}`;
    const paid = await act('cashier', `${path}/top-ups`, { amount: kes('100.00') });
    expect([paid.status, paid.body.credit]).toEqual([201, kes('100.00')]);
    const given = { amount: kes('50.00'), reason };
    const gift = await act('customer_care', `${path}/promotional-credits`, given);
    expect(gift.status).toBe(201);
    const { credit, promo, owed, lots } = await walletOf(customer);
    expect([credit, promo, owed]).toEqual([kes('100.00'), kes('50.00'), kes('0.00')]);
    expect(lots.map(({ kind }: { kind: string }) => kind).sort()).toEqual(['paid', 'promo']);
  });

  it('pays out what was paid in alone, above the limit when two say so', async () => {
    const customer = await paying(LIMIT * 2n);
    const path = `/subscribers/${customer.subscriberId}/refunds`;
    const asked = await act('accountant', path, { amount: kes('1000.01'), reason });
    expect([asked.status, asked.body.state]).toEqual([202, 'asked']);
    expect((await walletOf(customer)).credit).toEqual(kes('2000.00'));
    expect((await approve(asked.body.id)).body.state).toBe('done');
    expect((await walletOf(customer)).credit).toEqual(kes('999.99'));
    const more = await act('accountant', path, { amount: kes('1000.00'), reason });
    expect([more.status, more.body.code]).toEqual([422, 'not_refundable']);
    expect((await act('cashier', path, { amount: kes('1.00'), reason })).status).toBe(403);
  });

  it('gives credit to another subscriber, not to itself or to one who is not seen', async () => {
    const [from, to] = [await paying(10_000n), await office.customer('NBO')];
    const away = await office.customer('ABJ');
    const give = (toSubscriberId: bigint) =>
      act('accountant', `/subscribers/${from.subscriberId}/credit-transfers`, {
        ...{ toSubscriberId: String(toSubscriberId), amount: kes('40.00'), reason },
      });
    expect((await give(to.subscriberId)).body.credit).toEqual(kes('60.00'));
    expect((await walletOf(to)).credit).toEqual(kes('40.00'));
    expect((await give(away.subscriberId)).body.code).toBe('invalid_body');
    expect((await give(from.subscriberId)).body.code).toBe('invalid_body');
  });
});

describe('money in suspense', () => {
  it('goes to the card its payer names, above the limit when two say so', async () => {
    const customer = await office.customer('NBO');
    const body = { cardNumber: customer.number, reason };
    const claim = (id: string) => act('customer_care', `/suspense/${id}/claims`, body);
    const done = await claim(await inSuspense(MONTH, '+254722000001'));
    expect([done.status, done.body.state]).toEqual([201, 'settled']);
    expect(done.body.paidUntil).not.toBeNull();
    const much = await inSuspense(LIMIT + 1n, '+254722000001');
    const asked = await claim(much);
    expect(asked.status).toBe(202);
    expect((await approve(asked.body.id)).body.state).toBe('done');
    expect((await claim(much)).body.code).toBe('not_in_suspense');
    const unknown = await claim(await inSuspense(MONTH));
    expect([unknown.status, unknown.body.state]).toEqual([201, 'settled']);
  });
});

describe('a payment for the wrong card', () => {
  it('moves for the phone that paid it alone, unless the owner of the card objects', async () => {
    const [wrong, right] = [await office.customer('NBO'), await office.customer('NBO')];
    const payerPhone = '+254722000002';
    const payment = { amount: MONTH, accountRef: wrong.number, payerMsisdn: payerPhone };
    await office.pay('NBO', payment);
    const [row] = await office.rows(
      "SELECT id FROM inbox WHERE provider = 'mpesa' ORDER BY id DESC LIMIT 1",
    );
    const move = { toCardNumber: right.number, payerPhone, reason };
    const stranger = { ...move, payerPhone: '+254722000003' };
    const path = `/payments/${row?.id}`;
    const refused = await act('customer_care', `${path}/moves`, stranger);
    expect([refused.status, refused.body.code]).toEqual([403, 'move_not_allowed']);
    const asked = await act('customer_care', `${path}/moves`, move);
    expect([asked.status, asked.body.move]).toEqual([201, 'pending']);
    expect((await act('customer_care', `${path}/objections`, { reason })).status).toBe(201);
    const late = await act('customer_care', `${path}/objections`, { reason });
    expect([late.status, late.body.code]).toEqual([409, 'nothing_pending']);
  });
});

describe('free days after a fault', () => {
  const give = (days: number, cards: Customer[], incident = 'no signal') =>
    act('customer_care', '/sites/NBO/free-days', {
      ...{ incident, days, reason, cardIds: cards.map(({ cardId }) => String(cardId)) },
    });
  const endOf = async (customer: Customer) =>
    new Date((await cardOf(customer)).subscription.paidUntil).getTime();

  it('are shown with their cost, and given once to every card whose paid term runs', async () => {
    const [paid, other] = [await paying(MONTH, 'card'), await office.customer('NBO')];
    const { token } = await office.staff(['customer_care'], ['NBO']);
    const cost = async ({ cardId }: Customer) => {
      const path = `/sites/NBO/free-days-cost?incident=no+signal&days=3&cardId=${cardId}`;
      return (await office.call('get', path, { token })).body;
    };
    const costs = { days: 3, cards: 1, cost: kes('65.00'), needsSecond: false, leftOut: [] };
    expect(await cost(paid)).toEqual(costs);
    expect((await cost(other)).leftOut).toEqual([{ why: 'not_running', cards: 1 }]);
    const before = await endOf(paid);
    const done = await give(3, [paid, other]);
    expect([done.status, done.body.cards, done.body.cost]).toEqual([201, 1, kes('65.00')]);
    expect(await endOf(paid)).toBe(before + 3 * DAY_MS);
    expect((await cost(paid)).leftOut).toContainEqual({ why: 'already_given', cards: 1 });
    await give(3, [paid]);
    expect(await endOf(paid)).toBe(before + 3 * DAY_MS);
    expect((await give(3, [other])).body.code).toBe('nobody_to_give_to');
  });

  it('need two above a limit of days times cards, and survive the end of a process', async () => {
    const paid = await paying(MONTH, 'card');
    const before = await endOf(paid);
    const days = CARD_DAYS_ALONE_MAX + 1;
    const asked = await give(days, [paid]);
    expect([asked.status, asked.body.state]).toEqual([202, 'asked']);
    office.fault.afterSettle = () => {
      throw new Error('killed');
    };
    expect((await approve(asked.body.id)).status).toBe(500);
    office.fault.afterSettle = null;
    office.later(61_000);
    await office.finishDue();
    expect((await look(`/approvals/${asked.body.id}`)).state).toBe('done');
    expect(await endOf(paid)).toBe(before + days * DAY_MS);
  });
});

describe('a scratch card', () => {
  it('is used once, and its code is kept nowhere as it is printed', async () => {
    const customer = await office.customer('NBO');
    const code = await office.voucher('KES', MONTH);
    const use = () => act('cashier', `/cards/${customer.cardId}/vouchers`, { code });
    expect((await use()).body.paidUntil).not.toBeNull();
    office.later(3_600_000);
    const again = await use();
    expect([again.status, again.body.code]).toEqual([409, 'voucher_used']);
    const kept = await office.rows(`
      SELECT to_jsonb(k)::text AS text FROM idempotency_key k
      UNION ALL SELECT to_jsonb(a)::text FROM audit a
      UNION ALL SELECT outcome::text || encode(raw, 'escape') FROM inbox`);
    expect(kept.length).toBeGreaterThan(5);
    expect(kept.filter(({ text }) => String(text).includes(code))).toEqual([]);
  });
});

describe('a subscription', () => {
  it('pauses and goes on, renews by itself, and closes', async () => {
    const customer = await paying(MONTH, 'card');
    const path = `/cards/${customer.cardId}`;
    const care = (end: string, body: object) => act('customer_care', `${path}/${end}`, body);
    expect((await care('auto-renewals', { term: 'week' })).status).toBe(201);
    expect((await care('pauses', { days: 31, reason })).body.code).toBe('pause_limit');
    expect((await care('pauses', { days: 5, reason })).status).toBe(201);
    expect((await cardOf(customer)).subscription.pausedUntil).toBe('2026-11-27T21:00:00.000Z');
    expect((await care('terms', { term: 'day' })).body.code).toBe('paused');
    expect((await care('pause-endings', { reason })).status).toBe(201);
    expect((await care('closures', { reason })).status).toBe(201);
    const { autoRenew, closedAt, pausedUntil } = (await cardOf(customer)).subscription;
    expect([autoRenew, closedAt, pausedUntil]).toEqual([false, office.now().toISOString(), null]);
  });

  it('is opened on a further card, and anew where it was closed, of its owner alone', async () => {
    const [owner, other] = [await office.customer('NBO'), await office.customer('NBO')];
    const open = ({ subscriberId }: Customer, number: string) =>
      act('sales', `/subscribers/${subscriberId}/cards`, { number, bouquet: 'ESSENTIAL' });
    const further = '40219999915';
    const done = await open(owner, further);
    expect([done.status, done.headers.location]).toEqual([
      ...[201, `/api/v1/cards/${done.body.cardId}`],
    ]);
    for (const again of [await open(owner, further), await open(other, further)]) {
      expect([again.status, again.body.code]).toEqual([409, 'card_taken']);
    }
    await act('sales', `/cards/${owner.cardId}/closures`, { reason });
    expect((await open(other, owner.number)).body.code).toBe('card_taken');
    expect((await open(owner, owner.number)).body.cardId).toBe(String(owner.cardId));
    expect((await cardOf(owner)).subscription.closedAt).toBeNull();
  });

  it('is asked to renew by somebody without money: it waits, and the money buys it', async () => {
    const customer = await office.customer('NBO');
    const ask = { term: 'month' };
    const asked = await act('sales', `/cards/${customer.cardId}/renewal-requests`, ask);
    expect([asked.status, asked.body.paidUntil]).toEqual([201, null]);
    expect((await cardOf(customer)).subscription.waitingTerm).toBe('month');
    const path = `/subscribers/${customer.subscriberId}/top-ups`;
    const paid = await act('cashier', path, { amount: kes('650.00') });
    expect(paid.body.paidUntil).not.toBeNull();
  });
});
