/**
 * The dialogue with a subscriber: one request in, one screen out. A hop reads the session once and
 * writes it once (the dial also looks for a dropped session). What moves money happens only behind
 * an answer to a confirm screen, under a key that a replay repeats; the store may vanish at any
 * moment and no money with it.
 */

import type { Clock, Logger } from '../../platform/ports.ts';
import type { UssdEnd, UssdTurn } from '../canonical.ts';
import { clip, fits, SCREEN_SEPTETS_MAX } from '../gsm7.ts';
import { createDates, type LanguageKey, type Languages } from '../language.ts';
import type { UssdReply, UssdRequest } from '../provider.ts';
import {
  advance,
  brokenOff,
  type Heard,
  type Hop,
  newHop,
  resumePlace,
  type Speak,
  visitOf,
} from './hop.ts';
import type { DialogueChannel, DialogueServices, Language } from './services.ts';
import type { SessionRecord, Sessions } from './sessions.ts';
import type { Visit } from './visit.ts';
import { createWords, type Words } from './words.ts';

export interface Dialogue {
  /** One request of a gateway that sends all inputs so far. Never rejects. */
  handle(channel: DialogueChannel, request: UssdRequest): Promise<UssdReply>;
  /** One hop of a gateway that sends single inputs. Never rejects. */
  turn(channel: DialogueChannel, turn: UssdTurn): Promise<UssdReply>;
  /** The gateway says how a session ended: for the record only, nothing moves because of it. */
  end(channel: DialogueChannel, event: UssdEnd): Promise<void>;
}

export interface DialogueDeps {
  services: DialogueServices;
  sessions: Sessions;
  clock: Clock;
  logger: Logger;
  languages: Languages;
  /** The value of the work, or `timeout` after so many milliseconds; the work itself goes on. */
  within<T>(ms: number, work: Promise<T>): Promise<T | 'timeout'>;
  decodeTurn(request: UssdRequest, previous: string | undefined): UssdTurn;
}

/** Gateways wait 10 to 15 s for us, a person less. */
export const ANSWER_MS_MAX = 5_000;
/** Requests being answered at once; above, callers are asked to try again. */
export const IN_FLIGHT_MAX = 20_000;
const SESSION_ID_CHARS_MAX = 128;
const CUMULATIVE_CHARS_MAX = 2_048;

/** A dialogue over services and store. It throws only for a channel of unknown currency. */
export function createDialogue(deps: DialogueDeps): Dialogue {
  const speak = wordsOf(deps);
  const inFlight = new Map<string, Promise<UssdReply>>();

  /** A gateway that repeats a request while we still work on it gets the same answer. */
  const once = (hop: Hop, key: string, work: () => Promise<UssdReply>): Promise<UssdReply> => {
    const { channel, sessionId, cumulative } = hop;
    const sizes =
      sessionId.length <= SESSION_ID_CHARS_MAX && cumulative.length <= CUMULATIVE_CHARS_MAX;
    if (!sizes || inFlight.size >= IN_FLIGHT_MAX) {
      deps.logger.warn('ussd.turned_away', { channel: channel.id, inFlight: inFlight.size });
      return Promise.resolve(last(speak(channel, channel.defaultLanguage), 'end.try_again'));
    }
    const name = `${channel.id}\n${sessionId}\n${key}`;
    const running = inFlight.get(name);
    if (running !== undefined) return running;
    const reply = answer(deps, speak, hop, work()).finally(() => inFlight.delete(name));
    inFlight.set(name, reply);
    return reply;
  };

  return {
    handle: (channel, request) => {
      const hop = newHop(channel, request.sessionId, request.cumulative);
      return once(hop, request.cumulative, async () => {
        const dialling = request.cumulative === '' && request.msisdn !== null;
        const [record, resume] = await Promise.all([
          deps.sessions.read(channel.id, request.sessionId),
          dialling ? deps.sessions.readResume(channel.id, request.msisdn ?? '') : null,
        ]);
        hop.record = record?.msisdn === request.msisdn ? record : null;
        if (hop.record !== null && isOvertaken(request.cumulative, hop.record.cumulative)) {
          return replyOf(deps, speak(channel, hop.record.language), hop.record);
        }
        const turn = deps.decodeTurn(request, hop.record?.cumulative);
        return proceed(deps, speak, hop, { turn, resume });
      });
    },

    turn: (channel, turn) => {
      const hop = newHop(channel, turn.sessionId, '');
      return once(hop, `${turn.phase} ${turn.input}`, async () => {
        const dialling = turn.phase === 'begin' && !turn.dialled && turn.msisdn !== null;
        const [record, resume] = await Promise.all([
          deps.sessions.read(channel.id, turn.sessionId),
          dialling ? deps.sessions.readResume(channel.id, turn.msisdn ?? '') : null,
        ]);
        hop.record = record?.msisdn === turn.msisdn ? record : null;
        return proceed(deps, speak, hop, { turn, resume });
      });
    },

    end: async (channel, { outcome }) => {
      deps.logger.info('ussd.ended', { channel: channel.id, outcome });
    },
  };
}

/** A repeated request that a later one of the same session has overtaken on the way. */
function isOvertaken(cumulative: string, previous: string): boolean {
  return cumulative !== '' && previous.startsWith(`${cumulative}*`);
}

