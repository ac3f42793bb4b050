/** What must hold of an operator on paper after any batch; each fault is said in a sentence. */
import type { Lot } from '../ledger/rules.ts';
import type { Paper } from './paper-harness.ts';

/** Empty when the books are sound. */
export const faultsOf = (paper: Paper): string[] => [
  ...journalFaults(paper),
  ...[...paper.lots.values()].filter(isUnsound).map((lot) => `lot ${lot.id} is out of bounds`),
  ...balanceFaults(paper),
  ...holdFaults(paper),
  ...liabilityFaults(paper),
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
  return [...paper.catalogue.sites.values()].flatMap(({ id, currency, tvuAsset }) => {
    const owners = [...paper.subscribers.values(), ...paper.resellers.values()];
    const wallets = new Set(
      owners.filter((owner) => owner.siteId === id).map((owner) => owner.tvuWalletId),
    );
    const lots = [...paper.lots.values()].filter((lot) => wallets.has(lot.accountId));
    const waiting = [...paper.suspense.values()].filter((item) => item.asset === tvuAsset);
    const cost =
      sumOf(lots, (lot) => lot.costRemaining) +
      sumOf(waiting, (item) => costOfNotice(paper, item.inboxId));
    const owed = paper.books(currency).tvu_liability ?? 0n;
    return owed === cost ? [] : [`site ${id} owes ${owed} for units that cost ${cost}`];
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
