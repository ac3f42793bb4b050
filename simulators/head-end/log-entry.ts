/** What the head-end's log says of a command. */
import {
  type CommandEnvelope,
  parseOperation,
} from '../../src/entitlement/vip-control/messages.ts';
import type { WireOperation } from '../../src/entitlement/vip-control/operations.ts';
import { classOf, type ResultCode } from '../../src/entitlement/vip-control/results.ts';
import { isTooMuch } from './admission.ts';
import type { LogEntry } from './log.ts';

/** A PIN stays between the head-end and the home. */
const HIDDEN = '****';

/** Whether a refusal at the door is worth a line: what only puts off a command is not. */
export function isLogged(code: ResultCode): boolean {
  const kind = classOf(code);
  return kind !== 'transient' && kind !== 'sequence';
}

/** A line for a command, with what of it was understood. */
export function entryOf(
  { cmdId, op, target, ...rest }: CommandEnvelope,
  { code, by, now }: { code: string; by: string; now: Date },
): LogEntry {
  const operation = parseOperation({ cmdId, op, target, ...rest });
  const args = operation && !isTooMuch(operation.args) ? argsOf(operation) : {};
  return { at: now.toISOString(), cmdId, op, target, args, by, code };
}

function argsOf(operation: WireOperation): Record<string, unknown> {
  if (operation.op !== 'PIN_RESET') return operation.args;
  return { pin: operation.args.pin === null ? null : HIDDEN };
}
