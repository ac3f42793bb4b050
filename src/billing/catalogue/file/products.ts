/** Everything that is sold, from its sections into one map by code. */
import { type Places, type PriceRow, versionsOf } from './amounts.ts';
import type { Path, Problems } from './problems.ts';
import type { WrittenFile } from './sections.ts';
import type { AddOnTerms, Category, Kind, Phase, Product } from './types.ts';

/** Where products of a kind stand in the file. */
export const SECTION_OF = {
  bouquet: 'bouquets',
  channel: 'singleChannels',
  add_on: 'addOns',
  plan: 'plans',
  free_time: 'freeTime',
  goods: 'goods',
  service: 'services',
  scratch_card: 'scratchCards',
} as const satisfies Record<Kind, keyof WrittenFile>;

export const pathOf = ({ kind, code }: Pick<Product, 'kind' | 'code'>): Path => [
  SECTION_OF[kind],
  code,
];

interface WrittenCommon {
  name: string;
  countries: readonly string[];
  categories: readonly Category[] | null;
  prices?: readonly PriceRow[];
}

/** The products of a file with their prices; codes are unique over all sections. */
export function productsOf(
  file: WrittenFile,
  places: Places,
  problems: Problems,
): Map<string, Product> {
  const products = new Map<string, Product>();
  const common = <K extends Kind>(
    kind: K,
    code: string,
    written: WrittenCommon,
    amounts: readonly string[],
  ) => {
    const other = products.get(code);
    if (other) {
      const place = `${SECTION_OF[other.kind]}.${code}`;
      problems.atKey(pathOf({ kind, code }), `${code} is there twice`, `see ${place}`);
    }
    const { name, countries, categories, prices } = written;
    const priced = { kind, code, countries, amounts };
    const versions = versionsOf(priced, prices ?? [], places, problems);
    return { ...priced, name, categories, prices: versions };
  };
  const put = (product: Product) => {
    if (!products.has(product.code)) products.set(product.code, product);
  };
  for (const [code, one] of file.bouquets) {
    put({ ...common('bouquet', code, one, one.terms), contents: one.contents });
  }
  for (const [code, one] of file.singleChannels) {
    put({ ...common('channel', code, one, one.terms), contents: one.contents });
  }
  for (const [code, one] of file.addOns) {
    const addOn = addOnOf(one);
    put({ ...common('add_on', code, one, one.terms), contents: one.contents, addOn });
  }
  for (const [code, one] of file.plans) put(planOf(code, one, common));
  for (const [code, one] of file.freeTime) {
    const { reason, products: of, daysMax, onceInMonths } = one;
    put({ ...common('free_time', code, one, []), reason, products: of, daysMax, onceInMonths });
  }
  for (const [code, one] of file.goods) {
    const amounts = [...(one.terms ?? ['once']), ...(one.deposit ? ['deposit'] : [])];
    put({ ...common('goods', code, one, amounts), item: one.item, offer: one.offer });
  }
  for (const [code, one] of file.services) {
    put({ ...common('service', code, one, ['once']), work: one.work });
  }
  for (const [code, one] of file.scratchCards) {
    const { gives, product, days, bonusDays, validMonths } = one;
    const amounts = bonusDays === null ? ['value'] : ['value', 'bonus'];
    const card = { gives, product, days, bonusDays, validMonths };
    put({ ...common('scratch_card', code, one, amounts), ...card });
  }
  return products;
}

type WrittenPlan = WrittenFile['plans'] extends Map<string, infer P> ? P : never;
type CommonOf = (
  kind: 'plan',
  code: string,
  written: WrittenCommon,
  amounts: readonly string[],
) => Omit<Extract<Product, { kind: 'bouquet' | 'channel' }>, 'kind' | 'contents'> & {
  kind: 'plan';
};

function planOf(code: string, written: WrittenPlan, common: CommonOf): Product {
  const phases = written.phases.map(
    ({ fixed: isFixed, ...phase }): Phase => ({ ...phase, isFixed }),
  );
  return {
    ...common('plan', code, written, amountsOf(phases)),
    contents: written.contents,
    addOn: written.addOn && addOnOf(written.addOn),
    billing: written.billing,
    isPerUnit: written.perUnit,
    phasesOnChange: written.phasesOnChange,
    phases,
  };
}

/** `<name>` for a price per period, `<name>.fixed` for one at the start of the phase. */
const amountsOf = (phases: readonly Phase[]): string[] =>
  phases.flatMap(({ name, period, isFixed }) => [
    ...(period ? [name] : []),
    ...(isFixed ? [`${name}.fixed`] : []),
  ]);

const addOnOf = ({ availableWith, maxPerSubscription, alignedTo }: AddOnTerms): AddOnTerms => ({
  availableWith,
  maxPerSubscription,
  alignedTo,
});
