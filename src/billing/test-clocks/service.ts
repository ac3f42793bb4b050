/**
 * Test clocks: subscribers who live by a time of their own, which is moved on by hand. What is due
 * for them happens then, each at its own instant and in its order, and never by the house's time.
 */
import type { Pool } from 'pg';
import type { Clock, Ids } from '../../platform/ports.ts';
import type { PostpaidService } from '../postpaid/service.ts';
import { stepInstants } from '../reminders/rules.ts';
import type { Outcome } from '../settlement/commands.ts';
import { type Due, dueCommand } from '../settlement/due.ts';
import { type ListedDue, listDue, SWEPT } from '../settlement/due-list.ts';
import type { Settlement } from '../settlement/service.ts';
import { type ClockDunning, nextLookAfter, tomorrow } from './looks.ts';
import { partyOf } from './party.ts';
import {
  attachSubscriber,
  clockOf,
  endsAfter,
  type IssuedInvoice,
  insertClock,
  invoicesOf,
  keepMessages,
  messagesBetween,
  type Party,
  postpaidAccounts,
  readClock,
  type SaidMessage,
  setClock,
  type TestClock,
} from './store.ts';

export type { IssuedInvoice, Party, SaidMessage, TestClock } from './store.ts';

/** Something automatic that was done, with what came of it. */
export interface DoneAct {
  at: Date;
  kind: Due['kind'];
  /** Whose books it touched. */
  subscriberId: bigint | null;
  cardId: bigint | null;
  outcome: Outcome;
}

export interface Advance {
  /** Where the clock stands now: on the way still, when too much happened for one move. */
  clock: TestClock;
  acts: DoneAct[];
  invoices: IssuedInvoice[];
  /** The first `MESSAGES_TOLD_MAX`. */
  messages: SaidMessage[];
}

export type Advanced = { ok: true; advance: Advance } | { ok: false; error: AdvanceError };
/** `backwards`: not after where it stands, or further than a year. `busy`: it is being moved. */
export type AdvanceError = 'not_found' | 'backwards' | 'busy';

export interface TestClocks {
  make(clock: { siteId: bigint; at: Date; by: string }): Promise<TestClock>;
  read(id: bigint): Promise<TestClock | null>;
  /**
   * Has a subscriber of the clock's site live by it. False when something of theirs has a date
   * already (money, a term, a contract, a clock), or the clock has `SUBSCRIBERS_MAX`.
   */
  attach(subscriberId: bigint, clock: TestClock): Promise<boolean>;
  /** Moves a clock on to `to` and does all that is due until then. */
  advance(id: bigint, to: Date): Promise<Advanced>;
  /** The time somebody lives by; null: the house's. */
  timeOf(party: Party): Promise<Date | null>;
  /** The same door, where what concerns such subscribers happens by their time. */
  settlement(door: Settlement): Settlement;
}

export interface TestClocksDeps {
  pool: Pool;
  ids: Ids;
  settlement: Pick<Settlement, 'settle'>;
  timeZoneOf(siteId: bigint): string;
  /** Decides the reminders of a clock's cards that are due by `clock`. */
  remind(clock: Clock, testClock: TestClock): Promise<unknown>;
  /** Postpaid billing with another time; absent where there is none. */
  postpaidAt?(clock: Clock): Pick<PostpaidService, 'billingRun'>;
  /** Dunning of the clock's subscribers with its time; absent where there is none. */
  dunningAt?(clock: Clock, testClockId: bigint): ClockDunning;
}

export const SUBSCRIBERS_MAX = 20;
/** How far one call moves a clock at the most: a leap year. */
export const ADVANCE_DAYS_MAX = 366;
/** Instants at which something is done in one call, and acts; a longer way is gone in parts. */
const STOPS_MAX = 2_000;
export const MESSAGES_TOLD_MAX = 1_000;
const DAY_MS = 86_400_000;

