/**
 * What every bench stands on: a durable Postgres of its own in a temporary folder, the demo
 * operator's catalogue, customers, and the real settlement with the real wording.
 */
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { loadDemoOperator } from '../simulators/demo/people.ts';
import type { Tax } from '../src/billing/catalogue/file/types.ts';
import type { Catalogue, Site } from '../src/billing/catalogue/rules.ts';
import { createCatalogue, systemAccounts } from '../src/billing/catalogue/service.ts';
import { ensureAccounts } from '../src/billing/ledger/store.ts';
import type { SettlementPorts } from '../src/billing/settlement/facts.ts';
import { createSettlement, type Settlement } from '../src/billing/settlement/service.ts';
import { rightsFor } from '../src/entitlement/rights/rules.ts';
import { startEmbeddedPostgres } from '../src/platform/database/embedded.ts';
import { createIds } from '../src/platform/database/ids.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { createPrisma } from '../src/platform/database/prisma.ts';
import { createLogger, silentLogger } from '../src/platform/log.ts';
import type { Ids, Logger } from '../src/platform/ports.ts';
import { type Channels, readChannels } from '../src/telecom/channels.ts';
import { createWording } from '../src/telecom/service.ts';
import { seedCustomers } from './seed.ts';

export const PAYBILL = 'ke-paybill';
export const USSD = 'ke-ussd';
const TOKEN = '0123456789abcdef0123456789abcdef';
const ROOT = join(import.meta.dirname, '..');
/** Nobody listens there: no bench pushes a prompt. */
const NOWHERE = 'http://127.0.0.1:9';
const SETTLEMENT_CONNECTIONS = 5;
/** When the operator's catalogue is published: the same in every database. */
const FOUNDED = { now: () => new Date('2026-01-01T00:00:00Z') };

/** The channels as a providers' file lists them. */
export const CHANNELS = {
  channels: [
    {
      id: USSD,
      site: 'NBO',
      token: TOKEN,
      kind: 'ussd',
      provider: 'africastalking',
      serviceCode: '*384*100#',
    },
    {
      id: PAYBILL,
      site: 'NBO',
      token: TOKEN,
      kind: 'money',
      provider: 'mpesa',
      shortCode: '600100',
      consumerKey: 'bench',
      consumerSecret: 'bench',
      passkey: 'bench',
      baseUrl: NOWHERE,
      publicUrl: NOWHERE,
    },
  ],
};

export const hook = (channel: string): string => `/hooks/${channel}/${TOKEN}`;

export interface Database {
  ownerUrl: string;
  appUrl: string;
  /** For CHECKPOINT and for loading years of history at once. */
  superUrl: string;
  stop(): Promise<void>;
}

const running = new Set<Database>();

/** Stops every database that still runs: for a bench that is ended from outside. */
export async function stopDatabases(): Promise<void> {
  await Promise.all([...running].map((database) => database.stop()));
}

/** A durable Postgres in a temporary folder: fsync and synchronous_commit are on. */
export async function startDatabase(settings: Record<string, string> = {}): Promise<Database> {
  const dataDir = mkdtempSync(join(realpathSync(tmpdir()), 'vip-billing-bench-'));
  const remove = () => rmSync(dataDir, { recursive: true, force: true });
  try {
    const options = { dataDir, logger: silentLogger, durable: true, settings };
    const postgres = await startEmbeddedPostgres(options);
    const { ownerUrl, appUrl } = postgres;
    const migrationsDir = join(ROOT, 'prisma/migrations');
    await migrate({ ownerUrl, migrationsDir, logger: silentLogger, appRole: 'vip_app' });
    const superUrl = superUrlOf(dataDir, ownerUrl);
    const database: Database = {
      ownerUrl,
      appUrl,
      superUrl,
      async stop() {
        running.delete(database);
        await postgres.stop();
        remove();
      },
    };
    running.add(database);
    return database;
  } catch (error) {
    remove();
    throw error;
  }
}

/** Connections of the bench's own; one that breaks while idle is told of by the next query. */
export function openPool(url: string, max: number): pg.Pool {
  const pool = new pg.Pool({ connectionString: url, max, application_name: 'bench' });
  pool.on('error', () => undefined);
  return pool;
}

/** The embedded Postgres keeps the passwords it made up beside its data. */
function superUrlOf(dataDir: string, ownerUrl: string): string {
  const passwords = JSON.parse(readFileSync(join(dataDir, 'postgres-password.json'), 'utf8'));
  const url = new URL(ownerUrl);
  url.username = 'postgres';
  url.password = passwords.superuser;
  return url.href;
}

