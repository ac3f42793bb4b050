/**
 * What is remembered of a dialogue between two hops. Two kinds of records, both short-lived and
 * both only a convenience: if they are lost, the subscriber dials again and no money is missing.
 *
 *   session   one per (channel, sessionId): where the caller stands and what was said last
 *   resume    one per (channel, phone): the money screen a dropped session stood at
 */

import type { HintKey, State, Step } from './menus/screen.ts';
import type { Language } from './services.ts';

/** What the sessions need of a key-value store; any error it throws reaches the caller. */
export interface SessionKeyValue {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
  del(key: string): Promise<void>;
}

export interface Sessions {
  /** Null when nothing is known, or it was written by another version of the program. */
  read(channelId: string, sessionId: string): Promise<SessionRecord | null>;
  write(channelId: string, sessionId: string, record: SessionRecord): Promise<void>;
  /** The last cumulative string of a session, as the decoding of the next request needs it. */
  previous(channelId: string, sessionId: string): Promise<string | undefined>;
  /** Where a dropped session of this phone stood; null when there is nothing to take up again. */
  readResume(channelId: string, msisdn: string): Promise<State | null>;
  writeResume(channelId: string, msisdn: string, state: State): Promise<void>;
  clearResume(channelId: string, msisdn: string): Promise<void>;
}

export interface SessionRecord {
  /**
   * Everything typed so far as the provider sends it. On a closed session that went through a PIN
   * it is what stood before the PIN, so that no PIN ever lies in the store.
   */
  cumulative: string;
  msisdn: string;
  language: Language;
  /** Sets two sessions apart whose ids the provider uses twice; part of the key of every act. */
  startedAt: string;
  /** Answers taken since the dial. */
  hops: number;
  state: State;
  /** The screen as last shown, without its hint. */
  text: string;
  hint: HintKey | null;
  /** What can be answered to it. */
  choices: Readonly<Record<string, Step>>;
  /** The last answer was an END; whatever comes again in this session gets it again. */
  closed: boolean;
  /** A resume record of this phone may exist. */
  resumable: boolean;
}

export const SESSION_TTL_MS = 10 * 60 * 1000;
export const RESUME_TTL_MS = 10 * 60 * 1000;
/** A record is some 700 characters; one over this is a bug or an attack, and not written. */
export const RECORD_CHARS_MAX = 8192;
/** Raised when a record of the last version could be misread. */
const VERSION = 1;

/** Sessions over a key-value store. Infrastructure errors are thrown. */
export function createSessions(kv: SessionKeyValue): Sessions {
  const sessionKey = (channelId: string, sessionId: string) => `ussd:s:${channelId}:${sessionId}`;
  const resumeKey = (channelId: string, msisdn: string) => `ussd:r:${channelId}:${msisdn}`;

  const read = async (channelId: string, sessionId: string) =>
    parse<SessionRecord>(await kv.get(sessionKey(channelId, sessionId)));

  return {
    read,
    write: (channelId, sessionId, record) =>
      kv.set(sessionKey(channelId, sessionId), serialize(record), SESSION_TTL_MS),
    previous: async (channelId, sessionId) => (await read(channelId, sessionId))?.cumulative,
    readResume: async (channelId, msisdn) =>
      parse<State>(await kv.get(resumeKey(channelId, msisdn))),
    writeResume: (channelId, msisdn, state) =>
      kv.set(resumeKey(channelId, msisdn), serialize(state), RESUME_TTL_MS),
    clearResume: (channelId, msisdn) => kv.del(resumeKey(channelId, msisdn)),
  };
}

interface Stored<T> {
  version: number;
  value: T;
}

function serialize<T>(value: T): string {
  const stored: Stored<T> = { version: VERSION, value };
  const text = JSON.stringify(stored);
  if (text.length > RECORD_CHARS_MAX) throw new Error('ussd record too long');
  return text;
}

function parse<T>(text: string | undefined): T | null {
  if (text === undefined) return null;
  try {
    const stored = JSON.parse(text) as Stored<T>;
    return stored.version === VERSION ? stored.value : null;
  } catch {
    return null; // Not ours, or cut: as if nothing were known.
  }
}
