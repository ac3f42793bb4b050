import { eventually } from './eventually.ts';
import { createHouse, type House } from './house.ts';
import { c2b, send, stk } from './paybill.ts';

const POLL_AFTER_MS = 11_000;
const BODY_BYTES_MAX = 65_536;

let house: House;
beforeAll(async () => {
  house = await createHouse();
});
afterAll(() => house.close());

const confirmUrl = () => house.hook('ke-paybill', '/confirm');
const confirm = (body: string) => send(confirmUrl(), body);
const inboxOf = async (receipt: string) =>
  (await house.rows('SELECT state FROM inbox WHERE receipt LIKE $1', [`${receipt}%`])).map(
    ({ state }) => state,
  );
/** The operator's books are not looked at: half of what comes in here was never in them. */
afterEach(() => house.expectSound());

describe('a confirmation that cannot be settled', () => {
  it.each([
    ['a NUL in the reference', { BillRefNumber: 'x\u0000y' }],
    ['a lone surrogate in the reference', { BillRefNumber: '\ud800' }],
    ['more money than a ledger can hold', { TransAmount: '999999999999999999.99' }],
    ['another currency', { TransAmount: 'USD 650.00' }],
  ])('because of %s is acknowledged and kept; its neighbours settle', async (_what, odd) => {
    const people = await Promise.all([house.customer(), house.customer(), house.customer()]);
    const TransID = `UKN0ODD${people[0]?.card}`;
    const credit = await house.rows('SELECT sum(amount)::text AS s FROM balance');
    const answers = await Promise.all([
      confirm(c2b({ TransID, BillRefNumber: people[0]?.card, ...odd })),
      ...people.map(({ card }) =>
        confirm(c2b({ TransID: `UKN1${card}`, BillRefNumber: card, TransAmount: '200.00' })),
      ),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const [state] = await inboxOf(TransID);
    expect(['parked', 'suspense']).toContain(state);
    for (const { card } of people) expect(await inboxOf(`UKN1${card}`)).toEqual(['settled']);
    expect(await house.rows('SELECT sum(amount)::text AS s FROM balance')).not.toEqual(credit);
  });

  it('is tried again when it comes again, and settles once it can be read', async () => {
    const { card, msisdn } = await house.customer();
    const TransID = `UKN0LATER${card}`;
    await confirm(c2b({ TransID, BillRefNumber: `${card}\u0000` }));
    expect(await inboxOf(TransID)).toEqual(['parked']);
    await confirm(c2b({ TransID, BillRefNumber: card }));
    expect(await inboxOf(TransID)).toEqual(['settled']);
    await house.textTo(msisdn, /^KES 650 was paid for your card/);
  });

  it('that has no readable receipt is kept under what can be written of it', async () => {
    const { card } = await house.customer();
    const answer = await confirm(c2b({ TransID: 'UKN0NUL\u0000', BillRefNumber: card }));
    expect(answer.status).toBe(200);
    expect(await inboxOf('UKN0NUL')).toEqual(['parked']);
  });

  it.each([
    ['MSISDN', [null, 254700000001, true, {}, [], '', '2547***126', 'x'.repeat(300), '\u0000']],
    ['BillRefNumber', [12345, true, '', ' ', 'x'.repeat(10_000), '‮', "'; DROP TABLE inbox; --"]],
    ['TransTime', [null, 0, '', 'soon', '99999999999999', {}, []]],
    ['FirstName', [null, 7, {}, [], '\u0000']],
    ['BusinessShortCode', [null, 600100, {}, []]],
    ['TransactionType', [null, 1, {}, '', 'Reversal of nothing']],
    ['OrgAccountBalance', [null, {}, 'x']],
  ])('never is lost for what stands in %s', async (field, values) => {
    const { card } = await house.customer();
    for (const [index, value] of values.entries()) {
      const TransID = `UKN0${field.toUpperCase()}${index}`;
      const answer = await confirm(c2b({ TransID, BillRefNumber: card, [field]: value }));
      expect({ value, status: answer.status }).toEqual({ value, status: 200 });
      expect(['settled', 'suspense', 'parked']).toContain((await inboxOf(TransID))[0]);
    }
  });

  it('settles at 64 kB, and is refused and kept by its head above that', async () => {
    const { card } = await house.customer();
    const bodyOf = (TransID: string, bytes: number) => {
      const bare = c2b({ TransID, BillRefNumber: card, TransAmount: '40.00', InvoiceNumber: '' });
      const InvoiceNumber = 'x'.repeat(bytes - bare.length);
      return c2b({ TransID, BillRefNumber: card, TransAmount: '40.00', InvoiceNumber });
    };
    expect((await confirm(bodyOf('UKN064KB', BODY_BYTES_MAX))).status).toBe(200);
    expect(await inboxOf('UKN064KB')).toEqual(['settled']);
    const kept = await house.refused('too_large');
    expect((await confirm(bodyOf('UKN065KB', BODY_BYTES_MAX + 1))).status).toBe(413);
    expect(await inboxOf('UKN065KB')).toEqual([]);
    expect(await house.refused('too_large')).toBe(kept + 1);
  });

  it('keeps ten good ones among a hundred forged, all at once', async () => {
    const people = await Promise.all(Array.from({ length: 10 }, () => house.customer()));
    const before = await house.traces();
    const good = people.map(({ card }) =>
      c2b({ TransID: `UKN2${card}`, BillRefNumber: card, TransAmount: '650.00' }),
    );
    const forged = Array.from({ length: 100 }, (_, index) => {
      const { card = '' } = people[index % 10] ?? {};
      const TransID = `UKN3FORGED${index}`;
      const kinds = [
        () =>
          send(
            confirmUrl().replace(/[0-9a-f]{32}/, 'e'.repeat(32)),
            c2b({ TransID, BillRefNumber: card }),
          ),
        () => confirm(c2b({ TransID, BillRefNumber: card, TransAmount: '-1' })),
        () => confirm('{"TransID":'),
        () =>
          send(
            house.hook('ke-paybill', `/push/${'d'.repeat(32)}`),
            stk({ checkoutRequestId: 'ws_CO_1', amount: 650, receipt: TransID }),
          ),
        () =>
          house.tvuNotice(
            { receipt: TransID, msisdn: '+254711000001', units: 2100 },
            { tamper: true },
          ),
      ];
      return kinds[index % kinds.length]?.();
    });
    const answers = await Promise.all([...good.map(confirm), ...forged]);
    expect(answers.slice(0, 10).map((answer) => answer?.status)).toEqual(Array(10).fill(200));
    expect(answers.slice(10).every((answer) => (answer?.status ?? 0) >= 400)).toBe(true);
    for (const { card } of people) {
      expect(await house.onAir(card)).toMatchObject([{ to: '2026-12-23T21:00:00.000Z' }]);
    }
    expect(await house.traces()).toMatchObject({ inbox: Number(before.inbox) + 10 });
  });
});

describe('a forged callback of a prompt', () => {
  const askForMonth = async () => {
    const customer = await house.customer();
    house.money.setPhone(customer.msisdn, { behaviour: 'manual' });
    await house.dial(house.phone(customer.msisdn), '*384*100#', '1', '1', '1');
    const checkoutRequestId = await house.promptOn(customer.msisdn);
    // The phone asks before the product has heard which request that is.
    const known = 'SELECT FROM payment_order WHERE checkout_request_id = $1';
    await eventually(async () => {
      if (!(await house.rows(known, [checkoutRequestId])).length) throw new Error('Not known yet');
    });
    return { ...(await house.toldOf(customer.msisdn)), ...customer, checkoutRequestId };
  };

  it('for a request that was never made is kept, and moves nothing', async () => {
    const before = await house.traces();
    const kept = await house.refused('no_order');
    const body = stk({ checkoutRequestId: 'ws_CO_1', amount: 650, receipt: 'UKN0NOORDER' });
    for (const token of ['d'.repeat(32), 'd', '%00']) {
      const answer = await send(house.hook('ke-paybill', `/push/${token}`), body);
      expect([400, 404]).toContain(answer.status);
    }
    expect(await house.refused('no_order')).toBeGreaterThan(kept);
    expect(await house.traces()).toEqual(before);
  });

  it('at the address of confirmations is kept, and moves nothing', async () => {
    const before = await house.traces();
    const body = stk({ checkoutRequestId: 'ws_CO_1', amount: 650, receipt: 'UKN0STRAY' });
    expect(await confirm(body)).toMatchObject({ status: 400 });
    expect(await house.traces()).toEqual(before);
  });

  it.each([
    ['another amount', { amount: 1 }, 'amount_differs'],
    ['an amount that is none', { amount: 'much' }, 'amount_differs'],
    ['no amount', { amount: undefined }, 'amount_differs'],
    ['another request', { checkoutRequestId: 'ws_CO_OTHER' }, 'request_differs'],
    ['no receipt', { receipt: undefined }, 'missing_field'],
    ['no result', { resultCode: null }, 'unreadable'],
  ])('that says %s is kept, and the prompt can still be paid', async (_what, change, reason) => {
    const { callbackUrl, checkoutRequestId, msisdn, card } = await askForMonth();
    const before = await house.traces();
    const kept = await house.refused(reason);
    const forged = { checkoutRequestId, amount: 650, receipt: 'UKN0CHANGED', ...change };
    expect(await send(callbackUrl, stk(forged))).toMatchObject({ status: 400 });
    expect(await house.refused(reason)).toBe(kept + 1);
    expect(await house.traces()).toEqual(before);
    await house.answerPrompt(msisdn, '1234');
    await house.textTo(msisdn, /^Paid KES 650/);
    expect(await house.paidUntil(card)).toBe('2026-12-23T21:00:00.000Z');
  });

  it('that says paid while the phone still asks moves nothing', async () => {
    const { callbackUrl, checkoutRequestId, msisdn, card } = await askForMonth();
    const before = await house.traces();
    await send(callbackUrl, stk({ checkoutRequestId, amount: 650, receipt: 'UKN0EARLY' }));
    expect(await house.traces()).toEqual(before);
    await house.answerPrompt(msisdn, '1234');
    await house.textTo(msisdn, /^Paid KES 650/);
    await house.expectSound();
    expect(await house.paidUntil(card)).toBe('2026-12-23T21:00:00.000Z');
    expect(await inboxOf('UKN0EARLY')).toEqual([]);
  });

  it('that says paid where the operator says no is kept, and moves nothing', async () => {
    const { callbackUrl, checkoutRequestId, msisdn, card } = await askForMonth();
    const before = await house.traces();
    house.money.setFaults({ drop: true }, msisdn);
    await house.cancelPrompt(msisdn);
    const kept = await house.refused('not_confirmed');
    const body = stk({ checkoutRequestId, amount: 650, receipt: 'UKN0LIED' });
    expect(await send(callbackUrl, body)).toMatchObject({ status: 400 });
    expect(await house.refused('not_confirmed')).toBe(kept + 1);
    expect(await house.traces()).toEqual(before);
    expect(await house.paidUntil(card)).toBeNull();
    house.clock.advance(POLL_AFTER_MS);
    await house.product.jobs?.runNow('poll-orders');
    await house.textTo(msisdn, /^Not paid: KES 650\. You declined/);
  });

  it('that says failed does not keep a payment from being credited', async () => {
    const { callbackUrl, checkoutRequestId, msisdn, card } = await askForMonth();
    await send(callbackUrl, stk({ checkoutRequestId, resultCode: 1032 }));
    await house.answerPrompt(msisdn, '1234');
    await house.textTo(msisdn, /^Paid KES 650/);
    expect(await house.paidUntil(card)).toBe('2026-12-23T21:00:00.000Z');
  });

  it.each([
    ['after the true one', ['true', 'made up']],
    ['before the true one', ['made up', 'true']],
    ['alone, with the true one found by asking', ['made up']],
  ])('with a made-up receipt %s is no second payment', async (_when, order) => {
    const { msisdn, card } = await askForMonth();
    const told = await house.payInSilence(msisdn);
    for (const which of order) {
      const receipt = which === 'true' ? told.receipt : `UKN0FORGED${card}`;
      await send(told.callbackUrl, stk({ ...told, amount: 650, receipt }));
    }
    house.clock.advance(POLL_AFTER_MS);
    await house.product.jobs?.runNow('poll-orders');
    await house.until(async () => expect(await inboxOf(told.receipt)).toEqual(['settled']));
    expect(await inboxOf(`UKN0FORGED${card}`)).toEqual([]);
    expect(await house.paidUntil(card)).toBe('2026-12-23T21:00:00.000Z');
    expect(await house.wallet(msisdn)).toMatchObject({ credit: '0' });
  });
});
