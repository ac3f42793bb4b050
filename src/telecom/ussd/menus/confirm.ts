import type {
  Act,
  CallerView,
  CardView,
  DialogueServices,
  Done,
  EventView,
  Means,
  Purchase,
} from '../services.ts';
import type { Words } from '../words.ts';
import { NO_SUCH_CARD } from './pay.ts';
import {
  type Ask,
  CANCEL_CHOICES,
  cardStatus,
  type Deed,
  type Elsewhere,
  firstFitting,
  last4,
  refused,
  type Screen,
  type Shown,
  type State,
  type Step,
} from './screen.ts';

/**
 * The one screen every purchase goes through: a term, an amount or a film for a card, or TV units
 * for the phone. It shows card, name, product, end and fee, and only the means that are enough.
 */
export const confirm: Screen = {
  show: async (ask, state) => {
    const offer = await offerOf(ask, state);
    return 'go' in offer ? offer : drawConfirm(ask.words, offer, ask.channel.mobileMoney);
  },

  act: async ({ services, words }, act, state, deed) => {
    if (deed.do !== 'pay') throw new Error(`confirm cannot ${deed.do}`);
    const purchase = purchaseOf(state, deed);
    if (deed.means === 'mobile_money') return prompt(services, words, act, purchase);
    const done = await services.payFromWallet(act, purchase, deed.means);
    if (!done.ok) return refused(words, done.error);
    const values = { last4: last4(state.card ?? ''), ref: done.value.ref };
    const { paidUntil } = done.value;
    if (paidUntil === null || state.term === undefined) return words.say('end.paid', values);
    return words.say('end.paid_until', { ...values, until: words.lastDay(paidUntil) });
  },
};

async function prompt(
  services: DialogueServices,
  words: Words,
  act: Act,
  purchase: Purchase,
): Promise<string> {
  const done: Done<{ amountMinor: bigint }> = await services.payByMobileMoney(act, purchase);
  if (!done.ok) return refused(words, done.error);
  return words.say('end.prompt', { amount: words.amount(done.value.amountMinor) });
}

function purchaseOf(state: State, { cardId, eventId }: Extract<Deed, { do: 'pay' }>): Purchase {
  const amountMinor = BigInt(state.amount ?? '0');
  if (cardId === undefined) return { kind: 'tvu', amountMinor };
  const card = BigInt(cardId);
  if (eventId !== undefined) return { kind: 'event', cardId: card, eventId: BigInt(eventId) };
  if (state.term !== undefined) return { kind: 'term', cardId: card, term: state.term };
  return { kind: 'amount', cardId: card, amountMinor };
}

/** What is offered, before it is put into words. */
export interface Offer {
  head: string;
  feeMinor: bigint;
  cardId?: string;
  eventId?: string;
  /** Wallet means that are enough; null leaves the line out. */
  units: bigint | null;
  creditMinor: bigint | null;
}

async function offerOf(ask: Ask, state: State): Promise<Offer | Elsewhere> {
  if (state.card === undefined) return unitsOffer(ask, state);
  const view = await ask.services.card(ask.channel, state.card, ask.msisdn);
  if (view === null) return NO_SUCH_CARD;
  if (state.event !== undefined) return eventOffer(ask, view, state.event);
  return state.term === undefined ? amountOffer(ask, state, view) : termOffer(ask, state, view);
}

async function unitsOffer(ask: Ask, state: State): Promise<Offer> {
  const priceMinor = BigInt(state.amount ?? '0');
  const head = ask.words.say('confirm.tvu', { amount: ask.words.amount(priceMinor) });
  return { head, feeMinor: await feeOf(ask, priceMinor), units: null, creditMinor: null };
}

async function amountOffer(ask: Ask, state: State, view: CardView): Promise<Offer> {
  const { words, now } = ask;
  const priceMinor = BigInt(state.amount ?? '0');
  const head = words.say('confirm.amount', {
    ...cardValues(view),
    amount: words.amount(priceMinor),
    status: cardStatus(words, view, now),
  });
  const feeMinor = await feeOf(ask, priceMinor);
  return { head, feeMinor, cardId: String(view.cardId), units: null, creditMinor: null };
}

