/**
 * Evidence of two years: how fast it is sealed and verified, how fast the log is followed, and how
 * long a report as of a past instant takes.
 */
import type pg from 'pg';
import { loadDemoOperator } from '../simulators/demo/people.ts';
import { followLog } from '../src/evidence/air/service.ts';
import { REPORT_NAMES } from '../src/evidence/reports/definitions.ts';
import { runReport } from '../src/evidence/reports/service.ts';
import { sealAll } from '../src/evidence/seal.ts';
import { LANES, verifyAll } from '../src/evidence/verify.ts';
import { createIds } from '../src/platform/database/ids.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { silentLogger } from '../src/platform/log.ts';
import { openPool, startDatabase } from './house.ts';
import { median, type Plan, type Result, spreadOf } from './measure.ts';

const ROWS = { small: 200_000, full: 10_000_000 };
/** Sets of rights a card had: one a month. */
const MONTHS = 25;
const START = '2024-12-01T00:00:00.000Z';
const MONTH_MS = 30 * 86_400_000;
const END_MS = Date.parse(START) + MONTHS * MONTH_MS;
/** Rows written in one transaction. */
const CARDS_A_TIME = 4_000;
const VERIFY_AIM = 100_000;
/** Several times what head-ends take. */
const FOLLOW_AIM = 5_000;
const REPORT_AIM_MS = 1_000;
const STATEMENT_LIMIT_MS = 600_000;

/**
 * $1 to $2: cards. Each month each gets a set of one product or two from some minute of the month
 * on; one card in ten misses a month, and each thirtieth command suspends.
 */
const PAST = `
INSERT INTO command_log (at, cas, cmd_id, op, target_kind, target_id, card_id, epoch, rev, args,
                         margin_s, prio, actor, reason, sent_at, accepted_at, on_air_at, result,
                         code, attempt)
SELECT on_air, 'main', 'main.1.' || card || '.' || m, 'ENTITLE', 'card', card, c, 1, m + 1,
       jsonb_build_object('set', jsonb_build_array(
         jsonb_build_object('product', 'ESS', 'from', wire(on_air), 'to', wire(ends))) ||
         CASE WHEN c % 3 = 0 THEN jsonb_build_array(jsonb_build_object('product', 'PREM',
           'from', wire(on_air), 'to', wire(ends))) ELSE '[]' END)
       || CASE WHEN (c + m) % 30 = 0 THEN '{"suspended": "fraud"}'::jsonb ELSE '{}'::jsonb END,
       21600, 'SALE', 'bench', 'PAYMENT:mpesa/' || card || m, on_air, on_air, on_air, 'done',
       'DONE', 1
  FROM (SELECT c, m, lpad(c::text, 11, '0') AS card,
               $3::timestamptz + m * interval '30 days'
                 + (c % 40000 * 7919 % 40000) * interval '1 minute' AS on_air,
               $3::timestamptz + (m + 1) * interval '30 days'
                 + (c % 40000 * 7919 % 40000) * interval '1 minute' + interval '6 hours' AS ends
          FROM generate_series($1::integer, $2::integer) AS c
         CROSS JOIN generate_series(0, ${MONTHS - 1}) AS m
         WHERE (c + m) % 10 <> 0) AS past`;

const WIRE = `
CREATE FUNCTION wire(at timestamptz) RETURNS text LANGUAGE sql IMMUTABLE AS
$$ SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') $$`;

/** Nobody is blacklisted here. */
const HAS_ROWS = new Set<string>(REPORT_NAMES.filter((name) => name !== 'blacklisted'));

/** What a replay of the log comes to: the plainest way to count, and how long it takes. */
const REPLAY = `
SELECT count(*)::integer AS cards
  FROM (SELECT DISTINCT ON (target_id) args, on_air_at FROM command_log
         WHERE on_air_at <= $1 ORDER BY target_id, epoch DESC, rev DESC) AS last
 WHERE NOT args ? 'suspended' AND EXISTS (
   SELECT FROM jsonb_to_recordset(args->'set') AS s ("from" timestamptz, "to" timestamptz)
    WHERE s.from <= $1 AND $1 < s.to - interval '6 hours')`;

