/**
 * The feature phone without its body: which face its screen shows, what each key does there, and
 * what is to be done about it outside. Pure; the network and the clock are elsewhere.
 */
import type { Prompt } from '../../api.ts';
import { type Draft, emptyDraft, erase, tapKey, write } from './multitap.ts';

/** Longer inputs than any menu asks for are not taken. */
const INPUT_CHARS_MAX = 40;
const PIN_DIGITS_MAX = 8;

export type EndReason =
  | 'answered'
  | 'hung_up'
  | 'timed_out'
  | 'wrong_code'
  | 'no_answer'
  | 'bad_answer';

export type Face =
  | { face: 'idle'; typed: string }
  /** A USSD session is open; `waiting` for the network's answer. */
  | { face: 'session'; screen: string; typed: string; waiting: boolean }
  | { face: 'ended'; reason: EndReason; screen: string }
  /** Row 0 writes a new text; the texts follow. */
  | { face: 'inbox'; row: number }
  | { face: 'reading'; id: string }
  | { face: 'writing'; draft: Draft }
  | { face: 'sent' };

export interface Handset {
  at: Face;
  /** The mobile-money prompt lies over every face until it is answered. */
  prompt: { id: string; pin: string; waiting: boolean } | null;
}

export type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9' | '*' | '#';
export type Key = Digit | 'call' | 'end' | 'left' | 'right' | 'up' | 'down' | 'erase';

/** What the outside has to do after a key. */
export type Act =
  | { act: 'dial'; code: string }
  | { act: 'send'; input: string }
  | { act: 'hang_up' }
  | { act: 'pay'; id: string; pin: string }
  | { act: 'refuse'; id: string }
  | { act: 'text'; body: string };

export interface Step {
  handset: Handset;
  act: Act | null;
}

/** What a key may need to know. */
export interface Around {
  serviceCode: string;
  /** Ids of the texts in the inbox, newest first. */
  textIds: readonly string[];
  /** How many of them nobody has read. */
  unread: number;
  nowMs: number;
}

export const idle: Handset = { at: { face: 'idle', typed: '' }, prompt: null };

/** The phone after a key, and what is to be done. */
export function press(handset: Handset, key: Key, around: Around): Step {
  if (handset.prompt !== null) return pressPrompt(handset, handset.prompt, key);
  const { at } = handset;
  const go = (next: Face, act: Act | null = null): Step => ({
    handset: { at: next, prompt: null },
    act,
  });
  switch (at.face) {
    case 'idle':
      return pressIdle(at.typed, key, around, go);
    case 'session':
      return pressSession(at, key, go);
    case 'ended':
    case 'sent':
      // The arrows only move the text.
      return key === 'up' || key === 'down' ? go(at) : pressOver(at.face, key, around, go);
    case 'inbox':
      return pressInbox(at.row, key, around, go);
    case 'reading':
      if (key === 'left' || key === 'call') return go({ face: 'writing', draft: emptyDraft });
      if (key === 'end') return go({ face: 'idle', typed: '' });
      return key === 'right' || key === 'erase' ? go(inboxAt(at.id, around)) : go(at);
    case 'writing':
      return pressWriting(at.draft, key, around, go);
  }
}

type Go = (next: Face, act?: Act | null) => Step;

const home: Face = { face: 'idle', typed: '' };

/** Something is over: a digit begins the next dialling, and unread texts are one key away. */
function pressOver(face: 'ended' | 'sent', key: Key, around: Around, go: Go): Step {
  if (isDigit(key)) return go({ face: 'idle', typed: key });
  return face === 'ended' && key === 'left' && around.unread > 0 ? go(inbox(around)) : go(home);
}

function inbox({ textIds }: Around): Face {
  return { face: 'inbox', row: textIds.length > 0 ? 1 : 0 };
}

function pressIdle(typed: string, key: Key, around: Around, go: Go): Step {
  if (isDigit(key)) return go({ face: 'idle', typed: append(typed, key) });
  switch (key) {
    case 'call':
      // As on a real phone: the green key on an empty line brings back what is dialled.
      if (typed === '') return go({ face: 'idle', typed: around.serviceCode });
      return dial(typed);
    case 'left':
      return typed === '' ? go(inbox(around)) : dial(typed);
    case 'right':
    case 'erase':
      return go({ face: 'idle', typed: typed.slice(0, -1) });
    case 'end':
      return go(home);
    default:
      return go({ face: 'idle', typed });
  }
}

/** Dials a code at once, as the speed-dial button does. */
export function dial(code: string): Step {
  const at: Face = { face: 'session', screen: '', typed: '', waiting: true };
  return { handset: { at, prompt: null }, act: { act: 'dial', code } };
}

