/**
 * A house over Postgres: the store of the product, one database for all stories. Each account
 * hangs on a subscriber of its own; after each story, documents, ledger and numbers must agree.
 */
import type { Pool } from 'pg';
import type { Site } from '../../src/billing/catalogue/rules.ts';
import { checkPostpaid } from '../../src/billing/postpaid/check.ts';
import { writeLegalEntity } from '../../src/billing/postpaid/legal-entities.ts';
import type { Plan, PostpaidConfig } from '../../src/billing/postpaid/plans.ts';
import { createPostpaid } from '../../src/billing/postpaid/postpaid.ts';
import { createPostpaidStore } from '../../src/billing/postpaid/store.ts';
import { openCustomer } from '../../src/billing/subscriptions/service.ts';
import { createIds } from '../../src/platform/database/ids.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { silentLogger } from '../../src/platform/log.ts';
import type { Ids } from '../../src/platform/ports.ts';
import { createTestDatabase, type TestDatabase } from '../../src/platform/test-database.ts';
import { currencyOf, type HouseSetup, type PostpaidHouse } from './house.ts';

const CONNECTIONS = 2;
/** Where the accounts of all stories belong; each says its own currency and zone. */
const SITE: Omit<Site, 'id'> = {
  code: 'STORY',
  name: 'Stories',
  country: 'CI',
  currency: 'XOF',
  tvuAsset: 'TVU-CI',
  timeZone: 'Africa/Abidjan',
  language: 'fr',
  payment: { buys: 'credit', over: 'one_term', under: 'credit', dayRate: 'month/30' },
};
const CUSTOMER = { fullName: 'Story', msisdn: null, language: 'fr', cards: [] } as const;
const clock = { now: () => new Date() };

interface Ground {
  database: TestDatabase;
  pool: Pool;
  ids: Ids;
  site: Site;
}

let ground: Promise<Ground> | null = null;

async function prepare(): Promise<Ground> {
  const database = await createTestDatabase();
  const pool = createPool({
    url: database.appUrl,
    max: CONNECTIONS,
    name: 'stories',
    logger: silentLogger,
  });
  const ids = createIds(pool);
  const site = { ...SITE, id: await ids.take() };
  await pool.query(
    `INSERT INTO site (id, code, name, country, currency, tvu_asset, time_zone, language)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      site.id,
      site.code,
      site.name,
      site.country,
      site.currency,
      site.tvuAsset,
      site.timeZone,
      site.language,
    ],
  );
  await writeLegalEntity(pool, ids, {
    code: site.code,
    name: site.name,
    taxNumber: null,
    fiscalMonth: 1,
    invoiceFormat: 'INV-{year}-{number:6}',
    creditNoteFormat: 'CN-{year}-{number:6}',
    siteIds: [site.id],
  });
  return { database, pool, ids, site };
}

/** Removes the database of all stories so far. */
export async function closePostgres(): Promise<void> {
  if (!ground) return;
  const { database, pool } = await ground;
  ground = null;
  await pool.end();
  await database.drop();
}

export async function openPostgresHouse(setup: HouseSetup): Promise<PostpaidHouse> {
  ground ??= prepare();
  const { pool, ids, site } = await ground;
  const { rulesIn, gateway } = setup;
  // The plans of all accounts: when there is work again depends on no price.
  const plans = new Map<string, Plan>();
  let config: PostpaidConfig | null = null;
  const store = createPostpaidStore({
    pool,
    clock,
    termsOf: () => {
      if (!config) throw new Error('No account is open');
      return { catalogue: plans, config, dueDays: 0, taxesOn: () => [] };
    },
  });
  const engineIn = (currency: string) =>
    createPostpaid({ ...rulesIn(currency), gateway, ids: store.ids });
  return {
    async open(opening, today) {
      const rules = rulesIn(opening.currency);
      for (const [code, plan] of rules.catalogue) plans.set(code, plan);
      config = rules.config;
      const subscriberId = await openCustomer(pool, ids, { ...CUSTOMER, site, at: clock.now() });
      return store.open(subscriberId, (books, id) => {
        engineIn(opening.currency).open(books, { ...opening, id }, today);
      });
    },
    change: (accounts, fn) =>
      store.change(accounts, (placed) => {
        const books = placed.map(({ book }) => book);
        return fn(engineIn(currencyOf(books)), books);
      }),
    async read(account, fn) {
      const [placed] = await store.read([account]);
      if (!placed) throw new Error(`No account ${account}`);
      return fn(placed.book);
    },
    async close() {
      const faults = Object.entries(await checkPostpaid(pool)).filter(([, count]) => count !== 0);
      if (faults.length > 0) throw new Error(`The books are not sound: ${JSON.stringify(faults)}`);
    },
  };
}
