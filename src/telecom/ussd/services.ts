/**
 * What the dialogue asks of the rooms below. `main.ts` hands in the real thing; unit tests hand in
 * a literal object. Amounts are minor units of `currency`; every act carries a key so that a screen
 * confirmed twice acts once.
 */

import type { TermName } from '../../billing/catalogue/rules.ts';
import type { Diagnosis, RefreshAnswer } from '../../entitlement/picture/desk.ts';
import type { Language } from '../language.ts';

export type { Language, TermName };
export type Means = 'mobile_money' | 'tvu' | 'credit';

/** One USSD channel of the operator: a service code in a country. */
export interface DialogueChannel {
  id: string;
  siteId: bigint;
  country: string;
  currency: string;
  timeZone: string;
  defaultLanguage: Language;
  serviceCode: string;
  /** Prompts can be pushed to the phones of this site. */
  mobileMoney: boolean;
}

export interface CardView {
  cardId: bigint;
  number: string;
  /** `AMINA D.` – never the whole name. */
  maskedName: string;
  bouquetName: string;
  /** End of what is paid, exclusive; null when nothing was ever paid. */
  paidUntil: Date | null;
  /** What its owner buys as a rule. */
  usualTerm: TermName;
  terms: readonly { term: TermName; priceMinor: bigint }[];
}

export interface CallerView {
  /** Null for a phone that nobody registered; it may still pay for any card. */
  subscriberId: bigint | null;
  language: Language;
  cards: readonly CardView[];
  creditMinor: bigint;
  tvuUnits: bigint;
  isReseller: boolean;
}

export interface EventView {
  eventId: bigint;
  code: string;
  title: string;
  startsAt: Date;
  endsAt: Date;
  priceMinor: bigint;
  onSale: boolean;
}

/** A card that shows nothing, and what the facts say about it. */
export interface BlockedView {
  card: CardView;
  diagnosis: Diagnosis;
  /** The caller's credit. */
  creditMinor: bigint;
  /**
   * Of a card that is not paid: what the credit lacks for the usual term, then for the cheapest
   * one if that is another. Zero: nothing.
   */
  missing: readonly { term: TermName; amountMinor: bigint }[];
  /** Of a card that is suspended because of it: what is unpaid. */
  owedMinor: bigint;
  /** Of a card that is not paid: the phone's last payment, when it went to another card. */
  wrongCard: { last4: string; amountMinor: bigint; at: Date } | null;
}

/** A payment of the caller's for a card. */
export interface MovableView {
  paymentId: bigint;
  /** What was paid. */
  amountMinor: bigint;
  cardNumber: string;
  /** Of the owner of that card. */
  maskedName: string;
}

export interface MovableList {
  /** Those that can still go to another card, the latest first. */
  payments: readonly MovableView[];
  /** The latest payment of all when that one cannot, and why; null when it can, or is not known. */
  last: (MovableView & { why: 'late' | 'agent' | 'asked'; windowHours: number }) | null;
}

/** What a move comes to. */
export interface MoveView {
  /** What of the payment moves: what is unspent and unused of it now. */
  amountMinor: bigint;
  /** When, if the owner of the wrong card does not object before; null: at once. */
  at: Date | null;
  /** Until when the right card is paid then; null when not known yet, or when nothing is bought. */
  paidUntil: Date | null;
}

export type Refusal =
  | 'unknown_card'
  | 'card_blocked'
  | 'move_not_allowed'
  | 'move_window_over'
  | 'move_limit'
  | 'nothing_to_move'
  | 'insufficient_funds'
  | 'insufficient_units'
  | 'too_few_units'
  | 'term_not_sold'
  | 'product_not_on_cas'
  | 'event_not_on_sale'
  | 'event_already_bought'
  | 'event_sale_over'
  | 'currency_mismatch'
  | 'paused'
  | 'tvu_transfer_limit'
  | 'wrong_pin'
  | 'pin_locked'
  | 'not_a_reseller'
  | 'unknown_phone'
  | 'phone_not_supported'
  | 'no_tariff'
  | 'try_later';

export type Done<T> = { ok: true; value: T } | { ok: false; error: Refusal };

