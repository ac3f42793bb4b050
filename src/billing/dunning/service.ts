/**
 * Dunning at work: looks at who owes, takes the steps that are due, takes the picture away and
 * gives it back.
 *
 *   run()                 the job, to be called each minute
 *   reconsider(ids)       after anything that changed what they owe: gives back at once
 *   look(ids)             how they stand, for staff; changes nothing
 *   debtors(page)         who owes, to be looked at
 *   flag, liftFlag        do not cut; block
 *   promise               a promise to pay
 */
import type { Pool, PoolClient } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import { type Day, dayOfInstant } from '../../platform/day.ts';
import type { Clock, Ids, Logger } from '../../platform/ports.ts';
import { dunningPolicy, type PolicyVersion, policyAt } from '../catalogue/dunning-policy.ts';
import type { Catalogue, Site } from '../catalogue/rules.ts';
import { type Acts, createActs } from './acts.ts';
import { type Case, type CaseDecision, decideCase } from './decisions.ts';
import type { HoldCall } from './holds.ts';
import { type Dunning, dunningOf, mayAct, type OpenInvoice, type Owing } from './rules.ts';
import type { DunningMessagesFor } from './sayings.ts';
import {
  type Debtor,
  debtorsOf,
  type HoldWrite,
  lockDebtors,
  stepsTaken,
  type TakenAction,
  watchedIds,
  withdrawMessages,
  writeHolds,
  writeSteps,
} from './store.ts';

/** What dunning is handed by others. */
export interface DunningPorts {
  /** Ids above `after`, rising, of subscribers of a site who owe or whose prepaid time ended. */
  debtors(page: { siteId: bigint; after: bigint; limit: number }): Promise<bigint[]>;
  /** Open invoices by subscriber, as committed now. One who is missing is prepaid. */
  openInvoicesOf(subscriberIds: readonly bigint[]): Promise<ReadonlyMap<bigint, OpenInvoice[]>>;
  /** The end of what the others have paid. One who is missing owes nothing. */
  prepaidEndsOf(
    subscriberIds: readonly bigint[],
  ): Promise<ReadonlyMap<bigint, { endsAt: Date | null; price: bigint }>>;
  /**
   * Takes the pictures of the subscriber's cards away. Done twice it changes nothing; cards that
   * somebody else has suspended stay theirs.
   */
  suspend(act: HeldAct): Promise<void>;
  /** Gives back what `suspend` took, and nothing else; done twice it changes nothing. */
  unsuspend(act: HeldAct): Promise<void>;
  /** Ends the contract for ever; done twice it changes nothing. */
  terminate(act: HeldAct): Promise<void>;
  /** Of subscribers who have cards, how their pictures are now. */
  picturesOf(subscriberIds: readonly bigint[]): Promise<ReadonlyMap<bigint, Pictures>>;
  /** Ids above `after`, rising, of who has a card that `suspend` took when it was another's. */
  strays(page: { after: bigint; limit: number }): Promise<bigint[]>;
  messagesFor: DunningMessagesFor;
}

/** What is to be seen of a subscriber's cards. */
export interface Pictures {
  /** Of one at least nobody has taken the picture. */
  isShown: boolean;
  /** Why `suspend` took those that it took. */
  takenFor: readonly HeldAct['why'][];
}

/** `because`: `overdue`, the reason of a block, or `clear`. */
export interface HeldAct {
  subscriberId: bigint;
  why: Dunning['because'];
  because: string;
  on: Day;
}

export interface DunningDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  logger: Logger;
  catalogue(): Catalogue;
  policies(): readonly PolicyVersion[];
  ports: DunningPorts;
  /** Only for the subscribers of this test clock, whose time `clock` is. */
  testClockId?: bigint;
}

/** `looked`: subscribers; `queued`: messages; `changed`: pictures taken or given back. */
export interface DunningRun {
  looked: number;
  queued: number;
  changed: number;
  failed: number;
}

export interface DunningService extends Acts {
  /** Throws only when the database is lost; what was not done is found again by the next call. */
  run(): Promise<DunningRun>;
  reconsider(subscriberIds: readonly bigint[]): Promise<DunningRun>;
  /** How subscribers stand, by id; who does not exist is left out. */
  look(subscriberIds: readonly bigint[]): Promise<Map<bigint, Dunning>>;
  debtors: DunningPorts['debtors'];
}

/** Subscribers decided in one transaction. */
const PAGE = 100;
/** What one call looks at, at a site or of those held, at the most; the next call goes on there. */
const LOOKED_A_CALL_MAX = 2_000;
/** Screens of one subscriber on which a step is shown. */
const SCREENS_MAX = 100;

const NOBODY_DUNNED = dunningPolicy.parse({ steps: [] });
const nothing = (): DunningRun => ({ looked: 0, queued: 0, changed: 0, failed: 0 });

