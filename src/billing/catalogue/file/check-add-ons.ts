/** Add-ons: what each is sold on top of is sold where it is, and none goes round in a circle. */
import type { Path, Problems } from './problems.ts';
import { pathOf } from './products.ts';
import type { AddOnTerms, OperatorCatalogue, Product } from './types.ts';

type Products = OperatorCatalogue['products'];

export function checkAddOns({ products }: OperatorCatalogue, problems: Problems): void {
  for (const product of products.values()) {
    const terms = termsOf(product);
    if (!terms) continue;
    const path = [
      ...pathOf(product),
      ...(product.kind === 'plan' ? ['addOn'] : []),
      'availableWith',
    ];
    const circle = circleFrom(product.code, products);
    if (circle) {
      const isFirst = product.code === [...circle].sort()[0];
      const way = [...circle, circle[0]].join(' → ');
      if (isFirst) problems.at(path, `add-ons in a circle: ${way}`);
    } else checkBases(product, terms, { path, products }, problems);
  }
}

const termsOf = (product: Product | undefined): AddOnTerms | null =>
  product?.kind === 'add_on' || product?.kind === 'plan' ? product.addOn : null;

/** The shortest way from an add-on over what it is available with back to itself. */
function circleFrom(code: string, products: Products): string[] | null {
  const ways: string[][] = [[code]];
  const seen = new Set<string>();
  for (const way of ways) {
    const last = products.get(way.at(-1) ?? '');
    for (const next of termsOf(last)?.availableWith ?? []) {
      if (next === code) return way;
      if (!seen.has(next)) ways.push([...way, next]);
      seen.add(next);
    }
  }
  return null;
}

/** Where an add-on is sold, one of its bases is. */
function checkBases(
  product: Product,
  { availableWith }: AddOnTerms,
  at: { path: Path; products: Products },
  problems: Problems,
): void {
  const bases = availableWith.flatMap((code) => at.products.get(code) ?? []);
  if (bases.length < availableWith.length) return;
  for (const country of product.countries) {
    if (bases.some((base) => base.countries.includes(country))) continue;
    problems.at(at.path, `${product.code} is sold in ${country}, but none of these is`);
  }
}
