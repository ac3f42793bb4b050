import { openSubscription } from '../../../src/billing/subscriptions/service.ts';
import { type Customer, createOffice, type Office } from './office.ts';
import { newcomersOf } from './office-acts.ts';

/** Goal: what staff do at the desk without the subscriber's phone, and what they see before it. */
const LIMIT = 100_000n;
const MONTH = 65_000n;
const kes = (amount: string) => ({ amount, currency: 'KES' });
const reason = 'asked for at the desk';

let office: Office;
beforeAll(async () => {
  office = await createOffice({ approvalAbove: LIMIT });
});
afterAll(() => office.close());

const { act, look } = newcomersOf(() => office);

const cardOf = ({ cardId }: Customer) => look(`/cards/${cardId}`);
const walletOf = ({ subscriberId }: Customer) => look(`/subscribers/${subscriberId}/wallet`);
const topUp = ({ subscriberId }: Customer, amount: string) =>
  act('cashier', `/subscribers/${subscriberId}/top-ups`, { amount: kes(amount) });
const booked = async () => (await office.rows('SELECT count(*) AS n FROM inbox'))[0]?.n;

async function withoutPhone(): Promise<Customer> {
  const customer = await office.customer('NBO');
  const id = [customer.subscriberId];
  await office.pool.query('UPDATE phone SET subscriber_id = NULL WHERE subscriber_id = $1', id);
  await office.pool.query('UPDATE subscriber SET contact_msisdn = NULL WHERE id = $1', id);
  return customer;
}

describe('a subscriber without a phone', () => {
  it('is sold a term from their wallet, by staff', async () => {
    const customer = await withoutPhone();
    await topUp(customer, '700.00');
    const sold = await act('cashier', `/cards/${customer.cardId}/terms`, { term: 'month' });
    expect([sold.status, sold.body.credit]).toEqual([201, kes('50.00')]);
    expect((await cardOf(customer)).subscription.paidUntil).toBe(sold.body.paidUntil);
    const again = await act('cashier', `/cards/${customer.cardId}/terms`, { term: 'month' });
    expect([again.status, again.body.code]).toEqual([422, 'insufficient_funds']);
  });
});

describe('renewal by itself', () => {
  it('stops when the subscriber says so, and nothing else changes', async () => {
    const customer = await office.customer('NBO');
    await office.pay('NBO', { amount: MONTH, accountRef: customer.number });
    const path = `/cards/${customer.cardId}`;
    await act('customer_care', `${path}/auto-renewals`, { term: 'week' });
    const before = (await cardOf(customer)).subscription;
    const ended = await act('customer_care', `${path}/auto-renewal-endings`, { reason });
    expect([ended.status, before.autoRenew]).toEqual([201, true]);
    expect((await cardOf(customer)).subscription).toEqual({ ...before, autoRenew: false });
  });
});

describe('money of nobody known', () => {
  it('is claimed by staff with a reason, once', async () => {
    const customer = await office.customer('NBO');
    await office.pay('NBO', { amount: MONTH, accountRef: 'nobody' });
    const [row] = await office.rows('SELECT inbox_id FROM suspense_item ORDER BY inbox_id DESC');
    const path = `/suspense/${row?.inbox_id}/claims`;
    const claim = () => act('accountant', path, { cardNumber: customer.number, reason });
    expect((await claim()).body.paidUntil).not.toBeNull();
    expect((await claim()).body.code).toBe('not_in_suspense');
    const said = 'SELECT reason FROM audit WHERE route LIKE $1 ORDER BY id DESC LIMIT 1';
    expect(await office.rows(said, ['%/claims'])).toEqual([{ reason }]);
  });
});

describe('cash put in at the till', () => {
  async function taken(amount: string) {
    const customer = await office.customer('NBO');
    await topUp(customer, amount);
    const [row] = await office.rows(
      `SELECT id FROM inbox WHERE kind = 'top_up' ORDER BY id DESC LIMIT 1`,
    );
    const back = () => act('accountant', `/payments/${row?.id}/reversals`, { reason });
    return { customer, back };
  }

  it('is taken back as a payment is, once; above the limit when two say so', async () => {
    const small = await taken('50.00');
    expect((await small.back()).status).toBe(201);
    expect((await walletOf(small.customer)).credit).toEqual(kes('0.00'));
    expect((await small.back()).body.code).toBe('not_reversible');
    const large = await taken('1000.01');
    const asked = await large.back();
    expect([asked.status, (await walletOf(large.customer)).credit]).toEqual([202, kes('1000.01')]);
    const path = `/approvals/${asked.body.id}/approval`;
    expect((await act('supervisor', path, { reason })).body.state).toBe('done');
    expect((await walletOf(large.customer)).credit).toEqual(kes('0.00'));
  });

  it('is no reversal of what was given: promotional credit is no payment', async () => {
    const customer = await office.customer('NBO');
    const path = `/subscribers/${customer.subscriberId}/promotional-credits`;
    await act('customer_care', path, { amount: kes('5.00'), reason });
    const [row] = await office.rows(
      `SELECT id FROM inbox WHERE kind = 'top_up' ORDER BY id DESC LIMIT 1`,
    );
    const back = await act('accountant', `/payments/${row?.id}/reversals`, { reason });
    expect([back.status, back.body.code]).toEqual([409, 'not_reversible']);
  });
});

