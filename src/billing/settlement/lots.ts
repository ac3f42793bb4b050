/** Lots in the working copy of a batch: made, consumed in their order, and given back. */
import { consumeLots, type Lot, type LotPart, PAID_PRIORITY } from '../ledger/rules.ts';
import type { Facts, LinePart } from './facts.ts';
import type { Tools, Writes } from './workspace.ts';

/** What of a lot is not the same for every payment. */
export interface LotTerms {
  kind?: Lot['kind'];
  priority?: number;
  expiresAt?: Date | null;
  /** What TV units were issued for. */
  cost?: bigint;
}

export interface LotActs {
  /** The lots of an account as they stand, empty ones included where they are known. */
  lotsOf(accountId: bigint): Lot[];
  lot(id: bigint): Lot | null;
  addLot(accountId: bigint, journalId: bigint, amount: bigint, terms?: LotTerms): void;
  /** Takes from the lots of an account; the caller has checked the balance. */
  takeLots(accountId: bigint, amount: bigint): LotPart[];
  /** Takes from just these lots, in their order; the caller has checked what they hold. */
  takeFrom(lots: readonly Lot[], amount: bigint): LotPart[];
  /** From the lots of an account, but first from the one that this journal made. */
  takeBack(accountId: bigint, amount: bigint, journalId: bigint): LotPart[];
  /** What is left of what a journal brought to an account. */
  leftOf(accountId: bigint, journalId: bigint): bigint;
  /** Puts money back into the lot it came from, which is written again if it had no row. */
  returnPart(part: LinePart): void;
}

/** The acts over the lots of these facts. */
export function lotActs(facts: Facts, tools: Tools, writes: Writes): LotActs {
  const loaded = new Map([...facts.lots.values()].flat().map((lot) => [lot.id, lot]));
  const known = (id: bigint): Lot | null => writes.lots.get(id) ?? loaded.get(id) ?? null;
  const lotsOf = (accountId: bigint): Lot[] => {
    const old = (facts.lots.get(accountId) ?? []).map((lot) => writes.lots.get(lot.id) ?? lot);
    const made = [...writes.newLots].flatMap((id) => {
      const lot = writes.lots.get(id);
      return lot?.accountId === accountId ? [lot] : [];
    });
    return [...old, ...made];
  };
  const takeFrom = (lots: readonly Lot[], amount: bigint): LotPart[] => {
    const parts = consumeLots(lots, amount);
    if (!parts) throw new Error(`Lots hold less than ${amount}: ${lots.map((lot) => lot.id)}`);
    for (const part of parts) change(known, writes, part);
    return parts;
  };
  const madeBy = (accountId: bigint, journalId: bigint): Lot[] =>
    lotsOf(accountId).filter((lot) => lot.journalId === journalId);
  const leftOf = (accountId: bigint, journalId: bigint): bigint =>
    madeBy(accountId, journalId).reduce((sum, lot) => sum + lot.remaining, 0n);
  return {
    lotsOf,
    lot: known,
    leftOf,
    takeFrom,
    takeLots: (accountId, amount) => takeFrom(lotsOf(accountId), amount),
    addLot(accountId, journalId, amount, { kind, priority, expiresAt, cost = 0n } = {}): void {
      if (amount === 0n) return;
      const id = tools.ids.next();
      writes.newLots.add(id);
      writes.lots.set(id, {
        id,
        accountId,
        journalId,
        kind: kind ?? 'paid',
        priority: priority ?? PAID_PRIORITY,
        expiresAt: expiresAt ?? null,
        amount,
        remaining: amount,
        cost,
        costRemaining: cost,
      });
    },
    takeBack(accountId, amount, journalId): LotPart[] {
      const left = leftOf(accountId, journalId);
      const own = left < amount ? left : amount;
      const first = takeFrom(madeBy(accountId, journalId), own);
      return [...first, ...takeFrom(lotsOf(accountId), amount - own)];
    },
    returnPart(part: LinePart): void {
      if (known(part.lotId)) change(known, writes, { ...part, amount: -part.amount, cost: 0n });
      else rewrite(writes, part);
    },
  };
}

/** Takes a part out of its lot, or puts it back when its amount is below zero. */
function change(known: (id: bigint) => Lot | null, writes: Writes, part: LotPart): void {
  const lot = known(part.lotId);
  if (!lot) throw new Error(`No such lot: ${part.lotId}`);
  const remaining = lot.remaining - part.amount;
  writes.lots.set(lot.id, {
    ...lot,
    amount: remaining > lot.amount ? remaining : lot.amount,
    remaining,
    costRemaining: lot.costRemaining - part.cost,
  });
}

/** A lot that was spent in the act that made it has no row yet. */
function rewrite(writes: Writes, part: LinePart): void {
  const { lotId: id, lotJournalId: journalId, amount } = part;
  const { accountId, kind, priority, expiresAt } = part;
  const lot = { id, accountId, journalId, kind, priority, expiresAt, amount, remaining: amount };
  writes.newLots.add(id);
  writes.lots.set(id, { ...lot, cost: 0n, costRemaining: 0n });
}
