/** Somebody at the head-end's console, who gives cards what nobody has paid for. */
import type { Random } from '../../src/platform/ports.ts';
import { oneOf } from '../random.ts';
import type { Base } from './base.ts';
import type { HeadEndHouse } from './head-end.ts';

/** `mark`: what stands in the head-end's log as its reason. */
export interface Activation {
  card: string;
  mark: string;
}

export interface ConsoleDeps {
  base: Base;
  headEnd: HeadEndHouse;
  random: Random;
  now(): Date;
}

/** What the small bouquet does not hold. */
export const FOREIGN_PRODUCT = 'PREM';
const ACTIVATED_MS = 60 * 86_400_000;

/** A console at which nobody sits yet. */
export function createConsole({ base, headEnd, random, now }: ConsoleDeps) {
  const cards = base.subscribers.filter(({ bouquet }) => bouquet === 'ESSENTIAL');
  const activations: Activation[] = [];
  return {
    activations,
    activate() {
      const { card } = oneOf(random, cards);
      if (!headEnd.isUp()) return;
      const mark = `activation ${activations.length}`;
      const given = {
        product: FOREIGN_PRODUCT,
        from: now().toISOString(),
        to: new Date(now().getTime() + ACTIVATED_MS).toISOString(),
      };
      const set = [...(headEnd.server().card(card)?.set ?? []), given];
      if (!headEnd.server().writeByConsole({ card, by: 'night shift', why: mark, set })) return;
      activations.push({ card, mark });
    },
  };
}
