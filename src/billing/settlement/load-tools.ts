/** What the loaders share: what is looked up before the locks, and what they are handed. */
import type { Needs } from './needs.ts';

/** Something moved between look-up and lock: the batch is loaded again. */
export class FactsMoved extends Error {}

export interface LoadTools {
  /** The products of a bouquet of the catalogue. */
  productsOf(bouquetId: bigint): readonly string[];
  /** How a scratch card's code is kept. */
  voucherHash(code: string): string;
}

/** What the names of a batch came to, before anything is locked. */
export interface Resolved {
  cardIds: Set<bigint>;
  ownerOf: Map<bigint, bigint>;
  cardByNumber: Map<string, bigint>;
  subscriberByPhone: Map<string, bigint>;
  subscriberIds: Set<bigint>;
  /** Subscribers whose cards are wanted, and of those the ones whose lines are wanted too. */
  withCards: Set<bigint>;
  withLines: Set<bigint>;
  lineCardIds: Set<bigint>;
}

/** Nothing but what the commands name by id is known yet. */
export const startResolving = (needs: Needs): Resolved => ({
  cardIds: new Set(needs.cardIds),
  ownerOf: new Map(),
  cardByNumber: new Map(),
  subscriberByPhone: new Map(),
  subscriberIds: new Set(needs.subscriberIds),
  withCards: new Set(needs.subscribersWithCards),
  withLines: new Set(),
  lineCardIds: new Set(needs.lineCardIds),
});
