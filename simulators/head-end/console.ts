/**
 * The console in the head-end's own room, for breaking the glass: it changes a card without any
 * command, and so without the knowledge of whoever manages the subscribers.
 */
import { z } from 'zod';
import type { StateKind } from './air/types.ts';
import { blankCard, type CardState, canonicalSet, fitsFrame } from './card-state.ts';
import { noteFirstAir, stamped } from './changes.ts';
import type { DeskDeps } from './desk.ts';
import { applyRecord } from './memory.ts';

const NAME_CHARS_MAX = 200;
const RIGHTS_MAX = 500;
const STBS_MAX = 32;
const STB_CHARS_MAX = 40;
const DATE_CHARS_MAX = 40;

const name = z.string().min(1).max(NAME_CHARS_MAX);
const date = z.string().max(DATE_CHARS_MAX);
const right = z.strictObject({ product: name, from: date, to: date });

/**
 * What is to be changed; `suspended` and `region` null: no more; out of use, it has no rights, and
 * nothing gives it any.
 */
export const consoleForm = z.strictObject({
  card: name,
  by: name,
  why: name,
  set: z.array(right).max(RIGHTS_MAX).exactOptional(),
  suspended: name.nullable().exactOptional(),
  region: name.nullable().exactOptional(),
  stbs: z.array(name.max(STB_CHARS_MAX)).max(STBS_MAX).exactOptional(),
  state: z.enum(['live', 'blacklisted', 'retired']).exactOptional(),
});
export type ConsoleWrite = z.infer<typeof consoleForm>;

const WRITER = 'console';

export interface ConsoleDeps
  extends Pick<DeskDeps, 'memory' | 'journal' | 'air' | 'clock' | 'log' | 'onWaiting'> {
  /** Told when the change is on the disk. */
  onForeignWrite(detail: { card: string; by: string; change: number }): void;
}

/** Changes a card and puts that on air; false, and nothing happens, when the set is no good. */
export function writeByConsole(deps: ConsoleDeps, write: ConsoleWrite): boolean {
  const { memory, journal, air, clock, log } = deps;
  const { card, by, why, ...given } = write;
  const before = memory.cards.get(card) ?? blankCard(card);
  const wanted = overwritten(before, given);
  if (!wanted) return false;
  const now = clock.now();
  const [state = wanted] = stamped(memory, { cards: [wanted] }, { by: WRITER, now }).cards ?? [];
  const line = log.chain({
    ...{ at: now.toISOString(), cmdId: null, op: 'CONSOLE', target: { kind: 'card', id: card } },
    ...{ args: { ...given, why }, by, code: 'DONE' },
  });
  const record = { k: 'card' as const, state, line };
  applyRecord(memory, record);
  journal.append(record, () => deps.onForeignWrite({ card, by, change: state.change }));
  const kind: StateKind = given.region === undefined && given.stbs === undefined ? 'rights' : 'all';
  const order = { card, content: { kind }, repeat: 'profile' as const };
  air.put(
    {
      ...{ ...order, prio: 'SALE' },
      onAir(at) {
        noteFirstAir(memory, order, at);
        const aired = memory.cards.get(card);
        if (aired) journal.append({ k: 'card', state: aired }, () => undefined);
      },
    },
    now,
  );
  deps.onWaiting();
  return true;
}

/** A card as it is after a write; undefined: its set is no good. */
export function overwritten(
  { suspended: before, ...card }: CardState,
  {
    set: given,
    suspended = before ?? null,
    region,
    stbs,
    state,
  }: Omit<ConsoleWrite, 'card' | 'by' | 'why'>,
): CardState | undefined {
  const wanted = given === undefined ? card.set : canonicalSet(given);
  const set = state === undefined || state === 'live' ? wanted : [];
  if (!set || !fitsFrame(set)) return undefined;
  return {
    ...{ ...card, set, sub: card.sub + 1, firstAirAt: null },
    ...(suspended === null ? {} : { suspended }),
    ...(region === undefined ? {} : { region }),
    ...(stbs === undefined ? {} : { stbs: [...new Set(stbs)].sort(), isBound: true }),
    ...(state === undefined ? {} : { state }),
  };
}