/** `verify` (with `seal`) and `as-of` (with `follow`); see README.md. */
export async function benchEvidence(wanted: ReadonlySet<string>, plan: Plan): Promise<Result[]> {
  const database = await startDatabase({ max_wal_size: '8GB', checkpoint_timeout: '1h' });
  const superuser = openPool(database.superUrl, 1);
  const pool = createPool({
    ...{ url: database.appUrl, max: 2 * LANES, name: 'bench', logger: silentLogger },
    statementTimeoutMs: STATEMENT_LIMIT_MS,
  });
  const clock = { now: () => new Date(END_MS) };
  try {
    const rows = await writePast(superuser, ROWS[plan.size]);
    const results: Result[] = [];
    if (wanted.has('verify')) {
      const [sealed, seconds] = await timed(() => sealAll({ pool, clock }));
      results.push(rate('seal', sealed / seconds, VERIFY_AIM));
      await superuser.query('VACUUM ANALYZE');
      const [done, verifying] = await timed(() => verifyAll({ pool, clock, anchors: [] }));
      if (done.rows !== rows || done.findings.length > 0) throw new Error('Evidence is not whole');
      results.push(rate('verify', done.rows / verifying, VERIFY_AIM));
    }
    if (wanted.has('as-of')) results.push(...(await asOf(pool, superuser, plan)));
    return results;
  } finally {
    await pool.end();
    await superuser.end();
    await database.stop();
  }
}

async function writePast(superuser: pg.Pool, wanted: number): Promise<number> {
  await superuser.query(WIRE);
  const cards = Math.ceil(wanted / (MONTHS * 0.9));
  await superuser.query(
    `SELECT make_command_log_month(($1::timestamptz + n * interval '1 month')::date)
       FROM generate_series(0, ${MONTHS}) AS n`,
    [START],
  );
  let rows = 0;
  for (let first = 1; first <= cards; first += CARDS_A_TIME) {
    const last = Math.min(cards, first + CARDS_A_TIME - 1);
    rows += (await superuser.query(PAST, [first, last, START])).rowCount ?? 0;
    process.stderr.write(`  ${rows} rows of the past\r`);
  }
  process.stderr.write('\n');
  return rows;
}

async function asOf(pool: pg.Pool, superuser: pg.Pool, { rounds }: Plan): Promise<Result[]> {
  const founded = { now: () => new Date(START) };
  await loadDemoOperator({ pool, ids: createIds(pool), clock: founded });
  await superuser.query('VACUUM ANALYZE');
  const clock = { now: () => new Date(END_MS + MONTH_MS) };
  const [sets, following] = await timed(() => followLog({ pool, clock }));
  await superuser.query('VACUUM ANALYZE');
  const results = [rate('follow', sets / following, FOLLOW_AIM)];
  const at = new Date(END_MS - 3.3 * MONTH_MS);
  const [replay, seconds] = await timed(() => superuser.query(REPLAY, [at]));
  const known = await runReport(pool, { name: 'active', at });
  const counted = known.ok ? known.report.rows[0]?.[1] : undefined;
  if (counted !== replay.rows[0].cards) throw new Error(`${counted} is not what a replay counts`);
  process.stderr.write(`  a replay of the log takes ${Math.round(seconds * 1000)} ms\n`);
  for (const name of REPORT_NAMES) {
    const taken: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const when = new Date(at.getTime() - round * 11.7 * 86_400_000);
      const question = { name, at: when, card: '00000000003' };
      const [answer, each] = await timed(() => runReport(pool, question));
      if (!answer.ok) throw new Error(answer.error);
      if (round === 0 && answer.report.rows.length === 0 && HAS_ROWS.has(name))
        throw new Error(`${name} is empty`);
      taken.push(each * 1000);
    }
    const value = median(taken);
    results.push({
      ...{ name: `as-of-${name}`, value, unit: 'ms', baseline: REPORT_AIM_MS },
      ...{ ratio: value / REPORT_AIM_MS, spread: spreadOf(taken) },
    });
  }
  return results;
}

const rate = (name: string, value: number, baseline: number): Result => ({
  ...{ name, value, unit: 'rows/s', baseline, ratio: value / baseline, spread: 0 },
});

async function timed<T>(act: () => Promise<T>): Promise<[T, number]> {
  const began = performance.now();
  const result = await act();
  return [result, (performance.now() - began) / 1000];
}
