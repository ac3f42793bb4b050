/**
 * What can be asked at the one door through which money moves, and what is answered. Every command
 * carries a key, `(provider, receipt)`, that acts once for ever; the raw words are kept with it.
 */
import type { TermName } from '../catalogue/rules.ts';
import type { RefusalCode, SuspenseReason } from '../errors.ts';

export interface CommandBase {
  /** `(provider, receipt)` acts once, for ever. */
  provider: string;
  receipt: string;
  channelId: string;
  siteId: bigint;
  /** When the act happens: prices, tariffs and terms are those of this instant. */
  at: Date;
  /** The message as it came, byte for byte. */
  raw: Buffer;
}

/** What an order of ours is for. */
export type Purpose =
  | { kind: 'term'; cardId: bigint; term: TermName }
  | { kind: 'credit'; cardId: bigint }
  | { kind: 'event'; cardId: bigint; eventId: bigint }
  | { kind: 'tvu'; subscriberId: bigint };

/** Money that has moved at an operator. */
export interface Payment extends CommandBase {
  kind: 'payment';
  amount: bigint;
  asset: string;
  /** As the payer wrote it. */
  accountRef: string | null;
  payerMsisdn: string | null;
  payerHash: string | null;
  /** Our order, when the notice answers one. */
  orderId: bigint | null;
}

/** TV units that an operator sold to a phone, by its signed notice. */
export interface TvuNotice extends CommandBase {
  kind: 'tvu_notice';
  msisdn: string;
  units: bigint;
}

/** Spends the wallet of a subscriber; `tvu` converts just enough units first. */
export interface Buy extends CommandBase {
  kind: 'buy';
  purpose: Extract<Purpose, { kind: 'term' | 'event' }>;
  /** The phone that asked; its wallet pays. */
  msisdn: string;
  means: 'credit' | 'tvu';
}

export interface ConvertTvu extends CommandBase {
  kind: 'convert_tvu';
  msisdn: string;
  units: bigint;
}

/** A reseller sends units to a phone; the PIN was checked before. */
export interface TransferTvu extends CommandBase {
  kind: 'transfer_tvu';
  fromMsisdn: string;
  toMsisdn: string;
  units: bigint;
}

/** The term has ended and the subscription renews by itself. */
export interface Renew extends CommandBase {
  kind: 'renew';
  cardId: bigint;
}

/** A held pay-per-view price is spent (on air) or given back (never on air). */
export interface SettleEvent extends CommandBase {
  kind: 'capture_event' | 'release_event';
  purchaseId: bigint;
}

/** The operator took a payment back. */
export interface ReversePayment extends CommandBase {
  kind: 'reverse_payment';
  original: { provider: string; receipt: string };
}

export type Command =
  | Payment
  | TvuNotice
  | Buy
  | ConvertTvu
  | TransferTvu
  | Renew
  | SettleEvent
  | ReversePayment;

/** Refusals are answers, never exceptions: a thrown refusal would spoil its neighbours. */
export type { RefusalCode, SuspenseReason };

/** What was done, as it is stored with the command and answered again to a repeat. */
export interface Settled {
  state: 'settled' | 'suspense' | 'refused';
  /** Short public reference (`8K2Q7`). */
  ref: string;
  /** Why, when refused or in suspense. */
  code: RefusalCode | SuspenseReason | null;
  /** ISO instant until which the card is now paid, when a term was bought. */
  paidUntil: string | null;
  /** Credit left in the payer's wallet, minor units as digits. */
  credit: string | null;
  /** TV units left, as digits; of the sender in a transfer. */
  units: string | null;
}

export type Outcome =
  /** `first` false: the key had acted before, and this is its first answer. */
  | { kind: 'done'; first: boolean; settled: Settled }
  /** Kept, not understood; staff see it, and a repeat tries it again. */
  | { kind: 'parked' }
  /** The key acted before with another content; nothing moved. */
  | { kind: 'receipt_differs'; settled: Settled }
  /** The database is away: the caller's provider must try again. */
  | { kind: 'unavailable' };

/** What is to be said because of a decision; wording and language are not billing's business. */
export interface Saying {
  siteId: bigint;
  language: 'en' | 'fr';
  /** E.164, or a card number for the screen. */
  to: { kind: 'text'; msisdn: string } | { kind: 'osd'; cardNumber: string };
  message: Message;
}

/** A reminder three days before the last paid day, the day before it, and on it. */
export type ReminderStep = 'd3' | 'd1' | 'd0';

/** Amounts in minor units of `asset`; names of people are masked already. */
export type Message =
  | {
      name: 'term_paid';
      amount: bigint;
      asset: string;
      bouquet: string;
      cardNumber: string;
      /** End of what is paid, exclusive. */
      until: Date;
      /** Days bought by amount; null for a named term. */
      days: number | null;
      ref: string;
    }
  | {
      name: 'paid_for_other';
      /** Whether the payer or the owner of the card reads it. */
      reader: 'payer' | 'owner';
      amount: bigint;
      asset: string;
      bouquet: string;
      cardNumber: string;
      maskedName: string;
      until: Date;
      ref: string;
    }
  | {
      name: 'credit_kept';
      amount: bigint;
      asset: string;
      /** Null for money to an account. */
      cardNumber: string | null;
      credit: bigint;
      /** What a term still needs; null when nothing waits for money. */
      missing: { amount: bigint; term: TermName } | null;
      ref: string;
    }
  | { name: 'tvu_bought'; amount: bigint; asset: string; units: bigint; have: bigint; ref: string }
  | {
      name: 'tvu_received';
      units: bigint;
      /** Who sent them: the reseller's name, or the channel. */
      from: string;
      have: bigint;
      ref: string;
    }
  | { name: 'tvu_sent'; units: bigint; phone: string; have: bigint; ref: string }
  | {
      name: 'tvu_converted';
      used: bigint;
      left: bigint;
      credit: bigint;
      total: bigint;
      asset: string;
      ref: string;
    }
  | {
      name: 'event_bought';
      amount: bigint;
      asset: string;
      title: string;
      cardNumber: string;
      start: Date;
      ref: string;
    }
  | { name: 'event_refunded'; amount: bigint; asset: string; title: string; ref: string }
  | { name: 'in_suspense'; amount: bigint; asset: string; reference: string; ref: string }
  | { name: 'renewal_failed'; cardNumber: string; missing: bigint; asset: string; term: TermName }
  | { name: 'payment_failed'; amount: bigint; asset: string; reason: string }
  | {
      name: 'reminder';
      step: ReminderStep;
      bouquet: string;
      cardNumber: string;
      /** End of what is paid, exclusive. */
      until: Date;
      /** What the next `term` costs. */
      price: bigint;
      asset: string;
      term: TermName;
      /** Not to be said after this. */
      notAfter: Date;
    };

/** One row of what goes out, worded. */
export interface OutboundDraft {
  kind: 'text' | 'osd';
  template: string;
  target: string;
  body: string;
  /** Not to be sent after this. */
  notAfter: Date;
}
