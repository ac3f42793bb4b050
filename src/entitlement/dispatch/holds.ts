/**
 * The money held for pay-per-view: spent when the rights are on air before the event's end, given
 * back when they never were. Both go through settlement under a key of the purchase, so that
 * asking twice moves nothing twice.
 */
import type { Pool } from 'pg';
import type { Outcome, SettleEvent } from '../../billing/settlement/commands.ts';
import type { Clock, Logger } from '../../platform/ports.ts';
import { capturable, type HeldPurchase, releasable } from './holds-store.ts';

export interface Holds {
  capture(purchases: readonly HeldPurchase[]): Promise<void>;
  captureDue(): Promise<number>;
  releaseDue(): Promise<number>;
}

export interface HoldsDeps {
  pool: Pool;
  clock: Clock;
  logger: Logger;
  settle(command: SettleEvent): Promise<Outcome>;
}

const PURCHASES_PER_PAGE_MAX = 500;
/**
 * After the end of an event the money waits a little longer: an answer that it was on air may
 * still be under way, for as long as the link waits for an accepted command.
 */
export const RELEASE_GRACE_MS = 600_000;

/** The acts on held money; see `Dispatcher` for the two sweeps. */
export function createHolds(deps: HoldsDeps): Holds {
  const { pool, clock } = deps;
  const settleAll = async (
    kind: SettleEvent['kind'],
    purchases: readonly HeldPurchase[],
  ): Promise<void> => {
    await Promise.all(purchases.map((purchase) => settleOne(deps, kind, purchase)));
  };
  const sweep = async (
    kind: SettleEvent['kind'],
    read: (page: { after: bigint; limit: number }) => Promise<HeldPurchase[]>,
  ): Promise<number> => {
    let found = 0;
    let after = 0n;
    for (;;) {
      const page = await read({ after, limit: PURCHASES_PER_PAGE_MAX });
      await settleAll(kind, page);
      found += page.length;
      after = page.at(-1)?.purchaseId ?? after;
      if (page.length < PURCHASES_PER_PAGE_MAX) return found;
    }
  };
  return {
    capture: (purchases) => settleAll('capture_event', purchases),
    captureDue: () => sweep('capture_event', (page) => capturable(pool, page)),
    releaseDue() {
      const endedBy = new Date(clock.now().getTime() - RELEASE_GRACE_MS);
      return sweep('release_event', (page) => releasable(pool, page, endedBy));
    },
  };
}

async function settleOne(
  { clock, logger, settle }: HoldsDeps,
  kind: SettleEvent['kind'],
  { purchaseId, siteId }: HeldPurchase,
): Promise<void> {
  const verb = kind === 'capture_event' ? 'capture' : 'release';
  const outcome = await settle({
    kind,
    provider: 'vip',
    receipt: `${verb}:${purchaseId}`,
    channelId: 'entitlement',
    siteId,
    at: clock.now(),
    raw: Buffer.from(JSON.stringify({ kind, purchaseId: purchaseId.toString() })),
    purchaseId,
  });
  // Nothing is lost: the purchase is still held, and the next sweep finds it.
  if (outcome.kind !== 'done') {
    logger.warn('dispatch.hold_unsettled', { kind, purchaseId, outcome: outcome.kind });
  }
}
