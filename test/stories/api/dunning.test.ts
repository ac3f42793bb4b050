import { type Customer, createOffice, type Office } from './office.ts';

/**
 * Goal: what staff decide about who does not pay holds, is seen, and ends by itself.
 * Method: prepaid subscribers whose day is over, at a site that reminds, then walls.
 */
let office: Office;
let care: string;
let supervisor: string;
beforeAll(async () => {
  office = await createOffice();
  await later(0);
});
afterAll(() => office.close());

const DAY_MS = 86_400_000;
/** Moves on; who works then has signed in anew. */
const later = async (days: number) => {
  office.later(days * DAY_MS);
  care = (await office.staff(['customer_care'])).token;
  supervisor = (await office.staff(['supervisor'])).token;
};
const PRICE = { amount: '650.00', currency: 'KES' };

/** Paid for a month of the site, which is over by so many days. */
async function debtor(daysOver: number): Promise<Customer> {
  const customer = await office.customer('NBO');
  await office.pay('NBO', { amount: 65_000n, accountRef: customer.number });
  const until = new Date(office.now().getTime() - daysOver * DAY_MS);
  await office.pool.query('UPDATE subscription SET paid_until = $2 WHERE card_id = $1', [
    customer.cardId,
    until,
  ]);
  return customer;
}
const pathOf = ({ subscriberId }: Customer) => `/subscribers/${subscriberId}/dunning`;
const look = async (customer: Customer) => {
  const { status, body } = await office.call('get', pathOf(customer), { token: care });
  expect(status).toBe(200);
  return body;
};
const post = (customer: Customer, what: string, token: string, body: object) =>
  office.call('post', `${pathOf(customer)}/${what}`, { token, body });
const dateIn = (days: number): string =>
  new Date(office.now().getTime() + days * DAY_MS).toISOString().slice(0, 10);
const reasonOf = async ({ cardId }: Customer) =>
  (await office.rows('SELECT suspended FROM card_rights WHERE card_id = $1', [cardId]))[0]
    ?.suspended;

describe('who does not pay', () => {
  it('is seen with what is owed and what comes next, alone and in the list', async () => {
    const customer = await debtor(1);
    await office.dunning.run();
    const own = {
      ...{ subscriberId: String(customer.subscriberId), site: 'NBO', state: 'reminder' },
      ...{ owed: PRICE, level: 'open', because: 'overdue', held: null },
    };
    expect(await look(customer)).toMatchObject({ ...own, flags: [], promises: [], holds: [] });
    const { next, daysOverdue } = await look(customer);
    expect([next.step, daysOverdue]).toEqual(['notice', 2]);
    const { body } = await office.call('get', '/dunning?site=NBO', { token: supervisor });
    expect(body.items).toContainEqual(expect.objectContaining(own));
    const walled = await debtor(10);
    await office.dunning.run();
    const holds = await office.call('get', '/dunning/holds?level=walled&open=true', {
      token: supervisor,
    });
    expect(holds.body.items).toContainEqual(
      expect.objectContaining({ subscriberId: String(walled.subscriberId), because: 'overdue' }),
    );
  });

  it('may promise to pay, once, and nothing goes further until then', async () => {
    const customer = await debtor(1);
    const promise = { amount: PRICE, dueOn: dateIn(7), reason: 'salary' };
    const more = { ...promise, amount: { amount: '650.01', currency: 'KES' } };
    expect((await post(customer, 'promises', care, more)).body.code).toBe('invalid_body');
    const late = { ...promise, dueOn: dateIn(60) };
    expect((await post(customer, 'promises', care, late)).body.code).toBe('invalid_body');
    const made = await post(customer, 'promises', care, promise);
    expect([made.status, made.body.amount, made.body.dueOn]).toEqual([201, PRICE, dateIn(7)]);
    const again = await post(customer, 'promises', care, promise);
    expect(again.body.code).toBe('promise_running');
    await later(3);
    await office.dunning.run();
    expect(await look(customer)).toMatchObject({ held: 'promise', level: 'open' });
    await later(5);
    await office.dunning.run();
    expect(await look(customer)).toMatchObject({ held: null, level: 'walled', state: 'notice' });
    const paid = await office.customer('NBO');
    expect((await post(paid, 'promises', care, promise)).body.code).toBe('nothing_owed');
  });
});

describe('a flag', () => {
  it('keeps the picture until somebody else than who asks for it lifts it', async () => {
    const customer = await debtor(10);
    const flag = { kind: 'do_not_cut', reason: 'hospital' };
    expect((await post(customer, 'flags', care, flag)).body.code).toBe('forbidden');
    const made = await post(customer, 'flags', supervisor, flag);
    expect(made.body).toMatchObject({ ...flag, until: null, liftedOn: null });
    await office.dunning.run();
    expect(await look(customer)).toMatchObject({ held: 'do_not_cut', level: 'open' });
    const lift = () =>
      post(customer, `flags/${made.body.id}/liftings`, supervisor, { why: 'out of hospital' });
    expect((await lift()).status).toBe(204);
    expect((await look(customer)).level).toBe('walled');
    expect((await lift()).body.code).toBe('already_lifted');
    const other = await debtor(10);
    const strange = `flags/${made.body.id}/liftings`;
    expect((await post(other, strange, supervisor, { why: 'not theirs' })).status).toBe(404);
  });

  it('blocks who pays until its day, and then the picture is back by itself', async () => {
    const customer = await office.customer('NBO');
    await office.pay('NBO', { amount: 65_000n, accountRef: customer.number });
    const block = { kind: 'block', reason: 'fair use' };
    const endless = await post(customer, 'flags', supervisor, block);
    expect(endless.body.code).toBe('invalid_body');
    const past = await post(customer, 'flags', supervisor, { ...block, until: dateIn(-1) });
    expect(past.body.code).toBe('invalid_body');
    const made = await post(customer, 'flags', supervisor, { ...block, until: dateIn(3) });
    expect(made.status).toBe(201);
    expect([await reasonOf(customer), await look(customer)]).toMatchObject([
      'blocked',
      { level: 'stopped', because: 'block' },
    ]);
    await later(4);
    await office.dunning.run();
    expect([await reasonOf(customer), (await look(customer)).level]).toEqual([null, 'open']);
  });
});
