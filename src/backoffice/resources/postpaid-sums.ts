/** What an act on invoices gives up, by which it needs a second person or not. Pure. */
import type { Action } from '../../billing/postpaid/actions.ts';
import { balanceOf, totalOwed } from '../../billing/postpaid/balances.ts';
import type { Book } from '../../billing/postpaid/books.ts';
import { chargesOf } from '../../billing/postpaid/charged.ts';

/** Minor units that would be owed no more, paid out or given; 0 for all other acts. */
export function givenUpBy(book: Book, action: Action): bigint {
  switch (action.act) {
    case 'write_off':
    case 'void_invoice':
      return openOn(book, action.invoiceId);
    case 'adjust_all_open_invoices':
      return totalOwed(book);
    case 'adjust_item':
      return takenOff(book, action);
    case 'refund': {
      const lowered = action.adjustments.reduce((sum, one) => sum + takenOff(book, one), 0n);
      return lowered > action.amount ? lowered : action.amount;
    }
    case 'grant_credit':
      return action.amount;
    default:
      return 0n;
  }
}

/** What is still to pay on an invoice; 0 if there is none. */
function openOn(book: Book, invoiceId: bigint): bigint {
  const found = book.rows.invoices.find((row) => row.id === invoiceId);
  return found ? balanceOf(book, found) : 0n;
}

function takenOff(
  book: Book,
  { lineId, amount }: { lineId: bigint; amount: bigint | 'remaining' },
): bigint {
  if (amount !== 'remaining') return amount;
  return chargesOf(book).find(({ line }) => line.id === lineId)?.left ?? 0n;
}
