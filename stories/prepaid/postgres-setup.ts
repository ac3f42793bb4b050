/** Writes the catalogue and the offers of a case into the tables that the product reads. */
import type { Pool } from 'pg';
import { writeVouchers } from '../../src/billing/settlement/voucher-store.ts';
import { bigintAsDigits } from '../../src/platform/json.ts';
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
  await writeMarkets(writing);
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
      `INSERT INTO site (id, code, name, country, currency, tvu_asset, time_zone, language, policy,
                         rules)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        ...[id, code, name, country, currency, tvuAsset, timeZone, language],
        JSON.stringify(site.payment),
        JSON.stringify(site.rules ?? {}, bigintAsDigits),
      ],
    );
  }
}

async function writeBouquets({ pool, setup }: Writing): Promise<void> {
  for (const bouquet of setup.catalogue.bouquets.values()) {
    const { id, siteId, code, name, taxPermyriad, products, prices } = bouquet;
    await pool.query(
      `INSERT INTO bouquet (id, site_id, code, name, tax_percent) VALUES ($1, $2, $3, $4, $5)`,
      [id, siteId, code, name, percent(taxPermyriad)],
    );
    await pool.query(
      'INSERT INTO bouquet_product (bouquet_id, product) SELECT $1, unnest($2::text[])',
      [id, products],
    );
    const versions = Object.entries(prices).flatMap(([term, all]) =>
      all.map(({ from, amount }) => ({ term, from_at: from, amount })),
    );
    await pool.query(
      `INSERT INTO price (bouquet_id, term, from_at, amount)
       SELECT $1, * FROM jsonb_to_recordset($2::jsonb)
              AS x (term text, from_at timestamptz, amount bigint)`,
      [id, JSON.stringify(versions, bigintAsDigits)],
    );
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

async function writeMarkets({ pool, setup }: Writing): Promise<void> {
  for (const { asset, currency, buy, credit } of setup.catalogue.units?.values() ?? []) {
    await pool.query('INSERT INTO unit_market (asset, currency) VALUES ($1, $2)', [
      asset,
      currency,
    ]);
    for (const [operator, versions] of buy) {
      for (const { from, amount } of versions) {
        await pool.query('INSERT INTO unit_price VALUES ($1, $2, $3, $4)', [
          asset,
          operator,
          from,
          amount,
        ]);
      }
    }
    for (const { from, units, value } of credit) {
      await pool.query('INSERT INTO unit_value VALUES ($1, $2, $3, $4)', [
        asset,
        from,
        units,
        value,
      ]);
    }
  }
}
