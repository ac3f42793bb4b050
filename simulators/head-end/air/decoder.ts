/** A decoder in somebody's home: what it hears while it is on, and what it keeps of it. */
import { idOf } from './entry.ts';
import { finish, type Layered, noLayers, put } from './layers.ts';
import type {
  CardOnAir,
  CardRights,
  EmmContent,
  Knobs,
  Mail,
  NewDecoder,
  StateKind,
} from './types.ts';

export interface Decoder extends Layered {
  stb: string;
  card: string;
  knobs: Knobs;
  /** Its last EMM with rights; kept without power. */
  stored: (CardRights & { receivedAt: string }) | null;
  /** The rights of `stored`, in milliseconds. */
  rights: readonly { product: string; fromMs: number; toMs: number }[];
  /** The area its card is bound to. */
  boundTo: string | null;
  pin: 'maker' | 'given';
  /** It shows nothing but what is free, whatever its card may show. */
  isDenied: boolean;
  /** Oldest first. */
  mailbox: readonly (Mail & { receivedAt: string })[];
  /** What is to be seen once and was received, oldest first. */
  seen: Set<string>;
}

/** A message is repeated for a while only: older ones than the last so many never come back. */
const SEEN_MAX = 100;
const MAILBOX_MAX = 50;
const WITH_RIGHTS: readonly string[] = ['rights', 'all'] satisfies StateKind[];
const WITH_PAIRING: readonly string[] = ['pairing', 'all'] satisfies StateKind[];
const WITH_REGION: readonly string[] = ['rights', 'region', 'all'] satisfies StateKind[];
const WITH_PIN: readonly string[] = ['pin', 'all'] satisfies StateKind[];

/** A decoder that has received nothing; paired if its card may be in it. */
export function createDecoder(
  decoder: NewDecoder,
  pairedWith: readonly string[] | undefined,
): Decoder {
  const { stb, card, service, region = '', power = true } = decoder;
  const paired = belongsIn(stb, pairedWith);
  const well = { signal: true, cardIn: true, blacklisted: false, clockOffsetMs: 0 };
  const knobs = { ...well, power, service, region, paired };
  return {
    ...{ stb, card, knobs, stored: null, rights: [], boundTo: null, pin: 'maker' },
    ...{ isDenied: false, mailbox: [], seen: new Set(), ...noLayers() },
  };
}

/** Whether an EMM that is broadcast now gets through to the card. */
export function hears({ knobs }: Decoder): boolean {
  return knobs.power && knobs.signal && knobs.cardIn;
}

/**
 * Takes in an EMM at `atMs`. Rights of an older revision than it has are ignored. True when it
 * has something now that it did not have before.
 */
export function receive(
  decoder: Decoder,
  content: EmmContent,
  told: CardOnAir,
  atMs: number,
): boolean {
  const id = idOf(content);
  if (id !== undefined) return isFirstTime(decoder, id) && takeIn(decoder, content, atMs);
  const { kind } = content;
  if (kind === 'stb') {
    const { isDenied = decoder.isDenied, pin = decoder.pin } = content;
    return [set(decoder, 'isDenied', isDenied), set(decoder, 'pin', pin)].includes(true);
  }
  const news = [
    WITH_RIGHTS.includes(kind) && told.rights !== undefined && store(decoder, told.rights, atMs),
    WITH_PAIRING.includes(kind) && bind(decoder, told.pairedWith),
    WITH_REGION.includes(kind) && set(decoder, 'boundTo', told.region),
    WITH_PIN.includes(kind) && set(decoder, 'pin', told.pin === null ? 'maker' : 'given'),
  ];
  return news.includes(true);
}

/** Turns knobs. What was on the screen is gone with the power; what is stored stays. */
export function turnKnobs(decoder: Decoder, knobs: Partial<Knobs>): void {
  decoder.knobs = { ...decoder.knobs, ...knobs };
  if (!decoder.knobs.power) finish(decoder);
}

function takeIn(decoder: Decoder, content: EmmContent, atMs: number): boolean {
  if (content.kind !== 'mail') return put(decoder, content, atMs);
  const received = { ...content.mail, receivedAt: new Date(atMs).toISOString() };
  decoder.mailbox = [...decoder.mailbox, received].slice(-MAILBOX_MAX);
  return true;
}

function set<Key extends 'isDenied' | 'boundTo' | 'pin'>(
  decoder: Decoder,
  key: Key,
  value: Decoder[Key],
): boolean {
  if (decoder[key] === value) return false;
  decoder[key] = value;
  return true;
}

function bind(decoder: Decoder, pairedWith: readonly string[] | undefined): boolean {
  const paired = belongsIn(decoder.stb, pairedWith);
  if (paired === decoder.knobs.paired) return false;
  decoder.knobs = { ...decoder.knobs, paired };
  return true;
}

function belongsIn(stb: string, pairedWith: readonly string[] | undefined): boolean {
  return pairedWith === undefined || pairedWith.includes(stb);
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
  if (a.epoch !== b.epoch) return a.epoch < b.epoch;
  return a.rev === b.rev ? (a.sub ?? 0) < (b.sub ?? 0) : a.rev < b.rev;
}

function isFirstTime({ seen }: Decoder, id: string): boolean {
  if (seen.has(id)) return false;
  seen.add(id);
  if (seen.size > SEEN_MAX) seen.delete([...seen][0] ?? '');
  return true;
}
