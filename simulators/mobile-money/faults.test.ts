import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  AMINA,
  type Merchant,
  type Operator,
  openMerchant,
  openOperator,
  pushRequest,
  queryRequest,
  registerRequest,
} from './merchant.fixture.ts';

const PUSH = '/mpesa/stkpush/v1/processrequest';
const QUERY = '/mpesa/stkpushquery/v1/query';
const REGISTER = '/mpesa/c2b/v2/registerurl';
const payment = { msisdn: AMINA, accountReference: '40210000017', amountMinor: 65_000n };

let merchant: Merchant;
let operator: Operator;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'operator-'));
  merchant = await openMerchant();
  operator = await openOperator();
  await operator.call(REGISTER, registerRequest(merchant));
});

afterEach(async () => {
  await operator.stop();
  await merchant.stop();
  rmSync(folder, { recursive: true });
});

const heardPaths = () => merchant.heard.map(({ path }) => path).sort();

describe('callbacks', () => {
  it('of a paid push come twice for one receipt: as push and as confirmation', async () => {
    await operator.call(PUSH, pushRequest(merchant));
    await operator.idle();
    expect(heardPaths()).toEqual(['/confirm', '/push']);
    expect(operator.books()).toHaveLength(1);
    operator.setSettings({ alsoConfirm: false });
    await operator.call(PUSH, pushRequest(merchant));
    await operator.idle();
    expect(heardPaths()).toEqual(['/confirm', '/push', '/push']);
  });

  it.each([true, false])('are repeated as often as told, in parallel: %s', async (parallel) => {
    operator.setFaults({ repeat: 5, parallel });
    await operator.call(PUSH, pushRequest(merchant));
    await operator.idle();
    expect(heardPaths().filter((path) => path === '/push')).toHaveLength(5);
    expect(new Set(merchant.heard.map(({ text }) => text)).size).toBe(2);
  });

  it('come before the answer of the push when told so', async () => {
    operator.setFaults({ beforeAnswer: true }, AMINA);
    await operator.call(PUSH, pushRequest(merchant));
    expect(heardPaths()).toEqual(['/confirm', '/push']);
  });

  it('are not sent at all when dropped, and the query still shows the payment', async () => {
    operator.setFaults({ drop: true });
    const { CheckoutRequestID } = (await operator.call(PUSH, pushRequest(merchant))).body;
    await operator.idle();
    expect([merchant.heard, operator.unanswered()]).toEqual([[], []]);
    expect(operator.books()).toMatchObject([{ confirmed: false }]);
    const query = await operator.call(QUERY, queryRequest(CheckoutRequestID));
    expect(query.body.ResultCode).toBe('0');
  });

  it('claim another amount than was moved when told so', async () => {
    operator.setFaults({ wrongAmountMinor: 100n, valuelessBalance: true });
    await operator.call(PUSH, pushRequest(merchant));
    await operator.idle();
    expect(merchant.heard.find(({ path }) => path === '/push')?.text).toContain('"Value":1.00}');
    expect(merchant.heard.find(({ path }) => path === '/push')?.text).toContain('"Balance"}');
    expect(operator.books()).toMatchObject([{ amountMinor: 65_000n }]);
  });

  it('wait for the delay', async () => {
    await operator.stop();
    const waits: { ms: number; run: () => void }[] = [];
    const timers = {
      after(ms: number, run: () => void) {
        if (ms !== 1) waits.push({ ms, run });
        else queueMicrotask(run);
        return () => undefined;
      },
    };
    operator = await openOperator({ timers, answerDelayMs: 1 });
    operator.setFaults({ delayMs: 5_000 });
    await operator.call(PUSH, pushRequest(merchant));
    expect([merchant.heard.length, waits[0]?.ms]).toEqual([0, 5_000]);
    waits[0]?.run();
    await operator.idle();
    expect(merchant.heard).toHaveLength(1);
  });

  it('that are answered 500 stay unanswered and are sent again only by hand', async () => {
    merchant.answerWith(() => ({ status: 500, headers: {}, body: '' }));
    await operator.call(PUSH, pushRequest(merchant));
    await operator.idle();
    expect([merchant.heard.length, operator.unanswered().length]).toEqual([2, 2]);
    expect(operator.books()).toMatchObject([{ confirmed: false }]);
    merchant.answerWith(() => ({ status: 200, headers: {}, body: '' }));
    expect(await operator.resendUnanswered()).toBe(2);
    expect(operator.unanswered()).toEqual([]);
    expect(operator.books()).toMatchObject([{ confirmed: true }]);
  });

  it('that are never answered are given up after the time limit', async () => {
    await operator.stop();
    operator = await openOperator({ callbackTimeoutMs: 50 });
    merchant.answerWith(() => 'hang');
    await operator.call(PUSH, pushRequest(merchant));
    await operator.idle();
    expect(operator.unanswered()).toHaveLength(1);
  });
});

