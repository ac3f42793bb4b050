/** What a decision may look at: read under lock for the whole batch, never fetched in between. */

import type { TermName } from '../catalogue/rules.ts';
import type { Lot } from '../ledger/rules.ts';
import type { Run } from '../subscriptions/rules.ts';
import type { OutboundDraft, Purpose, Saying } from './commands.ts';

/** A right as billing hands it on; `entitlement/rights` says what the set must be. */
export interface Right {
  product: string;
  from: Date;
  to: Date;
}

export interface SubscriberFacts {
  id: bigint;
  siteId: bigint;
  fullName: string;
  contactMsisdn: string | null;
  language: 'en' | 'fr';
  walletId: bigint;
  tvuWalletId: bigint;
  heldId: bigint;
}

export interface SubscriptionFacts extends Run {
  id: bigint;
  bouquetId: bigint;
  term: TermName;
  autoRenew: boolean;
  waitingTerm: TermName | null;
}

export interface CardFacts {
  id: bigint;
  number: string;
  siteId: bigint;
  subscriberId: bigint;
  subscription: SubscriptionFacts | null;
  desiredRev: number;
  desired: readonly Right[];
}

export interface ResellerFacts {
  id: bigint;
  siteId: bigint;
  name: string;
  msisdn: string;
  tvuWalletId: bigint;
}

export interface OrderFacts {
  id: bigint;
  state: string;
  msisdn: string;
  amount: bigint;
  asset: string;
  purpose: Purpose;
}

export interface EventPurchaseFacts {
  id: bigint;
  eventId: bigint;
  cardId: bigint;
  subscriberId: bigint;
  asset: string;
  price: bigint;
  tax: bigint;
  state: 'held' | 'captured' | 'released';
  parts: readonly { lotId: bigint; amount: bigint }[];
}

/** The payment a reversal names, as it was booked. */
export interface BookedPayment {
  inboxId: bigint;
  state: string;
  journalId: bigint;
  alreadyReversed: boolean;
  entries: readonly { accountId: bigint; asset: string; amount: bigint }[];
  suspenseOpen: boolean;
}

export interface Facts {
  subscribers: ReadonlyMap<bigint, SubscriberFacts>;
  cards: ReadonlyMap<bigint, CardFacts>;
  cardByNumber: ReadonlyMap<string, bigint>;
  /** Subscriber of a phone, and a reseller's by their phone. */
  subscriberByPhone: ReadonlyMap<string, bigint>;
  resellerByPhone: ReadonlyMap<string, ResellerFacts>;
  /** Phones of ours by the hash of their number. */
  phoneByHash: ReadonlyMap<string, string>;
  orders: ReadonlyMap<bigint, OrderFacts>;
  orderByRef: ReadonlyMap<string, bigint>;
  balances: ReadonlyMap<bigint, bigint>;
  lots: ReadonlyMap<bigint, readonly Lot[]>;
  eventPurchases: ReadonlyMap<bigint, EventPurchaseFacts>;
  /** `<eventId>/<cardId>` of what was bought before. */
  eventsBought: ReadonlySet<string>;
  bookedPayments: ReadonlyMap<string, BookedPayment>;
}

/** The pure functions that higher rooms hand in. */
export interface SettlementPorts {
  rightsFor(facts: {
    subscription: { products: readonly string[]; from: Date; to: Date } | null;
    events: readonly Right[];
    at: Date;
  }): Right[];
  messagesFor(saying: Saying, at: Date): OutboundDraft | null;
}
