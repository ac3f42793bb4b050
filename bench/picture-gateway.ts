/**
 * The product with the roles of the road (gateway and dispatcher) as a process of its own, which
 * notes when the head-end took and aired each card. Sends what it noted when it is asked.
 */
import { readFileSync } from 'node:fs';
import { createLogger } from '../src/platform/log.ts';
import { startProduct } from '../src/product.ts';
import type { RoadStep } from '../src/road.ts';
import { configOf, type GatewayTask } from './gateway-task.ts';

export interface PictureTask extends GatewayTask {
  control: { host: string; port: number };
}

/** Epoch milliseconds by card: when its command was accepted, when it was on air. */
export type Aired = Record<string, { accepted?: number; onAir?: number }>;

process.once('message', async (task: PictureTask) => {
  let aired: Aired = {};
  const note = ({ step, card, at }: RoadStep) => {
    if (card === undefined || (step !== 'accepted' && step !== 'on_air')) return;
    const of = aired[card] ?? {};
    aired[card] = of;
    if (step === 'accepted') of.accepted = at.getTime();
    else of.onAir = at.getTime();
  };
  const logger = createLogger({ level: 'error', service: 'bench-picture' });
  const product = await startProduct({
    config: configOf(task, ['gateway', 'dispatcher']),
    logger,
    // The way to look on without being in the way.
    openDemo: async () => ({
      channels: JSON.parse(readFileSync(task.providersFile, 'utf8')),
      control: { transport: 'tcp', ...task.control },
      onRoad: note,
      furnish: async () => undefined,
      stop: async () => undefined,
    }),
  });
  process.on('message', () => {
    process.send?.({ aired });
    aired = {};
  });
  process.once('disconnect', () => {
    void product.stop().finally(() => process.exit(0));
  });
  process.send?.({ url: product.url });
});