function pressSession(at: Face & { face: 'session' }, key: Key, go: Go): Step {
  if (key === 'end') {
    return go({ face: 'ended', reason: 'hung_up', screen: '' }, { act: 'hang_up' });
  }
  if (at.waiting) return go(at);
  if (isDigit(key)) return go({ ...at, typed: append(at.typed, key) });
  if (key === 'right' && at.typed === '') return pressSession(at, 'end', go);
  if (key === 'right' || key === 'erase') return go({ ...at, typed: at.typed.slice(0, -1) });
  if ((key === 'left' || key === 'call') && at.typed !== '') {
    return go({ ...at, waiting: true }, { act: 'send', input: at.typed });
  }
  return go(at);
}

function pressInbox(row: number, key: Key, around: Around, go: Go): Step {
  const last = around.textIds.length;
  switch (key) {
    case 'up':
      return go({ face: 'inbox', row: Math.max(0, row - 1) });
    case 'down':
      return go({ face: 'inbox', row: Math.min(last, row + 1) });
    case 'left':
    case 'call':
      return go(openRow(row, around.textIds));
    case 'right':
    case 'erase':
    case 'end':
      return go(home);
    default:
      return go({ face: 'inbox', row });
  }
}

/** The face behind a row of the inbox. */
export function openRow(row: number, textIds: readonly string[]): Face {
  const id = textIds[row - 1];
  return id === undefined ? { face: 'writing', draft: emptyDraft } : { face: 'reading', id };
}

function inboxAt(id: string, { textIds }: Around): Face {
  return { face: 'inbox', row: textIds.indexOf(id) + 1 };
}

function pressWriting(draft: Draft, key: Key, around: Around, go: Go): Step {
  if (isDigit(key)) return go({ face: 'writing', draft: tapKey(draft, key, around.nowMs) });
  switch (key) {
    case 'left':
    case 'call':
      return draft.body.trim() === ''
        ? go({ face: 'writing', draft })
        : go({ face: 'sent' }, { act: 'text', body: draft.body.trim() });
    case 'right':
    case 'erase':
      return draft.body === ''
        ? go({ face: 'inbox', row: 0 })
        : go({ face: 'writing', draft: erase(draft) });
    case 'end':
      return go(home);
    default:
      return go({ face: 'writing', draft });
  }
}

function pressPrompt(handset: Handset, prompt: NonNullable<Handset['prompt']>, key: Key): Step {
  const stay = (next: Partial<typeof prompt>, act: Act | null = null): Step => ({
    handset: { ...handset, prompt: { ...prompt, ...next } },
    act,
  });
  const { id, pin, waiting } = prompt;
  if (waiting) return stay({});
  if (/^\d$/.test(key)) return stay({ pin: (pin + key).slice(0, PIN_DIGITS_MAX) });
  if (key === 'erase') return stay({ pin: pin.slice(0, -1) });
  if (key === 'right' || key === 'end') return stay({ waiting: true }, { act: 'refuse', id });
  if ((key === 'left' || key === 'call') && pin !== '') {
    return stay({ waiting: true }, { act: 'pay', id, pin });
  }
  return stay({});
}

/** A letter of a real keyboard: menus that ask for a code take it, and texts do. */
export function typeLetter(handset: Handset, character: string): Handset {
  if (handset.prompt !== null) return handset;
  const { at } = handset;
  if (at.face === 'writing')
    return { ...handset, at: { ...at, draft: write(at.draft, character) } };
  if (at.face !== 'session' || at.waiting) return handset;
  return { ...handset, at: { ...at, typed: append(at.typed, character) } };
}

/** The network's answer to a dialling or an input; nothing once the person has hung up. */
export function hear(
  handset: Handset,
  answer: { screen: string; reason: EndReason | null },
): Handset {
  if (handset.at.face !== 'session' || !handset.at.waiting) return handset;
  const { screen, reason } = answer;
  const at: Face =
    reason === null
      ? { face: 'session', screen, typed: '', waiting: false }
      : { face: 'ended', reason, screen };
  return { ...handset, at };
}

/** Nobody has pressed a key for too long. */
export function timeOut(handset: Handset): Handset {
  if (handset.at.face !== 'session') return handset;
  return { ...handset, at: { face: 'ended', reason: 'timed_out', screen: '' } };
}

/** A prompt has come, or the one that was there has gone and with it the words about it. */
export function showPrompt(handset: Handset, prompt: Prompt | null): Handset {
  if (prompt === null) {
    if (handset.prompt === null) return handset;
    return { at: handset.at.face === 'ended' ? home : handset.at, prompt: null };
  }
  if (handset.prompt?.id === prompt.id) return handset;
  return { ...handset, prompt: { id: prompt.id, pin: '', waiting: false } };
}

/** The answer to the prompt did not get through: it can be given again. */
export function promptAgain(handset: Handset): Handset {
  if (handset.prompt === null) return handset;
  return { ...handset, prompt: { ...handset.prompt, pin: '', waiting: false } };
}

/** Whether a key is one that is printed with a digit, `*` or `#`. */
export function isDigit(key: string): key is Digit {
  return /^[0-9*#]$/.test(key);
}

function append(typed: string, character: string): string {
  return (typed + character).slice(0, INPUT_CHARS_MAX);
}
