/**
 * Defects put in from outside, to see that the checker finds them: the product itself has no such
 * switch.
 */

import type { Settlement } from '../../src/billing/settlement/service.ts';
import type { JsonObject } from '../../src/entitlement/vip-control/frame.ts';
import type { Query } from './statements.ts';

export const BREAKS = [
  'credit_twice',
  'drop_right',
  'fold_by_id',
  'ids_again',
  'epoch_again',
] as const;

/**
 * `credit_twice`: a receipt that comes again is taken for a new one. `drop_right`: a right is lost
 * on the way to the head-end. `fold_by_id`: balances are folded up to the newest transaction, not
 * up to the oldest that still runs. `ids_again`: who restores a database lets it give ids again
 * that were given since the copy. `epoch_again`: the epoch becomes one above that of the copy,
 * which may have been used since.
 */
export type Break = (typeof BREAKS)[number];

/** Settlement that forgets what it has seen. */
export function breakSettlement(broken: Break | null, settlement: Settlement): Settlement {
  if (broken !== 'credit_twice') return settlement;
  return {
    ...settlement,
    async settle(command) {
      const outcome = await settlement.settle(command);
      const isRepeat = outcome.kind === 'done' && !outcome.first;
      if (!isRepeat || command.kind !== 'payment') return outcome;
      return settlement.settle({ ...command, receipt: `${command.receipt}-2` });
    },
  };
}

/** A wire that loses the first right of each set. */
export function breakWire(broken: Break | null, message: JsonObject): JsonObject {
  const args = message.args as { set?: unknown[] } | undefined;
  if (broken !== 'drop_right' || !args?.set) return message;
  return { ...message, args: { ...args, set: args.set.slice(1) } };
}

const HORIZON = 'house_xmin()';
const NEWEST = 'pg_snapshot_xmax(pg_current_snapshot())';

/** Folding that does not wait for who is slower. */
export function breakQuery(broken: Break | null, query: Query): Query {
  if (broken !== 'fold_by_id' || !query.text.includes(HORIZON)) return query;
  return { ...query, text: query.text.replace(HORIZON, NEWEST) };
}