export function createDunning(deps: DunningDeps): DunningService {
  const { pool, clock } = deps;
  const inTurn = oneAtATime();
  const cursors = new Map<bigint | 'watched' | 'strays', bigint>();
  const lookAt = (ids: readonly bigint[], wait: boolean) =>
    inTurn(() => transaction(pool, (client) => decidePage(deps, client, { ids, wait })));

  const reconsider = async (subscriberIds: readonly bigint[]): Promise<DunningRun> => {
    const total = nothing();
    for (let from = 0; from < subscriberIds.length; from += PAGE) {
      add(total, await lookAt(subscriberIds.slice(from, from + PAGE), true));
    }
    return total;
  };
  /** Goes on where the last call stopped; from the beginning after the end. */
  const goThrough = async (
    name: bigint | 'watched' | 'strays',
    page: (after: bigint, limit: number) => Promise<bigint[]>,
    total: DunningRun,
  ): Promise<void> => {
    for (let room = LOOKED_A_CALL_MAX; room > 0; room -= PAGE) {
      const ids = await page(cursors.get(name) ?? 0n, PAGE);
      if (ids.length > 0) add(total, await lookAt(ids, false));
      cursors.set(name, ids.length < PAGE ? 0n : (ids.at(-1) ?? 0n));
      if (ids.length < PAGE) return;
    }
  };
  return {
    async run() {
      const now = clock.now();
      const total = nothing();
      // A block that ended since yesterday is lifted, whatever date it is at the site.
      const since = dayOfInstant(now, 'UTC') - 3;
      const watched = (after: bigint, limit: number) => watchedIds(pool, { after, limit, since });
      await goThrough('watched', watched, total);
      await goThrough('strays', (after, limit) => deps.ports.strays({ after, limit }), total);
      for (const siteId of openSites(deps, now)) {
        const debtors = (after: bigint, limit: number) =>
          deps.ports.debtors({ siteId, after, limit });
        await goThrough(siteId, debtors, total);
      }
      return total;
    },
    reconsider,
    async look(subscriberIds) {
      const cases = await casesOf(deps, pool, subscriberIds);
      return new Map(
        cases.map((one) => [one.debtor.id, dunningOf({ ...one, flags: one.debtor.flags })]),
      );
    },
    debtors: deps.ports.debtors,
    ...createActs({
      ...deps,
      reconsider: async (id) => void (await reconsider([id])),
      /** Runs with the subscriber locked, so that nothing is decided from facts of before. */
      withCase: (id, act) =>
        inTurn(() =>
          transaction(pool, async (client) => {
            await lockDebtors(client, [id], { wait: true });
            const [one] = await casesOf(deps, client, [id]);
            return act(client, one ?? null);
          }),
        ),
    }),
  };
}

/** Sites at which a policy takes steps at this time of their day. */
function openSites({ catalogue, policies }: DunningDeps, now: Date): bigint[] {
  const all = policies();
  const isOpen = ({ id, timeZone }: Site): boolean =>
    all.some(({ siteId, policy }) => siteId === id && mayAct(policy, now, timeZone));
  return [...catalogue().sites.values()].filter(isOpen).map(({ id }) => id);
}

/**
 * Work in this process that holds a connection while its ports need another: one at a time, so that
 * many callers can never wait for connections that they hold themselves.
 */
function oneAtATime(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const mine = last.then(work, work);
    last = mine.catch(() => undefined);
    return mine;
  };
}

function add(total: DunningRun, more: DunningRun): void {
  total.looked += more.looked;
  total.queued += more.queued;
  total.changed += more.changed;
  total.failed += more.failed;
}

/**
 * Decides one page: the pictures are taken or given back first, then all is written. Killed in
 * between, the next look finds the same and does it again, which changes nothing.
 */
async function decidePage(
  deps: DunningDeps,
  client: PoolClient,
  { ids, wait }: { ids: readonly bigint[]; wait: boolean },
): Promise<DunningRun> {
  const locked = await lockDebtors(client, ids, { ...deps, wait });
  if (locked.length === 0) return nothing();
  const now = deps.clock.now();
  const decided: { one: Case; decision: CaseDecision }[] = [];
  const total = nothing();
  const pictures = await deps.ports.picturesOf(locked);
  for (const one of await casesOf(deps, client, locked)) {
    total.looked += 1;
    const decision = decideCase(one, now, deps.ports.messagesFor);
    const call = decision.change?.call ?? callFor(one, decision, pictures.get(one.debtor.id));
    if (await isCarriedOut(deps, one, { ...decision, call })) decided.push({ one, decision });
    else total.failed += 1;
  }
  const clear = decided.filter(({ decision }) => decision.dunning.state === 'clear');
  await withdrawMessages(
    client,
    clear.map(({ one }) => one.debtor.id),
  );
  total.changed = decided.filter(({ decision }) => decision.change !== null).length;
  total.queued = await write(deps, client, decided, now);
  return total;
}

