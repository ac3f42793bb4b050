/** What is due by now, read from the database, and done in the order that `due.ts` says. */
import type { Pool } from 'pg';
import type { Clock } from '../../platform/ports.ts';
import { byHouseTime, byTestClock } from '../../registry/test-clocks.ts';
import { DUE_ORDER, type Due, dueCommand, dueOrder } from './due.ts';
import type { Settlement } from './service.ts';

/** Of each kind at one go; the next page goes on behind it. */
export const DUE_MAX = 2_000;

/** Whose books an act touches: what is due for one party is done in its order. */
export type ListedDue = Due & { party: string };

/** Those whose time it is: a condition on a subscriber's id. */
type Whose = (column: string) => string;

/**
 * One list a kind, each by an index of its own: what is due at $1 or before and lies behind the
 * place ($3, $4), by instant and id. Of the lots of one owner that expire together the first stands
 * for all.
 */
const queries = (whose: Whose): Record<Due['kind'], string> => ({
  expire_credit: `
    SELECT l.expires_at AS at, o.site_id, l.id, o.id AS subject, o.id AS party
      FROM lot l
      JOIN account a ON a.id = l.account_id AND a.kind IN ('wallet_paid', 'wallet_promo')
      JOIN subscriber o ON o.id = split_part(a.owner, ':', 2)::bigint
     WHERE l.remaining > 0 AND l.expires_at <= $1 AND (l.expires_at, l.id) > ($3, $4::bigint)
       AND NOT EXISTS (SELECT FROM lot e
                        WHERE e.account_id IN (o.wallet_id, o.promo_id) AND e.remaining > 0
                          AND e.expires_at = l.expires_at AND e.id < l.id)
       AND ${whose('o.id')}
     ORDER BY l.expires_at, l.id LIMIT $2`,
  release_event: `
    SELECT p.ends_at AS at, e.site_id, p.id, p.id AS subject, p.subscriber_id AS party
      FROM event_purchase p JOIN event e ON e.id = p.event_id
     WHERE p.state = 'held' AND p.ends_at <= $1 AND (p.ends_at, p.id) > ($3, $4::bigint)
       AND ${whose('p.subscriber_id')}
     ORDER BY p.ends_at, p.id LIMIT $2`,
  end_pause: `
    SELECT s.pause_until AS at, c.site_id, s.id, c.id AS subject, c.subscriber_id AS party
      FROM subscription s JOIN card c ON c.id = s.card_id
     WHERE s.pause_until <= $1 AND (s.pause_until, s.id) > ($3, $4::bigint)
       AND ${whose('c.subscriber_id')}
     ORDER BY s.pause_until, s.id LIMIT $2`,
  complete_move: `
    SELECT m.due_at AS at, j.site_id, m.id, i.id AS subject, NULL AS party, i.provider, i.receipt
      FROM payment_move m
      JOIN inbox i ON i.id = m.payment_id
      JOIN journal j ON j.inbox_id = i.id AND j.kind = 'payment'
      JOIN card c ON c.id = m.to_card_id
     WHERE m.state = 'pending' AND m.due_at <= $1 AND (m.due_at, m.id) > ($3, $4::bigint)
       AND ${whose('c.subscriber_id')}
     ORDER BY m.due_at, m.id LIMIT $2`,
  renew: `
    SELECT s.renew_at AS at, c.site_id, s.id, c.id AS subject, c.subscriber_id AS party
      FROM subscription s JOIN card c ON c.id = s.card_id
     WHERE s.renew_at <= $1 AND (s.renew_at, s.id) > ($3, $4::bigint)
       AND s.waiting_term IS NULL AND s.pause_until IS NULL AND s.closed_at IS NULL
       AND ${whose('c.subscriber_id')}
       AND (s.auto_renew_since IS NULL OR s.auto_renew_since < s.renew_at)
     ORDER BY s.renew_at, s.id LIMIT $2`,
  claw_back: `
    SELECT m.due_at AS at, m.site_id, m.id, m.id AS subject, m.subscription_id AS party
      FROM commission m
      JOIN subscription s ON s.id = m.subscription_id
      JOIN card c ON c.id = coalesce(s.card_id, s.former_card_id)
     WHERE m.state = 'open' AND m.due_at <= $1 AND (m.due_at, m.id) > ($3, $4::bigint)
       AND ${whose('c.subscriber_id')}
     ORDER BY m.due_at, m.id LIMIT $2`,
});

const OF_THE_HOUSE = queries(byHouseTime);
const OF_A_CLOCK = queries((column) => byTestClock(column, '$5'));

/** All but holds: only the dispatcher knows what was on air when its event ended. */
export const SWEPT = DUE_ORDER.filter((kind) => kind !== 'release_event');

/** Where the list of a kind goes on: behind the last that was listed. */
type Places = Map<Due['kind'], Due>;

