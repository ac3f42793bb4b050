/**
 * Takes a card's picture away though it is paid for, and gives it back. The set of rights is left
 * alone: the head-end keeps it and shows none of it. Each right carries its own end, so what comes
 * back is what is still in date.
 */
import type { ClientBase, Pool } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Clock, Ids, Logger } from '../../platform/ports.ts';
import type { SuspensionReason } from './desk.ts';
import { lockRights } from './store.ts';

export type Suspended = { ok: true } | { ok: false; error: 'unknown_card' | 'already_suspended' };
export type Resumed = { ok: true } | { ok: false; error: 'unknown_card' | 'not_suspended' };

export interface Suspensions {
  /**
   * `by`: the member of staff, or the rule, that decided it. `anew`: what the same has suspended
   * for another reason ends and begins anew, and nothing is shown in between.
   */
  suspendCard(act: {
    cardId: bigint;
    reason: SuspensionReason;
    by: string;
    anew?: true;
  }): Promise<Suspended>;
  /** `onlyIfBy`: what anybody else has suspended is not theirs to give back. */
  resumeCard(act: { cardId: bigint; by: string; onlyIfBy?: string }): Promise<Resumed>;
}

export interface SuspensionsDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  logger: Logger;
  dispatcher: { wake(): void };
}

/** What a reason may have on the wire. */
const CAUSE_CHARS_MAX = 200;

/**
 * Purpose: raises the revision under which the head-end hears whether the card is suspended, as
 * settlement raises that of a set. Locks: the card, which is locked already. Plan: primary key.
 */
const RAISE = `
UPDATE card_rights
   SET suspended = $2, desired_rev = desired_rev + 1, raised_at = $3, next_at = $3, attempts = 0,
       failure = NULL, is_bulk = $4 AND (is_bulk OR next_at IS NULL),
       raised_for = left($5, ${CAUSE_CHARS_MAX})
 WHERE card_id = $1`;

/** They suspend many at once: nobody waits for it. Whoever is given back has paid. */
const MACHINES = new Set(['dunning']);

/** Both acts lock the card first, as settlement does, and change nothing when done twice. */
export function createSuspensions(deps: SuspensionsDeps): Suspensions {
  const { pool, ids, clock, logger, dispatcher } = deps;
  return {
    async suspendCard({ cardId, reason, by, anew }) {
      const id = await ids.take();
      const result = await transaction(pool, (client) =>
        suspendWithin(client, { id, cardId, reason, by, anew, now: clock.now() }),
      );
      if (result.ok) {
        logger.info('card.suspended', { cardId, reason, by });
        dispatcher.wake();
      }
      return result;
    },
    async resumeCard({ cardId, by, onlyIfBy }) {
      const result = await transaction(pool, (client) =>
        resumeWithin(client, { cardId, by, onlyIfBy, now: clock.now() }),
      );
      if (result.ok) {
        logger.info('card.resumed', { cardId, by });
        dispatcher.wake();
      }
      return result;
    },
  };
}

interface Suspending {
  /** Of the suspension. */
  id: bigint;
  cardId: bigint;
  reason: SuspensionReason;
  by: string;
  anew?: true | undefined;
  now: Date;
}

/** `suspendCard` in the caller's transaction, which tells the dispatcher. */
export async function suspendWithin(
  client: ClientBase,
  { id, cardId, reason, by, anew, now }: Suspending,
): Promise<Suspended> {
  const rights = await lockRights(client, cardId);
  if (!rights) return { ok: false, error: 'unknown_card' };
  const mayEnd = anew === true && rights.suspended !== reason;
  const isFree =
    rights.suspended === null || (mayEnd && (await end(client, { cardId, by, now, of: by })));
  if (!isFree) return { ok: false, error: 'already_suspended' };
  await client.query(
    `INSERT INTO card_suspension (id, card_id, reason, suspended_at, suspended_by)
     VALUES ($1, $2, $3, $4, $5)`,
    [id, cardId, reason, now, by],
  );
  await raise(client, cardId, { suspended: reason, now, by, isBulk: MACHINES.has(by) });
  return { ok: true };
}

/** `resumeCard` in the caller's transaction, which tells the dispatcher. */
export async function resumeWithin(
  client: ClientBase,
  {
    cardId,
    by,
    onlyIfBy,
    now,
  }: { cardId: bigint; by: string; onlyIfBy?: string | undefined; now: Date },
): Promise<Resumed> {
  const rights = await lockRights(client, cardId);
  if (!rights) return { ok: false, error: 'unknown_card' };
  if (rights.suspended === null) return { ok: false, error: 'not_suspended' };
  const isEnded = await end(client, { cardId, by, now, of: onlyIfBy ?? null });
  if (!isEnded) return { ok: false, error: 'not_suspended' };
  await raise(client, cardId, { suspended: null, now, by, isBulk: false });
  return { ok: true };
}

/** Ends the open suspension, if it is `of` somebody (null: anybody); false when it is not. */
async function end(
  client: ClientBase,
  { cardId, by, now, of }: { cardId: bigint; by: string; now: Date; of: string | null },
): Promise<boolean> {
  const { rowCount } = await client.query(
    `UPDATE card_suspension SET resumed_at = $2, resumed_by = $3
      WHERE card_id = $1 AND resumed_at IS NULL AND ($4::text IS NULL OR suspended_by = $4)`,
    [cardId, now, by, of],
  );
  return rowCount === 1;
}

interface Raise {
  suspended: SuspensionReason | null;
  now: Date;
  by: string;
  isBulk: boolean;
}

async function raise(
  client: ClientBase,
  cardId: bigint,
  { suspended, now, by, isBulk }: Raise,
): Promise<void> {
  const cause = `${suspended === null ? 'RESUME' : 'SUSPEND'}:${by}`;
  const values = [cardId, suspended, now, isBulk, cause];
  await client.query({ name: 'suspension-raise', text: RAISE, values });
}
