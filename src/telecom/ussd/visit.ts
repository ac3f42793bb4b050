/**
 * One hop of a dialogue, in memory: where the caller stands, and where an answer leads. Knows the
 * screens and the services; knows nothing of the store, the clock or the provider.
 */

import { SCREENS } from './menus/index.ts';
import {
  type Ask,
  type Deed,
  type HintKey,
  MAIN,
  type Report,
  type Shown,
  type State,
  type Step,
} from './menus/screen.ts';
import type { Act, CallerView, Language } from './services.ts';
import type { Words } from './words.ts';

/** Where the caller stands after an answer. */
export interface Place {
  state: State;
  shown: Shown;
  hint: HintKey | null;
  closed: boolean;
}

export interface Visit {
  ask: Ask;
  language: Language;
  /** Words of the channel in another language. */
  wordsIn(language: Language): Words;
  /** When the session began, base 36; sets apart sessions whose ids a provider uses twice. */
  startedAt: string;
  /** Answers taken since the dial, this one included. */
  hops: number;
  /** Stable under replay: channel, session, its start, screen and hop. */
  actKey(screen: string): string;
  /** False once the caller was told that nothing was paid: then nothing may be paid any more. */
  mayAct(): boolean;
  /** True from the moment an act is asked for: from then on "nothing was paid" may be false. */
  acting: boolean;
  /** True when the answer is or holds a PIN: it is neither kept nor logged. */
  secret: boolean;
  /** A language change that could not be remembered; the dialogue goes on in it all the same. */
  languageNotKept(error: unknown): void;
}

/** Screens that send the caller on in one hop; more is a circle. */
const ELSEWHERE_MAX = 4;

const NO_CHOICES: Readonly<Record<string, Step>> = {};

/** Shows a screen, or the one it sends the caller on to. */
export async function enter(visit: Visit, state: State, hint: HintKey | null): Promise<Place> {
  let at = state;
  let said = hint;
  for (let moves = 0; moves <= ELSEWHERE_MAX; moves += 1) {
    const shown = await SCREENS[at.screen].show(visit.ask, at);
    if ('text' in shown) return { state: at, shown, hint: said, closed: false };
    at = shown.go;
    said = shown.hint ?? said;
  }
  throw new Error(`screen ${state.screen} leads in a circle`);
}

/** The place with its session closed: `text` is the last word. */
export function closing(state: State, text: string): Place {
  return { state, shown: { text, choices: NO_CHOICES }, hint: null, closed: true };
}

/** The first screen of a session: the menu, or the offer to go on where the last one was cut. */
export function begin(visit: Visit, caller: CallerView, resume: State | null): Promise<Place> {
  switchLanguage(visit, caller.language);
  const first: State = resume === null ? MAIN : { screen: 'resume', resume };
  return enter(visit, first, null);
}

/** Takes one typed answer. */
export function take(visit: Visit, place: Place, input: string): Promise<Place> {
  if (isSecret(place, input)) visit.secret = true;
  return follow(visit, place, stepFor(visit, place, input));
}

/** What was dialled behind the code, as far as it was followed. */
export interface Walked {
  place: Place;
  /** How many of the inputs stand before anything secret: so many may be kept. */
  open: number;
}

/**
 * Walks the menu as if the inputs had been typed one by one, and stops before anything that moves
 * money or speaks in the caller's name. A PIN must not be dialled, as it would lie in the phone's
 * list of calls; the session is closed with a word about it.
 */
export async function walk(visit: Visit, first: Place, inputs: readonly string[]): Promise<Walked> {
  let place = first;
  for (const [index, input] of inputs.entries()) {
    if (isSecret(place, input)) {
      visit.secret = true;
      const text = visit.ask.words.say('end.pin_dialled');
      return { place: closing(place.state, text), open: index };
    }
    const step = stepFor(visit, place, input);
    if ('deed' in step || 'report' in step) break;
    place = await follow(visit, place, step);
    if (place.closed) break;
  }
  return { place, open: inputs.length };
}

function stepFor(visit: Visit, place: Place, input: string): Step {
  const typed = SCREENS[place.state.screen].typed;
  return (
    choiceOf(place, input) ?? typed?.(place.state, input, visit.ask) ?? { stay: 'hint.choice' }
  );
}

function isSecret(place: Place, input: string): boolean {
  return SCREENS[place.state.screen].secret === true && choiceOf(place, input) === undefined;
}

function choiceOf(place: Place, input: string): Step | undefined {
  const { choices } = place.shown;
  const answer = input.trim();
  return Object.hasOwn(choices, answer) ? choices[answer] : undefined;
}

async function follow(visit: Visit, place: Place, step: Step): Promise<Place> {
  if ('go' in step) return enter(visit, step.go, step.hint ?? null);
  if ('stay' in step) return { ...place, hint: step.stay };
  if ('deed' in step) return act(visit, place, step.deed);
  if ('report' in step) return report(visit, place, step);
  if ('end' in step) return closing(place.state, visit.ask.words.say(step.end));
  return changeLanguage(visit, place, step.language);
}

async function act(visit: Visit, place: Place, deed: Deed): Promise<Place> {
  const { state } = place;
  const screen = SCREENS[state.screen];
  if (screen.act === undefined) throw new Error(`screen ${state.screen} cannot act`);
  if (!visit.mayAct()) throw new Error('too late to act');
  visit.acting = true;
  const text = await screen.act(visit.ask, actOf(visit, state), state, deed);
  return closing(state, text);
}

async function report(visit: Visit, place: Place, step: Report): Promise<Place> {
  const { state } = place;
  const screen = SCREENS[state.screen];
  if (screen.report === undefined) throw new Error(`screen ${state.screen} takes no report`);
  const next = await screen.report(visit.ask, actOf(visit, state), state, step);
  return typeof next === 'string' ? closing(state, next) : enter(visit, next, null);
}

function actOf({ ask, actKey }: Visit, state: State): Act {
  return { channel: ask.channel, msisdn: ask.msisdn, key: actKey(state.screen) };
}

async function changeLanguage(visit: Visit, place: Place, language: Language): Promise<Place> {
  switchLanguage(visit, language);
  try {
    await visit.ask.services.setLanguage(actOf(visit, place.state), language);
  } catch (error) {
    visit.languageNotKept(error);
  }
  return enter(visit, MAIN, null);
}

function switchLanguage(visit: Visit, language: Language): void {
  visit.language = language;
  visit.ask.words = visit.wordsIn(language);
}
