/** The billing room, put together: the catalogue, the accounts it needs, and the door. */
import type { Pool } from 'pg';
import type { Prisma } from '../platform/database/prisma.ts';
import type { Ids, Logger } from '../platform/ports.ts';
import { type CatalogueService, createCatalogue, systemAccounts } from './catalogue/service.ts';
import { ensureAccounts } from './ledger/store.ts';
import type { SettlementPorts } from './settlement/facts.ts';
import { createSettlement, type Settlement, type SettlementDeps } from './settlement/service.ts';
import { voucherHasher } from './settlement/voucher-codes.ts';

export interface Billing {
  catalogue: CatalogueService;
  settlement: Settlement;
  /** Settlement starts to call these; they are made after it, by rooms above. */
  listen(listeners: Required<Pick<SettlementDeps, 'onCommitted'>>): void;
}

export interface BillingDeps {
  /** For settlement alone, so that nothing else can hold up money. */
  settlementPool: Pool;
  pool: Pool;
  prisma: Prisma;
  ids: Ids;
  logger: Logger;
  ports: SettlementPorts;
  /** With which the codes of scratch cards are hashed; without it none is known. */
  voucherKey?: string | undefined;
  /** The channels over which money comes in: each has a clearing account. */
  moneyChannels(catalogue: CatalogueService): { id: string; siteId: bigint }[];
  onBatch?(size: number, seconds: number): void;
  onSettled?: SettlementDeps['onSettled'];
}

/** Reads the catalogue, makes sure of the accounts, and opens the door. */
export async function createBilling(deps: BillingDeps): Promise<Billing> {
  const catalogue = await createCatalogue(deps.prisma);
  const names = systemAccounts(catalogue.current(), deps.moneyChannels(catalogue));
  const accounts = await ensureAccounts(deps.pool, deps.ids, names);
  let onCommitted: NonNullable<SettlementDeps['onCommitted']> = () => undefined;
  const settlement = createSettlement({
    pool: deps.settlementPool,
    ids: deps.ids,
    catalogue: () => catalogue.current(),
    accounts: () => accounts,
    ports: deps.ports,
    logger: deps.logger,
    ...(deps.voucherKey === undefined ? {} : { voucherHash: voucherHasher(deps.voucherKey) }),
    onCommitted: (what) => onCommitted(what),
    onBatch: (size, seconds) => deps.onBatch?.(size, seconds),
    onSettled: (command, outcome) => deps.onSettled?.(command, outcome),
    monotonicMs: () => performance.now(),
  });
  return {
    catalogue,
    settlement,
    listen(listeners) {
      onCommitted = listeners.onCommitted;
    },
  };
}
