import { createOffice, type Office } from './office.ts';
import { newcomersOf } from './office-acts.ts';

/**
 * Goal: a hotel is sold, billed, paid, corrected and let go over HTTP, by who may, once.
 * Rooms are 30.00 KES a month each, 16 % tax inside; the stories play on 23 November 2026.
 */
const kes = (amount: string) => ({ amount, currency: 'KES' });
const reason = 'asked for by the manager';
const LIMIT = 20_000n;

let office: Office;
beforeAll(async () => {
  office = await createOffice({ approvalAbove: LIMIT });
});
afterAll(() => office.close());

const { act, look } = newcomersOf(() => office);

/** An account billed on the first; its path. */
async function hotel(settings: object = { billingDay: 1 }): Promise<string> {
  const { subscriberId } = await office.customer('NBO');
  const made = await act('sales', `/subscribers/${subscriberId}/postpaid-account`, settings);
  expect(made.status).toBe(201);
  return `/postpaid-accounts/${made.body.id}`;
}

const TWELVE = { ref: 'rooms', plan: 'ROOMS', quantity: 12 };

/** Twelve rooms from the first of the month: an invoice of 360.00. */
async function soldHotel() {
  const path = await hotel();
  const sold = await act('sales', `${path}/contracts`, { ...TWELVE, effective: '2026-11-01' });
  expect([sold.status, sold.body.code]).toEqual([201, undefined]);
  const invoice = `${path}/invoices/${sold.body.invoiceId}`;
  return { path, invoice, contract: `${path}/contracts/${sold.body.contracts[0].id}` };
}

const pay = (invoice: string, amount?: string) =>
  act('cashier', `${invoice}/external-payments`, {
    ...{ means: 'transfer', reference: 'FT26327XQ' },
    ...(amount === undefined ? {} : { amount: kes(amount) }),
  });

const linesOf = (body: { lines: Record<string, unknown>[] }) =>
  body.lines.map(({ type, from, to, amount, plan }) => ({ type, from, to, amount, plan }));

