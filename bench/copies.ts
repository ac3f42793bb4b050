/** A second database of a bench's server, alike to the first when it is made. */
import pg from 'pg';

export interface Urls {
  ownerUrl: string;
  appUrl: string;
  superUrl: string;
}

/** Copies the database as a whole, once nobody is connected to it any more. */
export async function copyDatabase(urls: Urls, name: string): Promise<Urls> {
  const rename = (url: string, to: string): string => {
    const changed = new URL(url);
    changed.pathname = `/${to}`;
    return changed.href;
  };
  const original = new URL(urls.superUrl).pathname.slice(1);
  const client = new pg.Client({ connectionString: rename(urls.superUrl, 'postgres') });
  await client.connect();
  await untilAlone(client, original);
  await client.query(
    `CREATE DATABASE ${name} TEMPLATE ${original} OWNER vip_owner STRATEGY FILE_COPY`,
  );
  await client.end();
  return {
    ownerUrl: rename(urls.ownerUrl, name),
    appUrl: rename(urls.appUrl, name),
    superUrl: rename(urls.superUrl, name),
  };
}

const POLL_MS = 20;

/** Waits until the product's connections to a database are gone: closing one takes a moment. */
export async function untilAlone(superuser: pg.Pool | pg.Client, database: string): Promise<void> {
  const others = `SELECT FROM pg_stat_activity
                   WHERE backend_type = 'client backend' AND usename <> 'postgres'
                     AND datname = $1`;
  while ((await superuser.query(others, [database])).rowCount) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
