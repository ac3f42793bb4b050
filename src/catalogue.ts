/** `npm run catalogue -- check FILE | diff OLD NEW | publish FILE … | show`: see the guide. */
import { readFileSync } from 'node:fs';
import { catalogueCommand, type Spoken } from './billing/catalogue/file/command.ts';
import { newestCatalogue, type Published } from './billing/catalogue/publish.ts';
import { readDatabase } from './platform/config.ts';
import { createIds } from './platform/database/ids.ts';
import { openDatabase } from './platform/database/open.ts';
import { createPool } from './platform/database/pool.ts';
import { createLogger } from './platform/log.ts';
import { StartError } from './platform/start-error.ts';
import { systemClock } from './platform/system.ts';
import { createPublisher } from './publish-catalogue.ts';

const BY = 'command';
const read = (path: string): string => readFileSync(path, 'utf8');

async function main(words: readonly string[]): Promise<Spoken> {
  const today = systemClock.now().toISOString().slice(0, 'YYYY-MM-DD'.length);
  return await catalogueCommand(words, { read, today, publish, show });
}

async function publish(
  text: string,
  { note, allowPast }: { note: string; allowPast: boolean },
): Promise<Published> {
  return await withDatabase((pool) =>
    createPublisher({ pool, ids: createIds(pool), clock: systemClock }).publish({
      ...{ text, by: BY, note, allowPast },
    }),
  );
}

async function show(): Promise<string | null> {
  return await withDatabase(async (pool) => (await newestCatalogue(pool))?.text ?? null);
}

async function withDatabase<T>(
  work: (pool: ReturnType<typeof createPool>) => Promise<T>,
): Promise<T> {
  const logger = createLogger({ level: 'warn', service: 'vip-catalogue' });
  const database = await openDatabase(readDatabase(process.env), logger);
  const pool = createPool({ url: database.appUrl, max: 2, name: 'vip-catalogue', logger });
  try {
    return await work(pool);
  } finally {
    await pool.end();
    await database.close();
  }
}

try {
  const { exitCode, out, error } = await main(process.argv.slice(2));
  process.stdout.write(out);
  process.stderr.write(error);
  process.exitCode = exitCode;
} catch (error) {
  const known = error instanceof StartError || (error as { code?: string }).code === 'ENOENT';
  process.stderr.write(`${known ? (error as Error).message : (error as Error).stack}\n`);
  process.exitCode = 2;
}
