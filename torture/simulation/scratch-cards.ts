/** Scratch cards that lie in the shops of a simulated life: printed, activated, not yet used. */
import type { Pool } from 'pg';
import type { Bouquet, Site } from '../../src/billing/catalogue/rules.ts';
import {
  makeBatch,
  type NewBatch,
  printBatch,
  setCards,
} from '../../src/billing/settlement/voucher-batches.ts';
import { voucherHasher } from '../../src/billing/settlement/voucher-codes.ts';
import type { Ids } from '../../src/platform/ports.ts';
import { seededRandom } from '../random.ts';

/** How the product keeps their codes. */
export const hashCode = voucherHasher('key of the simulation');

const PRINTED = 8;
const VALID_MS = 90 * 86_400_000;
const SEED = 40_211;
const WEEK_DAYS = 7;

export interface Printing {
  pool: Pool;
  ids: Ids;
  site: Site;
  bouquet: Bouquet;
  at: Date;
}

/** Prints a batch of an amount and one of days; the codes. */
export async function printScratchCards({ pool, ids, site, bouquet, at }: Printing) {
  const common = {
    ...{ siteId: site.id, asset: site.currency, size: PRINTED, by: 'staff:1', at },
    expiresAt: new Date(at.getTime() + VALID_MS),
  };
  const batches: NewBatch[] = [
    { ...common, name: 'credit', kind: 'amount', value: 65_000n, days: null, bouquetId: null },
    { ...common, name: 'week', kind: 'days', value: 20_000n, days: WEEK_DAYS, bouquetId: null },
    { ...common, name: 'plan', kind: 'days', value: 4_000n, days: 1, bouquetId: bouquet.id },
  ];
  const printing = { ids, random: seededRandom(SEED), hashOf: hashCode };
  const codes: string[] = [];
  for (const batch of batches) {
    const id = await makeBatch(pool, ids, batch, batch.name);
    const cards = id === null ? null : await printBatch(pool, printing, id);
    if (id === null || !cards) throw new Error(`batch ${batch.name} was not printed`);
    await setCards(pool, id, 'ACTIVATED', { from: null, to: null });
    codes.push(...cards.map(({ code }) => code));
  }
  return codes;
}
