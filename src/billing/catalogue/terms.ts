/** Names of terms: which there are, and which is longer. */
import type { Category } from './file/types.ts';
import { type Bouquet, pricesFor, type TermName } from './rules.ts';

/** A term by name, or 2 to 999 days as `10d`. */
export const TERM_PATTERN = /^(?:day|week|month|quarter|year|pass24|[2-9]d|[1-9][0-9]{1,2}d)$/;

export const isTermName = (name: string): name is TermName => TERM_PATTERN.test(name);

/** The days of a term that is named by them (10 for `10d`); null for the others. */
export function daysNamed(term: TermName): number | null {
  const days = /^(\d+)d$/.exec(term)?.[1];
  return days === undefined ? null : Number(days);
}

/** On the average of years, in days. A pass is no day: it is never bought by itself. */
const AVERAGE_DAYS: Partial<Record<TermName, number>> = {
  day: 1,
  week: 7,
  month: 30.4,
  quarter: 91.3,
  year: 365.25,
};

/** All terms that were ever sold to a category, the longest first; passes of 24 hours aside. */
export function termsLongestFirst(
  bouquet: Pick<Bouquet, 'prices' | 'categoryPrices'>,
  category?: Category,
): TermName[] {
  const terms = Object.keys(pricesFor(bouquet, category)) as TermName[];
  const lengthOf = (term: TermName): number => daysNamed(term) ?? AVERAGE_DAYS[term] ?? 0;
  return terms.filter((term) => term !== 'pass24').sort((a, b) => lengthOf(b) - lengthOf(a));
}
