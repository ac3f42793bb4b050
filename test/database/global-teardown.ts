import type { SharedServer } from './global-setup.ts';

/** Stops the run's Postgres and removes its folder. */
export default async function globalTeardown(): Promise<void> {
  const shared = globalThis as SharedServer;
  shared.vipTestSignals?.();
  await shared.vipTestServer?.stop();
}
