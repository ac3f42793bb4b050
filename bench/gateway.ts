/**
 * The product's gateway as a process of its own, over the bench's database: started as
 * `npm start` does, with the one role and without the demo. Answers with its address.
 */
import type { Config } from '../src/platform/config.ts';
import { createLogger } from '../src/platform/log.ts';
import { startProduct } from '../src/product.ts';

export interface GatewayTask {
  appUrl: string;
  ownerUrl: string;
  /** The channels, as YAML or JSON. */
  providersFile: string;
  folder: string;
}

process.once('message', async (task: GatewayTask) => {
  const config: Config = {
    isDemo: false,
    isProduction: false,
    port: 0,
    bind: '127.0.0.1',
    dataDir: task.folder,
    database: { kind: 'server', appUrl: task.appUrl, ownerUrl: task.ownerUrl },
    redisUrl: undefined,
    roles: new Set(['gateway']),
    providersFile: task.providersFile,
    control: undefined,
    trustedHops: 0,
    logLevel: 'warn',
  };
  const logger = createLogger({ level: config.logLevel, service: 'bench-gateway' });
  const product = await startProduct({ config, logger });
  process.once('disconnect', () => {
    void product.stop().finally(() => process.exit(0));
  });
  process.send?.({ url: product.url });
});
