import type { Config } from '../src/platform/config.ts';

/** The demo with all roles on a free port of this machine, over a database of the test's own. */
export const demoConfig = (dataDir: string, database: Config['database']): Config => ({
  isDemo: true,
  isProduction: false,
  port: 0,
  bind: '127.0.0.1',
  dataDir,
  database,
  redisUrl: undefined,
  roles: new Set(['gateway', 'dispatcher', 'scheduler', 'backoffice']),
  providersFile: undefined,
  control: undefined,
  trustedHops: 0,
  logLevel: 'error',
});
