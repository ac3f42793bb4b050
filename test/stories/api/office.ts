/**
 * The back office over a database of its own: the demo operator's two sites, the real settlement,
 * a clock that stands still until it is moved, and the API on a port of 127.0.0.1.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Pool } from 'pg';
import supertest from 'supertest';
import { loadDemoOperator } from '../../../simulators/demo/people.ts';
import type { Route } from '../../../src/backoffice/api/route.ts';
import { createPasswords } from '../../../src/backoffice/people/passwords.ts';
import type { RoleName } from '../../../src/backoffice/people/permissions.ts';
import type { Principal } from '../../../src/backoffice/people/principal.ts';
import { openSession } from '../../../src/backoffice/people/sessions.ts';
import { insertStaff } from '../../../src/backoffice/people/staff-store.ts';
import { settleNow, type Wish } from '../../../src/backoffice/resources/act.ts';
import { tillOf } from '../../../src/backoffice/resources/desk.ts';
import { type BackofficeDeps, createBackoffice } from '../../../src/backoffice/service.ts';
import type { Site } from '../../../src/billing/catalogue/rules.ts';
import { systemAccounts } from '../../../src/billing/catalogue/service.ts';
import { ensureAccounts } from '../../../src/billing/ledger/store.ts';
import { createBilling } from '../../../src/billing/service.ts';
import type { Outcome, Payment } from '../../../src/billing/settlement/commands.ts';
import type { SettlementPorts } from '../../../src/billing/settlement/facts.ts';
import { createSettlement, type Settlement } from '../../../src/billing/settlement/service.ts';
import { voucherHasher } from '../../../src/billing/settlement/voucher-codes.ts';
import { openCustomer } from '../../../src/billing/subscriptions/service.ts';
import { createPictureDesk } from '../../../src/entitlement/picture/service.ts';
import { createSuspensions } from '../../../src/entitlement/picture/suspension.ts';
import { rightsFor } from '../../../src/entitlement/rights/rules.ts';
import { createIds } from '../../../src/platform/database/ids.ts';
import { createPool } from '../../../src/platform/database/pool.ts';
import { createPrisma, type Prisma } from '../../../src/platform/database/prisma.ts';
import { createMemoryKeyValue } from '../../../src/platform/kv.ts';
import { silentLogger } from '../../../src/platform/log.ts';
import { withLuhnDigit } from '../../../src/platform/luhn.ts';
import type { Ids, Logger } from '../../../src/platform/ports.ts';
import { systemRandom } from '../../../src/platform/system.ts';
import { createTestDatabase } from '../../../src/platform/test-database.ts';

export type SiteCode = 'NBO' | 'ABJ';

export interface Customer {
  subscriberId: bigint;
  cardId: bigint;
  number: string;
  phone: string;
}

export interface Office {
  pool: Pool;
  ids: Ids;
  url: string;
  routes: readonly Route[];
  document: Record<string, unknown>;
  now(): Date;
  later(ms: number): void;
  site(code: SiteCode): Site;
  /** A member of staff in a session; the token. */
  staff(roles: RoleName[], sites?: SiteCode[] | 'all'): Promise<{ token: string; id: bigint }>;
  customer(code: SiteCode): Promise<Customer>;
  /** A paybill payment; settles through the real door. */
  pay(code: SiteCode, payment: Paid): Promise<Outcome>;
  /** Something asked of settlement over the till of a site. */
  settle(code: SiteCode, wish: Wish): Promise<Outcome>;
  /** A scratch card of an amount, ready to be used; its code. */
  voucher(asset: string, value: bigint): Promise<string>;
  /** A call with this token. */
  call(method: string, path: string, options?: CallOptions): supertest.Test;
  rows(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  finishDue(): Promise<void>;
  /** What happens to commands on their way; `null`: nothing. */
  fault: { afterSettle: (() => void) | null; settles: number };
  /** What was logged as an error. */
  errors: unknown[];
  close(): Promise<void>;
}

export interface CallOptions {
  token?: string;
  body?: unknown;
  key?: string;
  ifMatch?: string;
}

/** `payerMsisdn` left out: not known. */
export type Paid = Pick<Payment, 'amount' | 'accountRef'> & { payerMsisdn?: string };

/** What the sites of the tests let happen. */
const RULES = {
  move: { windowHours: 48, perMonth: 2, objectionMinutes: 30 },
  pause: { daysPerYear: 30 },
  loan: { term: 'day', fee: '500', cap: '1000000' },
};
const HASH = voucherHasher('a key of the tests, for codes of scratch cards');
const NOBODY: Principal = {
  ...{ key: 'test', kind: 'staff', id: 0n, name: 'test', permissions: new Set() },
  ...{ sites: 'all', sessionId: null, pending: null },
};

const STARTS_AT = '2026-11-23T11:02:00Z';
const MINUTE_MS = 60_000;

export interface OfficeOptions {
  requireTotp?: boolean;
  limits?: BackofficeDeps['limits'];
  /** Minor units of KES above which a reversal needs two. */
  approvalAbove?: bigint;
}

