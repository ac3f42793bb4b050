/** The sections of the file and what may stand in them. */
import { isScalar } from 'yaml';
import { TERM_PATTERN } from '../terms.ts';
import { priceRow, ROW_WORDS, written } from './amounts.ts';
import type { Path, Problems } from './problems.ts';
import {
  choice,
  date,
  flag,
  integer,
  listOf,
  mapOf,
  optional,
  pattern,
  percent,
  type Reader,
  type ReadOf,
  record,
  reference,
  text,
  versionsBy,
  withDefault,
} from './reader.ts';
import { CATEGORIES, TAXED_KINDS } from './types.ts';

/** Sections that others refer to. */
type Section = 'cas' | 'channels' | 'bouquets' | 'singleChannels' | 'addOns' | 'plans';

const NAME_CHARS_MAX = 60;
const CURRENCY_CHARS_MAX = 3;
/** Longer names do not fit the texts and screens that subscribers see. */
const SHORT_NAME_CHARS_MAX = 16;

const CODE = { form: /^[A-Z0-9_]{2,16}$/, words: '2 to 16 of A-Z, 0-9 and _' };
const COUNTRY = { form: /^[A-Z]{2}$/, words: 'a country of ISO 3166, like KE' };
const OPERATOR = { form: /^[a-z][a-z0-9-]{1,20}$/, words: 'the name of an operator, like orange' };
const TERM = {
  form: TERM_PATTERN,
  words: 'day, week, month, quarter, year, pass24, or a number of days like 10d',
};

const name = text(NAME_CHARS_MAX);
const shortName = text(SHORT_NAME_CHARS_MAX);
const code = pattern(CODE.form, CODE.words);
const named = (...sections: Section[]): Reader<string> =>
  reference(CODE.form, CODE.words, sections);
const countryCode = reference(COUNTRY.form, COUNTRY.words, ['countries']);
const RIGHTS = ['bouquets', 'singleChannels', 'addOns'] as const;
const term = pattern(TERM.form, TERM.words);

const country = record({
  name,
  currency: text(CURRENCY_CHARS_MAX),
  timeZone: text(NAME_CHARS_MAX),
  taxMode: choice('inclusive', 'exclusive'),
  taxes: listOf(
    record({
      code,
      name,
      on: withDefault(listOf(pattern(/^(net|[A-Z0-9_]{2,16})$/, 'net or a tax'), 1), ['net']),
      appliesTo: withDefault(listOf(choice(...TAXED_KINDS), 1), [...TAXED_KINDS]),
      rates: versionsBy(record({ from: date, percent })),
    }),
  ),
});

/** Judged by the schemas of `policy.ts` once the currency is known. */
const asItStands: Reader<unknown> = (node) => node ?? null;

const site = record({
  name,
  country: countryCode,
  timeZone: optional(text(NAME_CHARS_MAX)),
  language: choice('en', 'fr'),
  payment: asItStands,
  rules: optional(asItStands),
  postpaid: optional(asItStands),
});

const channel = record({
  name,
  freeToAir: withDefault(flag, false),
  cas: withDefault(listOf(named('cas')), []),
});

const contents = versionsBy(
  record({
    from: date,
    country: optional(countryCode),
    channels: listOf(named('channels'), 1),
    cas: listOf(named('cas'), 1),
  }),
);

/** What all that is sold has in common. */
const sold = {
  countries: listOf(countryCode, 1),
  categories: optional(listOf(choice(...CATEGORIES), 1)),
};
const prices = listOf(priceRow, 1);
const terms = listOf(term, 1);

const addOnTerms = (...bases: Section[]) => ({
  availableWith: listOf(named(...bases), 1),
  maxPerSubscription: integer(1, 100),
  alignedTo: choice('base', 'self'),
});

const bouquet = record({ name: shortName, ...sold, terms, contents, prices });

/** `null` or `{days: 30}`, `{months: 6}`, `{years: 1}`. */
const length: Reader<{ days: number } | { months: number } | { years: number } | null> = (
  node,
  path,
  problems,
) => {
  if (isScalar(node) && node.value === null) return null;
  const count = optional(integer(1, 1_000));
  const read = record({ days: count, months: count, years: count })(node, path, problems);
  if (!read) return undefined;
  const said = Object.entries(read).filter(([, value]) => value !== null);
  const [first] = said;
  if (said.length !== 1 || !first) {
    problems.at(path, 'must be one of days, months, years', 'for example { months: 6 }');
    return undefined;
  }
  return Object.fromEntries([first]) as { days: number } | { months: number } | { years: number };
};

/** No dot: `<name>.fixed` is the one-off price. No word of a price row. */
const phaseName: Reader<string> = (node, path, problems) => {
  const read = pattern(/^[a-z][a-z0-9_]{0,30}$/, 'a small word like trial')(node, path, problems);
  if (read !== undefined && ROW_WORDS.includes(read)) {
    problems.at(path, `${read} has a meaning in prices already`);
  }
  return read;
};

