/**
 * Which products which system carries, for whoever sells: a sale of what cannot be put on air is
 * refused before money moves. Every process that sells keeps it in memory.
 */
import type { Pool } from 'pg';
import type { Logger } from '../../platform/ports.ts';
import { every } from '../../platform/timers.ts';
import { EVENT_PRODUCT_PREFIX } from '../vip-control/messages.ts';
import { readProducts } from './store.ts';
import type { CasSystem } from './systems.ts';

export interface Carriage {
  /** Whether a system carries a product of ours; true where nobody has said what it carries. */
  carries(casId: string, product: string): boolean;
  stop(): void;
}

/** What the systems say is read again this often. */
const READ_EVERY_MS = 15_000;

type Declared = Pick<CasSystem, 'products' | 'hasEvents'>;

/**
 * Whether a system carries a product, from its entry in the file and from what it said itself
 * (null: nothing). A map lists all it carries. Events go by `events` alone: their names are made
 * for each, so that no list holds them.
 */
export function isCarried(
  product: string,
  declared: Declared | undefined,
  said: ReadonlySet<string> | null,
): boolean {
  const name = declared?.products ? declared.products.get(product) : product;
  if (product.startsWith(EVENT_PRODUCT_PREFIX) && !declared?.products?.has(product)) {
    return declared?.hasEvents ?? true;
  }
  return name !== undefined && (said === null || said.has(name));
}

/** Reads what the systems have said, and goes on reading it; stop it with the process. */
export async function openCarriage(deps: {
  pool: Pool;
  logger: Logger;
  systems: readonly CasSystem[];
}): Promise<Carriage> {
  const { pool, logger, systems } = deps;
  const declared = new Map(systems.map((system) => [system.id, system]));
  let said = await readProducts(pool);
  const read = async () => {
    try {
      said = await readProducts(pool);
    } catch (error) {
      // What was known last holds on; the next look comes by itself.
      logger.warn('cas.products_unread', { error });
    }
  };
  return {
    carries: (casId, product) => isCarried(product, declared.get(casId), said.get(casId) ?? null),
    stop: every(READ_EVERY_MS, () => void read()),
  };
}
