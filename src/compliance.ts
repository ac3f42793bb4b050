/**
 * `npm run compliance [-- --json FILE] [--pdf FILE] [--queries]`: says of each requirement on such
 * a system how it stands here and now, and what shows it. Exit code 1 when one is not met.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { ONLY_SYSTEM, readSystems } from './entitlement/cas/systems.ts';
import { makePack, packText } from './evidence/compliance/service.ts';
import { operatorAt } from './evidence/print/operator.ts';
import { packPdf } from './evidence/print/pack.ts';
import { LANES } from './evidence/verify.ts';
import { readInstallation } from './open-compliance.ts';
import { type Config, type Environment, readConfig } from './platform/config.ts';
import { openBeside, openDatabase } from './platform/database/open.ts';
import { createPool } from './platform/database/pool.ts';
import { createLogger } from './platform/log.ts';
import { StartError } from './platform/start-error.ts';
import { systemClock } from './platform/system.ts';

/** Of one statement: two years of a large operator are counted in minutes. */
const STATEMENT_LIMIT_MS = 600_000;

async function main(words: readonly string[], env: Environment): Promise<boolean> {
  const { values } = parseArgs({
    args: [...words],
    options: {
      ...{ json: { type: 'string' }, pdf: { type: 'string' } },
      queries: { type: 'boolean', default: false },
    },
  });
  const config = readConfig(env);
  const { database, dataDir } = config;
  const logger = createLogger({ level: 'warn', service: 'vip-compliance' });
  // What runs is read as it is: who looks changes nothing, not even by migrating.
  const opened =
    (await openBeside({ database, dataDir })) ??
    (await openDatabase({ database, dataDir }, logger));
  const pool = createPool({
    ...{ url: opened.appUrl, max: 2 * LANES, name: 'vip-compliance', logger },
    statementTimeoutMs: STATEMENT_LIMIT_MS,
  });
  try {
    const installation = await readInstallation(config, systemsOf(config));
    const pack = await makePack({ pool, clock: systemClock, installation });
    if (values.json !== undefined) {
      await writeFile(values.json, `${JSON.stringify(pack, null, 2)}\n`);
    }
    process.stdout.write(packText(pack, { queries: values.queries }));
    if (values.pdf !== undefined) {
      const bytes = await packPdf(pack, await operatorAt(pool, new Date(pack.at)));
      await writeFile(values.pdf, bytes);
      process.stdout.write(`\n${values.pdf}: SHA-256 ${hash('sha256', bytes)}\n`);
    }
    return pack.rows.every(({ status }) => status !== 'not met');
  } finally {
    await pool.end();
    await opened.close();
  }
}

function systemsOf({ casFile, control }: Config) {
  if (casFile === undefined) return control ? [{ ...ONLY_SYSTEM, address: control }] : [];
  const read = readSystems(readFileSync(casFile, 'utf8'));
  if (!read.ok) throw new StartError('VIP_CAS_FILE cannot be read; npm start says why.');
  return read.systems;
}

try {
  process.exitCode = (await main(process.argv.slice(2), process.env)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof StartError ? error.message : (error as Error).stack}\n`);
  process.exitCode = 2;
}
