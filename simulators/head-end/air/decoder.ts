/** A decoder in somebody's home: what it hears while it is on, and what it keeps of it. */
import type { CardRights, EmmContent, Knobs, NewDecoder, ScreenMessage } from './types.ts';

export interface Decoder {
  stb: string;
  card: string;
  knobs: Knobs;
  /** Its last EMM with rights; kept without power. */
  stored: (CardRights & { receivedAt: string }) | null;
  /** The rights of `stored`, in milliseconds. */
  rights: readonly { product: string; fromMs: number; toMs: number }[];
  /** Messages on the screen until their time is over, oldest first. */
  messages: readonly { message: ScreenMessage; untilMs: number }[];
  /** The messages it has shown, oldest first. */
  seen: Set<string>;
}

/** What an EMM brings to the decoder its card is in. */
export interface Reception {
  content: EmmContent;
  /** What the card has; undefined: nothing was ever granted. */
  rights: CardRights | undefined;
  /** The decoder the card belongs in; undefined: any. */
  pairedWith: string | undefined;
}

/** A message is repeated for seconds only: older ones than the last so many never come back. */
const SEEN_MESSAGES_MAX = 100;
const MESSAGES_ON_SCREEN_MAX = 8;

/** A decoder that has received nothing; paired if its card may be in it. */
export function createDecoder(decoder: NewDecoder, pairedWith: string | undefined): Decoder {
  const { stb, card, service, region = '', power = true } = decoder;
  const paired = belongsIn(stb, pairedWith);
  const well = { signal: true, cardIn: true, blacklisted: false, clockOffsetMs: 0 };
  const knobs = { ...well, power, service, region, paired };
  return { stb, card, knobs, stored: null, rights: [], messages: [], seen: new Set() };
}

/** Whether an EMM that is broadcast now gets through to the card. */
export function hears({ knobs }: Decoder): boolean {
  return knobs.power && knobs.signal && knobs.cardIn;
}

/**
 * Takes in an EMM at `atMs`. Rights of an older revision than it has are ignored. True when it
 * has something now that it did not have before.
 */
export function receive(decoder: Decoder, reception: Reception, atMs: number): boolean {
  const { content, rights, pairedWith } = reception;
  if (content.kind === 'message') return show(decoder, content.message, atMs);
  const rebound = content.kind !== 'rights' && bind(decoder, pairedWith);
  const granted = content.kind !== 'pairing' && rights !== undefined;
  return (granted && store(decoder, rights, atMs)) || rebound;
}

/** Turns knobs. What was on the screen is gone with the power; what is stored stays. */
export function turnKnobs(decoder: Decoder, knobs: Partial<Knobs>): void {
  decoder.knobs = { ...decoder.knobs, ...knobs };
  if (!decoder.knobs.power) decoder.messages = [];
}

function bind(decoder: Decoder, pairedWith: string | undefined): boolean {
  const paired = belongsIn(decoder.stb, pairedWith);
  if (paired === decoder.knobs.paired) return false;
  decoder.knobs = { ...decoder.knobs, paired };
  return true;
}

function belongsIn(stb: string, pairedWith: string | undefined): boolean {
  return pairedWith === undefined || pairedWith === stb;
}

function store(decoder: Decoder, rights: CardRights, atMs: number): boolean {
  const before = decoder.stored;
  const receivedAt = new Date(atMs).toISOString();
  if (before && !isOlder(before, rights)) {
    // An equal revision is an equal set.
    if (!isOlder(rights, before)) decoder.stored = { ...before, receivedAt };
    return false;
  }
  decoder.stored = { ...rights, receivedAt };
  decoder.rights = rights.set.map(({ product, from, to }) => ({
    product,
    fromMs: Date.parse(from),
    toMs: Date.parse(to),
  }));
  return true;
}

function isOlder(a: CardRights, b: CardRights): boolean {
  return a.epoch === b.epoch ? a.rev < b.rev : a.epoch < b.epoch;
}

function show(decoder: Decoder, message: ScreenMessage, atMs: number): boolean {
  const { seen } = decoder;
  if (seen.has(message.id)) return false;
  seen.add(message.id);
  if (seen.size > SEEN_MESSAGES_MAX) seen.delete([...seen][0] ?? '');
  const onScreen = decoder.messages.filter(({ untilMs }) => untilMs > atMs);
  const untilMs = atMs + message.durationSeconds * 1_000;
  decoder.messages = [...onScreen, { message, untilMs }].slice(-MESSAGES_ON_SCREEN_MAX);
  return true;
}
