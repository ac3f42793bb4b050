/** What a gateway process is told to start with. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Config, Role } from '../src/platform/config.ts';
import { CHANNELS, type Database } from './house.ts';

export interface GatewayTask {
  appUrl: string;
  ownerUrl: string;
  /** The channels, as YAML or JSON. */
  providersFile: string;
  folder: string;
}

/** A gateway over the bench's database; its files lie in `folder`. */
export function gatewayTask({ appUrl, ownerUrl }: Database, folder: string): GatewayTask {
  const providersFile = join(folder, 'providers.json');
  writeFileSync(providersFile, JSON.stringify(CHANNELS));
  return { appUrl, ownerUrl, providersFile, folder };
}

/** The configuration of a product over the bench's database. */
export const configOf = (task: GatewayTask, roles: readonly Role[]): Config => ({
  isDemo: false,
  isProduction: false,
  port: 0,
  bind: '127.0.0.1',
  dataDir: task.folder,
  database: { kind: 'server', appUrl: task.appUrl, ownerUrl: task.ownerUrl },
  redisUrl: undefined,
  roles: new Set(roles),
  providersFile: task.providersFile,
  control: undefined,
  trustedHops: 0,
  logLevel: 'warn',
});