describe('the books', () => {
  const booksFile = () => join(folder, 'books.jsonl');

  const restart = async () => {
    await operator.stop();
    operator = await openOperator({ booksFile: booksFile() });
  };

  it('hold every payment before its callback is sent', async () => {
    await restart();
    await operator.call(REGISTER, registerRequest(merchant));
    const written: boolean[] = [];
    merchant.answerWith(({ path }) => {
      const receipt = operator.books()[0]?.receipt ?? '(none yet)';
      if (path === '/confirm') written.push(readFileSync(booksFile(), 'utf8').includes(receipt));
      return { status: 200, headers: {}, body: '{"ResultCode":0}' };
    });
    await operator.payBill(payment);
    await operator.idle();
    expect(written).toEqual([true]);
  });

  it('are taken up again with balances, addresses, receipts and unanswered callbacks', async () => {
    await restart();
    await operator.call(REGISTER, registerRequest(merchant));
    operator.setPhone(AMINA, { balanceMinor: 100_000n });
    merchant.answerWith(() => ({ status: 503, headers: {}, body: '' }));
    const { CheckoutRequestID } = (await operator.call(PUSH, pushRequest(merchant))).body;
    await operator.idle();
    const before = { books: operator.books(), unanswered: operator.unanswered() };
    await restart();
    expect({ books: operator.books(), unanswered: operator.unanswered() }).toEqual(before);
    const query = await operator.call(QUERY, queryRequest(CheckoutRequestID));
    expect(query.body.ResultCode).toBe('0');
    merchant.answerWith(() => ({ status: 200, headers: {}, body: '{"ResultCode":0}' }));
    expect(await operator.resendUnanswered()).toBe(2);
    // 1000 less 650 leaves 350: the same payment once more is beyond the balance.
    expect(await operator.payBill(payment)).toEqual({ ok: false, error: 'insufficient_funds' });
  });

  it('show a prompt again that was open, and lose a line that was cut off', async () => {
    await restart();
    operator.setPhone(AMINA, { behaviour: 'manual' });
    await operator.call(PUSH, pushRequest(merchant));
    operator.setPhone(AMINA, { balanceMinor: 1n });
    await operator.stop();
    const bytes = readFileSync(booksFile()).length;
    truncateSync(booksFile(), bytes - 5);
    operator = await openOperator({ booksFile: booksFile() });
    await operator.idle();
    expect(operator.books()).toMatchObject([{ msisdn: AMINA, kind: 'push' }]);
    await restart();
    expect(operator.books()).toHaveLength(1);
  });

  it('never give a receipt out twice, whatever the dice say', async () => {
    await operator.stop();
    const dice = { fraction: () => 0.5, hex: (bytes: number) => 'ab'.repeat(bytes) };
    operator = await openOperator({ random: dice });
    const paid = await Promise.all([1, 2, 3].map(() => operator.payBill(payment)));
    expect(new Set(paid.map((outcome) => outcome.ok && outcome.receipt)).size).toBe(3);
  });
});

describe('the control face', () => {
  const control = async (path: string, body?: object) => {
    const response = await fetch(`${operator.url}/control/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Record<string, unknown> };
  };

  it('shows the prompt of a phone and takes the customer’s answer', async () => {
    await control('phones', { msisdn: `+${AMINA}`, behaviour: 'manual', pin: '4321' });
    await operator.call(PUSH, pushRequest(merchant));
    const shown = (await control(`prompts?msisdn=%2B${AMINA}`)).body.prompts;
    expect(shown).toMatchObject([
      { amountMinor: '65000', payee: 'VIP TV', accountReference: '40210000017' },
    ]);
    const [{ checkoutRequestId }] = shown as [{ checkoutRequestId: string }];
    const answer = { checkoutRequestId, answer: 'accept', pin: '4321' };
    expect((await control('prompts/answer', answer)).status).toBe(200);
    expect((await control('prompts/answer', answer)).status).toBe(404);
    expect((await control('books')).body).toMatchObject({
      entries: [{ amountMinor: '65000', confirmed: true }],
    });
  });

  it('hides a prompt that is ignored; the phone stays busy with it', async () => {
    operator.setPhone(AMINA, { behaviour: 'manual' });
    const { CheckoutRequestID } = (await operator.call(PUSH, pushRequest(merchant))).body;
    const ignored = { checkoutRequestId: CheckoutRequestID, answer: 'ignore' };
    expect((await control('prompts/answer', ignored)).status).toBe(200);
    expect((await control('prompts')).body).toEqual({ prompts: [] });
    expect((await operator.call(PUSH, pushRequest(merchant))).status).toBe(500);
  });

  it('answers 404 and 413 where there is nothing or too much', async () => {
    expect((await control('nothing')).status).toBe(404);
    expect((await control('faults', { text: 'x'.repeat(70_000) })).status).toBe(413);
  });

  it('starts a pay-bill payment in shillings', async () => {
    const paid = await control('pay-bill', { ...payment, amountMinor: undefined, amount: '12.5' });
    expect(paid.body).toMatchObject({ ok: true });
    expect(operator.books()).toMatchObject([{ amountMinor: 1_250n }]);
  });

  it.each([
    ['phones', { msisdn: AMINA, behaviour: 'dance' }],
    ['phones', { behaviour: 'accept' }],
    ['pay-bill', { msisdn: AMINA, amount: '1.234' }],
    ['prompts/answer', { checkoutRequestId: 'x', answer: 'perhaps' }],
    ['faults', { repeat: 1.5 }],
    ['settings', { msisdnForm: 'sung' }],
    ['tvu', { channel: 'ke-tvu', msisdn: AMINA, units: 0 }],
  ])('refuses %s with %j', async (path, body) => {
    expect((await control(path, body)).status).toBe(400);
  });

  it('sets faults, settings and resends', async () => {
    await control('faults', { msisdn: AMINA, drop: true });
    await control('settings', { alsoConfirm: false });
    await operator.payBill(payment);
    await operator.idle();
    expect(heardPaths()).toEqual(['/validate']);
    expect((await control('resend-unanswered', {})).body).toEqual({ answered: 0 });
    expect((await control('unanswered')).body).toEqual({ callbacks: [] });
  });
});
