/**
 * What a hop makes of a session: from the record that was read and what was typed to the record to
 * be written. The store, the time limit and the reply are the engine's.
 */

import type { Clock, Logger } from '../../platform/ports.ts';
import type { UssdTurn } from '../canonical.ts';
import type { LanguageKey } from '../language.ts';
import { MAIN, type State } from './menus/screen.ts';
import type { DialogueChannel, DialogueServices, Language } from './services.ts';
import type { SessionRecord } from './sessions.ts';
import { begin, closing, type Place, take, type Visit, walk } from './visit.ts';
import type { Words } from './words.ts';

/** Answers in one session: three times the longest sensible walk. Ends loops of broken gateways. */
export const HOPS_MAX = 40;
/** Answers dialled behind the service code. */
export const DIALLED_INPUTS_MAX = 20;

/** One hop, from the request to the reply. */
export interface Hop {
  channel: DialogueChannel;
  sessionId: string;
  cumulative: string;
  /** The session as it was read. */
  record: SessionRecord | null;
  /** Null until the answer is being worked on. */
  visit: Visit | null;
  /** The session as it is to be written; null until that is known. */
  next: SessionRecord | null;
  /** A service failed or was slow, and the session ends with that. */
  broken: boolean;
  /** A reply is out already: from now on nothing is acted on and nothing written. */
  late: boolean;
}

/** The wording of a channel in a language. */
export type Speak = (channel: DialogueChannel, language: Language) => Words;

export interface HopDeps {
  services: DialogueServices;
  clock: Clock;
  logger: Logger;
  speak: Speak;
}

export interface Heard {
  turn: UssdTurn;
  /** Where a dropped session of this phone stood. */
  resume: State | null;
}

/** A hop of which nothing is known but the request. */
export function newHop(channel: DialogueChannel, sessionId: string, cumulative: string): Hop {
  const none = { record: null, visit: null, next: null };
  return { channel, sessionId, cumulative, ...none, broken: false, late: false };
}

/** The session after this hop. Throws when a service fails; nothing is written then. */
export function advance(hop: Hop, visit: Visit, heard: Heard): Promise<SessionRecord> {
  const { record } = hop;
  if (visit.hops === 0 || record === null) return firstHop(hop, visit, heard);
  return nextHop(hop, visit, record, heard.turn.input ?? '');
}

/** The visit of a hop: fresh for a dial, going on from the record otherwise. */
export function visitOf(deps: HopDeps, hop: Hop, msisdn: string, fresh: boolean): Visit {
  const { channel, sessionId, record } = hop;
  const now = deps.clock.now();
  const language = record?.language ?? channel.defaultLanguage;
  const startedAt = fresh || record === null ? now.getTime().toString(36) : record.startedAt;
  const hops = fresh || record === null ? 0 : record.hops + 1;
  const words = deps.speak(channel, language);
  return {
    ask: { services: deps.services, channel, msisdn, now, words },
    language,
    startedAt,
    hops,
    wordsIn: (other) => deps.speak(channel, other),
    actKey: (screen) => `${channel.id}:${sessionId}:${startedAt}:${screen}:${hops}`,
    mayAct: () => !hop.late,
    acting: false,
    secret: false,
    languageNotKept: (error) => {
      deps.logger.warn('ussd.language_not_kept', { channel: channel.id, error: String(error) });
    },
  };
}

/** The dial: the menu, or the offer to go on, or as far as the dialled inputs lead. */
async function firstHop(hop: Hop, visit: Visit, { turn, resume }: Heard): Promise<SessionRecord> {
  const { dialled } = turn;
  const inputs = dialled === null || dialled === '' ? [] : dialled.split('*');
  const caller = await visit.ask.services.caller(hop.channel, visit.ask.msisdn, true);
  if (inputs.length > DIALLED_INPUTS_MAX) {
    visit.secret = true; // Nobody has looked what stands in it.
    const text = visit.wordsIn(caller.language).say('end.too_long');
    return recordOf(hop, visit, closing(MAIN, text), '');
  }
  const first = await begin(visit, caller, inputs.length === 0 ? resume : null);
  const { place, open } = await walk(visit, first, inputs);
  const kept = visit.secret ? inputs.slice(0, open).join('*') : hop.cumulative;
  const next = recordOf(hop, visit, place, kept);
  return resume === null ? next : { ...next, resumable: true };
}

async function nextHop(
  hop: Hop,
  visit: Visit,
  record: SessionRecord,
  input: string,
): Promise<SessionRecord> {
  if (visit.hops > HOPS_MAX) {
    const text = visit.ask.words.say('end.too_long');
    // Not what came last: it may be a PIN.
    return recordOf(hop, visit, closing(record.state, text), record.cumulative);
  }
  const { state, text, choices, hint } = record;
  const place: Place = { state, shown: { text, choices }, hint, closed: false };
  const reached = await take(visit, place, input);
  return recordOf(hop, visit, reached, visit.secret ? record.cumulative : hop.cumulative);
}

function recordOf(hop: Hop, visit: Visit, place: Place, cumulative: string): SessionRecord {
  return {
    cumulative,
    msisdn: visit.ask.msisdn,
    language: visit.language,
    startedAt: visit.startedAt,
    hops: visit.hops,
    state: place.state,
    text: place.shown.text,
    hint: place.hint,
    choices: place.shown.choices,
    closed: place.closed,
    resumable: hop.record?.resumable ?? false,
  };
}

/**
 * The session closed because a service failed or was slow. While an act was under way nobody knows
 * whether it happened, so we promise a text and the payment is not offered again; before it,
 * nothing has moved and the place to resume stays.
 */
export function brokenOff(hop: Hop, visit: Visit, key: LanguageKey): SessionRecord {
  const { record } = hop;
  const text = visit.ask.words.say(visit.acting ? 'end.unclear' : key);
  const kept = visit.secret ? (record?.cumulative ?? '') : hop.cumulative;
  hop.broken = true;
  return recordOf(hop, visit, closing(record?.state ?? MAIN, text), kept);
}

/** Where a dropped session is taken up: a card is being paid for, or a payment moved, not done. */
export function resumePlace({ closed, state }: SessionRecord): State | null {
  if (closed) return null;
  if (state.resume !== undefined) return state.resume;
  const isPaying = state.card !== undefined && !state.screen.startsWith('blocked');
  return isPaying || state.payment !== undefined ? state : null;
}
