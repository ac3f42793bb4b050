/** What a client can ask VIP Control without changing anything, and what it answers. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { revision, target, type WireRight } from './operations.ts';

const NAME_CHARS_MAX = 200;
const DATE_CHARS_MAX = 40;
const PAGE_ROWS_MAX = 1_000;

const name = z.string().min(1).max(NAME_CHARS_MAX);
const count = z.number().int().nonnegative();
const limit = count.min(1).max(PAGE_ROWS_MAX).default(PAGE_ROWS_MAX);
const date = z.string().max(DATE_CHARS_MAX);
const hash = z.string().regex(/^[0-9a-f]{64}$/);

const right = z.object({ product: name, from: date, to: date });
/** Everything a head-end knows of a card; `writtenBy`: the client, or `console`. */
const cardRecord = z.object({
  card: name,
  ...revision.shape,
  set: z.array(right),
  suspended: name.optional(),
  state: z.enum(['live', 'replaced', 'blacklisted', 'retired']),
  stbs: z.array(name),
  region: name.nullable(),
  /** Of the head-end's own count of changes: whoever asks since one gets all that came after. */
  change: count,
  changedAt: date,
  writtenBy: name,
  /** When anything of it was broadcast last. */
  lastAirAt: date.nullable(),
});
export type CardRecord = z.infer<typeof cardRecord>;

/** One line of the head-end's own log; `hash` is over the line before and this one. */
const logLine = z.object({
  n: count,
  at: date,
  cmdId: name.nullable(),
  op: name,
  target,
  args: z.record(z.string(), z.unknown()),
  by: name,
  code: name,
  hash,
});
export type LogLine = z.infer<typeof logLine>;

/** `qid` names the question within its session; its answer repeats it. */
export const query = z.discriminatedUnion('op', [
  z.object({ op: z.literal('QUERY_CARD'), args: z.object({ card: name }) }),
  z.object({
    op: z.literal('DUMP'),
    // Ordered by card; `since`: those alone that changed after so many changes.
    args: z.object({ since: count.default(0), after: name.nullable().default(null), limit }),
  }),
  z.object({
    op: z.literal('LOG'),
    // Ordered by number, from the first after `after`.
    args: z.object({ after: count.default(0), limit }),
  }),
]);
export const queryMessage = z.object({ t: z.literal('QUERY'), qid: name, query });
export type Query = z.input<typeof query>;
export type ReadQuery = z.infer<typeof query>;

const dumpPage = z.object({
  op: z.literal('DUMP'),
  cards: z.array(cardRecord),
  /** The `after` of the next page; null: this was the last. */
  next: name.nullable(),
  /** What to ask `since` next time. */
  change: count,
  /** `dumpDigest` of these cards. */
  digest: hash,
});
const logPage = z.object({
  op: z.literal('LOG'),
  lines: z.array(logLine),
  next: count.nullable(),
  /** The last line of the whole log and, in base64, the Ed25519 signature of `logHeadBytes`. */
  head: z.object({ n: count, hash, signature: z.string().max(NAME_CHARS_MAX) }),
});
const answer = z.discriminatedUnion('op', [
  z.object({ op: z.literal('QUERY_CARD'), card: cardRecord.nullable() }),
  dumpPage,
  logPage,
  /** It cannot be answered; `code` is a result code. */
  z.object({ op: z.literal('REFUSED'), code: name }),
]);
export const answerMessage = z.object({ t: z.literal('ANSWER'), qid: name, answer });
export type Answer = z.infer<typeof answer>;
export type DumpPage = z.infer<typeof dumpPage>;
export type LogPage = z.infer<typeof logPage>;

/** The answer to one kind of question, or why there is none; `AWAY`: no session, or it ended. */
export type AnswerTo<Op extends Query['op']> =
  | Extract<Answer, { op: Op }>
  | { op: 'REFUSED'; code: string };

/**
 * SHA-256, in hex, over the cards of a page of a dump, each as one line of canonical JSON: what was
 * sent is what was received, and two dumps of the same state have the same digest.
 */
export function dumpDigest(cards: readonly CardRecord[]): string {
  const all = createHash('sha256');
  for (const card of cards) all.update(`${canonicalCard(card)}\n`);
  return all.digest('hex');
}

/** A card in a dump as one text, whatever the order of its fields was. */
function canonicalCard(card: CardRecord): string {
  const set = card.set.map(({ product, from, to }: WireRight) => [product, from, to]);
  return JSON.stringify([
    ...[card.card, card.epoch, card.rev, set, card.suspended ?? null, card.state],
    ...[card.stbs, card.region, card.change, card.changedAt, card.writtenBy, card.lastAirAt],
  ]);
}

/** What the first line of a log is chained to. */
export const LOG_START = '0'.repeat(64);

/** SHA-256, in hex, of a line of a head-end's log after the hash of the line before. */
export function logHash(before: string, line: Omit<LogLine, 'hash'>): string {
  const { n, at, cmdId, op, args, by, code } = line;
  const text = JSON.stringify([n, at, cmdId, op, line.target.kind, line.target.id, args, by, code]);
  return createHash('sha256').update(`${before}\n${text}`).digest('hex');
}

/** What a head-end signs of the last line of its log: its hash, as 64 characters of ASCII. */
export function logHeadBytes(hash: string): Buffer {
  return Buffer.from(hash, 'ascii');
}
