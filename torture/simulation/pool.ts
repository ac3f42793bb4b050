/** A pool of connections as the product knows it, over the one scheduler of statements. */
import { EventEmitter } from 'node:events';
import type { Pool } from 'pg';
import type { Connection, Query, Result, Statements } from './statements.ts';
import type { Life } from './time.ts';

interface PoolState {
  free: Connection[];
  open: number;
  waiting: ((connection: Connection) => void)[];
}

/** At most `max` connections of one life at a time; who comes later waits for a free one. */
export function simulatedPool(
  statements: Statements,
  life: Life,
  { name, max }: { name: string; max: number },
): Pool {
  const state: PoolState = { free: [], open: 0, waiting: [] };
  const connect = (): Connection => {
    state.open += 1;
    return statements.connect(life, `${life.name}/${name}${state.open}`);
  };
  const take = async (): Promise<Connection> => {
    const free = state.free.pop();
    if (free) return free;
    if (state.open < max) return connect();
    return new Promise((resolve) => state.waiting.push(resolve));
  };
  const give = (connection: Connection, isBad: boolean): void => {
    if (isBad && !connection.isBroken()) connection.close();
    const next = state.waiting.shift();
    if (!isBad && !connection.isBroken()) {
      if (next) next(connection);
      else state.free.push(connection);
      return;
    }
    state.open -= 1;
    if (next) next(connect());
  };
  const pool = {
    async query(query: string | Query, values?: unknown[]): Promise<Result> {
      const connection = await take();
      try {
        return await connection.query(queryOf(query, values));
      } finally {
        give(connection, false);
      }
    },
    connect: async () => clientOf(await take(), give),
    on: () => pool,
    end: async () => undefined,
  };
  // The rest of a pool's many faces nobody looks at.
  return pool as unknown as Pool;
}

function clientOf(connection: Connection, give: (connection: Connection, isBad: boolean) => void) {
  const events = new EventEmitter();
  // Somebody always listens, as on the product's own pools.
  events.on('error', () => undefined);
  connection.onBroken((error) => events.emit('error', error));
  const client = {
    query: (query: string | Query, values?: unknown[]) => connection.query(queryOf(query, values)),
    release(broken?: Error | boolean) {
      give(connection, Boolean(broken));
    },
    on(event: string, listener: (error: Error) => void) {
      events.on(event, listener);
      return client;
    },
    off(event: string, listener: (error: Error) => void) {
      events.off(event, listener);
      return client;
    },
  };
  return client;
}

const queryOf = (query: string | Query, values?: unknown[]): Query => ({
  ...(typeof query === 'string' ? { text: query } : query),
  ...(values === undefined ? {} : { values }),
});
