/** Pure rules of the ledger: journals that balance, and lots consumed in one fixed order. */

export interface EntryDraft {
  accountId: bigint;
  asset: string;
  /** Minor units; credit positive, debit negative. */
  amount: bigint;
}

export interface JournalDraft {
  id: bigint;
  kind: string;
  siteId: bigint;
  effectiveAt: Date;
  reverses: bigint | null;
  entries: readonly EntryDraft[];
}

export interface Lot {
  id: bigint;
  accountId: bigint;
  journalId: bigint;
  kind: 'paid' | 'promo';
  priority: number;
  expiresAt: Date | null;
  amount: bigint;
  remaining: bigint;
  /** What TV units were issued for, in the site's currency; 0 for money. */
  cost: bigint;
  costRemaining: bigint;
}

export interface LotPart {
  lotId: bigint;
  amount: bigint;
  cost: bigint;
}

/** Priority of paid money among lots; promotional money (10) goes first. */
export const PAID_PRIORITY = 20;

/**
 * Drops zero lines and asserts that what is left sums to zero per asset.
 * Throws: a journal that does not balance is a bug, never an outcome.
 */
export function balancedEntries(entries: readonly EntryDraft[]): EntryDraft[] {
  const sums = new Map<string, bigint>();
  const kept: EntryDraft[] = [];
  for (const entry of entries) {
    if (entry.amount === 0n) continue;
    kept.push(entry);
    sums.set(entry.asset, (sums.get(entry.asset) ?? 0n) + entry.amount);
  }
  for (const [asset, sum] of sums) {
    if (sum !== 0n) throw new Error(`A journal does not sum to zero in ${asset}: ${sum}`);
  }
  if (kept.length === 0) throw new Error('A journal has no entries');
  return kept;
}

/** The order in which lots are consumed, and in which their expiry becomes breakage. */
export function lotOrder(a: Lot, b: Lot): number {
  if (a.priority !== b.priority) return a.priority - b.priority;
  const expiryA = a.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
  const expiryB = b.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY;
  if (expiryA !== expiryB) return expiryA < expiryB ? -1 : 1;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/**
 * Which lots `amount` is taken from. The cost of TV units leaves a lot in proportion, rounded down;
 * whoever empties a lot takes all that is left of its cost, so that none is lost or made.
 * Returns null when the lots hold too little.
 */
export function consumeLots(lots: readonly Lot[], amount: bigint): LotPart[] | null {
  const parts: LotPart[] = [];
  let wanted = amount;
  for (const lot of [...lots].sort(lotOrder)) {
    if (wanted === 0n) break;
    if (lot.remaining === 0n) continue;
    const taken = lot.remaining < wanted ? lot.remaining : wanted;
    const cost =
      taken === lot.remaining ? lot.costRemaining : (lot.costRemaining * taken) / lot.remaining;
    parts.push({ lotId: lot.id, amount: taken, cost });
    wanted -= taken;
  }
  return wanted === 0n ? parts : null;
}

/** Tax inside an inclusive amount: half-up(amount × rate / (100 + rate)), rate in 1/100 percent. */
export function taxInside(amountMinor: bigint, ratePermyriad: bigint): bigint {
  const denominator = 10_000n + ratePermyriad;
  return (2n * amountMinor * ratePermyriad + denominator) / (2n * denominator);
}
