/** The rows of an operator on paper: facts made of them, and what a batch writes put back. */
import type { AccountKind } from '../ledger/chart.ts';
import type { Lot } from '../ledger/rules.ts';
import type { Command, Settled } from './commands.ts';
import type {
  BookedPayment,
  CommissionFacts,
  DebtFacts,
  EventPurchaseFacts,
  Facts,
  InvoiceFacts,
  LineFacts,
  MoveFacts,
  OrderFacts,
  PaymentPlace,
  PromotionFacts,
  RareFacts,
  TrialFacts,
  VoucherFacts,
} from './facts.ts';
import type { Registry } from './paper-harness.ts';
import type { BatchDecision, InboxDraft } from './rules.ts';
import type { PaymentParty, SuspenseDraft, Writes } from './workspace.ts';

type Journal = Writes['journals'][number];

export interface Records {
  readonly kinds: Map<bigint, AccountKind>;
  readonly balances: Map<bigint, bigint>;
  readonly lots: Map<bigint, Lot>;
  readonly orders: Map<bigint, OrderFacts>;
  readonly purchases: Map<bigint, EventPurchaseFacts>;
  readonly suspense: Map<bigint, SuspenseDraft & { state: 'open' | 'returned' | 'claimed' }>;
  readonly journals: Journal[];
  readonly terms: Map<bigint, LineFacts>;
  readonly debts: Map<bigint, DebtFacts>;
  readonly moves: Map<bigint, MoveFacts>;
  readonly places: PaymentPlace[];
  readonly vouchers: Map<string, VoucherFacts>;
  /** By `<siteId>|<code>`. */
  readonly promotions: Map<string, PromotionFacts>;
  readonly promotionUses: Set<string>;
  readonly trials: TrialFacts[];
  readonly commissions: Map<bigint, CommissionFacts>;
  /** By `<siteId>|<typed number>`. */
  readonly invoices: Map<string, InvoiceFacts>;
}

export type Answers = Map<
  string,
  { id: bigint; settled: Settled; command: Command; payment: InboxDraft['payment'] }
>;

/** Nothing has happened yet. */
export const emptyRecords = (): Records => ({
  kinds: new Map(),
  balances: new Map(),
  lots: new Map(),
  orders: new Map(),
  purchases: new Map(),
  suspense: new Map(),
  journals: [],
  terms: new Map(),
  debts: new Map(),
  moves: new Map(),
  places: [],
  vouchers: new Map(),
  promotions: new Map(),
  promotionUses: new Set(),
  trials: [],
  commissions: new Map(),
  invoices: new Map(),
});

/** All there is, as facts for the next batch. */
export function factsOf(registry: Registry, records: Records, answers: Answers): Facts {
  const { subscribers, resellers, cards } = registry;
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
    lots: groupBy(records.lots.values(), (lot) => lot.accountId),
    eventPurchases: new Map(records.purchases),
    eventsBought: new Set(purchases.map(({ eventId, cardId }) => `${eventId}/${cardId}`)),
    bookedPayments: bookedPayments(registry, records, answers),
    rare: rareOf(registry, records),
  };
}

function groupBy<K, T>(items: Iterable<T>, keyOf: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return groups;
}

function rareOf({ cards }: Registry, records: Records): RareFacts {
  const asked = groupBy(records.moves.values(), (move) => move.payer);
  const linked = [...cards.values()].filter((card) => card.subscription?.mainCardId);
  const sent = records.journals
    .filter((journal) => journal.kind === 'tvu_transfer')
    .flatMap(({ entries, effectiveAt }) =>
      entries.filter((one) => one.amount < 0n).map(({ accountId }) => ({ accountId, effectiveAt })),
    );
  return {
    debts: groupBy(records.debts.values(), (debt) => debt.subscriberId),
    lines: groupBy(records.terms.values(), (line) => line.subscriptionId),
    moves: new Map(records.moves),
    movesAsked: new Map(
      [...asked].map(([payer, moves]) => [payer, moves.map((move) => move.askedAt)]),
    ),
    vouchers: new Map(records.vouchers),
    promotions: new Map(records.promotions),
    promotionsUsed: new Set(records.promotionUses),
    trials: [...records.trials],
    commissions: new Map(records.commissions),
    unitTransfers: new Map(
      [...groupBy(sent, (one) => one.accountId)].map(([id, all]) => [
        id,
        all.map((one) => one.effectiveAt),
      ]),
    ),
    invoices: new Map(records.invoices),
    linkedCards: new Map(
      [...groupBy(linked, (card) => card.subscription?.mainCardId ?? 0n)].map(([id, all]) => [
        id,
        all.map((card) => card.id),
      ]),
    ),
  };
}

const payerOf = (command: Command, payment: PaymentParty | null) => {
  const notice = command.kind === 'payment' ? command : { payerMsisdn: null, means: null };
  const payerMsisdn = payment?.payerMsisdn ?? notice.payerMsisdn;
  return { payerMsisdn, means: notice.means ?? null };
};

const placeOf = (
  payment: PaymentParty | null,
  first: Pick<PaymentPlace, 'paymentId' | 'journalId' | 'amount'>,
): PaymentPlace[] => {
  if (!payment) return [];
  const { cardId, subscriberId } = payment;
  return [{ ...first, cardId, subscriberId }];
};

