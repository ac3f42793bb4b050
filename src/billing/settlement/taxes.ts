/** Taxes inside what is sold: those of the sale, and of what is kept of it later. */
import { formatLocalDate, localDate } from '../../platform/calendar.ts';
import { type AppliedTax, taxLines, taxOn } from '../catalogue/file/tax.ts';
import type { Bouquet } from '../catalogue/rules.ts';
import { taxOwner } from '../ledger/chart.ts';
import type { EntryDraft } from '../ledger/rules.ts';
import type { Workspace } from './workspace.ts';

/** A tax as it was sold: with the rate of the sale, and what it is of the price kept. */
export interface SoldTax extends AppliedTax {
  amount: bigint;
}

/** The taxes that a bouquet bears on the local date of an instant. */
export function taxesAt(w: Workspace, { siteId, taxes }: Bouquet, at: Date): AppliedTax[] {
  const date = formatLocalDate(localDate(at, w.site(siteId).timeZone));
  return taxes.flatMap((tax) => taxOn(tax, date) ?? []);
}

/** What each of these taxes is of an amount that holds them all. */
export function taxesInside(amount: bigint, taxes: readonly AppliedTax[]): SoldTax[] {
  const parts = taxLines(amount, taxes, 'inclusive').taxes;
  return taxes.map(({ code, ppm, on }, i) => ({ code, ppm, on, amount: parts[i]?.amount ?? 0n }));
}

type Part = Pick<SoldTax, 'code' | 'amount'>;

/** All taxes together. */
export const sumOfTaxes = (taxes: readonly Part[]): bigint =>
  taxes.reduce((sum, { amount }) => sum + amount, 0n);

/** By how much each tax changes when the same taxes of another amount take its place. */
export const taxChanges = (before: readonly Part[], after: readonly Part[]): Part[] =>
  before.map(({ code, amount }, i) => ({ code, amount: (after[i]?.amount ?? 0n) - amount }));

/** Owes taxes of a site, each on its own account. */
export const taxEntries = (
  w: Workspace,
  siteId: bigint,
  asset: string,
  taxes: readonly Part[],
): EntryDraft[] =>
  taxes.map(({ code, amount }) => ({
    accountId: w.account(taxOwner(siteId, code), 'tax_payable', asset),
    asset,
    amount,
  }));
