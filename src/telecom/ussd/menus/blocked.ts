/**
 * "TV is blocked": what the facts say about a card that shows nothing, and what can be done. Paid
 * and on air, its rights are broadcast afresh by showing the screen; nothing moves by that, and the
 * desk behind it keeps the limits. Then the caller says what came of it.
 */

import type { Diagnosis, RefreshAnswer } from '../../../entitlement/picture/desk.ts';
import { STILL_BLACK_REPORTS } from '../../../entitlement/picture/rules.ts';
import type { LanguageKey } from '../../language.ts';
import type { BlockedView } from '../services.ts';
import { type ScreenCode, typedScreenCode } from '../typed.ts';
import type { Words } from '../words.ts';
import {
  type Ask,
  backTo,
  cardStatus,
  type Elsewhere,
  firstFitting,
  last4,
  MAIN,
  type Screen,
  type ScreenName,
  type Shown,
  type State,
  type Step,
} from './screen.ts';

type Told<Kind extends Diagnosis['kind']> = Extract<Diagnosis, { kind: Kind }>;

/** Codes that speak of rights, not of cables: the decision may know more by now. */
const CODES_OF_RIGHTS: ReadonlySet<ScreenCode> = new Set<ScreenCode>(['V03', 'V07']);
const NO_SUCH_CARD: Elsewhere = {
  go: { screen: 'card', pick: true, blocked: true },
  hint: 'hint.card_unknown',
};

/** The decision on real facts; where it shows a card that is on air, it asks for a refresh. */
export const blocked: Screen = {
  show: async (ask, state) => {
    const view = await ask.services.blocked(ask.channel, state.card ?? '', ask.msisdn);
    if (view === null) return NO_SUCH_CARD;
    const { diagnosis } = view;
    if (diagnosis.kind !== 'on_air') return drawBlocked(ask, state, view, diagnosis);
    const refresh = await ask.services.refresh(ask, view.card.cardId);
    if (refresh.kind !== 'not_on_air') return drawOnAir(ask, state, view, { diagnosis, refresh });
    // New rights were raised in this instant.
    const { paidUntil } = diagnosis;
    return drawBlocked(ask, state, view, { kind: 'on_its_way', paidUntil, since: ask.now });
  },

  report: async ({ services, words }, act, state, { report, cardId }) => {
    const { blackReports } = await services.reportPicture(act, BigInt(cardId), report);
    if (report === 'back') return words.say('end.picture_back');
    if (blackReports < STILL_BLACK_REPORTS) return within(state, 'blocked.check');
    return words.say('end.picture_black', { last4: last4(state.card ?? '') });
  },
};

/** What to look at before the rights are sent once more. */
export const blockedCheck: Screen = {
  show: async ({ words }, state) => ({
    text: words.say('blocked.check'),
    choices: { ...backTo(decision(state)), '1': { go: decision(state) } },
  }),
};

/** The code that the decoder shows. */
export const blockedCode: Screen = {
  show: async ({ words }, state) => ({
    text: words.say('blocked.code'),
    choices: backTo(decision(state)),
  }),

  typed: (state, input) => {
    const code = typedScreenCode(input);
    if (code === null) return { stay: 'hint.screen_code' };
    return { go: { ...within(state, 'blocked.advice'), code } };
  },
};

/** What a code means and what to do about it. */
export const blockedAdvice: Screen = {
  show: async ({ words }, state) => {
    const { code } = state;
    if (code === undefined) return { go: within(state, 'blocked.code') };
    const choices: Record<string, Step> = { ...backTo(within(state, 'blocked.code')) };
    const lines = [words.say(`blocked.advice.${code}`)];
    if (CODES_OF_RIGHTS.has(code)) {
      lines.push(words.say('blocked.again'));
      choices['1'] = { go: decision(state) };
    }
    lines.push(words.say('nav.home'));
    return { text: lines.join('\n'), choices };
  },
};

/** A card that is suspended, not paid, or whose rights are on their way. */
function drawBlocked(
  ask: Ask,
  state: State,
  view: BlockedView,
  diagnosis: Exclude<Diagnosis, { kind: 'on_air' }>,
): Shown {
  switch (diagnosis.kind) {
    case 'suspended':
      return drawSuspended(ask, state, view, diagnosis);
    case 'not_paid':
      return drawNotPaid(ask, state, view, diagnosis);
    case 'on_its_way':
      return drawOnItsWay(ask, state, view, diagnosis);
  }
}

