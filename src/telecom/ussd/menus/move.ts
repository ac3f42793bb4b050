/**
 * "Paid wrong card": pick the payment, name the right card, see what moves and when, confirm. What
 * may move is settlement's to say; the owner of the wrong card is asked by text.
 */
import { paginate } from '../../gsm7.ts';
import type { MovableList, MovableView } from '../services.ts';
import { typedCard } from '../typed.ts';
import { pageOfCards } from './card.ts';
import {
  type Ask,
  backTo,
  CANCEL_CHOICES,
  firstFitting,
  last4,
  MAIN,
  pageChoices,
  refused,
  type Screen,
  type Shown,
  type State,
} from './screen.ts';

const MOVE: State = { screen: 'move' };

/** The payments of this phone that can still go to another card. */
export const move: Screen = {
  show: async (ask, state) => {
    const { payments, last } = await ask.services.movable(ask);
    return payments.length === 0 ? drawNone(ask, last) : drawPayments(ask, state, payments);
  },
};

/** The right card, from the phone's own or by its number. */
export const moveCard: Screen = {
  show: async (ask, state) => {
    const { services, channel, msisdn, words } = ask;
    const payment = await paymentOf(ask, state);
    if (payment === null) return { go: MOVE };
    const caller = await services.caller(channel, msisdn);
    const cards = caller.cards.filter(({ number }) => number !== payment.cardNumber);
    const head = words.say(cards.length > 0 ? 'move.card.pick' : 'move.card', {
      amount: words.amount(payment.amountMinor),
    });
    const page = pageOfCards(words, cards, { page: state.page ?? 0, head });
    const choices = pageChoices(state, MOVE, page.more);
    for (const [index, { number }] of cards.entries()) {
      choices[String(index + 1)] = { go: confirming(state, number) };
    }
    return { text: page.text, choices };
  },

  typed: (state, input) => {
    if (input.trim().length <= 2) return { stay: 'hint.choice' };
    const typed = typedCard(input);
    if (typed.ok) return { go: confirming(state, typed.number) };
    return { stay: typed.error === 'typo' ? 'hint.card_typo' : 'hint.card_number' };
  },
};

/** Whose card it is, what moves and when; nothing moves before the yes. */
export const moveConfirm: Screen = {
  show: async (ask, state) => {
    const [payment, card] = await Promise.all([
      paymentOf(ask, state),
      ask.services.card(ask.channel, state.card ?? '', ask.msisdn),
    ]);
    if (payment === null) return { go: MOVE };
    if (card === null) return { go: asking(state), hint: 'hint.card_unknown' };
    if (card.number === payment.cardNumber) return { go: asking(state), hint: 'hint.same_card' };
    const quote = await ask.services.quoteMove(ask, payment.paymentId, card.number);
    if (!quote.ok) return drawRefused(ask, state, refused(ask.words, quote.error));
    const { words, now } = ask;
    const { amountMinor, at, paidUntil } = quote.value;
    const values = {
      amount: words.amount(amountMinor),
      other4: last4(payment.cardNumber),
      last4: last4(card.number),
      name: card.maskedName,
      bouquet: card.bouquetName,
    };
    const when = () => {
      if (at !== null) return words.say('move.wait', { ...values, time: words.time(at, now) });
      if (paidUntil === null) return words.say('move.now', values);
      return words.say('move.now.until', { ...values, until: words.lastDay(paidUntil) });
    };
    const deed = { do: 'move', payment: String(payment.paymentId), card: card.number } as const;
    return {
      text: firstFitting(`${when()}\n${words.say('confirm.yes')}\n${words.say('confirm.cancel')}`),
      choices: { ...CANCEL_CHOICES, '1': { deed } },
    };
  },

  act: async ({ services, words, now }, act, _state, deed) => {
    if (deed.do !== 'move') throw new Error(`move cannot ${deed.do}`);
    const done = await services.movePayment(act, BigInt(deed.payment), deed.card);
    if (!done.ok) return refused(words, done.error);
    const { amountMinor, at, ref } = done.value;
    const values = { amount: words.amount(amountMinor), last4: last4(deed.card), ref };
    if (at === null) return words.say('end.moved', values);
    return words.say('end.moving', { ...values, time: words.time(at, now) });
  },
};

function drawPayments({ words }: Ask, state: State, payments: readonly MovableView[]): Shown {
  const items = payments.map(({ amountMinor, cardNumber, maskedName }, index) =>
    words.say('move.item', {
      n: String(index + 1),
      amount: words.amount(amountMinor),
      last4: last4(cardNumber),
      name: maskedName,
    }),
  );
  const page = paginate(items, {
    page: state.page ?? 0,
    head: words.say('move.pick'),
    foot: words.say('nav.back'),
    footMore: words.say('nav.more'),
  });
  const choices = pageChoices(state, MAIN, page.more);
  for (const [index, { paymentId }] of payments.entries()) {
    choices[String(index + 1)] = { go: { screen: 'move.card', payment: String(paymentId) } };
  }
  return { text: page.text, choices };
}

function drawNone({ words }: Ask, last: MovableList['last']): Shown {
  if (last === null) return { text: words.say('move.none'), choices: backTo(MAIN) };
  const values = { amount: words.amount(last.amountMinor), last4: last4(last.cardNumber) };
  const text =
    last.why === 'late'
      ? words.say('move.late', { ...values, n: String(last.windowHours) })
      : words.say(`move.${last.why}`, values);
  return { text, choices: backTo(MAIN) };
}

function drawRefused({ words }: Ask, state: State, sentence: string): Shown {
  return { text: `${sentence}\n${words.say('nav.back')}`, choices: backTo(asking(state)) };
}

/** The payment that was picked, as it can be moved now; null when it cannot any more. */
async function paymentOf(ask: Ask, { payment }: State): Promise<MovableView | null> {
  const { payments } = await ask.services.movable(ask);
  return payments.find(({ paymentId }) => String(paymentId) === payment) ?? null;
}

const asking = ({ payment }: State): State => ({
  screen: 'move.card',
  ...(payment === undefined ? {} : { payment }),
});

const confirming = (state: State, card: string): State => ({
  ...asking(state),
  screen: 'move.confirm',
  card,
});