const phase = record({
  name: phaseName,
  type: choice('trial', 'discount', 'fixed_term', 'evergreen'),
  length: optional(length),
  period: optional(choice('weekly', 'thirty_days', 'monthly', 'quarterly', 'annual')),
  fixed: withDefault(flag, false),
});

const plan = record({
  name,
  ...sold,
  billing: choice('in_advance', 'in_arrears'),
  perUnit: withDefault(flag, false),
  phasesOnChange: withDefault(choice('subscription_start', 'change_date'), 'subscription_start'),
  addOn: optional(record(addOnTerms('plans'))),
  phases: listOf(phase, 1),
  contents,
  prices,
});

const freeTime = record({
  name,
  ...sold,
  reason: choice('goodwill', 'promotion', 'trial', 'demo', 'staff'),
  products: listOf(named(...RIGHTS, 'plans'), 1),
  daysMax: integer(1, 366),
  onceInMonths: optional(integer(1, 120)),
});

const goods = record({
  name,
  ...sold,
  item: choice('decoder', 'smart_card', 'antenna_kit', 'accessory'),
  offer: choice('sale', 'rental'),
  terms: optional(terms),
  deposit: withDefault(flag, false),
  prices,
});

const service = record({
  name,
  ...sold,
  work: choice('installation', 'assistance', 'repair', 'relocation'),
  prices,
});

const scratchCard = record({
  name,
  ...sold,
  gives: choice('amount', 'days'),
  product: optional(named(...RIGHTS)),
  days: optional(integer(1, 366)),
  bonusDays: optional(integer(1, 366)),
  validMonths: integer(1, 60),
  prices,
});

const promotion = record({
  name,
  product: named(...RIGHTS),
  term,
  bonusDays: integer(1, 366),
  from: date,
  until: date,
  budget: mapOf(written, COUNTRY),
});

const unitMarket = record({
  operators: mapOf(versionsBy(record({ from: date, price: written })), OPERATOR),
  credit: versionsBy(record({ from: date, units: integer(1, 1_000_000), value: written })),
});

const NUMBER_FORMAT = {
  form: /^(?=.*\{year\})(?=.*\{number(:[1-9]\d?)?\}).{1,60}$/,
  words: 'text with {year} and {number:digits}, like INV-{year}-{number:6}',
};
const numberFormat = pattern(NUMBER_FORMAT.form, NUMBER_FORMAT.words);

const legalEntity = record({
  name,
  taxNumber: optional(text(NAME_CHARS_MAX)),
  fiscalMonth: withDefault(integer(1, 12), 1),
  invoiceFormat: withDefault(numberFormat, 'INV-{year}-{number:6}'),
  creditNoteFormat: withDefault(numberFormat, 'CN-{year}-{number:6}'),
  sites: listOf(reference(CODE.form, CODE.words, ['sites']), 1),
});

const dunning = record({
  site: reference(CODE.form, CODE.words, ['sites']),
  category: optional(choice(...CATEGORIES)),
  from: date,
  policy: asItStands,
});

/** All sections; those left out are empty. */
export const FILE_FIELDS = {
  format: choice('vip-catalogue/1'),
  operator: name,
  countries: mapOf(country, COUNTRY),
  sites: mapOf(site, CODE),
  cas: mapOf(name, CODE),
  channels: mapOf(channel, CODE),
  bouquets: mapOf(bouquet, CODE),
  singleChannels: withDefault(mapOf(bouquet, CODE), new Map()),
  addOns: withDefault(
    mapOf(
      record({ name: shortName, ...sold, ...addOnTerms(...RIGHTS), terms, contents, prices }),
      CODE,
    ),
    new Map(),
  ),
  plans: withDefault(mapOf(plan, CODE), new Map()),
  freeTime: withDefault(mapOf(freeTime, CODE), new Map()),
  goods: withDefault(mapOf(goods, CODE), new Map()),
  services: withDefault(mapOf(service, CODE), new Map()),
  scratchCards: withDefault(mapOf(scratchCard, CODE), new Map()),
  promotions: withDefault(mapOf(promotion, CODE), new Map()),
  tvu: withDefault(mapOf(unitMarket, COUNTRY), new Map()),
  legalEntities: withDefault(mapOf(legalEntity, CODE), new Map()),
  dunning: withDefault(listOf(dunning), []),
};

export type WrittenFile = ReadOf<typeof FILE_FIELDS>;

/** The file as written; what can't be read is left out, with problems. */
export const readSections = (
  node: unknown,
  path: Path,
  problems: Problems,
): WrittenFile | undefined => record(FILE_FIELDS)(node, path, problems);
