/**
 * `npm run reconcile -- [--report] [SYSTEM…]`: has the conditional-access systems compared by the
 * product that runs, over the database in DATABASE_URL or the embedded one in its data folder, and
 * waits for what they came to. `--report`: nothing is put right.
 */

import { userInfo } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { runById, totalsOf } from './entitlement/reconciliation/report.ts';
import { askRun } from './entitlement/reconciliation/run-store.ts';
import { readDatabase } from './platform/config.ts';
import { openBeside } from './platform/database/open.ts';
import { createPool } from './platform/database/pool.ts';
import { createLogger } from './platform/log.ts';
import { StartError } from './platform/start-error.ts';
import { systemClock } from './platform/system.ts';

const LOOK_EVERY_MS = 1_000;
const WAIT_MS = 7_200_000;

const WHY = {
  unknown_system: 'There is no such system.',
  reconciliation_waiting: 'A comparison of it waits or is under way.',
};

async function main(words: readonly string[]): Promise<string> {
  const heal = !words.includes('--report');
  const named = words.filter((word) => word !== '--report');
  const config = readDatabase(process.env);
  const database = await openBeside(config);
  if (!database) {
    throw new StartError(
      `DATABASE_URL is not set, and no product runs with the database in ${config.dataDir}.`,
    );
  }
  const pool = createPool({
    ...{ url: database.appUrl, max: 1, name: 'vip-reconcile' },
    logger: createLogger({ level: 'warn', service: 'vip-reconcile' }),
  });
  try {
    const { rows } = await pool.query('SELECT id FROM conditional_access ORDER BY id');
    const systems = named.length > 0 ? named : rows.map(({ id }) => String(id));
    const by = `command:${userInfo().username}`;
    const runs: bigint[] = [];
    for (const casId of systems) {
      const asked = await askRun(pool, { casId, by, heal, at: systemClock.now() });
      if (!asked.ok) throw new StartError(`${casId}: ${WHY[asked.error]}`);
      runs.push(asked.id);
    }
    const said: string[] = [];
    for (const id of runs) said.push(await told(pool, id));
    return said.join('');
  } finally {
    await pool.end();
  }
}

async function told(pool: Pool, id: bigint): Promise<string> {
  for (let waited = 0; waited < WAIT_MS; waited += LOOK_EVERY_MS) {
    const run = await runById(pool, id);
    if (run?.end) {
      const { error, cards, variancePpm } = run.end;
      if (error !== null) throw new StartError(`${run.casId}: not compared: ${error}`);
      const totals = await totalsOf(pool, id);
      const lines = totals.map(
        (one) => `  ${one.class} ${one.product || '-'}: ${one.cards} cards, ${one.seconds} s\n`,
      );
      const head = `${run.casId}: ${cards} cards, variance ${variancePpm} millionths\n`;
      return head + lines.join('');
    }
    await sleep(LOOK_EVERY_MS);
  }
  throw new StartError('Nobody has compared it: does a process with role dispatcher run?');
}

main(process.argv.slice(2)).then(
  (said) => process.stdout.write(said),
  (error: unknown) => {
    const isKnown = error instanceof StartError;
    process.stderr.write(`${isKnown ? error.message : (error as Error).stack}\n`);
    process.exitCode = 1;
  },
);
