import { PrismaPg } from '@prisma/adapter-pg';
import type { Logger } from '../ports.ts';
import { PrismaClient } from './client/client.ts';

export type Prisma = PrismaClient;

export interface PrismaOptions {
  url: string;
  /** Most connections at once; counts towards the server's `max_connections` like any pool. */
  max: number;
  logger: Logger;
}

const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;

/** Prisma for reads and plain writes; money goes through `pool.ts`. Connects when first asked. */
export function createPrisma(options: PrismaOptions): Prisma {
  const adapter = new PrismaPg(
    {
      connectionString: options.url,
      application_name: 'vip-prisma',
      max: options.max,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      keepAlive: true,
    },
    { onPoolError: (error) => options.logger.warn('database.connection_lost', { error }) },
  );
  return new PrismaClient({ adapter });
}
