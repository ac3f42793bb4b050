/**
 * The operator's side of a payment: prompts on customers' telephones, pay-bill payments that
 * customers start, money moving in the books, and the callbacks that follow from it.
 */

import type { Clock, Random } from '../../src/platform/ports.ts';
import type { BookEntry, Books, Callback, Push } from './books.ts';
import {
  c2bBody,
  decimal,
  localStamp,
  type MsisdnForm,
  PUSH_AMOUNT_SHILLINGS_MAX,
  pushFailedBody,
  pushPaidBody,
  RESULTS,
  type Result,
} from './daraja.ts';
import { type Delivery, type Faults, post, type Timers } from './delivery.ts';
import { jsonObject } from './http.ts';
import type { Phones } from './phones.ts';

/** What a customer does with a prompt; `ignore` leaves it until it runs out. */
export type PromptAnswer =
  | { answer: 'accept'; pin: string }
  | { answer: 'cancel' }
  | { answer: 'ignore' };

export type NewPush = Pick<
  Push,
  'msisdn' | 'amountMinor' | 'accountReference' | 'description' | 'callbackUrl'
>;

export interface PayBill {
  msisdn: string;
  accountReference: string;
  amountMinor: bigint;
}

export type PayBillOutcome =
  | { ok: true; receipt: string }
  | { ok: false; error: 'insufficient_funds' | 'quota' }
  /** The merchant's validation refused; `resultCode` is its word, e.g. `C2B00012`. */
  | { ok: false; error: 'refused'; resultCode: string };

export interface PaymentSettings {
  /** A paid push also produces the C2B confirmation of the same receipt. */
  alsoConfirm: boolean;
  msisdnForm: MsisdnForm;
}

export interface Payments {
  /** Null when the phone already shows a prompt. Waits for the callback under `beforeAnswer`. */
  openPush(push: NewPush): Promise<Push | null>;
  prompts(): Push[];
  /** False when no such prompt is open. Resolves when the callback was answered or given up. */
  answerPrompt(checkoutRequestId: string, answer: PromptAnswer): Promise<boolean>;
  /** Resolves once the money has moved or not; the confirmation follows, see `idle`. */
  payBill(payment: PayBill): Promise<PayBillOutcome>;
  /** Until no callback is under way and no phone is about to answer by itself. */
  idle(): Promise<void>;
  stop(): void;
}

export interface PaymentsDeps {
  books: Books;
  phones: Phones;
  delivery: Delivery;
  faultsOf(msisdn: string): Faults;
  settings: PaymentSettings;
  clock: Clock;
  random: Random;
  timers: Timers;
  shortCode: string;
  answerDelayMs: number;
  promptTimeoutMs: number;
  validationTimeoutMs: number;
}

interface Prompts {
  /** Cancels the timers of a prompt. */
  timers: Map<string, () => void>;
  ignored: Set<string>;
}

/** Takes up the prompts the books still hold open, and waits for new ones. */
export function createPayments(deps: PaymentsDeps): Payments {
  const prompts: Prompts = { timers: new Map(), ignored: new Set() };
  const stopped = new AbortController();
  const busy = createBusy();
  const finish = (push: Push, result: Result) => finishPush(deps, prompts, push, result);

  const schedule = (push: Push) => {
    const own = deps.phones.automaticAnswer(push.msisdn);
    const release = own === null ? () => {} : busy.enter();
    const delayMs = own === null ? deps.promptTimeoutMs : deps.answerDelayMs;
    const cancel = deps.timers.after(delayMs, () => {
      prompts.timers.delete(push.checkoutRequestId);
      const result = own === null ? RESULTS.noAnswer : resultOf(deps, push, own);
      void finish(push, result).finally(release);
    });
    prompts.timers.set(push.checkoutRequestId, () => {
      cancel();
      release();
    });
  };
  for (const push of deps.books.openPushes()) schedule(push);

  return {
    async openPush(wanted) {
      if (deps.books.openPushOf(wanted.msisdn) !== undefined) return null;
      const push = newPush(deps, wanted);
      deps.books.record({ event: 'push', push });
      const own = deps.phones.automaticAnswer(push.msisdn);
      if (own !== null && deps.faultsOf(push.msisdn).beforeAnswer) {
        await busy.during(() => finish(push, resultOf(deps, push, own)));
      } else {
        schedule(push);
      }
      return push;
    },
    prompts: () =>
      deps.books.openPushes().filter((push) => !prompts.ignored.has(push.checkoutRequestId)),
    async answerPrompt(id, answer) {
      const push = deps.books.push(id);
      if (push === undefined || push.resultCode !== null || prompts.ignored.has(id)) return false;
      if (answer.answer === 'ignore') prompts.ignored.add(id);
      else await busy.during(() => finish(push, resultOf(deps, push, answer)));
      return true;
    },
    payBill: (payment) => busy.during(() => payBill(deps, payment, { busy, stop: stopped.signal })),
    idle: () => busy.idle(),
    stop() {
      stopped.abort();
      for (const cancel of prompts.timers.values()) cancel();
      prompts.timers.clear();
    },
  };
}

