/**
 * `node bench/air.ts [--decoders 10000] [--seconds 10] [--changes 20]`: what the head-end simulator
 * costs with many decoders switched on and its carousel at work, in a process of its own: the share
 * of one core, memory, and how long its event loop was held up.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { createHeadEndClient } from '../simulators/head-end/client.ts';
import { createHeadEndHttp } from '../simulators/head-end/http.ts';
import { createVipControlServer } from '../simulators/head-end/server.ts';
import { cardTarget } from '../src/entitlement/vip-control/command.ts';
import { createVipControlLink } from '../src/entitlement/vip-control/link.ts';
import { silentLogger } from '../src/platform/log.ts';
import { systemClock, systemRandom } from '../src/platform/system.ts';
import { sleep } from '../src/platform/timers.ts';

const { values } = parseArgs({
  options: {
    decoders: { type: 'string', default: '10000' },
    seconds: { type: 'string', default: '10' },
    changes: { type: 'string', default: '20' },
  },
});
const [decoders, seconds, changes] = [values.decoders, values.seconds, values.changes].map(Number);
const MONTH_MS = 30 * 24 * 3_600_000;
const FIRST_CARD = 4_021_000_000;
const AT_ONCE = 1_000;
const RESOLUTION_MS = 5;
const host = '127.0.0.1';
let revision = 0;

/** So many decoders, watched for so many seconds, so many of their cards changed each second. */
const plan = { decoders: decoders ?? 0, seconds: seconds ?? 0, changes: changes ?? 0 };

const open = (dataFile: string, bandwidth: { kbitPerSecond?: number } = {}) =>
  createVipControlServer({
    ...{ port: 0, host, dataFile, clock: systemClock, logger: silentLogger, latencyMs: 0 },
    ...{ maxWindow: 4_096, services: [{ code: 'NOVA', name: 'Nova', product: 'ESS' }] },
    ...bandwidth,
  });

function linkTo(port: number) {
  const link = createVipControlLink({
    ...{ host, port, clientId: 'bench', casId: 'main', epoch: () => 1 },
    ...{ clock: systemClock, random: systemRandom, logger: silentLogger },
  });
  return {
    ...link,
    entitle(n: number) {
      const from = systemClock.now();
      const to = new Date(from.getTime() + MONTH_MS);
      revision += 1;
      return link.send({
        ...{ op: 'ENTITLE', cmdId: `c${revision}`, rev: revision, prio: 'SALE', notAfter: to },
        target: cardTarget(String(FIRST_CARD + n)),
        set: [{ product: 'ESS', from, to }],
      });
    },
  };
}

/** Everybody's rights, put on air with all the bandwidth there is. */
async function grantAll(dataFile: string): Promise<void> {
  const headEnd = await open(dataFile);
  const link = linkTo(headEnd.port);
  for (let first = 0; first < plan.decoders; first += AT_ONCE) {
    const some = Math.min(AT_ONCE, plan.decoders - first);
    await Promise.all(Array.from({ length: some }, (_, n) => link.entitle(first + n)));
  }
  await link.close();
  await headEnd.stop();
}

/** The same head-end with so much bandwidth, watched while some change every second. */
async function measure(dataFile: string, bandwidth: { kbitPerSecond?: number }): Promise<string> {
  const headEnd = await open(dataFile, bandwidth);
  const http = await createHeadEndHttp({ headEnd, host, port: 0, clock: systemClock });
  const window = createHeadEndClient(`http://${host}:${http.port}`);
  const stopListening = window.events(null, () => undefined);
  const range = { firstStb: 'STB-000001', firstCard: String(FIRST_CARD), service: 'NOVA' };
  await window.addRange({ ...range, count: plan.decoders });
  const link = linkTo(headEnd.port);
  const before = process.cpuUsage();
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  for (let second = 0; second < plan.seconds; second += 1) {
    for (let n = 0; n < plan.changes; n += 1) {
      void link.entitle((second * plan.changes + n) % plan.decoders);
    }
    await sleep(1_000);
  }
  delay.disable();
  const { user, system } = process.cpuUsage(before);
  const percent = (user + system) / 1e4 / plan.seconds;
  const mib = process.memoryUsage().rss / 2 ** 20;
  const p99Ms = delay.percentile(99) / 1e6 - RESOLUTION_MS;
  const { broadcast, repeating } = headEnd.air.carousel();
  stopListening();
  await link.close();
  await http.stop();
  await headEnd.stop();
  return (
    `${percent.toFixed(1)} % of a core, ${mib.toFixed(0)} MiB, event loop late ` +
    `p99 ${p99Ms.toFixed(1)} ms, at most ${(delay.max / 1e6).toFixed(0)} ms; ` +
    `${broadcast} broadcasts, ${repeating} cards repeated`
  );
}

const folder = mkdtempSync(join(tmpdir(), 'air-'));
const dataFile = join(folder, 'journal.jsonl');
try {
  await grantAll(dataFile);
  console.log(`full speed: ${await measure(dataFile, {})}`);
  console.log(`100 kbit/s: ${await measure(dataFile, { kbitPerSecond: 100 })}`);
} finally {
  rmSync(folder, { recursive: true });
}
