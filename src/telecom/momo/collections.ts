/**
 * Payments of postpaid accounts, asked for on the phone: an attempt becomes an order, the order a
 * prompt. Money comes back through settlement as a receipt; here only what ends without money is
 * told to the account.
 */
import type { Pool } from 'pg';
import {
  type EndedAttempt,
  findDown,
  findEnded,
  findUnsent,
  orderKey,
  type ToCollect,
} from '../../billing/postpaid/collections.ts';
import { downWaitSeconds } from '../../billing/postpaid/payments.ts';
import type { PostpaidConfig } from '../../billing/postpaid/plans.ts';
import type { PostpaidService } from '../../billing/postpaid/service.ts';
import type { Clock, Logger } from '../../platform/ports.ts';
import type { MoneyChannel } from '../channels.ts';
import { MPESA_CONTEXT } from './daraja-client.ts';
import type { MobileMoney } from './service.ts';

export interface Collections {
  /**
   * Sends what waits, tells accounts what ended without money, and repeats what did not reach the
   * operator. Returns how many steps it took. May be ended anywhere and run by several at once.
   */
  collect(): Promise<number>;
}

export interface CollectionDeps {
  pool: Pool;
  clock: Clock;
  logger: Logger;
  momo: Pick<MobileMoney, 'order'>;
  postpaid: Pick<PostpaidService, 'act' | 'repeatDown'>;
  /** Over what a site asks for money; null: it cannot. */
  moneyChannelOf(siteId: bigint): MoneyChannel | null;
  gatewayDown: PostpaidConfig['gatewayDown'];
}

const BATCH = 50;
const SECOND_MS = 1_000;
/** Longer than all repeats together take. */
const REPEATED_MS_MAX = 48 * 3_600 * SECOND_MS;
const MINOR_PER_SHILLING = 100n;
/** What the payer sees, at most 13 characters. */
const DESCRIPTION = 'TV invoice';

export function createCollections(deps: CollectionDeps): Collections {
  return {
    async collect() {
      const unsent = await findUnsent(deps.pool, BATCH);
      for (const attempt of unsent) await tried(deps, attempt, () => send(deps, attempt));
      const ended = await findEnded(deps.pool, BATCH);
      for (const attempt of ended) await tried(deps, attempt, () => end(deps, attempt));
      return unsent.length + ended.length + (await repeat(deps));
    },
  };
}

/** One that fails does not hold up the others; it is met again at the next collection. */
async function tried(
  { logger }: CollectionDeps,
  { accountId, attemptId }: Pick<EndedAttempt, 'accountId' | 'attemptId'>,
  act: () => Promise<void>,
): Promise<void> {
  try {
    await act();
  } catch (error) {
    logger.error('collection.failed', { accountId, attemptId, error });
  }
}

/** Writes the order, which is the record of the sending: the same attempt is never a second one. */
async function send(deps: CollectionDeps, attempt: ToCollect): Promise<void> {
  const { attemptId, accountId, paymentId, siteId, currency, msisdn } = attempt;
  const channel = deps.moneyChannelOf(siteId);
  if (!channel || msisdn === null || currency !== MPESA_CONTEXT.currency || attempt.amount <= 0n) {
    deps.logger.warn('collection.unreachable', { accountId, attemptId });
    return end(deps, { attemptId, accountId, paymentId, result: 'declined' });
  }
  await deps.momo.order({
    channel,
    siteId,
    asset: currency,
    msisdn,
    amount: wholeShillings(attempt.amount),
    purpose: { kind: 'invoice', accountId, paymentId },
    key: orderKey(attemptId),
    description: DESCRIPTION,
  });
}

/** M-PESA moves whole shillings; what is asked for too much is credit on the account. */
const wholeShillings = (amount: bigint): bigint =>
  ((amount + MINOR_PER_SHILLING - 1n) / MINOR_PER_SHILLING) * MINOR_PER_SHILLING;

async function end(deps: CollectionDeps, attempt: EndedAttempt): Promise<void> {
  const { attemptId, accountId, paymentId, result } = attempt;
  const action = { act: 'complete_payment', paymentId, result } as const;
  await deps.postpaid.act(accountId, `ended:${attemptId}`, action);
}

async function repeat({ pool, clock, postpaid, gatewayDown }: CollectionDeps): Promise<number> {
  const now = clock.now().getTime();
  const since = new Date(now - REPEATED_MS_MAX);
  const due = (await findDown(pool, { since, limit: BATCH })).filter(
    ({ triedAt, count }) =>
      count < gatewayDown.attemptsMax &&
      now >= triedAt.getTime() + downWaitSeconds({ gatewayDown }, count) * SECOND_MS,
  );
  for (const { accountId } of due) await postpaid.repeatDown(accountId);
  return due.length;
}
