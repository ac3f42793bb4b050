import type { Action } from '../../../src/billing/postpaid/actions.ts';
import { checkPostpaid } from '../../../src/billing/postpaid/check.ts';
import { orderKey } from '../../../src/billing/postpaid/collections.ts';
import { applyReceipts } from '../../../src/billing/postpaid/receipts.ts';
import type { PostpaidService } from '../../../src/billing/postpaid/service.ts';
import { readDocument } from '../../../src/billing/postpaid/views.ts';
import { insertOrder } from '../../../src/telecom/momo/orders.ts';
import { eventually } from './eventually.ts';
import { createHouse, type House } from './house.ts';
import { createLogbook } from './logbook.ts';

/** The stories of invoices that are paid by phone, in the product with its jobs. */
const POLL_AFTER_MS = 11_000;
const UNANSWERED_MS = 125_000;
const REPEATED_AFTER_MS = 301_000;
/** 1160.00: whole shillings. */
const OWED = 116_000n;

interface Hotel {
  msisdn: string;
  accountId: bigint;
  invoiceId: bigint;
}

describe('collecting what hotels owe', () => {
  let house: House;
  let serial = 0;
  beforeAll(async () => {
    house = await createHouse();
  });
  afterAll(() => house.close());
  afterEach(async () => {
    await house.settleDown();
    const faults = Object.entries(await checkPostpaid(house.product.pool));
    expect(faults.filter(([, count]) => count !== 0)).toEqual([]);
  });

  const postpaid = () => house.product.postpaid;
  /** One after the other; a run that the calendar has woken is over first. */
  async function run(...jobs: string[]) {
    for (const job of jobs) {
      await eventually(async () => {
        const result = await house.product.jobs?.runNow(job);
        if (result !== 'done') throw new Error(`${job}: ${result}`);
      });
    }
  }
  async function act(accountId: bigint, action: Action): Promise<bigint> {
    serial += 1;
    const answer = await postpaid().act(accountId, `act-${serial}`, action);
    if (!answer.ok || !answer.value.ok) throw new Error(JSON.stringify(answer, String));
    return answer.value.documentId ?? answer.value.paymentId ?? 0n;
  }
  /** A hotel with an invoice; its phone waits for somebody to answer its prompt. */
  async function hotel({ autoPay = true } = {}): Promise<Hotel> {
    const { msisdn } = await house.customer({ name: 'Hotel' });
    house.money.setPhone(msisdn, { behaviour: 'manual' });
    const [row] = await house.rows(
      `UPDATE subscriber SET category = 'hotel' WHERE contact_msisdn = $1 RETURNING id::text`,
      [msisdn],
    );
    const accountId = await postpaid().open(BigInt(String(row?.id)), {
      timeZone: 'Africa/Nairobi',
      currency: 'KES',
      billingDay: 1,
      autoPay,
      autoInvoice: true,
    });
    const charge = { act: 'external_charge', amount: OWED, draft: false } as const;
    const invoiceId = await act(accountId, { ...charge, from: 20_780, to: null });
    return { msisdn, accountId, invoiceId };
  }
  /** The order that a process has written before it died, and the prompt that it never pushed. */
  async function orderOfTheDead({ msisdn, accountId, invoiceId }: Hotel): Promise<void> {
    const { pool, ids } = house.product;
    const [payment] = (await invoiceOf({ accountId, invoiceId }))?.payments ?? [];
    const [site] = await house.rows("SELECT id::text FROM site WHERE code = 'NBO'");
    const now = house.clock.now();
    const id = await ids.take();
    await insertOrder(pool, {
      ...{ id, ref: `VDEAD${id % 100_000n}`, requestToken: `dead-${id}`, channelId: 'ke-paybill' },
      ...{ siteId: BigInt(String(site?.id)), msisdn, asset: 'KES', amount: OWED },
      key: orderKey(payment?.attempts[0]?.id ?? 0n),
      purpose: { kind: 'invoice', accountId, paymentId: payment?.id ?? 0n },
      nextPollAt: new Date(now.getTime() + UNANSWERED_MS - 1),
      createdAt: now,
    });
  }
  const invoiceOf = async ({ accountId, invoiceId }: { accountId: bigint; invoiceId: bigint }) =>
    readDocument(house.product.pool, accountId, invoiceId);
  const outcomes = async (of: { accountId: bigint; invoiceId: bigint }) =>
    (await invoiceOf(of))?.payments.map(({ attempts }) => attempts.map(({ outcome }) => outcome));

  it('asks on the phone, and has the invoice paid when the prompt is', async () => {
    const of = await hotel();
    await Promise.all([run('collect'), run('collect')]);
    await run('collect');
    await house.answerPrompt(of.msisdn, '1234');
    expect(house.money.prompts(of.msisdn)).toEqual([]);
    await house.settleDown();
    expect(await outcomes(of)).toEqual([['pending']]);
    await run('postpaid-receipts', 'postpaid-receipts', 'collect');
    expect(await invoiceOf(of)).toMatchObject({ paid: OWED, balance: 0n });
    expect(await outcomes(of)).toEqual([['approved']]);
    const clearing = await house.rows(
      `SELECT coalesce(sum(e.amount), 0)::int AS left FROM entry e
         JOIN account a ON a.id = e.account_id AND a.kind = 'external_clearing'`,
    );
    expect(clearing).toEqual([{ left: 0 }]);
  });

  it('hears of a payment whose callback never came by asking', async () => {
    const of = await hotel();
    await run('collect');
    await house.until(async () => {
      const sql = 'SELECT state FROM payment_order WHERE msisdn = $1';
      expect(await house.rows(sql, [of.msisdn])).toEqual([{ state: 'prompted' }]);
    });
    await house.payInSilence(of.msisdn);
    house.money.setFaults({ drop: false }, of.msisdn);
    house.clock.advance(POLL_AFTER_MS);
    await run('poll-orders', 'postpaid-receipts');
    expect(await invoiceOf(of)).toMatchObject({ paid: OWED, balance: 0n });
  });

  it('takes a refusal for one, and money that comes after all for credit', async () => {
    const of = await hotel();
    await run('collect');
    await house.cancelPrompt(of.msisdn);
    await house.settleDown();
    await run('collect');
    expect(await outcomes(of)).toEqual([['declined']]);
    await act(of.accountId, { act: 'external_payment', invoiceId: of.invoiceId, amount: OWED });
    const [order] = await house.rows('SELECT ref FROM payment_order WHERE msisdn = $1', [
      of.msisdn,
    ]);
    await house.pay({ ...of, cards: [], card: String(order?.ref) }, OWED);
    await house.settleDown();
    await run('postpaid-receipts');
    expect(await outcomes(of)).toEqual([['declined', 'approved'], ['approved']]);
    expect(await house.rows('SELECT count(*)::int FROM suspense_item')).toEqual([{ count: 0 }]);
    const [credit] = await house.rows(
      `SELECT sum(amount)::text AS given FROM invoice_line
        WHERE account_id = $1 AND type = 'credit'`,
      [of.accountId],
    );
    expect(credit?.given).toBe(String(OWED));
  });

  it('never sends twice what a process that died may have sent, but asks anew later', async () => {
    const of = await hotel();
    await orderOfTheDead(of);
    await run('collect');
    expect(house.money.prompts(of.msisdn)).toEqual([]);
    house.clock.advance(UNANSWERED_MS);
    await run('poll-orders', 'collect');
    expect(await outcomes(of)).toEqual([['down']]);
    await run('collect');
    expect(await outcomes(of)).toEqual([['down']]);
    house.clock.advance(REPEATED_AFTER_MS);
    await run('collect', 'collect');
    await house.answerPrompt(of.msisdn, '1234');
    await house.settleDown();
    await run('postpaid-receipts');
    expect(await outcomes(of)).toEqual([['down', 'approved']]);
  });

  it('gives money once where a process died between giving and noting it', async () => {
    const of = await hotel({ autoPay: false });
    const accountReference = (await invoiceOf(of))?.number ?? '';
    await house.payUnasked({ msisdn: house.stranger(), accountReference, amountMinor: OWED });
    await house.settleDown();
    const [receipt] = await house.rows(
      'SELECT inbox_id::text AS id FROM postpaid_receipt WHERE account_id = $1',
      [of.accountId],
    );
    const action: Action = { act: 'receive_payment', amount: OWED, invoiceId: of.invoiceId };
    await postpaid().act(of.accountId, `receipt:${receipt?.id}`, action);
    expect(await invoiceOf(of)).toMatchObject({ paid: OWED, balance: 0n });
    await run('postpaid-receipts');
    expect(await invoiceOf(of)).toMatchObject({ paid: OWED, balance: 0n });
    expect(await house.rows('SELECT 1 FROM postpaid_receipt WHERE applied_at IS NULL')).toEqual([]);
  });

  it('gives one account its money while that of another cannot be given', async () => {
    const hotels = [await hotel({ autoPay: false }), await hotel({ autoPay: false })] as const;
    for (const of of hotels) {
      const accountReference = (await invoiceOf(of))?.number ?? '';
      await house.payUnasked({ msisdn: house.stranger(), accountReference, amountMinor: OWED });
    }
    await house.settleDown();
    const { pool } = house.product;
    const logger = createLogbook();
    const refusing: PostpaidService['act'] = (id, ...rest) =>
      id === hotels[0].accountId ? Promise.reject(new Error('A bug')) : postpaid().act(id, ...rest);
    const tools = { pool, clock: house.clock, ...logger, act: refusing };
    expect(await applyReceipts(tools)).toBe(1);
    const paid = async () => [
      (await invoiceOf(hotels[0]))?.paid,
      (await invoiceOf(hotels[1]))?.paid,
    ];
    expect(await paid()).toEqual([0n, OWED]);
    await run('postpaid-receipts');
    expect(await paid()).toEqual([OWED, OWED]);
  });

  it('has an invoice paid by whoever writes its number, as people write', async () => {
    const of = await hotel({ autoPay: false });
    const number = (await invoiceOf(of))?.number ?? '';
    expect(number).toMatch(/^INV-2026-\d{6}$/);
    const written = number.toLowerCase().replaceAll('-', ' ');
    await house.pay({ msisdn: house.stranger(), cards: [], card: written }, 16_000n);
    await house.settleDown();
    await run('postpaid-receipts');
    expect(await invoiceOf(of)).toMatchObject({ paid: 16_000n, balance: 100_000n });
  });
});
