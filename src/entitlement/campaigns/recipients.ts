/** The cards that a campaign reaches now, in the order of their ids, and what is said of each. */
import type { ClientBase, Pool } from 'pg';
import type { Category } from '../../billing/catalogue/file/types.ts';
import {
  type Catalogue,
  priceAt,
  type Site,
  type TermName,
} from '../../billing/catalogue/rules.ts';
import { addDays, localDate, midnight } from '../../platform/calendar.ts';
import { byHouseTime } from '../../registry/test-clocks.ts';
import type { CampaignTarget, Filter, Language } from './content.ts';
import type { Values } from './templates.ts';

type Db = Pool | ClientBase;

/** How amounts and days are written; the same as in texts to phones. */
export interface Wording {
  amount(minor: bigint, currency: string): string;
  /** The last day of something that is paid until the instant, which is exclusive. */
  lastDay(until: Date, timeZone: string): string;
}

export interface Recipient {
  cardId: bigint;
  number: string;
  casId: string;
  language: Language;
  values: Values;
}

export interface Reach {
  site: Site;
  target: Extract<CampaignTarget, { kind: 'cards' | 'filter' }>;
  /** Only cards of this conditional-access system; null: of all. */
  casId: string | null;
  catalogue: Catalogue;
  at: Date;
}

/** Cards looked at in one step. */
const SCAN_CARDS = 1_000;

/**
 * Purpose: of the next `$5` cards of a site behind `$4`, or of those that are listed in `$2`, all
 * of whom the conditions hold at the instant `$3`. What is on air now is what the card may show,
 * unless it is suspended. Cards of test clocks are in no group.
 * Plan: a range of `card_site_id` (a list: `card_number_key`); for each its row of three tables by
 * key. The step is taken before the conditions, so that it costs the same whatever they are. Not
 * prepared: a plan for any list would not trust its index.
 * Cost: 4 ms for 1,000 cards of 50,000, 8 ms with all conditions.
 */
const STEP = `
WITH step AS MATERIALIZED (
  SELECT c.id, c.number, c.subscriber_id, c.cas_id FROM card c
   WHERE c.site_id = $1 AND ($2::text[] IS NULL OR c.number = ANY ($2)) AND c.id > $4
   ORDER BY c.id LIMIT $5
), reached AS (
  SELECT c.id, c.number, c.cas_id, u.language, u.full_name, u.category,
         s.bouquet_id, s.term, s.paid_until
    FROM step c
    JOIN subscriber u ON u.id = c.subscriber_id
    LEFT JOIN subscription s ON s.card_id = c.id
    LEFT JOIN card_rights r ON r.card_id = c.id
   WHERE ($6::text IS NULL OR c.cas_id = $6)
     AND ($2 IS NOT NULL OR ${byHouseTime('c.subscriber_id')})
     AND ($7::text IS NULL OR u.category = $7)
     AND ($8::text IS NULL OR u.language = $8)
     AND ($9::boolean IS NULL OR $9 = (u.owes OR coalesce(s.paid_until <= $3, false)))
     AND ($10::timestamptz IS NULL OR (s.paid_until > $10 AND s.paid_until <= $11))
     AND ($12::text[] IS NULL OR (r.suspended IS NULL AND NOT EXISTS (
           SELECT FROM unnest($12) AS wanted (product)
            WHERE NOT EXISTS (
              SELECT FROM jsonb_to_recordset(r.desired)
                       AS shown (product text, "from" timestamptz, "to" timestamptz)
               WHERE shown.product = wanted.product AND shown."from" <= $3 AND shown."to" > $3))))
)`;

function valuesFor(
  { site, target, catalogue, at, casId }: Reach,
  after: bigint,
  cards: number | null,
): unknown[] {
  const numbers = target.kind === 'cards' ? target.numbers : null;
  const { category, language, unpaid, paidUntil, bouquet } =
    target.kind === 'cards' ? ({} as Filter) : target.filter;
  const window = paidUntil ? windowOf(paidUntil, at, site.timeZone) : [null, null];
  const products = bouquet === undefined ? null : productsOf(catalogue, site, bouquet);
  const filters = [category ?? null, language ?? null, unpaid ?? null, ...window, products];
  return [site.id, numbers, at, after, cards, casId, ...filters];
}

