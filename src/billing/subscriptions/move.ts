/**
 * What a card carries goes to another card, because the card itself is replaced: everything that
 * runs moves, what is over stays where it was.
 */
import type { PoolClient } from 'pg';
import type { Ids } from '../../platform/ports.ts';
import { insertCard } from '../../registry/store.ts';

export interface Moved {
  fromId: bigint;
  toId: bigint;
  subscriberId: bigint;
}

export type MoveFault = 'not_in_use' | 'card_in_use';

/**
 * The two cards, locked with their rights by id; the new one is made when its number is new. A
 * fault: the old carries nothing, or the new carries something already.
 */
export async function lockForMove(
  tx: PoolClient,
  ids: Ids,
  { from, to, at }: { from: string; to: string; at: Date },
): Promise<Moved | MoveFault> {
  const { rows } = await tx.query<CardRow>(
    `SELECT id, number, site_id, subscriber_id, replaced_by FROM card
      WHERE number IN ($1, $2) ORDER BY id FOR NO KEY UPDATE`,
    [from, to],
  );
  const old = rows.find(({ number }) => number === from);
  const known = rows.find(({ number }) => number === to);
  if (!old || old.replaced_by !== null) return 'not_in_use';
  if (known && known.replaced_by !== null) return 'card_in_use';
  const owner = { siteId: old.site_id, subscriberId: old.subscriber_id };
  const toId = known?.id ?? (await ids.take());
  if (!known) await insertCard(tx, { ...owner, id: toId, number: to, createdAt: at });
  await tx.query(
    'SELECT FROM card_rights WHERE card_id IN ($1, $2) ORDER BY card_id FOR NO KEY UPDATE',
    [old.id, toId],
  );
  const { rows: open } = await tx.query(
    'SELECT card_id FROM subscription WHERE card_id IN ($1, $2) AND closed_at IS NULL',
    [old.id, toId],
  );
  if (open.some(({ card_id }) => card_id === toId)) return 'card_in_use';
  if (!open.some(({ card_id }) => card_id === old.id)) return 'not_in_use';
  return { fromId: old.id, toId, subscriberId: old.subscriber_id };
}

interface CardRow {
  id: bigint;
  number: string;
  site_id: bigint;
  subscriber_id: bigint;
  replaced_by: bigint | null;
}

/**
 * Each in its turn, behind the locks. What the new card had before is over and is put aside, so
 * that it is free. `$1` the old card, `$2` the new one.
 */
const MOVES = [
  `UPDATE subscription SET card_id = NULL, former_card_id = card_id
    WHERE card_id = $2 AND card_id <> $1`,
  `UPDATE card n SET subscriber_id = o.subscriber_id, site_id = o.site_id, is_linked = o.is_linked
     FROM card o WHERE o.id = $1 AND n.id = $2`,
  `UPDATE subscription SET card_id = $2 WHERE card_id = $1`,
  `UPDATE subscription SET main_card_id = $2 WHERE main_card_id = $1`,
  `UPDATE saved_card s SET card_id = $2
    WHERE card_id = $1
      AND NOT EXISTS (SELECT FROM saved_card x WHERE x.msisdn = s.msisdn AND x.card_id = $2)`,
  `UPDATE payment_move SET to_card_id = $2 WHERE to_card_id = $1 AND state = 'pending'`,
  // Money that is on its way for the old card.
  `UPDATE payment_order SET purpose = jsonb_set(purpose, '{cardId}', to_jsonb($2::bigint::text))
    WHERE next_poll_at IS NOT NULL AND purpose->>'cardId' = $1::bigint::text`,
  // Nobody is reminded twice, and no code of a promotion is used twice, because of a swap.
  `INSERT INTO reminder (card_id, paid_until, step, decided_at, decision)
   SELECT $2, r.paid_until, r.step, r.decided_at, r.decision
     FROM reminder r JOIN subscription s ON s.card_id = $2 AND s.paid_until = r.paid_until
    WHERE r.card_id = $1 ON CONFLICT DO NOTHING`,
  `INSERT INTO promotion_use (promotion_id, card_id, used_at)
   SELECT promotion_id, $2, used_at FROM promotion_use WHERE card_id = $1 ON CONFLICT DO NOTHING`,
  // Who names the old card, or one that it had replaced, means the new one.
  `UPDATE card SET replaced_by = $2 WHERE id = $1 OR replaced_by = $1`,
];

/**
 * Moves what runs from the one card to the other, but for its rights. `rightsRev`: the revision
 * with which the new card has them. The caller has `lockForMove`d.
 */
export async function moveSubscription(
  tx: PoolClient,
  { fromId, toId }: Moved,
  { rightsRev, at }: { rightsRev: number; at: Date },
): Promise<void> {
  for (const text of MOVES) await tx.query(text, [fromId, toId]);
  await tx.query(
    `UPDATE event_purchase p SET card_id = $2, rights_rev = $3
      WHERE card_id = $1 AND state IN ('held', 'captured') AND ends_at > $4
        AND NOT EXISTS (SELECT FROM event_purchase x
                         WHERE x.card_id = $2 AND x.event_id = p.event_id)`,
    [fromId, toId, rightsRev, at],
  );
}

/**
 * A trial is once for each card and decoder: who had one with the one thing has had it with the
 * other as well, so that no exchange of things brings another.
 */
export async function shareTrials(tx: PoolClient, one: string, other: string): Promise<void> {
  await tx.query(
    `INSERT INTO trial (subscription_id, decoder, person, granted_on)
     SELECT DISTINCT t.subscription_id, x.into_device, t.person, t.granted_on
       FROM (VALUES ($1, $2), ($2, $1)) AS x (of_device, into_device)
       JOIN trial t ON t.decoder = x.of_device
      WHERE NOT EXISTS (SELECT FROM trial k
                         WHERE k.decoder = x.into_device AND k.granted_on = t.granted_on
                           AND k.subscription_id = t.subscription_id)`,
    [one, other],
  );
}

/** The decoder that the subscription of a card is counted by from now on. */
export async function setDecoder(
  tx: PoolClient,
  { card, decoder }: { card: string; decoder: string },
): Promise<void> {
  await tx.query(
    `UPDATE subscription s SET decoder = $2 FROM card c WHERE c.number = $1 AND s.card_id = c.id`,
    [card, decoder],
  );
}
