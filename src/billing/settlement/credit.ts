/** The credit of a wallet: paid and promotional lots, and the debts that a payment repays first. */
import { rulesOf } from '../catalogue/rules.ts';
import type { EntryDraft, Lot } from '../ledger/rules.ts';
import type { Command } from './commands.ts';
import type { DebtFacts, LinePart, SubscriberFacts } from './facts.ts';
import type { Workspace } from './workspace.ts';

const hasExpired = (lot: Pick<Lot, 'expiresAt'>, at: Date): boolean =>
  lot.expiresAt !== null && lot.expiresAt.getTime() <= at.getTime();

const sumOf = (lots: readonly Lot[]): bigint => lots.reduce((sum, lot) => sum + lot.remaining, 0n);

/** As it stands now in the batch: its promotional wallet may just have been opened. */
const current = (w: Workspace, { id }: SubscriberFacts): SubscriberFacts => {
  const subscriber = w.subscriber(id);
  if (!subscriber) throw new Error(`No such subscriber: ${id}`);
  return subscriber;
};

/** Paid credit that is free to spend; what has expired is not, even before it is written off. */
export function paidCredit(w: Workspace, { walletId }: SubscriberFacts, at: Date): bigint {
  const expired = w.lotsOf(walletId).filter((lot) => hasExpired(lot, at));
  return w.balance(walletId) - sumOf(expired);
}

/** Credit of both kinds that is free to spend. */
export function creditOf(w: Workspace, of: SubscriberFacts, at: Date): bigint {
  const paid = paidCredit(w, of, at);
  const { promoId } = current(w, of);
  if (!promoId) return paid;
  const expired = w.lotsOf(promoId).filter((lot) => hasExpired(lot, at));
  return paid + w.balance(promoId) - sumOf(expired);
}

/** The wallet of promotional credit, opened when there is none yet. */
export function promoWallet(w: Workspace, of: SubscriberFacts): bigint {
  const subscriber = current(w, of);
  if (subscriber.promoId) return subscriber.promoId;
  const asset = w.site(subscriber.siteId).currency;
  const owner = `subscriber:${subscriber.id}`;
  const promoId = w.openAccount({ owner, kind: 'wallet_promo', asset });
  w.setSubscriber({ ...subscriber, promoId });
  return promoId;
}

/** Priority of paid money among the lots of a site. */
export const paidPriority = (w: Workspace, siteId: bigint): number =>
  rulesOf(w.site(siteId)).lots.paidPriority;

/** Takes credit of both kinds in the order of lots; the caller has checked that there is enough. */
export function takeCredit(
  w: Workspace,
  of: SubscriberFacts,
  amount: bigint,
  at: Date,
): LinePart[] {
  const { walletId, promoId } = current(w, of);
  const lots = [...w.lotsOf(walletId), ...(promoId ? w.lotsOf(promoId) : [])];
  return takeParts(w, lots, amount, at);
}

/** The same from paid credit alone. */
export const takePaid = (
  w: Workspace,
  { walletId }: SubscriberFacts,
  amount: bigint,
  at: Date,
): LinePart[] => takeParts(w, w.lotsOf(walletId), amount, at);

function takeParts(w: Workspace, lots: readonly Lot[], amount: bigint, at: Date): LinePart[] {
  const live = lots.filter((lot) => !hasExpired(lot, at));
  return w.takeFrom(live, amount).map(({ lotId, amount: taken }) => partOf(w, lotId, taken));
}

/** A piece of a lot, with all that is needed to give it back. */
export function partOf(w: Workspace, lotId: bigint, amount: bigint): LinePart {
  const lot = w.lot(lotId);
  if (!lot) throw new Error(`No such lot: ${lotId}`);
  const { accountId, journalId: lotJournalId, kind, priority, expiresAt } = lot;
  return { lotId, accountId, lotJournalId, kind, priority, expiresAt, amount };
}

/** The entries that take these parts out of their wallets (`sign` -1n), or bring them back (1n). */
export function partEntries(
  parts: readonly LinePart[],
  asset: string,
  sign: 1n | -1n,
): EntryDraft[] {
  const sums = new Map<bigint, bigint>();
  for (const { accountId, amount } of parts) {
    sums.set(accountId, (sums.get(accountId) ?? 0n) + amount);
  }
  return [...sums].map(([accountId, amount]) => ({ accountId, asset, amount: sign * amount }));
}

