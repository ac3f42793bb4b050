/**
 * An operator on paper, for tests: literal facts, the pure decision, and the rows it writes put
 * back into the facts, as the database would. No input or output.
 */
import { rightsFor } from '../../entitlement/rights/rules.ts';
import type { Catalogue, TermName } from '../catalogue/rules.ts';
import { systemAccounts } from '../catalogue/service.ts';
import { type AccountKind, accountKey, CHART } from '../ledger/chart.ts';
import type { Lot } from '../ledger/rules.ts';
import type { Command, Saying, Settled } from './commands.ts';
import type {
  BookedPayment,
  CardFacts,
  EventPurchaseFacts,
  Facts,
  OrderFacts,
  ResellerFacts,
  SubscriberFacts,
} from './facts.ts';
import { type BatchDecision, decideBatch } from './rules.ts';
import type { SuspenseDraft, TermDraft, Writes } from './workspace.ts';

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

type Journal = Writes['journals'][number];

/** The operator as it stands; everything may be looked at, only `settle` and `order` change it. */
export interface Paper {
  readonly catalogue: Catalogue;
  readonly subscribers: Map<string, SubscriberFacts>;
  readonly resellers: Map<string, ResellerFacts>;
  /** By the card's name; the facts themselves are read with `card`. */
  readonly cardIds: Map<string, bigint>;
  readonly balances: Map<bigint, bigint>;
  readonly lots: Map<bigint, Lot>;
  readonly orders: Map<bigint, OrderFacts>;
  readonly purchases: Map<bigint, EventPurchaseFacts>;
  readonly suspense: Map<bigint, SuspenseDraft & { state: 'open' | 'returned' }>;
  readonly journals: Journal[];
  readonly terms: TermDraft[];
  /** What was to be said, in order. */
  readonly said: Saying[];
  card(name: string): CardFacts;
  order(order: Omit<OrderFacts, 'id' | 'state'>): bigint;
  /** Decides a batch and keeps what it writes. When the decision throws, nothing has changed. */
  settle(commands: readonly Command[]): Settled[];
  /** Σ of an asset's entries by account kind, zeros left out. */
  books(asset: string): Partial<Record<AccountKind, bigint>>;
}

/** One money channel a site. */
export const channelOf = (siteId: bigint): string => `pay-${siteId}`;

/** Draws up the operator; nobody has money, and nothing is paid. */
export function createPaper({ catalogue, people, resellers = [] }: PaperOptions): Paper {
  let lastId = 1_000n;
  const nextId = () => ++lastId;
  const channels = [...catalogue.sites.keys()].map((siteId) => ({ id: channelOf(siteId), siteId }));
  const kinds = new Map<bigint, AccountKind>();
  const accounts = new Map<string, bigint>();
  const balances = new Map<bigint, bigint>();
  const open = (owner: string, kind: AccountKind, asset: string): bigint => {
    const id = nextId();
    accounts.set(accountKey({ owner, kind, asset }), id);
    kinds.set(id, kind);
    if (CHART[kind] === 'exact') balances.set(id, 0n);
    return id;
  };
  for (const { owner, kind, asset } of systemAccounts(catalogue, channels)) {
    open(owner, kind, asset);
  }
  const registry = register(catalogue, people, resellers, { nextId, open });
  const kept = emptyRecords(balances);
  const answers = new Map<string, { id: bigint; settled: Settled; at: Date }>();
  const said: Saying[] = [];
  const facts = (): Facts => factsOf(registry, kept, answers);
  return {
    catalogue,
    ...registry,
    ...kept,
    said,
    card(name) {
      const card = registry.cards.get(registry.cardIds.get(name) ?? 0n);
      if (!card) throw new Error(`No card ${name}`);
      return card;
    },
    order(order) {
      const id = nextId();
      kept.orders.set(id, { ...order, id, state: 'prompted' });
      return id;
    },
    settle(commands) {
      const heard: Saying[] = [];
      const decision = decideBatch(commands, facts(), {
        ids: { next: nextId },
        catalogue,
        accounts,
        parkedIds: new Map(),
        ports: {
          rightsFor,
          messagesFor(saying) {
            heard.push(saying);
            return null;
          },
        },
      });
      said.push(...heard);
      keep(registry.cards, kept, answers, decision);
      return decision.inbox.map((draft) => draft.settled);
    },
    books(asset) {
      const sums: Partial<Record<AccountKind, bigint>> = {};
      for (const entry of kept.journals.flatMap((journal) => journal.entries)) {
        const kind = kinds.get(entry.accountId);
        if (!kind || entry.asset !== asset) continue;
        sums[kind] = (sums[kind] ?? 0n) + entry.amount;
        if (sums[kind] === 0n) delete sums[kind];
      }
      return sums;
    },
  };
}

interface Makers {
  nextId(): bigint;
  open(owner: string, kind: AccountKind, asset: string): bigint;
}

