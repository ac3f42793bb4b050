import { startEmbeddedPostgres } from '../../src/platform/database/embedded.ts';

/**
 * A process that owns the embedded Postgres of the folder it is given, for tests that kill it.
 * Prints one JSON line, `{postmasterId, ownerUrl}` or `{error}`; stops when its input ends.
 */
const log = () => undefined;
try {
  const postgres = await startEmbeddedPostgres({
    dataDir: process.argv[2] ?? '',
    logger: { info: log, warn: log, error: log },
    durable: false,
  });
  say({ postmasterId: postgres.postmasterPid(), ownerUrl: postgres.ownerUrl });
  process.stdin.resume().on('end', () => void postgres.stop());
} catch (error) {
  say({ error: error instanceof Error ? error.message : String(error) });
}

function say(line: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}
