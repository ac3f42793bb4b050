/** What is to be said because of decisions, before it has words. */
import type { TermName } from '../catalogue/rules.ts';

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
  | {
      /** To the owner of the card that somebody says they paid for by mistake. */
      name: 'move_asked';
      amount: bigint;
      asset: string;
      cardNumber: string;
      /** When the time to object is over. */
      dueAt: Date;
    }
  | {
      /** To the same, when it is done. */
      name: 'payment_moved';
      amount: bigint;
      asset: string;
      cardNumber: string;
      /** End of what is paid now, exclusive; null when nothing is. */
      until: Date | null;
      ref: string;
    }
  | {
      /** To the payer: the payment stays where it is. */
      name: 'move_stopped';
      why: 'objected' | 'nothing_left';
      amount: bigint;
      asset: string;
      cardNumber: string;
    }
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
