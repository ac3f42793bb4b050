/** What has been charged already: lines of invoices that are not void, and what lowers them. */

import type { Day } from '../../platform/day.ts';
import type { Book } from './books.ts';
import { type Interval, merged, OPEN, shared, withoutAll } from './intervals.ts';
import type { Contract, InvoiceLine } from './rows.ts';

const CHARGES = new Set(['fixed', 'recurring', 'external_charge']);

export const isCharge = (line: InvoiceLine): boolean => CHARGES.has(line.type);

/** Lines of all documents that are not void. */
export function standingLines(book: Book): InvoiceLine[] {
  const voided = new Set(
    book.rows.invoices.filter((row) => row.status === 'void').map((row) => row.id),
  );
  return book.rows.lines.filter((line) => !voided.has(line.invoiceId));
}

/** A charge with what lowers it. */
export interface Charged {
  line: InvoiceLine;
  repairs: InvoiceLine[];
  /** The amount after adjustments and repairs; negative when they exceed it. */
  left: bigint;
}

/** All standing charges (of one contract, if given), in the order in which they were made. */
export function chargesOf(book: Book, contract?: Contract): Charged[] {
  const standing = standingLines(book);
  const lowering = Map.groupBy(
    standing.filter((line) => line.linkedLineId !== null),
    (line) => line.linkedLineId,
  );
  return standing
    .filter((line) => isCharge(line) && (!contract || line.contractId === contract.id))
    .map((line) => {
      const linked = lowering.get(line.id) ?? [];
      const left = linked.reduce((sum, { amount }) => sum + amount, line.amount);
      return { line, repairs: linked.filter(({ type }) => type === 'repair'), left };
    });
}

const asInterval = ({ from, to }: InvoiceLine): Interval => ({ from, to: to ?? OPEN });

/** The days of a charge that were not given back. */
export const remainingDays = ({ line, repairs }: Charged): Interval[] =>
  withoutAll(asInterval(line), repairs.map(asInterval));

/**
 * Days of a contract that were charged and not given back; one-off prices of phases included. A
 * line of 0.00 that was cut anew counts no more.
 */
export function chargedDays(book: Book, contract: Contract): Interval[] {
  const charges = chargesOf(book, contract).filter(({ line }) => line.to !== null);
  const isCutAnew = ({ line }: Charged): boolean =>
    line.type === 'recurring' &&
    line.amount === 0n &&
    charges.some(
      (later) =>
        later.line.id > line.id && shared(asInterval(line), asInterval(later.line)) !== null,
    );
  return charges.filter((one) => !isCutAnew(one)).flatMap(remainingDays);
}

/** The first day that was not charged: of what remains, else where charging began. */
export function chargedThrough(book: Book, contract: Contract): Day {
  const last = merged(chargedDays(book, contract)).at(-1);
  return last?.to ?? contract.startsOn;
}

/** The start of the charge that runs on a day; between charges, the end of the last before it. */
export function runningSince(book: Book, contract: Contract, day: Day): Day {
  const running = chargesOf(book, contract).filter(
    (charged) =>
      charged.line.to !== null &&
      remainingDays(charged).some(({ from, to }) => from <= day && day < to),
  );
  const last = running.at(-1);
  if (last) return last.line.from;
  const ended = chargedDays(book, contract).filter(({ to }) => to <= day);
  return ended.reduce((latest, { to }) => Math.max(latest, to), contract.startsOn);
}

/** Days charged more than once, repairs deducted; lines of 0.00 are re-cut and do not count. */
export function overlappingDays(book: Book, contract: Contract): number {
  const all = chargesOf(book, contract)
    .filter(({ line }) => line.type === 'recurring' && line.amount !== 0n)
    .flatMap(remainingDays);
  const total = all.reduce((sum, { from, to }) => sum + to - from, 0);
  return total - merged(all).reduce((sum, { from, to }) => sum + to - from, 0);
}
