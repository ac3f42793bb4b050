/** What belongs to one kind of product alone, to promotions, and to days sold by amount. */
import { type Path, type Problems, pathText } from './problems.ts';
import { pathOf, SECTION_OF } from './products.ts';
import type { OperatorCatalogue, Product, PromotionTerms } from './types.ts';

export function checkKind(product: Product, problems: Problems): void {
  if (product.kind === 'plan') checkPhases(product, problems);
  if (product.kind === 'goods') checkGoods(product, problems);
  if (product.kind === 'scratch_card') checkScratchCard(product, problems);
}

type Of<K extends Product['kind']> = Extract<Product, { kind: K }>;

function checkGoods(goods: Of<'goods'>, problems: Problems): void {
  const path = [...pathOf(goods), 'terms'];
  const isByTerm = goods.amounts.some((amount) => amount !== 'once' && amount !== 'deposit');
  if (goods.offer === 'rental' && !isByTerm) {
    problems.at(path, 'a rental needs terms', 'like terms: [month]');
  } else if (goods.offer === 'sale' && isByTerm) {
    problems.atKey(path, 'a sale has no terms');
  }
}

function checkScratchCard(card: Of<'scratch_card'>, problems: Problems): void {
  const path = pathOf(card);
  const isOfDays = card.gives === 'days';
  for (const name of ['product', 'days'] as const) {
    const isThere = card[name] !== null || problems.has([...path, name]);
    if (isOfDays && !isThere) problems.at([...path, name], 'is missing for a card of days');
    if (!isOfDays && isThere) problems.atKey([...path, name], 'is for cards of days');
  }
  if (isOfDays && card.bonusDays !== null) {
    problems.atKey([...path, 'bonusDays'], 'is for cards of an amount');
  }
}

function checkPhases(plan: Of<'plan'>, problems: Problems): void {
  const path = [...pathOf(plan), 'phases'];
  const names = new Set<string>();
  for (const [i, { name, type, length, period, isFixed }] of plan.phases.entries()) {
    const at = [...path, i];
    const isLast = i === plan.phases.length - 1;
    if (names.has(name)) problems.at([...at, 'name'], `${name} is there twice`);
    names.add(name);
    if (length === null && !isLast) {
      problems.at([...at, 'length'], 'only the last phase may be without end');
    }
    if (type === 'evergreen' && length !== null) {
      problems.at([...at, 'length'], 'evergreen has no end');
    } else if (type !== 'evergreen' && isLast && length === null) {
      problems.at([...at, 'type'], `${type} has an end`, 'length, or type: evergreen');
    }
    if (type !== 'trial' && !period && !isFixed) {
      problems.at(at, 'has no price', 'period, fixed: true, or both');
    }
  }
}

export function checkPromotions(
  { promotions, products }: OperatorCatalogue,
  problems: Problems,
): void {
  for (const promotion of promotions.values()) {
    const path = ['promotions', promotion.code];
    if (promotion.until <= promotion.from) problems.at([...path, 'until'], 'is not after from');
    if (promotion.budget.size === 0 && !problems.has([...path, 'budget'])) {
      problems.at([...path, 'budget'], 'names no country');
    }
    const product = products.get(promotion.product);
    if (product) checkPromoted(promotion, product, path, problems);
  }
}

function checkPromoted(
  { term, budget }: PromotionTerms,
  { code, amounts, countries }: Product,
  path: Path,
  problems: Problems,
): void {
  if (!amounts.includes(term)) {
    const hint = `it is sold for ${amounts.join(', ')}`;
    problems.at([...path, 'term'], `${code} is not sold for ${term}`, hint);
  }
  if (!amounts.includes('month')) {
    problems.at([...path, 'product'], `${code} has no month, by which bonus days are valued`);
  }
  for (const country of budget.keys()) {
    if (countries.includes(country)) continue;
    problems.atKey([...path, 'budget', country], `${code} is not sold in ${country}`);
  }
}

/** Days for what is paid below the price of a term need a price of a day. */
export function checkDayRates({ sites, products }: OperatorCatalogue, problems: Problems): void {
  for (const { code, country, payment } of sites.values()) {
    if (payment.under !== 'days') continue;
    const term = payment.dayRate === 'day_term' ? 'day' : 'month';
    for (const product of products.values()) {
      const isConcerned = product.kind === 'bouquet' && product.countries.includes(country);
      if (!isConcerned || product.amounts.includes(term)) continue;
      const path = ['sites', code, 'payment', 'dayRate'];
      const place = pathText([SECTION_OF[product.kind], product.code, 'terms']);
      problems.at(path, `${product.code} has no ${term} to take days from`, `see ${place}`);
    }
  }
}
