/** What lies over the picture for a while: messages, a fingerprint, another programme by force. */
import { createHash } from 'node:crypto';
import type { EmmContent, Fingerprint, Knobs, ScreenMessage, ShownFingerprint } from './types.ts';

export interface Layered {
  /** Until the last of their times is over, oldest first. */
  messages: readonly { message: ScreenMessage; fromMs: number }[];
  fingerprints: readonly { shown: ShownFingerprint; service?: string; untilMs: number }[];
  tuned: { service: string; untilMs: number } | null;
}

const MESSAGES_MAX = 8;
const FINGERPRINTS_MAX = 8;
const PLACES = 101;

/** Nothing but the picture. */
export function noLayers(): Layered {
  return { messages: [], fingerprints: [], tuned: null };
}

/** All is gone, as without power. */
export function finish(layered: Layered): void {
  Object.assign(layered, noLayers());
}

/** Lays over the picture of a decoder what it received at `atMs`; false: that is no layer. */
export function put(
  decoder: Layered & { stb: string; card: string },
  content: EmmContent,
  atMs: number,
): boolean {
  if (content.kind === 'message') {
    const current = decoder.messages.filter((one) => endsMs(one) > atMs);
    const added = { message: content.message, fromMs: atMs };
    decoder.messages = [...current, added].slice(-MESSAGES_MAX);
  } else if (content.kind === 'fingerprint') {
    const { fingerprint } = content;
    const current = decoder.fingerprints.filter(({ untilMs }) => untilMs > atMs);
    const added = {
      shown: shownBy(decoder, fingerprint),
      ...(fingerprint.service === undefined ? {} : { service: fingerprint.service }),
      untilMs: atMs + fingerprint.durationSeconds * 1_000,
    };
    decoder.fingerprints = [...current, added].slice(-FINGERPRINTS_MAX);
  } else if (content.kind === 'tune') {
    const { service, durationSeconds } = content.tune;
    decoder.tuned = { service, untilMs: atMs + durationSeconds * 1_000 };
  } else return false;
  return true;
}

/** The programme it is tuned to, by force or by hand. */
export function serviceAt({ tuned, knobs }: Layered & { knobs: Knobs }, nowMs: number): string {
  return tuned && nowMs < tuned.untilMs ? tuned.service : knobs.service;
}

/** The message on top: a forced one before others, then the latest. */
export function messageAt({ messages }: Layered, nowMs: number): ScreenMessage | null {
  const current = messages.filter((one) => isOn(one, nowMs));
  const top = current.findLast(({ message }) => message.forced) ?? current.at(-1);
  return top?.message ?? null;
}

/** The fingerprint over everything, while that programme is shown which it is for. */
export function fingerprintAt(
  decoder: Layered & { knobs: Knobs },
  nowMs: number,
): ShownFingerprint | undefined {
  const shown = serviceAt(decoder, nowMs);
  return decoder.fingerprints.findLast(
    ({ service = shown, untilMs }) => nowMs < untilMs && service === shown,
  )?.shown;
}

/** When each layer may come or go after `nowMs`. */
export function* layerChanges(
  { messages, fingerprints, tuned }: Layered,
  nowMs: number,
): Generator<number> {
  for (const one of messages) {
    const { periodMs, shownMs } = timesOf(one);
    const beginMs = one.fromMs + Math.floor((nowMs - one.fromMs) / periodMs) * periodMs;
    yield beginMs + shownMs;
    if (beginMs + periodMs < endsMs(one)) yield beginMs + periodMs;
  }
  for (const { untilMs } of fingerprints) yield untilMs;
  if (tuned) yield tuned.untilMs;
}

interface Showing {
  message: ScreenMessage;
  fromMs: number;
}

function timesOf({ message }: Showing): { times: number; periodMs: number; shownMs: number } {
  const { durationSeconds, times = 1, intervalSeconds = 0 } = message;
  const shownMs = durationSeconds * 1_000;
  return { times, periodMs: Math.max(shownMs, intervalSeconds * 1_000), shownMs };
}

function endsMs(one: Showing): number {
  const { times, periodMs, shownMs } = timesOf(one);
  return one.fromMs + (times - 1) * periodMs + shownMs;
}

function isOn(one: Showing, nowMs: number): boolean {
  const { periodMs, shownMs } = timesOf(one);
  return nowMs < endsMs(one) && (nowMs - one.fromMs) % periodMs < shownMs;
}

function shownBy(
  { stb, card }: { stb: string; card: string },
  { id, identity, mode, position, colour, background }: Fingerprint,
): ShownFingerprint {
  return {
    ...{ id, text: identity === 'stb' ? stb : card, mode, ...(position ?? placeOf(id, stb)) },
    ...(colour === undefined ? {} : { colour }),
    ...(background === undefined ? {} : { background }),
  };
}

/** Somewhere else in each decoder and at each time, so that nobody can cover it beforehand. */
function placeOf(id: string, stb: string): { xPercent: number; yPercent: number } {
  const chance = createHash('sha256').update(`${id} ${stb}`).digest();
  return { xPercent: chance.readUInt32BE(0) % PLACES, yPercent: chance.readUInt32BE(4) % PLACES };
}
