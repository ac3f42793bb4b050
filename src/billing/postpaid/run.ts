/**
 * An invoice run: what is wanted minus what was charged. Days charged at the same plan and price
 * are kept, days no longer wanted are given back, missing days are charged. Pure, idempotent, and
 * its sum does not depend on when it happened.
 */

import type { Day } from '../../platform/day.ts';
import { add, changeAccount, type IdSource } from './books.ts';
import { type Charged, chargesOf, remainingDays } from './charged.ts';
import { type Interval, shared, withoutAll } from './intervals.ts';
import { countedDays, monthDaysFor, prorate } from './proration.ts';
import type { Contract, Invoice, InvoiceLine } from './rows.ts';
import { overdueStops, type View } from './timeline.ts';
import { measured, type Piece, saleKey, type Wanted, wantedOf } from './wanted.ts';

/** A line to be, without its place. */
export type LineDraft = Omit<InvoiceLine, 'id' | 'accountId' | 'invoiceId' | 'on'>;

export type RunResult =
  | { ok: true; invoice: Invoice | null; lines: InvoiceLine[] }
  | { ok: false; error: 'too_many_repairs' };

/**
 * Runs an account to a target. Nothing to say makes no invoice. Where repairs and adjustments
 * exceed a line it writes nothing but that the account is parked: a person must look.
 */
export function runInvoice(
  look: Omit<View, 'target'>,
  ids: IdSource,
  { today, target }: { today: Day; target: Day },
): RunResult {
  const { book } = look;
  const furthest = Math.max(target, book.account.lastTarget ?? target);
  const view = { ...look, target: furthest };
  if (isStopped(view, today)) return { ok: true, invoice: null, lines: [] };
  if (chargesOf(book).some(({ line, left }) => line.amount >= 0n && left < 0n)) {
    changeAccount(book, { parked: true });
    return { ok: false, error: 'too_many_repairs' };
  }
  const drafts = book.rows.contracts.flatMap((contract) => differenceOf(view, contract));
  if (book.account.lastTarget !== furthest || book.account.parked) {
    changeAccount(book, { lastTarget: furthest, parked: false });
  }
  if (drafts.length === 0) return { ok: true, invoice: null, lines: [] };
  const accountId = book.account.id;
  const invoice = add(book, 'invoices', {
    id: ids.next(),
    accountId,
    on: today,
    kind: 'run',
    status: 'committed',
    writtenOff: false,
    target: furthest,
  });
  const lines = drafts.map((draft) =>
    add(book, 'lines', { ...draft, id: ids.next(), accountId, invoiceId: invoice.id, on: today }),
  );
  return { ok: true, invoice, lines };
}

/** While an overdue state stops billing, no run happens. */
const isStopped = (view: View, today: Day): boolean =>
  overdueStops(view).some(({ from, to }) => from <= today && today < to);

/** What is wanted of a contract and not charged, or charged and not wanted. */
export function differenceOf(view: View, contract: Contract): LineDraft[] {
  const wanted = wantedOf(view, contract);
  const charged = chargesOf(view.book, contract);
  return [
    ...fixedDifference(contract, wanted, charged),
    ...recurringDifference(view, contract, { wanted, charged }),
  ];
}

function fixedDifference(contract: Contract, { fixed }: Wanted, charged: Charged[]): LineDraft[] {
  const open = charged.filter(({ line, repairs }) => line.type === 'fixed' && !repairs.length);
  const missing: LineDraft[] = [];
  for (const segment of fixed) {
    const at = open.findIndex(
      ({ line }) => line.from === segment.from && line.planCode === segment.planCode,
    );
    if (at >= 0) open.splice(at, 1);
    else missing.push(fixedLine(contract, segment));
  }
  const unwanted = open.filter(({ line }) => line.amount > 0n);
  return [...missing, ...unwanted.map((one) => repairLine(one, one.line, one.left))];
}

const fixedLine = (contract: Contract, segment: Wanted['fixed'][number]): LineDraft => ({
  contractId: contract.id,
  type: 'fixed',
  from: segment.from,
  to: segment.fixedTo,
  amount: segment.fixed ?? 0n,
  planCode: segment.planCode,
  phase: segment.phase,
  price: segment.fixed,
  period: null,
  periodDays: null,
  taxCode: segment.taxCode,
  linkedLineId: null,
});