describe('a hotel', () => {
  it('has one account, and a contract costs what the preview said', async () => {
    const { subscriberId } = await office.customer('NBO');
    const open = () => act('sales', `/subscribers/${subscriberId}/postpaid-account`, {});
    const both = await Promise.all([open(), open()]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 409]);
    const [{ id } = { id: '' }] = (await look(`/postpaid-accounts?subscriberId=${subscriberId}`))
      .items;
    const path = `/postpaid-accounts/${id}`;
    const bundle = { ...TWELVE, addOns: [{ ref: 'sports', plan: 'SPORTS', quantity: 12 }] };
    const seen = await act('sales', `${path}/previews`, { act: 'sell', ...bundle });
    expect([seen.status, seen.body.total]).toEqual([200, kes('480.00')]);
    expect((await look(path)).contracts).toEqual([]);
    const sold = await act('sales', `${path}/contracts`, bundle);
    expect(sold.body.contracts.map(({ ref }: { ref: string }) => ref)).toEqual(['rooms', 'sports']);
    const made = await look(`${path}/invoices/${sold.body.invoiceId}`);
    expect(linesOf(made)).toEqual(linesOf(seen.body));
    expect([made.number, made.dueOn]).toEqual([expect.stringMatching(/^INV-2026-/), '2026-12-07']);
    expect(made.taxes).toEqual([
      { code: 'VAT', ratePpm: '160000', base: kes('413.79'), amount: kes('66.21') },
    ]);
    const { contracts, owed, billingDay } = await look(path);
    expect([owed, billingDay]).toEqual([kes('480.00'), 23]);
    expect(contracts).toMatchObject([
      { ref: 'rooms', plan: 'ROOMS', phase: 'evergreen', state: 'active', quantity: 12 },
      { ref: 'sports', baseId: contracts[0].id, chargedThrough: '2026-12-23', billingDay: 23 },
    ]);
  });

  it('pays by transfer in two parts, and no more than is open', async () => {
    const { path, invoice } = await soldHotel();
    expect((await pay(invoice, '100.00')).status).toBe(201);
    const much = await pay(invoice, '260.01');
    expect([much.status, much.body.code]).toEqual([409, 'more_than_open']);
    expect((await pay(invoice)).status).toBe(201);
    const { paid, balance, payments } = await look(invoice);
    expect([paid, balance]).toEqual([kes('360.00'), kes('0.00')]);
    expect(payments.map((one: { paid: object }) => one.paid)).toEqual([
      kes('100.00'),
      kes('260.00'),
    ]);
    expect((await pay(invoice)).body.code).toBe('invoice_not_open');
    const { id } = await look(path);
    const lists = ['open', 'paid'].map((status) =>
      look(`/invoices?accountId=${id}&status=${status}`),
    );
    const [open, done] = await Promise.all(lists);
    expect([open.items.length, done.items.length]).toEqual([0, 1]);
  });

  it('is charged once, though two clerks take its money at the same time', async () => {
    const { invoice } = await soldHotel();
    const answers = await Promise.all([pay(invoice, '360.00'), pay(invoice, '360.00')]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 409]);
    expect((await look(invoice)).payments).toHaveLength(1);
  });

  it('gets a credit note for what is lowered, and by two above the limit', async () => {
    const { invoice } = await soldHotel();
    const { number, lines } = await look(invoice);
    const adjust = (amount: string) =>
      act('accountant', `${invoice}/lines/${lines[0].id}/adjustments`, {
        ...{ amount: kes(amount), reason },
      });
    expect((await adjust('60.00')).status).toBe(201);
    const lowered = await look(invoice);
    expect([lowered.number, lowered.balance]).toEqual([number, kes('300.00')]);
    expect(lowered.creditNotes).toEqual([expect.stringMatching(/^CN-2026-/)]);
    expect((await adjust('200.01')).body.state).toBe('asked');
    expect((await adjust('180.00')).status).toBe(201);
    expect((await adjust('120.01')).body.code).toBe('too_many_repairs');
    const found = await look(`/invoices?number=${lowered.creditNotes[0].toLowerCase()}`);
    expect(found.items[0].id).toBe(lowered.id);
  });

  it('gets its money back when a second person says so, once', async () => {
    const { path, invoice } = await soldHotel();
    const { paymentId } = (await pay(invoice)).body;
    const [line] = (await look(invoice)).lines;
    const refunds = `${path}/payments/${paymentId}/refunds`;
    const adjustments = [{ lineId: line.id, amount: kes('250.00') }];
    const body = { amount: kes('250.00'), adjustments, reason };
    const asked = await act('accountant', refunds, body);
    expect([asked.status, asked.body.amount]).toEqual([202, kes('250.00')]);
    expect((await look(invoice)).paid).toEqual(kes('360.00'));
    const approve = () =>
      act('supervisor', `/approvals/${asked.body.id}/approval`, { reason: 'seen and checked' });
    expect((await approve()).body.state).toBe('done');
    expect((await approve()).body.code).toBe('approval_closed');
    const { paid, balance, payments } = await look(invoice);
    expect([paid, balance]).toEqual([kes('110.00'), kes('0.00')]);
    expect(payments[0].returned).toEqual(kes('250.00'));
    const alone = await act('accountant', refunds, { amount: kes('10.00'), reason });
    expect(alone.status).toBe(201);
    expect((await look(invoice)).balance).toEqual(kes('10.00'));
    const more = await act('accountant', refunds, { amount: kes('100.01'), reason });
    expect(more.body.code).toBe('amount_too_large');
  });

  it('is not let off by one alone, whatever the letting off is called', async () => {
    const { path, invoice } = await soldHotel();
    const { paymentId } = (await pay(invoice, '10.00')).body;
    const [line] = (await look(invoice)).lines;
    const little = { amount: kes('0.01'), adjustments: [{ lineId: line.id }], reason };
    const refund = await act('accountant', `${path}/payments/${paymentId}/refunds`, little);
    expect([refund.status, refund.body.amount]).toEqual([202, kes('360.00')]);
    const charge = { amount: kes('200.01'), reason };
    const { invoiceId } = (await act('accountant', `${path}/external-charges`, charge)).body;
    const voiding = () => act('accountant', `${path}/invoices/${invoiceId}/voidings`, { reason });
    expect([(await voiding()).status, (await look(path)).owed]).toEqual([202, kes('550.01')]);
  });

  it('is let off no more than the second person was shown', async () => {
    const { path } = await soldHotel();
    const all = { order: 'oldest_first', reason };
    const asked = await act('accountant', `${path}/open-invoice-adjustments`, all);
    expect([asked.status, asked.body.amount]).toEqual([202, kes('360.00')]);
    const charge = { amount: kes('9000.00'), reason };
    await act('accountant', `${path}/external-charges`, charge);
    const approval = `/approvals/${asked.body.id}/approval`;
    const { state, code } = (await act('supervisor', approval, { reason })).body;
    expect([state, code]).toEqual(['failed', 'amount_grown']);
    expect((await look(path)).owed).toEqual(kes('9360.00'));
  });

  it('pauses, goes on, and ends when what is charged ends', async () => {
    const { path, contract } = await soldHotel();
    const care = (end: string, body: object) => act('customer_care', `${contract}/${end}`, body);
    const stateOf = async () => (await look(path)).contracts[0].state;
    expect((await care('pauses', { reason })).status).toBe(201);
    expect(await stateOf()).toBe('blocked');
    expect((await care('resumptions', { reason })).status).toBe(201);
    expect(await stateOf()).toBe('active');
    const early = { service: '2026-10-01', billing: '2026-10-01', reason };
    expect((await care('cancellations', early)).body.code).toBe('invalid_requested_date');
    const far = { service: '2099-01-01', billing: 'immediate', reason };
    expect((await care('cancellations', far)).body.fields[0].path).toBe('service');
    const end = { service: 'end_of_term', billing: 'end_of_term', reason };
    expect((await care('cancellations', end)).status).toBe(201);
    const [ending] = (await look(path)).contracts;
    expect([ending.state, ending.serviceEndsOn]).toEqual(['active', '2026-12-01']);
  });

  it('moves to another account of the site alone', async () => {
    const { path, contract } = await soldHotel();
    const to = await hotel();
    const move = (toAccountId: string) =>
      act('sales', `${contract}/transfers`, { toAccountId, cancel: 'immediate', reason });
    const { id } = await look(path);
    expect((await move(id)).body.code).toBe('invalid_body');
    expect((await move((await look(to)).id)).status).toBe(201);
    const states = await Promise.all(
      [path, to].map(async (one) => (await look(one)).contracts[0].state),
    );
    expect(states).toEqual(['cancelled', 'active']);
  });
});

