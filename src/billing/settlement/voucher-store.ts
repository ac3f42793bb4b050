/** Scratch cards in Postgres: a batch is written once, its cards go through their states. */
import type { Pool } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Ids } from '../../platform/ports.ts';
import type { VoucherFacts } from './facts.ts';

export interface NewVouchers
  extends Pick<
    VoucherFacts,
    'kind' | 'value' | 'asset' | 'expiresAt' | 'bonus' | 'bonusDays' | 'bouquetId' | 'days'
  > {
  /** Name of the batch; no two have the same. */
  name: string;
  state: VoucherFacts['state'];
  /** As printed. They are hashed here, and nowhere kept. */
  codes: readonly string[];
  at: Date;
}

/** Writes a batch with its cards in one transaction; throws when a code is known already. */
export async function writeVouchers(
  pool: Pool,
  ids: Ids,
  hashOf: (code: string) => string,
  batch: NewVouchers,
): Promise<bigint> {
  const batchId = await ids.take();
  const lent = await ids.lend(batch.codes.length);
  await transaction(pool, async (client) => {
    const { name, kind, asset, value, expiresAt, bonus, bonusDays, bouquetId, days, at } = batch;
    await client.query(
      `INSERT INTO voucher_batch (id, name, kind, asset, value, expires_at, bonus, bonus_days,
                                  bouquet_id, days, created_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [batchId, name, kind, asset, value, expiresAt, bonus, bonusDays, bouquetId, days, at],
    );
    await client.query(
      `INSERT INTO voucher (id, batch_id, code_hash, state)
       SELECT x.id, $1, x.code_hash, $2
         FROM unnest($3::bigint[], $4::text[]) AS x (id, code_hash)`,
      [batchId, batch.state, batch.codes.map(() => lent.next()), batch.codes.map(hashOf)],
    );
  });
  return batchId;
}
