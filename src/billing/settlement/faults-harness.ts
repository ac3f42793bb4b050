/** What must hold of an operator on paper after any batch; each fault is said in a sentence. */
import type { Lot } from '../ledger/rules.ts';
import type { Paper } from './paper-harness.ts';
import { sumOfTaxes } from './taxes.ts';

/** Empty when the books are sound. */
export const faultsOf = (paper: Paper): string[] => [
  ...journalFaults(paper),
  ...[...paper.lots.values()].filter(isUnsound).map((lot) => `lot ${lot.id} is out of bounds`),
  ...balanceFaults(paper),
  ...holdFaults(paper),
  ...liabilityFaults(paper),
  ...debtFaults(paper),
  ...soldFaults(paper),
];

function add<K>(sums: Map<K, bigint>, key: K, amount: bigint): void {
  sums.set(key, (sums.get(key) ?? 0n) + amount);
}

const sumOf = <T>(items: readonly T[], amount: (item: T) => bigint): bigint =>
  items.reduce((sum, item) => sum + amount(item), 0n);

function journalFaults({ journals }: Paper): string[] {
  return journals.flatMap((journal) => {
    const sums = new Map<string, bigint>();
    for (const { asset, amount } of journal.entries) add(sums, asset, amount);
    return [...sums]
      .filter(([, sum]) => sum !== 0n)
      .map(([asset, sum]) => `journal ${journal.id} is off by ${sum} ${asset}`);
  });
}

/** An empty lot has no cost left, and none holds more than it was made with. */
function isUnsound({ remaining, amount, costRemaining, cost }: Lot): boolean {
  const held = 0n <= remaining && remaining <= amount;
  const worth = 0n <= costRemaining && costRemaining <= cost;
  return !held || !worth || (remaining === 0n && costRemaining !== 0n);
}

function balanceFaults(paper: Paper): string[] {
  const entries = new Map<bigint, bigint>();
  for (const { accountId, amount } of paper.journals.flatMap((journal) => journal.entries)) {
    add(entries, accountId, amount);
  }
  const lots = new Map<bigint, bigint>();
  for (const lot of paper.lots.values()) add(lots, lot.accountId, lot.remaining);
  const held = new Set([...paper.subscribers.values()].map((subscriber) => subscriber.heldId));
  return [...paper.balances].flatMap(([id, amount]) => [
    ...(amount < 0n ? [`account ${id} is below zero: ${amount}`] : []),
    ...(amount === (entries.get(id) ?? 0n) ? [] : [`account ${id} is not its entries`]),
    ...(held.has(id) || amount === (lots.get(id) ?? 0n) ? [] : [`account ${id} is not its lots`]),
  ]);
}

function holdFaults(paper: Paper): string[] {
  return [...paper.subscribers.values()].flatMap(({ id, heldId }) => {
    const open = [...paper.purchases.values()].filter(
      (purchase) => purchase.subscriberId === id && purchase.state === 'held',
    );
    const held = paper.balances.get(heldId);
    const price = sumOf(open, (purchase) => purchase.price);
    return held === price ? [] : [`subscriber ${id} has ${held} held, for purchases of ${price}`];
  });
}

/** What TV units were issued for is owed until they are used: neither more nor less. */
function liabilityFaults(paper: Paper): string[] {
  const sites = [...paper.catalogue.sites.values()];
  return [...new Set(sites.map((site) => site.currency))].flatMap((currency) => {
    const own = sites.filter((site) => site.currency === currency);
    const ids = new Set(own.map((site) => site.id));
    const assets = new Set(own.map((site) => site.tvuAsset));
    const people = [...paper.subscribers.values()].filter((one) => ids.has(one.siteId));
    const sellers = [...paper.resellers.values()].filter((one) => ids.has(one.siteId));
    const wallets = new Set([
      ...[...people, ...sellers].map((owner) => owner.tvuWalletId),
      ...people.flatMap((person) => [...(person.otherUnits?.values() ?? [])]),
    ]);
    const lots = [...paper.lots.values()].filter((lot) => wallets.has(lot.accountId));
    const waiting = [...paper.suspense.values()].filter((item) => assets.has(item.asset));
    const cost =
      sumOf(lots, (lot) => lot.costRemaining) +
      sumOf(waiting, (item) => costOfNotice(paper, item.inboxId));
    const owed = paper.books(currency).tvu_liability ?? 0n;
    return owed === cost ? [] : [`${owed} ${currency} is owed for units that cost ${cost}`];
  });
}

const costOfNotice = (paper: Paper, inboxId: bigint): bigint =>
  sumOf(
    paper.journals
      .filter((journal) => journal.inboxId === inboxId)
      .flatMap((journal) => journal.entries)
      .filter((entry) => !entry.asset.startsWith('TVU') && entry.amount > 0n),
    (entry) => entry.amount,
  );

/** What subscribers owe is what the books say is to come. */
function debtFaults(paper: Paper): string[] {
  return currenciesOf(paper).flatMap((currency) => {
    const books = paper.books(currency);
    const due = -((books.receivable ?? 0n) + (books.loan_receivable ?? 0n));
    const debts = [...paper.debts.values()].filter((debt) => debt.asset === currency);
    const open = sumOf(debts, (debt) => debt.remaining);
    return due === open ? [] : [`${due} ${currency} is to come, for debts of ${open}`];
  });
}

/** What was earned, with its tax, is what lines, events on air and fees of loans keep. */
function soldFaults(paper: Paper): string[] {
  return currenciesOf(paper).flatMap((currency) => {
    const books = paper.books(currency);
    const { deferred_revenue = 0n, earned_revenue = 0n, tax_payable = 0n } = books;
    const lines = [...paper.terms.values()].filter((line) => line.asset === currency);
    const shown = [...paper.purchases.values()].filter(
      (purchase) => purchase.asset === currency && purchase.state === 'captured',
    );
    const loans = [...paper.debts.values()].filter(
      (debt) => debt.asset === currency && debt.kind === 'loan',
    );
    const fees = sumOf(loans, (debt) => debt.fee);
    const kept = sumOf(lines, (line) => line.price) + sumOf(shown, (one) => one.price) + fees;
    const earned = deferred_revenue + earned_revenue + tax_payable;
    const taxes = sumOf(lines, (line) => sumOfTaxes(line.taxes));
    const isSound = earned === kept && taxes <= tax_payable;
    return isSound ? [] : [`${earned} ${currency} is earned, for sales of ${kept}`];
  });
}

const currenciesOf = ({ catalogue }: Paper): string[] => [
  ...new Set([...catalogue.sites.values()].map((site) => site.currency)),
];
