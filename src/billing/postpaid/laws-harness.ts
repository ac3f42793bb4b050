/** The laws that hold for every life of a postpaid account: `LAWS`, with the lives to try. */
import fc from 'fast-check';
import type { Action } from './actions.ts';
import { accountBalance, creditBalance, paidBy, returnedOf } from './balances.ts';
import { type Book, copyBook } from './books.ts';
import { chargesOf, overlappingDays, remainingDays, standingLines } from './charged.ts';
import {
  dayLives,
  doable,
  factLives,
  fullLives,
  type Life,
  live,
  type World,
} from './histories-harness.ts';
import { merged } from './intervals.ts';
import type { Contract, InvoiceLine } from './rows.ts';

const fail = (message: string): never => {
  throw new Error(message);
};

const shown = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? String(part) : part));

/** A second run says nothing. */
export function isIdempotent(life: Life): void {
  const { engine, book, today } = live(life, { autoInvoice: true });
  const run = () => engine.act(book, { act: 'generate_invoice', target: today }, today);
  run();
  const second = run();
  if (second.ok && second.documentId !== null) {
    const lines = book.rows.lines.filter(({ invoiceId }) => invoiceId === second.documentId);
    fail(`a second run made ${shown(lines)}`);
  }
}

/** Days are charged once, no line is lowered below nothing, credit is never negative. */
export function isWithinBounds(life: Life): void {
  const { engine, book, today } = live(life, { autoInvoice: true });
  // A void may have taken a repair away; what it gave back is settled by the next run.
  engine.act(book, { act: 'generate_invoice', target: today }, today);
  for (const contract of book.rows.contracts) {
    const days = overlappingDays(book, contract);
    if (days > 0) fail(`${contract.ref}: ${days} days are charged twice`);
  }
  for (const { line, left } of chargesOf(book)) {
    if (left < 0n || left > line.amount) fail(`line ${shown(line)} has ${left} left`);
  }
  if (creditBalance(book) < 0n) fail(`credit is ${creditBalance(book)}`);
  if (book.account.parked) fail('the account is parked');
}

/** What was charged and given, less what was paid, is what is owed. */
export function isConserved(life: Life): void {
  const { book } = live(life, { autoInvoice: true });
  const kinds = new Map(book.rows.invoices.map(({ id, kind }) => [id, kind]));
  const lines = standingLines(book);
  const sum = (amounts: bigint[]): bigint => amounts.reduce((a, b) => a + b, 0n);
  const charged = sum(lines.filter(({ type }) => type !== 'credit').map(({ amount }) => amount));
  const given = sum(
    lines.filter(({ invoiceId }) => kinds.get(invoiceId) === 'credit').map(({ amount }) => amount),
  );
  const kept = sum(
    book.rows.payments.map((payment) => paidBy(book, payment) - returnedOf(book, payment)),
  );
  const owed = accountBalance(book);
  if (owed !== charged - given - kept) fail(`owed ${owed}, but ${charged} - ${given} - ${kept}`);
}

/** Working only on the days that are said to be due makes the same documents. */
export function isDueKnown(life: Life): void {
  const [due, daily] = [false, true].map((everyDay) =>
    shown(live(life, { autoInvoice: true, everyDay }).book.rows),
  );
  if (due !== daily) fail(`every day: ${daily}, when due: ${due}`);
}

function liveBothWays(life: Life): { daily: World; once: World } {
  const daily = live(life, { autoInvoice: true });
  const once = live(life, { autoInvoice: false });
  once.engine.act(once.book, { act: 'enable_auto_invoice' }, once.today);
  return { daily, once };
}

/** Billed day by day or all at once: the same days (what is free has none). */
export function areDaysPathIndependent(life: Life): void {
  const { daily, once } = liveBothWays(life);
  const daysOf = (book: Book, contract: Contract): string =>
    shown(
      merged(
        chargesOf(book, contract)
          .filter(({ line }) => line.type === 'recurring' && line.amount > 0n)
          .flatMap(remainingDays),
      ),
    );
  for (const [at, contract] of daily.book.rows.contracts.entries()) {
    const other = once.book.rows.contracts[at] ?? fail('a contract is missing');
    const a = daysOf(daily.book, contract);
    const b = daysOf(once.book, other);
    if (a !== b) fail(`${contract.ref} is charged ${a} or ${b}`);
  }
}

