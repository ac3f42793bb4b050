/**
 * What is ordered of a page of cards: one answer for the preview and for the showing itself, so
 * that what was seen is what is sent. Pure.
 */
import type { Recipient } from './recipients.ts';
import {
  type CasLimits,
  lengthAt,
  misfitOf,
  operationFor,
  type ShownOperation,
  type Worded,
} from './rules.ts';

export interface Order {
  recipient: Recipient;
  operation: ShownOperation;
}

export interface NotOrdered {
  recipient: Recipient;
  why: 'no_value' | 'too_long' | 'not_supported' | 'no_cas';
  /** Of what is too long: how long it is, and may be. */
  length: { chars: number; max: number } | null;
}

/** Who gets what, and who gets nothing and why. */
export function ordersFor(
  worded: Worded,
  systems: ReadonlyMap<string, CasLimits>,
  page: readonly Recipient[],
): { orders: Order[]; left: NotOrdered[] } {
  const orders: Order[] = [];
  const left: NotOrdered[] = [];
  for (const recipient of page) {
    const operation = operationFor(worded, recipient);
    const cas = systems.get(recipient.casId);
    const why = !cas ? 'no_cas' : operation === null ? 'no_value' : misfitOf(operation, cas);
    if (why === null && operation) orders.push({ recipient, operation });
    else {
      const length = cas && operation && why === 'too_long' ? lengthAt(operation, cas) : null;
      left.push({ recipient, why: why ?? 'no_value', length });
    }
  }
  return { orders, left };
}
