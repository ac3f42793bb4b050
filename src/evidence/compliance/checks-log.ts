/** Requirements on logs: that they are there, whole, unchanged, and kept. */
import { verifyAll } from '../verify.ts';
import { type Asking, type Check, verdict } from './ask.ts';

/** Two years. */
const KEPT_MONTHS_MIN = 24;
/** Blocks of each chain that a pack verifies; `npm run verify` reads all. */
const BLOCKS_VERIFIED = 16;
/** Tables that must be kept unchanged whatever their comments say. */
const KEPT = ['command_log', 'audit', 'journal', 'entry', 'seal_block', 'device_event'];

/** C-2: every command is logged by ourselves, and kept for two years. */
export const commandsAreLogged: Check = async ({ look, say, installation: { keepMonths } }) => {
  const [ends] = await look<{ rows: number; empty: number }>(
    'Rows of the command log, the oldest, the newest, and those without time or command',
    `SELECT count(*)::integer AS rows, min(at) AS oldest, max(at) AS newest,
            (count(*) FILTER (WHERE sent_at IS NULL OR cmd_id = ''))::integer AS empty
       FROM command_log`,
  );
  await look(
    'Rows by month',
    `SELECT to_char(at AT TIME ZONE 'UTC', 'YYYY-MM') AS month, op, count(*)::integer AS rows
       FROM command_log GROUP BY 1, 2 ORDER BY 1 DESC, 2`,
  );
  const gaps = await look<{ cas_id: string }>(
    'Commands that ended on the air and have no row in the log',
    `SELECT c.cas_id, c.cmd_id FROM cas_command c
      WHERE c.state = 'done' AND NOT EXISTS (SELECT FROM command_log l WHERE l.cmd_id = c.cmd_id)
        AND c.done_at >= (SELECT coalesce(min(at), 'infinity') FROM command_log)
      ORDER BY c.id LIMIT 100`,
  );
  say('Months kept in the database', keepMonths, 'setting VIP_COMMAND_LOG_MONTHS');
  return verdict(
    [
      keepMonths < KEPT_MONTHS_MIN && `The log is kept ${keepMonths} months, not two years.`,
      gaps.length > 0 && `${gaps.length} commands that were executed are not in the log.`,
      (ends?.empty ?? 0) > 0 && `${ends?.empty} rows have no time or no command.`,
    ],
    [(ends?.rows ?? 0) === 0 && 'No command has been sent yet.'],
  );
};

interface Guard {
  name: string;
  writes: boolean;
  removes: boolean;
  guards_rows: boolean;
  guards_table: boolean;
}

/** Tables that are only ever added to, as the catalogue of the database has them. */
const GUARDS = `
SELECT c.relname AS name,
       has_table_privilege(c.oid, 'UPDATE') OR has_any_column_privilege(c.oid, 'UPDATE') AS writes,
       has_table_privilege(c.oid, 'DELETE, TRUNCATE') AS removes,
       coalesce(bool_or((t.tgtype & 27) = 27), false) AS guards_rows,
       coalesce(bool_or((t.tgtype & 34) = 34), false) AS guards_table
  FROM pg_class c
  LEFT JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgenabled IN ('O', 'A')
   AND t.tgfoid = 'refuse_change()'::regprocedure
 WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
   AND (obj_description(c.oid, 'pg_class') ~* '\\mappend-only\\M' OR c.relname = ANY ($1))
 GROUP BY c.oid, c.relname ORDER BY c.relname`;

/** Which of the tables can be changed, in sentences. */
async function looseTables({ pool, look, say }: Asking): Promise<string[]> {
  const { rows } = await pool.query<Guard>(GUARDS, [KEPT]);
  const loose = rows.flatMap(({ name, writes, removes, guards_rows, guards_table }) => [
    ...(writes ? [`The role of the product may change rows of ${name}.`] : []),
    ...(removes ? [`The role of the product may remove rows of ${name}.`] : []),
    ...(guards_rows ? [] : [`No trigger keeps the rows of ${name}.`]),
    ...(guards_table ? [] : [`No trigger keeps ${name} from being emptied.`]),
  ]);
  await look('The role of the product', 'SELECT current_user AS role');
  say(
    'Tables that are only added to: how many, and those that could be changed',
    { tables: rows.length, loose },
    `${GUARDS.replaceAll(/\s+/g, ' ').trim()} -- ${JSON.stringify([KEPT])}`,
  );
  return loose;
}

