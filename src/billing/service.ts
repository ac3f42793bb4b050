/** The billing room, put together: the catalogue, the accounts it needs, and the door. */
import type { Pool } from 'pg';
import type { Prisma } from '../platform/database/prisma.ts';
import type { Clock, Ids, Logger } from '../platform/ports.ts';
import type { Catalogue } from './catalogue/rules.ts';
import { type CatalogueService, createCatalogue, systemAccounts } from './catalogue/service.ts';
import { accountKey } from './ledger/chart.ts';
import { ensureAccounts, findTaxAccounts } from './ledger/store.ts';
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
  clock: Clock;
  logger: Logger;
  ports: SettlementPorts;
  /** With which the codes of scratch cards are hashed; without it none is known. */
  voucherKey?: string | undefined;
  /** The channels over which money comes in: each has a clearing account. */
  moneyChannels(catalogue: Catalogue): { id: string; siteId: bigint }[];
  onBatch?(size: number, seconds: number): void;
  onSettled?: SettlementDeps['onSettled'];
}

/** Reads the catalogue, makes sure of the accounts, and opens the door. */
export async function createBilling(deps: BillingDeps): Promise<Billing> {
  // What was sold with a tax that the catalogue names no more can still be given back.
  let accounts = await findTaxAccounts(deps.pool);
  /** What is published later may bear a new tax, or be sold at a new site. */
  const open = async (next: Catalogue): Promise<void> => {
    const names = systemAccounts(next, deps.moneyChannels(next));
    const missing = names.filter((name) => !accounts.has(accountKey(name)));
    if (missing.length === 0) return;
    accounts = new Map([...accounts, ...(await ensureAccounts(deps.pool, deps.ids, missing))]);
  };
  const catalogue = await createCatalogue(deps.prisma, deps.clock, open);
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
