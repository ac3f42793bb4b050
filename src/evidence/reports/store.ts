/** The SQL of the reports. */
import type { ClientBase, Pool } from 'pg';
import { SEEN, shownProducts } from '../air/rules.ts';

type Db = Pool | ClientBase;

const DAY_MS = 86_400_000;

/** Up to when reports say the same for ever. */
export async function knownUntil(db: Db): Promise<Date | null> {
  const { rows } = await db.query('SELECT at FROM air_progress WHERE id = 1 AND isfinite(at)');
  return rows[0]?.at ?? null;
}

/**
 * Purpose: how many cards showed what at an instant: what began before its day less what ended
 * before it, and what began and ended on the day. Locks: none. Plan: all of `air_day`; a day's
 * range of `air_span_from` and of `air_span_to`, without the table.
 */
const COUNT = `
SELECT shown, sum(cards)::integer AS cards
  FROM (SELECT shown, sum(began - ended)::bigint AS cards FROM air_day
         WHERE day < ($1::timestamptz AT TIME ZONE 'UTC')::date GROUP BY shown
         UNION ALL
        SELECT shown, count(*) FROM air_span
         WHERE from_at >= date_trunc('day', $1::timestamptz, 'UTC') AND from_at <= $1
           AND from_at < to_at GROUP BY shown
         UNION ALL
        SELECT shown, -count(*) FROM air_span
         WHERE to_at >= date_trunc('day', $1::timestamptz, 'UTC') AND to_at <= $1
           AND from_at < to_at GROUP BY shown) AS parts
 GROUP BY shown HAVING sum(cards) <> 0`;

/** Cards that showed the same, and what. */
export interface Shown {
  products: readonly string[];
  cards: number;
}

/** What was shown at an instant, and by how many cards. A card counts once, and in `SEEN` again. */
export async function countShown(db: Db, at: Date): Promise<Shown[]> {
  const { rows } = await db.query({ name: 'air-count', text: COUNT, values: [at] });
  return rows.map(({ shown, cards }) => ({ products: shownProducts(shown), cards }));
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

/**
 * What a card had at an instant, and since when: its products, or that it was suspended, or
 * `SEEN` alone since it last showed anything; nothing of a card that never did.
 */
export async function productsOfCard(
  db: Db,
  card: string,
  at: Date,
): Promise<{ product: string; since: Date }[]> {
  const { rows } = await db.query(
    `WITH past AS (
       SELECT shown, since, to_at FROM air_span
        WHERE card = $1 AND from_at < to_at AND from_at <= $2)
     SELECT u.product, u.since
       FROM past, unnest(string_to_array(shown, ' '), past.since) AS u (product, since)
      WHERE to_at > $2 AND u.product <> '${SEEN}'
      UNION ALL
     SELECT '${SEEN}', max(to_at) FROM past WHERE shown <> '${SEEN}' HAVING max(to_at) <= $2
      ORDER BY product`,
    [card, at],
  );
  return rows;
}

/** How many whole days cards have had a product; the last one from there on. */
export const AGES = [0, 31, 61, 91, 181, 366] as const;

/**
 * Purpose: the ages of everything on the air at an instant; `nth`: of the products that a card
 * showed; `younger`: how many of the instants $2 its product began at or after. Locks: none. Plan:
 * all of `air_span`, or what began by then or ended after it, whichever is less.
 */
const COUNT_AGES = `
SELECT shown, nth, width_bucket(since[nth], $2::timestamptz[]) AS younger,
       count(*)::integer AS cards
  FROM air_span, generate_series(
         1, (SELECT max(cardinality(string_to_array(shown, ' '))) FROM air_day)) AS nth
 WHERE from_at < to_at AND from_at <= $1 AND to_at > $1 AND since[nth] IS NOT NULL
   AND shown NOT LIKE '!%'
 GROUP BY shown, nth, younger`;

/** Cards by product and by age at an instant: one number for each of `AGES`. */
export async function agesOf(db: Db, at: Date): Promise<{ product: string; cards: number[] }[]> {
  const limits = AGES.slice(1).map((days) => new Date(at.getTime() - days * DAY_MS + 1));
  const values = [at, limits.reverse()];
  const { rows } = await db.query({ name: 'air-ages', text: COUNT_AGES, values });
  const byProduct = new Map<string, number[]>();
  for (const { shown, nth, younger, cards } of rows) {
    const product = shownProducts(shown)[nth - 1] ?? '';
    const counts = byProduct.get(product) ?? AGES.map(() => 0);
    const age = limits.length - younger;
    byProduct.set(product, counts.with(age, (counts[age] ?? 0) + cards));
  }
  return [...byProduct]
    .map(([product, cards]) => ({ product, cards }))
    .sort((a, b) => (a.product < b.product ? -1 : 1));
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
