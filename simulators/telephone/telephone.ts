/**
 * A telephone and its network, seen from the gateway: it speaks USSD as Africa's Talking does
 * (form POST, cumulative text, end event) or as Safaricom's connector does (GET), and refuses
 * what a network would refuse.
 * Sources: Africa's Talking USSD pages and help page on session duration; 3GPP TS 23.038.
 */

import type { Clock, Random } from '../../src/platform/ports.ts';
import { septets } from '../texts/gsm7.ts';

const ANSWER_TIMEOUT_MS = 15_000;
const SESSION_MS_MAX = 180_000;
const SCREEN_SEPTETS_MAX = 182;
/** The specification allows 80, but gateways cut there. */
const SCREEN_UCS2_MAX = 70;
const ANSWER_CHARS_MAX = 4_000;
const HOP_COST = 'KES 0.10';

export interface UssdChannel {
  channel: string;
  provider: 'africastalking' | 'safaricom';
  country: string;
  /** `*384*100#` */
  serviceCode: string;
  networkCode: string;
  url: string;
  /** Where the end of a session is told; Safaricom's connector has none. */
  endUrl?: string | undefined;
}

export type TelephoneFailure =
  | 'no_session'
  | 'wrong_code'
  | 'no_answer'
  | 'bad_answer'
  | 'too_long'
  | 'session_expired';

export type Hop =
  | { ok: true; screen: string; ended: boolean }
  | { ok: false; error: TelephoneFailure; detail: string };

export interface Telephone {
  /** Starts a session; what is dialled behind the service code becomes the first text. */
  dial(code: string): Promise<Hop>;
  /** Answers the screen. */
  send(input: string): Promise<Hop>;
  /** The last request once more, as a network does that lost the answer. */
  repeat(): Promise<Hop>;
  /** The customer hangs up. False when no session is open. */
  abort(): Promise<boolean>;
  /** The last screen without CON or END; empty before the first. */
  screen(): string;
  ended(): boolean;
  sessionId(): string;
}

export interface TelephoneDeps {
  channel: UssdChannel;
  /** `+` and country code. */
  msisdn: string;
  clock: Clock;
  random: Random;
  answerTimeoutMs?: number;
}

interface Session {
  id: string;
  startedMs: number;
  /** All inputs so far, joined by `*`. */
  text: string;
  hops: number;
  lastAnswer: string;
  screen: string;
  ended: boolean;
}

/** A telephone with one session at a time; a failed hop ends the session, as networks do. */
export function createTelephone(deps: TelephoneDeps): Telephone {
  let session = newSession(deps);
  session.ended = true;

  const request = async (): Promise<Hop> => {
    if (deps.clock.now().getTime() - session.startedMs > SESSION_MS_MAX) {
      const detail = `more than ${SESSION_MS_MAX / 1000} s`;
      await endSession(deps, session, { status: 'Incomplete', errorMessage: detail });
      return { ok: false, error: 'session_expired', detail };
    }
    session.hops += 1;
    const hop = checkAnswer(await ask(deps, session), deps);
    if (!hop.ok) {
      await endSession(deps, session, { status: 'Failed', errorMessage: hop.detail });
      return hop;
    }
    session.lastAnswer = `${hop.ended ? 'END' : 'CON'} ${hop.screen}`;
    session.screen = hop.screen;
    if (hop.ended) await endSession(deps, session, { status: 'Success', errorMessage: '' });
    return hop;
  };

  return {
    async dial(code) {
      const extras = dialledExtras(code, deps.channel.serviceCode);
      if (extras === null) {
        const detail = `${code} does not belong to ${deps.channel.serviceCode}`;
        return { ok: false, error: 'wrong_code', detail };
      }
      if (!session.ended) await endSession(deps, session, aborted);
      session = newSession(deps);
      session.text = extras;
      return request();
    },
    async send(input) {
      if (session.ended) return noSession;
      session.text = session.text === '' ? input : `${session.text}*${input}`;
      return request();
    },
    async repeat() {
      return session.ended ? noSession : request();
    },
    async abort() {
      if (session.ended) return false;
      await endSession(deps, session, aborted);
      return true;
    },
    screen: () => session.screen,
    ended: () => session.ended,
    sessionId: () => session.id,
  };
}

const aborted = { status: 'Incomplete', errorMessage: '' } as const;
const noSession = { ok: false, error: 'no_session', detail: 'dial first' } as const;