/** Everything there is to know of subscribers; one at a site that is not known is left out. */
async function casesOf(
  deps: DunningDeps,
  db: Pool | PoolClient,
  ids: readonly bigint[],
): Promise<Case[]> {
  const sites = deps.catalogue().sites;
  const policies = deps.policies();
  const now = deps.clock.now();
  const debtors = await debtorsOf(db, ids, SCREENS_MAX);
  const invoices = await deps.ports.openInvoicesOf(ids);
  const ends = await deps.ports.prepaidEndsOf(ids.filter((id) => !invoices.has(id)));
  const cases = debtors.flatMap((debtor): Case[] => {
    const site = sites.get(debtor.siteId);
    if (!site) return [];
    const today = dayOfInstant(now, site.timeZone);
    const end = ends.get(debtor.id);
    const owing: Owing = invoices.has(debtor.id)
      ? { kind: 'postpaid', openInvoices: invoices.get(debtor.id) ?? [] }
      : {
          kind: 'prepaid',
          endsOn: end?.endsAt ? dayOfInstant(end.endsAt, site.timeZone) : null,
          price: end?.price ?? 0n,
        };
    const policy = policyOf(policies, debtor, oldestDay(owing) ?? today);
    return [{ debtor, site, policy, owing, taken: [], today }];
  });
  const since = new Map(
    cases.flatMap(({ debtor, owing }) => {
      const day = oldestDay(owing);
      return day === null ? [] : [[debtor.id, day] as const];
    }),
  );
  const taken = await stepsTaken(db, since);
  return cases.map((one) => ({ ...one, taken: taken.get(one.debtor.id) ?? [] }));
}

/** A debt is dunned as was said when it arose. */
const policyOf = (all: readonly PolicyVersion[], { siteId, category }: Debtor, on: Day) =>
  policyAt(all, { siteId, category, on }) ?? NOBODY_DUNNED;

function oldestDay(owing: Owing): Day | null {
  if (owing.kind === 'prepaid') return owing.endsOn === null ? null : owing.endsOn - 1;
  const open = owing.openInvoices.filter((invoice) => invoice.open > 0n);
  const days = open.map(({ issuedOn, dueOn }) => Math.min(issuedOn, dueOn));
  return days.length === 0 ? null : Math.min(...days);
}

/**
 * What is missing for pictures to be as they are to be: a card came to somebody who has none, or to
 * somebody who has; or the picture is away for another reason by now.
 */
function callFor(
  { debtor, owing }: Case,
  { change, dunning }: CaseDecision,
  pictures: Pictures | undefined,
): HoldCall {
  if (!pictures) return null;
  const level = change?.level ?? debtor.hold?.level ?? 'open';
  // Whose prepaid contract ended has no rights to be hidden.
  const isDark = level === 'stopped' || (level === 'ended' && owing.kind === 'postpaid');
  if (!isDark) return pictures.takenFor.length > 0 ? 'unsuspend' : null;
  const isRight = pictures.takenFor.every((why) => why === dunning.because);
  return isRight && !pictures.isShown ? null : 'suspend';
}

/** False when a port failed: then nothing is written of this subscriber, and it is tried again. */
async function isCarriedOut(
  { ports, logger }: DunningDeps,
  { debtor, today }: Case,
  { dunning, call }: CaseDecision & { call: HoldCall },
): Promise<boolean> {
  if (call === null) return true;
  const why = dunning.because;
  const act = { subscriberId: debtor.id, why, because: becauseOf(dunning), on: today };
  try {
    await callOf(ports, call)(act);
    logger.info(`dunning.${call}`, { subscriberId: debtor.id, because: act.because });
    return true;
  } catch (error) {
    logger.error('dunning.failed', { subscriberId: debtor.id, call, error });
    return false;
  }
}

const callOf = (ports: DunningPorts, call: Exclude<HoldCall, null>): DunningPorts['suspend'] =>
  ({ suspend: ports.suspend, unsuspend: ports.unsuspend, terminate: ports.terminate })[call];

/** Of a block, what it is for. */
const becauseOf = ({ because, blockedFor }: Dunning): string => blockedFor ?? because;

async function write(
  { ids }: DunningDeps,
  client: PoolClient,
  decided: readonly { one: Case; decision: CaseDecision }[],
  now: Date,
): Promise<number> {
  let count = 0;
  for (const { decision } of decided) {
    count += decision.change === null ? 0 : 1;
    for (const { says } of decision.actions) count += says.length;
  }
  const lent = await ids.lend(count);
  try {
    const holds: HoldWrite[] = [];
    const taken: (TakenAction & { siteId: bigint })[] = [];
    for (const { one, decision } of decided) {
      const { id: subscriberId, siteId } = one.debtor;
      const { change, dunning } = decision;
      if (change) {
        const because = becauseOf(dunning);
        const next =
          change.level === 'open' ? null : { id: lent.next(), level: change.level, because };
        holds.push({ subscriberId, on: one.today, next });
      }
      for (const { action, says } of decision.actions) {
        const worded = says.map((draft) => ({ ...draft, id: lent.next() }));
        taken.push({ subscriberId, siteId, owed: dunning.owed, action, says: worded });
      }
    }
    await writeHolds(client, holds, now);
    return await writeSteps(client, taken, now);
  } finally {
    lent.giveBack();
  }
}
