/**
 * `npm run verify -- [--anchors FOLDER --key FILE]`: proves that nothing sealed was changed since.
 * Exit code 1 when something was.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Anchors, readAnchors } from './evidence/anchors.ts';
import { LANES, verifyAll } from './evidence/verify.ts';
import { type Environment, readDatabase } from './platform/config.ts';
import { openBeside, openDatabase } from './platform/database/open.ts';
import { createPool } from './platform/database/pool.ts';
import { createLogger } from './platform/log.ts';
import { StartError } from './platform/start-error.ts';
import { systemClock } from './platform/system.ts';

/** Of one statement: a step of the verifier takes seconds, on a busy server a minute. */
const STATEMENT_LIMIT_MS = 600_000;

/** Verifies, says what is wrong, and answers whether nothing is. */
async function verify(words: readonly string[], env: Environment): Promise<boolean> {
  const { values } = parseArgs({
    args: [...words],
    options: { anchors: { type: 'string' }, key: { type: 'string' } },
  });
  const anchors = await anchorsOf(values);
  const logger = createLogger({ level: 'warn', service: 'vip-verify' });
  const { database, dataDir } = readDatabase(env);
  // What runs is read as it is: who verifies changes nothing, not even by migrating.
  const opened =
    (await openBeside({ database, dataDir })) ??
    (await openDatabase({ database, dataDir }, logger));
  const pool = createPool({
    ...{ url: opened.appUrl, max: 2 * LANES, name: 'vip-verify', logger },
    statementTimeoutMs: STATEMENT_LIMIT_MS,
  });
  try {
    const began = performance.now();
    const done = await verifyAll({ pool, clock: systemClock, anchors: anchors.anchors });
    const seconds = (performance.now() - began) / 1000;
    const faults = [...anchors.faults, ...done.findings.map(({ text }) => text)];
    process.stdout.write(
      [
        ...faults,
        `${done.rows} rows in ${done.blocks} blocks, ${anchors.anchors.length} anchors: ` +
          `${faults.length} faults; ${Math.round(done.rows / seconds)} rows/s`,
      ].join('\n'),
    );
    process.stdout.write('\n');
    return faults.length === 0;
  } finally {
    await pool.end();
    await opened.close();
  }
}

async function anchorsOf({ anchors, key }: { anchors?: string; key?: string }): Promise<Anchors> {
  if (!anchors && !key) return { anchors: [], faults: [] };
  if (!anchors || !key) throw new StartError('--anchors FOLDER and --key FILE belong together.');
  return await readAnchors(anchors, readFileSync(key, 'utf8'));
}

try {
  process.exitCode = (await verify(process.argv.slice(2), process.env)) ? 0 : 1;
} catch (error) {
  const known = error instanceof StartError || (error as { code?: string }).code === 'ENOENT';
  process.stderr.write(`${known ? (error as Error).message : (error as Error).stack}\n`);
  process.exitCode = 2;
}
