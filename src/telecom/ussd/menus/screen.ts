/**
 * What a menu is made of. A screen reads what it needs, draws it, and says where every answer
 * leads; the answers are kept with the session, so that what is acted on is what was shown.
 */

import { clip, fits, SCREEN_SEPTETS_MAX } from '../../gsm7.ts';
import type { LanguageKey } from '../../language.ts';
import type {
  Act,
  CardView,
  DialogueChannel,
  DialogueServices,
  Language,
  Means,
  Refusal,
  TermName,
} from '../services.ts';
import type { ScreenCode } from '../typed.ts';
import type { Words } from '../words.ts';

export type ScreenName =
  | 'main'
  | 'resume'
  | 'card'
  | 'term'
  | 'amount'
  | 'confirm'
  | 'balance'
  | 'tvu'
  | 'tvu.amount'
  | 'tvu.units'
  | 'tvu.convert'
  | 'send.phone'
  | 'send.units'
  | 'send.pin'
  | 'film'
  | 'blocked'
  | 'blocked.check'
  | 'blocked.code'
  | 'blocked.advice'
  | 'move'
  | 'move.card'
  | 'move.confirm';

/** Where the caller stands and what was chosen on the way there; plain JSON. */
export interface State {
  screen: ScreenName;
  /** Number of the chosen card. */
  card?: string;
  /** Code of the chosen film or match. */
  event?: string;
  term?: TermName;
  /** Minor units, as digits. */
  amount?: string;
  units?: string;
  phone?: string;
  /** The payment that went to the wrong card, by the digits of its id. */
  payment?: string;
  page?: number;
  /** The caller chooses, or has chosen, the card from the list even if only one is saved. */
  pick?: true;
  /** The caller came by "TV is blocked". */
  blocked?: true;
  /** What the decoder shows, as the caller typed it. */
  code?: ScreenCode;
  /** On the resume screen: the place to go back to. */
  resume?: State;
}

export type HintKey = Extract<LanguageKey, `hint.${string}`>;

/** An act that moves money or units. It stands only behind an answer to a confirm screen. */
export type Deed =
  | { do: 'pay'; means: Means; cardId?: string; eventId?: string }
  | { do: 'convert' }
  | { do: 'send'; pin: string }
  | { do: 'move'; payment: string; card: string };

/** What the caller sees; it moves no money, but is never said by what was dialled either. */
export interface Report {
  report: 'back' | 'black';
  cardId: string;
}

/** Where an answer leads. */
export type Step =
  | { go: State; hint?: HintKey }
  | { stay: HintKey }
  | { deed: Deed }
  | Report
  | { language: Language }
  | { end: LanguageKey };

/** A screen ready to be sent, and what each answer to it does. */
export interface Shown {
  text: string;
  choices: Readonly<Record<string, Step>>;
}

/** A screen that cannot be shown sends the caller elsewhere. */
export interface Elsewhere {
  go: State;
  hint?: HintKey;
}

/** What a screen may ask and write with. */
export interface Ask {
  services: DialogueServices;
  channel: DialogueChannel;
  msisdn: string;
  now: Date;
  words: Words;
}

export interface Screen {
  show(ask: Ask, state: State): Promise<Shown | Elsewhere>;
  /** Reads an answer that is none of the choices; without it, such an answer is a mistake. */
  typed?(state: State, input: string, ask: Ask): Step;
  /** Does what a choice of this screen stands for and returns the last words of the session. */
  act?(ask: Ask, act: Act, state: State, deed: Deed): Promise<string>;
  /** Keeps what the caller sees; the last words, or the screen that follows. */
  report?(ask: Ask, act: Act, state: State, report: Report): Promise<string | State>;
  /** Whatever is typed here besides the choices is a secret: never kept, never logged. */
  secret?: true;
}

export const MAIN: State = { screen: 'main' };
export const HOME: Step = { go: MAIN };
export const CANCEL: Step = { end: 'end.cancelled' };

/** The answers every money screen has: 0 cancels, 00 goes home; nothing moves. */
export const CANCEL_CHOICES: Readonly<Record<string, Step>> = { '0': CANCEL, '00': HOME };

/** The answers every other screen has: 0 goes back to `parent`, 00 home. */
export function backTo(parent: State): Readonly<Record<string, Step>> {
  return { '0': { go: parent }, '00': HOME };
}

/** 98 turns the page, 0 turns back to the page before, or to `parent` from the first. */
export function pageChoices(state: State, parent: State, more: boolean): Record<string, Step> {
  const page = state.page ?? 0;
  const choices: Record<string, Step> = {
    ...backTo(page > 0 ? { ...state, page: page - 1 } : parent),
  };
  if (more) choices['98'] = { go: { ...state, page: page + 1 } };
  return choices;
}

/** The first text that fits a screen; the last one cut, when none does. */
export function firstFitting(...texts: readonly string[]): string {
  for (const text of texts) if (fits(text, SCREEN_SEPTETS_MAX)) return text;
  return clip(texts.at(-1) ?? '', SCREEN_SEPTETS_MAX);
}

/** All that is ever shown of a card number. */
export function last4(number: string): string {
  return number.slice(-4);
}

/** `to 23/12/2026`, `ended 21/11/2026`, `not paid yet`. */
export function cardStatus(
  words: Words,
  { paidUntil }: Pick<CardView, 'paidUntil'>,
  now: Date,
): string {
  if (paidUntil === null) return words.say('status.never');
  const until = words.lastDay(paidUntil);
  return words.say(paidUntil > now ? 'status.paid' : 'status.ended', { until });
}

/** The last words after a refused act. */
export function refused(words: Words, refusal: Refusal): string {
  return words.say(`refusal.${refusal}`);
}
