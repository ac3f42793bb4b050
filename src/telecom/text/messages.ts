/**
 * What is said because of a decision of billing: every `Message` becomes a key of the language
 * files and its values. Called inside settlement for each payment, so it is pure and cheap: the
 * templates are compiled before and days are looked up (see `language.ts`).
 */

import type { TermName } from '../../billing/catalogue/rules.ts';
import type { Message, OutboundDraft, Saying } from '../../billing/settlement/commands.ts';
import { currencyExponent } from '../../platform/money/amount.ts';
import type { MoneyReason } from '../canonical.ts';
import {
  amountText,
  createDates,
  type LanguageKey,
  type Languages,
  type Values,
} from '../language.ts';
import { termWords } from '../terms.ts';

export interface Messages {
  /**
   * The row to write for a saying at the instant `at`; null when nothing is said on a screen for
   * such a message. Throws for a site or currency that does not exist.
   */
  messagesFor(saying: Saying, at: Date): OutboundDraft | null;
}

export interface MessagesDeps {
  languages: Languages;
  /** `*384*123#`: what a subscriber of the site dials. */
  serviceCodeOf(siteId: bigint): string;
  siteOf(siteId: bigint): { timeZone: string };
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** Somebody paid: a receipt is good news even after a week without network. */
const RECEIPT_LIFE_MS = 7 * DAY_MS;
/** "Not paid, dial again" misleads once the subscriber has dialled again. */
const ADVICE_LIFE_MS = DAY_MS;
/** The viewer who has just paid sits before the screen now, or not at all. */
const SCREEN_LIFE_MS = 10 * MINUTE_MS;

/** The wording of texts and on-screen messages. */
export function createMessages(deps: MessagesDeps): Messages {
  const dates = createDates();

  return {
    messagesFor({ siteId, language, to, message }, at) {
      const { timeZone } = deps.siteOf(siteId);
      const say: Say = {
        amount: amountOf,
        lastDay: (until) => dates.lastDay(until, timeZone),
        start: (instant) => dates.start(instant, timeZone),
        term: (name) => {
          const { key, values } = termWords('term.name', name);
          return deps.languages.render(language, key, values);
        },
        code: () => deps.serviceCodeOf(siteId),
      };
      const worded = to.kind === 'text' ? textOf(message, say) : screenOf(message, say);
      if (worded === null) return null;
      return {
        kind: to.kind,
        template: worded.key,
        target: to.kind === 'text' ? to.msisdn : to.cardNumber,
        body: deps.languages.render(language, worded.key, worded.values),
        notAfter: notAfterOf(to.kind, message, at),
      };
    },
  };
}

interface Worded {
  key: LanguageKey;
  values: Values;
}

/** How values are written for one site and language. */
interface Say {
  amount(minor: bigint, asset: string): string;
  lastDay(until: Date): string;
  start(at: Date): string;
  term(name: TermName): string;
  code(): string;
}

type MessageOf<Name extends Message['name']> = Extract<Message, { name: Name }>;

function notAfterOf(kind: Saying['to']['kind'], message: Message, at: Date): Date {
  if (message.name === 'reminder') return message.notAfter;
  // Who can object no more is not asked to.
  if (message.name === 'move_asked') return message.dueAt;
  return new Date(at.getTime() + lifeMs(kind, message));
}

function lifeMs(kind: Saying['to']['kind'], { name }: Message): number {
  if (kind === 'osd') return SCREEN_LIFE_MS;
  return name === 'renewal_failed' || name === 'payment_failed' ? ADVICE_LIFE_MS : RECEIPT_LIFE_MS;
}

function textOf(message: Message, say: Say): Worded {
  switch (message.name) {
    case 'term_paid':
      return termPaid(message, say);
    case 'paid_for_other':
      return paidForOther(message, say);
    case 'credit_kept':
      return creditKept(message, say);
    case 'tvu_bought':
    case 'tvu_received':
    case 'tvu_sent':
    case 'tvu_converted':
      return unitsText(message, say);
    case 'event_bought':
      return { key: 'text.receipt.event', values: eventValues(message, say) };
    case 'event_refunded':
    case 'in_suspense':
      return moneyWithoutService(message, say);
    case 'renewal_failed': {
      const { cardNumber, asset, term } = message;
      const missing = say.amount(message.missing, asset);
      const values = { last4: last4(cardNumber), missing, term: say.term(term), code: say.code() };
      return { key: 'text.renewal_failed', values };
    }
    case 'payment_failed': {
      const key = FAILED_KEYS.get(message.reason) ?? 'text.payment_failed.unknown';
      return {
        key,
        values: { amount: say.amount(message.amount, message.asset), code: say.code() },
      };
    }
    case 'move_asked':
    case 'payment_moved':
    case 'move_stopped':
      return moveText(message, say);
    case 'reminder':
      return { key: `text.reminder.${message.step}`, values: reminderValues(message, say) };
  }
}

/** What is shown on a television, which says neither names nor credit to the whole room. */
function screenOf(message: Message, say: Say): Worded | null {
  switch (message.name) {
    case 'term_paid':
      return { key: 'osd.receipt.term', values: termValues(message, say) };
    case 'event_bought':
      return { key: 'osd.receipt.event', values: eventValues(message, say) };
    case 'credit_kept': {
      if (message.missing === null) return null;
      const { amount, asset, missing, ref } = message;
      const waits = { missing: say.amount(missing.amount, asset), term: say.term(missing.term) };
      return {
        key: 'osd.receipt.credit',
        values: { amount: say.amount(amount, asset), ...waits, ref },
      };
    }
    case 'reminder':
      return { key: `osd.reminder.${message.step}`, values: reminderValues(message, say) };
    default:
      return null;
  }
}

function termPaid(message: MessageOf<'term_paid'>, say: Say): Worded {
  const values = termValues(message, say);
  if (message.days === null) return { key: 'text.receipt.term', values };
  return { key: 'text.receipt.days', values: { ...values, days: String(message.days) } };
}

function paidForOther(message: MessageOf<'paid_for_other'>, say: Say): Worded {
  const values = termValues(message, say);
  if (message.reader === 'owner') return { key: 'text.receipt.other_card.owner', values };
  const name = message.maskedName;
  return { key: 'text.receipt.other_card.payer', values: { ...values, name } };
}

function creditKept(message: MessageOf<'credit_kept'>, say: Say): Worded {
  const { asset, cardNumber, missing, ref } = message;
  const amount = say.amount(message.amount, asset);
  const common = { amount, credit: say.amount(message.credit, asset), ref };
  if (cardNumber === null) {
    return { key: 'text.receipt.credit_account', values: { ...common, code: say.code() } };
  }
  const card = { ...common, last4: last4(cardNumber) };
  if (missing === null) {
    return { key: 'text.receipt.credit_enough', values: { ...card, code: say.code() } };
  }
  const waits = { missing: say.amount(missing.amount, asset), term: say.term(missing.term) };
  return { key: 'text.receipt.credit', values: { ...card, ...waits } };
}

function unitsText(
  message: MessageOf<'tvu_bought' | 'tvu_received' | 'tvu_sent' | 'tvu_converted'>,
  say: Say,
): Worded {
  const { ref } = message;
  if (message.name === 'tvu_converted') {
    const { used, left, asset } = message;
    const money = {
      credit: say.amount(message.credit, asset),
      total: say.amount(message.total, asset),
    };
    return {
      key: 'text.converted',
      values: { used: String(used), left: String(left), ...money, ref },
    };
  }
  const values = { units: String(message.units), have: String(message.have), ref };
  switch (message.name) {
    case 'tvu_bought': {
      const amount = say.amount(message.amount, message.asset);
      return { key: 'text.receipt.tvu', values: { ...values, amount, code: say.code() } };
    }
    case 'tvu_received':
      return {
        key: 'text.tvu_received',
        values: { ...values, from: message.from, code: say.code() },
      };
    case 'tvu_sent':
      return { key: 'text.tvu_sent', values: { ...values, phone: message.phone } };
  }
}

function moveText(
  message: MessageOf<'move_asked' | 'payment_moved' | 'move_stopped'>,
  say: Say,
): Worded {
  const amount = say.amount(message.amount, message.asset);
  const values = { amount, last4: last4(message.cardNumber) };
  switch (message.name) {
    case 'move_asked':
      return { key: 'text.move.asked', values: { ...values, time: say.start(message.dueAt) } };
    case 'move_stopped':
      return { key: `text.move.${message.why}`, values };
    case 'payment_moved': {
      const { until, ref } = message;
      if (until === null) return { key: 'text.move.done.ended', values: { ...values, ref } };
      return { key: 'text.move.done', values: { ...values, until: say.lastDay(until), ref } };
    }
  }
}

function moneyWithoutService(
  message: MessageOf<'event_refunded' | 'in_suspense'>,
  say: Say,
): Worded {
  const common = { amount: say.amount(message.amount, message.asset), ref: message.ref };
  return message.name === 'event_refunded'
    ? { key: 'text.event_refunded', values: { ...common, title: message.title } }
    : { key: 'text.suspense', values: { ...common, reference: message.reference } };
}

function termValues(message: MessageOf<'term_paid' | 'paid_for_other'>, say: Say): Values {
  return {
    amount: say.amount(message.amount, message.asset),
    bouquet: message.bouquet,
    last4: last4(message.cardNumber),
    until: say.lastDay(message.until),
    ref: message.ref,
  };
}

function reminderValues(message: MessageOf<'reminder'>, say: Say): Values {
  return {
    bouquet: message.bouquet,
    last4: last4(message.cardNumber),
    until: say.lastDay(message.until),
    price: say.amount(message.price, message.asset),
    term: say.term(message.term),
    code: say.code(),
  };
}

function eventValues(message: MessageOf<'event_bought'>, say: Say): Values {
  return {
    amount: say.amount(message.amount, message.asset),
    title: message.title,
    start: say.start(message.start),
    last4: last4(message.cardNumber),
    ref: message.ref,
  };
}

/** Every reason there is; the compiler refuses a missing one. */
const FAILED: { readonly [Reason in MoneyReason]: LanguageKey } = {
  insufficient_funds: 'text.payment_failed.insufficient_funds',
  payer_timeout: 'text.payment_failed.payer_timeout',
  payer_declined: 'text.payment_failed.payer_declined',
  invalid_payer: 'text.payment_failed.invalid_payer',
  payer_limit_reached: 'text.payment_failed.payer_limit_reached',
  payer_account_blocked: 'text.payment_failed.payer_account_blocked',
  invalid_payee: 'text.payment_failed.invalid_payee',
  provider_unavailable: 'text.payment_failed.provider_unavailable',
  provider_error: 'text.payment_failed.provider_error',
  wrong_pin: 'text.payment_failed.wrong_pin',
  duplicate: 'text.payment_failed.duplicate',
  amount_mismatch: 'text.payment_failed.amount_mismatch',
  unknown: 'text.payment_failed.unknown',
};
const FAILED_KEYS: ReadonlyMap<string, LanguageKey> = new Map(Object.entries(FAILED));

function amountOf(minor: bigint, asset: string): string {
  const known = currencyExponent(asset);
  if (!known.ok) throw new Error(`a message in the unknown currency ${asset}`);
  return amountText(minor, asset, known.exponent);
}

function last4(cardNumber: string): string {
  return cardNumber.slice(-4);
}