function newPush({ books, clock, random }: PaymentsDeps, wanted: NewPush): Push {
  const at = clock.now();
  const local = localStamp(at);
  const day = `${local.slice(6, 8)}${local.slice(4, 6)}${local.slice(0, 4)}`;
  const stamp = `${day}${local.slice(8)}`;
  let serial = Math.floor(random.fraction() * 1000);
  const id = () => `ws_CO_${stamp}${String(serial).padStart(3, '0')}${wanted.msisdn.slice(3)}`;
  while (books.push(id()) !== undefined) serial += 1;
  const hex = random.hex(15);
  return {
    ...wanted,
    checkoutRequestId: id(),
    merchantRequestId: `${hex.slice(0, 4)}-${hex.slice(4, 8)}-${hex.slice(8, 12)}-${hex.slice(12)}`,
    at: at.toISOString(),
    resultCode: null,
  };
}

function resultOf({ books, phones }: PaymentsDeps, push: Push, answer: PromptAnswer): Result {
  if (answer.answer === 'ignore') return RESULTS.noAnswer;
  if (answer.answer === 'cancel') return RESULTS.cancelled;
  if (answer.pin !== phones.of(push.msisdn).pin) return RESULTS.wrongPin;
  if (push.amountMinor > PUSH_AMOUNT_SHILLINGS_MAX * 100n) return RESULTS.aboveMaximum;
  return books.balanceMinor(push.msisdn) < push.amountMinor ? RESULTS.insufficient : RESULTS.paid;
}

async function finishPush(
  deps: PaymentsDeps,
  prompts: Prompts,
  push: Push,
  result: Result,
): Promise<void> {
  const id = push.checkoutRequestId;
  prompts.timers.get(id)?.();
  prompts.timers.delete(id);
  prompts.ignored.delete(id);
  const entry =
    result === RESULTS.paid ? newEntry(deps, push, { kind: 'push', at: deps.clock.now() }) : null;
  const resultCode = result.code;
  deps.books.record({ event: 'answered', checkoutRequestId: id, resultCode, entry });
  const faults = deps.faultsOf(push.msisdn);
  await deps.delivery.deliver(pushCallbacks(deps, push, result, entry), faults);
}

function pushCallbacks(
  deps: PaymentsDeps,
  push: Push,
  result: Result,
  entry: BookEntry | null,
): Callback[] {
  const { checkoutRequestId: id, callbackUrl: url } = push;
  if (entry === null) {
    return [{ id, url, body: pushFailedBody(push, result), receipt: null }];
  }
  const { wrongAmountMinor, valuelessBalance } = deps.faultsOf(push.msisdn);
  const amountMinor = wrongAmountMinor ?? entry.amountMinor;
  const body = pushPaidBody(push, entry, { amountMinor, valuelessBalance });
  const paid = { id, url, body, receipt: entry.receipt };
  return deps.settings.alsoConfirm ? [paid, ...confirmations(deps, entry, '')] : [paid];
}

