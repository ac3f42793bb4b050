/**
 * Sends the texts that wait in `outbound`: claims a few under a lease, hands them to the provider
 * of their site and writes what became of them. Several processes may do so at once.
 *
 *   wake()            there may be something to send; the first call starts the work
 *   runUntilIdle()    sends all that is due, for tests and tools
 *   stop()            finishes what is under way and starts nothing more
 */

import type { Pool } from 'pg';
import {
  claimOutbound,
  type FinishedOutbound,
  finishOutbound,
  type OutboundRow,
} from '../../entitlement/osd/outbound-store.ts';
import type { Clock, Logger, Random } from '../../platform/ports.ts';
import { sleep } from '../../platform/timers.ts';
import { afterAttempt, darkBefore, mayTry } from './attempts.ts';
import type { TextProvider, TextResult } from './provider.ts';

export interface TextSender {
  wake(): void;
  /** Fulfilled when the last text under way is finished. */
  stop(): Promise<void>;
  /** Rejects when the database is lost. Not to be mixed with `wake`. */
  runUntilIdle(): Promise<void>;
}

export interface TextSenderDeps {
  pool: Pool;
  /** Null when the site has nobody to send its texts. */
  providerFor(siteId: bigint): TextProvider | null;
  clock: Clock;
  random: Random;
  logger: Logger;
  /** After each text that a provider took; for counting. */
  onSent?(row: OutboundRow): void;
}

const CLAIM_MAX = 20;
const CONCURRENT_MAX = 8;
/** Three waves of the longest wait for a provider (11 s) and the writes, with room to spare. */
const LEASE_MS = 60_000;
/** How often we look for texts that nobody woke us for: retries, and those of other processes. */
const POLL_MS = 1_000;

/** Sends nothing before the first `wake` or `runUntilIdle`. */
export function createTextSender(deps: TextSenderDeps): TextSender {
  const stopping = new AbortController();
  let working: Promise<void> | null = null;
  let woken = new AbortController();

  const work = async () => {
    while (!stopping.signal.aborted) {
      woken = new AbortController();
      const count = await round(deps, stopping.signal).catch((error: Error) => {
        deps.logger.error('text.round_failed', { message: error.message });
        return 0;
      });
      if (count === 0) await sleep(POLL_MS, woken.signal);
    }
  };

  return {
    wake() {
      if (stopping.signal.aborted) return;
      woken.abort();
      working ??= work();
    },
    async stop() {
      stopping.abort();
      woken.abort();
      await working;
    },
    async runUntilIdle() {
      while (!stopping.signal.aborted && (await round(deps, stopping.signal)) > 0);
    },
  };
}

/** Claims and sends once; returns how many texts were claimed. */
async function round(deps: TextSenderDeps, stopping: AbortSignal): Promise<number> {
  const { pool, clock } = deps;
  const claim = { kind: 'text', limit: CLAIM_MAX, leaseMs: LEASE_MS } as const;
  const rows = await claimOutbound(pool, { ...claim, now: clock.now() });
  if (rows.length === 0) return 0;
  const failures = await failuresOf(pool, rows);
  const finisher = createFinisher(pool);
  const queue = rows.values();

  const sendAll = async () => {
    for (const row of queue) {
      const dark = darkBefore(row.attempts, failures.get(row.id) ?? null);
      finisher.add({
        id: row.id,
        attempts: row.attempts,
        result: stopping.aborted ? putBack(row, dark, clock.now()) : await attempt(deps, row, dark),
      });
    }
  };
  await Promise.all(Array.from({ length: Math.min(CONCURRENT_MAX, rows.length) }, sendAll));
  await finisher.finish();
  return rows.length;
}

async function attempt(
  deps: TextSenderDeps,
  row: OutboundRow,
  dark: number,
): Promise<FinishedOutbound['result']> {
  const result = mayTry(dark) ? await send(deps, row) : GIVEN_UP;
  if (result.ok) deps.onSent?.(row);
  const fraction = deps.random.fraction();
  const finished = afterAttempt(row, result, { dark, now: deps.clock.now(), fraction });
  if (finished.state === 'failed') {
    const { id, siteId, template } = row;
    deps.logger.warn('text.failed', { id, siteId, template, failure: finished.failure });
  }
  return finished;
}

const GIVEN_UP: TextResult = { ok: false, kind: 'permanent', code: 'given_up' };

async function send(
  { providerFor, logger }: TextSenderDeps,
  row: OutboundRow,
): Promise<TextResult> {
  const provider = providerFor(row.siteId);
  if (provider === null) return { ok: false, kind: 'permanent', code: 'no_provider' };
  try {
    return await provider.send({ to: row.target, body: row.body });
  } catch {
    // A provider never throws; one that does must not take its neighbours with it.
    logger.error('text.provider_threw', { provider: provider.name, id: row.id });
    return { ok: false, kind: 'unknown', code: 'provider_threw' };
  }
}

/** A row that was claimed and not touched, due again at once. */
function putBack(row: OutboundRow, dark: number, now: Date): FinishedOutbound['result'] {
  const untouched = { ok: false, kind: 'retry', code: 'stopped' } as const;
  const result = afterAttempt(row, untouched, { dark, now, fraction: 0 });
  return result.state === 'retry' ? { ...result, nextAt: now } : result;
}

/** What is noted of the earlier attempts of rows that had some. */
async function failuresOf(
  pool: Pool,
  rows: readonly OutboundRow[],
): Promise<ReadonlyMap<bigint, string | null>> {
  const ids = rows.filter(({ attempts }) => attempts > 1).map(({ id }) => id);
  if (ids.length === 0) return new Map();
  const found = await pool.query<{ id: bigint; failure: string | null }>({
    name: 'text-failures',
    text: 'SELECT id, failure FROM outbound WHERE id = ANY($1::bigint[])',
    values: [ids],
  });
  return new Map(found.rows.map(({ id, failure }) => [id, failure]));
}

interface Finisher {
  add(finished: FinishedOutbound): void;
  /** Until all is written; rejects when the database is lost. */
  finish(): Promise<void>;
}

/**
 * Writes results as soon as they are there, together while an earlier write runs: a delivery
 * report may come within moments, and finds its text only when the text's id has been written.
 */
function createFinisher(pool: Pool): Finisher {
  let waiting: FinishedOutbound[] = [];
  let writing: Promise<void> = Promise.resolve();

  const write = async () => {
    if (waiting.length === 0) return;
    const batch = waiting;
    waiting = [];
    try {
      await finishOutbound(pool, batch);
    } catch (error) {
      waiting.unshift(...batch);
      throw error;
    }
  };

  return {
    add(finished) {
      waiting.push(finished);
      // What fails here waits for the next write, the last of which is heard.
      writing = writing.then(write).catch(() => undefined);
    },
    async finish() {
      await writing;
      await write();
    },
  };
}