/** Paid until the midnight that follows the last of these days, or one before it. */
function windowOf({ fromDays, toDays }: NonNullable<Filter['paidUntil']>, at: Date, zone: string) {
  const today = localDate(at, zone);
  return [fromDays, toDays + 1].map((days) => midnight(addDays(today, days), zone));
}

/** What a bouquet of the site shows; null: there is no such bouquet. */
export function productsOf(catalogue: Catalogue, site: Site, code: string): string[] | null {
  const all = [...catalogue.bouquets.values()];
  const found = all.find((one) => one.siteId === site.id && one.code === code);
  return found ? [...found.products] : null;
}

export interface Step {
  found: Recipient[];
  /** The card behind which the next step begins. */
  last: bigint;
  /** There is no next step. */
  isEnd: boolean;
}

/** The next cards behind `after`, by id; those that are reached of them, `limit` at the most. */
export async function recipients(
  db: Db,
  reach: Reach,
  { after, limit, wording }: { after: bigint; limit: number; wording: Wording },
): Promise<Step> {
  const { rows } = await db.query(
    `${STEP}
      SELECT page.*, looked.n, looked.last
        FROM (SELECT count(*) AS n, max(id) AS last FROM step) looked
        LEFT JOIN (SELECT * FROM reached ORDER BY id LIMIT $13) page ON true ORDER BY page.id`,
    [...valuesFor(reach, after, SCAN_CARDS), limit],
  );
  const found = rows
    .filter(({ id }) => id !== null)
    .map((row) => ({
      ...{ cardId: row.id, number: row.number, casId: row.cas_id, language: row.language },
      values: valuesOf(reach, wording, row),
    }));
  const full = found.length === limit ? found.at(-1) : undefined;
  if (full) return { found, last: full.cardId, isEnd: false };
  return { found, last: rows[0]?.last ?? after, isEnd: Number(rows[0]?.n) < SCAN_CARDS };
}

/** How many there are behind `after`. */
export async function countRecipients(db: Db, reach: Reach, after: bigint): Promise<number> {
  const { rows } = await db.query(
    `${STEP} SELECT count(*) AS n FROM reached`,
    valuesFor(reach, after, null),
  );
  return Number(rows[0]?.n);
}

interface Row {
  number: string;
  full_name: string;
  category: Category;
  bouquet_id: bigint | null;
  term: TermName | null;
  paid_until: Date | null;
}

function valuesOf({ site, catalogue, at }: Reach, wording: Wording, row: Row): Values {
  const bouquet = row.bouquet_id === null ? undefined : catalogue.bouquets.get(row.bouquet_id);
  const price = bouquet && row.term ? priceAt(bouquet, row.term, at, row.category) : null;
  return {
    name: row.full_name,
    card: row.number,
    last4: row.number.slice(-4),
    bouquet: bouquet?.name ?? null,
    until: row.paid_until && wording.lastDay(row.paid_until, site.timeZone),
    amount: price === null ? null : wording.amount(price, site.currency),
  };
}

/** Numbers of a list that are no cards of the site. */
export async function unknownCards(
  db: Db,
  siteId: bigint,
  numbers: readonly string[],
): Promise<string[]> {
  const { rows } = await db.query(
    `SELECT number FROM unnest($2::text[]) AS wanted (number)
      WHERE NOT EXISTS (SELECT FROM card c WHERE c.number = wanted.number AND c.site_id = $1)`,
    [siteId, numbers],
  );
  return rows.map((row) => row.number);
}

/** Cards of a site, or of all (null), by system: as many as a broadcast may reach at the most. */
export async function countCards(db: Db, siteId: bigint | null): Promise<Map<string, number>> {
  const { rows } = await db.query(
    `SELECT c.cas_id, count(*) AS n FROM card c
      WHERE $1::bigint IS NULL OR c.site_id = $1 GROUP BY 1 ORDER BY 1`,
    [siteId],
  );
  return new Map(rows.map(({ cas_id, n }) => [cas_id, Number(n)]));
}
