import pg from 'pg';
import { StartError } from '../../start-error.ts';
import type { Cluster } from './cluster.ts';

/** A connection that holds the lock: whoever holds it owns the data folder. */
export interface Ownership {
  /** Resolves when the connection, and with it the lock, is gone. */
  lost: Promise<void>;
  release(): Promise<void>;
}

export type OwnershipResult =
  | { ok: true; ownership: Ownership }
  | { ok: false; error: 'held' | 'not_reachable' };

/** An arbitrary number of our own, the same in all versions of the product. */
const OWNER_LOCK = 0x56495042; // "VIPB"
const CONNECT_LIMIT_MS = 5_000;
/** The server is starting, stopping, or full (Postgres, appendix A). */
const NOT_NOW = /^(57P0[123]|53300)$/;

/**
 * Connects to the cluster's server and tries to take the owner's lock, without waiting for it.
 * Then sees to it that our roles and database exist. Throws a StartError when the server does not
 * know our password.
 */
export async function takeOwnership(cluster: Cluster, port: number): Promise<OwnershipResult> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port,
    user: 'postgres',
    password: cluster.passwords.superuser,
    database: 'postgres',
    application_name: 'vip-owner',
    connectionTimeoutMillis: CONNECT_LIMIT_MS,
    keepAlive: true,
  });
  const lost = new Promise<void>((resolve) => {
    client.once('error', () => resolve());
    client.once('end', () => resolve());
  });
  // An error event that nobody hears would end the process.
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query('SELECT pg_try_advisory_lock($1) AS held', [OWNER_LOCK]);
    if (rows[0]?.held !== true) {
      await client.end();
      return { ok: false, error: 'held' };
    }
    await ensureRolesAndDatabase(client, cluster);
    return { ok: true, ownership: { lost, release: () => client.end() } };
  } catch (error) {
    await client.end().catch(() => undefined);
    return explain(error, cluster);
  }
}

function explain(error: unknown, cluster: Cluster): OwnershipResult {
  const code = (error as { code?: string }).code;
  if (code === '28P01') {
    throw new StartError(
      `The Postgres of ${cluster.dir} does not accept the password of postgres-password.json.`,
    );
  }
  const isServerError = code !== undefined && /^[0-9A-Z]{5}$/.test(code);
  if (isServerError && !NOT_NOW.test(code)) throw error;
  return { ok: false, error: 'not_reachable' };
}

/** `vip_owner` migrates and owns the database `vip`; `vip_app` only works in it. */
async function ensureRolesAndDatabase(client: pg.Client, cluster: Cluster): Promise<void> {
  const { owner, app } = cluster.passwords;
  const { rows } = await client.query<{ name: string }>(
    `SELECT rolname AS name FROM pg_roles WHERE rolname IN ('vip_owner', 'vip_app')
     UNION ALL SELECT datname FROM pg_database WHERE datname = 'vip'`,
  );
  const known = new Set(rows.map((row) => row.name));
  const create = async (name: string, sql: string) => {
    if (!known.has(name)) await client.query(sql);
  };
  const secret = (text: string) => client.escapeLiteral(text);
  await create(
    'vip_owner',
    `CREATE ROLE vip_owner LOGIN CREATEDB IN ROLE pg_signal_backend PASSWORD ${secret(owner)}`,
  );
  await create('vip_app', `CREATE ROLE vip_app LOGIN PASSWORD ${secret(app)}`);
  await create('vip', 'CREATE DATABASE vip OWNER vip_owner');
}
