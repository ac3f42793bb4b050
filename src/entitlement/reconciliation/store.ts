/** The SQL of comparing: cards as they are wanted, what differs, and what puts it right. */
import type { Pool, PoolClient } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { CasCommands } from '../commands/service.ts';
import type { NewCasCommand } from '../commands/store.ts';
import type { Cure, DifferenceClass, WantedCard } from './rules.ts';

/** Of one card, the latest commands that are looked at. */
const COMMANDS_SEEN_MAX = 20;
/** A cure that the system did not take for so long is found anew by the next run. */
const CURE_VALID_MS = 86_400_000;

/**
 * Purpose: cards as they are wanted, by number; all that is asked for, known or not.
 * Locks: none. Plan: `card_number_key`, primary keys, `pairing_card`, `cas_command_target`.
 */
const WANTED = `
SELECT a.number, c.id AS card_id, coalesce(c.site_id, v.site_id) AS site_id,
       coalesce(c.cas_id = $1, false) AS is_served, coalesce(r.desired, '[]') AS desired,
       r.suspended, coalesce(r.desired_rev, 0) AS desired_rev,
       coalesce(v.state = 'blacklisted', false) OR coalesce(c.is_blocked, false) AS is_blacklisted,
       coalesce(p.pairings, '[]') AS pairings, coalesce(q.is_waiting, false) AS is_waiting,
       greatest(r.raised_at, r.on_air_at, q.touched_at) AS touched_at,
       CASE WHEN r.acked_rev = r.desired_rev THEN r.on_air_at ELSE r.raised_at END AS settled_at
  FROM unnest($2::text[]) AS a (number)
  LEFT JOIN card c ON c.number = a.number
  LEFT JOIN card_rights r ON r.card_id = c.id
  LEFT JOIN viewing_card v ON v.number = a.number
  LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('stb', stb, 'mode', mode) ORDER BY id) AS pairings
      FROM pairing WHERE card = a.number AND to_at IS NULL) p ON true
  LEFT JOIN LATERAL (
    SELECT max(greatest(created_at, done_at)) AS touched_at,
           bool_or(state = 'waiting') AS is_waiting
      FROM (SELECT * FROM cas_command
             WHERE target_kind = 'card' AND target = a.number ORDER BY id DESC LIMIT $3) latest
     WHERE cas_id = $1 AND op NOT IN ('OSD', 'MAIL', 'FINGERPRINT', 'FORCE_TUNE')) q ON true`;

/** Cards as this house wants them at a system, by number. */
export async function readWanted(
  pool: Pool,
  casId: string,
  numbers: readonly string[],
): Promise<Map<string, WantedCard>> {
  const { rows } = await pool.query({
    name: 'reconciliation-wanted',
    text: WANTED,
    values: [casId, numbers, COMMANDS_SEEN_MAX],
  });
  return new Map(
    rows.map((row): [string, WantedCard] => [
      row.number,
      {
        ...{ number: row.number, cardId: row.card_id, siteId: row.site_id },
        ...{ isServed: row.is_served, desired: row.desired, suspended: row.suspended },
        ...{ desiredRev: row.desired_rev, isBlacklisted: row.is_blacklisted },
        ...{ pairings: row.pairings, isWaiting: row.is_waiting },
        ...{ touchedAt: row.touched_at, settledAt: row.settled_at },
      },
    ]),
  );
}

/**
 * Purpose: the next cards of a system in a range of numbers, not among those, that have rights or a
 * decoder. Locks: none. Plan: a range of `card_number_key`, their rights by key.
 */
const UNTOLD = `
SELECT c.number FROM card c LEFT JOIN card_rights r ON r.card_id = c.id
 WHERE c.cas_id = $1 AND c.number > $2 AND ($3::text IS NULL OR c.number <= $3)
   AND c.number <> ALL ($4::text[])
   AND (r.desired <> '[]' OR EXISTS (SELECT FROM pairing WHERE card = c.number AND to_at IS NULL))
 ORDER BY c.number LIMIT $5`;

/** Cards after one number, up to another (null: all), that a page of a dump does not tell of. */
export async function readUntold(
  pool: Pool,
  casId: string,
  asked: { after: string; to: string | null; told: readonly string[]; limit: number },
): Promise<string[]> {
  const { rows } = await pool.query({
    name: 'reconciliation-untold',
    text: UNTOLD,
    values: [casId, asked.after, asked.to, asked.told, asked.limit],
  });
  return rows.map(({ number }) => number);
}

/** Since when each of these cards has had a difference that is still open. */
export async function readOpenSince(
  pool: Pool,
  casId: string,
  cards: readonly string[],
): Promise<Map<string, Date>> {
  const { rows } = await pool.query({
    name: 'reconciliation-open-since',
    text: `SELECT d.card, min(d.since) AS since FROM reconciliation_difference d
            WHERE d.cas_id = $1 AND d.card = ANY ($2::text[])
              AND NOT EXISTS (SELECT FROM reconciliation_closing WHERE difference_id = d.id)
            GROUP BY d.card`,
    values: [casId, cards],
  });
  return new Map(rows.map(({ card, since }) => [card, since]));
}

export interface FoundDifference {
  card: string;
  cardId: bigint | null;
  siteId: bigint | null;
  class: DifferenceClass;
  product: string;
  wanted: unknown;
  found: unknown;
  since: Date;
  seconds: bigint;
  amount: bigint | null;
  currency: string | null;
  writtenBy: string | null;
  writtenAt: string | null;
  isActive: boolean;
}

export interface Ordering {
  run: { id: bigint; casId: string; heal: boolean };
  at: Date;
  enqueue: CasCommands['enqueue'];
}

