/** Postpaid, put together: billed by the operator's catalogue, collected by what runs by itself. */
import type { Pool } from 'pg';
import type { OperatorCatalogue } from './billing/catalogue/file/types.ts';
import { pendingGateway } from './billing/postpaid/gateway.ts';
import { createMarkets } from './billing/postpaid/markets.ts';
import { applyReceipts } from './billing/postpaid/receipts.ts';
import { createPostpaidService, type PostpaidService } from './billing/postpaid/service.ts';
import type { Carriage } from './entitlement/cas/carriage.ts';
import { systemsOfAccount } from './entitlement/cas/store.ts';
import type { Clock, Ids, Logger } from './platform/ports.ts';
import type { Collections } from './telecom/momo/collections.ts';

export interface PostpaidParts extends Partial<Pick<Carriage, 'carries'>> {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  logger: Logger;
}

export interface OpeningPostpaid extends PostpaidParts {
  /** The catalogue in force, asked at every act, which fails while there is none. */
  operator(): OperatorCatalogue | null;
  /** Told after each commit which accounts may owe more or less now; must not wait. */
  onChanged(accountIds: readonly bigint[]): void;
}

/** The service of the product; nothing runs before it is called. */
export function openPostpaid({ operator, carries, ...parts }: OpeningPostpaid): PostpaidService {
  const inForce = (): OperatorCatalogue => {
    const catalogue = operator();
    if (!catalogue) throw new Error('No catalogue is in force');
    return catalogue;
  };
  // Nothing waits for an operator under lock: collections find what is pending.
  return createPostpaidService({
    ...parts,
    termsOf: createMarkets(inForce),
    gateway: pendingGateway,
    ...(carries ? { carriageOf: carriageOf(parts.pool, carries) } : {}),
  });
}

/** Whether one system of the account's cards carries all of some products. */
export const carriageOf =
  (pool: Pool, carries: Carriage['carries']) =>
  async (accountId: bigint): Promise<(products: readonly string[]) => boolean> => {
    const systems = await systemsOfAccount(pool, accountId);
    return (products) =>
      systems.some((casId) => products.every((product) => carries(casId, product)));
  };

/** What postpaid does by the calendar: name, cron, work. */
export const postpaidJobs = (
  parts: PostpaidParts,
  { postpaid, collections }: { postpaid: PostpaidService; collections: Collections },
): [string, string, () => Promise<unknown>][] => [
  ['bill', '0 */10 * * * *', () => postpaid.billingRun(parts.clock.now())],
  ['collect', '*/5 * * * * *', () => collections.collect()],
  ['postpaid-receipts', '*/5 * * * * *', () => applyReceipts({ ...parts, act: postpaid.act })],
];
