/** Does what a text asks for and words the answer: one text, in the language of the phone. */

import { daysNamed } from '../../../billing/catalogue/terms.ts';
import type { PictureDesk } from '../../../entitlement/picture/desk.ts';
import { septets } from '../../gsm7.ts';
import { type LanguageKey, PLACEHOLDERS, type Values } from '../../language.ts';
import { termWords } from '../../terms.ts';
import { cardStatus, firstFitting, last4 } from '../../ussd/menus/screen.ts';
import type {
  BlockedView,
  CallerView,
  CardView,
  DialogueChannel,
  DialogueServices,
  Purchase,
} from '../../ussd/services.ts';
import { typedAmount } from '../../ussd/typed.ts';
import type { Words } from '../../ussd/words.ts';
import { type MeantCard, meantCard } from './cards.ts';
import type { Intent, PayWhat } from './grammar.ts';
import { resetIntent } from './store.ts';

export interface AnswersDeps {
  services: Pick<
    DialogueServices,
    'card' | 'blocked' | 'event' | 'payByMobileMoney' | 'objectToMoves'
  >;
  picture: Pick<PictureDesk, 'refresh' | 'report'>;
  setReminders(choice: { msisdn: string; wanted: boolean; at: Date }): Promise<void>;
  /** The card of the phone's last text about a blocked screen, of the last day. */
  lastReset(msisdn: string, now: Date): Promise<{ cardId: bigint; number: string } | null>;
}

/** Who writes, where, and with which words we answer. */
export interface Writer {
  channel: DialogueChannel;
  msisdn: string;
  /** The same text acts once, however often it is acted on. */
  key: string;
  caller: CallerView;
  words: Words;
  now: Date;
}

export interface Answer {
  /** What the text was understood as. */
  intent: string;
  template: string;
  body: string;
}

type CardIntent = Extract<Intent, { card: string | null }>;
type Named = Extract<MeantCard, { kind: 'card' }>;

/** From this "black" of a day on, people look into it. */
const BLACK_REPORTS_MAX = 2;
const CARDS_LISTED_MAX = 6;
const PRICES_SEPTETS_MAX = PLACEHOLDERS.prices?.septetsMax ?? 0;

/** Acts on an intent; done twice with the same key, the money is asked for once. */
export async function answerTo(deps: AnswersDeps, from: Writer, intent: Intent): Promise<Answer> {
  const { words, channel, msisdn, now } = from;
  switch (intent.kind) {
    case 'balance':
    case 'reset':
    case 'pay':
    case 'buy':
      return answerAboutCard(deps, from, intent);
    case 'picture':
      return pictureSeen(deps, from, intent.answer);
    case 'stop':
    case 'start':
      await deps.setReminders({ msisdn, wanted: intent.kind === 'start', at: now });
      return say(words, intent.kind, `text.answer.${intent.kind}`);
    case 'object':
      return object(deps, from);
    case 'help':
    case 'recharge':
    case 'unknown':
      return say(words, intent.kind, `text.answer.${intent.kind}`, { code: channel.serviceCode });
  }
}

/** The owner of a card objects to the move of what somebody paid for it. */
async function object({ services }: AnswersDeps, from: Writer): Promise<Answer> {
  const { channel, msisdn, key, words } = from;
  const stopped = await services.objectToMoves({ channel, msisdn, key });
  const [first] = stopped;
  if (!first) return say(words, 'object', 'text.answer.object.none');
  const values = { amount: words.amount(first.amountMinor), last4: first.last4 };
  return say(words, 'object', 'text.answer.object', values);
}

async function answerAboutCard(
  deps: AnswersDeps,
  from: Writer,
  intent: CardIntent,
): Promise<Answer> {
  const meant = await meantCard(deps.services, from, intent.card);
  if (meant.kind !== 'card') return askForCard(from.words, intent.kind, meant);
  switch (intent.kind) {
    case 'balance':
      return balance(from, meant);
    case 'reset':
      return reset(deps, from, meant);
    case 'pay':
      return pay(deps, from, meant.card, intent.what);
    case 'buy':
      return buy(deps, from, meant.card, intent.codes);
  }
}

function askForCard(
  words: Words,
  intent: CardIntent['kind'],
  meant: Exclude<MeantCard, { kind: 'card' }>,
): Answer {
  const word = words.say(`text.answer.word.${intent}`);
  if (meant.kind === 'none') return say(words, intent, 'text.answer.no_card', { word });
  if (meant.kind === 'which') {
    const listed = meant.cards.slice(0, CARDS_LISTED_MAX);
    const cards = listed.map(({ number }) => `..${last4(number)}`).join(' ');
    return say(words, intent, 'text.answer.which', { cards, word });
  }
  if (meant.nearest === null) return say(words, intent, 'text.answer.not_found');
  const near = last4(meant.nearest.number);
  return say(words, intent, 'text.answer.nearest', { last4: near, word });
}

