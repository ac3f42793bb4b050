/** Answers to what may be asked without changing anything: a card, all cards, the log. */
import {
  type Answer,
  type DumpPage,
  dumpDigest,
  type ReadQuery,
} from '../../src/entitlement/vip-control/queries.ts';
import { recordOf } from './card-state.ts';
import type { HeadEndLog } from './log.ts';
import { lastAirOf, type Memory } from './memory.ts';

/** Of the cards of a page: the rest of the frame is for what is around them. */
const PAGE_BYTES_MAX = 60_000;

export const QUESTIONS: readonly ReadQuery['op'][] = ['QUERY_CARD', 'DUMP', 'LOG'];
export type Questions = (query: ReadQuery) => Promise<Answer>;

interface QuestionsDeps {
  memory: Memory;
  log: Pick<HeadEndLog, 'page'>;
  /** When all that was done is on the disk. */
  settle(): Promise<void>;
}

/** Answers from the memory and the log as they are when the question comes. */
export function createQuestions({ memory, log, settle }: QuestionsDeps): Questions {
  let sorted: readonly string[] = [];
  let sortedFrom: Memory['cards'] | undefined;
  const look = (query: Exclude<ReadQuery, { op: 'LOG' }>): Answer => {
    if (query.op === 'QUERY_CARD') {
      const state = memory.cards.get(query.args.card);
      return { op: 'QUERY_CARD', card: state ? recordOf(state, lastAirOf(memory, state)) : null };
    }
    // No card is ever taken out: in the same map, as many as before are the same.
    if (sortedFrom !== memory.cards || sorted.length !== memory.cards.size) {
      sortedFrom = memory.cards;
      sorted = [...sortedFrom.keys()].sort();
    }
    return dump(memory, sorted, query.args);
  };
  return async (query) => {
    if (query.op === 'LOG') {
      await settle();
      return await log.page(query.args.after, query.args.limit);
    }
    const seen = look(query);
    // What is told of cannot be lost any more.
    await settle();
    return seen;
  };
}

function dump(
  memory: Memory,
  sorted: readonly string[],
  { since, after, limit }: Extract<ReadQuery, { op: 'DUMP' }>['args'],
): DumpPage {
  const { change } = memory;
  // Whoever has heard of more changes than there were knows a head-end that has lost its memory.
  const floor = since > change ? 0 : since;
  const cards: DumpPage['cards'] = [];
  let bytes = 0;
  let next: string | null = null;
  for (let at = after === null ? 0 : placeAfter(sorted, after); at < sorted.length; at += 1) {
    const state = memory.cards.get(sorted[at] ?? '');
    if (!state || state.change <= floor) continue;
    const record = recordOf(state, lastAirOf(memory, state));
    bytes += Buffer.byteLength(JSON.stringify(record)) + 1;
    if (cards.length === limit || bytes > PAGE_BYTES_MAX) {
      next = cards.at(-1)?.card ?? null;
      break;
    }
    cards.push(record);
  }
  return { op: 'DUMP', cards, next, change, digest: dumpDigest(cards) };
}

/** Where in sorted cards the first one behind `after` is. */
function placeAfter(sorted: readonly string[], after: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') <= after) low = middle + 1;
    else high = middle;
  }
  return low;
}
