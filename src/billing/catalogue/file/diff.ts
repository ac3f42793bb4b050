/** What a new catalogue changes against an old one, in sentences for those who review it. */
import { formatMinor } from '../../../platform/money/amount.ts';
import { mapDiff } from './diff-plain.ts';
import { type Change, type Timeline, timelineChanges } from './diff-timeline.ts';
import { contentsTimelines, priceTimelines, taxTimelines, unitTimelines } from './diff-versions.ts';
import { SECTION_OF } from './products.ts';
import { writtenDunning, writtenRules } from './site-rules.ts';
import type { Country, OperatorCatalogue, Product } from './types.ts';

/**
 * One sentence a change: what holds at once first, then by the date from which it holds. Empty when
 * nothing changes. `today` (a date) tells what would change in the past.
 */
export function diffCatalogues(
  before: OperatorCatalogue,
  after: OperatorCatalogue,
  today: string,
): string[] {
  const timelines: Timeline[] = [
    ...taxTimelines(before, after),
    ...priceTimelines(before, after),
    ...contentsTimelines(before, after),
    ...unitTimelines(before, after),
  ];
  const dated = timelines
    .flatMap((timeline) => timelineChanges(timeline))
    .sort((a, b) => (a.from < b.from ? -1 : a.from > b.from ? 1 : 0));
  return [
    ...undated(before, after).map((sentence) => `At once: ${sentence}`),
    ...dated.map((change) => inWords(change, today)),
  ];
}

function inWords({ from, sentence }: Change, today: string): string {
  const isPast = from <= today ? ' This day has come: what was sold since keeps its terms.' : '';
  return `From ${from}: ${sentence}${isPast}`;
}

/** What has no date of its own, and what comes or goes as a whole. */
function undated(before: OperatorCatalogue, after: OperatorCatalogue): string[] {
  const whole = (catalogue: OperatorCatalogue) => ({ operator: catalogue.operator });
  return [
    ...mapDiff('file', new Map([['', whole(before)]]), new Map([['', whole(after)]])),
    ...mapDiff('countries', plain(before.countries, country), plain(after.countries, country)),
    ...mapDiff('sites', sites(before), sites(after)),
    ...mapDiff('cas', before.cas, after.cas),
    ...mapDiff('channels', before.channels, after.channels),
    ...Object.entries(SECTION_OF).flatMap(([kind, section]) =>
      mapDiff(section, ofKind(before, kind), ofKind(after, kind)),
    ),
    ...mapDiff('promotions', promotions(before), promotions(after)),
    ...mapDiff('tvu', plain(before.units, units), plain(after.units, units)),
    ...mapDiff('legalEntities', before.legalEntities, after.legalEntities),
    ...mapDiff('dunning', dunning(before), dunning(after)),
  ];
}

const plain = <T, U>(map: ReadonlyMap<string, T>, change: (value: T) => U): Map<string, U> =>
  new Map([...map].map(([key, value]) => [key, change(value)]));

const sites = ({ sites: all, countries }: OperatorCatalogue) =>
  plain(all, ({ rules, ...site }) => {
    const currency = countries.get(site.country)?.currency ?? '';
    return { ...site, rules: writtenRules(rules, currency) };
  });

const promotions = ({ promotions: all, countries }: OperatorCatalogue) =>
  plain(all, ({ budget, ...promotion }) => {
    const money = [...budget].map(([code, minor]): [string, string] => {
      const currency = countries.get(code)?.currency ?? '';
      return [code, `${formatMinor(minor, currency)} ${currency}`];
    });
    return { ...promotion, budget: new Map(money) };
  });

/** By site, category and the day from which debts follow it. */
const dunning = ({ dunning: all, sites: places, countries }: OperatorCatalogue) =>
  new Map(
    all.map(({ site, category, from, policy }): [string, unknown] => {
      const currency = countries.get(places.get(site)?.country ?? '')?.currency ?? '';
      const name = [site, category, `from ${from}`].filter((part) => part !== null).join(' ');
      return [name, writtenDunning(policy, currency)];
    }),
  );

/** Rates, prices and contents have dates, and are told with them. */
const country = ({ taxes, ...rest }: Country) => ({
  ...rest,
  taxes: taxes.map(({ rates: _rates, ...tax }) => tax),
});
const units = ({ operators }: { operators: ReadonlyMap<string, unknown> }) => ({
  operators: [...operators.keys()],
});

function ofKind({ products }: OperatorCatalogue, kind: string): Map<string, unknown> {
  const chosen = [...products.values()].filter((product) => product.kind === kind);
  return new Map(chosen.map((product) => [product.code, withoutDated(product)]));
}

function withoutDated(product: Product): unknown {
  const { prices: _prices, amounts: terms, ...common } = product;
  const rest = product.kind === 'plan' ? common : { ...common, terms };
  if (!('contents' in rest)) return rest;
  const { contents: _contents, ...undatedRest } = rest;
  return undatedRest;
}
