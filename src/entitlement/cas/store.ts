/** The rows of `conditional_access`: what is declared, and what the systems say of themselves. */
import type { Pool } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Capabilities } from '../vip-control/messages.ts';
import type { CasSystem } from './systems.ts';

/**
 * Purpose: writes what a file declares of a system. Its epoch stays. Locks: the row.
 * Plan: primary key.
 */
const DECLARE = `
INSERT INTO conditional_access (id, name, vendor, version, declaration, declared_until,
       in_service_from, in_service_to, serves_rest, site_codes, card_prefixes)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (id) DO UPDATE
   SET name = EXCLUDED.name, vendor = EXCLUDED.vendor, version = EXCLUDED.version,
       declaration = EXCLUDED.declaration, declared_until = EXCLUDED.declared_until,
       in_service_from = EXCLUDED.in_service_from, in_service_to = EXCLUDED.in_service_to,
       serves_rest = EXCLUDED.serves_rest, site_codes = EXCLUDED.site_codes,
       card_prefixes = EXCLUDED.card_prefixes`;

/** Keeps two processes that start together from declaring each other's half. */
const DECLARING = 7_304_118;

/**
 * Writes the systems that are deployed. One that is not among them any more keeps its cards, and
 * gets no new ones.
 */
export async function declareSystems(pool: Pool, systems: readonly CasSystem[]): Promise<void> {
  await transaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock($1)', [DECLARING]);
    await client.query(
      `UPDATE conditional_access SET serves_rest = false, site_codes = '[]', card_prefixes = '[]'
        WHERE serves_rest OR site_codes <> '[]' OR card_prefixes <> '[]'`,
    );
    for (const system of systems) {
      const { sites, cardPrefixes } = system;
      await client.query(DECLARE, [
        ...[system.id, system.name, system.vendor, system.version, system.declaration],
        ...[system.declaredUntil, system.inServiceFrom, system.inServiceTo],
        sites.length + cardPrefixes.length === 0,
        JSON.stringify(sites),
        JSON.stringify(cardPrefixes),
      ]);
    }
  });
}

/** The epoch of our revisions at a system; it is declared by then. */
export async function readEpoch(pool: Pool, casId: string): Promise<number> {
  const { rows } = await pool.query('SELECT epoch FROM conditional_access WHERE id = $1', [casId]);
  return rows[0].epoch;
}

/** Purpose: what a system says of itself. Locks: its two rows. Plan: primary keys. */
const NOTE = `
WITH shown AS (
  INSERT INTO cas_capabilities (cas_id, osd_max, mail_max, fp_modes, supports, said_at)
  VALUES ($1, $2, $3, $4, $5, $6)
  ON CONFLICT (cas_id) DO UPDATE
     SET osd_max = excluded.osd_max, mail_max = excluded.mail_max,
         fp_modes = excluded.fp_modes, supports = excluded.supports, said_at = excluded.said_at
)
UPDATE conditional_access SET products = $7::jsonb
 WHERE id = $1 AND products IS DISTINCT FROM $7::jsonb`;

/** Keeps what a system says of itself at a log-in, for the processes that are not connected. */
export async function noteCapabilities(
  pool: Pool,
  casId: string,
  said: Capabilities,
  at: Date,
): Promise<void> {
  const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
  await pool.query(NOTE, [
    ...[casId, said.osdMax, said.mailMax ?? null, json(said.fpModes), json(said.supports), at],
    json(said.products),
  ]);
}

/** What every system has said that it carries, by its id. */
export async function readProducts(
  pool: Pool,
): Promise<ReadonlyMap<string, ReadonlySet<string> | null>> {
  const { rows } = await pool.query('SELECT id, products FROM conditional_access');
  return new Map(rows.map(({ id, products }) => [id, products && new Set<string>(products)]));
}

/**
 * The systems of the cards of an account's subscriber; while there is no card, those that may get
 * one of its site. Plan: primary keys, the cards of a subscriber, a handful of systems.
 */
export async function systemsOfAccount(pool: Pool, accountId: bigint): Promise<string[]> {
  const { rows } = await pool.query(
    `WITH buyer AS (
       SELECT s.id, t.code FROM postpaid_account a
         JOIN subscriber s ON s.id = a.subscriber_id JOIN site t ON t.id = s.site_id
        WHERE a.id = $1
     ), own AS (
       SELECT DISTINCT c.cas_id AS id FROM buyer b
         JOIN card c ON c.subscriber_id = b.id AND c.replaced_by IS NULL
     )
     SELECT id FROM own
     UNION ALL
     SELECT a.id FROM conditional_access a, buyer b
      WHERE NOT EXISTS (SELECT FROM own)
        AND (a.serves_rest OR a.site_codes ? b.code OR a.card_prefixes <> '[]')`,
    [accountId],
  );
  return rows.map(({ id }) => id);
}