async function payBill(
  deps: PaymentsDeps,
  payment: PayBill,
  run: { busy: Busy; stop: AbortSignal },
): Promise<PayBillOutcome> {
  if (deps.books.full()) return { ok: false, error: 'quota' };
  const entry = newEntry(deps, payment, { kind: 'pay_bill', at: deps.clock.now() });
  const verdict = await validate(deps, entry, run.stop);
  if (run.stop.aborted) return { ok: false, error: 'refused', resultCode: 'no_answer' };
  if (!verdict.accepted) return { ok: false, error: 'refused', resultCode: verdict.resultCode };
  // Looked at after the merchant's answer: two payments may have been asked about at once.
  if (deps.books.balanceMinor(payment.msisdn) < payment.amountMinor) {
    return { ok: false, error: 'insufficient_funds' };
  }
  deps.books.record({ event: 'moved', entry });
  const callbacks = confirmations(deps, entry, verdict.thirdPartyTransId);
  const faults = deps.faultsOf(payment.msisdn);
  void run.busy.during(() => deps.delivery.deliver(callbacks, faults));
  return { ok: true, receipt: entry.receipt };
}

type Verdict =
  | { accepted: true; thirdPartyTransId: string }
  | { accepted: false; resultCode: string };

/** Asks the ValidationURL; when it does not answer, the registered ResponseType decides. */
async function validate(deps: PaymentsDeps, entry: BookEntry, stop: AbortSignal): Promise<Verdict> {
  const urls = deps.books.urls();
  if (urls === null || urls.validationUrl === '') return { accepted: true, thirdPartyTransId: '' };
  const body = c2bBody(entry, {
    shortCode: deps.shortCode,
    form: deps.settings.msisdnForm,
    name: deps.phones.of(entry.msisdn).name,
    organisationBalance: '',
    thirdPartyTransId: '',
    amountMinor: entry.amountMinor,
  });
  const limits = { timeoutMs: deps.validationTimeoutMs, stop };
  const answer = await post(urls.validationUrl, body, limits);
  const said = answer?.status === 200 ? jsonObject(answer.body) : null;
  const resultCode = said === null ? '' : String(said.ResultCode ?? '');
  if (resultCode === '') {
    return urls.responseType === 'Completed'
      ? { accepted: true, thirdPartyTransId: '' }
      : { accepted: false, resultCode: 'no_answer' };
  }
  if (resultCode !== '0') return { accepted: false, resultCode };
  return { accepted: true, thirdPartyTransId: String(said?.ThirdPartyTransID ?? '') };
}

function confirmations(
  deps: PaymentsDeps,
  entry: BookEntry,
  thirdPartyTransId: string,
): Callback[] {
  const urls = deps.books.urls();
  if (urls === null) return [];
  const body = c2bBody(entry, {
    shortCode: deps.shortCode,
    form: deps.settings.msisdnForm,
    name: deps.phones.of(entry.msisdn).name,
    organisationBalance: decimal(deps.books.organisationBalanceMinor()),
    thirdPartyTransId,
    amountMinor: deps.faultsOf(entry.msisdn).wrongAmountMinor ?? entry.amountMinor,
  });
  return [{ id: entry.receipt, url: urls.confirmationUrl, body, receipt: entry.receipt }];
}

function newEntry(
  { books }: PaymentsDeps,
  payment: PayBill,
  how: { kind: BookEntry['kind']; at: Date },
): BookEntry {
  return {
    receipt: books.newReceipt(how.at),
    msisdn: payment.msisdn,
    amountMinor: payment.amountMinor,
    accountReference: payment.accountReference,
    kind: how.kind,
    at: how.at.toISOString(),
    confirmed: false,
  };
}

interface Busy {
  enter(): () => void;
  during<T>(work: () => Promise<T>): Promise<T>;
  idle(): Promise<void>;
}

function createBusy(): Busy {
  let count = 0;
  let waiting: (() => void)[] = [];
  const enter = () => {
    count += 1;
    let left = false;
    return () => {
      if (left) return;
      left = true;
      count -= 1;
      if (count > 0) return;
      for (const wake of waiting) wake();
      waiting = [];
    };
  };
  return {
    enter,
    during(work) {
      const leave = enter();
      return work().finally(leave);
    },
    idle: () => (count === 0 ? Promise.resolve() : new Promise((resolve) => waiting.push(resolve))),
  };
}
