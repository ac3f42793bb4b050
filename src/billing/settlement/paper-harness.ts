/**
 * An operator on paper, for tests: literal facts, the pure decision, and the rows it writes put
 * back into the facts, as the database would. No input or output.
 */
import { rightsFor } from '../../entitlement/rights/rules.ts';
import type { Catalogue, TermName } from '../catalogue/rules.ts';
import { systemAccounts } from '../catalogue/service.ts';
import { type AccountKind, type AccountName, accountKey, CHART } from '../ledger/chart.ts';
import type { Command, Saying, Settled } from './commands.ts';
import { contentOf } from './content.ts';
import type {
  CardFacts,
  Facts,
  OrderFacts,
  ResellerFacts,
  SubscriberFacts,
  SubscriptionFacts,
} from './facts.ts';
import { type Answers, emptyRecords, factsOf, keep, type Records } from './paper-records.ts';
import { type Preview, previewIds, previewOf } from './preview.ts';
import { decideBatch } from './rules.ts';
import type { Tools } from './workspace.ts';

export interface PaperCard {
  name: string;
  number: string;
  bouquetId: bigint;
  term: TermName;
  autoRenew?: boolean;
}

export interface PaperPerson {
  name: string;
  siteId: bigint;
  msisdn: string;
  cards: readonly PaperCard[];
}

export interface PaperOptions {
  catalogue: Catalogue;
  people: readonly PaperPerson[];
  resellers?: readonly Omit<PaperPerson, 'cards'>[];
}

/** What can be said of a subscription when it is opened. */
export type NewSubscription = Pick<SubscriptionFacts, 'bouquetId' | 'term'> &
  Partial<SubscriptionFacts>;

/** Who is known, by name; a name stays with what it was given to first. */
export interface Registry {
  readonly subscribers: Map<string, SubscriberFacts>;
  readonly resellers: Map<string, ResellerFacts>;
  /** By the card's name; the facts themselves are read with `card`. */
  readonly cardIds: Map<string, bigint>;
  readonly cards: Map<bigint, CardFacts>;
  /** Closed ones too, whose card has another by now. */
  readonly subscriptions: Map<bigint, SubscriptionFacts>;
  /** Products that the conditional-access system of the cards does not carry. */
  readonly missing: Set<string>;
}

/** The operator as it stands; everything may be looked at, only its acts change it. */
export interface Paper extends Registry, Records {
  readonly catalogue: Catalogue;
  /** What was to be said, in order. */
  readonly said: Saying[];
  card(name: string): CardFacts;
  order(order: Omit<OrderFacts, 'id' | 'state'>): bigint;
  openSubscriber(person: Omit<PaperPerson, 'cards'>): SubscriberFacts;
  /** Opens a subscription on a card, which is made when its name is new. Returns its id. */
  openSubscription(
    card: { name: string; number: string; subscriberId: bigint },
    subscription: NewSubscription,
  ): bigint;
  /** Decides a batch and keeps what it writes. When the decision throws, nothing has changed. */
  settle(commands: readonly Command[]): Settled[];
  /** What a command would do; nothing changes. */
  preview(command: Command): Preview;
  /** The same for one command that may have come before, as the door does it. */
  settleOnce(command: Command): { first: boolean; differs: boolean; settled: Settled };
  /** The command behind an inbox row. */
  payment(inboxId: bigint): Command | null;
  /** Σ of an asset's entries by account kind, zeros left out. */
  books(asset: string): Partial<Record<AccountKind, bigint>>;
  /** Σ of the entries of one account. */
  booked(name: AccountName): bigint;
}

/** One money channel a site. */
export const channelOf = (siteId: bigint): string => `pay-${siteId}`;

/** Draws up the operator; nobody has money, and nothing is paid. */
export function createPaper({ catalogue, people, resellers = [] }: PaperOptions): Paper {
  const accounts = new Map<string, bigint>();
  const kept = emptyRecords();
  const makers = makersOf(accounts, kept);
  const { nextId, open } = makers;
  const channels = [...catalogue.sites.keys()].map((siteId) => ({ id: channelOf(siteId), siteId }));
  for (const name of systemAccounts(catalogue, channels)) open(name);
  const registry: Registry = {
    subscribers: new Map(),
    resellers: new Map(),
    cardIds: new Map(),
    missing: new Set(),
    cards: new Map(),
    subscriptions: new Map(),
  };
  const paper: Paper = {
    catalogue,
    ...registry,
    ...kept,
    card(name) {
      const card = registry.cards.get(registry.cardIds.get(name) ?? 0n);
      if (!card) throw new Error(`No card ${name}`);
      return card;
    },
    order(order) {
      const id = nextId();
      kept.orders.set(id, { ...order, id, state: 'pending' });
      return id;
    },
    openSubscriber: (person) => openSubscriber(catalogue, registry, makers, person),
    openSubscription: (card, subscription) =>
      openSubscription(registry, makers, card, subscription),
    ...doorOf({ catalogue, registry, kept, accounts, nextId }),
    books: (asset) => booksOf(kept, asset),
    booked: (name) =>
      kept.journals
        .flatMap((journal) => journal.entries)
        .filter((entry) => entry.accountId === accounts.get(accountKey(name)))
        .reduce((sum, entry) => sum + entry.amount, 0n),
  };
  for (const { cards, ...person } of people) {
    const { id } = paper.openSubscriber(person);
    for (const { name, number, ...subscription } of cards) {
      paper.openSubscription({ name, number, subscriberId: id }, subscription);
    }
  }
  for (const { name, siteId, msisdn } of resellers) {
    const id = nextId();
    const asset = catalogue.sites.get(siteId)?.tvuAsset ?? '';
    const tvuWalletId = open({ owner: `reseller:${id}`, kind: 'tvu_wallet', asset });
    registry.resellers.set(name, { id, siteId, name, msisdn, tvuWalletId });
  }
  return paper;
}