function balance({ words, now, caller }: Writer, { card, isOwn }: Named): Answer {
  const values = { last4: last4(card.number), status: cardStatus(words, card, now) };
  if (!isOwn) return say(words, 'balance', 'text.answer.balance.other', values);
  return say(words, 'balance', 'text.answer.balance', {
    ...values,
    bouquet: card.bouquetName,
    prices: pricesOf(words, card),
    credit: words.amount(caller.creditMinor),
  });
}

/** `month KES 650, week KES 200, day KES 40`, as far as they have room, the usual terms first. */
function pricesOf(words: Words, { terms }: CardView): string {
  let prices = '';
  for (const { term, priceMinor } of terms) {
    const { key, values } = termWords('text.answer.price', term);
    const price = words.say(key, { ...values, price: words.amount(priceMinor) });
    const longer = prices === '' ? price : `${prices}, ${price}`;
    if (septets(longer) <= PRICES_SEPTETS_MAX) prices = longer;
  }
  return prices === '' ? words.say('text.answer.price.none') : prices;
}

/** What the facts say of a card that shows nothing; on air, its rights are broadcast afresh. */
async function reset(deps: AnswersDeps, from: Writer, meant: Named): Promise<Answer> {
  const { channel, msisdn, words, now } = from;
  const { cardId, number } = meant.card;
  const view = await deps.services.blocked(channel, number, msisdn);
  if (view === null) return say(words, 'reset', 'text.answer.not_found');
  const { diagnosis } = view;
  const ours = { last4: last4(number) };
  if (diagnosis.kind === 'suspended') {
    const reason = meant.isOwn ? diagnosis.reason : 'admin';
    const amount = words.amount(view.owedMinor);
    const values = { ...ours, since: words.day(diagnosis.since), amount };
    return say(words, 'reset', `blocked.suspended.${reason}`, values);
  }
  if (diagnosis.kind === 'not_paid') return notPaid(from, meant, view, diagnosis.paidUntil);
  const paid = { ...ours, until: words.lastDay(diagnosis.paidUntil) };
  const refresh =
    diagnosis.kind === 'on_air'
      ? await deps.picture.refresh({ cardId, source: 'text', msisdn })
      : null;
  if (refresh === null || refresh.kind === 'not_on_air') {
    const since = diagnosis.kind === 'on_air' ? now : diagnosis.since;
    const values = { ...paid, time: words.time(since, now) };
    return withReply(words, cardId, 'blocked.on_its_way', values);
  }
  const at = refresh.kind === 'limited' ? refresh.again : refresh.at;
  const values = { ...paid, time: words.time(at, now) };
  return withReply(words, cardId, `blocked.on_air.${refresh.kind}`, values);
}

/** Asks what the viewer sees; the answer to that is an answer about this card. */
function withReply(words: Words, cardId: bigint, key: LanguageKey, values: Values): Answer {
  const { template, body } = say(words, 'reset', key, values);
  const whole = `${body} ${words.say('text.answer.reply')}`;
  return { intent: resetIntent(cardId), template, body: firstFitting(whole, body) };
}

/** Of the phone's card, where the money went and what is missing, as far as it fits. */
function notPaid(
  { words, now }: Writer,
  { card, isOwn }: Named,
  view: BlockedView,
  paidUntil: Date | null,
): Answer {
  const ours = { last4: last4(card.number), status: cardStatus(words, { paidUntil }, now) };
  if (!isOwn) return say(words, 'reset', 'text.answer.balance.other', ours);
  const { template, body } = say(words, 'reset', 'blocked.not_paid', ours);
  const credit = words.amount(view.creditMinor);
  const ended = words.say('blocked.not_paid.credit', { ...ours, credit });
  const needs = view.missing.map(({ term, amountMinor }) => {
    const values = { missing: words.amount(amountMinor), term: words.term(term) };
    return words.say(amountMinor > 0n ? 'blocked.missing' : 'blocked.enough', values);
  });
  const toPay = words.say('text.answer.to_pay');
  const facts = [
    [ended, ...needs, toPay],
    [body, ...needs, toPay],
    [body, ...needs.slice(0, 1), toPay],
    [body, toPay],
  ].map((sentences) => sentences.join(' '));
  const { wrongCard } = view;
  if (wrongCard === null) return { intent: 'reset', template, body: firstFitting(...facts) };
  const wrong = words.say('blocked.wrong_card', {
    amount: words.amount(wrongCard.amountMinor),
    time: words.time(wrongCard.at, now),
    other4: wrongCard.last4,
    last4: ours.last4,
  });
  const texts = [...facts, ''].map((fact) => `${wrong} ${fact}`.trim());
  return { intent: 'reset', template, body: firstFitting(...texts) };
}