interface Paging {
  kinds: readonly Due['kind'][];
  places: Places;
  /** Of each kind. */
  pageMax: number;
  /** Of the subscribers of this test clock; else of all who have none. */
  testClockId?: bigint | undefined;
}

/**
 * What is due at or before `until`, in order, at most `DUE_MAX` of each kind: of the subscribers of
 * a test clock, or of all who have none.
 */
export async function listDue(
  pool: Pool,
  until: Date,
  kinds: readonly Due['kind'][] = DUE_ORDER,
  testClockId?: bigint,
): Promise<ListedDue[]> {
  const places: Places = new Map();
  const paging = { kinds, places, pageMax: DUE_MAX, testClockId };
  const { due } = await listPage(pool, until, paging);
  return due;
}

/**
 * The next page behind `places`, and whether there may be more. Where a kind has more than fit, the
 * page ends at the last of them, so that nothing is done before what must come first.
 */
async function listPage(
  pool: Pool,
  until: Date,
  { kinds, places, pageMax, testClockId }: Paging,
): Promise<{ due: ListedDue[]; isLast: boolean }> {
  let horizon: Due | null = null;
  const all: ListedDue[] = [];
  const isOfHouse = testClockId === undefined;
  for (const kind of kinds) {
    const place = places.get(kind);
    const behind = [until, pageMax, place?.at ?? '-infinity', place?.id ?? 0n];
    const { rows } = await pool.query({
      name: `due-${kind}${isOfHouse ? '' : '-clock'}`,
      text: (isOfHouse ? OF_THE_HOUSE : OF_A_CLOCK)[kind],
      values: isOfHouse ? behind : [...behind, testClockId],
    });
    const due = rows.map((row) => dueOf(kind, row));
    all.push(...due);
    const last = due.length === pageMax ? due.at(-1) : undefined;
    if (last && (!horizon || dueOrder(last, horizon) < 0)) horizon = last;
  }
  const end = horizon;
  const due = all.filter((one) => !end || dueOrder(one, end) <= 0).sort(dueOrder);
  return { due, isLast: !end };
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
function dueOf(kind: Due['kind'], row: any): ListedDue {
  const party = `${kind === 'claw_back' ? 'subscription' : 'subscriber'}:${row.party}`;
  const base = { at: row.at, siteId: row.site_id, id: row.id, party };
  switch (kind) {
    case 'expire_credit':
      return { ...base, kind, subscriberId: row.subject };
    case 'release_event':
      return { ...base, kind, purchaseId: row.subject };
    case 'complete_move':
      return { ...base, kind, original: { provider: row.provider, receipt: row.receipt } };
    case 'claw_back':
      return { ...base, kind, commissionId: row.subject };
    default:
      return { ...base, kind, cardId: row.subject };
  }
}

/**
 * Does all that is due now. The keys hold what is due and when, so that each is done once, wherever
 * and however often this wakes, and it may be ended anywhere. What is due for one party is done in
 * its order; a page is read while the one before it is done. Returns how much was due.
 */
export async function doDue(deps: {
  pool: Pool;
  settlement: Pick<Settlement, 'settleAutomatic'>;
  clock: Clock;
  /** Of each kind that are read at one go. */
  pageMax?: number;
}): Promise<number> {
  const now = deps.clock.now();
  const { pageMax = DUE_MAX } = deps;
  const places: Places = new Map();
  const work = createOrderedWork((one) => deps.settlement.settleAutomatic(dueCommand(one, now)));
  let count = 0;
  for (let isLast = false; !isLast; ) {
    const page = await listPage(deps.pool, now, { kinds: SWEPT, places, pageMax });
    for (const one of page.due) {
      places.set(one.kind, one);
      // A payment that moves touches two accounts: it is done alone, behind what is before it.
      if (one.kind === 'complete_move') await work.untilLeft(0);
      work.add(one);
      if (one.kind === 'complete_move') await work.untilLeft(0);
    }
    count += page.due.length;
    ({ isLast } = page);
    await work.untilLeft(isLast ? 0 : pageMax);
  }
  return count;
}

/** Does things at once, but those of one party one after the other. */
function createOrderedWork(act: (one: ListedDue) => Promise<unknown>) {
  /** The last of each party that has something to do. */
  const tails = new Map<string, Promise<void>>();
  let left = 0;
  let wake = (): void => undefined;
  const run = async (one: ListedDue, before: Promise<void> | undefined): Promise<void> => {
    await before;
    await act(one);
    left -= 1;
    wake();
  };
  return {
    add(one: ListedDue): void {
      left += 1;
      const tail = run(one, tails.get(one.party));
      tails.set(one.party, tail);
      void tail.then(() => {
        if (tails.get(one.party) === tail) tails.delete(one.party);
      });
    },
    /** Waits until no more than so many are left to do. */
    async untilLeft(most: number): Promise<void> {
      while (left > most) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
