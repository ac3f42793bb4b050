/**
 * The product's gateway as a process of its own, over the bench's database: started as
 * `npm start` does, with the one role and without the demo. Answers with its address.
 */
import { createLogger } from '../src/platform/log.ts';
import { startProduct } from '../src/product.ts';
import { configOf, type GatewayTask } from './gateway-task.ts';

process.once('message', async (task: GatewayTask) => {
  const config = configOf(task, ['gateway']);
  const logger = createLogger({ level: config.logLevel, service: 'bench-gateway' });
  const product = await startProduct({ config, logger });
  process.once('disconnect', () => {
    void product.stop().finally(() => process.exit(0));
  });
  process.send?.({ url: product.url });
});
