/** Changes of cards on their way from a decision to the air. */
import { idOf } from './air/entry.ts';
import type { AirOrder } from './air/types.ts';
import type { CardState } from './card-state.ts';
import { applyRecord, type Changed, type Memory } from './memory.ts';

/** The states with who changed them and when; each is one change of the head-end's count. */
export function stamped(
  memory: Memory,
  { cards, stbs }: Changed,
  { by, now }: { by: string; now: Date },
): Changed {
  let { change } = memory;
  const changedAt = now.toISOString();
  const stamp = (state: CardState): CardState => {
    change += 1;
    return { ...state, change, changedAt, writtenBy: by };
  };
  return {
    ...(cards === undefined ? {} : { cards: cards.map(stamp) }),
    ...(stbs === undefined ? {} : { stbs }),
  };
}

/** The cards that are changed, or whose rights go on air. */
export function touchedBy({ cards = [] }: Changed, air: readonly AirOrder[]): string[] {
  const broadcast = air.flatMap((order) => (bringsRights(order) ? [order.card] : []));
  return [...new Set([...cards.map(({ card }) => card), ...broadcast])];
}

/** These cards as they are now. */
export function statesOf({ cards }: Memory, numbers: readonly string[]): Pick<Changed, 'cards'> {
  const states = numbers.flatMap((card) => cards.get(card) ?? []);
  return states.length === 0 ? {} : { cards: states };
}

/** The rights of a card are on air for the first time. */
export function noteFirstAir(memory: Memory, order: AirOrder, at: Date): void {
  const state = memory.cards.get(order.card);
  if (!bringsRights(order) || state?.firstAirAt !== null) return;
  applyRecord(memory, { k: 'card', state: { ...state, firstAirAt: at.toISOString() } });
}

function bringsRights({ group, content: { kind } }: AirOrder): boolean {
  return group === undefined && (kind === 'rights' || kind === 'all');
}

/** Whether it is for the moment: worse than nothing when it comes late. */
export function isMoment({ content }: AirOrder): boolean {
  return idOf(content) !== undefined;
}
