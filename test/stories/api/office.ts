/**
 * The back office over a database of its own: the demo operator's two sites, the real settlement,
 * a clock that stands still until it is moved, and the API on a port of 127.0.0.1.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import type { Pool } from 'pg';
import type supertest from 'supertest';
import { loadDemoOperator } from '../../../simulators/demo/people.ts';
import type { Route } from '../../../src/backoffice/api/route.ts';
import { createPasswords } from '../../../src/backoffice/people/passwords.ts';
import type { RoleName } from '../../../src/backoffice/people/permissions.ts';
import type { Wish } from '../../../src/backoffice/resources/act.ts';
import type { DemoClocks } from '../../../src/backoffice/resources/demo-clocks.ts';
import { tillOf } from '../../../src/backoffice/resources/desk.ts';
import { type BackofficeDeps, createBackoffice } from '../../../src/backoffice/service.ts';
import { dunningPolicy } from '../../../src/billing/catalogue/dunning-policy.ts';
import type { Catalogue, Site } from '../../../src/billing/catalogue/rules.ts';
import { systemAccounts } from '../../../src/billing/catalogue/service.ts';
import type { DunningService } from '../../../src/billing/dunning/service.ts';
import { ensureAccounts } from '../../../src/billing/ledger/store.ts';
import type { PostpaidService } from '../../../src/billing/postpaid/service.ts';
import { remindDue } from '../../../src/billing/reminders/service.ts';
import { createBilling } from '../../../src/billing/service.ts';
import type { Outcome, Payment } from '../../../src/billing/settlement/commands.ts';
import type { SettlementPorts } from '../../../src/billing/settlement/facts.ts';
import { createSettlement, type Settlement } from '../../../src/billing/settlement/service.ts';
import { createTestClocks } from '../../../src/billing/test-clocks/service.ts';
import type { Campaigns } from '../../../src/entitlement/campaigns/service.ts';
import { createCasCommands } from '../../../src/entitlement/commands/service.ts';
import { createDevices } from '../../../src/entitlement/devices/service.ts';
import { createPictureDesk } from '../../../src/entitlement/picture/service.ts';
import { createSuspensions } from '../../../src/entitlement/picture/suspension.ts';
import { rightsFor } from '../../../src/entitlement/rights/rules.ts';
import { openCampaigns } from '../../../src/open-campaigns.ts';
import { readInstallation } from '../../../src/open-compliance.ts';
import { openDunning } from '../../../src/open-dunning.ts';
import { createIds } from '../../../src/platform/database/ids.ts';
import { createPool } from '../../../src/platform/database/pool.ts';
import { createPrisma, type Prisma } from '../../../src/platform/database/prisma.ts';
import { createMemoryKeyValue } from '../../../src/platform/kv.ts';
import { silentLogger } from '../../../src/platform/log.ts';
import type { Clock, Ids, Logger } from '../../../src/platform/ports.ts';
import { systemRandom } from '../../../src/platform/system.ts';
import { createTestDatabase } from '../../../src/platform/test-database.ts';
import { createPublisher } from '../../../src/publish-catalogue.ts';
import { changed } from '../world.ts';
import { addCustomer, addStaff, addVoucher, callerOf, HASH, pay, settleAt } from './office-acts.ts';
import { openPostpaid } from './postpaid-office.ts';

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
  dunning: DunningService;
  campaigns: Campaigns;
  url: string;
  routes: readonly Route[];
  document(): Record<string, unknown>;
  now(): Date;
  later(ms: number): void;
  site(code: SiteCode): Site;
  catalogue(): Catalogue;
  /** A member of staff in a session; the token. */
  staff(roles: RoleName[], sites?: SiteCode[] | 'all'): Promise<{ token: string; id: bigint }>;
  customer(code: SiteCode): Promise<Customer>;
  /** A paybill payment; settles through the real door. */
  pay(code: SiteCode, payment: Paid): Promise<Outcome>;
  /** Something asked of settlement over the till of a site. */
  settle(code: SiteCode, wish: Wish): Promise<Outcome>;
  /** A scratch card of an amount, ready to be used; its code. */
  voucher(asset: string, value: bigint): Promise<string>;
  /** A call with this token; a problem that its route does not declare is an error. */
  call(method: string, path: string, options?: CallOptions): supertest.Test;
  rows(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** Forgets what stands in these tables, as their owner, who alone can. */
  forget(...tables: string[]): Promise<void>;
  finishDue(): Promise<void>;
  /** What is sold by invoice; `act` and `transfer` go through `fault` as well. */
  postpaid: PostpaidService;
  /** Publishes the catalogue of the tests with changes of its text. */
  changeCatalogue(...changes: [was: string, is: string][]): Promise<void>;
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

const rules = (fee: string, cap: string): string => `
    rules:
      move: { windowHours: 48, perMonth: 2, objectionMinutes: 30 }
      pause: { daysPerYear: 30 }
      loan: { term: day, fee: '${fee}', cap: '${cap}' }`;
/** What the sites of the tests let happen. */
const RULES: [was: string, is: string][] = [
  ['language: en', `language: en${rules('5.00', '10000.00')}`],
  ['language: fr', `language: fr${rules('500', '1000000')}`],
];
const STARTS_AT = '2026-11-23T11:02:00Z';
const MINUTE_MS = 60_000;

const SAID: SettlementPorts['messagesFor'] = ({ to, message }, at) => ({
  kind: to.kind,
  template: message.name,
  target: to.kind === 'text' ? to.msisdn : to.cardNumber,
  body: message.name,
  notAfter: new Date(at.getTime() + 60 * MINUTE_MS),
});

export interface OfficeOptions {
  requireTotp?: boolean;
  limits?: BackofficeDeps['limits'];
  /** Minor units of KES above which a reversal needs two. */
  approvalAbove?: bigint;
  /** With time that can be moved, as a demo has it. */
  hasClocks?: boolean;
  /** Told of each scratch card that is not taken. */
  onVoucherRefused?: (reason: string) => void;
}

/** Opens the office. Close it after the last story of the file. */
export async function createOffice(options: OfficeOptions = {}): Promise<Office> {
  const database = await createTestDatabase();
  const pool = createPool({ url: database.appUrl, max: 8, name: 'office', logger: silentLogger });
  const prisma = createPrisma({ url: database.appUrl, max: 2, logger: silentLogger });
  const ids = createIds(pool);
  const state = { now: new Date(STARTS_AT), aheadMs: 0, serial: 0 };
  const machineClock = { now: () => state.now };
  const clock = { now: () => new Date(state.now.getTime() + state.aheadMs) };
  await loadDemoOperator({ pool, ids, clock }, changed(RULES));
  const { billing, channels } = await openBilling(pool, prisma, { ids, clock });
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
  const common = { pool, ids, clock, machineClock, logger };
  const reload = () => billing.catalogue.reload();
  const { publish } = createPublisher({ ...common, reload });
  const catalogueFile = () => billing.catalogue.inForce();
  const siteIds = [...catalogue().sites.keys()];
  const campaigns = openCampaigns({ ...common, catalogue });
  const postpaid = await openPostpaid({ ...common, siteIds, fault });
  const dunning = duns({ ...common, settlement, catalogue, postpaid });
  const clocks = options.hasClocks ? openClocks({ ...common, settlement, catalogue, state }) : null;
  const door = clocks?.tests.settlement(settlement) ?? settlement;
  const desk = { ...common, settlement: door, catalogue, catalogueFile, publish, channels };
  const opening = { ...desk, postpaid, dunning, campaigns, ...(clocks ? { clocks } : {}) };
  const backoffice = openOffice(opening, options);
  const { server, url } = await serve(backoffice.router);
  const parts = { pool, ids, state, site, settlement };
  return {
    ...{ pool, ids, url, fault, errors, site, catalogue, postpaid, dunning, now: clock.now },
    campaigns,
    routes: backoffice.routes,
    document: backoffice.document,
    later(ms) {
      state.now = new Date(state.now.getTime() + ms);
    },
    staff: (roles, sites = 'all') => addStaff(parts, roles, sites),
    customer: (code) => addCustomer(parts, code, catalogue),
    pay: (code, payment) => pay(parts, code, payment),
    settle: (code, wish) => settleAt(parts, code, wish),
    voucher: (asset, value) => addVoucher(parts, asset, value),
    call: callerOf(server, backoffice.document),
    rows: async (sql, values = []) => (await pool.query(sql, values)).rows,
    forget: (...tables) => truncate(database.ownerUrl, tables),
    finishDue: () => backoffice.finishDue(),
    async changeCatalogue(...changes) {
      await loadDemoOperator({ pool, ids, clock }, changed([...RULES, ...changes]));
      await reload();
    },
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
async function openBilling(pool: Pool, prisma: Prisma, { ids, clock }: { ids: Ids; clock: Clock }) {
  const channels = new Map<string, bigint>();
  const ports: SettlementPorts = { rightsFor, messagesFor: SAID };
  const billing = await createBilling({
    ...{ settlementPool: pool, pool, prisma, ids, clock, logger: silentLogger, ports },
    moneyChannels(catalogue) {
      for (const { code, id } of catalogue.sites.values()) {
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

/** The whole house jumps: nothing of it is due here. */
function openClocks({
  state,
  ...parts
}: Pick<BackofficeDeps, 'pool' | 'ids' | 'clock' | 'settlement' | 'catalogue'> & {
  state: { now: Date; aheadMs: number };
}) {
  const { pool, ids, clock, settlement, catalogue } = parts;
  const tests = createTestClocks({
    ...{ pool, ids, settlement },
    timeZoneOf: (siteId) => catalogue().sites.get(siteId)?.timeZone ?? 'UTC',
    remind: (clock, testClock) =>
      remindDue({ pool, ids, clock, testClock, catalogue, messagesFor: SAID }),
  });
  const moveTo = async (to: Date) => {
    state.aheadMs = to.getTime() - state.now.getTime();
    return to;
  };
  return { tests, house: { now: clock.now, moveTo } };
}

type Opening = Pick<
  BackofficeDeps,
  | 'pool'
  | 'ids'
  | 'clock'
  | 'machineClock'
  | 'logger'
  | 'settlement'
  | 'catalogue'
  | 'catalogueFile'
  | 'publish'
  | 'postpaid'
  | 'dunning'
  | 'campaigns'
> & { clocks?: DemoClocks; channels: ReadonlyMap<string, bigint> };

function openOffice({ channels, dunning, ...common }: Opening, options: OfficeOptions) {
  return createBackoffice({
    ...{ ...common, passwords, kv: createMemoryKeyValue(), random: systemRandom, trustedHops: 0 },
    voucherHash: HASH,
    ...(options.onVoucherRefused ? { onVoucherRefused: options.onVoucherRefused } : {}),
    picture: createPictureDesk({ ...common, refresher: { wake: () => undefined } }),
    dunning,
    devices: createDevices({
      ...{ ...common, commands: createCasCommands(common), casOf: () => 'vip-control' },
      ...{ listedOnly: () => false, models: null, wake: () => undefined },
    }),
    listedOnly: () => false,
    installation: () => readInstallation({ isDemo: true }, []),
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

/** At both sites: reminded, then walled, of what was paid to yesterday or earlier. */
const POLICY = dunningPolicy.parse({
  steps: [
    { name: 'reminder', when: { daysOverdue: 1 }, does: 'remind', say: [] },
    { name: 'notice', when: { daysOverdue: 3 }, does: 'wall', say: [] },
  ],
});

const duns = (
  common: Pick<
    Opening,
    'pool' | 'ids' | 'clock' | 'logger' | 'settlement' | 'catalogue' | 'postpaid'
  >,
): DunningService => {
  const terms = { category: null, from: '2026-01-01', policy: POLICY };
  const dunning = ['NBO', 'ABJ'].map((site) => ({ ...terms, site }));
  return openDunning({
    ...{ ...common, operator: () => ({ dunning }) },
    ...{ messagesFor: () => null, dispatcher: { wake: () => undefined } },
    onMessages: () => undefined,
  }).service;
};

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

async function truncate(ownerUrl: string, tables: string[]): Promise<void> {
  const owner = createPool({ url: ownerUrl, max: 1, name: 'owner', logger: silentLogger });
  // Without the triggers that keep what is append-only.
  const triggers = (word: string) =>
    tables.map((table) => `ALTER TABLE ${table} ${word} TRIGGER USER;`).join(' ');
  const emptied = `TRUNCATE ${tables.join(', ')};`;
  await owner.query(`${triggers('DISABLE')} ${emptied} ${triggers('ENABLE')}`);
  await owner.end();
}

async function serve(router: express.Router): Promise<{ server: Server; url: string }> {
  const app = express();
  app.use('/api/v1', router);
  const server = createServer(app);
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', () => listening()));
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}/api/v1` };
}