function bookedPayments(
  { subscribers }: Registry,
  records: Records,
  answers: Answers,
): Map<string, BookedPayment> {
  const reversed = new Set(records.journals.map((journal) => journal.reverses));
  const found = new Map<string, BookedPayment>();
  for (const [key, { id, settled, command, payment }] of answers) {
    const isTopUp = command.kind === 'top_up' && command.credit === 'paid';
    if (command.kind !== 'payment' && !isTopUp) continue;
    const journal = records.journals.find((one) => one.inboxId === id && one.kind === command.kind);
    if (!journal) continue;
    const { amount, siteId, at } = command;
    const asset = journal.entries[0]?.asset ?? '';
    const owner = [...subscribers.values()].find((one) => one.id === payment?.subscriberId);
    // A payment for units brings units, and credit only as what was over.
    const isCredit = journal.entries.some(
      (entry) => entry.accountId === owner?.walletId && entry.amount === amount,
    );
    const first = { paymentId: id, journalId: journal.id, amount };
    const own = isCredit ? placeOf(payment, first) : [];
    found.set(key, {
      inboxId: id,
      state: settled.state,
      journalId: journal.id,
      alreadyReversed: reversed.has(journal.id),
      entries: journal.entries,
      suspenseOpen: records.suspense.get(id)?.state === 'open',
      siteId,
      at,
      asset,
      amount,
      ...payerOf(command, payment),
      places: [...own, ...records.places.filter((place) => place.paymentId === id)],
      move: [...records.moves.values()].find((move) => move.paymentId === id) ?? null,
    });
  }
  return found;
}

/** What `write.ts` does, on paper. */
export function keep(
  registry: Registry,
  records: Records,
  answers: Answers,
  { inbox, writes }: BatchDecision,
): void {
  for (const { id, command, settled, payment } of inbox) {
    answers.set(`${command.provider}|${command.receipt}`, { id, settled, command, payment });
  }
  records.journals.push(...writes.journals);
  for (const line of writes.terms) records.terms.set(line.id, line);
  for (const [id, amount] of writes.balances) records.balances.set(id, amount);
  keepLots(records, writes);
  for (const [id, card] of writes.cards) registry.cards.set(id, card);
  for (const [id, one] of writes.subscriptions) registry.subscriptions.set(id, one);
  for (const id of writes.paidOrders.keys()) {
    const order = records.orders.get(id);
    if (order) records.orders.set(id, { ...order, state: 'paid' });
  }
  for (const item of writes.suspense) {
    records.suspense.set(item.inboxId, { ...item, state: 'open' });
  }
  endSuspense(records, writes.returnedSuspense, 'returned');
  for (const { endsAt: _e, rightsRev: _r, journalId: _j, ...facts } of writes.eventPurchases) {
    records.purchases.set(facts.id, facts);
  }
  for (const { id, state } of writes.eventStates) {
    const purchase = records.purchases.get(id);
    if (purchase) records.purchases.set(id, { ...purchase, state });
  }
  keepRare(registry, records, writes.rare);
}

/** A lot that came and went inside the batch leaves no row, unless a hold points at it. */
function keepLots(records: Records, writes: Writes): void {
  const held = new Set(writes.eventPurchases.flatMap((p) => p.parts.map((part) => part.lotId)));
  for (const [id, lot] of writes.lots) {
    const isNew = writes.newLots.has(id);
    if (!isNew || lot.remaining > 0n || held.has(id)) records.lots.set(id, lot);
  }
}

function endSuspense(
  records: Records,
  ids: readonly bigint[],
  state: 'returned' | 'claimed',
): void {
  for (const id of ids) {
    const item = records.suspense.get(id);
    if (item) records.suspense.set(id, { ...item, state });
  }
}

function keepRare(registry: Registry, records: Records, rare: Writes['rare']): void {
  for (const { id, kind } of rare.accounts) records.kinds.set(id, kind);
  for (const [name, { id }] of registry.subscribers) {
    const changed = rare.subscribers.get(id);
    if (changed) registry.subscribers.set(name, changed);
  }
  for (const [id, line] of rare.changedTerms) records.terms.set(id, line);
  for (const [id, debt] of rare.debts) records.debts.set(id, debt);
  for (const [id, move] of rare.moves) records.moves.set(id, move);
  records.places.push(...rare.places);
  endSuspense(records, rare.claimedSuspense, 'claimed');
  for (const [code, voucher] of rare.vouchers) records.vouchers.set(code, voucher);
  for (const promotion of rare.promotions.values()) {
    records.promotions.set(`${promotion.siteId}|${promotion.code}`, promotion);
  }
  for (const use of rare.promotionUses) {
    records.promotionUses.add(`${use.promotionId}/${use.cardId}`);
  }
  records.trials.push(...rare.trials);
  for (const [id, made] of rare.commissions) records.commissions.set(id, made);
  for (const id of rare.commissionsKept) keepCommission(records, id);
}

function keepCommission({ commissions }: Records, subscriptionId: bigint): void {
  for (const [id, made] of commissions) {
    const isOpen = made.subscriptionId === subscriptionId && made.state === 'open';
    if (isOpen) commissions.set(id, { ...made, state: 'kept' });
  }
}
