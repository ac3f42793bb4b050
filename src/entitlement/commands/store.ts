/** The SQL of `cas_command`: ordered in somebody's transaction, claimed under a lease, finished. */
import type { Pool, PoolClient } from 'pg';
import { insertLog, logValues } from '../sending/command-log.ts';
import type { Claim, Claimed, Finished, NotDone } from '../sending/sender.ts';
import type { Priority } from '../vip-control/messages.ts';
import type { Target } from '../vip-control/operations.ts';
import { refusedCommands } from '../work-items/rules.ts';
import { type QueuedOperation, subjectsOf } from './rules.ts';

export type NewCasCommand = QueuedOperation & {
  casId: string;
  target: Target;
  /** The revision that an operation brings which changes what a card may show. */
  rev?: number;
  prio: Priority;
  /** Who ordered it: `staff:5`. */
  actor: string;
  reason: string;
  /** The second person, where one is required. */
  approvedBy?: string;
  campaignId?: bigint;
  createdAt: Date;
  /** Never executed after this instant. */
  notAfter: Date;
};

export interface ClaimedCommand extends Claimed {
  cmdId: string;
  op: string;
  targetKind: Target['kind'];
  target: string;
  rev: number | null;
  args: Record<string, unknown>;
  prio: Priority;
  actor: string;
  reason: string;
  approvedBy: string | null;
  notAfter: Date;
}

export type CommandResult =
  | { state: 'done'; code: string; at: Date; firstAirAt: Date | null }
  | NotDone;

/**
 * Purpose: writes commands in their order; each is due at once and named after its id.
 * Locks: none but what the caller holds. Plan: `card_number_key` for a card.
 */
const ENQUEUE = `
WITH x AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb)
      AS x (cas_id text, op text, target_kind text, target text, rev integer, args jsonb,
            subjects text[], prio text, actor text, reason text, approved_by text,
            campaign_id bigint, created_at timestamptz, not_after timestamptz, n integer)
), numbered AS MATERIALIZED (
  SELECT x.*, nextval(pg_get_serial_sequence('cas_command', 'id')) AS id
    FROM (SELECT * FROM x ORDER BY n) x
)
INSERT INTO cas_command (id, cmd_id, cas_id, op, target_kind, target, card_id, rev, args, subjects,
                         prio, actor, reason, approved_by, campaign_id, created_at, not_after,
                         next_at)
SELECT id, 'cmd.' || id, cas_id, op, target_kind, target,
       (SELECT c.id FROM card c WHERE target_kind = 'card' AND c.number = target), rev, args,
       subjects, prio, actor, reason, approved_by, campaign_id, created_at, not_after, created_at
  FROM numbered ORDER BY numbered.id
RETURNING id`;

/**
 * Purpose: ends what waits; what is under way may be done all the same, and then says so.
 * Locks: the rows, by id. Plan: primary key, or `cas_command_campaign`.
 */
const WITHDRAW = `
WITH locked AS MATERIALIZED (
  SELECT id FROM cas_command
   WHERE state = 'waiting' AND (id = ANY ($1::bigint[]) OR campaign_id = $2)
   ORDER BY id FOR NO KEY UPDATE
)
UPDATE cas_command c
   SET state = 'withdrawn', done_at = $3, next_at = NULL, lease_until = NULL
  FROM locked WHERE c.id = locked.id`;

/**
 * Purpose: takes due commands of a head-end whose turn it is, sales first, and ends those whose
 * time has passed. It is a command's turn when none before it about the same device still waits.
 * Locks: the due rows, in that order, and never waits for one.
 * Plan: a range of `cas_command_due`; `cas_command_turn` for each.
 */
const CLAIM = `
WITH due AS MATERIALIZED (
  SELECT id, not_after FROM cas_command c
   WHERE state = 'waiting' AND cas_id = $1 AND next_at <= $2
     AND (lease_until IS NULL OR lease_until <= $2)
     AND NOT EXISTS (SELECT FROM cas_command e
                      WHERE e.state = 'waiting' AND e.cas_id = $1 AND e.subjects && c.subjects
                        AND e.id < c.id)
   ORDER BY array_position(ARRAY['SALE', 'REFRESH', 'MESSAGE', 'BULK'], prio), next_at
   LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED
), claimed AS (
  UPDATE cas_command c SET lease_until = $4, attempts = c.attempts + 1
    FROM due WHERE c.id = due.id AND due.not_after > $2
  RETURNING c.id, c.cmd_id, c.op, c.target_kind, c.target, c.rev, c.args, c.prio, c.actor,
            c.reason, c.approved_by, c.not_after, c.attempts
), expired AS (
  UPDATE cas_command c
     SET state = 'expired', done_at = $2, next_at = NULL, lease_until = NULL
    FROM due WHERE c.id = due.id AND due.not_after <= $2
)
SELECT * FROM claimed ORDER BY id`;

/**
 * Purpose: what became of claimed commands, and the command log. What is done is so, whoever holds
 * the row by now; all else counts only for the claim it belongs to.
 * A refusal with a sentence is work for a person; a later command of its kind that is done ends it.
 * Locks: the rows, by id, so that two writers cannot wait for each other in a circle.
 * Plan: primary key; `cas_command_target` and `work_item_command_id_key` for what is done.
 */
