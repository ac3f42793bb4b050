import pg from 'pg';
import { createPool } from './database/pool.ts';
import { createJobs, type Job, type JobResult, type Jobs } from './jobs.ts';
import { silentLogger } from './log.ts';
import { createTestDatabase, type TestDatabase } from './test-database.ts';

let database: TestDatabase;
let pool: pg.Pool;
const NEVER = '0 0 1 1 *'; // not before New Year

beforeAll(async () => {
  database = await createTestDatabase();
  pool = createPool({ url: database.appUrl, max: 6, name: 'jobs', logger: silentLogger });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** A job that is held inside `run` until let go. */
function held(name: string) {
  const entered = Promise.withResolvers<AbortSignal>();
  const letGo = Promise.withResolvers<void>();
  let runs = 0;
  const run = async (signal: AbortSignal) => {
    runs += 1;
    entered.resolve(signal);
    await letGo.promise;
  };
  const job: Job = { name, cron: NEVER, run };
  return { job, entered: entered.promise, letGo: letGo.resolve, runs: () => runs };
}

function inProcess(job: Job): Jobs {
  const jobs = createJobs({ pool, logger: silentLogger });
  jobs.add(job);
  return jobs;
}

describe('scheduled jobs', () => {
  it('run in one process at a time, and not over themselves', async () => {
    const { job, entered, letGo, runs } = held('one');
    const [here, there] = [inProcess(job), inProcess(job)];
    expect(here.names()).toEqual(['one']);
    const first = here.runNow('one');
    await entered;
    expect(await there.runNow('one')).toBe('elsewhere');
    expect(await here.runNow('one')).toBe('busy');
    letGo();
    expect(await first).toBe('done');
    expect(runs()).toBe(1);
    expect(await there.runNow('one')).toBe('done');
    await Promise.all([here.stop(), there.stop()]);
  });

  it('are woken by what they are given in the place of the calendar, until they stop', async () => {
    const ended = Promise.withResolvers<JobResult>();
    const wakes: (() => void)[] = [];
    const jobs = createJobs({
      pool,
      logger: silentLogger,
      onResult: (_name, result) => ended.resolve(result),
      schedule(_job, wake) {
        wakes.push(wake);
        return () => void wakes.pop();
      },
    });
    jobs.add({ name: 'woken', cron: NEVER, run: async () => undefined });
    wakes[0]?.();
    expect(await ended.promise).toBe('done');
    await jobs.stop();
    expect(wakes).toEqual([]);
  });

  it('do not hinder each other under different names', async () => {
    const { job, entered, letGo } = held('slow');
    const jobs = inProcess(job);
    jobs.add({ name: 'quick', cron: NEVER, run: async () => undefined });
    const slow = jobs.runNow('slow');
    await entered;
    expect(await jobs.runNow('quick')).toBe('done');
    letGo();
    await slow;
    await jobs.stop();
  });

  it('are logged when they fail, and run again the next time', async () => {
    const events: unknown[] = [];
    const results: JobResult[] = [];
    const logger = { ...silentLogger, error: (event: string) => void events.push(event) };
    const jobs = createJobs({ pool, logger, onResult: (_name, result) => results.push(result) });
    let runs = 0;
    const run = async () => {
      runs += 1;
      if (runs === 1) throw new Error('no luck');
    };
    jobs.add({ name: 'flaky', cron: NEVER, run });
    expect(await jobs.runNow('flaky')).toBe('failed');
    expect(await jobs.runNow('flaky')).toBe('done');
    expect(events).toEqual(['job.failed']);
    expect(results).toEqual(['failed', 'done']);
    await jobs.stop();
  });

  it('are told to end when the process stops, and are waited for', async () => {
    const { job, entered, letGo } = held('ending');
    const jobs = inProcess(job);
    const run = jobs.runNow('ending');
    const signal = await entered;
    let isStopped = false;
    const stopped = jobs.stop().then(() => {
      isStopped = true;
    });
    expect(signal.aborted).toBe(true);
    await new Promise(setImmediate);
    expect(isStopped).toBe(false);
    letGo();
    await stopped;
    expect(await run).toBe('done');
    expect(pool.idleCount).toBe(pool.totalCount);
  });

  it('are told to end when they lose their lock with its connection', async () => {
    const { job, entered, letGo } = held('lost');
    const jobs = inProcess(job);
    const run = jobs.runNow('lost');
    const signal = await entered;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
    const owner = new pg.Client({ connectionString: database.ownerUrl });
    await owner.connect();
    await owner.query(`SELECT pg_terminate_backend(l.pid) FROM pg_locks l
      JOIN pg_database d ON d.oid = l.database AND d.datname = current_database()
     WHERE l.locktype = 'advisory'`);
    await owner.end();
    await aborted;
    letGo();
    await run;
    expect(await jobs.runNow('lost')).toBe('done');
    await jobs.stop();
  });

  it('fail, and nothing else, while the database is away', async () => {
    const url = 'postgres://nobody@127.0.0.1:1/none';
    const away = createPool({ url, max: 1, name: 'away', logger: silentLogger });
    const jobs = createJobs({ pool: away, logger: silentLogger });
    jobs.add({ name: 'any', cron: NEVER, run: async () => undefined });
    expect(await jobs.runNow('any')).toBe('failed');
    await jobs.stop();
    await away.end();
  });

  it('are woken by their schedule', async () => {
    const woken = Promise.withResolvers<void>();
    const jobs = inProcess({
      name: 'second',
      cron: '* * * * * *',
      run: async () => woken.resolve(),
    });
    await woken.promise;
    await jobs.stop();
  });

  it('are refused with a schedule that is none, or a name that is taken', async () => {
    const jobs = inProcess(held('twice').job);
    expect(() => jobs.add(held('twice').job)).toThrow('two jobs called twice');
    expect(() => jobs.add({ ...held('bad').job, cron: 'soon' })).toThrow('bad schedule soon');
    expect(() => jobs.runNow('unknown')).toThrow('no job called unknown');
    await jobs.stop();
  });
});
