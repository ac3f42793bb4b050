/** A database whose connection breaks, for stories of what is left behind. */
import type { Pool, PoolClient } from 'pg';

/** Breaks a connection before the `k`th statement on any that is taken from the pool. */
export function breaking(pool: Pool, k: number): { pool: Pool; broke(): boolean } {
  let asked = 0;
  let broke = false;
  const watched = async (client: PoolClient, values: unknown[]): Promise<unknown> => {
    asked += 1;
    if (asked === k) {
      broke = true;
      const { rows } = await client.query('SELECT pg_backend_pid() AS pid');
      await pool.query('SELECT pg_terminate_backend($1)', [rows[0].pid]);
    }
    return (client.query as (...all: unknown[]) => Promise<unknown>)(...values);
  };
  const connect = async () => {
    const client = await pool.connect();
    return new Proxy(client, {
      get: (target, name) => {
        if (name === 'query') return (...values: unknown[]) => watched(target, values);
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
  };
  const proxy = new Proxy(pool, {
    get: (target, name) => (name === 'connect' ? connect : Reflect.get(target, name)),
  });
  return { pool: proxy, broke: () => broke };
}
