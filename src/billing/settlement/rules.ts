/**
 * The pure heart of settlement: facts and commands in, answers and rows out. Nothing here reads a
 * clock, makes an id or touches the database, so every rule can be tested as a table.
 */
import type { Command, Settled } from './commands.ts';
import type { Decision } from './decision.ts';
import type { Facts } from './facts.ts';
import { decidePayment, decideReversal } from './payments.ts';
import { decideConversion, decideTransfer, decideTvuNotice } from './units.ts';
import { decideBuy, decideEvent, decideRenewal } from './wallet.ts';
import { createWorkspace, type Tools, type Workspace, type Writes } from './workspace.ts';

export interface InboxDraft {
  id: bigint;
  command: Command;
  settled: Settled;
}

export interface BatchDecision {
  /** One for each command, in their order. */
  inbox: InboxDraft[];
  writes: Writes;
}

/** Ids that one command can need at the most: its inbox row, journals, lots, terms, messages. */
export const IDS_PER_COMMAND_MAX = 128;

/**
 * Decides the commands of a batch one after the other, each on what the one before left.
 * Throws only on a bug; the batch is then cut in halves until the culprit is alone.
 */
export function decideBatch(
  commands: readonly Command[],
  facts: Facts,
  tools: Tools,
): BatchDecision {
  const workspace = createWorkspace(facts, tools);
  const inbox = commands.map((command): InboxDraft => {
    const key = `${command.provider}|${command.receipt}`;
    workspace.inboxId = tools.parkedIds.get(key) ?? tools.ids.next();
    return { id: workspace.inboxId, command, settled: decide(workspace, command) };
  });
  return { inbox, writes: workspace.writes };
}

function decide(workspace: Workspace, command: Command): Decision {
  switch (command.kind) {
    case 'payment':
      return decidePayment(workspace, command);
    case 'tvu_notice':
      return decideTvuNotice(workspace, command);
    case 'buy':
      return decideBuy(workspace, command);
    case 'convert_tvu':
      return decideConversion(workspace, command);
    case 'transfer_tvu':
      return decideTransfer(workspace, command);
    case 'renew':
      return decideRenewal(workspace, command);
    case 'capture_event':
    case 'release_event':
      return decideEvent(workspace, command);
    case 'reverse_payment':
      return decideReversal(workspace, command);
  }
}
