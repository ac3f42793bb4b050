import { readFileSync } from 'node:fs';
import { formatMinor, parseAmount } from '../../platform/money/amount.ts';
import type { Catalogue, PaymentPolicy, Site, TermName } from '../catalogue/rules.ts';
import type { Command, Settled } from './commands.ts';
import type { CardFacts } from './facts.ts';
import { faultsOf } from './faults-harness.ts';
import { channelOf, createPaper, type Paper } from './paper-harness.ts';

/**
 * Goal: the published prepaid cases come out to the cent and to the second.
 * Method: each case drives the pure rules on paper; expectations are read where the case says.
 */
interface Action {
  seq: number;
  instant: string;
  action: string;
  account?: string;
  [field: string]: unknown;
}

interface Expectation {
  step?: { after: number };
  instant?: string;
  check: string;
  value: unknown;
  [field: string]: unknown;
}

interface Plan {
  products: string[];
  tax_percent: string;
  prices: ({ from: string } & Partial<Record<TermName, string>>)[];
}

interface Case {
  id: string;
  description: string;
  catalog: string[];
  config: {
    payment?: { buys?: 'terms'; under?: 'days'; over?: 'one_term'; day_rate?: 'day_term' };
  };
  timeline: Action[];
  expected: Expectation[];
}

const file: { plans: Record<string, Plan>; cases: Case[] } = JSON.parse(
  readFileSync('test/cases/prepaid-cases.json', 'utf8'),
);

const PLACES: Record<string, Pick<Site, 'id' | 'country' | 'timeZone'>> = {
  KES: { id: 1n, country: 'KE', timeZone: 'Africa/Nairobi' },
  XOF: { id: 2n, country: 'CI', timeZone: 'Africa/Abidjan' },
  EGP: { id: 3n, country: 'EG', timeZone: 'Africa/Cairo' },
};
const TERMS: readonly TermName[] = ['day', 'week', 'month'];

const minor = (text: unknown, currency: string): bigint => {
  const read = parseAmount(String(text), currency);
  if (!read.ok) throw new Error(`${text} is no amount of ${currency}`);
  return read.minor;
};

interface Story {
  paper: Paper;
  currency: string;
  /** Names of accounts to their phones; subscriptions to their cards. */
  phones: Map<string, string>;
  cards: Map<string, string>;
  last: Settled | null;
  serial: number;
}

function openStory({ catalog, config, timeline }: Case): Story {
  const accounts = timeline.filter((one) => one.action === 'create_account');
  const currency = String(accounts[0]?.currency);
  const phones = new Map(
    accounts.map((one, i) => [one.account ?? 'main', `+25470000000${i + 1}`] as const),
  );
  const cards = new Map<string, string>();
  const { id: siteId } = PLACES[currency] ?? { id: 0n };
  const people = [...phones].map(([name, msisdn]) => {
    const owned = timeline.filter(
      (one) => one.action === 'create_subscription' && (one.account ?? 'main') === name,
    );
    for (const one of owned) cards.set(String(one.ref), String(one.card));
    return {
      name,
      siteId,
      msisdn,
      cards: owned.map((one) => ({
        name: String(one.card),
        number: String(one.card),
        bouquetId: BigInt(catalog.indexOf(String(one.plan)) + 1),
        term: (one.term ?? 'month') as TermName,
      })),
    };
  });
  const paper = createPaper({ catalogue: catalogueOf(catalog, currency, config), people });
  return { paper, currency, phones, cards, last: null, serial: 0 };
}

function catalogueOf(
  plans: readonly string[],
  currency: string,
  { payment = {} }: Case['config'],
): Catalogue {
  const place = PLACES[currency];
  if (!place) throw new Error(`No place with ${currency}`);
  const policy: PaymentPolicy = {
    buys: payment.buys ?? 'credit',
    under: payment.under ?? 'credit',
    over: payment.over ?? 'one_term',
    dayRate: payment.day_rate ?? 'month/30',
  };
  const site: Site = {
    ...place,
    currency,
    code: place.country,
    name: place.country,
    tvuAsset: `TVU-${place.country}`,
    language: 'en',
    payment: policy,
  };
  const bouquets = plans.map((name, i) => {
    const plan = file.plans[name];
    if (!plan) throw new Error(`No plan ${name}`);
    const versions = (term: TermName) =>
      plan.prices.flatMap(({ from, [term]: price }) =>
        price === undefined ? [] : [{ from: new Date(from), amount: minor(price, currency) }],
      );
    return {
      id: BigInt(i + 1),
      siteId: site.id,
      code: name,
      name,
      taxPermyriad: BigInt(plan.tax_percent) * 100n,
      products: plan.products,
      prices: Object.fromEntries(TERMS.map((term) => [term, versions(term)])),
    };
  });
  return {
    sites: new Map([[site.id, site]]),
    bouquets: new Map(bouquets.map((bouquet) => [bouquet.id, bouquet])),
    events: new Map(),
    tariffs: new Map(),
  };
}

function act(story: Story, action: Action): void {
  const command = commandOf(story, action);
  if (command) story.last = story.paper.settle([command])[0] ?? null;
}

