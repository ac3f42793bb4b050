import pg from 'pg';
import type { Logger } from '../ports.ts';

export interface PoolOptions {
  url: string;
  /** Most connections at once; all pools together stay below the server's `max_connections`. */
  max: number;
  /** Shown in `pg_stat_activity`: whose connections these are. */
  name: string;
  logger: Logger;
  /** How long a caller waits for a free connection. */
  connectTimeoutMs?: number;
  /** How long one statement may run before the server gives it up. */
  statementTimeoutMs?: number;
}

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** The client gives up a little after the server should have: then the link itself is broken. */
const LINK_MARGIN_MS = 5_000;
const IDLE_TIMEOUT_MS = 60_000;
const LIFETIME_S = 3_600;
const INT8 = pg.types.builtins.INT8;
/** Known to the parsers, but not to their type declaration. */
const INT8_ARRAY = 1016 as number as typeof INT8;

/** `int8` as bigint and `int8[]` as bigint[], for those clients alone that are given it. */
export const int8Types: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (oid === INT8) return BigInt;
    if (oid === INT8_ARRAY) return parseBigintArray;
    return pg.types.getTypeParser(oid, format as 'text');
  }) as typeof pg.types.getTypeParser,
};

function parseBigintArray(text: string): (bigint | null)[] {
  const parseTexts: (text: string) => unknown[] = pg.types.getTypeParser(INT8_ARRAY, 'text');
  return parseTexts(text).map((item) => (item === null ? null : BigInt(String(item))));
}

/** A pool of connections whose every wait is bounded and whose `int8` are bigint. */
export function createPool(options: PoolOptions): pg.Pool {
  const statementTimeoutMs = options.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS;
  const pool = new pg.Pool({
    connectionString: options.url,
    application_name: options.name,
    max: options.max,
    connectionTimeoutMillis: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    statement_timeout: statementTimeoutMs,
    query_timeout: statementTimeoutMs + LINK_MARGIN_MS,
    idle_in_transaction_session_timeout: statementTimeoutMs + LINK_MARGIN_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    maxLifetimeSeconds: LIFETIME_S,
    keepAlive: true,
    types: int8Types,
  });
  // An idle connection that breaks says so here; the next caller gets a new one. The error carries
  // the whole client, with every statement it has prepared.
  pool.on('error', ({ message, name, ...error }) => {
    if (pool.ending) return;
    const { code } = error as { code?: unknown };
    options.logger.warn('database.connection_lost', {
      pool: options.name,
      error: { name, message, code },
    });
  });
  // One that breaks while it is lent out says so to nobody but its borrower's query; between two
  // queries there is none, and an error event that nobody hears would end the process.
  pool.on('connect', (client) => {
    client.on('error', () => undefined);
  });
  return pool;
}

/**
 * Runs `fn` in one transaction (READ COMMITTED): committed when it resolves, rolled back when it
 * throws, and the error passed on. A connection that cannot even roll back is thrown away.
 */
export async function transaction<T>(
  pool: pg.Pool,
  fn: (client: pg.PoolClient) => Promise<T>,
): Promise<T> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await fn(client);
    const { command } = await client.query('COMMIT');
    // A caught error of one statement still dooms the transaction: Postgres then answers ROLLBACK.
    if (command !== 'COMMIT') throw new Error('The transaction was rolled back by the server');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch((rollbackError: Error) => {
      broken = rollbackError;
    });
    throw error;
  } finally {
    client.release(broken);
  }
}

/** A serialization failure or a deadlock: the same transaction may well succeed when repeated. */
export function isRetryable(error: unknown): boolean {
  return ['40001', '40P01'].includes(codeOf(error));
}

const LOST_CODES = /^(08...|57P0[1-5]|53300|ECONN(REFUSED|RESET|ABORTED)|EPIPE|ETIMEDOUT|EHOST.*)$/;
/** What pg itself says, without a code (pg/lib/client.js, pg-pool/index.js). */
const LOST_MESSAGES = new RegExp(
  [
    'connection terminated',
    'timeout exceeded when trying to connect',
    'timeout expired',
    'query read timeout',
    'not queryable',
    'client was closed',
    'not currently accepting connections',
  ].join('|'),
  'i',
);

/**
 * The database is not reachable, starting, stopping or full; whether a COMMIT that ended like
 * this took effect is unknown.
 */
export function isConnectionLost(error: unknown): boolean {
  const message = error instanceof Error ? error.message : '';
  return LOST_CODES.test(codeOf(error)) || LOST_MESSAGES.test(message);
}

function codeOf(error: unknown): string {
  return String((error as { code?: unknown } | null | undefined)?.code ?? '');
}
