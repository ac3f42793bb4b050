/** The head-end as its own process, killed without warning in the middle of its work. */

import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { cardTarget } from '../../src/entitlement/vip-control/command.ts';
import {
  createVipControlLink,
  type VipControlLink,
} from '../../src/entitlement/vip-control/link.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { systemClock, systemRandom } from '../../src/platform/system.ts';
import { makeTestFolder } from '../../src/platform/test-database.ts';
import type { AirEvent } from './air/types.ts';
import { createHeadEndClient, startHeadEndProcess } from './client.ts';

/** More than a window holds. */
const CARDS = 600;
const children: ChildProcess[] = [];
const links: VipControlLink[] = [];
let folder = '';
beforeEach(async () => {
  folder = makeTestFolder();
});
afterEach(async () => {
  for (const link of links.splice(0)) await link.close();
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

async function start(port: number) {
  const data = join(folder, 'journal.jsonl');
  const main = join(__dirname, 'main.ts');
  const args = [main, '--port', String(port), '--http-port', '0', '--data', data];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  for await (const line of createInterface({ input: child.stdout })) {
    const entry = JSON.parse(line) as { event: string; port: number; httpPort: number };
    if (entry.event === 'headend.listening') return { child, ...entry };
  }
  throw new Error('the head-end did not start');
}

describe('a head-end killed in the middle of its work', () => {
  it('has afterwards done everything it confirmed, each once', async () => {
    let running = await start(0);
    const { port } = running;
    const link = createVipControlLink({
      host: '127.0.0.1',
      port,
      clientId: 'dispatcher-1',
      casId: 'main',
      epoch: () => 1,
      clock: systemClock,
      random: systemRandom,
      logger: silentLogger,
    });
    links.push(link);
    let done = 0;
    const half = Promise.withResolvers<void>();
    const send = async (n: number) => {
      const from = new Date('2026-11-23T00:00:00Z');
      const set = [{ product: 'ESS', from, to: new Date('2099-12-23T00:00:00Z') }];
      const notAfter = new Date(Date.now() + 60_000);
      const common = { cmdId: `c${n}`, prio: 'SALE', notAfter } as const;
      const outcome = await link.send({
        ...{ ...common, op: 'ENTITLE', target: cardTarget(String(n)), rev: 1, set },
      });
      done += 1;
      if (done === CARDS / 2) half.resolve();
      return outcome;
    };
    const all = Promise.all(Array.from({ length: CARDS }, (_, n) => send(n)));
    await half.promise;
    running.child.kill('SIGKILL');
    await once(running.child, 'exit');
    running = await start(port);
    for (const outcome of await all) {
      // DONE, not DONE_NOOP: a second execution of the same revision would be that.
      expect(outcome).toMatchObject({ kind: 'done', code: 'DONE' });
    }
    const response = await fetch(`http://127.0.0.1:${running.httpPort}/cards`);
    expect(await response.json()).toMatchObject({ pages: CARDS / 100 });
    await link.close();
    running.child.kill('SIGTERM');
    const [code] = await once(running.child, 'exit');
    expect(code).toBe(0);
  });
});

describe('a head-end started by another process', () => {
  const services = [{ code: 'NOVA', name: 'Nova', product: 'ESS' }];
  const options = () => ({
    dataFile: join(folder, 'deep', 'journal.jsonl'),
    services,
    kbit: 100,
    latency: { medianMs: 1, p99Ms: 2 },
    clockOffsetMs: -86_400_000,
    logger: silentLogger,
  });

  it('is up when it says so, and is as it was ordered', async () => {
    const headEnd = await startHeadEndProcess(options());
    try {
      const air = createHeadEndClient(headEnd.http);
      expect(await air.services()).toEqual(services);
      expect((await air.air()).emmPerSecond).toBeCloseTo(66.5, 1);
      await air.addDecoders([{ stb: 'STB-1', card: '4021', service: 'NOVA' }]);
      const heard = Promise.withResolvers<AirEvent>();
      const stop = air.events('4021', heard.resolve);
      const event = await heard.promise;
      stop();
      const aheadMs = Date.parse(event.at) - Date.now();
      expect(Math.round(aheadMs / 60_000)).toBe(-1_440);
    } finally {
      await headEnd.stop();
    }
    await expect(fetch(headEnd.http)).rejects.toThrow();
  });

  it('that cannot start says why', async () => {
    await writeFile(join(folder, 'journal.jsonl'), 'no journal\n\n');
    const dataFile = join(folder, 'journal.jsonl');
    await expect(startHeadEndProcess({ ...options(), dataFile })).rejects.toThrow(
      'line 1 cannot be read',
    );
  });

  it('ends when that process is gone', async () => {
    const args = ['--port', '0', '--http-port', '0', '--data', join(folder, 'journal.jsonl')];
    const child = spawn(process.execPath, [join(__dirname, 'main.ts'), ...args], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    children.push(child);
    expect((await once(child, 'message'))[0]).toMatchObject({ ready: true });
    child.disconnect();
    expect((await once(child, 'exit'))[0]).toBe(0);
  });
});
