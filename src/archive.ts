/**
 * `npm run archive -- YYYY-MM FOLDER`: takes an old month out of the command log, exported,
 * proved and anchored. Nothing else can.
 */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { readAnchors, writeAnchor } from './evidence/anchors.ts';
import { archiveMonth } from './evidence/months.ts';
import { sealAll } from './evidence/seal.ts';
import { readAnchorKey } from './open-evidence.ts';
import { readDatabase, readEvidence } from './platform/config.ts';
import { createPool } from './platform/database/pool.ts';
import { createLogger } from './platform/log.ts';
import { StartError } from './platform/start-error.ts';
import { systemClock } from './platform/system.ts';

/** Of one statement: a month of a large operator is read in minutes. */
const STATEMENT_LIMIT_MS = 600_000;
const CONNECTIONS = 4;

const WHY = {
  unknown_month: 'The command log has no such month.',
  too_young: 'It must be kept in the database longer: VIP_COMMAND_LOG_MONTHS.',
  not_sealed: 'It is not wholly sealed yet; seals are made while the product runs.',
  not_anchored: 'No anchor knows how it ended; the next one, tomorrow, will.',
  not_proved: 'It is not what was sealed: see npm run verify.',
};

async function main(month: string | undefined, folder: string | undefined): Promise<string> {
  if (!month || !folder) throw new StartError('npm run archive -- YYYY-MM FOLDER');
  const { database } = readDatabase(process.env);
  const { anchors, keepMonths } = readEvidence(process.env);
  if (database.kind !== 'server') throw new StartError('DATABASE_URL is not set.');
  if (!anchors) throw new StartError('VIP_ANCHOR_DIR is not set: a month must be anchored.');
  const key = readAnchorKey(anchors.keyFile);
  const pool = createPool({
    ...{ url: database.ownerUrl, max: CONNECTIONS, name: 'vip-archive' },
    logger: createLogger({ level: 'warn', service: 'vip-archive' }),
    statementTimeoutMs: STATEMENT_LIMIT_MS,
  });
  const clock = systemClock;
  try {
    await sealAll({ pool, clock });
    await writeAnchor({ pool, clock, key, folder: anchors.folder });
    const read = await readAnchors(anchors.folder, readFileSync(anchors.keyFile, 'utf8'));
    const known = { keepMonths, anchors: read.anchors, by: userInfo().username };
    const done = await archiveMonth({ pool, clock, folder, ...known }, month);
    if (!done.ok) throw new StartError(WHY[done.error]);
    return `${done.rows} rows in ${done.file}, SHA-256 ${done.sha256}\n`;
  } finally {
    await pool.end();
  }
}

main(process.argv[2], process.argv[3]).then(
  (said) => process.stdout.write(said),
  (error: unknown) => {
    const isKnown = error instanceof StartError;
    process.stderr.write(`${isKnown ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
  },
);
