/**
 * Finds payments that nobody told us of: an operator that does not repeat what was not answered
 * keeps a list, and what is in it and not in our inbox is settled now. Who paid while our database
 * was away, or before it was restored, is found here.
 */
import type { Pool } from 'pg';
import type { Clock, Logger } from '../../platform/ports.ts';
import type { Money } from '../canonical.ts';
import type { MoneyChannel } from '../channels.ts';
import type { DarajaClient } from './daraja-client.ts';
import type { MobileMoney } from './service.ts';

export interface SweepDeps {
  pool: Pool;
  clock: Clock;
  logger: Logger;
  channels: readonly MoneyChannel[];
  clientOf(channelId: string): DarajaClient | null;
  siteIdOf(code: string): bigint;
  momo: Pick<MobileMoney, 'paid'>;
  /** A payment was found that no notice had told of. */
  onFound(channelId: string): void;
}

/** How far back Daraja's list goes (Safaricom, Pull Transactions API). */
const LISTED_MS = 48 * 3_600_000;
/** The last so much is left: its notices may be under way. */
const UNDER_WAY_MS = 2 * 60_000;
/** Looked at again: what was booked late into a time that was swept. */
const OVERLAP_MS = 30 * 60_000;
const PAGES_MAX = 500;

/**
 * Asks each money channel's operator for what moved since the last sweep, and settles what is not
 * known. A channel that does not answer is swept from the same instant next time. Returns how many
 * were found. Call it in one process at a time.
 */
export async function sweepMissed(deps: SweepDeps): Promise<number> {
  let found = 0;
  for (const channel of deps.channels) found += await sweepChannel(deps, channel);
  return found;
}

async function sweepChannel(deps: SweepDeps, channel: MoneyChannel): Promise<number> {
  const client = deps.clientOf(channel.id);
  if (!client) return 0;
  const nowMs = deps.clock.now().getTime();
  const { rows } = await deps.pool.query(
    'SELECT swept_until FROM money_sweep WHERE channel_id = $1',
    [channel.id],
  );
  const beforeMs = (rows[0]?.swept_until.getTime() ?? 0) - OVERLAP_MS;
  const from = new Date(Math.max(beforeMs, nowMs - LISTED_MS));
  const until = new Date(nowMs - UNDER_WAY_MS);
  if (from >= until) return 0;
  let found = 0;
  let listed = 0;
  for (let page = 0; page < PAGES_MAX; page += 1) {
    const payments = await client.pull(from, until, listed);
    const settled = payments && (await settleUnknown(deps, channel, payments));
    // No answer from them or from our database: nothing of this time counts as swept.
    if (!payments || settled === null) return found;
    found += settled ?? 0;
    listed += payments.length;
    if (payments.length > 0) continue;
    await deps.pool.query(
      `INSERT INTO money_sweep (channel_id, swept_until) VALUES ($1, $2)
       ON CONFLICT (channel_id) DO UPDATE SET swept_until = excluded.swept_until`,
      [channel.id, until],
    );
    return found;
  }
  deps.logger.error('payments.sweep_too_long', { channel: channel.id, listed });
  return found;
}

/** How many were settled now; null when one could not be. */
async function settleUnknown(
  deps: SweepDeps,
  channel: MoneyChannel,
  payments: readonly Money[],
): Promise<number | null> {
  const paid = payments.filter(({ outcome, txnId }) => outcome === 'paid' && txnId !== null);
  const { rows } = await deps.pool.query(
    // What is parked is tried once more by coming again.
    `SELECT receipt FROM inbox WHERE provider = $1 AND receipt = ANY($2) AND state <> 'parked'`,
    [channel.provider, paid.map(({ txnId }) => txnId)],
  );
  const known = new Set(rows.map(({ receipt }) => receipt));
  const unknown = paid.filter(({ txnId }) => !known.has(txnId));
  const outcomes = await Promise.all(
    unknown.map((money) => {
      deps.logger.warn('payments.missed', { channel: channel.id, receipt: money.txnId });
      const raw = Buffer.from(JSON.stringify({ pulled: money }));
      return deps.momo.paid(channel, deps.siteIdOf(channel.site), money, raw);
    }),
  );
  const settled = outcomes.filter((outcome) => outcome.kind === 'done' && outcome.first);
  for (const _ of settled) deps.onFound(channel.id);
  return outcomes.some(({ kind }) => kind === 'unavailable') ? null : settled.length;
}
