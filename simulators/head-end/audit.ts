/**
 * What an auditor asks a conditional-access system: what was paired with what, who was on and off,
 * who had which programme. All of it from the log alone: it is done over again, line by line, by
 * the rules it was done by, in a memory of its own.
 */
import { operation, type WireRight } from '../../src/entitlement/vip-control/operations.ts';
import type { LogLine } from '../../src/entitlement/vip-control/queries.ts';
import { blankCard, type CardState } from './card-state.ts';
import { consoleForm, overwritten } from './console.ts';
import { applyRecord, type Changed, createMemory, type Memory } from './memory.ts';
import { execute } from './rules.ts';

/** One line of the log that changed something, and what it changed. */
export interface Step {
  line: LogLine;
  /** Each card it changed, as it was and as it is. */
  cards: { before: CardState; after: CardState }[];
  /** Decoders that show what is paid for, or do so no more, since this line. */
  switched: { stb: string; isActive: boolean }[];
}

type Pair = Step['cards'][number];

/** Does the log over again, and tells what each line changed. */
export async function* replay(lines: AsyncIterable<LogLine>): AsyncGenerator<Step> {
  const memory = createMemory();
  for await (const line of lines) {
    if (line.code !== 'DONE') continue;
    const changed = changesOf(memory, line);
    const cards = (changed.cards ?? []).map((after) => {
      return { before: memory.cards.get(after.card) ?? blankCard(after.card), after };
    });
    const stbs = touchedStbs(changed, cards);
    const wereActive = stbs.map((stb) => isActive(memory, stb));
    for (const state of changed.stbs ?? []) applyRecord(memory, { k: 'stb', state });
    for (const state of changed.cards ?? []) applyRecord(memory, { k: 'card', state });
    const switched = stbs.flatMap((stb, at) => {
      const active = isActive(memory, stb);
      return active === wereActive[at] ? [] : [{ stb, isActive: active }];
    });
    if (cards.length > 0 || switched.length > 0) yield { line, cards, switched };
  }
}

/** What a card may show, whatever the date: nothing while it is suspended. */
export function shownRights({ suspended, set }: CardState): readonly WireRight[] {
  return suspended === undefined ? set : [];
}

function changesOf(memory: Memory, line: LogLine): Changed {
  const { n, target, at } = line;
  if (line.op === 'CONSOLE') {
    const { why: _, ...given } = line.args;
    const write = consoleForm.safeParse({ card: target.id, by: line.by, why: '-', ...given });
    const before = memory.cards.get(target.id) ?? blankCard(target.id);
    const after = write.success ? overwritten(before, write.data) : undefined;
    return after ? { cards: [after] } : {};
  }
  // What was done was newer than all before: the number of its line is a revision as good as its.
  const args = line.op === 'SWAP' ? { ...line.args, newRev: n } : line.args;
  const done = operation.safeParse({ op: line.op, epoch: 1, rev: n, args });
  if (!done.success) return {};
  const order = { cmdId: `${n}`, target, mayBoost: true, now: new Date(at) };
  return execute(done.data, order, memory);
}

function touchedStbs({ stbs = [] }: Changed, cards: readonly Pair[]): string[] {
  const paired = cards.flatMap(({ before, after }) => [...before.stbs, ...after.stbs]);
  return [...new Set([...stbs.map(({ stb }) => stb), ...paired])];
}

/** Whether a card in the decoder may show something there. */
function isActive({ cards, cardsOf, stbs }: Memory, stb: string): boolean {
  if (stbs.get(stb)?.state === 'blacklisted') return false;
  return [...(cardsOf.get(stb) ?? [])].some((card) => {
    const state = cards.get(card);
    return state !== undefined && shownRights(state).length > 0;
  });
}
