/**
 * What the driver of prepaid stories needs of an operator: on paper, or over a database. Ids are
 * the house's own; the driver knows accounts and subscriptions by the names of the case.
 */
import type { Catalogue, TermName } from '../../src/billing/catalogue/rules.ts';
import type { Command, Message, Settled } from '../../src/billing/settlement/commands.ts';
import type {
  LineFacts,
  PromotionFacts,
  Right,
  VoucherFacts,
} from '../../src/billing/settlement/facts.ts';
import type { Interval, SubscriptionState } from '../../src/billing/settlement/lines.ts';
import type { Preview } from '../../src/billing/settlement/preview.ts';

/** The operator before anything has happened. Ids of sites, bouquets, events are the setup's. */
export interface HouseSetup {
  catalogue: Catalogue;
  vouchers: readonly Omit<VoucherFacts, 'id' | 'used'>[];
  promotions: readonly Omit<PromotionFacts, 'id'>[];
}

export interface NewAccount {
  name: string;
  siteId: bigint;
  /** A phone that nobody else in the case has. */
  msisdn: string;
  at: Date;
}

export interface NewSubscription {
  ref: string;
  /** Name of the account. */
  account: string;
  cardNumber: string;
  bouquetId: bigint;
  term: TermName;
  decoder: string | null;
  person: string | null;
  /** Ref of the subscription it hangs on. */
  main: string | null;
  reseller: string | null;
  at: Date;
}

export interface Wallet {
  paid: bigint;
  promo: bigint;
  held: bigint;
  owed: bigint;
}

export interface Said {
  /** E.164, or a card number for the screen. */
  to: string;
  message: Message;
}

export interface Answered {
  settled: Settled;
  /** The key had acted before with another content; nothing moved. */
  differs: boolean;
}

export interface KnownCard {
  id: bigint;
  /** Name of the account it belongs to. */
  account: string;
}

/** The money channel of a site. */
export const channelOf = (siteId: bigint): string => `pay-${siteId}`;

export interface PrepaidHouse {
  openAccount(account: NewAccount): Promise<void>;
  openSubscription(subscription: NewSubscription): Promise<void>;
  /** Settles one command; a known key is answered as the first time. */
  settle(command: Command): Promise<Answered>;
  /** What a command would do; nothing changes. */
  preview(command: Command): Promise<Preview>;
  /** Does everything that is due at or before `until`, in its order, each at its own instant. */
  due(until: Date): Promise<void>;

  /** Null: no such account, card, purchase, or a subscription that is its card's no more. */
  subscriberId(account: string): Promise<bigint | null>;
  cardOf(ref: string): Promise<KnownCard | null>;
  cardNumbered(number: string): Promise<KnownCard | null>;
  purchaseId(cardNumber: string, eventCode: string): Promise<bigint | null>;

  /** The last run without a gap; null when nothing was ever bought or given. */
  term(ref: string): Promise<Interval | null>;
  /** Everything sold or given that stands, by id. */
  lines(ref: string): Promise<readonly LineFacts[]>;
  state(ref: string, at: Date): Promise<SubscriptionState>;
  rights(cardNumber: string, at: Date): Promise<readonly Right[]>;
  wallet(account: string): Promise<Wallet>;
  /** Units by asset (`TVU-CI`). */
  units(account: string): Promise<ReadonlyMap<string, bigint>>;
  /** Sums by asset and kind of account since the beginning. */
  journal(): Promise<ReadonlyMap<string, ReadonlyMap<string, bigint>>>;
  /** What is not earned, by asset, when all days before that of `at` are. */
  deferred(at: Date): Promise<ReadonlyMap<string, bigint>>;
  /** Sentences about what does not hold: journals, balances, lots. Empty when all is sound. */
  faults(): Promise<readonly string[]>;
  suspense(currency: string): Promise<bigint>;
  promotionBudget(code: string): Promise<bigint>;
  /** All that was said, oldest first. */
  said(): Promise<readonly Said[]>;
  close(): Promise<void>;
}
