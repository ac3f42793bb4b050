/** The head-end as its own process, killed without warning in the middle of its work. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createVipControlLink } from '../../src/entitlement/vip-control/link.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { systemClock, systemRandom } from '../../src/platform/system.ts';

const CARDS = 2_000;
const children: ChildProcess[] = [];
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'head-end-'));
});
afterEach(async () => {
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
    let done = 0;
    const half = Promise.withResolvers<void>();
    const send = async (n: number) => {
      const from = new Date('2026-11-23T00:00:00Z');
      const set = [{ product: 'ESS', from, to: new Date('2099-12-23T00:00:00Z') }];
      const notAfter = new Date(Date.now() + 60_000);
      const common = { cmdId: `c${n}`, card: String(n), prio: 'SALE', notAfter } as const;
      const outcome = await link.send({ ...common, op: 'ENTITLE', rev: 1, set });
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