function makersOf(accounts: Map<string, bigint>, kept: Records): Makers {
  let lastId = 1_000n;
  const nextId = () => ++lastId;
  return {
    nextId,
    open(name) {
      const id = nextId();
      accounts.set(accountKey(name), id);
      kept.kinds.set(id, name.kind);
      if (CHART[name.kind] === 'exact') kept.balances.set(id, 0n);
      return id;
    },
  };
}

interface Door {
  catalogue: Catalogue;
  registry: Registry;
  kept: Records;
  accounts: ReadonlyMap<string, bigint>;
  nextId(): bigint;
}

/** Commands decided, kept, and answered again. */
function doorOf({ catalogue, registry, kept, accounts, nextId }: Door) {
  const answers: Answers = new Map();
  const said: Saying[] = [];
  const decide = (commands: readonly Command[], facts: Facts, ids: Tools['ids']) => {
    const heard: Saying[] = [];
    const messagesFor = (saying: Saying): null => {
      heard.push(saying);
      return null;
    };
    const carries = (_cas: string, product: string) => !registry.missing.has(product);
    const ports = { rightsFor, messagesFor, carries };
    const tools = { ids, catalogue, accounts, parkedIds: new Map(), ports };
    return { heard, decision: decideBatch(commands, facts, tools) };
  };
  const settle = (commands: readonly Command[]): Settled[] => {
    const facts = factsOf(registry, kept, answers);
    const { heard, decision } = decide(commands, facts, { next: nextId });
    said.push(...heard);
    keep(registry, kept, answers, decision);
    return decision.inbox.map((draft) => draft.settled);
  };
  return {
    said,
    settle,
    preview(command: Command): Preview {
      const facts = factsOf(registry, kept, answers);
      return previewOf(decide([command], facts, previewIds()).decision, facts);
    },
    settleOnce(command: Command) {
      const before = answers.get(`${command.provider}|${command.receipt}`);
      if (before) {
        const differs = contentOf(before.command) !== contentOf(command);
        return { first: false, differs, settled: before.settled };
      }
      const [settled] = settle([command]);
      if (!settled) throw new Error('A command was not answered');
      return { first: true, differs: false, settled };
    },
    payment: (inboxId: bigint): Command | null =>
      [...answers.values()].find((answer) => answer.id === inboxId)?.command ?? null,
  };
}

function booksOf(
  { journals, kinds }: Records,
  asset: string,
): Partial<Record<AccountKind, bigint>> {
  const sums: Partial<Record<AccountKind, bigint>> = {};
  for (const entry of journals.flatMap((journal) => journal.entries)) {
    const kind = kinds.get(entry.accountId);
    if (!kind || entry.asset !== asset) continue;
    sums[kind] = (sums[kind] ?? 0n) + entry.amount;
    if (sums[kind] === 0n) delete sums[kind];
  }
  return sums;
}

interface Makers {
  nextId(): bigint;
  open(name: AccountName): bigint;
}

function openSubscriber(
  catalogue: Catalogue,
  registry: Registry,
  { nextId, open }: Makers,
  { name, siteId, msisdn }: Omit<PaperPerson, 'cards'>,
): SubscriberFacts {
  const site = catalogue.sites.get(siteId);
  if (!site) throw new Error(`No site ${siteId}`);
  const id = nextId();
  const owner = `subscriber:${id}`;
  const subscriber: SubscriberFacts = {
    id,
    siteId,
    fullName: name,
    contactMsisdn: msisdn,
    language: site.language,
    walletId: open({ owner, kind: 'wallet_paid', asset: site.currency }),
    tvuWalletId: open({ owner, kind: 'tvu_wallet', asset: site.tvuAsset }),
    heldId: open({ owner, kind: 'held', asset: site.currency }),
  };
  registry.subscribers.set(name, subscriber);
  return subscriber;
}

function openSubscription(
  registry: Registry,
  { nextId }: Makers,
  of: { name: string; number: string; subscriberId: bigint },
  given: NewSubscription,
): bigint {
  const owner = [...registry.subscribers.values()].find(({ id }) => id === of.subscriberId);
  if (!owner) throw new Error(`No subscriber ${of.subscriberId}`);
  const cardId = registry.cardIds.get(of.name) ?? nextId();
  const known = registry.cards.get(cardId);
  const subscription: SubscriptionFacts = {
    autoRenew: false,
    waitingTerm: null,
    runFrom: null,
    paidUntil: null,
    baseDate: null,
    anchorDay: null,
    ...given,
    id: nextId(),
  };
  registry.cardIds.set(of.name, cardId);
  registry.subscriptions.set(subscription.id, subscription);
  registry.cards.set(cardId, {
    id: cardId,
    number: of.number,
    siteId: owner.siteId,
    subscriberId: of.subscriberId,
    casId: 'vip-control',
    desiredRev: known?.desiredRev ?? 0,
    desired: known?.desired ?? [],
    coverage: known?.coverage ?? [],
    older: known?.coverage ?? [],
    subscription,
  });
  const main = registry.cards.get(given.mainCardId ?? 0n);
  if (main?.subscription) {
    const isMain = { ...main.subscription, isMain: true };
    registry.cards.set(main.id, { ...main, subscription: isMain });
    registry.subscriptions.set(isMain.id, isMain);
  }
  return subscription.id;
}
