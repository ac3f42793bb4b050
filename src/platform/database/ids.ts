import type { Pool } from 'pg';
import type { Ids } from '../ports.ts';

/** How many ids one number of the `id_block` sequence stands for. */
export const ID_BLOCK_SIZE = 10_000n;

/**
 * Ids from the database in blocks: unique among all processes, roughly rising, and free of a round
 * trip for each. What a process has left when it ends is never used, which costs nothing.
 */
export function createIds(pool: Pool): Ids {
  const blocks: { next: bigint; end: bigint }[] = [];
  let fetching: Promise<void> | null = null;
  const left = () => blocks.reduce((sum, block) => sum + Number(block.end - block.next), 0);
  const fetch = async (): Promise<void> => {
    const { rows } = await pool.query("SELECT nextval('id_block') AS block");
    const start = BigInt(rows[0].block) * ID_BLOCK_SIZE;
    blocks.push({ next: start, end: start + ID_BLOCK_SIZE });
  };
  return {
    async reserve(count) {
      while (left() < count) {
        fetching ??= fetch().finally(() => {
          fetching = null;
        });
        await fetching;
      }
    },
    next() {
      const block = blocks[0];
      if (!block) throw new Error('No ids reserved');
      const id = block.next;
      block.next += 1n;
      if (block.next === block.end) blocks.shift();
      return id;
    },
  };
}