/**
 * Billed day by day or all at once: the same sum but for rounding. Of periods counted in days: a
 * piece in the middle of a month is measured against the month before its end, whose length varies.
 */
export function isSumPathIndependent(life: Life): void {
  const { daily, once } = liveBothWays(life);
  const sums = [daily, once].map(({ book }) =>
    standingLines(book)
      .filter(({ type }) => type !== 'credit')
      .reduce((sum, { amount }) => sum + amount, 0n),
  );
  const [a = 0n, b = 0n] = sums;
  const tolerance = BigInt(daily.book.rows.lines.length + once.book.rows.lines.length);
  const apart = a > b ? a - b : b - a;
  if (apart > tolerance) fail(`charged ${a} day by day, ${b} at once`);
}

/** A refund and a cancellation on one day leave the same balance in either order. */
export function doCommute(life: Life): void {
  const world = live({ ...life, pays: [] }, { autoInvoice: true });
  const { engine, book, today } = world;
  // What the cancellation still charges would be collected in one order and not in the other.
  engine.act(book, { act: 'disable_auto_pay' }, today);
  const payment = book.rows.payments.at(-1);
  const [contract] = book.rows.contracts;
  if (!payment || !contract) return;
  const acts: Action[] = [
    { act: 'cancel', ref: contract.ref, service: 'immediate', billing: 'immediate' },
    {
      act: 'refund',
      paymentId: payment.id,
      amount: paidBy(book, payment) - returnedOf(book, payment),
      adjustments: [],
    },
  ];
  const [a, b] = [acts, acts.toReversed()].map((order) => {
    const copy = copyBook(book);
    for (const act of order) engine.act(copy, act, today);
    return accountBalance(copy);
  });
  if (a !== b) fail(`owed ${a} or ${b}`);
}

/** A preview of an act has the lines that the act makes, and is refused as the act is. */
export function isPreviewTrue(life: Life): void {
  const world = live(life, { autoInvoice: true });
  const { engine, book, today } = world;
  // A preview asks nobody for money.
  engine.act(book, { act: 'disable_auto_pay' }, today);
  for (const { action } of life.happenings) {
    const act = doable(world, action);
    if (!act) continue;
    const preview = engine.preview(book, act, today);
    const before = new Set(book.rows.invoices.map(({ id }) => id));
    const copy = copyBook(book);
    const answer = engine.act(copy, act, today);
    const made = new Set(
      copy.rows.invoices
        .filter(({ id, kind }) => kind !== 'credit' && !before.has(id))
        .map(({ id }) => id),
    );
    const told = (lines: readonly InvoiceLine[]): string =>
      shown(lines.map(({ id, invoiceId, contractId, linkedLineId, ...line }) => line));
    const a = preview.ok ? told(preview.lines) : preview.error;
    const lines = copy.rows.lines.filter(({ invoiceId }) => made.has(invoiceId));
    const b = answer.ok ? told(lines) : answer.error;
    if (a !== b) fail(`${shown(act)}: previewed ${a}, made ${b}`);
  }
}

export interface Law {
  name: string;
  lives: fc.Arbitrary<Life>;
  holds: (life: Life) => void;
}

/** What holds for every life. */
export const LAWS: readonly Law[] = [
  { name: 'a second run says nothing', lives: fullLives, holds: isIdempotent },
  {
    name: 'days are charged once, lines stay above nothing',
    lives: fullLives,
    holds: isWithinBounds,
  },
  { name: 'charged − given − paid = owed', lives: fullLives, holds: isConserved },
  { name: 'work is due when it is said to be', lives: fullLives, holds: isDueKnown },
  {
    name: 'billed daily or at once, days are the same',
    lives: factLives,
    holds: areDaysPathIndependent,
  },
  {
    name: 'billed daily or at once, sums are the same',
    lives: dayLives,
    holds: isSumPathIndependent,
  },
  { name: 'a preview is what the act makes', lives: fullLives, holds: isPreviewTrue },
  { name: 'refund and cancellation commute', lives: factLives, holds: doCommute },
];

/** Checks a law over `runs` lives; throws with the smallest life that breaks it. */
export function checkLaw({ lives, holds }: Law, runs: number, seed?: number): void {
  fc.assert(
    fc.property(lives, (life) => holds(life)),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  );
}
