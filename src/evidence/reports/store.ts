/** The SQL of the reports. */
import type { ClientBase, Pool } from 'pg';

type Db = Pool | ClientBase;

/** Up to when reports say the same for ever. */
export async function knownUntil(db: Db): Promise<Date | null> {
  const { rows } = await db.query('SELECT at FROM air_progress WHERE id = 1 AND isfinite(at)');
  return rows[0]?.at ?? null;
}

/**
 * Purpose: how many cards had each product at an instant: what began before its day less what
 * ended before it, and what began and ended on the day. Locks: none. Plan: all days of the
 * products; a day's range of `air_interval_from` and of `air_interval_to` each.
 */
const COUNT = `
SELECT p.product,
       (coalesce((SELECT sum(d.began - d.ended) FROM air_day d
                   WHERE d.product = p.product
                     AND d.day < ($2::timestamptz AT TIME ZONE 'UTC')::date),
                 0)
        + (SELECT count(*) FROM air_interval i
            WHERE i.product = p.product AND i.from_at < i.to_at
              AND i.from_at >= date_trunc('day', $2::timestamptz, 'UTC') AND i.from_at <= $2)
        - (SELECT count(*) FROM air_interval i
            WHERE i.product = p.product AND i.from_at < i.to_at
              AND i.to_at >= date_trunc('day', $2::timestamptz, 'UTC') AND i.to_at <= $2)
       )::integer AS cards
  FROM unnest($1::text[]) AS p (product) ORDER BY p.product`;

/** Cards by product at an instant, products without any included. */
export async function countCards(
  db: Db,
  products: readonly string[],
  at: Date,
): Promise<Map<string, number>> {
  const { rows } = await db.query({ name: 'air-count', text: COUNT, values: [products, at] });
  return new Map(rows.map(({ product, cards }) => [product, cards]));
}

/** Every product that was ever on the air, what is none left out. */
export async function airedProducts(db: Db): Promise<string[]> {
  const { rows } = await db.query(
    `SELECT DISTINCT product FROM air_day WHERE product <> '*' AND product NOT LIKE '!%'
      ORDER BY product`,
  );
  return rows.map(({ product }) => product);
}

/**
 * Purpose: how many cards had any of these products. Locks: none. Plan: of each product a range of
 * `air_interval_from`, without the table.
 */
const COUNT_ANY = `
SELECT count(DISTINCT card)::integer AS cards FROM air_interval
 WHERE product = ANY($1) AND from_at < to_at AND from_at <= $2 AND to_at > $2`;

/** Cards that had any of these products, each once. */
export async function countCardsOfAny(
  db: Db,
  products: readonly string[],
  at: Date,
): Promise<number> {
  const { rows } = await db.query({ name: 'air-any', text: COUNT_ANY, values: [products, at] });
  return rows[0]?.cards ?? 0;
}

/** Cards given to a subscriber whose subscription was not closed; none of a test clock. */
export async function countRegistered(db: Db, at: Date): Promise<number> {
  const { rows } = await db.query(
    `WITH contract AS (
       SELECT coalesce(card_id, former_card_id) AS card_id,
              bool_or(closed_at IS NULL OR closed_at > $1) AS is_open
         FROM subscription GROUP BY 1)
     SELECT count(*)::integer AS cards
       FROM card c
       JOIN subscriber s ON s.id = c.subscriber_id AND s.test_clock_id IS NULL
       LEFT JOIN contract n ON n.card_id = c.id
      WHERE c.created_at <= $1 AND coalesce(n.is_open, true)`,
    [at],
  );
  return rows[0].cards;
}

/** What a card had, and since when. */
export async function productsOfCard(
  db: Db,
  card: string,
  at: Date,
): Promise<{ product: string; since: Date }[]> {
  const { rows } = await db.query(
    `SELECT product, from_at AS since FROM air_interval
      WHERE card = $1 AND from_at < to_at AND from_at <= $2 AND to_at > $2 AND product <> '*'
      ORDER BY product`,
    [card, at],
  );
  return rows;
}

/** How many whole days cards have had a product; the last one from there on. */
export const AGES = [0, 31, 61, 91, 181, 366] as const;

/** Cards by product and by age at an instant: one number for each of `AGES`. */
export async function agesOf(db: Db, at: Date): Promise<{ product: string; cards: number[] }[]> {
  const days = 'floor(extract(epoch FROM $1 - from_at) / 86400)::integer';
  const { rows } = await db.query(
    `SELECT product, width_bucket(${days}, ARRAY[${AGES.join(', ')}]) AS age,
            count(*)::integer AS cards
       FROM air_interval
      WHERE from_at < to_at AND from_at <= $1::timestamptz AND to_at > $1
        AND product <> '*' AND product NOT LIKE '!%'
      GROUP BY 1, 2 ORDER BY 1`,
    [at],
  );
  const byProduct = Map.groupBy(rows, ({ product }): string => product);
  return [...byProduct].map(([product, found]) => ({
    product,
    cards: AGES.map((_, n): number => found.find(({ age }) => age === n + 1)?.cards ?? 0),
  }));
}

/**
 * Purpose: devices whose last event up to an instant left them blacklisted, none of a test clock.
 * Locks: none. Plan: of each device that ever was, its range of `device_event_device`.
 */
const BLACKLISTED = `
SELECT b.kind, b.device, last.at AS since
  FROM (SELECT DISTINCT kind, device FROM device_event WHERE to_state = 'blacklisted') b
 CROSS JOIN LATERAL (
       SELECT e.to_state, e.at FROM device_event e
        WHERE e.kind = b.kind AND e.device = b.device AND e.at <= $1 AND e.from_state <> e.to_state
        ORDER BY e.id DESC LIMIT 1) last
 WHERE last.to_state = 'blacklisted'
   AND NOT EXISTS (SELECT FROM card c JOIN subscriber s ON s.id = c.subscriber_id
                    WHERE b.kind = 'card' AND c.number = b.device AND s.test_clock_id IS NOT NULL)
 ORDER BY b.kind, b.device`;

/** Devices that were blacklisted at an instant, and since when. */
export async function blacklistedAt(
  db: Db,
  at: Date,
): Promise<{ kind: 'card' | 'stb'; device: string; since: Date }[]> {
  const { rows } = await db.query(BLACKLISTED, [at]);
  return rows;
}

/** The text of the catalogue that was in force. */
export async function catalogueTextAt(db: Db, at: Date): Promise<string | null> {
  const { rows } = await db.query(
    `SELECT text FROM catalogue_version WHERE published_at <= $1
      ORDER BY published_at DESC, id DESC LIMIT 1`,
    [at],
  );
  return rows[0]?.text ?? null;
}
