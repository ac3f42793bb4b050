/** Compares the invoices that runs made with those that a case expects. */
import { formatDay } from '../../src/platform/day.ts';
import type { CaseResult, Difference } from '../result.ts';
import type { InvoiceExpectation, Item } from './file.ts';
import { readBook, type ShownInvoice, type ShownItem, type Story, shownInvoice } from './story.ts';

/** An expectation with what was read for it; null = there is no such invoice. */
export interface Read {
  expectation: InvoiceExpectation;
  shown: ShownInvoice | null;
}

const placeOf = ({ on, nth, account }: InvoiceExpectation): string =>
  `invoice ${on}${nth && nth > 1 ? ` #${nth}` : ''}${account ? ` of ${account}` : ''}`;

/** The invoice as it is now. */
export async function readNow(story: Story, expectation: InvoiceExpectation): Promise<Read> {
  const { on, nth = 1, account = 'main' } = expectation;
  if (!story.accounts.has(account)) return { expectation, shown: null };
  return readBook(story, account, (book) => {
    const sameDay = book.rows.invoices.filter(
      (row) => row.kind === 'run' && formatDay(row.on) === on,
    );
    const invoice = sameDay[nth - 1];
    return { expectation, shown: invoice ? shownInvoice(book, invoice) : null };
  });
}

/** The invoice as it was made. */
export function readAsMade(story: Story, expectation: InvoiceExpectation): Read {
  const { on, nth = 1, account = 'main' } = expectation;
  const made = story.invoices.find(
    (one) => one.account === account && one.on === on && one.nth === nth,
  );
  return { expectation, shown: made?.shown ?? null };
}

type Deliberate = NonNullable<CaseResult['deliberate']>;

/** What differs; expectations met by their alternative are added to `deliberate`. */
export function compareInvoice({ expectation, shown }: Read, deliberate: Deliberate): Difference[] {
  const at = placeOf(expectation);
  const { invoice, total, payment, alternative } = expectation;
  if (!shown) return [{ at, expected: { invoice, total }, computed: null }];
  const differences: Difference[] = [];
  if (!isMet({ invoice, total }, shown)) {
    if (alternative && isMet(alternative, shown)) deliberate.push({ at, under: alternative.under });
    else {
      const computed = { invoice: shown.items.map(bare), total: shown.total };
      differences.push({ at, expected: { invoice: invoice.map(asWritten), total }, computed });
    }
  }
  if (payment !== undefined && payment !== shown.payment) {
    differences.push({ at: `${at} payment`, expected: payment, computed: shown.payment });
  }
  return differences;
}

const bare = ({ ref, ...item }: ShownItem) => (ref === null ? item : { ...item, ref });

const asWritten = ({ type, from, to, amount, ref }: Item) => ({
  type,
  from,
  to,
  amount,
  ...(ref === undefined ? {} : { ref }),
});

function isMet(
  { invoice, total }: { invoice: Item[]; total: string },
  shown: ShownInvoice,
): boolean {
  if (total !== shown.total || invoice.length !== shown.items.length) return false;
  const left = [...shown.items];
  // Those that name their subscription choose first.
  const strictFirst = [...invoice].sort((a, b) => Number(!a.ref) - Number(!b.ref));
  return strictFirst.every((item) => {
    const at = left.findIndex((one) => isSame(item, one));
    if (at >= 0) left.splice(at, 1);
    return at >= 0;
  });
}

const isSame = (item: Item, shown: ShownItem): boolean =>
  item.type === shown.type &&
  item.from === shown.from &&
  item.to === shown.to &&
  item.amount === shown.amount &&
  (item.ref === undefined || item.ref === shown.ref);

/** Dates with expected invoices must have no others. */
export function compareCounts(story: Story, expected: readonly InvoiceExpectation[]): Difference[] {
  const days = Map.groupBy(expected, ({ on, account = 'main' }) => `${on} ${account}`);
  return [...days].flatMap(([key, of]) => {
    const made = story.invoices.filter(({ on, account }) => `${on} ${account}` === key);
    const listed = new Set(of.map(({ nth = 1 }) => nth)).size;
    if (made.length <= listed) return [];
    const at = `invoices on ${key}`;
    const computed = made.map(({ shown }) => ({ ...shown, items: shown.items.map(bare) }));
    return [{ at, expected: listed, computed }];
  });
}
