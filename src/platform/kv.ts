import { Redis } from 'ioredis';
import type { Logger } from './ports.ts';
import { within } from './timers.ts';

/**
 * Small values with a time to live: USSD sessions, rate limits, short caches. Never money. Where
 * several gateways serve, this is Redis; a single process keeps them in its own memory.
 * When Redis is away every act rejects within `COMMAND_LIMIT_MS`; the caller says what then holds.
 */
export interface KeyValue {
  get(key: string): Promise<string | undefined>;
  set(key: string, value: string, ttlMs: number): Promise<void>;
  del(key: string): Promise<void>;
  /** Adds one and resolves to the sum; the first one starts the time to live, no other moves it. */
  incr(key: string, ttlMs: number): Promise<number>;
  /** Whether values can be read and written at this moment. Never rejects. */
  ready(): Promise<boolean>;
  close(): Promise<void>;
}

const ITEMS_LIMIT = 100_000;
const COMMAND_LIMIT_MS = 500;
const DISCONNECT_LIMIT_MS = 100;
const RECONNECT_DELAY_MS_MAX = 2_000;
const KEY_PREFIX = 'vip:';

export interface MemoryOptions {
  /** How many values are kept; beyond that the oldest goes. */
  itemsLimit?: number;
  /** A clock that only goes forward, in milliseconds. */
  nowMs?: () => number;
}

/** A KeyValue in this process's memory. */
export function createMemoryKeyValue(options: MemoryOptions = {}): KeyValue {
  const itemsLimit = options.itemsLimit ?? ITEMS_LIMIT;
  const nowMs = options.nowMs ?? (() => performance.now());
  // A Map remembers the order in which keys came: the first one is the oldest.
  const items = new Map<string, { value: string; endsAtMs: number }>();

  const find = (key: string) => {
    const item = items.get(key);
    if (item && item.endsAtMs <= nowMs()) items.delete(key);
    return items.get(key);
  };
  const put = (key: string, value: string, endsAtMs: number) => {
    items.delete(key);
    items.set(key, { value, endsAtMs });
    const [oldest] = items.keys();
    if (items.size > itemsLimit && oldest !== undefined) items.delete(oldest);
  };
  return {
    get: async (key) => find(key)?.value,
    set: async (key, value, ttlMs) => put(key, value, nowMs() + ttlMs),
    del: async (key) => void items.delete(key),
    incr: async (key, ttlMs) => {
      const item = find(key);
      const sum = Number(item?.value ?? 0) + 1;
      put(key, String(sum), item?.endsAtMs ?? nowMs() + ttlMs);
      return sum;
    },
    ready: async () => true,
    close: async () => items.clear(),
  };
}

/**
 * A KeyValue in Redis, under keys that begin with `vip:`. Connects, and connects again, in the
 * background; what is asked meanwhile fails fast and is never sent late.
 */
export function createRedisKeyValue(url: string, logger: Logger): KeyValue {
  const redis = new Redis(url, {
    keyPrefix: KEY_PREFIX,
    connectionName: 'vip-billing',
    connectTimeout: COMMAND_LIMIT_MS,
    disconnectTimeout: DISCONNECT_LIMIT_MS,
    commandTimeout: COMMAND_LIMIT_MS,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    retryStrategy: (attempts) => Math.min(attempts * 50, RECONNECT_DELAY_MS_MAX),
  });
  // Each failed attempt to connect again closes once more; the log says so once.
  let state: 'new' | 'ready' | 'lost' | 'closed' = 'new';
  let lastError: Error | undefined;
  redis.on('error', (error: Error) => {
    lastError = error;
  });
  redis.on('close', () => {
    if (state === 'lost' || state === 'closed') return;
    state = 'lost';
    logger.error('redis.lost', { error: lastError });
  });
  redis.on('ready', () => {
    state = 'ready';
    logger.info('redis.ready');
  });
  // Right after the start the first connection is waited for, then never again.
  const first = new Promise<void>((resolve) => {
    redis.once('ready', resolve);
    redis.once('close', () => resolve());
  });
  const settled = within(COMMAND_LIMIT_MS, first);
  const ask = async <T>(command: () => Promise<T>): Promise<T> => {
    await settled;
    return command();
  };
  return {
    get: (key) => ask(async () => (await redis.get(key)) ?? undefined),
    set: (key, value, ttlMs) => ask(async () => void (await redis.set(key, value, 'PX', ttlMs))),
    del: (key) => ask(async () => void (await redis.del(key))),
    incr: (key, ttlMs) =>
      ask(async () => {
        const replies = await redis.multi().set(key, 0, 'PX', ttlMs, 'NX').incr(key).exec();
        const [error, sum] = replies?.[1] ?? [new Error('Redis did not answer'), 0];
        if (error) throw error;
        return Number(sum);
      }),
    ready: () =>
      ask(() => redis.ping()).then(
        () => true,
        () => false,
      ),
    close: async () => {
      state = 'closed';
      redis.disconnect();
    },
  };
}
