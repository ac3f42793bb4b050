/**
 * The command log: what was asked of a head-end and what came of it, a row for every sending that
 * ended. The rows are written by the statement that writes what became of the sending, so that
 * neither is ever there without the other.
 */
import type { Pool } from 'pg';
import { type Columns, parametersOf, selectable } from '../../platform/database/columns.ts';
import type { Clock } from '../../platform/ports.ts';
import {
  type Command,
  type CommandOutcome,
  toWire,
  type UnnumberedCommand,
} from '../vip-control/command.ts';
import type { Outlet } from './outlet.ts';

/** A row of `command_log`; its id and transaction are given by the database. */
export interface LogLine {
  at: Date;
  cas: string;
  cmd_id: string;
  op: string;
  target_kind: string;
  target_id: string;
  card_id: bigint | null;
  stb: string | null;
  epoch: number | null;
  rev: number | null;
  args: unknown;
  margin_s: number | null;
  prio: string;
  actor: string | null;
  reason: string | null;
  approved_by: string | null;
  sent_at: Date;
  accepted_at: Date | null;
  on_air_at: Date | null;
  result: 'done' | 'rejected' | 'retry' | 'unknown';
  code: string;
  attempt: number;
}

const COLUMNS = {
  at: 'timestamptz',
  cas: 'text',
  cmd_id: 'text',
  op: 'text',
  target_kind: 'text',
  target_id: 'text',
  card_id: 'bigint',
  stb: 'text',
  epoch: 'integer',
  rev: 'integer',
  args: 'jsonb',
  margin_s: 'integer',
  prio: 'text',
  actor: 'text',
  reason: 'text',
  approved_by: 'text',
  sent_at: 'timestamptz',
  accepted_at: 'timestamptz',
  on_air_at: 'timestamptz',
  result: 'text',
  code: 'text',
  attempt: 'integer',
} as const satisfies Columns & Record<keyof LogLine, unknown>;

const NAMES = Object.keys(COLUMNS).join(', ');

/**
 * SQL that writes log lines, to stand in a statement's WITH; its parameters are those from number
 * `first` on, by `logValues`. `where`: which lines (`x`) count, read from the statement's own sets.
 */
export const insertLog = (first: number, where = ''): string => `
  INSERT INTO command_log (${NAMES})
  SELECT ${NAMES.replace(/\w+/g, 'x.$&')} FROM ${selectable(COLUMNS, first)} ${where}`;

/** The parameters of `insertLog`. */
export const logValues = (lines: readonly LogLine[]): string[] => parametersOf(COLUMNS, lines);

/** Writes lines of sendings that leave no other trace in the database. */
export async function writeLog(pool: Pool, lines: readonly LogLine[]): Promise<void> {
  if (lines.length === 0) return;
  await pool.query({ name: 'command-log', text: insertLog(1), values: logValues(lines) });
}

/** Answers of our own side: the head-end was never asked. */
const KEPT_BACK = new Set(['WINDOW_FULL', 'RESTING']);

export interface LoggedSendDeps {
  outlet: Pick<Outlet, 'send'>;
  clock: Clock;
  /** Which head-end it is, and the epoch of our revisions there where any are sent. */
  cas: { id: string; epoch?: () => number };
}

/**
 * Sends a command, and says how that is to be logged: null when it never left this process.
 * `cardId`: where it is known; `attempt`: which try of the same thing this is, from 1; `marginMs`:
 * how much longer than sold its rights are broadcast.
 */
export async function sendLogged(
  { outlet, clock, cas }: LoggedSendDeps,
  command: Command,
  { attempt, cardId, marginMs }: { attempt: number; cardId?: bigint; marginMs?: number },
): Promise<{ outcome: CommandOutcome; line: LogLine | null }> {
  const sentAt = clock.now();
  let acceptedAt: Date | null = null;
  const outcome = await outlet.send({
    ...command,
    onAccepted() {
      acceptedAt = clock.now();
      command.onAccepted?.();
    },
  });
  const at = clock.now();
  const isSent = outcome.kind === 'unknown' ? outcome.sent : !KEPT_BACK.has(outcome.code);
  if (!isSent) return { outcome, line: null };
  const wire = toWire(command, cas.epoch?.() ?? 0, sentAt);
  const onAirAt = outcome.kind === 'done' ? (outcome.firstAirAt ?? at) : null;
  const line: LogLine = {
    ...wordsOf(wire),
    at,
    cas: cas.id,
    card_id: cardId ?? null,
    margin_s: marginMs === undefined ? null : Math.round(marginMs / 1000),
    sent_at: sentAt,
    accepted_at: acceptedAt,
    on_air_at: onAirAt,
    result: outcome.kind,
    code: outcome.kind === 'unknown' ? 'NO_ANSWER' : outcome.code,
    attempt,
  };
  return { outcome, line };
}

function wordsOf(wire: UnnumberedCommand) {
  const args = wire.args as Record<string, unknown>;
  const stb = wire.target.kind === 'stb' ? wire.target.id : args.stb;
  return {
    cmd_id: wire.cmdId,
    op: wire.op,
    target_kind: wire.target.kind,
    target_id: wire.target.id,
    stb: typeof stb === 'string' ? stb : null,
    epoch: wire.epoch ?? null,
    rev: wire.rev ?? null,
    // A PIN is nobody's but the viewer's: that one was given is all that is kept.
    args: typeof args.pin === 'string' ? { ...args, pin: 'given' } : args,
    prio: wire.prio,
    actor: wire.actor ?? null,
    reason: wire.reason ?? null,
    approved_by: wire.approvedBy ?? null,
  };
}
