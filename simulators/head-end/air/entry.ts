/** What the carousel knows of one card and one kind of content, however often it was put in. */
import type { Priority, RepeatStep } from '../../../src/entitlement/vip-control/messages.ts';
import { begin, followedBy, type Schedule } from './schedule.ts';
import type { EmmContent, Insertion } from './types.ts';

export interface Entry {
  key: string;
  card: string;
  group: Insertion['group'];
  content: EmmContent;
  prio: Priority;
  /** For its first broadcast since it was put in last. */
  waits: boolean;
  /** Since when it waits, while it does. */
  sinceMs: number;
  /** Whose `onAir` is still to be called. */
  asked: Insertion[];
  notAfterMs: number;
  schedule: Schedule;
}

/** What is seen at once or never goes out three times: at once, and twice more. */
const MESSAGE_PROFILE: readonly RepeatStep[] = [{ everySeconds: 10, forSeconds: 20 }];
/** How densely a boost repeats when there is no profile to take it from. */
const BOOST_EVERY_SECONDS = 10;

/** Insertions with the same key are one entry: rights are read when they are broadcast. */
export function keyOf({ card, group, content }: Insertion): string {
  return `${group ?? 'card'} ${card} ${content.kind} ${idOf(content) ?? toldStb(content)}`;
}

/** A ban and a PIN for one decoder are two things; of two bans the later one counts. */
function toldStb(content: EmmContent): string {
  return content.kind === 'stb' && content.pin !== undefined ? 'pin' : '';
}

/** What is to be seen once, however often it is received; what carries a state has none. */
export function idOf(content: EmmContent): string | undefined {
  switch (content.kind) {
    case 'message':
      return content.message.id;
    case 'mail':
      return content.mail.id;
    case 'fingerprint':
      return content.fingerprint.id;
    case 'tune':
      return content.tune.id;
    default:
      return undefined;
  }
}

/** An entry that nothing has been asked of yet. */
export function newEntry(key: string, insertion: Insertion): Entry {
  const { card, group, content, prio } = insertion;
  const notAfterMs = Number.NEGATIVE_INFINITY;
  const idle = { waits: false, sinceMs: 0, asked: [], notAfterMs, schedule: [] };
  return { key, card, group, content, prio, ...idle };
}

/** Adds an insertion to what is asked of the entry; the latest end counts. */
export function ask(entry: Entry, insertion: Insertion): void {
  entry.asked.push(insertion);
  entry.notAfterMs = Math.max(entry.notAfterMs, insertion.notAfterMs ?? Infinity);
}

/** How the entry is repeated when what was asked of it goes out at `atMs`. */
export function scheduleFrom(entry: Entry, atMs: number, profile: readonly RepeatStep[]): Schedule {
  const { asked, content, notAfterMs } = entry;
  const isOfTheMoment = idOf(content) !== undefined && content.kind !== 'mail';
  if (isOfTheMoment) return begin(MESSAGE_PROFILE, atMs, notAfterMs);
  let { schedule } = entry;
  if (asked.some(({ repeat }) => repeat === 'profile')) {
    schedule = followedBy(begin(profile, atMs, notAfterMs), schedule);
  }
  const boosts = asked.map(({ repeat }) => (repeat === 'profile' ? 0 : repeat.boostSeconds));
  const forSeconds = Math.max(0, ...boosts);
  if (forSeconds === 0) return schedule;
  const everySeconds = profile[0]?.everySeconds ?? BOOST_EVERY_SECONDS;
  return followedBy(begin([{ everySeconds, forSeconds }], atMs, notAfterMs), schedule);
}
