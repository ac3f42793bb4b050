/** `npm run operator -- FILE`: loads an operator's sites, bouquets, prices and tariffs. */
import { readFileSync } from 'node:fs';
import { loadOperator, readOperatorFile } from './billing/catalogue/operator-file.ts';
import { readDatabase } from './platform/config.ts';
import { createIds } from './platform/database/ids.ts';
import { openDatabase } from './platform/database/open.ts';
import { createPool } from './platform/database/pool.ts';
import { createPrisma } from './platform/database/prisma.ts';
import { createLogger } from './platform/log.ts';
import { StartError } from './platform/start-error.ts';

async function main(path: string | undefined): Promise<void> {
  if (!path) throw new StartError('Which file? npm run operator -- FILE');
  const read = readOperatorFile(readFileSync(path, 'utf8'));
  if (!read.ok) throw new StartError(`${path} cannot be used:\n  ${read.faults.join('\n  ')}`);
  const logger = createLogger({ level: 'warn', service: 'vip-operator' });
  const database = await openDatabase(readDatabase(process.env), logger);
  const url = database.appUrl;
  const pool = createPool({ url, max: 1, name: 'vip-operator', logger });
  const prisma = createPrisma({ url, max: 1, logger });
  try {
    await loadOperator(prisma, createIds(pool), read.file);
    const bouquets = read.file.sites.flatMap((site) => site.bouquets).length;
    process.stdout.write(`${read.file.sites.length} sites, ${bouquets} bouquets are loaded.\n`);
  } finally {
    await prisma.$disconnect();
    await pool.end();
    await database.close();
  }
}

main(process.argv[2]).catch((error: unknown) => {
  const known = error instanceof StartError || (error as { code?: string }).code === 'ENOENT';
  process.stderr.write(`${known ? (error as Error).message : (error as Error).stack}\n`);
  process.exit(1);
});