async function termOffer(ask: Ask, state: State, view: CardView): Promise<Offer | Elsewhere> {
  const { services, channel, words } = ask;
  const sold = view.terms.find(({ term }) => term === state.term);
  const notSold: Elsewhere = { go: { screen: 'term', card: view.number }, hint: 'hint.term' };
  if (sold === undefined) return notSold;
  const [until, feeMinor, means] = await Promise.all([
    services.previewTerm(channel, view.cardId, sold.term, ask.msisdn),
    feeOf(ask, sold.priceMinor),
    meansFor(ask, sold.priceMinor),
  ]);
  if (until === null) return notSold;
  const head = words.say('confirm.term', {
    ...cardValues(view),
    amount: words.amount(sold.priceMinor),
    until: words.lastDay(until),
  });
  return { head, feeMinor, cardId: String(view.cardId), ...means };
}

async function eventOffer(ask: Ask, view: CardView, code: string): Promise<Offer | Elsewhere> {
  const { services, channel, words } = ask;
  const event: EventView | null = await services.event(channel, code);
  if (event === null) return { go: { screen: 'film' }, hint: 'hint.event' };
  if (!event.onSale) return { go: { screen: 'film' }, hint: 'hint.event_closed' };
  const [feeMinor, means] = await Promise.all([
    feeOf(ask, event.priceMinor),
    meansFor(ask, event.priceMinor),
  ]);
  const head = words.say('confirm.event', {
    amount: words.amount(event.priceMinor),
    title: event.title,
    start: words.start(event.startsAt),
    last4: last4(view.number),
    name: view.maskedName,
  });
  const ids = { cardId: String(view.cardId), eventId: String(event.eventId) };
  return { head, feeMinor, ...ids, ...means };
}

function cardValues(view: CardView): { last4: string; name: string; bouquet: string } {
  return { last4: last4(view.number), name: view.maskedName, bouquet: view.bouquetName };
}

/** A fee is asked for only where the operator's mobile money has one. */
async function feeOf({ services, channel }: Ask, priceMinor: bigint): Promise<bigint> {
  return (await services.mobileMoneyFee?.(channel, priceMinor)) ?? 0n;
}

async function meansFor(
  { services, channel, msisdn }: Ask,
  priceMinor: bigint,
): Promise<Pick<Offer, 'units' | 'creditMinor'>> {
  const caller: CallerView = await services.caller(channel, msisdn);
  const quote = caller.tvuUnits > 0n ? await services.tvuQuote(channel, caller.tvuUnits) : null;
  return {
    units: quote !== null && quote.creditMinor >= priceMinor ? caller.tvuUnits : null,
    creditMinor: caller.creditMinor >= priceMinor ? caller.creditMinor : null,
  };
}

/** The offer in words, shorter where the long form does not fit. */
export function drawConfirm(words: Words, offer: Offer, mobileMoney: boolean): Shown {
  const { units, creditMinor } = offer;
  const choices: Record<string, Step> = { ...CANCEL_CHOICES };
  const full = [offer.head];
  if (offer.feeMinor > 0n)
    full.push(words.say('confirm.fee', { fee: words.amount(offer.feeMinor) }));
  const short = [...full];
  if (mobileMoney) {
    full.push(words.say('confirm.mobile_money'));
    short.push(words.say('confirm.mobile_money.short'));
    choices['1'] = pay(offer, 'mobile_money');
  }
  if (units !== null) {
    full.push(words.say('confirm.units', { units: String(units) }));
    short.push(words.say('confirm.units.short'));
    choices['2'] = pay(offer, 'tvu');
  }
  if (creditMinor !== null) {
    full.push(words.say('confirm.credit', { credit: words.amount(creditMinor) }));
    short.push(words.say('confirm.credit.short'));
    choices['3'] = pay(offer, 'credit');
  }
  if (!mobileMoney && units === null && creditMinor === null) {
    full.push(words.say('confirm.no_means'));
  }
  const cancel = words.say('confirm.cancel');
  return {
    text: firstFitting([...full, cancel].join('\n'), [...short, cancel].join('\n')),
    choices,
  };
}

function pay({ cardId, eventId }: Offer, means: Means): Step {
  return {
    deed: {
      do: 'pay',
      means,
      ...(cardId === undefined ? {} : { cardId }),
      ...(eventId === undefined ? {} : { eventId }),
    },
  };
}