/** What is bought: a term of a card, an event on a card, TV units, or plain credit to a card. */
export type Purchase =
  | { kind: 'term'; cardId: bigint; term: TermName }
  | { kind: 'amount'; cardId: bigint; amountMinor: bigint }
  | { kind: 'event'; cardId: bigint; eventId: bigint }
  | { kind: 'tvu'; amountMinor: bigint };

/** Who asks, and over which channel. */
export interface Asker {
  channel: DialogueChannel;
  msisdn: string;
}

export interface Act extends Asker {
  /** `(sessionId, screen)`: the same confirmed screen acts once. */
  key: string;
}

export interface DialogueServices {
  /**
   * The caller as the menus show them. A dial reads it; the screens that follow may show what the
   * dial saw, as whatever they lead to is decided anew.
   */
  caller(channel: DialogueChannel, msisdn: string, dialling?: boolean): Promise<CallerView>;
  /**
   * Any card of the channel's site by its number (blanks and dashes allowed); null if unknown. The
   * caller's own cards may be as the dial saw them.
   */
  card(channel: DialogueChannel, number: string, msisdn: string): Promise<CardView | null>;
  /** Why a card of the channel's site shows nothing; null for an unknown one. */
  blocked(channel: DialogueChannel, number: string, msisdn: string): Promise<BlockedView | null>;
  /** Has the rights of a card broadcast afresh, within limits; moves nothing, so needs no key. */
  refresh(asker: Asker, cardId: bigint): Promise<RefreshAnswer>;
  /** Keeps what the caller sees; answers how often "black" was said of the card in a day. */
  reportPicture(
    act: Act,
    cardId: bigint,
    answer: 'back' | 'black',
  ): Promise<{ blackReports: number }>;
  event(channel: DialogueChannel, code: string): Promise<EventView | null>;
  /** Events on sale now, soonest first, at most nine. */
  events(channel: DialogueChannel): Promise<readonly EventView[]>;
  /** When bought now, until when would the card be paid? */
  previewTerm(
    channel: DialogueChannel,
    cardId: bigint,
    term: TermName,
    msisdn: string,
  ): Promise<Date | null>;
  /** The credit that `units` give and the units used for it; null without a tariff. */
  tvuQuote(
    channel: DialogueChannel,
    units: bigint,
  ): Promise<{ creditMinor: bigint; usedUnits: bigint } | null>;
  /** The fee on top of `amountMinor` when paid by mobile money; absent where there is none. */
  mobileMoneyFee?(channel: DialogueChannel, amountMinor: bigint): Promise<bigint>;
  /** Writes the order; the prompt reaches the phone after the session has ended. */
  payByMobileMoney(act: Act, purchase: Purchase): Promise<Done<{ amountMinor: bigint }>>;
  /** Spends credit (or TV units, converted first) at once. */
  payFromWallet(
    act: Act,
    purchase: Purchase,
    means: 'tvu' | 'credit',
  ): Promise<Done<{ ref: string; paidUntil: Date | null }>>;
  convertTvu(
    act: Act,
    units: bigint,
  ): Promise<Done<{ ref: string; creditMinor: bigint; usedUnits: bigint }>>;
  /** A reseller sends units to a phone; the PIN is checked here, counted and locked. */
  sendUnits(
    act: Act,
    to: string,
    units: bigint,
    pin: string,
  ): Promise<Done<{ ref: string; unitsLeft: bigint }>>;
  /** What the caller paid for cards of the channel's site in the last days. */
  movable(asker: Asker): Promise<MovableList>;
  /** What moving a payment to this card would come to now; nothing is done. */
  quoteMove(asker: Asker, paymentId: bigint, cardNumber: string): Promise<Done<MoveView>>;
  /** Moves it at once, or when the owner of the wrong card has had time to object. */
  movePayment(
    act: Act,
    paymentId: bigint,
    cardNumber: string,
  ): Promise<Done<MoveView & { ref: string }>>;
  /** Stops every move that takes a payment from a card of the caller; what stays, card by card. */
  objectToMoves(act: Act): Promise<readonly { amountMinor: bigint; last4: string }[]>;
  setLanguage(act: Act, language: Language): Promise<void>;
}
