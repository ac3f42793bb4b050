/** A page of a dump, compared: what differs is asked about once more before it is written. */
import type { CardRecord } from '../vip-control/queries.ts';
import { askCards } from './asking.ts';
import {
  activeProducts,
  type Compared,
  type Cure,
  compareCard,
  curesOf,
  isAhead,
  isOnItsWay,
  spansSince,
  strangeCard,
  type WantedCard,
} from './rules.ts';
import { ANY_PRODUCT, type Run } from './run-store.ts';
import type { ReconciledSystem, ReconciliationDeps } from './service.ts';
import {
  type FoundDifference,
  readOpenSince,
  readUntold,
  readWanted,
  writeFound,
} from './store.ts';
import { secondsOf, worthOf } from './value.ts';

export interface Comparing extends ReconciliationDeps {
  system: ReconciledSystem;
  run: Run;
  /** When the last whole run began: what differs since is written, and open. */
  lastRunAt: Date | null;
  /** Counted on: cards that show a product here or there; `*`: any. */
  active: Map<string, number>;
}

/** Cards that the system did not tell of, looked at together. */
const UNTOLD_MAX = 1_000;

interface Pair {
  wanted: WantedCard;
  found: CardRecord | null;
}

/** Our names of a system's products. */
export function ourNames({ products }: Pick<ReconciledSystem, 'products'>) {
  const ours = new Map([...(products ?? [])].map(([our, their]) => [their, our]));
  return (product: string): string => ours.get(product) ?? product;
}

/** Compares a page, and the cards of ours between its bounds that it does not tell of. */
export async function comparePage(
  comparing: Comparing,
  page: readonly CardRecord[],
  range: { after: string; to: string | null },
): Promise<void> {
  const { pool, run } = comparing;
  const told = page.map(({ card }) => card);
  const wanted = await readWanted(pool, run.casId, told);
  await comparePairs(
    comparing,
    page.map((found) => ({ wanted: wanted.get(found.card) ?? strangeCard(found.card), found })),
  );
  for (let { after } = range, more = true; more; ) {
    const untold = await readUntold(pool, run.casId, { ...range, after, told, limit: UNTOLD_MAX });
    const ours = await readWanted(pool, run.casId, untold);
    await comparePairs(
      comparing,
      [...ours.values()].map((one) => ({ wanted: one, found: null })),
    );
    after = untold.at(-1) ?? after;
    more = untold.length === UNTOLD_MAX;
  }
}

async function comparePairs(comparing: Comparing, pairs: readonly Pair[]): Promise<void> {
  const { system, clock, pool, run } = comparing;
  const compared: Compared = { at: clock.now(), ourName: ourNames(system) };
  count(comparing, pairs, compared);
  const differs = ({ wanted, found }: Pair, { at }: Compared): boolean =>
    !isOnItsWay(wanted, at) &&
    (compareCard(wanted, found, compared).length > 0 || isAhead(wanted, found, system.epoch()));
  const numbers = pairs
    .filter((pair) => differs(pair, compared))
    .map(({ wanted }) => wanted.number);
  if (numbers.length === 0) return;
  // The system first: what is raised after it answered is seen to be on its way.
  const held = await askCards(system.driver, numbers);
  const wanted = await readWanted(pool, run.casId, numbers);
  const again = [...wanted.values()].map((one) => ({
    wanted: one,
    found: held.get(one.number) ?? null,
  }));
  const now = { ...compared, at: clock.now() };
  await write(
    comparing,
    again.filter((pair) => differs(pair, now)),
    now,
  );
}

function count({ active }: Comparing, pairs: readonly Pair[], compared: Compared): void {
  for (const { wanted, found } of pairs) {
    const products = activeProducts(wanted, found, compared);
    const keys = products.length === 0 ? [] : [ANY_PRODUCT, ...products];
    for (const key of keys) active.set(key, (active.get(key) ?? 0) + 1);
  }
}

async function write(
  comparing: Comparing,
  pairs: readonly Pair[],
  compared: Compared,
): Promise<void> {
  if (pairs.length === 0) return;
  const { pool, run, system, commands, logger, wake } = comparing;
  const { at } = compared;
  const numbers = pairs.map(({ wanted }) => wanted.number);
  const openSince = await readOpenSince(pool, run.casId, numbers);
  const cures: Cure[] = [];
  const differences: FoundDifference[] = [];
  for (const { wanted, found } of pairs) {
    const since = openSince.get(wanted.number) ?? firstSeen(comparing, { wanted, found }, at);
    const differing = compareCard(wanted, found, compared);
    const epoch = system.epoch();
    cures.push(...curesOf(wanted, found, { differences: differing, epoch }));
    if (differing.length === 0 && wanted.cardId !== null && found) {
      cures.push({ kind: 'raise', cardId: wanted.cardId, aboveRev: found.rev });
    }
    const isActive = activeProducts(wanted, found, compared).length > 0;
    for (const one of differing) {
      const spans = spansSince(one, { since, at });
      const worth = worthOf(comparing.catalogue(), one.product, { siteId: wanted.siteId, spans });
      differences.push({
        ...{ card: wanted.number, cardId: wanted.cardId, siteId: wanted.siteId, isActive, since },
        ...{ class: one.class, product: one.product, wanted: one.wanted, found: one.found },
        ...{ seconds: secondsOf(spans), amount: worth?.amount ?? null },
        ...{ currency: worth?.currency ?? null, writtenBy: found?.writtenBy || null },
        writtenAt: found?.changedAt || null,
      });
    }
  }
  await writeFound(pool, { run, at, enqueue: commands.enqueue }, { differences, cures });
  const classes = [...new Set(differences.map((one) => one.class))].sort().join('');
  logger.warn('reconciliation.cards_differ', { casId: run.casId, cards: pairs.length, classes });
  if (run.heal) wake();
}

/**
 * The first instant from which a card can have differed: the last change there, the last time it
 * was put on air as wanted, or the last run, which did not find it.
 */
function firstSeen({ lastRunAt }: Comparing, { wanted, found }: Pair, at: Date): Date {
  const known = [found?.changedAt, wanted.settledAt, lastRunAt].flatMap((instant) =>
    instant ? [new Date(instant).getTime()] : [],
  );
  return new Date(known.length === 0 ? at.getTime() : Math.min(at.getTime(), Math.max(...known)));
}