/** Test clocks over the rooms that do the work. */
export function createTestClocks(deps: TestClocksDeps): TestClocks {
  const { pool, ids } = deps;
  const timeOf = (party: Party) => clockOf(pool, party);
  return {
    async make({ siteId, at, by: madeBy }) {
      const id = await ids.take();
      await insertClock(pool, { id, siteId, at, madeBy });
      return { id, siteId, at, subscriberIds: [] };
    },
    read: (id) => readClock(pool, id),
    attach: (subscriberId, clock) =>
      attachSubscriber(pool, { subscriberId, clock, max: SUBSCRIBERS_MAX }),
    advance: (id, to) => withClock(pool, id, () => advance(deps, id, to)),
    timeOf,
    settlement: (door) => ({
      ...door,
      settle: async (command) => {
        const party = partyOf(command);
        const isKnown = Object.values(party).some((by) => by !== null);
        const at = isKnown ? await timeOf(party) : null;
        return door.settle(at === null ? command : { ...command, at });
      },
    }),
  };
}

/** One move of a clock at a time, in whatever process; the lock goes with its connection. */
async function withClock(pool: Pool, id: bigint, move: () => Promise<Advanced>): Promise<Advanced> {
  const client = await pool.connect();
  const key = [`test-clock.${id}`];
  let broken: Error | undefined;
  try {
    const lock = 'pg_try_advisory_lock(hashtextextended($1, 0)) AS taken';
    const { rows } = await client.query<{ taken: boolean }>(`SELECT ${lock}`, key);
    if (!rows[0]?.taken) return { ok: false, error: 'busy' };
    try {
      return await move();
    } finally {
      await client
        .query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', key)
        .catch((error: Error) => {
          broken = error;
        });
    }
  } finally {
    client.release(broken);
  }
}

async function advance(deps: TestClocksDeps, id: bigint, to: Date): Promise<Advanced> {
  const { pool } = deps;
  const clock = await readClock(pool, id);
  if (!clock) return { ok: false, error: 'not_found' };
  const aheadMs = to.getTime() - clock.at.getTime();
  if (aheadMs <= 0 || aheadMs > ADVANCE_DAYS_MAX * DAY_MS) return { ok: false, error: 'backwards' };
  const accounts = await postpaidAccounts(pool, id);
  const accountIds = accounts.map((account) => account.id);
  const before = new Set((await invoicesOf(pool, accountIds)).map((invoice) => invoice.id));
  const walk: Walk = { ...deps, clock, to, accountIds, acts: [], done: new Set(), look: null };
  let at = clock.at;
  let plan = await planFrom(walk, at);
  for (let stops = 0; stops < STOPS_MAX && walk.acts.length < STOPS_MAX; stops += 1) {
    const changed = await workAt(walk, plan, at);
    if (changed !== 'nothing') await setClock(pool, id, at);
    if (changed === 'all') plan = await planFrom(walk, at);
    // While an invoice is open its account is worked on each day: only that is planned anew.
    if (changed === 'billing') plan = { ...plan, billing: await billingDue(walk) };
    if (at.getTime() === to.getTime()) break;
    at = nextStop(walk, plan, at);
  }
  await setClock(pool, id, at);
  const said = { from: clock.at, until: at, limit: MESSAGES_TOLD_MAX };
  const messages = await messagesBetween(pool, id, said);
  await keepMessages(pool, id);
  const invoices = (await invoicesOf(pool, accountIds)).filter((one) => !before.has(one.id));
  return { ok: true, advance: { clock: { ...clock, at }, acts: walk.acts, invoices, messages } };
}

interface Walk extends TestClocksDeps {
  clock: TestClock;
  to: Date;
  accountIds: readonly bigint[];
  acts: DoneAct[];
  /** What was tried: one that could not be done stays due and is left. */
  done: Set<string>;
  /** When dunning has something to do, if nothing happens before. */
  look: Date | null;
}

/** When there is something to do on the way that is left; it holds until something is done. */
interface Plan {
  due: Date | null;
  billing: readonly Date[];
  reminders: readonly Date[];
}

