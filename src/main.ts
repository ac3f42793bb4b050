/** The process: reads the environment, starts the product, stops it and drops nobody. */
import { readConfig } from './platform/config.ts';
import { createLogger } from './platform/log.ts';
import { StartError } from './platform/start-error.ts';
import { startProduct } from './product.ts';

async function main(): Promise<void> {
  const config = readConfig(process.env);
  const logger = createLogger({ level: config.logLevel, service: 'vip-billing' });
  const demo = config.isDemo ? await import('../simulators/demo/start.ts') : null;
  const product = await startProduct({
    config,
    logger,
    ...(demo ? demo.demoHouse(config, logger) : {}),
  });
  logger.info('product.started', { url: product.url, roles: [...config.roles] });
  if (demo) process.stderr.write(demo.whatToDoNext(product));
  let stopping = false;
  const stop = (signal: NodeJS.Signals) => {
    if (stopping) return;
    stopping = true;
    logger.info('product.stopping', { signal });
    product.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error('product.stop_failed', { error });
        process.exit(1);
      },
    );
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
}

main().catch((error: unknown) => {
  const sentence = error instanceof StartError ? error.message : String((error as Error)?.stack);
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
});
