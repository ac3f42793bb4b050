/**
 * The pure heart of settlement: facts and commands in, answers and rows out. Nothing here reads a
 * clock, makes an id or touches the database, so every rule can be tested as a table.
 */

import { decideAddon } from './addons.ts';
import type { Command, Settled } from './commands.ts';
import { decideClawBack } from './commissions.ts';
import type { Decision } from './decision.ts';
import { decideCreditTransfer, decideExpiry, decideRefund, decideTopUp } from './desk.ts';
import type { Facts } from './facts.ts';
import { decideIncident, decideTrial } from './free-time.ts';
import { decideLoan } from './loans.ts';
import {
  decideUnitsConverted,
  decideUnitsNotice,
  decideUnitsPurchase,
  decideUnitsSent,
} from './markets.ts';
import { decideMove, decideMoveDue, decideObjection } from './moves.ts';
import { decidePause, decidePauseDue, decideResume } from './pauses.ts';
import { decideClaim, decidePayment } from './payments.ts';
import { decideReversal } from './reversals.ts';
import {
  decideAutoRenew,
  decideAutoRenewStop,
  decideClose,
  decideRenewalRequest,
} from './subscription-acts.ts';
import { decideConversion, decideTransfer, decideTvuNotice } from './units.ts';
import { decidePlanChange } from './upgrades.ts';
import { decideRedeem } from './vouchers.ts';
import { decideBuy, decideEvent, decideRenewal } from './wallet.ts';
import {
  createWorkspace,
  type PaymentParty,
  type Tools,
  type Workspace,
  type Writes,
} from './workspace.ts';

export interface InboxDraft {
  id: bigint;
  command: Command;
  settled: Settled;
  /** Whose payment it is; null when it is none, or nobody's yet. */
  payment: PaymentParty | null;
}

export interface BatchDecision {
  /** One for each command, in their order. */
  inbox: InboxDraft[];
  writes: Writes;
}

/** Ids that one command can need at the most: its inbox row, journals, lots, terms, messages. */
export const IDS_PER_COMMAND_MAX = 128;

/** Acts that go over all lines of an account: a journal and a lot for each, in the worst case. */
const IDS_PER_SWEEP_MAX = 2_048;
const SWEEPS: ReadonlySet<Command['kind']> = new Set<Command['kind']>([
  'change_plan',
  'complete_move',
  'move_payment',
  'reverse_payment',
]);

/** How many ids a batch can need at the most, at sites that sell so many terms in one act. */
export function idsFor(commands: readonly Command[], catalogue: Tools['catalogue']): number {
  let ids = 0;
  for (const command of commands) {
    const termsMax = catalogue.sites.get(command.siteId)?.payment.termsMax ?? 0;
    ids += IDS_PER_COMMAND_MAX + 2 * termsMax;
    if (command.kind === 'incident') ids += command.cardIds.length;
    if (command.kind === 'buy' && command.purpose.kind === 'term') {
      ids += 2 * (command.purpose.count ?? 0);
    }
    if (SWEEPS.has(command.kind)) ids += IDS_PER_SWEEP_MAX;
  }
  return ids;
}

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
    workspace.payment = null;
    const settled = decide(workspace, command);
    return { id: workspace.inboxId, command, settled, payment: workspace.payment };
  });
  return { inbox, writes: workspace.writes };
}

type Decide<C extends Command> = (w: Workspace, command: C) => Decision;
type Table = { [K in Command['kind']]: Decide<Extract<Command, { kind: K }>> };

/** Who decides what. */
const DECIDE: Table = {
  payment: decidePayment,
  claim: decideClaim,
  move_payment: decideMove,
  object_move: decideObjection,
  complete_move: decideMoveDue,
  reverse_payment: decideReversal,
  top_up: decideTopUp,
  refund: decideRefund,
  transfer_credit: decideCreditTransfer,
  expire_credit: decideExpiry,
  buy: decideBuy,
  renew: decideRenewal,
  set_auto_renew: decideAutoRenew,
  stop_auto_renew: decideAutoRenewStop,
  request_renewal: decideRenewalRequest,
  close_subscription: decideClose,
  change_plan: decidePlanChange,
  buy_addon: decideAddon,
  pause: decidePause,
  resume: decideResume,
  end_pause: decidePauseDue,
  incident: decideIncident,
  grant_trial: decideTrial,
  take_loan: decideLoan,
  redeem: decideRedeem,
  capture_event: decideEvent,
  release_event: decideEvent,
  tvu_notice: decideTvuNotice,
  convert_tvu: decideConversion,
  transfer_tvu: decideTransfer,
  buy_units: decideUnitsPurchase,
  units_notice: decideUnitsNotice,
  send_units: decideUnitsSent,
  convert_units: decideUnitsConverted,
  claw_back: decideClawBack,
};

/** The table's types are right line by line; that a line fits its command is its key. */
const decide = (workspace: Workspace, command: Command): Decision =>
  (DECIDE[command.kind] as Decide<Command>)(workspace, command);