function drawSuspended(
  { words }: Ask,
  state: State,
  { card, owedMinor }: BlockedView,
  { reason, since }: Told<'suspended'>,
): Shown {
  const key: LanguageKey = `blocked.suspended.${reason}`;
  const amount = words.amount(owedMinor);
  const why = words.say(key, { last4: last4(card.number), since: words.day(since), amount });
  return { text: `${why}\n${words.say('nav.back')}`, choices: backTo(parentOf(state)) };
}

/** Where the money went and what is missing, as far as it fits; paying is one answer away. */
function drawNotPaid(
  { words, now }: Ask,
  state: State,
  { card, creditMinor, missing, wrongCard }: BlockedView,
  diagnosis: Told<'not_paid'>,
): Shown {
  const ours = { last4: last4(card.number), status: cardStatus(words, diagnosis, now) };
  const ended = words.say('blocked.not_paid', ours);
  const credit = { ...ours, credit: words.amount(creditMinor) };
  const needs = missing.map(({ term, amountMinor }) => {
    const values = { missing: words.amount(amountMinor), term: words.term(term) };
    return words.say(amountMinor > 0n ? 'blocked.missing' : 'blocked.enough', values);
  });
  const foot = words.say('blocked.pay');
  const facts = [
    [words.say('blocked.not_paid.credit', credit), ...needs],
    [ended, ...needs],
    [ended, ...needs.slice(0, 1)],
    [ended],
  ];
  const head = wrongCard === null ? '' : `${wrongCardLine(words, wrongCard, ours.last4, now)}\n`;
  return {
    text: firstFitting(...facts.map((sentences) => `${head}${sentences.join(' ')}\n${foot}`)),
    choices: { ...backTo(parentOf(state)), '1': { go: within(state, 'term') } },
  };
}

function wrongCardLine(
  words: Words,
  paid: NonNullable<BlockedView['wrongCard']>,
  ours4: string,
  now: Date,
): string {
  const amount = words.amount(paid.amountMinor);
  const time = words.time(paid.at, now);
  return words.say('blocked.wrong_card', { amount, time, other4: paid.last4, last4: ours4 });
}

function drawOnItsWay(
  { words, now }: Ask,
  state: State,
  { card }: BlockedView,
  { paidUntil, since }: Told<'on_its_way'>,
): Shown {
  const text = words.say('blocked.on_its_way', {
    last4: last4(card.number),
    until: words.lastDay(paidUntil),
    time: words.time(since, now),
  });
  const choices = { ...backTo(parentOf(state)), '1': { go: decision(state) } };
  return { text: [text, words.say('blocked.again'), words.say('nav.back')].join('\n'), choices };
}

function drawOnAir(
  { words, now }: Ask,
  state: State,
  { card }: BlockedView,
  facts: { diagnosis: Told<'on_air'>; refresh: Exclude<RefreshAnswer, { kind: 'not_on_air' }> },
): Shown {
  const { diagnosis, refresh } = facts;
  const cardId = String(card.cardId);
  const key: LanguageKey = `blocked.on_air.${refresh.kind}`;
  const text = words.say(key, {
    last4: last4(card.number),
    until: words.lastDay(diagnosis.paidUntil),
    time: words.time(refresh.kind === 'limited' ? refresh.again : refresh.at, now),
  });
  return {
    text: `${text}\n${words.say('blocked.answers')}`,
    choices: {
      ...backTo(parentOf(state)),
      '1': { report: 'back', cardId },
      '2': { report: 'black', cardId },
      '3': { go: within(state, 'blocked.code') },
    },
  };
}

/** Another screen about the same card, reached in the same way. */
function within({ card, pick }: State, screen: ScreenName): State {
  return {
    screen,
    blocked: true,
    ...(card === undefined ? {} : { card }),
    ...(pick === undefined ? {} : { pick }),
  };
}

function decision(state: State): State {
  return within(state, 'blocked');
}

/** `pick`: the card was chosen from the list, so back leads there. */
function parentOf({ pick }: State): State {
  return pick === true ? { screen: 'card', pick, blocked: true } : MAIN;
}
