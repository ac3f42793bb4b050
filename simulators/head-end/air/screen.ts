/** What the screen shows: a pure function of the decoder, the line-up and the time. */
import type { Decoder } from './decoder.ts';
import { fingerprintAt, layerChanges, messageAt, serviceAt } from './layers.ts';
import type { Screen, ScreenCode, Service } from './types.ts';

/** Programmes by code. */
export type LineUp = ReadonlyMap<string, Service>;

/** What somebody in front of it sees at `nowMs`. */
export function screenOf(decoder: Decoder, lineUp: LineUp, nowMs: number): Screen {
  if (!decoder.knobs.power) return { kind: 'off' };
  const fingerprint = fingerprintAt(decoder, nowMs);
  const layers = {
    osd: messageAt(decoder, nowMs),
    ...(fingerprint === undefined ? {} : { fingerprint }),
  };
  const service = lineUp.get(serviceAt(decoder, nowMs));
  const code = blockedBy(decoder, service, nowMs);
  if (code !== undefined || service === undefined) {
    const why = code === 'V04' ? decoder.stored?.suspended : undefined;
    return {
      kind: 'blocked',
      code: code ?? 'V06',
      ...(why === undefined ? {} : { why }),
      ...layers,
    };
  }
  return { kind: 'picture', service: service.code, ...layers };
}

/** When its screen may change by itself after `nowMs`; Infinity: never. */
export function screenChangesMs(decoder: Decoder, lineUp: LineUp, nowMs: number): number {
  const { clockOffsetMs } = decoder.knobs;
  const product = lineUp.get(serviceAt(decoder, nowMs))?.product;
  let soonestMs = Infinity;
  const consider = (ms: number) => {
    if (ms > nowMs && ms < soonestMs) soonestMs = ms;
  };
  for (const right of decoder.rights) {
    if (right.product !== product) continue;
    consider(right.fromMs - clockOffsetMs);
    consider(right.toMs - clockOffsetMs);
  }
  for (const changeMs of layerChanges(decoder, nowMs)) consider(changeMs);
  return soonestMs;
}

/** Whether two screens look the same. */
export function sameScreen(a: Screen, b: Screen): boolean {
  if (a.kind === 'off' || b.kind === 'off') return a.kind === b.kind;
  if (a.osd?.id !== b.osd?.id || a.fingerprint?.id !== b.fingerprint?.id) return false;
  if (a.kind === 'picture') return b.kind === 'picture' && a.service === b.service;
  return b.kind === 'blocked' && a.code === b.code && a.why === b.why;
}

/**
 * Why there is no picture; the first that holds. What is free to air plays without a card that is
 * valid, paired or paid: all that hides it is that it does not arrive. (Tanzania and Uganda oblige
 * pay operators to carry free channels without a fee through the same decoder; and a decoder under
 * `stb_off` of the JetCAS test of 2003 still plays them.)
 */
function blockedBy(
  { knobs, stored, rights, boundTo, isDenied }: Decoder,
  service: Service | undefined,
  nowMs: number,
): ScreenCode | undefined {
  // A number that is not in the line-up is an empty channel.
  if (!knobs.signal || !service) return 'V06';
  if (service.product === null) return undefined;
  if (!knobs.cardIn) return 'V01';
  if (knobs.blacklisted || isDenied || stored?.isBlacklisted) return 'V05';
  if (!knobs.paired) return 'V02';
  if (boundTo !== null && boundTo !== knobs.region) return 'V08';
  if (service.regions && !service.regions.includes(knobs.region)) return 'V08';
  if (!stored) return 'V07';
  if (stored.suspended !== undefined) return 'V04';
  // The card has no other time than its decoder's.
  const clockMs = nowMs + knobs.clockOffsetMs;
  const mayShow = rights.some(
    ({ product, fromMs, toMs }) =>
      product === service.product && fromMs <= clockMs && clockMs < toMs,
  );
  return mayShow ? undefined : 'V03';
}