/** Opens the office. Close it after the last story of the file. */
export async function createOffice(options: OfficeOptions = {}): Promise<Office> {
  const database = await createTestDatabase();
  const pool = createPool({ url: database.appUrl, max: 8, name: 'office', logger: silentLogger });
  const prisma = createPrisma({ url: database.appUrl, max: 2, logger: silentLogger });
  const ids = createIds(pool);
  const state = { now: new Date(STARTS_AT), serial: 0 };
  const clock = { now: () => state.now };
  await loadDemoOperator(prisma, ids);
  await pool.query('UPDATE site SET rules = $1', [JSON.stringify(RULES)]);
  const { billing, channels } = await openBilling(pool, prisma, ids);
  const catalogue = () => billing.catalogue.current();
  const site = (code: string): Site => {
    const found = [...catalogue().sites.values()].find((one) => one.code === code);
    if (!found) throw new Error(`No site ${code}`);
    return found;
  };
  const fault: Office['fault'] = { afterSettle: null, settles: 0 };
  const settlement = faulty(billing.settlement, fault);
  const errors: unknown[] = [];
  const logger: Logger = { ...silentLogger, error: (event, fields) => errors.push(event, fields) };
  const common = { pool, ids, clock, logger };
  const backoffice = openOffice({ ...common, settlement, catalogue, channels }, options);
  const { server, url } = await serve(backoffice.router);
  const parts = { pool, ids, state, site, settlement };
  return {
    ...{ pool, ids, url, fault, errors, site, now: clock.now },
    routes: backoffice.routes,
    document: backoffice.document,
    later(ms) {
      state.now = new Date(state.now.getTime() + ms);
    },
    staff: (roles, sites = 'all') => addStaff(parts, roles, sites),
    customer: (code) => addCustomer(parts, code, catalogue),
    pay: (code, payment) => pay(parts, code, payment),
    settle(code, wish) {
      state.serial += 1;
      const call = { receipt: `S${state.serial}`, now: state.now, principal: NOBODY };
      return settleNow({ settlement }, call, site(code), wish);
    },
    voucher: (asset, value) => addVoucher(parts, asset, value),
    call: (method, path, given = {}) => call(server, { method, path, ...given }),
    async rows(sql, values = []) {
      const { rows } = await pool.query(sql, values);
      return rows;
    },
    finishDue: () => backoffice.finishDue(),
    async close() {
      await backoffice.stop();
      await new Promise((closed) => server.close(closed));
      await billing.settlement.close();
      await prisma.$disconnect();
      await pool.end();
      await database.drop();
    },
  };
}

/** The real settlement; what it says is written under the name of its message. */
async function openBilling(pool: Pool, prisma: Prisma, ids: Ids) {
  const channels = new Map<string, bigint>();
  const ports: SettlementPorts = {
    rightsFor,
    messagesFor: ({ to, message }, at) => ({
      kind: to.kind,
      template: message.name,
      target: to.kind === 'text' ? to.msisdn : to.cardNumber,
      body: message.name,
      notAfter: new Date(at.getTime() + 60 * MINUTE_MS),
    }),
  };
  const billing = await createBilling({
    ...{ settlementPool: pool, pool, prisma, ids, logger: silentLogger, ports },
    moneyChannels(catalogue) {
      for (const { code, id } of catalogue.current().sites.values()) {
        channels.set(tillOf({ code }), id);
        channels.set(`paybill-${code}`, id);
      }
      return [...channels].map(([id, siteId]) => ({ id, siteId }));
    },
  });
  const accountNames = systemAccounts(
    billing.catalogue.current(),
    [...channels].map(([id, siteId]) => ({ id, siteId })),
  );
  const accounts = await ensureAccounts(pool, ids, accountNames);
  // The same door, with the key that the codes of scratch cards are kept under.
  const settlement = createSettlement({
    ...{ pool, ids, logger: silentLogger, ports, voucherHash: HASH },
    catalogue: () => billing.catalogue.current(),
    accounts: () => accounts,
    monotonicMs: () => performance.now(),
  });
  await billing.settlement.close();
  return { billing: { ...billing, settlement }, channels };
}

/** Their hashes take no time. */
export const passwords = createPasswords({ N: 1_024, r: 8, p: 1 });

type Opening = Pick<
  BackofficeDeps,
  'pool' | 'ids' | 'clock' | 'logger' | 'settlement' | 'catalogue'
> & { channels: ReadonlyMap<string, bigint> };

function openOffice({ channels, ...common }: Opening, options: OfficeOptions) {
  return createBackoffice({
    ...{ ...common, passwords, kv: createMemoryKeyValue(), random: systemRandom, trustedHops: 0 },
    picture: createPictureDesk({ ...common, refresher: { wake: () => undefined } }),
    suspensions: createSuspensions({ ...common, dispatcher: { wake: () => undefined } }),
    channelSites: () => channels,
    limits: { perMinute: 1e6, moneyPerMinute: 1e6, strangersPerMinute: 1e6, ...options.limits },
    settings: {
      publicUrl: 'https://billing.example',
      secret: 'a secret of the tests, long enough',
      approvalAbove: new Map([['KES', options.approvalAbove ?? 100_000n]]),
      requireTotp: options.requireTotp ?? false,
    },
  });
}

