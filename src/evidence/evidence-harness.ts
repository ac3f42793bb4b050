/** A database of one test file's own with rows to seal, written by the product's role. */
import pg from 'pg';
import { createPool } from '../platform/database/pool.ts';
import { silentLogger } from '../platform/log.ts';
import { createTestDatabase } from '../platform/test-database.ts';
import { sealAll } from './seal.ts';

export const NOW = new Date('2026-11-23T12:00:00.000Z');
export const clock = { now: () => NOW };

export interface EvidenceHouse {
  pool: pg.Pool;
  /** The owner of the tables, who can do what the product cannot. */
  owner: pg.Client;
  ownerUrl: string;
  appUrl: string;
  /** Writes so many lines of the command log; answers their ids. */
  log(count: number, at?: Date): Promise<bigint[]>;
  audit(count: number, role?: string): Promise<bigint[]>;
  journal(count: number): Promise<bigint[]>;
  /** Resolves when no transaction holds up what was written so far, in any database. */
  untilPast(): Promise<void>;
  /** Seals all, when what runs in other databases of the server is over and holds nothing up. */
  seal(): Promise<number>;
  /** Does something with the triggers of a table off. */
  tamper(table: string, sql: string, values?: unknown[]): Promise<void>;
  close(): Promise<void>;
}

const LOG = `
INSERT INTO command_log (at, cas, cmd_id, op, target_kind, target_id, args, prio, sent_at, result,
                         code, attempt, reason)
SELECT $2, 'main', 'c.' || n, 'ENTITLE', 'card', '40210000010', '{"set":[]}', 'SALE', $2, 'done',
       'DONE', 1, E'odd \\t words\\n\\\\ é'
  FROM generate_series(1, $1::integer) AS n RETURNING id`;

const AUDIT = `
INSERT INTO audit (id, at, request_id, actor, actor_name, role, remote, route, outcome,
                   object, after)
SELECT nextval('id_block') * 10000, $2, 'r', 'staff:1', 'A', $3, '-', 'POST /x', 'done',
       'card', '{"a":1.50}'
  FROM generate_series(1, $1::integer) RETURNING id`;

const JOURNAL = `
WITH made AS (
  INSERT INTO journal (id, kind, site_id, fact_id, effective_at)
  SELECT id, 'purchase', 1, id, $2
    FROM (SELECT nextval('id_block') * 10000 AS id FROM generate_series(1, $1::integer)) AS made
  RETURNING id
), entries AS (
  INSERT INTO entry (journal_id, line, account_id, asset, amount)
  SELECT id, line, line, 'KES', CASE line WHEN 1 THEN -500 ELSE 500 END
    FROM made, generate_series(1, 2) AS line
)
SELECT id FROM made`;

/** Opens it; only a site and two accounts are there. */
export async function openEvidence(): Promise<EvidenceHouse> {
  const database = await createTestDatabase();
  const { appUrl: url, ownerUrl } = database;
  const pool = createPool({ url, max: 8, name: 'evidence', logger: silentLogger });
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  await owner.query(
    `INSERT INTO site (id, code, name, country, currency, tvu_asset, time_zone, language)
     VALUES (1, 'NBO', 'Nairobi', 'KE', 'KES', 'TVU-KE', 'Africa/Nairobi', 'en')`,
  );
  await owner.query(
    `INSERT INTO account (id, owner, kind, asset, policy)
     SELECT n, 'test', 'k' || n, 'KES', 'folded' FROM generate_series(1, 2) AS n`,
  );
  const write = async (
    sql: string,
    count: number,
    { at = NOW, more = [] }: { at?: Date | undefined; more?: string[] } = {},
  ): Promise<bigint[]> => {
    const { rows } = await pool.query(sql, [count, at, ...more]);
    return rows.map(({ id }) => id).sort((a, b) => (a < b ? -1 : 1));
  };
  const untilPast = async () => {
    const { rows } = await pool.query('SELECT house_xid()::text AS xid');
    const past = 'SELECT house_xmin() > $1::xid8 AS is_past';
    const isPast = async () => (await pool.query(past, [rows[0].xid])).rows[0].is_past;
    while (!(await isPast()));
  };
  return {
    ...{ pool, owner, ownerUrl, appUrl: url },
    log: (count, at) => write(LOG, count, { at }),
    audit: (count, role = 'cashier') => write(AUDIT, count, { more: [role] }),
    journal: (count) => write(JOURNAL, count),
    untilPast,
    async seal() {
      await untilPast();
      return await sealAll({ pool, clock });
    },
    async tamper(table, sql, values = []) {
      await owner.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
      await owner.query(sql, values);
      await owner.query(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
    },
    async close() {
      await owner.end();
      await pool.end();
      await database.drop();
    },
  };
}
