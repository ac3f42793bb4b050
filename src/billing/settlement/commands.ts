/**
 * What can be asked at the one door through which money moves, and what is answered. Every command
 * carries a key, `(provider, receipt)`, that acts once for ever; the raw words are kept with it.
 */
import type { TermName } from '../catalogue/rules.ts';
import type { RefusalCode, SuspenseReason } from '../errors.ts';
import type { PaymentMeans } from './facts.ts';

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
  /** `count` terms one after another (1), with the code of a promotion. */
  | { kind: 'term'; cardId: bigint; term: TermName; count?: number; code?: string }
  | { kind: 'credit'; cardId: bigint }
  | { kind: 'event'; cardId: bigint; eventId: bigint }
  | { kind: 'tvu'; subscriberId: bigint }
  /** A payment of a postpaid account. */
  | { kind: 'invoice'; accountId: bigint; paymentId: bigint };

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
  /**
   * The card, where the door knows it for certain and asks before it takes the money; `accountRef`
   * is then not read, and another currency than the account's is refused.
   */
  cardNumber?: string | null;
  means?: PaymentMeans | null;
}

/** Credit put into a wallet by staff: paid money over the desk, or promotional. */
export interface TopUp extends CommandBase {
  kind: 'top_up';
  subscriberId: bigint;
  amount: bigint;
  credit: 'paid' | 'promo';
  expiresAt: Date | null;
  /** Null: the site's. */
  priority: number | null;
}

export interface Refund extends CommandBase {
  kind: 'refund';
  subscriberId: bigint;
  amount: bigint;
}

export interface TransferCredit extends CommandBase {
  kind: 'transfer_credit';
  subscriberId: bigint;
  toSubscriberId: bigint;
  amount: bigint;
}

/** The payer says for which card the money in suspense was; or staff do, when nobody knows who. */
export interface Claim extends CommandBase {
  kind: 'claim';
  original: { provider: string; receipt: string };
  cardNumber: string;
  /** As the payment has it: null for money whose payer is not known. */
  payerMsisdn: string | null;
}

/** The payer says that the card was the wrong one. */
export interface MovePayment extends CommandBase {
  kind: 'move_payment';
  original: { provider: string; receipt: string };
  toCardNumber: string;
  payerMsisdn: string;
}

/** The owner of the card objects to a move that is not done yet. */
export interface ObjectMove extends CommandBase {
  kind: 'object_move';
  original: { provider: string; receipt: string };
}

/** The time to object is over. Named by the payment, so that its facts are found. */
export interface CompleteMove extends CommandBase {
  kind: 'complete_move';
  original: { provider: string; receipt: string };
}

/** Acts on the subscription of a card. */
export interface CardAct extends CommandBase {
  kind:
    | 'take_loan'
    | 'grant_trial'
    | 'resume'
    | 'end_pause'
    | 'stop_auto_renew'
    | 'close_subscription';
  cardId: bigint;
}

export interface SetAutoRenew extends CommandBase {
  kind: 'set_auto_renew' | 'request_renewal';
  cardId: bigint;
  term: TermName;
}

export interface ChangePlan extends CommandBase {
  kind: 'change_plan';
  cardId: bigint;
  bouquetId: bigint;
  policy: 'immediate' | 'end_of_term';
}

export interface BuyAddon extends CommandBase {
  kind: 'buy_addon';
  cardId: bigint;
  bouquetId: bigint;
  /** Of an add-on with terms of its own; left out: a month. */
  term?: TermName;
}

export interface Pause extends CommandBase {
  kind: 'pause';
  cardId: bigint;
  days: number;
}

/** Free days for every listed card whose running term is paid; once for each incident and card. */
export interface Incident extends CommandBase {
  kind: 'incident';
  incident: string;
  days: number;
  cardIds: readonly bigint[];
}

export interface Redeem extends CommandBase {
  kind: 'redeem';
  code: string;
  cardNumber: string;
}

/** Money paid to a mobile operator for TV units of a country. */
export interface BuyUnits extends CommandBase {
  kind: 'buy_units';
  subscriberId: bigint;
  unitAsset: string;
  operator: string;
  amount: bigint;
}

/** A mobile operator says that it sold units of a country to a subscriber. */
export interface UnitsNotice extends CommandBase {
  kind: 'units_notice';
  subscriberId: bigint;
  unitAsset: string;
  operator: string;
  units: bigint;
}

export interface SendUnits extends CommandBase {
  kind: 'send_units';
  subscriberId: bigint;
  toSubscriberId: bigint;
  unitAsset: string;
  units: bigint;
}

export interface ConvertUnits extends CommandBase {
  kind: 'convert_units';
  subscriberId: bigint;
  unitAsset: string;
  units: bigint;
}

/** The lot of a subscriber has expired: what is left of it is breakage. */
export interface ExpireCredit extends CommandBase {
  kind: 'expire_credit';
  subscriberId: bigint;
}

/** No second payment came in time: the commission is taken back. */
export interface ClawBack extends CommandBase {
  kind: 'claw_back';
  commissionId: bigint;
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
  /** The phone that asked; its wallet pays. Null: staff sell, and the card's owner pays. */
  msisdn: string | null;
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
  | ReversePayment
  | TopUp
  | Refund
  | TransferCredit
  | Claim
  | MovePayment
  | ObjectMove
  | CompleteMove
  | CardAct
  | SetAutoRenew
  | ChangePlan
  | BuyAddon
  | Pause
  | Incident
  | Redeem
  | BuyUnits
  | UnitsNotice
  | SendUnits
  | ConvertUnits
  | ExpireCredit
  | ClawBack;

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
  /** What the act itself came to, for acts that have a result of their own. */
  result?: SettledResult;
}

/** Amounts and units as digits. */
export type SettledResult =
  /** What of the payment moves; while the owner may object, what of it would move now, and when. */
  | { kind: 'moved' | 'pending'; amount: string; dueAt: string | null }
  | { kind: 'units'; units: string }
  | { kind: 'converted'; credit: string; used: string };

export type Outcome =
  /** `first` false: the key had acted before, and this is its first answer. */
  | { kind: 'done'; first: boolean; settled: Settled }
  /** Kept, not understood; staff see it, and a repeat tries it again. */
  | { kind: 'parked' }
  /** The key acted before with another content; nothing moved. */
  | { kind: 'receipt_differs'; settled: Settled }
  /** The database is away: the caller's provider must try again. */
  | { kind: 'unavailable' };

export type { Message, OutboundDraft, ReminderStep, Saying } from './sayings.ts';
