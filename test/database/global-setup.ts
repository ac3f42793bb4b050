import { join } from 'node:path';
import { startTestServer, type TestServer } from '../../src/platform/test-database.ts';

/** What the tear-down, which jest loads as a module of its own, needs to know. */
export interface SharedServer {
  vipTestServer?: TestServer;
  vipTestSignals?: () => void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** One Postgres for the whole run; test files clone its template (`createTestDatabase`). */
export default async function globalSetup(): Promise<void> {
  const shared = globalThis as SharedServer;
  const server = await startTestServer(join(process.cwd(), 'prisma', 'migrations'));
  shared.vipTestServer = server;

  // Jest ends on a signal without calling the tear-down.
  const onSignal = (signal: NodeJS.Signals) => {
    forget();
    void server.stop().finally(() => process.kill(process.pid, signal));
  };
  const forget = () => {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  shared.vipTestSignals = forget;
}
