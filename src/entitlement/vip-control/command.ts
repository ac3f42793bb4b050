/** A command as the rest of the house gives it to the link, and what came of it. */
import type { CommandEnvelope, Priority, Res } from './messages.ts';
import {
  type OperationName,
  REVISED_OPERATIONS,
  type Revision,
  type SentOperation,
  type Target,
} from './operations.ts';
import { classOf, type ResultClass } from './results.ts';

/** One product a card may show between two instants; a pay-per-view event is `EVT:<code>`. */
export interface LinkRight {
  product: string;
  from: Date;
  to: Date;
}

export type Operation =
  /** The full set of rights of the card, as of revision `rev` (the link adds the epoch). */
  | { op: 'ENTITLE'; rev: number; set: readonly LinkRight[]; suspended?: string }
  /** Any other, as it lies on the wire; `rev` for those that change what a card may show. */
  | (SentOperation<Exclude<OperationName, 'ENTITLE'>> & { rev?: number });

export type Command = Operation & {
  /** Names this command and its content for ever; sent again, it is executed once. */
  cmdId: string;
  target: Target;
  prio: Priority;
  /** Never executed after this instant; also the latest instant of an outcome. */
  notAfter: Date;
  actor?: string;
  reason?: string;
  /** The second person, where one is required. */
  approvedBy?: string;
  /** Called once, when the head-end has it on its disk; nothing is on air yet. */
  onAccepted?(): void;
};

export type CommandOutcome =
  /** On air since `firstAirAt`; `dup` when an earlier sending had done it. */
  | { kind: 'done'; code: string; dup: boolean; cardRev?: Revision; firstAirAt?: Date }
  /** Refused; `cardRev` tells a superseded revision from a head-end that is ahead of us. */
  | { kind: 'rejected'; code: string; class: ResultClass; cardRev?: Revision }
  /** Not taken, nothing happened: send the same command later. */
  | { kind: 'retry'; code: string; retryAfterMs?: number }
  /** Nobody knows. `sent: false`: it never left this process. */
  | { kind: 'unknown'; sent: boolean };

/** A command on the wire but for `seq`, which each sending gets anew. */
export type UnnumberedCommand = Omit<CommandEnvelope, 'seq'>;

/** A card as the target of a command. */
export const cardTarget = (number: string): Target => ({ kind: 'card', id: number });

/** The wire form of a command; what changes rights carries a revision. */
export function toWire(command: Command, epoch: number, now: Date): UnnumberedCommand {
  return {
    t: 'CMD',
    cmdId: command.cmdId,
    op: command.op,
    target: command.target,
    ...(REVISED_OPERATIONS.includes(command.op) ? { epoch, rev: command.rev } : {}),
    args: wireArgs(command),
    prio: command.prio,
    notAfter: command.notAfter.toISOString(),
    issuedAt: now.toISOString(),
    ...(command.actor === undefined ? {} : { actor: command.actor }),
    ...(command.reason === undefined ? {} : { reason: command.reason }),
    ...(command.approvedBy === undefined ? {} : { approvedBy: command.approvedBy }),
  };
}

function wireArgs(operation: Operation): Record<string, unknown> {
  if (operation.op !== 'ENTITLE') return operation.args;
  return {
    set: operation.set.map(({ product, from, to }) => ({
      product,
      from: from.toISOString(),
      to: to.toISOString(),
    })),
    ...(operation.suspended === undefined ? {} : { suspended: operation.suspended }),
  };
}

/** What a RES means to the caller. */
export function outcomeOfResult(res: Res): CommandOutcome {
  const resultClass = classOf(res.code);
  const cardRev = res.cardRev === undefined ? {} : { cardRev: res.cardRev };
  if (resultClass === 'ok') {
    const air = res.emm === undefined ? {} : { firstAirAt: new Date(res.emm.firstAirAt) };
    return { kind: 'done', code: res.code, dup: res.dup, ...cardRev, ...air };
  }
  if (resultClass === 'transient' || resultClass === 'sequence') {
    return { kind: 'retry', code: res.code };
  }
  return { kind: 'rejected', code: res.code, class: resultClass, ...cardRev };
}
