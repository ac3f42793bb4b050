/**
 * Generates the database client (src/platform/database/client) from prisma/schema. Runs after
 * every install, on any Node from 20 on, and needs no network: generating never calls Prisma's
 * schema engine, it only insists that one exists, so it is shown the running node program.
 * Where prisma is left out (`npm ci --omit=dev`), a client generated before is kept as it is.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const TIME_LIMIT_MS = 120_000;
const CLIENT = 'src/platform/database/client/client.ts';
const root = dirname(dirname(fileURLToPath(import.meta.url)));

const failure = generate();
if (failure) {
  console.error(`The database client could not be generated: ${failure}`);
  process.exitCode = 1;
}

/** The reason of a failure in one sentence, or undefined. */
function generate() {
  let prisma;
  try {
    prisma = createRequire(join(root, 'package.json')).resolve('prisma/package.json');
  } catch {
    if (existsSync(join(root, CLIENT))) return undefined;
    return 'prisma is not installed; run npm ci with the development packages.';
  }
  const cli = join(dirname(prisma), 'build', 'index.js');
  const run = spawnSync(process.execPath, [cli, 'generate'], {
    cwd: root,
    encoding: 'utf8',
    timeout: TIME_LIMIT_MS,
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
      CHECKPOINT_DISABLE: '1', // Prisma's telemetry
      NO_COLOR: '1',
    },
  });
  if (run.status === 0) return undefined;
  if (run.error) return `${run.error.message}.`;
  const said = run.stderr.trim() || run.stdout.trim();
  return said.replace(/\s+/g, ' ');
}
