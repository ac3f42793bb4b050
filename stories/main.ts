/**
 * `npm run stories -- FILE…`: tells the cases of files, pure and again over Postgres, and prints
 * one JSON line a case and the count. `--pure` and `--postgres` tell them once.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startTestServer } from '../src/platform/test-database.ts';
import { isBillingFile, run as runPostpaid } from './postpaid/driver.ts';
import { isPrepaidFile, run as runPrepaid } from './prepaid/driver.ts';
import type { CaseResult, Mode } from './result.ts';

const MIGRATIONS = join(import.meta.dirname, '../prisma/migrations');

function driverOf(
  file: unknown,
  path: string,
): (file: unknown, mode: Mode) => AsyncIterable<CaseResult> {
  if (isBillingFile(file)) return runPostpaid;
  if (isPrepaidFile(file)) return runPrepaid;
  throw new Error(`${path} is no file of billing-cases or prepaid-cases/1`);
}

const json = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part));

async function main(args: readonly string[]): Promise<number> {
  const paths = args.filter((arg) => !arg.startsWith('--'));
  if (paths.length === 0) {
    process.stderr.write('usage: npm run stories -- [--pure | --postgres] FILE…\n');
    return 2;
  }
  const asked = (['pure', 'postgres'] as const).filter((mode) => args.includes(`--${mode}`));
  const modes: readonly Mode[] = asked.length > 0 ? asked : ['pure', 'postgres'];
  const server = modes.includes('postgres') ? await startTestServer(MIGRATIONS) : null;
  try {
    const { passed, failed } = await tellFiles(paths, modes);
    process.stdout.write(`${passed} passed, ${failed} failed\n`);
    return failed === 0 ? 0 : 1;
  } finally {
    await server?.stop();
  }
}

async function tellFiles(paths: readonly string[], modes: readonly Mode[]) {
  let passed = 0;
  let failed = 0;
  for (const path of paths) {
    const file: unknown = JSON.parse(await readFile(path, 'utf8'));
    const run = driverOf(file, path);
    for (const mode of modes) {
      for await (const result of run(file, mode)) {
        process.stdout.write(`${json(result)}\n`);
        if (result.pass) passed += 1;
        else failed += 1;
      }
    }
  }
  return { passed, failed };
}

process.exitCode = await main(process.argv.slice(2));
