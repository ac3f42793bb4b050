/**
 * A small operator in a database of its own, for stories: sites in Nairobi (KES) and Abidjan
 * (XOF), a clock that stands still until it is moved, and the real settlement over real Postgres.
 */
import type { Pool } from 'pg';
import { demoCatalogue, loadDemoOperator } from '../../simulators/demo/people.ts';
import type { Site, TermName } from '../../src/billing/catalogue/rules.ts';
import {
  type CatalogueService,
  createCatalogue,
  systemAccounts,
} from '../../src/billing/catalogue/service.ts';
import { type BooksCheck, checkBooks } from '../../src/billing/ledger/check.ts';
import { ensureAccounts } from '../../src/billing/ledger/store.ts';
import type { Command, Outcome, Payment, Saying } from '../../src/billing/settlement/commands.ts';
import { createSettlement, type Settlement } from '../../src/billing/settlement/service.ts';
import { openCustomer } from '../../src/billing/subscriptions/service.ts';
import { rightsFor } from '../../src/entitlement/rights/rules.ts';
import type { PrismaClient } from '../../src/platform/database/client/client.ts';
import { createIds } from '../../src/platform/database/ids.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { createPrisma } from '../../src/platform/database/prisma.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { withLuhnDigit } from '../../src/platform/luhn.ts';
import type { Clock, Ids } from '../../src/platform/ports.ts';
import { createTestDatabase, type TestDatabase } from '../../src/platform/test-database.ts';