/** "1" or "2" after a text about a blocked screen: what the viewer sees now. */
async function pictureSeen(
  { picture, lastReset }: AnswersDeps,
  { msisdn, key, words, now }: Writer,
  answer: 'back' | 'black',
): Promise<Answer> {
  const asked = await lastReset(msisdn, now);
  if (asked === null) return say(words, 'picture', 'text.answer.picture_unasked');
  const { cardId, number } = asked;
  const { blackReports } = await picture.report({ cardId, source: 'text', msisdn, answer, key });
  if (answer === 'back') return say(words, 'picture:back', 'end.picture_back');
  if (blackReports < BLACK_REPORTS_MAX) return say(words, 'picture:black', 'text.answer.check');
  return say(words, 'picture:black', 'end.picture_black', { last4: last4(number) });
}

async function pay(
  deps: AnswersDeps,
  from: Writer,
  card: CardView,
  what: PayWhat,
): Promise<Answer> {
  const { words } = from;
  const purchase = purchaseOf(words, card, what);
  if (purchase === null) return say(words, 'pay', 'text.answer.pay_how');
  const price =
    purchase.kind === 'amount'
      ? purchase.amountMinor
      : card.terms.find((sold) => sold.term === purchase.term)?.priceMinor;
  if (price === undefined) return say(words, 'pay', 'refusal.term_not_sold');
  return prompt(deps, from, { intent: 'pay', purchase, price, last4: last4(card.number) });
}

type CardPurchase = Extract<Purchase, { kind: 'term' | 'amount' }>;

/** Null when the text does not say clearly what is to be paid. */
function purchaseOf(words: Words, card: CardView, what: PayWhat): CardPurchase | null {
  const { cardId, usualTerm, terms } = card;
  switch (what.kind) {
    case 'unclear':
      return null;
    case 'term': {
      // Days that nobody sells are rather an amount or a date: the answer says what can be written.
      const isGuess = daysNamed(what.term) !== null;
      const isSold = terms.some(({ term }) => term === what.term);
      return isGuess && !isSold ? null : { kind: 'term', cardId, term: what.term };
    }
    case 'usual': {
      const sold = terms.find(({ term }) => term === usualTerm) ?? terms[0];
      return { kind: 'term', cardId, term: sold?.term ?? usualTerm };
    }
    case 'amount': {
      const amountMinor = typedAmount(what.digits, words.exponent);
      return amountMinor === null ? null : { kind: 'amount', cardId, amountMinor };
    }
  }
}

async function buy(
  deps: AnswersDeps,
  from: Writer,
  card: CardView,
  codes: readonly string[],
): Promise<Answer> {
  const { words, channel } = from;
  const found = await Promise.all(codes.map((code) => deps.services.event(channel, code)));
  const [event, other] = found.filter((one) => one !== null);
  if (!event || other) {
    return say(words, 'buy', 'text.answer.event_unknown', { code: channel.serviceCode });
  }
  if (!event.onSale) return say(words, 'buy', 'refusal.event_not_on_sale');
  const { eventId, priceMinor, title, startsAt } = event;
  return prompt(deps, from, {
    intent: 'buy',
    purchase: { kind: 'event', cardId: card.cardId, eventId },
    price: priceMinor,
    last4: last4(card.number),
    event: { title, start: words.start(startsAt) },
  });
}

interface Order {
  intent: 'pay' | 'buy';
  purchase: Purchase;
  /** Minor units, for sites where nothing is ordered. */
  price: bigint;
  last4: string;
  event?: { title: string; start: string };
}

/** Orders the prompt, or says how else to pay where phones get none. */
async function prompt(deps: AnswersDeps, from: Writer, order: Order): Promise<Answer> {
  const { channel, msisdn, key, words } = from;
  const { intent, event } = order;
  if (!channel.mobileMoney) {
    const values = { amount: words.amount(order.price), last4: order.last4 };
    return say(words, intent, 'text.answer.no_prompt', { ...values, code: channel.serviceCode });
  }
  const act = { channel, msisdn, key };
  const done = await deps.services.payByMobileMoney(act, order.purchase);
  if (!done.ok) return say(words, intent, `refusal.${done.error}`);
  const values = { amount: words.amount(done.value.amountMinor), last4: order.last4 };
  return event
    ? say(words, intent, 'text.answer.prompt.event', { ...values, ...event })
    : say(words, intent, 'text.answer.prompt', values);
}

const PREFIX = 'text.answer.';

/** Wording of other rooms is told by its own name behind ours. */
function say(words: Words, intent: string, key: LanguageKey, values?: Values): Answer {
  const template = key.startsWith(PREFIX) ? key : `${PREFIX}${key}`;
  return { intent, template, body: words.say(key, values) };
}