export interface House {
  /** As the owner of the tables: seeding, vacuum, checkpoints. */
  owner: pg.Pool;
  /** As the product: what settles. */
  pool: pg.Pool;
  ids: Ids;
  site: Site;
  catalogue: Catalogue;
  /** System accounts by `accountKey`. */
  accounts: ReadonlyMap<string, bigint>;
  /** What settlement is given in the product. */
  ports: SettlementPorts;
  /** The product's settlement over connections of its own. */
  openSettlement(ports?: SettlementPorts): Settlement;
  close(): Promise<void>;
}

/** Loads the demo operator and opens the rooms that benches use. */
export async function openHouse(database: { ownerUrl: string; appUrl: string }): Promise<House> {
  const logger: Logger = createLogger({ level: 'warn', service: 'bench' });
  const { appUrl: url, ownerUrl } = database;
  const owner = openPool(ownerUrl, 2);
  const pool = createPool({ url, max: SETTLEMENT_CONNECTIONS, name: 'bench', logger });
  const prisma = createPrisma({ url, max: 2, logger });
  const ids = createIds(pool);
  await loadDemoOperator({ pool, ids, clock: FOUNDED });
  const catalogue = (await createCatalogue(prisma, FOUNDED)).current();
  const site = [...catalogue.sites.values()].find(({ code }) => code === 'NBO');
  if (!site) throw new Error('The demo operator has no site NBO');
  const money = [{ id: PAYBILL, siteId: site.id }];
  const accounts = await ensureAccounts(pool, ids, systemAccounts(catalogue, money));
  const wording = createWording({ channels: benchChannels(), catalogue: () => catalogue });
  const own: SettlementPorts = { rightsFor, messagesFor: wording.messages.messagesFor };
  const close = async () => {
    await prisma.$disconnect();
    await pool.end();
    await owner.end();
  };
  const openSettlement = (ports = own) =>
    createSettlement({
      pool,
      ids,
      catalogue: () => catalogue,
      accounts: () => accounts,
      ports,
      logger,
      monotonicMs: () => performance.now(),
    });
  return { owner, pool, ids, site, catalogue, accounts, ports: own, openSettlement, close };
}

function benchChannels(): Channels {
  const read = readChannels(CHANNELS);
  if (!read.ok) throw new Error(read.faults.join('; '));
  return read.channels;
}

/** The one tax that the bouquets of the bench's site bear. */
export function benchTax({ catalogue, site }: Pick<House, 'catalogue' | 'site'>): Tax {
  const bouquet = [...catalogue.bouquets.values()].find(({ siteId }) => siteId === site.id);
  const [tax, another] = bouquet?.taxes ?? [];
  if (!tax || another) throw new Error('The bench knows one tax');
  return tax;
}

/** What the product has in memory of a term of a bouquet: as a baseline is told. */
export interface BenchPrice {
  bouquetId: bigint;
  term: string;
  price: bigint;
  taxCode: string;
  taxPpm: bigint;
  products: readonly string[];
}

/** The latest prices of the bench's site, each with its one tax. */
export function benchPrices(house: Pick<House, 'catalogue' | 'site'>): BenchPrice[] {
  const { code: taxCode, rates } = benchTax(house);
  const taxPpm = rates.at(-1)?.ppm ?? 0n;
  return [...house.catalogue.bouquets.values()]
    .filter(({ siteId }) => siteId === house.site.id)
    .flatMap(({ id: bouquetId, prices, products }) =>
      Object.entries(prices).flatMap(([term, versions]) => {
        const price = versions?.at(-1)?.amount;
        return price === undefined || price === null
          ? []
          : [{ bouquetId, term, price, taxCode, taxPpm, products }];
      }),
    );
}

/** Moves `customers` customers in. */
export async function furnish(house: House, customers: number): Promise<void> {
  const { site, catalogue } = house;
  const bouquetOf = (code: string): bigint => {
    const all = [...catalogue.bouquets.values()];
    return all.find((bouquet) => bouquet.code === code && bouquet.siteId === site.id)?.id ?? 0n;
  };
  const bouquets = [bouquetOf('ESSENTIAL'), bouquetOf('PREMIUM')] as const;
  await seedCustomers(house.owner, { customers, site, bouquets });
  // Not of the empty ones: Postgres would believe that they stay empty, and plan for it.
  await house.owner.query(
    'VACUUM ANALYZE account, balance, subscriber, phone, card, card_rights, subscription',
  );
}