export interface World {
  database: Pick<TestDatabase, 'ownerUrl' | 'appUrl'>;
  pool: Pool;
  ids: Ids;
  prisma: PrismaClient;
  settlement: Settlement;
  /** A site by its code: NBO or ABJ. */
  site(code: string): Site;
  now(): Date;
  moveTo(iso: string): void;
  /** Opens a subscriber with one card; returns the card's number. */
  customer(options?: Partial<Customer>): Promise<{ number: string; msisdn: string; id: bigint }>;
  pay(payment: Partial<Payment> & { amount: bigint }): Promise<Outcome>;
  act(command: Act): Promise<Outcome>;
  settledOf(outcome: Outcome): Extract<Outcome, { kind: 'done' }>['settled'];
  /** Rows as plain values, bigint as digits. */
  rows(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Asserts every invariant of the books. */
  check(): Promise<BooksCheck>;
  said: Saying[];
  /** After a story has written to the catalogue. */
  reloadCatalogue(): Promise<void>;
  /** Publishes the demo's file with texts in it replaced, each by another. */
  changeCatalogue(...changes: [was: string, is: string][]): Promise<void>;
  close(): Promise<void>;
}

interface Customer {
  siteCode: string;
  bouquet: string;
  term: TermName;
  autoRenew: boolean;
  msisdn: string;
}

type Loose<C> = C extends Command
  ? Omit<C, 'provider' | 'receipt' | 'channelId' | 'siteId' | 'at' | 'raw'> &
      Partial<Pick<C, 'provider' | 'receipt' | 'channelId' | 'siteId' | 'at' | 'raw'>>
  : never;
export type Act = Loose<Command>;

const DAY_MS = 86_400_000;

/** Books in which nothing is wrong; cards may still wait for their head-end. */
export const SOUND = {
  unbalancedJournals: 0,
  wrongBalances: 0,
  wrongLots: 0,
  wrongFolds: 0,
  lostPayments: 0,
} satisfies Partial<BooksCheck>;

export const MONEY_CHANNEL = { NBO: 'ke-paybill', ABJ: 'ci-tvu' } as const;

/**
 * Opens the world at an instant, in a new database unless one is given. Close it after the last
 * story of the file.
 */
export async function createWorld(startIso: string, given?: TestDatabase): Promise<World> {
  const database = given ?? (await createTestDatabase());
  const pool = createPool({ url: database.appUrl, max: 6, name: 'stories', logger: silentLogger });
  const prisma = createPrisma({ url: database.appUrl, max: 2, logger: silentLogger });
  const ids = createIds(pool);
  const state = { now: new Date(startIso), serial: 0 };
  const clock = { now: () => state.now };
  const { catalogue, site, accounts } = await openOperator({ pool, prisma, ids, clock });
  const said: Saying[] = [];
  const settlement = createSettlement({
    pool,
    ids,
    catalogue: () => catalogue.current(),
    accounts: () => accounts,
    ports: { rightsFor, messagesFor: noted(said) },
    logger: silentLogger,
    monotonicMs: () => performance.now(),
  });
  const parts = { pool, ids, prisma, settlement, said, site, catalogue, state };
  return {
    ...parts,
    database,
    now: () => state.now,
    moveTo(iso) {
      state.now = new Date(iso);
    },
    reloadCatalogue: () => catalogue.reload(),
    async changeCatalogue(...changes) {
      await loadDemoOperator({ pool, ids, clock }, changed(changes));
      await catalogue.reload();
    },
    customer: (options = {}) => addCustomer(parts, options),
    ...acts(parts),
    ...looks(pool),
    async close() {
      await settlement.close();
      await prisma.$disconnect();
      await pool.end();
      await database.drop();
    },
  };
}

/** The text of the demo's file after these changes. */
export const changed = (changes: readonly [was: string, is: string][]): string =>
  changes.reduce((text, [was, is]) => {
    if (!text.includes(was)) throw new Error(`The demo's catalogue has no ${was}`);
    return text.replaceAll(was, is);
  }, demoCatalogue());

async function openOperator(house: { pool: Pool; prisma: PrismaClient; ids: Ids; clock: Clock }) {
  const { pool, prisma, ids, clock } = house;
  await loadDemoOperator(house);
  const catalogue = await createCatalogue(prisma, clock);
  const site = (code: string): Site => {
    const found = [...catalogue.current().sites.values()].find((s) => s.code === code);
    if (!found) throw new Error(`No site ${code}`);
    return found;
  };
  const names = systemAccounts(catalogue.current(), channelsOf(site));
  const accounts = await ensureAccounts(pool, ids, names);
  return { catalogue, site, accounts };
}

/** A door of another process on the same database, which has read the catalogue as it is now. */
export async function openDoor(
  { prisma, ids, pool: own, site, now }: World,
  pool = own,
): Promise<Settlement> {
  const catalogue = (await createCatalogue(prisma, { now })).current();
  const names = systemAccounts(catalogue, channelsOf(site));
  const accounts = await ensureAccounts(own, ids, names);
  return createSettlement({
    ...{ pool, ids, catalogue: () => catalogue, accounts: () => accounts },
    ports: { rightsFor, messagesFor: () => null },
    logger: silentLogger,
    monotonicMs: () => performance.now(),
  });
}

const channelsOf = (site: World['site']) => [
  { id: MONEY_CHANNEL.NBO, siteId: site('NBO').id },
  { id: MONEY_CHANNEL.ABJ, siteId: site('ABJ').id },
];

type Parts = Pick<World, 'pool' | 'ids' | 'prisma' | 'settlement' | 'said' | 'site'> & {
  catalogue: CatalogueService;
  state: { now: Date; serial: number };
};

/** Notes what is said, and has it written under the name of its message. */
const noted = (said: Saying[]) => (saying: Saying, at: Date) => {
  said.push(saying);
  return {
    kind: saying.to.kind,
    template: saying.message.name,
    target: saying.to.kind === 'text' ? saying.to.msisdn : saying.to.cardNumber,
    body: saying.message.name,
    notAfter: new Date(at.getTime() + DAY_MS),
  };
};

async function addCustomer({ pool, ids, site, catalogue, state }: Parts, o: Partial<Customer>) {
  state.serial += 1;
  const code = o.siteCode ?? 'NBO';
  const number = withLuhnDigit(`40210${String(state.serial).padStart(5, '0')}`);
  const country = code === 'NBO' ? '+254700' : '+2250700';
  const msisdn = o.msisdn ?? `${country}${String(100_000 + state.serial)}`;
  const wanted = o.bouquet ?? (code === 'NBO' ? 'ESSENTIAL' : 'ACCESS');
  const bouquet = [...catalogue.current().bouquets.values()].find(
    (b) => b.code === wanted && b.siteId === site(code).id,
  );
  if (!bouquet) throw new Error(`No bouquet ${wanted}`);
  const { term = 'month', autoRenew = false } = o;
  const id = await openCustomer(pool, ids, {
    site: site(code),
    fullName: `Customer ${state.serial}`,
    msisdn,
    language: site(code).language,
    cards: [{ number, bouquetId: bouquet.id, term, autoRenew }],
    at: state.now,
  });
  return { number, msisdn, id };
}

function acts({ settlement, site, state }: Parts): Pick<World, 'act' | 'pay' | 'settledOf'> {
  const act = (command: Act) => {
    state.serial += 1;
    return settlement.settle({
      provider: 'mpesa',
      receipt: `R${String(state.serial).padStart(9, '0')}`,
      channelId: MONEY_CHANNEL.NBO,
      siteId: site('NBO').id,
      at: state.now,
      raw: Buffer.from('{}'),
      ...command,
    } as Command);
  };
  const nobody = { accountRef: null, payerMsisdn: null, payerHash: null, orderId: null };
  return {
    act,
    pay: (payment) => act({ kind: 'payment', asset: 'KES', ...nobody, ...payment }),
    settledOf(outcome) {
      if (outcome.kind !== 'done') throw new Error(`Not done: ${outcome.kind}`);
      return outcome.settled;
    },
  };
}

const looks = (pool: Pool): Pick<World, 'rows' | 'check'> => ({
  async rows(sql, values = []) {
    const result = await pool.query(sql, values);
    return JSON.parse(
      JSON.stringify(result.rows, (_k, v) => (typeof v === 'bigint' ? v.toString() : v)),
    );
  },
  check: () => checkBooks(pool),
});

/** As many as find a connection of the pool soon, also on a busy machine. */
const AT_ONCE = 20;

/** Makes `count` of something, some at once; nobody queues for a connection for long. */
export async function severally<T>(count: number, make: () => Promise<T>): Promise<T[]> {
  const made: T[] = [];
  while (made.length < count) {
    const length = Math.min(AT_ONCE, count - made.length);
    made.push(...(await Promise.all(Array.from({ length }, make))));
  }
  return made;
}