function register(
  catalogue: Catalogue,
  people: PaperOptions['people'],
  sellers: NonNullable<PaperOptions['resellers']>,
  { nextId, open }: Makers,
) {
  const subscribers = new Map<string, SubscriberFacts>();
  const resellers = new Map<string, ResellerFacts>();
  const cards = new Map<bigint, CardFacts>();
  const cardIds = new Map<string, bigint>();
  for (const { name, siteId, msisdn, cards: owned } of people) {
    const site = catalogue.sites.get(siteId);
    if (!site) throw new Error(`No site ${siteId}`);
    const id = nextId();
    const owner = `subscriber:${id}`;
    subscribers.set(name, {
      id,
      siteId,
      fullName: name,
      contactMsisdn: msisdn,
      language: site.language,
      walletId: open(owner, 'wallet_paid', site.currency),
      tvuWalletId: open(owner, 'tvu_wallet', site.tvuAsset),
      heldId: open(owner, 'held', site.currency),
    });
    for (const card of owned) {
      const cardId = nextId();
      cardIds.set(card.name, cardId);
      cards.set(cardId, cardOf(card, { id: cardId, siteId, subscriberId: id }, nextId()));
    }
  }
  for (const { name, siteId, msisdn } of sellers) {
    const id = nextId();
    const asset = catalogue.sites.get(siteId)?.tvuAsset ?? '';
    const tvuWalletId = open(`reseller:${id}`, 'tvu_wallet', asset);
    resellers.set(name, { id, siteId, name, msisdn, tvuWalletId });
  }
  return { subscribers, resellers, cards, cardIds };
}

const cardOf = (
  card: PaperCard,
  of: Pick<CardFacts, 'id' | 'siteId' | 'subscriberId'>,
  subscriptionId: bigint,
): CardFacts => ({
  ...of,
  number: card.number,
  desiredRev: 0,
  desired: [],
  subscription: {
    id: subscriptionId,
    bouquetId: card.bouquetId,
    term: card.term,
    autoRenew: card.autoRenew ?? false,
    waitingTerm: null,
    runFrom: null,
    paidUntil: null,
    baseDate: null,
    anchorDay: null,
  },
});

type Registry = ReturnType<typeof register>;
type Records = ReturnType<typeof emptyRecords>;
type Answers = Map<string, { id: bigint; settled: Settled; at: Date }>;

const emptyRecords = (balances: Map<bigint, bigint>) => ({
  balances,
  lots: new Map<bigint, Lot>(),
  orders: new Map<bigint, OrderFacts>(),
  purchases: new Map<bigint, EventPurchaseFacts>(),
  suspense: new Map<bigint, SuspenseDraft & { state: 'open' | 'returned' }>(),
  journals: [] as Journal[],
  terms: [] as TermDraft[],
});

function factsOf(registry: Registry, records: Records, answers: Answers): Facts {
  const { subscribers, resellers, cards } = registry;
  const lots = new Map<bigint, Lot[]>();
  for (const lot of records.lots.values()) {
    lots.set(lot.accountId, [...(lots.get(lot.accountId) ?? []), lot]);
  }
  const people = [...subscribers.values()];
  const sellers = [...resellers.values()];
  const purchases = [...records.purchases.values()];
  return {
    subscribers: new Map(people.map((person) => [person.id, person])),
    cards: new Map(cards),
    cardByNumber: new Map([...cards].map(([id, card]) => [card.number, id])),
    subscriberByPhone: new Map(people.map((person) => [person.contactMsisdn ?? '', person.id])),
    resellerByPhone: new Map(sellers.map((reseller) => [reseller.msisdn, reseller])),
    phoneByHash: new Map(),
    orders: new Map(records.orders),
    orderByRef: new Map(),
    balances: new Map(records.balances),
    lots,
    eventPurchases: new Map(records.purchases),
    eventsBought: new Set(purchases.map(({ eventId, cardId }) => `${eventId}/${cardId}`)),
    bookedPayments: bookedPayments(records, answers),
  };
}

function bookedPayments(records: Records, answers: Answers): Map<string, BookedPayment> {
  const reversed = new Set(records.journals.map((journal) => journal.reverses));
  const found = new Map<string, BookedPayment>();
  for (const [key, { id, settled }] of answers) {
    const journal = records.journals.find((one) => one.inboxId === id && one.kind === 'payment');
    if (!journal) continue;
    found.set(key, {
      inboxId: id,
      state: settled.state,
      journalId: journal.id,
      alreadyReversed: reversed.has(journal.id),
      entries: journal.entries,
      suspenseOpen: records.suspense.get(id)?.state === 'open',
    });
  }
  return found;
}

/** What `write.ts` does, on paper. */
function keep(
  cards: Map<bigint, CardFacts>,
  records: Records,
  answers: Answers,
  { inbox, writes }: BatchDecision,
): void {
  for (const { id, command, settled } of inbox) {
    answers.set(`${command.provider}|${command.receipt}`, { id, settled, at: command.at });
  }
  records.journals.push(...writes.journals);
  records.terms.push(...writes.terms);
  for (const [id, amount] of writes.balances) records.balances.set(id, amount);
  for (const [id, lot] of writes.lots) records.lots.set(id, lot);
  for (const [id, card] of writes.cards) cards.set(id, card);
  for (const id of writes.paidOrders.keys()) {
    const order = records.orders.get(id);
    if (order) records.orders.set(id, { ...order, state: 'paid' });
  }
  for (const item of writes.suspense) {
    records.suspense.set(item.inboxId, { ...item, state: 'open' });
  }
  for (const id of writes.returnedSuspense) {
    const item = records.suspense.get(id);
    if (item) records.suspense.set(id, { ...item, state: 'returned' });
  }
  for (const { endsAt: _e, rightsRev: _r, journalId: _j, ...facts } of writes.eventPurchases) {
    records.purchases.set(facts.id, facts);
  }
  for (const { id, state } of writes.eventStates) {
    const purchase = records.purchases.get(id);
    if (purchase) records.purchases.set(id, { ...purchase, state });
  }
}
