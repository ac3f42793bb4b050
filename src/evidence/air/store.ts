/** The SQL of what was on the air. */
import type { ClientBase } from 'pg';
import {
  type AirCard,
  type AirChange,
  type Executed,
  NEVER,
  type Span,
  shownProducts,
  shownText,
} from './rules.ts';

/** Any number, so that this lock is not mistaken for another. */
const AIR_LOCK = 7_310_003;
/** Past all ids of a transaction. */
const LAST_ID = 9_223_372_036_854_775_807n;
const MS = 1_000;

/** A set that was executed, and for which card. */
export interface LoggedSet extends Executed {
  card: string;
}

/** A stretch of the log. */
export interface Stretch {
  sets: LoggedSet[];
  /** Where it ends: the next one begins behind it. */
  end: { xid: bigint; row: bigint };
  /** Whether all that can be read has been. */
  isLast: boolean;
}

/** Waits until nobody else writes what was on the air. */
export async function lockAir(client: ClientBase): Promise<void> {
  await client.query('SELECT pg_advisory_xact_lock($1)', [AIR_LOCK]);
}

/**
 * Purpose: the next sets of the log, as they came to their end. Locks: none. Plan: a range of the
 * primary keys of its months, from where reading ended to the first transaction that still runs.
 */
const READ_SETS = `
SELECT l.xid, l.id, l.op, l.target_id, l.epoch, l.rev, l.args, coalesce(l.margin_s, 0) AS margin_s,
       l.on_air_at
  FROM command_log l
 WHERE (l.xid, l.id) > ($3, $4) AND l.xid < $1
   AND l.op IN ('ENTITLE', 'SWAP') AND l.result = 'done' AND l.target_kind = 'card'
   AND l.on_air_at IS NOT NULL AND l.epoch IS NOT NULL AND l.rev IS NOT NULL
 ORDER BY l.xid, l.id LIMIT $2`;

interface WireSet {
  set?: { product: string; from: string; to: string }[];
  suspended?: string;
  newCard?: string;
  newRev?: number;
}

/** Reads up to `limit` sets; only what no transaction still running can come before. */
export async function readSets(client: ClientBase, limit: number): Promise<Stretch> {
  const horizon = await client.query(
    `SELECT house_xmin()::text::bigint AS below, xid, row
       FROM air_progress WHERE id = 1`,
  );
  const { below, xid, row } = horizon.rows[0];
  const { rows } = await client.query(READ_SETS, [below, limit, xid, row]);
  const last = rows.at(-1);
  const isLast = rows.length < limit;
  const end = isLast || !last ? { xid: below - 1n, row: LAST_ID } : { xid: last.xid, row: last.id };
  return { sets: rows.flatMap(setsOf), end, isLast };
}

interface LogRow {
  op: string;
  target_id: string;
  epoch: number;
  rev: number;
  args: WireSet;
  margin_s: number;
  on_air_at: Date;
}

/** A swap takes everything from one card and gives a set to another. */
function setsOf(row: LogRow): LoggedSet[] {
  const { args, epoch } = row;
  const common = { epoch, at: row.on_air_at.getTime(), marginMs: row.margin_s * MS };
  const given = {
    ...common,
    set: (args.set ?? []).map(({ product, from, to }) => {
      return { product, from: Date.parse(from), to: Date.parse(to) };
    }),
    isSuspended: args.suspended !== undefined,
  };
  if (row.op !== 'SWAP') return [{ ...given, card: row.target_id, rev: row.rev }];
  const taken = { ...common, card: row.target_id, rev: row.rev, set: [], isSuspended: false };
  return [taken, { ...given, card: args.newCard ?? '', rev: args.newRev ?? 0 }];
}

/** Those of these cards that live by a test clock: they stay out of all reports. */
export async function testCards(
  client: ClientBase,
  cards: readonly string[],
): Promise<Set<string>> {
  const { rows } = await client.query(
    `SELECT c.number FROM card c JOIN subscriber s ON s.id = c.subscriber_id
      WHERE c.number = ANY($1) AND s.test_clock_id IS NOT NULL`,
    [cards],
  );
  return new Set(rows.map(({ number }) => number));
}

