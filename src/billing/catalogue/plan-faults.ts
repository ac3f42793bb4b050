/**
 * Plans that have contracts. Each run reckons all days of a contract anew by its plan as the file
 * has it, and gives back or charges the difference: what was billed must stay as it was said.
 */
import type { Pool, PoolClient } from 'pg';
import { pastPriceChanges } from './file/diff-past.ts';
import type { OperatorCatalogue, Product } from './file/types.ts';

type Plan = Extract<Product, { kind: 'plan' }>;

/** Where a plan has contracts: its code and a country. */
interface Sold {
  code: string;
  country: string;
}

/** Why a file can't take the place of `old`, in sentences: what it would bill otherwise. */
export async function planFaults(
  db: Pool | PoolClient,
  [old, file]: readonly [before: OperatorCatalogue, after: OperatorCatalogue],
  today: string,
): Promise<string[]> {
  const changed = [...old.products.values()].filter(
    (was): was is Plan => was.kind === 'plan' && isOther(was, file.products.get(was.code)),
  );
  if (changed.length === 0) return [];
  const sold = await soldOf(db, changed);
  const kept = sold.filter(({ code, country }) => !isGone(file.products.get(code), country));
  const gone = sold
    .filter((one) => !kept.includes(one))
    .map(
      ({ code, country }) =>
        `${code} has contracts in ${country} and can't leave it; a price of null ends its sale`,
    );
  const recast = changed
    .filter(({ code }) => kept.some((one) => one.code === code))
    .filter((was) => shapeOf(was) !== shapeOf(file.products.get(was.code)))
    .map(({ code }) => `${code} has contracts and stays as it is but for prices to come`);
  const past = pastOf([old, file], new Set(kept.map(({ code }) => code)), today);
  return [...gone, ...recast, ...past];
}

const isOther = (was: Plan, now: Product | undefined): boolean =>
  shapeOf(was) !== shapeOf(now) ||
  was.countries.some((country) => isGone(now, country)) ||
  written(was.prices) !== written(now?.prices);

const isGone = (now: Product | undefined, country: string): boolean =>
  now?.kind !== 'plan' || !now.countries.includes(country);

/** All of a plan by which days are charged, but for its prices. */
function shapeOf(product: Product | undefined): string {
  if (product?.kind !== 'plan') return '';
  const { billing, isPerUnit, phasesOnChange, phases, addOn } = product;
  return written([billing, isPerUnit, phasesOnChange, phases, addOn?.alignedTo]);
}

const written = (value: unknown): string =>
  JSON.stringify(value, (_key, one: unknown) => {
    if (one instanceof Map) return [...one];
    return typeof one === 'bigint' ? one.toString() : one;
  }) ?? '';

/** Purpose: which of these plans have contracts, and where. Plan: once through their events. */
async function soldOf(db: Pool | PoolClient, plans: readonly Plan[]): Promise<Sold[]> {
  const { rows } = await db.query<Sold>(
    `SELECT DISTINCT e.plan_code AS code, s.country
       FROM contract_event e
       JOIN postpaid_account a ON a.id = e.account_id
       JOIN subscriber u ON u.id = a.subscriber_id
       JOIN site s ON s.id = u.site_id
      WHERE e.plan_code = ANY($1) ORDER BY code, s.country`,
    [plans.map(({ code }) => code)],
  );
  return rows;
}

/** Prices of these plans on days that have come. */
function pastOf(
  [old, file]: readonly [OperatorCatalogue, OperatorCatalogue],
  codes: ReadonlySet<string>,
  today: string,
): string[] {
  const only = (of: OperatorCatalogue): OperatorCatalogue => ({
    ...of,
    products: new Map([...of.products].filter(([code]) => codes.has(code))),
    countries: old.countries,
    units: new Map(),
  });
  return pastPriceChanges(only(old), only(file), today).map(
    (sentence) => `${sentence} Its contracts are billed for such days: let it begin later.`,
  );
}
