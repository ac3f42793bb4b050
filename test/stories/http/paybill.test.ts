import { createHouse, type House } from './house.ts';
import { c2b, send } from './paybill.ts';

describe('a payment the customer starts at the paybill', () => {
  let house: House;
  beforeAll(async () => {
    house = await createHouse();
  });
  afterAll(() => house.close());
  afterEach(() => house.settleDown());

  it('for a card is asked about, confirmed, and told to the hash of the phone', async () => {
    const { msisdn, card } = await house.customer();
    const paid = await house.money.payBill({
      msisdn,
      accountReference: card,
      amountMinor: 65_000n,
    });
    expect(paid).toMatchObject({ ok: true });
    await house.textTo(msisdn, /^Paid KES 650\. ESSENTIAL card .* to 23\/12\/2026\./);
    expect(await house.onAir(card)).toMatchObject([{ product: 'ESS' }]);
    await house.texts.idle();
    expect(house.inbox(msisdn)).toHaveLength(1);
  });

  it.each([
    ['blanks', (card: string) => `${card.slice(0, 4)} ${card.slice(4, 8)} ${card.slice(8)}`],
    ['dashes', (card: string) => `${card.slice(0, 4)}-${card.slice(4, 8)}-${card.slice(8)}`],
    ['the letter O for 0', (card: string) => card.replaceAll('0', 'O')],
    ['blanks around', (card: string) => `  ${card} `],
  ])('finds a card that was typed with %s', async (_how, write) => {
    const { msisdn, card } = await house.customer();
    const accountReference = write(card);
    const paid = await house.money.payBill({ msisdn, accountReference, amountMinor: 65_000n });
    expect(paid).toMatchObject({ ok: true });
    await house.textTo(msisdn, /^Paid KES 650\./);
    expect(await house.paidUntil(card)).toBe('2026-12-23T21:00:00.000Z');
  });

  it.each([
    ['as dialled at home', (msisdn: string) => msisdn.replace('+254', '0')],
    ['with the country code', (msisdn: string) => msisdn.slice(1)],
    ['whole', (msisdn: string) => msisdn],
  ])('for a phone, written %s, is credit of its owner', async (_how, write) => {
    const { msisdn, card } = await house.customer();
    const accountReference = write(msisdn);
    await house.money.payBill({ msisdn, accountReference, amountMinor: 65_000n });
    await house.textTo(msisdn, /^Received KES 650\. Your credit: KES 650\. Dial \*384\*100#/);
    expect(await house.wallet(msisdn)).toMatchObject({ credit: '65000' });
    expect(await house.paidUntil(card)).toBeNull();
  });

  it('for a card nobody knows is refused before any money moves', async () => {
    const before = await house.traces();
    const msisdn = house.stranger();
    const refused = await house.money.payBill({
      msisdn,
      accountReference: 'ACC 12',
      amountMinor: 65_000n,
    });
    expect(refused).toEqual({ ok: false, error: 'refused', resultCode: 'C2B00012' });
    expect(await house.traces()).toEqual(before);
  });

  it('for a card nobody knows waits in suspense when M-PESA could not ask', async () => {
    const { msisdn } = await house.customer();
    const paid = await house.payUnasked({
      msisdn,
      accountReference: 'ACC 12',
      amountMinor: 65_000n,
    });
    await house.textTo(msisdn, /^We received KES 650 but do not know account ACC 12\./);
    const sql = `SELECT s.state, s.reason, s.amount, i.receipt FROM suspense_item s
                   JOIN inbox i ON i.id = s.inbox_id`;
    expect(await house.rows(sql)).toEqual([
      { state: 'open', reason: 'unknown_account', amount: '65000', receipt: paid },
    ]);
  });

  it('of a stranger whose number is shown is told where the money is', async () => {
    house.money.setSettings({ msisdnForm: 'plain' });
    const msisdn = house.stranger();
    await house.payUnasked({ msisdn, accountReference: '', amountMinor: 5_000n });
    house.money.setSettings({ msisdnForm: 'hashed' });
    await house.textTo(msisdn, /^We received KES 50 but do not know account/);
  });

  it('of a stranger for a card is told to its owner', async () => {
    const { msisdn, card } = await house.customer();
    for (const msisdnForm of ['masked', 'hashed'] as const) {
      house.money.setSettings({ msisdnForm });
      const amountMinor = 20_000n;
      await house.money.payBill({ msisdn: house.stranger(), accountReference: card, amountMinor });
    }
    await house.settleDown();
    expect(house.inbox(msisdn)).toHaveLength(2);
  });

  it('of too little becomes days where the operator says so', async () => {
    const { msisdn, card } = await house.customer();
    await house.money.payBill({ msisdn, accountReference: card, amountMinor: 10_000n });
    await house.textTo(msisdn, /^Paid KES 100: 4 day\(s\)\. .* to 27\/11\/2026\./);
    expect(await house.wallet(msisdn)).toMatchObject({ credit: '1333' });
  });

  it('of too little for a day is credit, and the text says what is missing', async () => {
    const { msisdn, card } = await house.customer();
    await house.money.payBill({ msisdn, accountReference: card, amountMinor: 2_000n });
    await house.textTo(msisdn, /Your credit: KES 20\. Missing KES 630 for a month\./);
    expect(await house.wallet(msisdn)).toMatchObject({ credit: '2000' });
    expect(await house.paidUntil(card)).toBeNull();
  });

  it('confirmed 20 times at once credits once', async () => {
    const { msisdn, card } = await house.customer();
    house.money.setFaults({ repeat: 20, parallel: true }, msisdn);
    await house.money.payBill({ msisdn, accountReference: card, amountMinor: 65_000n });
    await house.textTo(msisdn, /^Paid KES 650\./);
    await house.settleDown();
    expect(await house.paidUntil(card)).toBe('2026-12-23T21:00:00.000Z');
    expect(house.inbox(msisdn)).toHaveLength(1);
  });

  it('confirmed again with another amount moves nothing more, and is kept', async () => {
    const { msisdn, card } = await house.customer();
    const paid = await house.money.payBill({
      msisdn,
      accountReference: card,
      amountMinor: 65_000n,
    });
    await house.textTo(msisdn, /^Paid KES 650\./);
    const kept = await house.refused('receipt_differs');
    const TransID = paid.ok ? paid.receipt : '';
    const again = c2b({ TransID, BillRefNumber: card, TransAmount: '65000.00' });
    expect(await send(house.hook('ke-paybill', '/confirm'), again)).toMatchObject({ status: 200 });
    expect(await house.refused('receipt_differs')).toBe(kept + 1);
    expect(await house.wallet(msisdn)).toMatchObject({ credit: '0' });
  });

  it('of twenty customers, ten times each at once, agrees to the cent', async () => {
    const customers = await Promise.all(Array.from({ length: 20 }, () => house.customer()));
    await Promise.all(
      Array.from({ length: 200 }, (_, index) => {
        const { msisdn = '', card = '' } = customers[index % 20] ?? {};
        const amountMinor = BigInt(100 + ((index * 7919) % 60_000));
        return house.money.payBill({ msisdn, accountReference: card, amountMinor });
      }),
    );
    await house.settleDown();
    for (const { card } of customers) await house.onAir(card);
  });

  it.each([
    'vip_payments_total{channel="ke-paybill",outcome="unavailable"}',
    'vip_missed_payments_total{channel="ke-paybill"}',
    'vip_dispatch_results_total{cas="vip-control",result="refused"}',
    'vip_vouchers_refused_total{reason="voucher_blocked"}',
    'vip_job_runs_total{job="due",result="failed"}',
  ])('that goes wrong is an increase for the alerts: %s is there before', async (series) => {
    expect(await house.metric(series)).toBe(0);
  });

  it('that nobody told us of is found in the list of M-PESA, and counts once', async () => {
    const found = 'vip_missed_payments_total{channel="ke-paybill"}';
    await house.product.jobs?.runNow('sweep-payments');
    const before = await house.metric(found);
    const told = await house.customer();
    await house.pay(told);
    const { msisdn, card } = await house.customer();
    house.money.setFaults({ drop: true }, msisdn);
    await house.money.payBill({ msisdn, accountReference: card, amountMinor: 65_000n });
    const receipt = house.receiptOf(msisdn);
    house.clock.advance(60_000);
    await house.product.jobs?.runNow('sweep-payments');
    // It may still be under way.
    expect(await house.paidUntil(card)).toBeNull();
    house.clock.advance(120_000);
    await house.product.jobs?.runNow('sweep-payments');
    await house.textTo(msisdn, /^Paid KES 650\. ESSENTIAL card .* to 23\/12\/2026\./);
    expect(await house.metric(found)).toBe(before + 1);
    const late = c2b({ TransID: receipt, BillRefNumber: card, MSISDN: msisdn.slice(1) });
    expect(await send(house.hook('ke-paybill', '/confirm'), late)).toMatchObject({ status: 200 });
    await house.product.jobs?.runNow('sweep-payments');
    expect(await house.paidUntil(card)).toBe('2026-12-23T21:00:00.000Z');
    expect(await house.paidUntil(told.card)).toBe('2026-12-23T21:00:00.000Z');
  });

  it('that came while our database was away is found when it is back', async () => {
    await house.product.jobs?.runNow('sweep-payments');
    const { msisdn, card } = await house.customer();
    await house.database(false);
    await house.money.payBill({ msisdn, accountReference: card, amountMinor: 65_000n });
    await house.database(true);
    house.clock.advance(180_000);
    await house.product.jobs?.runNow('sweep-payments');
    await house.textTo(msisdn, /^Paid KES 650\./);
    expect(await house.paidUntil(card)).toBe('2026-12-23T21:00:00.000Z');
  });
});