const FINISH = `
WITH result AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS x (id bigint, attempts integer, state text,
         code text, next_at timestamptz, done_at timestamptz, first_air_at timestamptz,
         sentences jsonb)
), locked AS MATERIALIZED (
  SELECT id FROM cas_command WHERE id IN (SELECT id FROM result) ORDER BY id FOR NO KEY UPDATE
), logged AS (${insertLog(2)}
), finished AS (
  UPDATE cas_command c
     SET state = x.state, code = x.code, next_at = x.next_at, done_at = x.done_at,
         first_air_at = x.first_air_at, lease_until = NULL
    FROM result x JOIN locked USING (id)
   WHERE c.id = x.id
     AND CASE x.state
           WHEN 'done' THEN c.state IN ('waiting', 'expired', 'withdrawn')
           ELSE c.state = 'waiting' AND c.attempts = x.attempts
         END
  RETURNING c.id, c.cas_id, c.op, c.target_kind, c.target, c.state, c.code, c.done_at,
            x.sentences->>c.op AS sentence
), opened AS (
  INSERT INTO work_item (command_id, cas_id, code, sentence, opened_at)
  SELECT id, cas_id, code, sentence, done_at FROM finished
   WHERE state = 'rejected' AND sentence IS NOT NULL ORDER BY id
)
UPDATE work_item w SET closed_at = f.done_at, closed_by = 'done'
  FROM finished f
  JOIN cas_command k ON k.target_kind = f.target_kind AND k.target = f.target AND k.id < f.id
                    AND k.op = f.op AND k.cas_id = f.cas_id AND k.state = 'rejected'
 WHERE f.state = 'done' AND w.command_id = k.id AND w.closed_at IS NULL`;

/** Writes commands, due at once, in their order; the ids in the same order. */
export async function insertCommands(
  tx: PoolClient,
  commands: readonly NewCasCommand[],
): Promise<bigint[]> {
  if (commands.length === 0) return [];
  const rows = commands.map((command, n) => ({
    n,
    cas_id: command.casId,
    op: command.op,
    target_kind: command.target.kind,
    target: command.target.id,
    rev: command.rev ?? null,
    args: command.args,
    subjects: subjectsOf(command.target, command),
    prio: command.prio,
    actor: command.actor,
    reason: command.reason,
    approved_by: command.approvedBy ?? null,
    campaign_id: command.campaignId?.toString() ?? null,
    created_at: command.createdAt,
    not_after: command.notAfter,
  }));
  const { rows: made } = await tx.query<{ id: bigint }>(ENQUEUE, [JSON.stringify(rows)]);
  return made.map(({ id }) => id);
}

/** Ends waiting commands, by id or of a campaign; answers how many. */
export async function withdrawCommands(
  tx: PoolClient,
  which: { ids: readonly bigint[] } | { campaignId: bigint },
  at: Date,
): Promise<number> {
  const [ids, campaignId] = 'ids' in which ? [which.ids, null] : [[], which.campaignId];
  return (await tx.query(WITHDRAW, [ids, campaignId, at])).rowCount ?? 0;
}

/** Takes due commands of a head-end; one that is never finished is due again after its lease. */
export async function claimCommands(
  pool: Pool,
  casId: string,
  { now, limit, leaseMs }: Claim,
): Promise<ClaimedCommand[]> {
  const { rows } = await pool.query({
    name: 'cas-command-claim',
    text: CLAIM,
    values: [casId, now, limit, new Date(now.getTime() + leaseMs)],
  });
  return rows.map((row) => ({
    id: row.id,
    attempts: row.attempts,
    cmdId: row.cmd_id,
    op: row.op,
    targetKind: row.target_kind,
    target: row.target,
    rev: row.rev,
    args: row.args,
    prio: row.prio,
    actor: row.actor,
    reason: row.reason,
    approvedBy: row.approved_by,
    notAfter: row.not_after,
  }));
}

/** Writes what became of claimed commands, all in one statement; repeating it changes nothing. */
export async function finishCommands(
  pool: Pool,
  finished: readonly Finished<CommandResult>[],
  at: Date,
): Promise<void> {
  const rows = finished.map(({ id, attempts, result }) => ({
    id: id.toString(),
    attempts,
    ...columnsOf(result, at),
  }));
  const lines = finished.flatMap(({ line }) => line ?? []);
  const values = [JSON.stringify(rows), ...logValues(lines)];
  await pool.query({ name: 'cas-command-finish', text: FINISH, values });
}

function columnsOf(result: CommandResult, at: Date) {
  switch (result.state) {
    case 'done':
      return {
        state: 'done',
        code: result.code,
        done_at: result.at,
        first_air_at: result.firstAirAt,
      };
    case 'failed':
      return {
        state: 'rejected',
        code: result.failure,
        done_at: at,
        sentences: refusedCommands(result.failure),
      };
    case 'retry':
      return { state: 'waiting', code: result.failure, next_at: result.nextAt };
  }
}
