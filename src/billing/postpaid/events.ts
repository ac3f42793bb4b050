/** Recording dated acts on contracts. */

import type { Day } from '../../platform/day.ts';
import { add, type Book, type IdSource } from './books.ts';
import type { Contract, ContractEvent, ContractEventKind } from './rows.ts';

type Details = Partial<
  Pick<
    ContractEvent,
    'planCode' | 'phasesFrom' | 'price' | 'period' | 'billing' | 'day' | 'quantity'
  >
>;

/** Appends an event of today; details that its kind does not have are null. */
export function addEvent(
  { book, ids, today }: { book: Book; ids: IdSource; today: Day },
  contract: Contract,
  event: { kind: ContractEventKind; effective: Day } & Details,
): ContractEvent {
  return add(book, 'events', {
    id: ids.next(),
    accountId: book.account.id,
    contractId: contract.id,
    on: today,
    planCode: null,
    phasesFrom: null,
    price: null,
    period: null,
    billing: null,
    day: null,
    quantity: null,
    ...event,
  });
}