const WRITE = `
INSERT INTO reconciliation_difference (run_id, cas_id, found_at, card, card_id, site_id, class,
       product, wanted, found, since, seconds, amount, currency, written_by, written_at, is_active,
       is_healed)
SELECT $1, $2, $3, x.card, x.card_id, x.site_id, x.class, x.product, x.wanted, x.found, x.since,
       x.seconds, x.amount, x.currency, x.written_by, x.written_at, x.is_active, $4
  FROM jsonb_to_recordset($5::jsonb) AS x (card text, card_id bigint, site_id bigint, class text,
       product text, wanted jsonb, found jsonb, since timestamptz, seconds bigint, amount bigint,
       currency text, written_by text, written_at timestamptz, is_active boolean)
ON CONFLICT (run_id, card, class, product) DO NOTHING`;

/**
 * Purpose: makes cards due under a revision above one that their system has. One that is due
 * already is left, unless its revision would not count there.
 * Locks: the cards, by id. Plan: primary key.
 */
const RAISE = `
INSERT INTO card_rights AS r (card_id, desired_rev, next_at, raised_at, raised_for, is_bulk)
SELECT card_id, above_rev + 1, $3, $3, $4, true
  FROM unnest($1::bigint[], $2::integer[]) AS x (card_id, above_rev) ORDER BY card_id
ON CONFLICT (card_id) DO UPDATE
   SET desired_rev = greatest(r.desired_rev, EXCLUDED.desired_rev - 1) + 1,
       next_at = EXCLUDED.next_at, raised_at = EXCLUDED.raised_at, is_bulk = true,
       raised_for = EXCLUDED.raised_for, attempts = 0, failure = NULL
 WHERE r.next_at IS NULL OR EXCLUDED.desired_rev > r.desired_rev`;

/** Writes what differs, and orders what puts it right, in one transaction. */
export async function writeFound(
  pool: Pool,
  ordering: Ordering,
  { differences, cures }: { differences: readonly FoundDifference[]; cures: readonly Cure[] },
): Promise<void> {
  const { run, at } = ordering;
  await transaction(pool, async (tx) => {
    const lines = JSON.stringify(differences.map(rowOf), (_key, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
    await tx.query(WRITE, [run.id, run.casId, at, run.heal, lines]);
    if (run.heal) await order(tx, ordering, cures);
  });
}

const rowOf = (one: FoundDifference) => ({
  ...{ card: one.card, card_id: one.cardId, site_id: one.siteId, class: one.class },
  ...{ product: one.product, wanted: one.wanted, found: one.found, since: one.since },
  ...{ seconds: one.seconds, amount: one.amount, currency: one.currency },
  ...{ written_by: one.writtenBy, written_at: one.writtenAt, is_active: one.isActive },
});

/** Devices first, then rights: as all do who write both. */
async function order(tx: PoolClient, { run, at, enqueue }: Ordering, cures: readonly Cure[]) {
  const reason = `RECONCILIATION:${run.id}`;
  const common = {
    ...({
      casId: run.casId,
      prio: 'BULK',
      actor: 'reconciliation',
      reason,
      createdAt: at,
    } as const),
    notAfter: new Date(at.getTime() + CURE_VALID_MS),
  };
  const commands = cures.flatMap((cure) => commandOf(cure, common));
  if (commands.length > 0) {
    await tx.query(
      'SELECT FROM viewing_card WHERE number = ANY ($1) ORDER BY number FOR NO KEY UPDATE',
      [commands.map(({ target }) => target.id)],
    );
    await enqueue(tx, commands);
  }
  const raised = cures.flatMap((cure) => (cure.kind === 'raise' ? [cure] : []));
  await tx.query(RAISE, [
    raised.map(({ cardId }) => cardId),
    raised.map(({ aboveRev }) => aboveRev),
    ...[at, reason],
  ]);
}

type Common = Pick<NewCasCommand, 'casId' | 'prio' | 'actor' | 'reason' | 'createdAt' | 'notAfter'>;

function commandOf(cure: Cure, common: Common): NewCasCommand[] {
  if (cure.kind === 'raise') return [];
  const about = { ...common, target: { kind: 'card', id: cure.card } } as const;
  switch (cure.kind) {
    case 'cancel':
      return [{ ...about, op: 'CANCEL', rev: cure.rev, args: { products: '*' } }];
    case 'blacklist':
      return [{ ...about, op: 'BLACKLIST', args: { reason: common.reason } }];
    case 'unpair':
      return [{ ...about, op: 'UNPAIR', args: { stb: cure.stb } }];
    case 'pair':
      return [{ ...about, op: 'PAIR', args: { stb: cure.stb, mode: cure.mode } }];
  }
}

export interface OpenDifference {
  id: bigint;
  card: string;
  class: DifferenceClass;
  product: string;
}

/** Differences of a system that are open, after an id; by id. Plan: the primary key. */
export async function readOpen(
  pool: Pool,
  casId: string,
  { after, limit }: { after: bigint; limit: number },
): Promise<OpenDifference[]> {
  const { rows } = await pool.query({
    name: 'reconciliation-open',
    text: `SELECT d.id, d.card, d.class, d.product FROM reconciliation_difference d
            WHERE d.cas_id = $1 AND d.id > $2
              AND NOT EXISTS (SELECT FROM reconciliation_closing WHERE difference_id = d.id)
            ORDER BY d.id LIMIT $3`,
    values: [casId, after, limit],
  });
  return rows;
}

/** Notes that differences are no more. */
export async function closeDifferences(
  pool: Pool,
  ids: readonly bigint[],
  at: Date,
): Promise<void> {
  await pool.query(
    `INSERT INTO reconciliation_closing (difference_id, at)
     SELECT id, $2 FROM unnest($1::bigint[]) AS x (id) ON CONFLICT DO NOTHING`,
    [ids, at],
  );
}