describe('a preview', () => {
  it('of a term shows what it costs and lasts to, and then it does', async () => {
    const customer = await withoutPhone();
    await topUp(customer, '700.00');
    const n = await booked();
    const path = `/cards/${customer.cardId}`;
    const { body } = await act('cashier', `${path}/previews`, { act: 'term', term: 'month' });
    const price = kes('650.00');
    expect(body.lines).toMatchObject([{ change: 'new', kind: 'month', price, to: body.paidUntil }]);
    const subscriberId = String(customer.subscriberId);
    expect(body.wallets).toEqual([{ subscriberId, paid: kes('-650.00'), promo: kes('0.00') }]);
    expect(await booked()).toBe(n);
    const sold = await act('cashier', `${path}/terms`, { term: 'month' });
    expect([sold.body.paidUntil, sold.body.credit]).toEqual([body.paidUntil, body.credit]);
  });

  it('of another plan, an add-on, a refund and a move is what the act then does', async () => {
    const [one, other] = [await office.customer('NBO'), await office.customer('NBO')];
    const payerPhone = '+254722000009';
    const accountRef = one.number;
    await office.pay('NBO', { amount: MONTH, accountRef, payerMsisdn: payerPhone });
    await topUp(one, '5000.00');
    const path = `/cards/${one.cardId}`;
    const addOn = { act: 'add_on', bouquet: 'PREMIUM' };
    const plan = { act: 'plan_change', bouquet: 'PREMIUM', policy: 'immediate' };
    for (const { act: name, ...said } of [addOn, plan]) {
      const shown = (await act('sales', `${path}/previews`, { act: name, ...said })).body;
      const end = name === 'add_on' ? 'add-ons' : 'plan-changes';
      const { paidUntil, credit } = (await act('sales', `${path}/${end}`, said)).body;
      expect([name, paidUntil, credit]).toEqual([name, shown.paidUntil, shown.credit]);
      expect(shown.lines.length).toBeGreaterThan(0);
    }
    const purse = `/subscribers/${one.subscriberId}`;
    const amount = kes('10.00');
    const left = (await act('accountant', `${purse}/previews`, { act: 'refund', amount })).body;
    const refund = (await act('accountant', `${purse}/refunds`, { amount, reason })).body;
    expect(refund.credit).toEqual(left.credit);
    const [row] = await office.rows(
      `SELECT id FROM inbox WHERE provider = 'mpesa' AND payer_msisdn = $1`,
      [payerPhone],
    );
    const move = { act: 'move', toCardNumber: other.number, payerPhone };
    const moved = await act('customer_care', `/payments/${row?.id}/previews`, move);
    expect([moved.status, moved.body.move]).toEqual([200, 'pending']);
  });

  it('of what would be refused is refused alike', async () => {
    const customer = await office.customer('NBO');
    const path = `/cards/${customer.cardId}/previews`;
    const poor = await act('cashier', path, { act: 'term', term: 'month' });
    expect([poor.status, poor.body.code]).toEqual([422, 'insufficient_funds']);
    const none = await act('cashier', path, { act: 'add_on', bouquet: 'NONE' });
    expect([none.status, none.body.code]).toEqual([422, 'invalid_body']);
  });
});

describe('a key of a call', () => {
  it('goes when its time is over, and only then; the application deletes none itself', async () => {
    const customer = await office.customer('NBO');
    await topUp(customer, '1.00');
    await topUp(customer, '2.00');
    const count = async () => (await office.rows('SELECT count(*) AS n FROM idempotency_key'))[0];
    const before = Number((await count())?.n);
    const expire = `UPDATE idempotency_key SET expires_at = $1
                     WHERE id = (SELECT max(id) FROM idempotency_key)`;
    await office.pool.query(expire, [office.now()]);
    await office.finishDue();
    expect(Number((await count())?.n)).toBe(before - 1);
    const early = 'SELECT forget_idempotency_keys($1, 1000) AS n';
    const inAYear = new Date(office.now().getTime() + 366 * 86_400_000);
    expect(await office.rows(early, [inAYear])).toEqual([{ n: 0 }]);
    await expect(office.pool.query('DELETE FROM idempotency_key')).rejects.toThrow('permission');
  });
});

describe('a card number', () => {
  const open = async ({ subscriberId }: Customer, number: string, transfer = false) => {
    const bouquet = [...office.catalogue().bouquets.values()].find((b) => b.code === 'ESSENTIAL');
    const productsOf = (id: bigint) => office.catalogue().bouquets.get(id)?.products ?? [];
    return openSubscription(
      { ...office, productsOf },
      {
        ...{ cardNumber: number, subscriberId, siteId: office.site('NBO').id, transfer },
        ...{ bouquetId: bouquet?.id ?? 0n, term: 'month', decoder: null, person: null },
        ...{ mainCardId: null, reseller: null, at: office.now() },
      },
    );
  };

  it('of somebody else, or in use, is not opened again unless it is handed over', async () => {
    const [owner, other] = [await office.customer('NBO'), await office.customer('NBO')];
    const taken = { ok: false, error: 'card_taken' };
    expect(await open(other, owner.number)).toEqual(taken);
    expect(await open(owner, owner.number)).toEqual(taken);
    await act('customer_care', `/cards/${owner.cardId}/closures`, { reason });
    expect(await open(other, owner.number)).toEqual(taken);
    expect((await cardOf(owner)).subscriber.id).toBe(String(owner.subscriberId));
    expect(await open(other, owner.number, true)).toMatchObject({ ok: true, cardId: owner.cardId });
    expect((await cardOf(owner)).subscriber.id).toBe(String(other.subscriberId));
  });

  it('that is new is of one of those who take it at once', async () => {
    const [one, other] = [await office.customer('NBO'), await office.customer('NBO')];
    const both = await Promise.all([open(one, '40219999972'), open(other, '40219999972')]);
    expect(both.map(({ ok }) => ok).sort()).toEqual([false, true]);
  });
});