/** What is known of these cards. */
export async function readCards(
  client: ClientBase,
  cards: readonly string[],
): Promise<Map<string, AirCard>> {
  const ms = (column: string) => `(extract(epoch FROM ${column}) * 1000)::float8`;
  const known = await client.query(
    `SELECT card, epoch, rev, ${ms('at')} AS at FROM air_card WHERE card = ANY($1)`,
    [cards],
  );
  const spans = await client.query(
    `SELECT s.card, s.shown, ${ms('s.from_at')} AS from, ${ms('s.to_at')} AS to,
            ARRAY(SELECT ${ms('since')} FROM unnest(s.since) AS since) AS since
       FROM air_span s JOIN air_card c ON c.card = s.card
      WHERE s.card = ANY($1) AND s.to_at >= c.at`,
    [cards],
  );
  const open = Map.groupBy(spans.rows, ({ card }) => card);
  return new Map(
    known.rows.map(({ card, epoch, rev, at }) => [
      card,
      {
        ...{ epoch, rev, at },
        open: (open.get(card) ?? []).map(({ shown, from, to, since }): Span => {
          return { products: shownProducts(shown), from, to, since };
        }),
      },
    ]),
  );
}

export interface AirWrites {
  cards: ReadonlyMap<string, AirCard>;
  /** By card; a span's first end before, and its last. */
  changes: readonly (AirChange & { card: string })[];
  end: Stretch['end'];
  at: Date | null;
}

const instantOf = (ms: number): string => (ms === NEVER ? 'infinity' : new Date(ms).toISOString());
const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 'YYYY-MM-DD'.length);

/** Writes what a stretch changed, and where it ended. */
export async function writeAir(client: ClientBase, writes: AirWrites): Promise<void> {
  const { cards, changes, end, at } = writes;
  await client.query(
    `INSERT INTO air_card (card, epoch, rev, at)
     SELECT * FROM unnest($1::text[], $2::integer[], $3::integer[], $4::timestamptz[])
     ON CONFLICT (card) DO UPDATE
        SET epoch = EXCLUDED.epoch, rev = EXCLUDED.rev, at = EXCLUDED.at`,
    [
      [...cards.keys()],
      [...cards.values()].map(({ epoch }) => epoch),
      [...cards.values()].map(({ rev }) => rev),
      [...cards.values()].map((card) => instantOf(card.at)),
    ],
  );
  await client.query(
    `INSERT INTO air_span (card, shown, from_at, to_at, since)
     SELECT card, shown, from_at, to_at, since::timestamptz[]
       FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::text[])
         AS new (card, shown, from_at, to_at, since)
     ON CONFLICT (card, shown, from_at) DO UPDATE
        SET to_at = EXCLUDED.to_at, since = EXCLUDED.since`,
    [
      changes.map(({ card }) => card),
      changes.map(({ products }) => shownText(products)),
      changes.map(({ from }) => instantOf(from)),
      changes.map(({ to }) => instantOf(to)),
      changes.map(({ since }) => `{${since.map(instantOf)}}`),
    ],
  );
  const days = [...daysOf(changes).values()];
  await client.query(
    `INSERT INTO air_day (shown, day, began, ended)
     SELECT * FROM unnest($1::text[], $2::date[], $3::bigint[], $4::bigint[])
     ON CONFLICT (shown, day) DO UPDATE
        SET began = air_day.began + EXCLUDED.began, ended = air_day.ended + EXCLUDED.ended`,
    [
      days.map(({ shown }) => shown),
      days.map(({ day }) => day),
      days.map(({ began }) => began),
      days.map(({ ended }) => ended),
    ],
  );
  await client.query(
    `UPDATE air_progress SET xid = $1, row = $2, at = greatest(at, $3::timestamptz) WHERE id = 1`,
    [end.xid, end.row, at],
  );
}

interface Day {
  shown: string;
  day: string;
  began: number;
  ended: number;
}

/** How the counts of days change; a span that never was counts nowhere. */
function daysOf(changes: readonly AirChange[]): Map<string, Day> {
  const days = new Map<string, Day>();
  const count = (shown: string, ms: number, of: 'began' | 'ended', by: number) => {
    if (ms === NEVER) return;
    const key = `${shown} ${dayOf(ms)}`;
    const day = days.get(key) ?? { shown, day: dayOf(ms), began: 0, ended: 0 };
    day[of] += by;
    days.set(key, day);
  };
  for (const { products, from, to, before } of changes) {
    const shown = shownText(products);
    if (before !== null && before > from) {
      count(shown, from, 'began', -1);
      count(shown, before, 'ended', -1);
    }
    if (to > from) {
      count(shown, from, 'began', 1);
      count(shown, to, 'ended', 1);
    }
  }
  return days;
}
