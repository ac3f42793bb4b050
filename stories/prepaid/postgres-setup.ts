/** Writes the rows that others point at, of the catalogue and the offers of a case. */
import type { Pool } from 'pg';
import { writeVouchers } from '../../src/billing/settlement/voucher-store.ts';
import type { Ids } from '../../src/platform/ports.ts';
import type { HouseSetup } from './house.ts';

/** Long before anything happens. */
const BEFORE = new Date('2000-01-01T00:00:00Z');

interface Writing {
  pool: Pool;
  setup: HouseSetup;
}

/** 1/100 percent as the column has it: exact, two decimals. */
const percent = (permyriad: bigint): string =>
  `${permyriad / 100n}.${String(permyriad % 100n).padStart(2, '0')}`;

/** Writes all that is there before anything has happened. */
export async function writeSetup(
  pool: Pool,
  ids: Ids,
  setup: HouseSetup,
  hashOf: (code: string) => string,
): Promise<void> {
  const writing = { pool, setup };
  await writeSites(writing);
  await writeBouquets(writing);
  await writeEvents(writing);
  for (const [i, voucher] of setup.vouchers.entries()) {
    const batch = { ...voucher, name: `batch ${i + 1}`, codes: [voucher.code], at: BEFORE };
    await writeVouchers(pool, ids, hashOf, batch);
  }
  for (const {
    siteId,
    code,
    bouquetId,
    term,
    bonusDays,
    budgetLeft,
    from,
    to,
  } of setup.promotions) {
    await pool.query(
      `INSERT INTO promotion (id, site_id, code, bouquet_id, term, bonus_days, budget, budget_left,
                              from_at, to_at)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $7, $8, $9)`,
      [await ids.take(), siteId, code, bouquetId, term, bonusDays, budgetLeft, from, to],
    );
  }
}

async function writeSites({ pool, setup }: Writing): Promise<void> {
  for (const site of setup.catalogue.sites.values()) {
    const { id, code, name, country, currency, tvuAsset, timeZone, language } = site;
    await pool.query(
      `INSERT INTO site (id, code, name, country, currency, tvu_asset, time_zone, language)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [id, code, name, country, currency, tvuAsset, timeZone, language],
    );
  }
}

async function writeBouquets({ pool, setup }: Writing): Promise<void> {
  for (const { id, siteId, code, name } of setup.catalogue.bouquets.values()) {
    await pool.query('INSERT INTO bouquet (id, site_id, code, name) VALUES ($1, $2, $3, $4)', [
      ...[id, siteId, code, name],
    ]);
  }
}

async function writeEvents({ pool, setup }: Writing): Promise<void> {
  for (const event of setup.catalogue.events.values()) {
    await pool.query(
      `INSERT INTO event (id, site_id, code, title, product, starts_at, ends_at, sale_from,
                          sale_until, price, tax_percent)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`,
      [
        ...[event.id, event.siteId, event.code, event.title, event.product, event.startsAt],
        ...[event.endsAt, event.saleFrom, event.saleUntil, event.price],
        percent(event.taxPermyriad),
      ],
    );
  }
}
