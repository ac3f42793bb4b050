/** Reads what actions themselves gave: errors, previews, pure calls, runs, what they changed. */
import type { Book } from '../../src/billing/postpaid/books.ts';
import { BadCase } from '../result.ts';
import type { Check } from './file.ts';
import { money, type Performed, type Story, shownItem } from './story.ts';

type Reader = (performed: Performed, reading: { story: Story; check: Check }) => unknown;

const value: Reader = (performed) => performed.value;

const READERS: Record<string, Reader> = {
  error: ({ error }) => error,
  first_billing_date: value,
  period_end: value,
  whole_periods: value,
  periods: value,
  ratio: value,
  days: value,
  invoices_modified: ({ before, after }) => (before && after ? modified(before, after) : 0),
  same_answer: (_, { story, check }) => {
    const answers = (check.actions as number[]).map((seq) => shown(performedIn(story, seq)));
    return answers.every((answer) => answer === answers[0]);
  },
  preview_matches: (performed) => {
    const { preview, after } = performed;
    if (!preview || !after) return false;
    const made = runLines(performed).map((line) => JSON.stringify(shownItem(after, line)));
    return JSON.stringify([...preview].sort()) === JSON.stringify(made.sort());
  },
  net_of_run: (performed) => {
    const sum = itemsOfRun(performed).reduce((total, { amount }) => total + amount, 0n);
    return performed.after && money(performed.after, sum);
  },
  run_items: (performed) => itemsOfRun(performed).length,
  run_is_empty: (performed) => runLines(performed).length === 0,
};

/** Reads the result of the action that the check's step names. */
export function ofAction(story: Story, name: string, check: Check): unknown {
  const reader = READERS[name];
  if (!reader) throw new BadCase(`there is no check ${name}`);
  const { step } = check;
  if (!step || !('after' in step)) throw new BadCase(`${name} needs step.after`);
  return reader(performedIn(story, step.after), { story, check });
}

function performedIn(story: Story, seq: number): Performed {
  const performed = story.performed.get(seq);
  if (!performed) throw new BadCase(`no action ${seq} so far`);
  return performed;
}

const shown = ({ answer, error, value: result }: Performed): string =>
  JSON.stringify({ answer, error, result }, (_, part) =>
    typeof part === 'bigint' ? String(part) : part,
  );

/** Lines of the runs that the action led to, as they stood afterwards. */
function runLines({ before, after }: Performed) {
  if (!before || !after) return [];
  const known = new Set(before.rows.invoices.map(({ id }) => id));
  const made = new Set(
    after.rows.invoices
      .filter(({ id, kind }) => kind === 'run' && !known.has(id))
      .map(({ id }) => id),
  );
  return after.rows.lines.filter(({ invoiceId }) => made.has(invoiceId));
}

const itemsOfRun = (performed: Performed) =>
  runLines(performed).filter(({ type }) => type !== 'credit');

/** Documents that were there before and have other lines, another state or other money since. */
function modified(before: Book, after: Book): number {
  const old = new Map(before.rows.invoices.map((row) => [row.id, row]));
  const invoiceOf = new Map(after.rows.payments.map(({ id, invoiceId }) => [id, invoiceId]));
  const known = (rows: readonly { id: bigint }[]): Set<bigint> => new Set(rows.map(({ id }) => id));
  const touched = new Set<bigint | undefined>();
  const lines = known(before.rows.lines);
  for (const { id, invoiceId } of after.rows.lines) if (!lines.has(id)) touched.add(invoiceId);
  const returns = known(before.rows.returns);
  for (const { id, paymentId } of after.rows.returns) {
    if (!returns.has(id)) touched.add(invoiceOf.get(paymentId));
  }
  const paid = new Map(before.rows.attempts.map(({ id, paid: amount }) => [id, amount]));
  for (const { id, paymentId, paid: amount } of after.rows.attempts) {
    if (amount !== (paid.get(id) ?? 0n)) touched.add(invoiceOf.get(paymentId));
  }
  return after.rows.invoices.filter((row) => {
    const was = old.get(row.id);
    if (!was) return false;
    return touched.has(row.id) || was.status !== row.status || was.writtenOff !== row.writtenOff;
  }).length;
}
