import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { isInstalled, skipSuite } from '../../test/programs.ts';
import { freePort } from './database/embedded/postmaster.ts';
import { createMemoryKeyValue, createRedisKeyValue, type KeyValue } from './kv.ts';
import { silentLogger } from './log.ts';
import { sleep } from './timers.ts';

const LONG_MS = 60_000;
const SHORT_MS = 30;

async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await sleep(5);
}

/** What every KeyValue does, whatever keeps the values. */
function conformance(open: () => KeyValue): void {
  let kv: KeyValue;
  beforeAll(() => {
    kv = open();
  });
  afterAll(() => kv.close());

  it('is ready', async () => {
    expect(await kv.ready()).toBe(true);
  });

  it('gives back what was set, and nothing for what was not or was deleted', async () => {
    expect(await kv.get('a')).toBeUndefined();
    await kv.set('a', 'été\u0000"', LONG_MS);
    expect(await kv.get('a')).toBe('été\u0000"');
    await kv.set('a', '', LONG_MS);
    expect(await kv.get('a')).toBe('');
    await kv.del('a');
    await kv.del('a');
    expect(await kv.get('a')).toBeUndefined();
  });

  it('forgets a value when its time is over, and a later set moves that time', async () => {
    await kv.set('short', 'x', SHORT_MS);
    await kv.set('moved', 'x', SHORT_MS);
    await kv.set('moved', 'y', LONG_MS);
    await until(async () => (await kv.get('short')) === undefined);
    expect(await kv.get('moved')).toBe('y');
  });

  it('counts, also for many at once, from one again when the first time is over', async () => {
    const sums = await Promise.all(Array.from({ length: 50 }, () => kv.incr('many', LONG_MS)));
    expect(sums.sort((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
    expect(await kv.incr('window', SHORT_MS)).toBe(1);
    await until(async () => (await kv.incr('window', SHORT_MS)) === 1);
    expect(await kv.get('window')).toBe('1');
  });
}

describe('the key-value store in memory', () => {
  conformance(() => createMemoryKeyValue());

  it('keeps to its bound by dropping the oldest', async () => {
    const kv = createMemoryKeyValue({ itemsLimit: 2 });
    for (const key of ['a', 'b', 'a', 'c']) await kv.set(key, key, LONG_MS);
    const kept = await Promise.all(['a', 'b', 'c'].map((key) => kv.get(key)));
    expect(kept).toEqual(['a', undefined, 'c']);
  });

  it('goes by the clock it is given', async () => {
    let nowMs = 0;
    const kv = createMemoryKeyValue({ nowMs: () => nowMs });
    await kv.set('a', 'x', 1000);
    nowMs = 999;
    expect(await kv.get('a')).toBe('x');
    nowMs = 1000;
    expect(await kv.get('a')).toBeUndefined();
  });
});

if (isInstalled('redis-server')) {
  describe('the key-value store in Redis', () => {
    let server: ChildProcess;
    let port: number;
    const start = async () => {
      const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', '/'];
      server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] });
      for await (const line of createInterface(server.stdout ?? process.stdin)) {
        if (line.includes('Ready to accept connections')) break;
      }
      server.stdout?.resume();
    };
    const stop = async () => {
      server.kill('SIGKILL');
      await once(server, 'exit');
    };
    const open = () => createRedisKeyValue(`redis://127.0.0.1:${port}`, silentLogger);

    beforeAll(async () => {
      port = await freePort(0);
      await start();
    });
    afterAll(stop);

    describe('while it is there', () => conformance(open));

    it('fails fast while it is away, heals by itself, and sends nothing late', async () => {
      const events: string[] = [];
      const note = (event: string) => void events.push(event);
      const logger = { ...silentLogger, info: note, error: note };
      const kv = createRedisKeyValue(`redis://127.0.0.1:${port}`, logger);
      await kv.set('before', 'x', LONG_MS);
      await stop();
      const started = performance.now();
      await expect(kv.incr('late', LONG_MS)).rejects.toThrow();
      await expect(kv.get('before')).rejects.toThrow();
      expect(await kv.ready()).toBe(false);
      expect(performance.now() - started).toBeLessThan(2_000);
      await start();
      await until(() => kv.ready());
      expect(await kv.incr('late', LONG_MS)).toBe(1);
      expect(events).toEqual(['redis.ready', 'redis.lost', 'redis.ready']);
      await kv.close();
    });

    it('fails fast also when it was never there', async () => {
      const kv = createRedisKeyValue('redis://127.0.0.1:1', silentLogger);
      expect(await kv.ready()).toBe(false);
      await expect(kv.get('a')).rejects.toThrow();
      await kv.close();
    });
  });
} else {
  skipSuite('the key-value store in Redis', 'redis-server');
}
