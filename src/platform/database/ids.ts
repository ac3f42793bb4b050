import type { Pool } from 'pg';
import type { Ids } from '../ports.ts';

/** How many ids one number of the `id_block` sequence stands for. */
export const ID_BLOCK_SIZE = 10_000n;

interface Range {
  next: bigint;
  end: bigint;
}

/**
 * Ids from the database in blocks: unique among all processes, roughly rising, and free of a round
 * trip for each. What a process has left when it ends is never used, which costs nothing.
 */
export function createIds(pool: Pool): Ids {
  let free: Range[] = [];
  let fetching: Promise<void> | null = null;
  const fetch = async (): Promise<void> => {
    const { rows } = await pool.query("SELECT nextval('id_block') AS block");
    const next = BigInt(rows[0].block) * ID_BLOCK_SIZE;
    free.push({ next, end: next + ID_BLOCK_SIZE });
  };
  /** Cut out in one turn of the event loop, so that nobody else gets the same. */
  const lend = async (count: number): Promise<Range[]> => {
    while (sizeOf(free) < count) {
      fetching ??= fetch().finally(() => {
        fetching = null;
      });
      await fetching;
    }
    return cut(free, BigInt(count));
  };
  return {
    async take() {
      const [range] = await lend(1);
      if (!range) throw new Error('No id was lent');
      return range.next;
    },
    async lend(count) {
      const lent = await lend(count);
      return {
        next: () => shift(lent),
        giveBack() {
          free = [...lent.splice(0), ...free];
        },
      };
    },
  };
}

const sizeOf = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, { next, end }) => sum + Number(end - next), 0);

/** Removes the first `count` ids of the ranges and returns them. */
function cut(ranges: Range[], count: bigint): Range[] {
  const taken: Range[] = [];
  for (let wanted = count; wanted > 0n; ) {
    const first = ranges[0];
    if (!first) throw new Error('Too few ids');
    const end = first.end - first.next <= wanted ? first.end : first.next + wanted;
    taken.push({ next: first.next, end });
    wanted -= end - first.next;
    first.next = end;
    if (first.next === first.end) ranges.shift();
  }
  return taken;
}

function shift(ranges: Range[]): bigint {
  const first = ranges[0];
  if (!first) throw new Error('More ids were used than lent');
  const id = first.next;
  first.next += 1n;
  if (first.next === first.end) ranges.shift();
  return id;
}