function commandOf(story: Story, action: Action): Command | null {
  const { paper, currency } = story;
  const { id: siteId } = PLACES[currency] ?? { id: 0n };
  story.serial += 1;
  const base = {
    provider: String(action.provider ?? 'till'),
    receipt: String(action.receipt ?? `T${story.serial}`),
    channelId: channelOf(siteId),
    siteId,
    at: new Date(action.instant),
    raw: Buffer.alloc(0),
  };
  const phone = story.phones.get(action.account ?? 'main') ?? '';
  const card = story.cards.get(String(action.ref)) ?? '';
  switch (action.action) {
    case 'top_up':
    case 'payment':
      return {
        ...base,
        kind: 'payment',
        amount: minor(action.amount, currency),
        asset: String(action.currency ?? currency),
        accountRef: String(action.card ?? phone),
        payerMsisdn: action.payer === undefined ? null : String(action.payer),
        payerHash: null,
        orderId: null,
      };
    case 'buy_term': {
      const term = action.term as TermName;
      const cardId = paper.card(card).id;
      const purpose = { kind: 'term', cardId, term } as const;
      return { ...base, kind: 'buy', msisdn: phone, purpose, means: 'credit' };
    }
    case 'payment_reversed': {
      const original = { provider: base.provider, receipt: base.receipt };
      return { ...base, receipt: `X${story.serial}`, kind: 'reverse_payment', original };
    }
    case 'set_auto_renew': {
      const { subscription } = paper.card(card);
      if (subscription) Object.assign(subscription, { autoRenew: true, term: action.term });
      return null;
    }
    case 'create_account':
    case 'create_subscription':
      return null;
    default:
      throw new Error(`Not in these cases: ${action.action}`);
  }
}

/** What the scheduler does by itself: terms that end at or before `at` renew. */
function renewUntil({ paper, currency, ...story }: Story, at: Date): void {
  const { id: siteId } = PLACES[currency] ?? { id: 0n };
  const dueCard = (): CardFacts | undefined =>
    [...story.cards.values()].map(paper.card).find(({ subscription: s }) => {
      return s?.autoRenew && !s.waitingTerm && s.paidUntil !== null && s.paidUntil <= at;
    });
  for (let card = dueCard(); card; card = dueCard()) {
    const end = card.subscription?.paidUntil ?? at;
    const receipt = `renew ${card.number} ${end.toISOString()}`;
    const base = { provider: 'clock', receipt, channelId: channelOf(siteId), siteId, at: end };
    paper.settle([{ ...base, kind: 'renew', raw: Buffer.alloc(0), cardId: card.id }]);
  }
}

const seconds = (at: Date | null | undefined): string | undefined =>
  at?.toISOString().replace('.000Z', 'Z');

function read(story: Story, wanted: Expectation, at: Date): unknown {
  const { paper, currency } = story;
  const card = paper.cardIds.has(story.cards.get(String(wanted.ref)) ?? '')
    ? paper.card(story.cards.get(String(wanted.ref)) ?? '')
    : null;
  const run = card?.subscription;
  switch (wanted.check) {
    case 'term':
      return run?.runFrom ? { from: seconds(run.runFrom), to: seconds(run.paidUntil) } : null;
    case 'state':
      return !run?.paidUntil ? 'NEW' : run.paidUntil > at ? 'ACTIVE' : 'EXPIRED';
    case 'rights':
      return paper
        .card(String(wanted.card))
        .desired.filter((right) => right.to > at)
        .map(({ product, from, to }) => ({ product, from: seconds(from), to: seconds(to) }));
    case 'wallet': {
      const owner = paper.subscribers.get(String(wanted.account ?? 'main'));
      const amount = (id = 0n) => formatMinor(paper.balances.get(id) ?? 0n, currency);
      const none = formatMinor(0n, currency);
      return {
        paid: amount(owner?.walletId),
        promo: none,
        held: amount(owner?.heldId),
        owed: none,
      };
    }
    case 'journal':
      return { [currency]: journalOf(paper, currency) };
    case 'journals_balanced':
      return faultsOf(paper).length === 0;
    case 'error':
      return story.last?.code ?? null;
    case 'message':
      return messageOf(story, wanted);
    default:
      throw new Error(`Not in these cases: ${wanted.check}`);
  }
}

function journalOf(paper: Paper, currency: string): Record<string, string> {
  const { deferred_revenue = 0n, earned_revenue = 0n, ...others } = paper.books(currency);
  const sums = { ...others, revenue: deferred_revenue + earned_revenue };
  return Object.fromEntries(
    Object.entries(sums)
      .filter(([, sum]) => sum !== 0n)
      .map(([kind, sum]) => [kind, formatMinor(sum, currency)]),
  );
}

function messageOf({ paper, currency }: Story, wanted: Expectation): unknown {
  const { kind } = wanted.value as { kind: string };
  for (const { message } of [...paper.said].reverse()) {
    const missing =
      kind === 'missing_amount' && message.name === 'credit_kept'
        ? message.missing?.amount
        : kind === 'renewal_failed' && message.name === 'renewal_failed'
          ? message.missing
          : undefined;
    if (missing !== undefined) {
      return { kind, to: 'subscriber', amount: formatMinor(missing, currency) };
    }
  }
  return null;
}

describe('the case', () => {
  it.each(file.cases.map((one) => [one.id, one] as const))('%s comes out', (_id, one) => {
    const story = openStory(one);
    const found: unknown[] = [];
    const check = (wanted: Expectation, at: Date) =>
      found.push({ ...wanted, value: read(story, wanted, at) });
    const timed = one.expected.filter((wanted) => !wanted.step);
    const moments = [...one.timeline, ...timed].sort((a, b) => {
      const [x, y] = [Date.parse(a.instant ?? ''), Date.parse(b.instant ?? '')];
      // A reading comes before the actions of its instant.
      return x - y || Number('seq' in a) - Number('seq' in b);
    });
    for (const moment of moments) {
      const at = new Date(moment.instant ?? '');
      renewUntil(story, at);
      if ('check' in moment) {
        check(moment as Expectation, at);
        continue;
      }
      act(story, moment as Action);
      const after = one.expected.filter((wanted) => wanted.step?.after === (moment as Action).seq);
      for (const wanted of after) check(wanted, at);
    }
    expect(found).toEqual(expect.arrayContaining(one.expected));
    expect(found).toHaveLength(one.expected.length);
  });
});