/** What stands behind the service code: `1*2` of `*384*100*1*2#`; null for another code. */
export function dialledExtras(code: string, serviceCode: string): string | null {
  const base = serviceCode.replace(/#$/, '');
  if (code === `${base}#`) return '';
  return code.startsWith(`${base}*`) && code.endsWith('#') ? code.slice(base.length + 1, -1) : null;
}

function newSession({ clock, random }: TelephoneDeps): Session {
  return {
    id: `ATUid_${random.hex(16)}`,
    startedMs: clock.now().getTime(),
    text: '',
    hops: 0,
    lastAnswer: '',
    screen: '',
    ended: false,
  };
}

interface Answer {
  status: number;
  contentType: string;
  body: string;
}

async function ask(deps: TelephoneDeps, session: Session): Promise<Answer | null> {
  const { channel, msisdn } = deps;
  const signal = AbortSignal.timeout(deps.answerTimeoutMs ?? ANSWER_TIMEOUT_MS);
  try {
    const response =
      channel.provider === 'safaricom'
        ? await fetch(safaricomAddress(channel.url, msisdn, { ...session, channel }), { signal })
        : await fetch(channel.url, {
            method: 'POST',
            body: new URLSearchParams({
              sessionId: session.id,
              serviceCode: channel.serviceCode,
              phoneNumber: msisdn,
              networkCode: channel.networkCode,
              text: session.text,
            }),
            redirect: 'manual',
            signal,
          });
    return {
      status: response.status,
      contentType: response.headers.get('content-type') ?? '',
      body: (await response.text()).slice(0, ANSWER_CHARS_MAX),
    };
  } catch {
    return null;
  }
}

/** DEST is the service code without `*` in front and `#` behind; the extras travel apart. */
function safaricomAddress(
  url: string,
  msisdn: string,
  { id, text, channel }: { id: string; text: string; channel: UssdChannel },
): URL {
  const address = new URL(url);
  address.searchParams.set('ORIG', msisdn.replace('+', ''));
  address.searchParams.set('DEST', channel.serviceCode.replace(/^\*|#$/g, ''));
  address.searchParams.set('SESSION_ID', id);
  address.searchParams.set('USSD_PARAMS', text);
  return address;
}

function checkAnswer(answer: Answer | null, deps: TelephoneDeps): Hop {
  if (answer === null) {
    const seconds = (deps.answerTimeoutMs ?? ANSWER_TIMEOUT_MS) / 1000;
    return { ok: false, error: 'no_answer', detail: `no answer within ${seconds} s` };
  }
  const bad = (detail: string): Hop => ({ ok: false, error: 'bad_answer', detail });
  if (answer.status !== 200) return bad(`HTTP ${answer.status} instead of 200`);
  if (!/^text\/plain\b/i.test(answer.contentType)) {
    return bad(`content type "${answer.contentType}" instead of text/plain`);
  }
  const parts = /^(CON|END) ([\s\S]*)$/.exec(answer.body);
  if (parts === null) return bad('the answer starts neither with CON nor with END');
  const screen = parts[2] ?? '';
  const tooLong = lengthError(screen);
  if (tooLong !== null) return { ok: false, error: 'too_long', detail: tooLong };
  return { ok: true, screen, ended: parts[1] === 'END' };
}

function lengthError(screen: string): string | null {
  const count = septets(screen);
  if (count === null) {
    return screen.length > SCREEN_UCS2_MAX
      ? `${screen.length} characters, one of them outside GSM-7: at most ${SCREEN_UCS2_MAX}`
      : null;
  }
  return count > SCREEN_SEPTETS_MAX ? `${count} septets: at most ${SCREEN_SEPTETS_MAX}` : null;
}

interface Ending {
  status: 'Success' | 'Incomplete' | 'Failed';
  errorMessage: string;
}

/** Tells the end of the session; nobody waits for more than the answer, and none is needed. */
async function endSession(deps: TelephoneDeps, session: Session, ending: Ending): Promise<void> {
  session.ended = true;
  const { channel, msisdn, clock } = deps;
  if (channel.endUrl === undefined || channel.provider !== 'africastalking') return;
  const now = clock.now();
  const event = new URLSearchParams({
    date: now.toISOString().slice(0, 19).replace('T', ' '),
    sessionId: session.id,
    serviceCode: channel.serviceCode,
    networkCode: channel.networkCode,
    phoneNumber: msisdn,
    status: ending.status,
    cost: HOP_COST,
    durationInMillis: String(now.getTime() - session.startedMs),
    hopsCount: String(session.hops),
    input: session.text,
    lastAppResponse: session.lastAnswer,
    ...(ending.errorMessage === '' ? {} : { errorMessage: ending.errorMessage }),
  });
  const signal = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  await fetch(channel.endUrl, { method: 'POST', body: event, signal }).then(
    (response) => response.body?.cancel(),
    () => undefined,
  );
}
