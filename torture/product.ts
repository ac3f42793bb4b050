/**
 * The product as `npm start` runs it, but for its time: `--clock-offset-ms=N` lets its clock run so
 * far ahead of the machine's, or behind. Everything else comes from the environment.
 */
import { parseArgs } from 'node:util';
import { createMovedClock } from '../simulators/head-end/moved-clock.ts';
import { readConfig } from '../src/platform/config.ts';
import { createLogger } from '../src/platform/log.ts';
import { startProduct } from '../src/product.ts';

const { values } = parseArgs({
  options: { 'clock-offset-ms': { type: 'string', default: '0' } },
});
const config = readConfig(process.env);
const product = await startProduct({
  config,
  logger: createLogger({ level: config.logLevel, service: 'vip-billing' }),
  clock: createMovedClock(Number(values['clock-offset-ms'])),
});
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    product.stop().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  });
}