describe('an invoice', () => {
  it('is written off by one up to the limit, and its journals balance', async () => {
    const { path, invoice } = await soldHotel();
    const asked = await act('accountant', `${invoice}/write-offs`, { reason });
    expect(asked.status).toBe(202);
    await pay(invoice, '160.00');
    const done = await act('accountant', `${invoice}/write-offs`, { reason });
    expect(done.status).toBe(201);
    expect((await look(path)).owed).toEqual(kes('0.00'));
    const late = await act('accountant', `${invoice}/write-offs`, { reason });
    expect(late.body.code).toBe('invoice_not_open');
    const sums = 'SELECT FROM entry GROUP BY journal_id, asset HAVING sum(amount) <> 0';
    expect(await office.rows(sums)).toEqual([]);
  });

  it('is a draft first, where that is wanted, and void as long as nobody paid', async () => {
    const path = await hotel();
    const charge = { amount: kes('75.00'), draft: true, reason: 'a lost decoder' };
    const { invoiceId } = (await act('accountant', `${path}/external-charges`, charge)).body;
    const invoice = `${path}/invoices/${invoiceId}`;
    expect((await look(invoice)).number).toBeNull();
    expect((await pay(invoice)).body.code).toBe('invoice_not_open');
    expect((await act('accountant', `${invoice}/commitments`, { reason })).status).toBe(201);
    expect((await look(invoice)).number).toMatch(/^INV-/);
    await pay(invoice, '10.00');
    const voided = await act('accountant', `${invoice}/voidings`, { reason });
    expect(voided.body.code).toBe('cannot_void_paid_invoice');
  });

  it('is owed again after a chargeback, until that is taken back', async () => {
    const { path, invoice } = await soldHotel();
    const paid = await act('cashier', `${invoice}/gateway-payments`, {});
    const payment = `${path}/payments/${paid.body.paymentId}`;
    await act('accountant', `${payment}/chargebacks`, { amount: kes('360.00'), reason });
    expect((await look(invoice)).balance).toEqual(kes('360.00'));
    const back = () => act('accountant', `${payment}/chargeback-reversals`, { reason });
    expect((await back()).status).toBe(201);
    expect((await look(invoice)).balance).toEqual(kes('0.00'));
    expect((await back()).body.code).toBe('amount_too_large');
  });
});

describe('credit', () => {
  it('pays what is open, and is taken away only where it was granted', async () => {
    const { path, invoice } = await soldHotel();
    const granted = await act('customer_care', `${path}/credits`, { amount: kes('50.00'), reason });
    expect((await look(invoice)).balance).toEqual(kes('310.00'));
    const topUp = { amount: kes('400.00'), means: 'cash' };
    const cash = await act('cashier', `${path}/top-ups`, topUp);
    expect((await look(path)).credit).toEqual(kes('90.00'));
    const remove = (id: string) =>
      act('accountant', `${path}/invoices/${id}/credit-removals`, { reason });
    expect((await remove(cash.body.invoiceId)).body.code).toBe('credit_not_granted');
    expect((await remove(granted.body.invoiceId)).status).toBe(201);
    expect((await look(path)).credit).toEqual(kes('40.00'));
  });
});

describe('the settings of an account', () => {
  it('are changed by one of two who change them at once', async () => {
    const path = await hotel();
    const { token } = await office.staff(['sales']);
    const { headers } = await office.call('get', path, { token });
    const ifMatch = String(headers.etag);
    const change = (body: object) => office.call('patch', path, { token, ifMatch, body });
    const answers = await Promise.all([change({ billingDay: 5 }), change({ autoPay: true })]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 412]);
  });
});
