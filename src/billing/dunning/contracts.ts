/**
 * What dunning does to what is sold: postpaid contracts are not charged while the picture is away,
 * and end with it; prepaid subscriptions are closed. Everything may be done twice.
 */
import type { Pool } from 'pg';
import { type Day, dayOfInstant, formatDay, parseDay } from '../../platform/day.ts';
import type { Clock } from '../../platform/ports.ts';
import type { Action } from '../postpaid/actions.ts';
import type { Book } from '../postpaid/books.ts';
import { chargedThrough } from '../postpaid/charged.ts';
import type { Contract } from '../postpaid/rows.ts';
import type { PostpaidService } from '../postpaid/service.ts';
import { eventsOf } from '../postpaid/timeline.ts';
import type { Settlement } from '../settlement/service.ts';

export interface Contracts {
  /** Days from `on` are not charged to the subscriber, until `goOn`. Prepaid: nothing. */
  stop(subscriberId: bigint, on: Day): Promise<void>;
  /** Days from `on` are charged again, where `stop` stopped that. */
  goOn(subscriberId: bigint, on: Day): Promise<void>;
  /** Ends contracts today, and closes prepaid subscriptions. */
  end(subscriberId: bigint): Promise<void>;
}

export interface ContractsDeps {
  pool: Pool;
  clock: Clock;
  settlement: Pick<Settlement, 'settle'>;
  postpaid: Postpaid;
}

type Postpaid = Pick<PostpaidService, 'act' | 'bringUpToDate'>;

/**
 * Each throws when something was not done: then it is done again later. Callers come one at a time
 * for a subscriber. What was done stands in the keys of the acts, which postpaid keeps.
 *
 * A stop takes effect when what is charged already is used up, and its days before that are given
 * back when it ends. Were they given back at once, they would pay the bill that is overdue, the
 * picture would come back for it, and the bill with it.
 */
export function createContracts(deps: ContractsDeps): Contracts {
  const { pool } = deps;
  return {
    stop: (subscriberId, on) =>
      eachContract(deps, subscriberId, async (postpaid, book, contract) => {
        const { last, isOver } = await stopsOf(pool, book, contract);
        if (!isOver) return;
        // Who else has stopped it lets it go on.
        if (eventsOf(book, contract, ['block', 'unblock']).at(-1)?.kind === 'block') return;
        const from = Math.max(on, contract.startsOn);
        const effective = Math.max(from, chargedThrough(book, contract));
        const { ref } = contract;
        const key = stopKey(ref, { serial: (last?.serial ?? 0) + 1, from, effective });
        await done(postpaid, book, key, { act: 'block_billing', ref, effective });
      }),
    goOn: (subscriberId, on) =>
      eachContract(deps, subscriberId, (postpaid, book, contract) =>
        goOn({ pool, postpaid, book, contract }, on),
      ),
    async end(subscriberId) {
      await eachContract(deps, subscriberId, async (postpaid, book, contract) => {
        const today = dayOfInstant(deps.clock.now(), book.account.timeZone);
        await goOn({ pool, postpaid, book, contract }, today);
        const { ref, baseId } = contract;
        if (baseId !== null) return; // It ends with its base.
        const now = { service: 'immediate', billing: 'immediate' } as const;
        await done(postpaid, book, `dunning.cancel:${ref}`, { act: 'cancel', ref, ...now });
      });
      await closeSubscriptions(deps, subscriberId);
    },
  };
}

/** Contracts that have not been ended, of all accounts of a subscriber, as of today. */
async function eachContract(
  { pool, postpaid }: ContractsDeps,
  subscriberId: bigint,
  work: (service: Postpaid, book: Book, contract: Contract) => Promise<void>,
): Promise<void> {
  const { rows } = await pool.query<{ id: bigint }>(
    'SELECT id FROM postpaid_account WHERE subscriber_id = $1 ORDER BY id',
    [subscriberId],
  );
  for (const { id } of rows) {
    const book = await postpaid.bringUpToDate(id);
    for (const contract of book.rows.contracts) {
      if (eventsOf(book, contract, ['end_billing']).length === 0) {
        await work(postpaid, book, contract);
      }
    }
  }
}

/** One stop: from when there was no picture, and from when that stopped charging. */
interface Stop {
  serial: number;
  from: Day;
  effective: Day;
}

