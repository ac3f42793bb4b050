/**
 * Commands for a conditional-access system that are facts of the house: ordered in the transaction
 * that decided them, sent until the head-end has answered, kept for ever.
 */
import type { Pool, PoolClient } from 'pg';
import type { Clock } from '../../platform/ports.ts';
import { AIR_MARGIN_MS } from '../rights/rules.ts';
import { createSender, type Sender, type SenderDeps } from '../sending/sender.ts';
import type { Command } from '../vip-control/command.ts';
import {
  type ClaimedCommand,
  type CommandResult,
  claimCommands,
  finishCommands,
  insertCommands,
  type NewCasCommand,
  withdrawCommands,
} from './store.ts';

export interface CasCommands {
  /**
   * Orders commands in the caller's transaction, which holds the locks of the devices they are
   * about: commands about one device go one at a time, in the order of their ids. Answers the ids.
   */
  enqueue(tx: PoolClient, commands: readonly NewCasCommand[]): Promise<bigint[]>;
  /**
   * Ends what still waits; answers how much. What is under way may reach the air all the same, and
   * is then `done`.
   */
  withdraw(
    tx: PoolClient,
    which: { ids: readonly bigint[] } | { campaignId: bigint },
  ): Promise<number>;
  /** Sends the commands of one head-end; it has not started. */
  sender(deps: CommandSenderDeps): Sender;
}

export interface CommandSenderDeps extends SenderDeps {
  /** How many may be under way; few by default, because rights go first. */
  inFlightMax?: number;
  metrics?: { onCommand(result: CommandResult['state']): void };
}

/** The queue of commands over a pool. */
export function createCasCommands({ pool, clock }: { pool: Pool; clock: Clock }): CasCommands {
  return {
    enqueue: insertCommands,
    withdraw: (tx, which) => withdrawCommands(tx, which, clock.now()),
    sender: ({ inFlightMax, metrics, ...deps }) =>
      createSender<ClaimedCommand, CommandResult>(deps, {
        name: 'commands',
        prio: 'MESSAGE',
        ...(inFlightMax === undefined ? {} : { inFlightMax }),
        claim: (claim) => claimCommands(pool, deps.casId, claim),
        command: commandOf,
        marginMs: ({ op }) => (op === 'SWAP' ? AIR_MARGIN_MS : undefined),
        done: ({ code, firstAirAt }, now) => ({
          state: 'done',
          code,
          at: now,
          firstAirAt: firstAirAt ?? null,
        }),
        endsAt: ({ notAfter }) => notAfter,
        finish: (finished) => finishCommands(pool, finished, deps.clock.now()),
        onResult: ({ state }) => metrics?.onCommand(state),
      }),
  };
}

function commandOf(row: ClaimedCommand): Command {
  // `op` and `args` are as `enqueue` wrote them, whose type says that they fit together.
  const operation = { op: row.op, args: row.args } as Extract<Command, { op: 'OSD' }>;
  return {
    ...operation,
    ...(row.rev === null ? {} : { rev: row.rev }),
    cmdId: row.cmdId,
    target: { kind: row.targetKind, id: row.target },
    prio: row.prio,
    notAfter: row.notAfter,
    actor: row.actor,
    reason: row.reason,
    ...(row.approvedBy === null ? {} : { approvedBy: row.approvedBy }),
  };
}
