/**
 * Publishing a catalogue file: what speaks against it, and the rows that it becomes. Both in the
 * transaction of the caller, who may have more to check and to write with it.
 */
import { createHash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import type { Ids } from '../../platform/ports.ts';
import { isBouquet, unitAsset } from './compile.ts';
import { diffCatalogues } from './file/diff.ts';
import { pastPriceChanges } from './file/diff-past.ts';
import { dateAt } from './file/price.ts';
import type { Problem } from './file/problems.ts';
import { readCatalogueFile } from './file/read.ts';
import type { OperatorCatalogue } from './file/types.ts';
import { planFaults } from './plan-faults.ts';
import { writePromotions } from './promotion-rows.ts';
import { type CatalogueVersion, type PublishedCatalogue, publishedOf } from './store.ts';

type Db = Pool | PoolClient;

/** What is to be known of a text before it is published. */
export type CatalogueReview =
  | { kind: 'unreadable'; problems: Problem[] }
  | {
      kind: 'read';
      file: OperatorCatalogue;
      /** What holds until then; null before the first. */
      before: PublishedCatalogue | null;
      /** One sentence a change, against what holds. */
      changes: string[];
      /** Why it can't be published: it takes away, recodes or bills otherwise what was sold. */
      inUse: string[];
      /** Prices it changes for days that have come. */
      past: string[];
    };
export type ReadReview = Extract<CatalogueReview, { kind: 'read' }>;

export type Published =
  /** `isNew` is false when this very text held already: then nothing was written. */
  | { ok: true; version: CatalogueVersion; isNew: boolean; changes: string[] }
  | { ok: false; error: 'catalogue_unreadable'; problems: Problem[] }
  /** `reasons`: what it takes away or recodes, or which prices of the past it changes. */
  | { ok: false; error: 'catalogue_in_use' | 'catalogue_past'; reasons: string[] }
  /** Another publication than the one it was made for is in force. */
  | { ok: false; error: 'catalogue_changed' };

export interface NewCatalogue {
  text: string;
  /** Staff as `staff:7`, or who ran the command. */
  by: string;
  note: string;
  /** Prices of days that have come may change: what was sold keeps its own. */
  allowPast: boolean;
  /** The version that must still be in force; left out: whichever is. */
  onto?: bigint | null | undefined;
}

/** Publications wait for each other until the transaction ends. */
export async function lockCatalogue(client: PoolClient): Promise<void> {
  await client.query("SELECT pg_advisory_xact_lock(hashtextextended('catalogue.publish', 0))");
}

/** The publication in force, null before the first. */
export async function newestCatalogue(db: Db): Promise<PublishedCatalogue | null> {
  const { rows } = await db.query(
    `SELECT id, text, sha256, published_at AS "publishedAt", published_by AS "publishedBy", note
       FROM catalogue_version ORDER BY published_at DESC, id DESC LIMIT 1`,
  );
  return rows[0] ? publishedOf(rows[0]) : null;
}

/** Reads a text and says what it changes and what speaks against it. Writes nothing. */
export async function reviewCatalogue(db: Db, text: string, now: Date): Promise<CatalogueReview> {
  const read = readCatalogueFile(text);
  if (!read.ok) return { kind: 'unreadable', problems: read.problems };
  const file = read.catalogue;
  const before = await newestCatalogue(db);
  const old = before?.file ?? null;
  // The latest date that any of its sites has.
  const dates = [...file.sites.values()].map((site) => dateAt(site, now)).sort();
  const today = dates.at(-1) ?? '';
  return {
    ...{ kind: 'read', file, before },
    changes: old ? diffCatalogues(old, file, today) : [],
    inUse: [
      ...(await siteFaults(db, file)),
      ...(await bouquetFaults(db, file, old)),
      ...(old ? await planFaults(db, [old, file], today) : []),
    ],
    past: old ? pastPriceChanges(old, file, today) : [],
  };
}

/** Sites stay where they are: accounts, cards and subscribers are theirs. */
async function siteFaults(db: Db, file: OperatorCatalogue): Promise<string[]> {
  const { rows } = await db.query('SELECT code, country, currency FROM site ORDER BY code');
  return rows.flatMap(({ code, country, currency }): string[] => {
    const site = file.sites.get(code);
    if (!site) return [`sites.${code} has been published and can't leave the catalogue`];
    if (site.country !== country) return [`sites.${code} is in ${country} and can't move`];
    const now = file.countries.get(country)?.currency;
    if (now === currency) return [];
    return [`countries.${country} has accounts in ${currency}, which can't become ${now}`];
  });
}

interface BouquetRow {
  id: bigint;
  code: string;
  site: string;
  country: string;
}

/** Only what nobody ever had may go, or become something else. */
async function bouquetFaults(
  db: Db,
  file: OperatorCatalogue,
  old: OperatorCatalogue | null,
): Promise<string[]> {
  const { rows } = await db.query<BouquetRow>(
    `SELECT b.id, b.code, s.code AS site, s.country
       FROM bouquet b JOIN site s ON s.id = b.site_id ORDER BY b.code, s.code`,
  );
  const faults: string[] = [];
  for (const { id, code, site, country } of rows) {
    const product = file.products.get(code);
    const was = old?.products.get(code);
    const stays = product && isBouquet(product) && product.countries.includes(country);
    if (stays && (!was || was.kind === product.kind)) continue;
    if (!(await isInUse(db, id))) continue;
    const why = stays ? `and can't become a ${product.kind}` : "and can't leave the catalogue";
    faults.push(`${code} was sold at ${site} ${why}; a price of null ends its sale`);
  }
  return faults;
}

async function isInUse(db: Db, bouquetId: bigint): Promise<boolean> {
  const { rows } = await db.query(
    `SELECT EXISTS (SELECT FROM subscription WHERE bouquet_id = $1)
         OR EXISTS (SELECT FROM term WHERE bouquet_id = $1)
         OR EXISTS (SELECT FROM voucher_batch WHERE bouquet_id = $1) AS used`,
    [bouquetId],
  );
  return rows[0].used;
}

/**
 * Writes the publication and its rows; the version that holds from now on. The caller holds the
 * lock, and has reviewed the file under it.
 */
export async function writeCatalogue(
  client: PoolClient,
  ids: Ids,
  { file, before }: Pick<ReadReview, 'file' | 'before'>,
  { text, by, note, at }: NewCatalogue & { at: Date },
): Promise<CatalogueVersion> {
  const version: CatalogueVersion = {
    id: await ids.take(),
    sha256: createHash('sha256').update(text).digest('hex'),
    // Clocks of processes differ: what is published last holds.
    publishedAt: new Date(Math.max(at.getTime(), (before?.version.publishedAt.getTime() ?? 0) + 1)),
    publishedBy: by,
    note,
  };
  const { id, sha256, publishedAt, publishedBy } = version;
  await client.query(
    `INSERT INTO catalogue_version (id, text, sha256, published_at, published_by, note)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [id, text, sha256, publishedAt, publishedBy, note],
  );
  await writeSites(client, ids, file);
  await writeBouquets(client, ids, file);
  await writePromotions(client, ids, file, at);
  return version;
}

async function writeSites(client: PoolClient, ids: Ids, file: OperatorCatalogue): Promise<void> {
  for (const { code, name, country, timeZone, language } of file.sites.values()) {
    const currency = file.countries.get(country)?.currency;
    await client.query(
      `INSERT INTO site (id, code, name, country, currency, tvu_asset, time_zone, language)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
       ON CONFLICT (code) DO UPDATE
          SET name = EXCLUDED.name, time_zone = EXCLUDED.time_zone, language = EXCLUDED.language`,
      [await ids.take(), code, name, country, currency, unitAsset(country), timeZone, language],
    );
  }
}

/** One row for each site of a country in which it is sold. */
async function writeBouquets(client: PoolClient, ids: Ids, file: OperatorCatalogue): Promise<void> {
  for (const { code, name, countries } of [...file.products.values()].filter(isBouquet)) {
    const sites = [...file.sites.values()].filter(({ country }) => countries.includes(country));
    const made = await Promise.all(sites.map(() => ids.take()));
    await client.query(
      `INSERT INTO bouquet (id, site_id, code, name)
       SELECT x.id, s.id, $3, $4
         FROM unnest($1::bigint[], $2::text[]) AS x (id, code) JOIN site s ON s.code = x.code
       ON CONFLICT (site_id, code) DO UPDATE SET name = EXCLUDED.name`,
      [made, sites.map((site) => site.code), code, name],
    );
  }
}
