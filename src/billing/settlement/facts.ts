/** What a decision may look at: read under lock for the whole batch, never fetched in between. */

import type { LocalDate } from '../../platform/calendar.ts';
import type { Category } from '../catalogue/file/types.ts';
import type { TermName } from '../catalogue/rules.ts';
import type { Lot } from '../ledger/rules.ts';
import type { Run } from '../subscriptions/rules.ts';
import type { OutboundDraft, Purpose, Saying, Settled } from './commands.ts';
import type { SoldTax } from './taxes.ts';

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
  /** Wallet of promotional credit; opened with the first of it. */
  promoId?: bigint | null;
  /** Wallets of the units of other countries, by asset; opened with the first of them. */
  otherUnits?: ReadonlyMap<string, bigint>;
  /** Has open debts: a loader then reads them. */
  owes?: boolean;
}

export interface SubscriptionFacts extends Run {
  id: bigint;
  bouquetId: bigint;
  term: TermName;
  autoRenew: boolean;
  waitingTerm: TermName | null;
  /** The term that renews by itself; null or left out: `term`. */
  renewTerm?: TermName | null;
  /** Renewal is tried at ends after this; null or left out: at any end. */
  autoRenewSince?: Date | null;
  closedAt?: Date | null;
  /** Paused now; ends by itself at `until`. */
  pause?: { from: Date; until: Date } | null;
  /** Days paused in the latest year in which a pause began. */
  pausedDays?: { year: number; days: number } | null;
  /** The card of the subscription that this one hangs on. */
  mainCardId?: bigint | null;
  /** Other subscriptions hang on this one: their cards are loaded with it. */
  isMain?: boolean;
  decoder?: string | null;
  person?: string | null;
  /** Who brought the subscriber, and how many payments have come: 2 stands for more. */
  reseller?: string | null;
  payments?: 0 | 1 | 2;
}

export interface CardFacts {
  id: bigint;
  number: string;
  siteId: bigint;
  subscriberId: bigint;
  /** Of its owner: whose prices hold. Left out: those for all. */
  category?: Category;
  /** The conditional-access system it belongs to. */
  casId: string;
  /** Blacklisted: nothing is sold to it. */
  isBlocked?: boolean;
  subscription: SubscriptionFacts | null;
  desiredRev: number;
  desired: readonly Right[];
  /** The inbox row of the act that raised them, where a batch has. */
  raisedBy?: bigint;
  /**
   * When which product is paid or given, of all lines of the card, before grace and main: touching
   * intervals merged. What ended long ago may be left out. Left out: none but the running term.
   */
  coverage?: readonly Right[];
  /** What subscriptions before the present one still let the card see. */
  older?: readonly Right[];
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
  siteId: bigint;
  /** When the payment came, and who paid it for which card. */
  at: Date;
  asset: string;
  amount: bigint;
  payerMsisdn: string | null;
  means: PaymentMeans | null;
  /** In the order of time; empty while in suspense. */
  places: readonly PaymentPlace[];
  move: MoveFacts | null;
}

export type PaymentMeans = 'mobile_money' | 'agent' | 'card' | 'cash';

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
  rare?: Partial<RareFacts>;
}

/** A sold or given interval of a subscription, with all that giving its value back needs. */
export interface LineFacts {
  id: bigint;
  subscriptionId: bigint;
  bouquetId: bigint;
  kind: LineKind;
  /** Length of `days`, `trial`, `bonus`, `incident`; null for named terms, add-ons, upgrades. */
  days: number | null;
  from: Date;
  /** Exclusive; moves when a pause or a line before it changes. */
  to: Date;
  asset: string;
  /** What is kept of the price, taxes inside; 0 for free time. */
  price: bigint;
  /** The taxes in it, with the rates of the sale. */
  taxes: readonly SoldTax[];
  /** Null for free time: no money moved. */
  journalId: bigint | null;
  /** When it was bought: it never starts before. */
  soldAt: Date;
  /** B of this line plus its length: what a term that extends it counts from. */
  baseDate: LocalDate;
  anchorDay: number | null;
  /** Local time of the first purchase of its run, for `same_time`; ms since midnight. */
  timeOfDay: number;
  /** What it was paid with, in the order of consumption; emptied from the end. */
  parts: readonly LinePart[];
  /** Who paid when no lot did. */
  paidBy: 'wallet' | 'loan' | 'voucher' | 'nobody';
  /** Times without service inside it: pauses that are over. */
  breaks: readonly { from: Date; to: Date }[];
  /** The term that an upgrade or an add-on runs beside; null for terms. */
  beside: bigint | null;
  /** What it was given for: an incident, a promotion, a scratch card. */
  reference: string | null;
  /** `void`: as if never bought. */
  state: 'sold' | 'void';
}

export type LineKind = TermName | 'days' | 'trial' | 'bonus' | 'incident' | 'addon' | 'upgrade';

/**
 * A piece of a lot that a line was paid with. It describes the lot, because a lot that came and
 * went in one act has no row: giving value back writes it then.
 */
export interface LinePart {
  lotId: bigint;
  accountId: bigint;
  lotJournalId: bigint;
  kind: 'paid' | 'promo';
  priority: number;
  expiresAt: Date | null;
  amount: bigint;
}