/** Reads the last blocks of every chain again; sentences of what is wrong. */
async function brokenSeals({ pool, at, installation, say }: Asking): Promise<string[]> {
  const anchors = installation.anchors?.read.anchors ?? [];
  const clock = { now: () => at };
  const done = await verifyAll({ pool, clock, anchors, lastBlocks: BLOCKS_VERIFIED });
  const faults = [
    ...(installation.anchors?.read.faults ?? []),
    ...done.findings.map(({ text }) => text),
  ];
  say(
    `The last ${BLOCKS_VERIFIED} blocks of every chain, read again against their seals`,
    { rows: done.rows, blocks: done.blocks, faults: faults.slice(0, 10) },
    'npm run verify',
  );
  const last = anchors.at(-1);
  say('The last anchor', last ? { file: last.file, at: last.at } : null, 'VIP_ANCHOR_DIR');
  return faults;
}

/** C-3: data and logs cannot be altered. */
export const logsCannotBeAltered: Check = async (asking) => {
  const loose = await looseTables(asking);
  const broken = await brokenSeals(asking);
  return verdict(
    [...loose, ...broken],
    [asking.installation.anchors === null && 'No anchors are written outside the database.'],
  );
};

interface SystemLog {
  id: string;
  log_n: bigint | null;
  log_error: string | null;
  run_id: bigint | null;
}

const SYSTEM_LOGS = `
SELECT a.id, e.run_id, e.ended_at, e.log_n, e.log_hash, e.log_lines, e.log_error
  FROM conditional_access a
  LEFT JOIN LATERAL (SELECT e.* FROM reconciliation_run r
                       JOIN reconciliation_end e ON e.run_id = r.id
                      WHERE r.cas_id = a.id ORDER BY r.id DESC LIMIT 1) e ON true
 ORDER BY a.id`;

/** C-14: the system keeps a log of its own, and signs it. */
export const systemsLogThemselves: Check = async ({ look }) => {
  const systems = await look<SystemLog>(
    'Head of each system’s own signed log, as the last comparison read and verified it',
    SYSTEM_LOGS,
  );
  const unread = (error: string | null) => error === 'no_key' || error === 'not_read';
  return verdict(
    systems.flatMap(({ id, log_error }) =>
      log_error === null || unread(log_error)
        ? []
        : [`The log of ${id} is not good: ${log_error}.`],
    ),
    systems
      .flatMap(({ id, run_id, log_error, log_n }) => [
        run_id === null && `The log of ${id} has not been read yet.`,
        unread(log_error) && `The log of ${id} was not verified: ${log_error}.`,
        run_id !== null && log_error === null && log_n === null && `The log of ${id} is empty.`,
      ])
      .filter((one) => one !== false),
  );
};

/** C-16: what the system’s own log can be asked for. */
export const systemsReport: Check = async ({ look }) => {
  const systems = await look<{ id: string; supports: string[] | null }>(
    'What each system lets be asked of its own records',
    `SELECT a.id, s.supports, s.said_at FROM conditional_access a
       LEFT JOIN cas_capabilities s ON s.cas_id = a.id ORDER BY a.id`,
  );
  const read = await look<{ lines: number }>(
    'Lines of their logs that were read here',
    `SELECT r.cas_id, sum(e.log_lines)::integer AS lines FROM reconciliation_run r
       JOIN reconciliation_end e ON e.run_id = r.id GROUP BY r.cas_id ORDER BY 1`,
  );
  const lacks = (supports: string[], op: string) => !supports.includes(op);
  return verdict(
    systems.flatMap(({ id, supports }) =>
      supports && (lacks(supports, 'LOG') || lacks(supports, 'DUMP'))
        ? [`${id} tells neither its log nor its cards.`]
        : [],
    ),
    [
      ...systems.map(({ id, supports }) => !supports && `${id} has not said what it can do.`),
      !read.some(({ lines }) => lines > 0) && 'No line of their logs has been read yet.',
    ],
  );
};

/** C-21: unedited data is kept for two years. */
export const dataIsKept: Check = async ({ look, say, installation: { keepMonths } }) => {
  await look(
    'Months of the command log that were taken out, with the proof of each file',
    `SELECT chain, rows, encode(file_digest, 'hex') AS sha256, archived_at
       FROM command_log_archive ORDER BY chain`,
  );
  const sealed = await look<{ chain: string }>(
    'What is sealed',
    `SELECT chain, sum(rows)::integer AS rows, min(sealed_at) AS since, max(sealed_at) AS till
       FROM seal_block GROUP BY chain ORDER BY chain`,
  );
  say('Months kept in the database', keepMonths, 'setting VIP_COMMAND_LOG_MONTHS');
  return verdict(
    [keepMonths < KEPT_MONTHS_MIN && `The log is kept ${keepMonths} months, not two years.`],
    [sealed.length === 0 && 'Nothing is sealed yet.'],
  );
};

/** every number of this pack comes with its query. */
export const queriesAreShown: Check = async ({ look }) => {
  await look('This very row, as an example: asked again it answers again', 'SELECT 1 AS one');
  return verdict([]);
};