async function planFrom(walk: Walk, at: Date): Promise<Plan> {
  const { pool, clock, to } = walk;
  const zone = walk.timeZoneOf(clock.siteId);
  const due = await nextDue(walk, to);
  const ends = await endsAfter(pool, clock.id, at);
  return {
    due: due?.at ?? null,
    billing: await billingDue(walk),
    reminders: ends.flatMap((end) => stepInstants(end, zone)),
  };
}

async function billingDue({ pool, clock, postpaidAt }: Walk): Promise<Date[]> {
  const accounts = postpaidAt ? await postpaidAccounts(pool, clock.id) : [];
  return accounts.flatMap(({ dueAt }) => dueAt ?? []);
}

/** Does what is due at `at`, and says how much of the plan that changed. */
async function workAt(walk: Walk, plan: Plan, at: Date): Promise<'nothing' | 'billing' | 'all'> {
  const { clock, to, accountIds } = walk;
  const now: Clock = { now: () => at };
  const isEnd = at.getTime() === to.getTime();
  const isDue = plan.due !== null && plan.due <= at;
  if (isDue) await doDueUntil(walk, at);
  const isBilling = plan.billing.some((due) => due <= at);
  if (isBilling) await walk.postpaidAt?.(now).billingRun(at, accountIds);
  const isReminding = plan.reminders.some((step) => step.getTime() === at.getTime());
  if (isReminding || isEnd) await walk.remind(now, clock);
  const isChanged = await isChangedByDunning(walk, now);
  if (isDue || isChanged) return 'all';
  return isBilling ? 'billing' : 'nothing';
}

/** Has dunning look, and notes when it is to look again. */
async function isChangedByDunning(walk: Walk, now: Clock): Promise<boolean> {
  const { pool, clock } = walk;
  const dunning = walk.dunningAt?.(now, clock.id);
  if (!dunning) return false;
  const ids = clock.subscriberIds;
  const { changed, failed } = await dunning.reconsider(ids);
  const at = now.now();
  walk.look = failed > 0 ? tomorrow(at) : await nextLookAfter(at, { pool, dunning, ids });
  return changed > 0;
}

async function doDueUntil(walk: Walk, at: Date): Promise<void> {
  const { clock, acts, done, settlement } = walk;
  for (let due = await nextDue(walk, at); due; due = await nextDue(walk, at)) {
    done.add(keyOf(due));
    // Nothing of theirs happens before they lived by the clock.
    const when = new Date(Math.max(due.at.getTime(), clock.at.getTime()));
    const outcome = await settlement.settle(dueCommand(due, when));
    const isOld = outcome.kind === 'done' && !outcome.first;
    if (!isOld) acts.push(actOf(due, when, outcome));
  }
}

const keyOf = ({ kind, id, at }: ListedDue): string => `${kind}:${id}:${at.toISOString()}`;

async function nextDue({ pool, clock, done }: Walk, until: Date): Promise<ListedDue | undefined> {
  const due = await listDue(pool, until, SWEPT, clock.id);
  return due.find((one) => !done.has(keyOf(one)));
}

function actOf(due: ListedDue, at: Date, outcome: Outcome): DoneAct {
  const [kind, party = ''] = due.party.split(':');
  return {
    at,
    kind: due.kind,
    subscriberId: kind === 'subscriber' && /^\d+$/.test(party) ? BigInt(party) : null,
    cardId: 'cardId' in due ? due.cardId : null,
    outcome,
  };
}

/** The first instant after `at` at which something may have to be done; at last the end. */
function nextStop({ look, to }: Walk, plan: Plan, at: Date): Date {
  const instants = [
    ...(plan.due ? [plan.due] : []),
    ...plan.billing,
    ...plan.reminders,
    ...(look ? [look] : []),
  ];
  const ahead = instants.map((one) => one.getTime()).filter((ms) => ms > at.getTime());
  return new Date(Math.min(to.getTime(), ...ahead));
}
