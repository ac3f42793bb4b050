/**
 * Ids for postpaid rows. Those of one account rise in the order of recording, whichever process
 * records: a block taken from the database while an account is locked is above every id that the
 * account has, and an older block is thrown away when it is not.
 */
import type { ClientBase } from 'pg';
import { ID_BLOCK_SIZE } from '../../platform/database/ids.ts';
import type { Ids } from '../../platform/ports.ts';
import type { IdSource } from './books.ts';

export interface RisingIds extends IdSource {
  /** Are there enough ids above `floor`, without asking the database? Drops those that are not. */
  isReady(floor: bigint): boolean;
  /** Takes a block from the database. */
  fetch(client: ClientBase): Promise<void>;
}

/** No act makes more rows than this. */
const IDS_PER_ACT_MAX = 10_000n;

export function createRisingIds(): RisingIds {
  let blocks: { next: bigint; end: bigint }[] = [];
  return {
    next() {
      const first = blocks[0];
      if (!first) throw new Error('An act made more rows than it may');
      const id = first.next;
      first.next += 1n;
      if (first.next === first.end) blocks.shift();
      return id;
    },
    isReady(floor) {
      blocks = blocks.filter(({ next }) => next > floor);
      return blocks.reduce((sum, { next, end }) => sum + end - next, 0n) >= IDS_PER_ACT_MAX;
    },
    async fetch(client) {
      const { rows } = await client.query("SELECT nextval('id_block') AS block");
      const next = BigInt(rows[0].block) * ID_BLOCK_SIZE;
      blocks.push({ next, end: next + ID_BLOCK_SIZE });
      blocks.sort((a, b) => (a.next < b.next ? -1 : 1));
    },
  };
}

/** The same as the port, over one connection: a transaction never waits for a second one. */
export function idsOver(ids: RisingIds, client: ClientBase): Ids {
  const ready = async (): Promise<void> => {
    while (!ids.isReady(0n)) await ids.fetch(client);
  };
  return {
    async take() {
      await ready();
      return ids.next();
    },
    async lend() {
      await ready();
      return { next: () => ids.next(), giveBack: () => undefined };
    },
  };
}