/** Words are made once for a channel object and language. */
function wordsOf({ languages }: DialogueDeps): Speak {
  const dates = createDates();
  const made = new WeakMap<DialogueChannel, Partial<Record<Language, Words>>>();
  return (channel, language) => {
    let words = made.get(channel);
    if (words === undefined) {
      words = {};
      made.set(channel, words);
    }
    words[language] ??= createWords({ languages, dates }, channel, language);
    return words[language];
  };
}

/** The reply of the hop in time, or the last words that are true when there is none. */
async function answer(
  deps: DialogueDeps,
  speak: Speak,
  hop: Hop,
  work: Promise<UssdReply>,
): Promise<UssdReply> {
  const { channel } = hop;
  try {
    const reply = await deps.within(ANSWER_MS_MAX, work);
    if (reply !== 'timeout') return reply;
  } catch (error) {
    // The services' failures are caught where more can be said: this is the store.
    deps.logger.warn('ussd.store_failed', { channel: channel.id, error: String(error) });
    return last(wordsFor(speak, hop), 'end.try_again');
  }
  hop.late = true;
  const { visit, next } = hop;
  deps.logger.warn('ussd.late', { channel: channel.id, acting: visit?.acting ?? false });
  // The answer is known and only its writing hangs.
  if (next !== null) return replyOf(deps, wordsFor(speak, hop), next);
  // The session is not even read: perhaps this is a replay and all was paid before.
  if (visit === null) return last(wordsFor(speak, hop), 'end.try_again');
  const ended = brokenOff(hop, visit, 'end.slow');
  // Nobody waits for this; it lets a replay hear the same.
  save(deps, hop, visit, ended).catch((error) => {
    deps.logger.warn('ussd.store_failed', { channel: channel.id, error: String(error) });
  });
  return replyOf(deps, wordsFor(speak, hop), ended);
}

function wordsFor(speak: Speak, { channel, visit, record }: Hop): Words {
  return speak(channel, visit?.language ?? record?.language ?? channel.defaultLanguage);
}

async function proceed(
  deps: DialogueDeps,
  speak: Speak,
  hop: Hop,
  heard: Heard,
): Promise<UssdReply> {
  const { channel, record } = hop;
  const { phase, input, msisdn } = heard.turn;
  const words = wordsFor(speak, hop);
  if (phase !== 'begin' && phase !== 'input') return last(words, 'end.closed');
  if (msisdn === null) return last(words, 'end.no_phone');
  if (phase === 'input' && record !== null && (record.closed || input === '')) {
    return replyOf(deps, words, record);
  }

  const visit = visitOf({ ...deps, speak }, hop, msisdn, phase === 'begin' || record === null);
  hop.visit = visit;
  let next: SessionRecord;
  try {
    next = await advance(hop, visit, heard);
  } catch (error) {
    // By its name alone when a PIN may stand in its message.
    const what = visit.secret && error instanceof Error ? error.name : String(error);
    deps.logger.error('ussd.failed', { channel: channel.id, acting: visit.acting, error: what });
    next = brokenOff(hop, visit, 'end.try_again');
  }
  if (hop.late) return replyOf(deps, words, next);
  hop.next = next;
  try {
    await save(deps, hop, visit, next);
  } catch (error) {
    deps.logger.warn('ussd.store_failed', { channel: channel.id, error: String(error) });
    // Last words need no session behind them; and after an act they must be the true ones.
    if (!next.closed) return last(wordsFor(speak, hop), 'end.try_again');
  }
  return replyOf(deps, wordsFor(speak, hop), next);
}

/**
 * Writes the session and, where it changed, the place to resume. A dial that broke off leaves
 * nothing: it may simply be repeated.
 */
async function save(
  deps: DialogueDeps,
  hop: Hop,
  visit: Visit,
  next: SessionRecord,
): Promise<void> {
  const { channel, sessionId, broken } = hop;
  if (broken && visit.hops === 0) return;
  const place = resumePlace(next);
  const had = next.resumable && !(broken && !visit.acting);
  next.resumable = place !== null;
  const written = deps.sessions.write(channel.id, sessionId, next);
  if (place !== null) {
    await Promise.all([written, deps.sessions.writeResume(channel.id, next.msisdn, place)]);
  } else if (had) {
    await Promise.all([written, deps.sessions.clearResume(channel.id, next.msisdn)]);
  } else {
    await written;
  }
}

/** The screen of a record as it was sent: a hint above it, where it fits. */
function replyOf(deps: DialogueDeps, words: Words, record: SessionRecord): UssdReply {
  const { text } = record;
  if (!fits(text, SCREEN_SEPTETS_MAX)) {
    deps.logger.warn('ussd.screen_too_long', { screen: record.state.screen });
    return { text: clip(text, SCREEN_SEPTETS_MAX), close: record.closed };
  }
  if (record.hint !== null) {
    const hinted = `${words.say(record.hint)}\n${text}`;
    if (fits(hinted, SCREEN_SEPTETS_MAX)) return { text: hinted, close: record.closed };
  }
  return { text, close: record.closed };
}

function last(words: Words, key: LanguageKey): UssdReply {
  return { text: words.say(key), close: true };
}
