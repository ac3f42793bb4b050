/** The dated things of a catalogue as histories that can be compared. */
import { formatMinor } from '../../../platform/money/amount.ts';
import type { Timeline } from './diff-timeline.ts';
import { percentText, taxOn } from './tax.ts';
import type { Contents, OperatorCatalogue, PriceVersion, Tax } from './types.ts';

type Both = readonly [OperatorCatalogue, OperatorCatalogue];

const keysOf = (maps: readonly ReadonlyMap<string, unknown>[]): string[] => [
  ...new Set(maps.flatMap((map) => [...map.keys()])),
];

/** `costs x.` or `costs x instead of y.` */
const instead = (is: string, was: string | null): string =>
  was === null ? `${is}.` : `${is} instead of ${was.replace(/^(is|costs|give) /, '')}.`;

/** Texts that hold from dates on, compared as they read. */
function texts(
  subject: string,
  histories: readonly [readonly Dated[], readonly Dated[]],
  none: string,
): Timeline<string> {
  const on = (history: readonly Dated[], date: string) => {
    const running = history.filter(({ from, until }) => from <= date && (!until || date < until));
    return running.at(-1)?.text ?? null;
  };
  const [before, after] = histories;
  return {
    dates: [...before, ...after].flatMap(({ from, until }) => (until ? [from, until] : [from])),
    before: (date) => on(before, date),
    after: (date) => on(after, date),
    isSame: (a, b) => a === b,
    say: (is, was) => `${subject} ${instead(is ?? none, was)}`,
  };
}

interface Dated {
  from: string;
  until?: string | null;
  text: string;
}

export function taxTimelines(...both: Both): Timeline[] {
  const ratesIn = (catalogue: OperatorCatalogue) => {
    const taxes = [...catalogue.countries.values()].flatMap(({ code, taxes: own }) =>
      own.map((tax): [string, Tax] => [`${tax.code} in ${code}`, tax]),
    );
    return new Map(taxes);
  };
  const [before, after] = [ratesIn(both[0]), ratesIn(both[1])];
  const history = (tax: Tax | undefined): Dated[] =>
    (tax?.rates ?? []).map(({ from }) => {
      const applied = tax ? taxOn(tax, from) : null;
      return { from, text: `is ${percentText(applied?.ppm ?? 0n)}` };
    });
  return keysOf([before, after]).map((name) =>
    texts(name, [history(before.get(name)), history(after.get(name))], 'is no tax'),
  );
}

export function priceTimelines(...both: Both): Timeline[] {
  const [before, after] = both.map(pricesByScope);
  if (!before || !after) return [];
  return keysOf([before, after]).map((scope) =>
    texts(scope, [before.get(scope) ?? [], after.get(scope) ?? []], 'has no price of its own'),
  );
}

function pricesByScope({ products, countries }: OperatorCatalogue): Map<string, Dated[]> {
  const scopes = new Map<string, Dated[]>();
  for (const product of products.values()) {
    const named = [...product.prices].flatMap(([amount, versions]) =>
      versions.map((version) => ({ amount, version })),
    );
    for (const { amount, version } of named) {
      const { country, site, category, from, until } = version;
      const where = site === null ? country : `${country} at ${site}`;
      const scope = `${product.code}, ${amount}, in ${where}${category ? ` for ${category}` : ''}`;
      const text = priceText(version, countries.get(country)?.currency ?? '');
      scopes.set(scope, [...(scopes.get(scope) ?? []), { from, until, text }]);
    }
  }
  return scopes;
}

function priceText(version: PriceVersion, currency: string): string {
  if (version.amount === null) return 'is not sold';
  const taxes = version.taxMode === 'exclusive' ? ' and taxes' : '';
  const existing =
    version.existingFrom === null ? '' : ` (who has it already: from ${version.existingFrom})`;
  return `costs ${formatMinor(version.amount, currency)} ${currency}${taxes}${existing}`;
}

export function contentsTimelines(...both: Both): Timeline[] {
  const [before, after] = both.map(contentsByScope);
  if (!before || !after) return [];
  return keysOf([before, after]).map((scope) => {
    const on = (history: readonly Contents[] | undefined) => (date: string) =>
      history?.findLast(({ from }) => from <= date) ?? null;
    const [was, is] = [before.get(scope), after.get(scope)];
    const timeline: Timeline<Contents> = {
      dates: [...(was ?? []), ...(is ?? [])].map(({ from }) => from),
      before: on(was),
      after: on(is),
      isSame: (a, b) => isSameSet(a.channels, b.channels) && isSameSet(a.cas, b.cas),
      say: (now, then) => `${scope} ${contentsText(now, then)}.`,
    };
    return timeline as Timeline;
  });
}

function contentsByScope({ products }: OperatorCatalogue): Map<string, Contents[]> {
  const scopes = new Map<string, Contents[]>();
  for (const product of products.values()) {
    if (!('contents' in product)) continue;
    for (const contents of product.contents) {
      const { country } = contents;
      const scope = country === null ? product.code : `${product.code} in ${country}`;
      scopes.set(scope, [...(scopes.get(scope) ?? []), contents]);
    }
  }
  return scopes;
}

const isSameSet = (a: readonly string[], b: readonly string[]): boolean =>
  without(a, b).length === 0 && without(b, a).length === 0;

const without = (all: readonly string[], some: readonly string[]): string[] =>
  all.filter((one) => !some.includes(one));

/** Gains and losses of channels, and of the products that open them. */
function contentsText(now: Contents | null, then: Contents | null): string {
  if (!now) return 'has no contents of its own';
  if (!then) return `holds ${now.channels.join(', ')}, opened by ${now.cas.join(', ')}`;
  const parts: [string, string[]][] = [
    ['gains', without(now.channels, then.channels)],
    ['loses', without(then.channels, now.channels)],
    ['is opened by', without(now.cas, then.cas)],
    ['is no longer opened by', without(then.cas, now.cas)],
  ];
  return parts
    .flatMap(([verb, what]) => (what.length ? [`${verb} ${what.join(', ')}`] : []))
    .join('; ');
}

export function unitTimelines(...both: Both): Timeline[] {
  const [before, after] = both.map(unitHistories);
  if (!before || !after) return [];
  return keysOf([before, after]).map((name) =>
    texts(name, [before.get(name) ?? [], after.get(name) ?? []], 'is not sold'),
  );
}

function unitHistories({ units, countries }: OperatorCatalogue): Map<string, Dated[]> {
  const histories = new Map<string, Dated[]>();
  for (const { country, operators, credit } of units.values()) {
    const currency = countries.get(country)?.currency ?? '';
    const money = (minor: bigint) => `${formatMinor(minor, currency)} ${currency}`;
    for (const [operator, rows] of operators) {
      const history = rows.map(({ from, price }) => ({ from, text: `costs ${money(price)}` }));
      histories.set(`A TV unit of ${operator} in ${country}`, history);
    }
    const worth = credit.map((row) => ({
      from: row.from,
      text: `give ${money(row.value)} for each ${row.units}`,
    }));
    histories.set(`TV units in ${country}`, worth);
  }
  return histories;
}
