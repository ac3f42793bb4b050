/** How terms are called in what we say. */
import type { TermName } from '../billing/catalogue/rules.ts';
import { daysNamed } from '../billing/catalogue/terms.ts';
import type { LanguageKey, Values } from './language.ts';

type Named = Exclude<TermName, `${number}d`>;

/** The words for a term, or for its price: of `10d` those for days. Values hold what they need. */
export function termWords(
  stem: 'term.name' | 'text.answer.price',
  term: TermName,
): { key: LanguageKey; values: Values } {
  const days = daysNamed(term);
  if (days !== null) return { key: `${stem}.days`, values: { days: String(days) } };
  return { key: `${stem}.${term as Named}`, values: {} };
}
