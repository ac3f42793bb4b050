/** What is due by now, read from the database, and done in the order that `due.ts` says. */
import type { Pool } from 'pg';
import type { Clock } from '../../platform/ports.ts';
import { DUE_ORDER, type Due, dueCommand, dueOrder } from './due.ts';
import type { Settlement } from './service.ts';

/** Of each kind at one go; what is left is found again. */
export const DUE_MAX = 500;

/** Whose books an act touches: what is due for one party is done in its order. */
export type ListedDue = Due & { party: string };

/**
 * One list a kind, each by an index of its own. Wallets name their owner, so that an expired lot
 * needs no index on the subscriber's wallets.
 */
const QUERY: Record<Due['kind'], string> = {
  expire_credit: `
    SELECT l.expires_at AS at, o.site_id, min(l.id) AS id, o.id AS subject, o.id AS party
      FROM (SELECT id, account_id, expires_at FROM lot
             WHERE remaining > 0 AND expires_at <= $1 ORDER BY expires_at LIMIT $2) l
      JOIN account a ON a.id = l.account_id AND a.kind IN ('wallet_paid', 'wallet_promo')
      JOIN subscriber o ON o.id = split_part(a.owner, ':', 2)::bigint
     GROUP BY l.expires_at, o.site_id, o.id
     ORDER BY at LIMIT $2`,
  release_event: `
    SELECT p.ends_at AS at, e.site_id, p.id, p.id AS subject, p.subscriber_id AS party
      FROM event_purchase p JOIN event e ON e.id = p.event_id
     WHERE p.state = 'held' AND p.ends_at <= $1
     ORDER BY at LIMIT $2`,
  end_pause: `
    SELECT s.pause_until AS at, c.site_id, s.id, c.id AS subject, c.subscriber_id AS party
      FROM subscription s JOIN card c ON c.id = s.card_id
     WHERE s.pause_until <= $1
     ORDER BY at LIMIT $2`,
  complete_move: `
    SELECT m.due_at AS at, j.site_id, m.id, i.id AS subject, NULL AS party, i.provider, i.receipt
      FROM payment_move m
      JOIN inbox i ON i.id = m.payment_id
      JOIN journal j ON j.inbox_id = i.id AND j.kind = 'payment'
     WHERE m.state = 'pending' AND m.due_at <= $1
     ORDER BY at LIMIT $2`,
  renew: `
    SELECT s.renew_at AS at, c.site_id, s.id, c.id AS subject, c.subscriber_id AS party
      FROM subscription s JOIN card c ON c.id = s.card_id
     WHERE s.renew_at <= $1 AND s.waiting_term IS NULL AND s.pause_until IS NULL
       AND s.closed_at IS NULL
       AND (s.auto_renew_since IS NULL OR s.auto_renew_since < s.renew_at)
     ORDER BY at LIMIT $2`,
  claw_back: `
    SELECT m.due_at AS at, m.site_id, m.id, m.id AS subject, m.subscription_id AS party
      FROM commission m
     WHERE m.state = 'open' AND m.due_at <= $1
     ORDER BY at LIMIT $2`,
};

/** All but holds: only the dispatcher knows what was on air when its event ended. */
const SWEPT = DUE_ORDER.filter((kind) => kind !== 'release_event');

/**
 * What is due at or before `until`, in order. Where a kind has more than fit, the list ends at the
 * last of them, so that nothing is done before what must come first.
 */
export async function listDue(
  pool: Pool,
  until: Date,
  kinds: readonly Due['kind'][] = DUE_ORDER,
): Promise<ListedDue[]> {
  let horizonMs = until.getTime();
  const all: ListedDue[] = [];
  for (const kind of kinds) {
    const { rows } = await pool.query({
      name: `due-${kind}`,
      text: QUERY[kind],
      values: [until, DUE_MAX],
    });
    if (rows.length === DUE_MAX) horizonMs = Math.min(horizonMs, rows.at(-1).at.getTime());
    all.push(...rows.map((row) => dueOf(kind, row)));
  }
  return all.filter(({ at }) => at.getTime() <= horizonMs).sort(dueOrder);
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
function dueOf(kind: Due['kind'], row: any): ListedDue {
  const party = `${kind === 'claw_back' ? 'reseller' : 'subscriber'}:${row.party}`;
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
 * Does what is due now. The keys hold what is due and when, so that each is done once, wherever
 * and however often this wakes. Returns how much was due.
 */
export async function doDue(deps: {
  pool: Pool;
  settlement: Pick<Settlement, 'settle'>;
  clock: Clock;
}): Promise<number> {
  const now = deps.clock.now();
  const due = await listDue(deps.pool, now, SWEPT);
  for (const stretch of stretchesOf(due)) {
    await Promise.all(
      partiesOf(stretch).map(async (own) => {
        for (const one of own) await deps.settlement.settle(dueCommand(one, now));
      }),
    );
  }
  return due.length;
}

/** A payment that moves touches two accounts: it is done alone, behind what is before it. */
function stretchesOf(due: readonly ListedDue[]): ListedDue[][] {
  const stretches: ListedDue[][] = [[]];
  for (const one of due) {
    if (one.kind === 'complete_move') stretches.push([one], []);
    else stretches.at(-1)?.push(one);
  }
  return stretches.filter((stretch) => stretch.length > 0);
}

function partiesOf(due: readonly ListedDue[]): ListedDue[][] {
  const parties = new Map<string, ListedDue[]>();
  for (const one of due) parties.set(one.party, [...(parties.get(one.party) ?? []), one]);
  return [...parties.values()];
}