/** Money a subscriber owes: a loan, or a payment taken back after use. Oldest id first. */
export interface DebtFacts {
  id: bigint;
  subscriberId: bigint;
  kind: 'loan' | 'reversal';
  asset: string;
  amount: bigint;
  /** What of the amount is the fee of a loan. */
  fee: bigint;
  remaining: bigint;
  /** The line a loan paid. */
  lineId: bigint | null;
}

/** A request to move a payment to another card; one for ever for each payment. */
export interface MoveFacts {
  id: bigint;
  /** Inbox row of the payment. */
  paymentId: bigint;
  toCardId: bigint;
  payer: string;
  askedAt: Date;
  /** When the time to object is over. */
  dueAt: Date;
  state: 'pending' | 'done' | 'objected' | 'lapsed';
}

/** Where the money of a payment is: first its own account, then after a claim or a move. */
export interface PaymentPlace {
  paymentId: bigint;
  /** The journal whose lot holds it. */
  journalId: bigint;
  subscriberId: bigint;
  cardId: bigint | null;
  amount: bigint;
}

export interface VoucherFacts {
  id: bigint;
  /** As typed; whoever loads it knows how it is kept. */
  code: string;
  kind: 'amount' | 'days';
  value: bigint;
  asset: string;
  expiresAt: Date;
  state:
    | 'GENERATED'
    | 'EXPORTED'
    | 'IN_STOCK'
    | 'IN_TRANSIT'
    | 'CONSIGNED'
    | 'ACTIVATED'
    | 'BLOCKED'
    | 'USED';
  bonus: bigint;
  bonusDays: number | null;
  /** For `days`; null: the plan of the card. */
  bouquetId: bigint | null;
  days: number | null;
  /** When, by which card and with what answer it was used. */
  used: { at: Date; cardId: bigint; settled: Settled } | null;
}

export interface PromotionFacts {
  id: bigint;
  siteId: bigint;
  code: string;
  bouquetId: bigint;
  term: TermName;
  bonusDays: number;
  budgetLeft: bigint;
  from: Date;
  to: Date;
}

export interface TrialFacts {
  /** The decoder's number, or the card's when it has none. */
  decoder: string;
  person: string | null;
  /** Local date of the grant. */
  on: LocalDate;
}

export interface CommissionFacts {
  id: bigint;
  subscriptionId: bigint;
  siteId: bigint;
  reseller: string;
  asset: string;
  amount: bigint;
  dueAt: Date;
  /** `kept` when a second payment came in time. */
  state: 'open' | 'kept' | 'taken_back';
}

/** An invoice of a postpaid account. */
export interface InvoiceFacts {
  id: bigint;
  accountId: bigint;
  /** Where the account is; another site in the name of the same legal entity may be paid. */
  siteId: bigint;
  asset: string;
}

/** Facts that few commands need; a loader leaves out what its batch does not ask for. */
export interface RareFacts {
  /** Open debts by subscriber; loaded for subscribers that owe. */
  debts: ReadonlyMap<bigint, readonly DebtFacts[]>;
  /** All lines of a subscription that are not void, by subscription. */
  lines: ReadonlyMap<bigint, readonly LineFacts[]>;
  moves: ReadonlyMap<bigint, MoveFacts>;
  /** When this payer asked for moves, at least for the last 32 days. */
  movesAsked: ReadonlyMap<string, readonly Date[]>;
  vouchers: ReadonlyMap<string, VoucherFacts>;
  /** By `<siteId>|<code>`. */
  promotions: ReadonlyMap<string, PromotionFacts>;
  /** `<promotionId>/<cardId>`. */
  promotionsUsed: ReadonlySet<string>;
  /** Trials of the decoders and persons asked about. */
  trials: readonly TrialFacts[];
  commissions: ReadonlyMap<bigint, CommissionFacts>;
  /** When units were sent from this account, at least for the last 48 hours. */
  unitTransfers: ReadonlyMap<bigint, readonly Date[]>;
  /** Cards whose subscription hangs on another's, by the card of the main one. */
  linkedCards: ReadonlyMap<bigint, readonly bigint[]>;
  /** Invoices to which money can be paid, by `<siteId>|<letters and digits of the number>`. */
  invoices: ReadonlyMap<string, InvoiceFacts>;
}

export const NO_RARE_FACTS: RareFacts = {
  debts: new Map(),
  lines: new Map(),
  moves: new Map(),
  movesAsked: new Map(),
  vouchers: new Map(),
  promotions: new Map(),
  promotionsUsed: new Set(),
  trials: [],
  commissions: new Map(),
  unitTransfers: new Map(),
  linkedCards: new Map(),
  invoices: new Map(),
};

/** The pure functions that higher rooms hand in. */
export interface SettlementPorts {
  rightsFor(facts: {
    /** Intervals of the card by product, touching ones merged. */
    own: readonly Right[];
    /** Those of the card it hangs on; null when it hangs on none. */
    main: readonly Right[] | null;
    graceHours: number;
    events: readonly Right[];
    at: Date;
  }): Right[];
  messagesFor(saying: Saying, at: Date): OutboundDraft | null;
  /**
   * Whether the conditional-access system of a card can show a product; left out: it can show all.
   */
  carries?(casId: string, product: string): boolean;
}
