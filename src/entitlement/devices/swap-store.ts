/** The SQL of a swap on the sets of two cards, which are locked already. */
import type { PoolClient } from 'pg';
import type { Moved } from '../../billing/subscriptions/move.ts';
import type { Ids } from '../../platform/ports.ts';
import { DEVICE_SUSPENSION } from './suspended.ts';

export interface CardSet {
  /** The revision of the old card's empty set, and of the new card's full one. */
  oldRev: number;
  newRev: number;
  desired: readonly { product: string; from: string; to: string }[];
  suspended: string | null;
}

/**
 * Purpose: the new card has the old one's set under its own next revision, the old one nothing;
 * both are due. Locks: both rows, locked already. Plan: primary key.
 */
const MOVE_SET = `
WITH old AS (SELECT * FROM card_rights WHERE card_id = $1),
emptied AS (
  UPDATE card_rights
     SET desired = '[]', desired_rev = desired_rev + 1, coverage = NULL, older = NULL,
         suspended = NULL, raised_at = $3, next_at = $3, attempts = 0, failure = NULL,
         reair_at = NULL
   WHERE card_id = $1 RETURNING desired_rev
), filled AS (
  UPDATE card_rights n
     SET desired = old.desired, desired_rev = n.desired_rev + 1, coverage = old.coverage,
         older = old.older, suspended = old.suspended, raised_at = $3, next_at = $3, attempts = 0,
         failure = NULL, reair_at = NULL
    FROM old WHERE n.card_id = $2 RETURNING n.desired_rev, n.desired, n.suspended
)
SELECT emptied.desired_rev AS "oldRev", filled.desired_rev AS "newRev", filled.desired,
       filled.suspended
  FROM emptied, filled`;

/** Moves the set of a card; answers what the head-end is to be told. */
export async function moveSet(tx: PoolClient, { fromId, toId }: Moved, at: Date): Promise<CardSet> {
  const { rows } = await tx.query<CardSet>(MOVE_SET, [fromId, toId, at]);
  if (!rows[0]) throw new Error(`The sets of ${fromId} and ${toId} are not there`);
  return rows[0];
}

/**
 * Nothing but the command sends these sets until it has ended, whose trigger gives them back, or
 * its time is over.
 */
export async function leaseSets(
  tx: PoolClient,
  { fromId, toId }: Moved,
  { command, until }: { command: string; until: Date },
): Promise<void> {
  await tx.query(
    `UPDATE card_rights SET lease_by = $3, lease_until = $4, lease_token = lease_token + 1
      WHERE card_id IN ($1, $2)`,
    [fromId, toId, command, until],
  );
}

/**
 * An open suspension is of the subscriber, and goes with the set; but one because the old card was
 * lost or broken ends with it. What the new card was suspended for before ends as well.
 */
export async function moveSuspension(
  tx: PoolClient,
  ids: Ids,
  { fromId, toId }: Moved,
  { at, by }: { at: Date; by: string },
): Promise<void> {
  const { rows } = await tx.query(
    `UPDATE card_suspension SET resumed_at = $3, resumed_by = $4
      WHERE card_id IN ($1, $2) AND resumed_at IS NULL
      RETURNING id, card_id, reason, suspended_at, suspended_by`,
    [fromId, toId, at, by],
  );
  const open = rows.find((row) => row.card_id === fromId);
  if (!open) return;
  if (open.suspended_by === DEVICE_SUSPENSION) {
    await tx.query('UPDATE card_rights SET suspended = NULL WHERE card_id = $1', [fromId]);
    return;
  }
  const id = await ids.take();
  await tx.query(
    `INSERT INTO card_suspension (id, card_id, reason, suspended_at, suspended_by)
     VALUES ($1, $2, $3, $4, $5)`,
    [id, toId, open.reason, open.suspended_at, open.suspended_by],
  );
  await tx.query(
    `INSERT INTO suspension_end (suspension_id, resume_at)
     SELECT $2, resume_at FROM suspension_end WHERE suspension_id = $1 AND done_at IS NULL`,
    [open.id, id],
  );
}