const repairLine = (
  { line }: Charged,
  { from, to }: { from: Day; to: Day | null },
  amount: bigint,
): LineDraft => ({
  contractId: line.contractId,
  type: 'repair',
  from,
  to,
  amount: -amount,
  planCode: line.planCode,
  phase: line.phase,
  price: line.price,
  period: line.period,
  periodDays: line.periodDays,
  taxCode: line.taxCode,
  linkedLineId: line.id,
});

function recurringDifference(
  view: View,
  contract: Contract,
  { wanted, charged }: { wanted: Wanted; charged: Charged[] },
): LineDraft[] {
  const kept: Interval[] = [];
  const repairs: LineDraft[] = [];
  for (const one of charged.filter(({ line }) => line.type === 'recurring')) {
    const keep = keptDays(one, wanted, kept);
    kept.push(...keep);
    if (one.line.amount > 0n) repairs.push(...repairsOf(view, one, keep));
  }
  const charges = wanted.pieces.flatMap((piece) =>
    withoutAll(piece, kept).map((days) => recurringLine(view, contract, { piece, days })),
  );
  return [...charges, ...repairs];
}

/** The days of a charge that are wanted at the same plan and price, and not yet kept. */
function keptDays(charged: Charged, wanted: Wanted, taken: readonly Interval[]): Interval[] {
  const key = saleKey(charged.line);
  const same = [...wanted.pieces, ...wanted.kept].filter(({ segment }) => saleKey(segment) === key);
  const days = remainingDays(charged);
  if (charged.line.amount === 0n) {
    // Worth nothing: it stands as it is, or is cut anew.
    const { from, to } = charged.line;
    return same.some((piece) => piece.from === from && piece.to === to)
      ? days.flatMap((part) => withoutAll(part, taken))
      : [];
  }
  return days
    .flatMap((part) => same.flatMap((piece) => shared(part, piece) ?? []))
    .flatMap((part) => withoutAll(part, taken));
}

/** Gives back the days of a charge that are not kept, never more than is left of it. */
function repairsOf({ config }: View, charged: Charged, keep: readonly Interval[]): LineDraft[] {
  const { line } = charged;
  let left = charged.left;
  return remainingDays(charged)
    .flatMap((part) => withoutAll(part, keep))
    .map((days) => {
      const whole = days.from === line.from && days.to === line.to;
      const share = whole ? line.amount : shareOf(line, days, config);
      const amount = share < left ? share : left;
      left -= amount;
      return repairLine(charged, days, amount);
    });
}

function shareOf(line: InvoiceLine, days: Interval, config: View['config']): bigint {
  const { price, period, periodDays, from, to } = line;
  if (price === null || period === null || periodDays === null) {
    const all = (to ?? days.to) - from;
    return prorate(line.amount, days.to - days.from, all, config.rounding);
  }
  const counted = countedDays(days.from, days.to, monthDaysFor(period, config.monthDays));
  return prorate(price, counted, periodDays, config.rounding);
}

function recurringLine(
  view: View,
  contract: Contract,
  { piece, days }: { piece: Piece; days: Interval },
): LineDraft {
  const { segment } = piece;
  return {
    contractId: contract.id,
    type: 'recurring',
    from: days.from,
    to: days.to,
    ...measured(piece, days, view.config),
    planCode: segment.planCode,
    phase: segment.phase,
    price: segment.price,
    period: segment.period,
    taxCode: segment.taxCode,
    linkedLineId: null,
  };
}

/**
 * The first day after `since` and up to the target on which a period starts (in arrears: ends), or
 * something takes effect; a run is due then. Null when there is none.
 */
export function nextMoment(view: View, since: Day): Day | null {
  const days = view.book.rows.contracts
    .flatMap((contract) => momentsOf(view, contract))
    .filter((day) => since < day && day <= view.target);
  return days.length === 0 ? null : Math.min(...days);
}

/** Days on which a period starts or ends, or something takes effect, up to the target. */
function momentsOf(view: View, contract: Contract): Day[] {
  const { fixed, pieces } = wantedOf(view, contract);
  return [
    ...fixed.map(({ from }) => from),
    ...pieces.flatMap(({ segment, from, to }) => [
      segment.billing === 'in_advance' ? from : to,
      segment.from,
      segment.to,
    ]),
  ];
}