/**
 * Gives parts back to the lots they came from; what belongs to a lot that has expired meanwhile is
 * breakage at once. Returns the entries that bring the money back.
 */
export function returnParts(
  w: Workspace,
  parts: readonly LinePart[],
  { siteId, asset, at }: { siteId: bigint; asset: string; at: Date },
): EntryDraft[] {
  const live = parts.filter((part) => !hasExpired(part, at));
  const gone = parts.filter((part) => hasExpired(part, at));
  for (const part of live) w.returnPart(part);
  const lost = gone.reduce((sum, part) => sum + part.amount, 0n);
  const accountId = w.account(`site:${siteId}`, 'breakage', asset);
  return [...partEntries(live, asset, 1n), { accountId, asset, amount: lost }];
}

/** The end of lots: what is left of them is breakage. Returns what was. */
export function expireCredit(w: Workspace, command: Command, of: SubscriberFacts): bigint {
  const { walletId, promoId, siteId } = current(w, of);
  const asset = w.site(siteId).currency;
  const expired = [...w.lotsOf(walletId), ...(promoId ? w.lotsOf(promoId) : [])].filter(
    (lot) => lot.remaining > 0n && hasExpired(lot, command.at),
  );
  const total = sumOf(expired);
  if (total === 0n) return 0n;
  const parts = expired.map((lot) => partOf(w, lot.id, lot.remaining));
  w.takeFrom(expired, total);
  w.book(command, 'credit_expiry', [
    ...partEntries(parts, asset, -1n),
    { accountId: w.account(`site:${siteId}`, 'breakage', asset), asset, amount: total },
  ]);
  return total;
}

/** Open debts of a subscriber, oldest first, as they stand now in the batch. */
export function debtsOf(w: Workspace, subscriberId: bigint): DebtFacts[] {
  const known = (w.rare.debts.get(subscriberId) ?? []).map(
    (debt) => w.writes.rare.debts.get(debt.id) ?? debt,
  );
  const made = [...w.writes.rare.newDebts].flatMap((id) => {
    const debt = w.writes.rare.debts.get(id);
    return debt?.subscriberId === subscriberId ? [debt] : [];
  });
  return [...known, ...made]
    .filter((debt) => debt.remaining > 0n)
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** The account that a debt is booked on. */
export const debtAccount = (
  w: Workspace,
  siteId: bigint,
  debt: Pick<DebtFacts, 'kind' | 'asset'>,
) =>
  w.account(`site:${siteId}`, debt.kind === 'loan' ? 'loan_receivable' : 'receivable', debt.asset);

/** Writes down that a subscriber owes. */
export function addDebt(
  w: Workspace,
  subscriber: SubscriberFacts,
  debt: Pick<DebtFacts, 'kind' | 'amount' | 'fee' | 'lineId'>,
): void {
  const id = w.tools.ids.next();
  const asset = w.site(subscriber.siteId).currency;
  w.writes.rare.newDebts.add(id);
  w.writes.rare.debts.set(id, {
    ...debt,
    id,
    subscriberId: subscriber.id,
    asset,
    remaining: debt.amount,
  });
  w.setSubscriber({ ...current(w, subscriber), owes: true });
}

/** Lowers a debt; the last one repaid clears the mark that its owner owes. */
export function lowerDebt(w: Workspace, debt: DebtFacts, amount: bigint): void {
  w.writes.rare.debts.set(debt.id, { ...debt, remaining: debt.remaining - amount });
  if (debtsOf(w, debt.subscriberId).length > 0) return;
  const subscriber = w.subscriber(debt.subscriberId);
  if (subscriber) w.setSubscriber({ ...subscriber, owes: false });
}

/** Repays open debts out of money that a journal has just brought, oldest first. */
export function repayDebts(
  w: Workspace,
  command: Command,
  subscriber: SubscriberFacts,
  brought: bigint,
): void {
  const { walletId, siteId } = subscriber;
  for (const debt of debtsOf(w, subscriber.id)) {
    const left = w.leftOf(walletId, brought);
    const amount = left < debt.remaining ? left : debt.remaining;
    if (amount === 0n) return;
    w.book(command, 'debt_repayment', [
      { accountId: walletId, asset: debt.asset, amount: -amount },
      { accountId: debtAccount(w, siteId, debt), asset: debt.asset, amount },
    ]);
    w.takeBack(walletId, amount, brought);
    lowerDebt(w, debt, amount);
  }
}
