import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { Logger } from '../ports.ts';
import { findEmbeddedPostgres, startEmbeddedPostgres } from './embedded.ts';
import { migrate } from './migrate.ts';

export interface Database {
  /** As the role the product works with. */
  appUrl: string;
  /** Stops the embedded one; a server is left as it is. */
  close(): Promise<void>;
}

/** The migrations of this version. */
export const MIGRATIONS_DIR = join(import.meta.dirname, '../../../prisma/migrations');

/**
 * The database as it is, for a command beside the product that changes nothing about it, not even
 * by migrating: the configured server, or the embedded one that runs in the data folder. Null: the
 * embedded one does not run.
 */
export async function openBeside(
  config: Pick<Config, 'dataDir' | 'database'>,
): Promise<Database | null> {
  const { database, dataDir } = config;
  const found = database.kind === 'server' ? database : await findEmbeddedPostgres(dataDir);
  return found && { appUrl: found.appUrl, close: async () => undefined };
}

/** Starts the embedded Postgres or takes the configured server, and brings it up to date. */
export async function openDatabase(
  config: Pick<Config, 'dataDir' | 'database'>,
  logger: Logger,
): Promise<Database> {
  if (config.database.kind === 'server') {
    const { appUrl, ownerUrl } = config.database;
    const appRole = decodeURIComponent(new URL(appUrl).username);
    await migrate({ ownerUrl, migrationsDir: MIGRATIONS_DIR, logger, appRole });
    return { appUrl, close: async () => undefined };
  }
  const embedded = await startEmbeddedPostgres({ dataDir: config.dataDir, logger });
  try {
    await migrate({
      ownerUrl: embedded.ownerUrl,
      migrationsDir: MIGRATIONS_DIR,
      logger,
      appRole: 'vip_app',
    });
  } catch (error) {
    await embedded.stop();
    throw error;
  }
  return { appUrl: embedded.appUrl, close: () => embedded.stop() };
}