/** Counts what is settled, and lets a process end right after it. */
const faulty = (real: Settlement, fault: Office['fault']): Settlement => ({
  ...real,
  async settle(command) {
    const outcome = await real.settle(command);
    fault.settles += 1;
    fault.afterSettle?.();
    return outcome;
  },
});

async function serve(router: express.Router): Promise<{ server: Server; url: string }> {
  const app = express();
  app.use('/api/v1', router);
  const server = createServer(app);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()));
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}/api/v1` };
}

interface Parts {
  pool: Pool;
  ids: Ids;
  state: { now: Date; serial: number };
  site(code: string): Site;
  settlement: Settlement;
}

/** A hash that no password has. */
const NO_PASSWORD = `scrypt$2$1$1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

async function addStaff(
  { pool, ids, state, site }: Parts,
  roles: RoleName[],
  sites: SiteCode[] | 'all',
): Promise<{ token: string; id: bigint }> {
  state.serial += 1;
  const login = `staff-${state.serial}`;
  const id = await ids.take();
  await insertStaff(pool, {
    ...{ id, login, fullName: 'Staff', passwordHash: NO_PASSWORD },
    ...{ mustChange: false, roles, createdAt: state.now },
    sites: sites === 'all' ? 'all' : sites.map((code) => site(code).id),
  });
  const session = { id: await ids.take(), staffId: id, now: state.now };
  const { token } = await openSession(pool, { ...session, remote: '127.0.0.1', agent: 'test' });
  return { token, id };
}

const BOUQUETS = { NBO: 'ESSENTIAL', ABJ: 'ACCESS' };

async function addCustomer(
  { pool, ids, state, site }: Parts,
  code: SiteCode,
  catalogue: BackofficeDeps['catalogue'],
): Promise<Customer> {
  state.serial += 1;
  const number = withLuhnDigit(`40210${String(state.serial).padStart(5, '0')}`);
  const phone = `${code === 'NBO' ? '+254700' : '+225070'}${String(100_000 + state.serial)}`;
  const bouquet = [...catalogue().bouquets.values()].find((b) => b.code === BOUQUETS[code]);
  const subscriberId = await openCustomer(pool, ids, {
    ...{ site: site(code), fullName: `Customer ${state.serial}`, msisdn: phone, at: state.now },
    language: site(code).language,
    cards: [{ number, bouquetId: bouquet?.id ?? 0n, term: 'month', autoRenew: false }],
  });
  const { rows } = await pool.query('SELECT id FROM card WHERE number = $1', [number]);
  return { subscriberId, cardId: rows[0].id, number, phone };
}

async function addVoucher(
  { pool, ids, state }: Parts,
  asset: string,
  value: bigint,
): Promise<string> {
  state.serial += 1;
  const code = `7000${String(state.serial).padStart(8, '0')}`;
  const [batch, id] = [await ids.take(), await ids.take()];
  const [expiresAt, hash] = [new Date('2030-01-01T00:00:00Z'), HASH(code)];
  await pool.query(
    `WITH b AS (
       INSERT INTO voucher_batch (id, name, kind, asset, value, expires_at, created_at)
       VALUES ($1, $3, 'amount', $4, $5, $6, $7) RETURNING id)
     INSERT INTO voucher (id, batch_id, code_hash, state) SELECT $2, id, $8, 'ACTIVATED' FROM b`,
    [batch, id, `batch-${state.serial}`, asset, value, expiresAt, state.now, hash],
  );
  return code;
}

function pay({ state, site, settlement }: Parts, code: SiteCode, payment: Paid): Promise<Outcome> {
  state.serial += 1;
  const { id: siteId, currency } = site(code);
  return settlement.settle({
    ...{ kind: 'payment', provider: 'mpesa', receipt: `R${state.serial}`, asset: currency },
    ...{ channelId: `paybill-${code}`, siteId, at: state.now, raw: Buffer.from('{}') },
    ...{ payerMsisdn: null, payerHash: null, orderId: null, ...payment },
  });
}

function call(
  server: Server,
  { method, path, token, body, key, ifMatch }: CallOptions & { method: string; path: string },
): supertest.Test {
  const verb = method.toLowerCase() as 'get' | 'post' | 'put' | 'patch' | 'delete';
  const test = supertest(server)[verb](`/api/v1${path}`);
  if (token !== undefined) test.set('Authorization', `Bearer ${token}`);
  if (key !== undefined) test.set('Idempotency-Key', key);
  if (ifMatch !== undefined) test.set('If-Match', ifMatch);
  if (body === undefined) return test;
  return test.set('Content-Type', 'application/json').send(JSON.stringify(body));
}
