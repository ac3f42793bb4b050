import cron from 'node-cron';
import type pg from 'pg';
import type { Logger } from './ports.ts';

/** Work that is woken by the calendar. It must stand being run twice, and being missed once. */
export interface Job {
  /** Unique in the product; what the lock hangs on. */
  name: string;
  /** Five or six fields, the first of six being seconds (node-cron). */
  cron: string;
  /** IANA name; UTC when missing. */
  timeZone?: string;
  /** `signal` aborts when the process stops or when the lock was lost; then come to an end soon. */
  run(signal: AbortSignal): Promise<void>;
}

/** `busy`: still running here. `elsewhere`: running in another process. */
export type JobResult = 'done' | 'failed' | 'busy' | 'elsewhere';

export interface Jobs {
  /** Throws when the schedule is not valid or the name is taken. */
  add(job: Job): void;
  /** Runs a job now, under the same lock. Never rejects; an unknown name is a bug and throws. */
  runNow(name: string): Promise<JobResult>;
  /** All of them, in the order in which they were added. */
  names(): string[];
  /** Wakes nothing more, aborts what runs, and waits until it has ended. */
  stop(): Promise<void>;
}

export interface JobsOptions {
  /** A running job occupies one connection, which holds its lock. */
  pool: pg.Pool;
  logger: Logger;
  /** Told of every run. */
  onResult?: (name: string, result: JobResult) => void;
  /** Calls `wake` by the job's schedule until what it returns is called; absent: node-cron. */
  schedule?: ((job: Job, wake: () => void) => () => void) | undefined;
}

/** By the machine's own clock. */
const bySystemClock: NonNullable<JobsOptions['schedule']> = (job, wake) => {
  const options = { timezone: job.timeZone ?? 'UTC', name: job.name };
  const task = cron.schedule(job.cron, wake, options);
  return () => void task.destroy();
};

/**
 * Wakes each job in every process by its schedule and runs it in one: the first to take the
 * advisory lock of its name. The processes' clocks differ a little, so a quick job may run once
 * more where a late clock wakes it.
 */
export function createJobs(options: JobsOptions): Jobs {
  const { pool, logger, onResult, schedule = bySystemClock } = options;
  const stopping = new AbortController();
  const jobs = new Map<string, { job: Job; stop: () => void }>();
  const running = new Map<string, Promise<JobResult>>();

  const start = (job: Job): Promise<JobResult> => {
    if (running.has(job.name)) return Promise.resolve('busy');
    const run = runLocked(pool, job, stopping.signal, logger).finally(() => {
      running.delete(job.name);
    });
    running.set(job.name, run);
    return run;
  };
  const wake = async (job: Job): Promise<JobResult> => {
    const result = stopping.signal.aborted ? 'busy' : await start(job);
    if (result === 'busy') logger.warn('job.still_running', { job: job.name });
    onResult?.(job.name, result);
    return result;
  };
  return {
    add: (job) => {
      if (jobs.has(job.name)) throw new Error(`There are two jobs called ${job.name}`);
      if (!cron.validate(job.cron)) throw new Error(`Job ${job.name}: bad schedule ${job.cron}`);
      jobs.set(job.name, { job, stop: schedule(job, () => void wake(job)) });
    },
    runNow: (name) => {
      const known = jobs.get(name);
      if (!known) throw new Error(`There is no job called ${name}`);
      return wake(known.job);
    },
    names: () => [...jobs.keys()],
    stop: async () => {
      stopping.abort();
      for (const { stop } of jobs.values()) stop();
      await Promise.all(running.values());
    },
  };
}

/** Any number, so that these locks are not mistaken for others: the words are hashed with it. */
const LOCK_SEED = 0x4a4f42; // "JOB"

async function runLocked(
  pool: pg.Pool,
  job: Job,
  stopping: AbortSignal,
  logger: Logger,
): Promise<JobResult> {
  const lost = new AbortController();
  const onLost = () => lost.abort();
  let client: pg.PoolClient | undefined;
  let broken: Error | undefined;
  try {
    client = await pool.connect();
    client.on('error', onLost);
    const key = [job.name, LOCK_SEED];
    const lock = 'pg_try_advisory_lock(hashtextextended($1, $2)) AS taken';
    const { rows } = await client.query<{ taken: boolean }>(`SELECT ${lock}`, key);
    if (!rows[0]?.taken) return 'elsewhere';
    try {
      await job.run(AbortSignal.any([stopping, lost.signal]));
    } finally {
      await client
        .query('SELECT pg_advisory_unlock(hashtextextended($1, $2))', key)
        .catch((error: Error) => {
          broken = error; // the lock went with the connection
        });
    }
    return 'done';
  } catch (error) {
    logger.error('job.failed', { job: job.name, error });
    return 'failed';
  } finally {
    client?.off('error', onLost);
    client?.release(broken ?? lost.signal.aborted);
  }
}