const stopKey = (ref: string, { serial, from, effective }: Stop): string =>
  `dunning.stop:${ref}:${serial}:${formatDay(from)}:${formatDay(effective)}`;
const overKey = (ref: string, serial: number): string => `dunning.over:${ref}:${serial}`;

/** The last stop of a contract, and whether it is over; none is. */
async function stopsOf(
  pool: Pool,
  { account }: Book,
  { ref }: Contract,
): Promise<{ last: Stop | null; isOver: boolean }> {
  const { rows } = await pool.query<{ key: string }>(
    'SELECT key FROM postpaid_act WHERE account_id = $1 AND starts_with(key, $2)',
    [account.id, `dunning.stop:${ref}:`],
  );
  const stops = rows.flatMap(({ key }): Stop[] => {
    const [, serial, from, effective] = /:(\d+):([\d-]{10}):([\d-]{10})$/.exec(key) ?? [];
    if (!serial || !from || !effective) return [];
    const stop = { serial: Number(serial), from: parseDay(from), effective: parseDay(effective) };
    // The name of another contract may begin as this one's.
    return key === stopKey(ref, stop) ? [stop] : [];
  });
  const last = stops.reduce<Stop | null>(
    (best, one) => (best && best.serial > one.serial ? best : one),
    null,
  );
  if (last === null) return { last, isOver: true };
  const { rowCount } = await pool.query(
    'SELECT FROM postpaid_act WHERE account_id = $1 AND key = $2',
    [account.id, overKey(ref, last.serial)],
  );
  return { last, isOver: rowCount === 1 };
}

interface Stopped {
  pool: Pool;
  postpaid: Postpaid;
  book: Book;
  contract: Contract;
}

/** Ends the stop, so that nothing else than its days is not charged. */
async function goOn({ pool, postpaid, book, contract }: Stopped, on: Day): Promise<void> {
  const { last, isOver } = await stopsOf(pool, book, contract);
  if (!last || isOver) return;
  const { ref } = contract;
  const { serial, from, effective } = last;
  const to = Math.max(on, from);
  // The days to come first: whatever is given back then is what the stop took.
  const actions: Action[] = [];
  if (to < effective) actions.push({ act: 'unblock_billing', ref, effective });
  if (to > from || effective === from) {
    actions.push({ act: 'unblock_billing', ref, effective: to });
  }
  if (to > from && effective > from) {
    actions.push({ act: 'block_billing', ref, effective: from });
  }
  for (const [index, action] of actions.entries()) {
    const key = `dunning.go_on:${ref}:${serial}:${index}:${formatDay(to)}`;
    const isLast = index === actions.length - 1;
    await done(postpaid, book, isLast ? overKey(ref, serial) : key, action);
  }
}

async function done(
  postpaid: Postpaid,
  { account }: Book,
  key: string,
  action: Action,
): Promise<void> {
  const answer = await postpaid.act(account.id, key, action);
  const error = answer.ok ? (answer.value.ok ? null : answer.value.error) : answer.error;
  if (error !== null && error !== 'subscription_ended') {
    throw new Error(`${key} of account ${account.id}: ${error}`);
  }
}

async function closeSubscriptions(
  { pool, clock, settlement }: ContractsDeps,
  subscriberId: bigint,
): Promise<void> {
  const { rows } = await pool.query<Record<'id' | 'card_id' | 'site_id', bigint> & { paid: Date }>(
    `SELECT s.id, s.card_id, k.site_id, s.paid_until AS paid
       FROM card k JOIN subscription s ON s.card_id = k.id
      WHERE k.subscriber_id = $1 AND s.closed_at IS NULL AND s.paid_until IS NOT NULL
      ORDER BY s.id`,
    [subscriberId],
  );
  for (const { id, card_id: cardId, site_id: siteId, paid } of rows) {
    const outcome = await settlement.settle({
      ...{ kind: 'close_subscription', provider: 'vip', channelId: 'scheduler', siteId, cardId },
      // One that is paid again may have to be closed again.
      ...{ receipt: `dunning.close:${id}:${paid.toISOString()}`, at: clock.now() },
      raw: Buffer.alloc(0),
    });
    if (outcome.kind !== 'done') throw new Error(`Subscription ${id} is not closed`);
  }
}
