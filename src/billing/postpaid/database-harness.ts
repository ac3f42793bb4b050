/** Postpaid accounts in a database of a test's own: a site, its legal entity, a small catalogue. */

import type { Pool } from 'pg';
import { createIds } from '../../platform/database/ids.ts';
import { createPool } from '../../platform/database/pool.ts';
import { silentLogger } from '../../platform/log.ts';
import type { Ids } from '../../platform/ports.ts';
import { createTestDatabase, type TestDatabase } from '../../platform/test-database.ts';
import type { Site } from '../catalogue/rules.ts';
import { openCustomer } from '../subscriptions/service.ts';
import { CONFIG } from './config-harness.ts';
import type { PaymentGateway } from './gateway.ts';
import { writeLegalEntity } from './legal-entities.ts';
import type { MarketTerms } from './markets.ts';
import type { Plan } from './plans.ts';
import { createPostpaidService, type PostpaidDeps, type PostpaidService } from './service.ts';

const SITE: Omit<Site, 'id'> = {
  code: 'HTL',
  name: 'Hotels',
  country: 'CI',
  currency: 'XOF',
  tvuAsset: 'TVU-CI',
  timeZone: 'Africa/Abidjan',
  language: 'fr',
  payment: { buys: 'credit', over: 'one_term', under: 'credit', dayRate: 'month/30' },
};

const ROOMS: Plan = {
  code: 'rooms',
  billing: 'in_advance',
  phases: [{ type: 'evergreen', length: null, fixed: null, price: 30_000n, period: 'monthly' }],
  perUnit: true,
  phasesOnChange: 'subscription_start',
  priceVersions: [],
  addOn: null,
  taxCode: null,
};

/** Twice the price of `rooms`. */
const SUITES: Plan = {
  ...ROOMS,
  code: 'suites',
  phases: [{ type: 'evergreen', length: null, fixed: null, price: 60_000n, period: 'monthly' }],
};

export const CATALOGUE = new Map([ROOMS, SUITES].map((plan) => [plan.code, plan]));

export const TERMS: MarketTerms = {
  catalogue: CATALOGUE,
  config: CONFIG,
  dueDays: 14,
  taxesOn: () => [],
};

export interface TestPostpaid {
  database: TestDatabase;
  pool: Pool;
  ids: Ids;
  site: Site;
  /** What the clock of every service shows. */
  clock: { at: Date; now(): Date };
  /** A service over a pool (its own, if not given), as another process would open it. */
  service(options?: Partial<PostpaidDeps>): PostpaidService;
  /** A subscriber with an account that pays by hand unless `autoPay`. */
  account(service: PostpaidService, settings?: { autoPay?: boolean }): Promise<bigint>;
  count(sql: string): Promise<number>;
  close(): Promise<void>;
}

const approving: PaymentGateway = { charge: () => ({ outcome: 'approved' }) };

export async function openTestPostpaid(at: Date, connections = 8): Promise<TestPostpaid> {
  const database = await createTestDatabase();
  const url = database.appUrl;
  const pool = createPool({ url, max: connections, name: 'postpaid', logger: silentLogger });
  const ids = createIds(pool);
  const site = { ...SITE, id: await ids.take() };
  await insertSite(pool, site);
  await writeLegalEntity(pool, ids, {
    code: 'HTL',
    name: 'Hotels TV SA',
    taxNumber: 'CI-123',
    fiscalMonth: 1,
    invoiceFormat: 'INV-{year}-{number:6}',
    creditNoteFormat: 'CN-{year}-{number:6}',
    siteIds: [site.id],
  });
  const clock = {
    at,
    now() {
      return this.at;
    },
  };
  return {
    database,
    pool,
    ids,
    site,
    clock,
    service: (options = {}) =>
      createPostpaidService({
        pool,
        clock,
        logger: silentLogger,
        termsOf: () => TERMS,
        gateway: approving,
        ...options,
      }),
    async account(service, { autoPay = false } = {}) {
      const name = { fullName: 'Hotel', msisdn: null, language: 'fr', cards: [] } as const;
      const subscriberId = await openCustomer(pool, ids, { ...name, site, at: clock.at });
      const money = { timeZone: site.timeZone, currency: site.currency };
      const settings = { billingDay: 1, autoPay, autoInvoice: true };
      return await service.open(subscriberId, { ...money, ...settings });
    },
    async count(sql) {
      const { rows } = await pool.query(sql);
      return Number(Object.values(rows[0] ?? { none: 0 })[0]);
    },
    async close() {
      await pool.end();
      await database.drop();
    },
  };
}

async function insertSite(pool: Pool, site: Site): Promise<void> {
  const { id, code, name, country, currency, tvuAsset, timeZone, language } = site;
  await pool.query(
    `INSERT INTO site (id, code, name, country, currency, tvu_asset, time_zone, language)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [id, code, name, country, currency, tvuAsset, timeZone, language],
  );
}
