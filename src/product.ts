/**
 * The composition root: the only place that knows every room. It opens what the roles of this
 * process need, in the order in which they need each other, and closes it the other way round.
 */
import { readFileSync } from 'node:fs';
import express from 'express';
import type { Pool } from 'pg';
import { parse } from 'yaml';
import { foldAccounts } from './billing/ledger/store.ts';
import { type Billing, createBilling } from './billing/service.ts';
import type { Outcome } from './billing/settlement/commands.ts';
import { renewDue } from './billing/settlement/renewals.ts';
import { rightsFor } from './entitlement/rights/rules.ts';
import { type Entitlement, startEntitlement } from './entitlement/service.ts';
import type { Config } from './platform/config.ts';
import { createIds } from './platform/database/ids.ts';
import { openDatabase } from './platform/database/open.ts';
import { createPool } from './platform/database/pool.ts';
import { createPrisma, type Prisma } from './platform/database/prisma.ts';
import { createHealth } from './platform/http/health.ts';
import { listen } from './platform/http/server.ts';
import { createJobs, type Jobs } from './platform/jobs.ts';
import { createMemoryKeyValue, createRedisKeyValue } from './platform/kv.ts';
import type { ServiceLogger } from './platform/log.ts';
import { createMetrics, type Metrics } from './platform/metrics.ts';
import type { Clock, Ids } from './platform/ports.ts';
import { StartError } from './platform/start-error.ts';
import { systemClock, systemRandom } from './platform/system.ts';
import { type Channels, readChannels } from './telecom/channels.ts';
import { createTelecom, createWording, siteIndex, type Telecom } from './telecom/service.ts';

/** What a demo adds: simulators to work with, an operator to work for. */
export interface DemoHouse {
  /** As a providers' file would say it. */
  channels: unknown;
  control: { host: string; port: number };
  /** Loads the demo operator and its people, once; the product is up by then. */
  furnish(product: ProductParts): Promise<void>;
  stop(): Promise<void>;
}

export interface ProductParts {
  config: Config;
  pool: Pool;
  prisma: Prisma;
  ids: Ids;
  billing: Billing;
  channels: Channels;
  url: string;
}

export interface ProductOptions {
  config: Config;
  logger: ServiceLogger;
  /** Only in demo mode; `url` is where the product will answer. */
  /** The time of the house; the machine's own unless a story says otherwise. */
  clock?: Clock;
  /** How long a prompt waits for the USSD screen to close. */
  pushDelayMs?: number;
  openDemo?(opened: { url: string; pool: Pool; prisma: Prisma; ids: Ids }): Promise<DemoHouse>;
}

export interface Product extends ProductParts {
  jobs: Jobs | null;
  /** Finishes the requests in hand, then what they started, then stops. */
  stop(): Promise<void>;
}

const SETTLEMENT_CONNECTIONS = 3;
const GENERAL_CONNECTIONS = 12;
const JOB_CONNECTIONS = 3;
const PRISMA_CONNECTIONS = 2;
const GRACE_MS = 10_000;
const PUSH_DELAY_MS = 1_000;
const PROCESS_ID_BYTES = 6;

/** Starts what the configuration asks for; throws a StartError for what a person can put right. */
export async function startProduct(options: ProductOptions): Promise<Product> {
  const { config, logger } = options;
  const closers: (() => Promise<void>)[] = [];
  const stop = async () => {
    for (const close of closers.reverse().splice(0)) await close();
  };
  try {
    return await open(options, closers, stop);
  } catch (error) {
    await stop();
    logger.error('product.not_started', { bind: config.bind, error });
    throw error;
  }
}

async function open(
  { config, logger, openDemo, clock = systemClock, pushDelayMs = PUSH_DELAY_MS }: ProductOptions,
  closers: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<Product> {
  // The port first: whether it is free is known at once, and the database takes a second.
  const app = express();
  app.disable('x-powered-by');
  const gate: { opened: express.RequestHandler | null } = { opened: null };
  app.use((req, res, next) => {
    if (gate.opened) gate.opened(req, res, next);
    else res.status(503).set('Retry-After', '1').send('Starting');
  });
  const { bind: host, port } = config;
  const http = await listen(app, { host, port, logger });
  closers.push(() => http.close(GRACE_MS));

  const house = await openHouse(config, logger, closers);
  const { pool, prisma, ids, metrics } = house;
  const demo = await openDemo?.({ url: http.url, pool, prisma, ids });
  if (demo) closers.push(demo.stop);
  const channels = channelsOf(config, demo);
  const billing = await openBilling(house, channels, logger);
  closers.push(() => billing.settlement.close());
  const parts = { config, pool, prisma, ids, billing, channels, url: http.url };
  const rooms = await openRooms({ parts, house, demo, logger, closers, clock, pushDelayMs });
  const checks = {
    database: () => pool.query('SELECT 1'),
    ...(config.roles.has('gateway') ? { sessions: () => readySessions(house) } : {}),
  };
  const health = createHealth({ checks, metrics });
  closers.push(async () => health.stopping());
  const routes = express.Router();
  if (rooms.telecom) routes.use('/hooks', rooms.telecom.door);
  routes.use(health.router);
  // Closed first of all: no new request comes in while the rooms behind the door still stand.
  closers.push(() => http.close(GRACE_MS));
  await demo?.furnish(parts);
  gate.opened = routes;
  return { ...parts, jobs: rooms.jobs, stop };
}

async function readySessions(house: House): Promise<void> {
  if (!(await house.kv.ready())) throw new Error('The session store does not answer');
}

type House = Awaited<ReturnType<typeof openHouse>>;

/** Database, ids, sessions, metrics: what every room stands on. */
async function openHouse(config: Config, logger: ServiceLogger, closers: (() => Promise<void>)[]) {
  const database = await openDatabase(config, logger);
  closers.push(() => database.close());
  const connect = (name: string, max: number) => {
    const pool = createPool({ url: database.appUrl, max, name, logger });
    closers.push(() => pool.end());
    return pool;
  };
  const settlementPool = connect('vip-settlement', SETTLEMENT_CONNECTIONS);
  const pool = connect('vip', GENERAL_CONNECTIONS);
  const jobPool = connect('vip-jobs', JOB_CONNECTIONS);
  const prisma = createPrisma({ url: database.appUrl, max: PRISMA_CONNECTIONS, logger });
  closers.push(() => prisma.$disconnect());
  const kv = config.redisUrl
    ? createRedisKeyValue(config.redisUrl, logger)
    : createMemoryKeyValue();
  closers.push(() => kv.close());
  const metrics = createMetrics();
  return { settlementPool, pool, jobPool, prisma, kv, metrics, ids: createIds(pool) };
}

function channelsOf(config: Config, demo: DemoHouse | undefined): Channels {
  const file = config.providersFile;
  const data = demo ? demo.channels : parse(file ? readFileSync(file, 'utf8') : '');
  const read = readChannels(data);
  if (read.ok) return read.channels;
  throw new StartError(`VIP_PROVIDERS_FILE cannot be used: ${read.faults.join('; ')}.`);
}

function openBilling(house: House, channels: Channels, logger: ServiceLogger): Promise<Billing> {
  const { metrics } = house;
  let wording: ReturnType<typeof createWording> | undefined;
  return createBilling({
    ...house,
    logger: logger.child({ room: 'billing' }),
    ports: {
      rightsFor,
      messagesFor: (saying, at) => wording?.messages.messagesFor(saying, at) ?? null,
    },
    moneyChannels: (catalogue) => {
      wording = createWording({ channels, catalogue: () => catalogue.current() });
      const sites = siteIndex(() => catalogue.current());
      return channels.all
        .filter((channel) => channel.kind === 'money' || channel.kind === 'tvu')
        .map((channel) => ({ id: channel.id, siteId: siteIdOf(sites, channel) }));
    },
    onBatch: (size, seconds) => {
      metrics.observe('vip_settlement_batch_size', {}, size);
      metrics.observe('vip_settlement_batch_seconds', {}, seconds);
    },
    onSettled: ({ kind, channelId }, outcome) => {
      if (kind !== 'payment' && kind !== 'tvu_notice') return;
      const labels = { channel: channelId, outcome: outcomeName(outcome) };
      metrics.count('vip_payments_total', labels);
    },
  });
}

/** `settled`, `suspense`, `duplicate`, … */
function outcomeName(outcome: Outcome): string {
  if (outcome.kind !== 'done') return outcome.kind;
  return outcome.first ? outcome.settled.state : 'duplicate';
}

function siteIdOf(sites: ReturnType<typeof siteIndex>, channel: { id: string; site: string }) {
  try {
    return sites.byCode(channel.site).id;
  } catch {
    throw new StartError(
      `Channel ${channel.id} is for site ${channel.site}, which is not in the database: ` +
        'load the operator first (npm run operator -- FILE).',
    );
  }
}

interface Opening {
  parts: ProductParts;
  house: House;
  demo: DemoHouse | undefined;
  logger: ServiceLogger;
  closers: (() => Promise<void>)[];
  clock: Clock;
  pushDelayMs: number;
}

interface Rooms {
  telecom: Telecom | null;
  entitlement: Entitlement | null;
  jobs: Jobs | null;
}

/** The rooms that this process's roles need, and their work in the background. */
async function openRooms(opening: Opening): Promise<Rooms> {
  const { parts, house, demo, logger, closers, clock, pushDelayMs } = opening;
  const { config, billing, channels, pool, ids } = parts;
  const { settlement } = billing;
  const catalogue = () => billing.catalogue.current();
  const has = (role: 'gateway' | 'dispatcher' | 'scheduler') => config.roles.has(role);
  const common = { pool, ids, clock, random: systemRandom, settlement };
  const control = demo?.control ?? config.control;
  const entitlement =
    has('dispatcher') && control
      ? await startEntitlement({
          ...common,
          logger: logger.child({ room: 'entitlement' }),
          metrics: house.metrics,
          control,
          processId: systemRandom.hex(PROCESS_ID_BYTES),
        })
      : null;
  if (entitlement) closers.push(() => entitlement.stop());
  const telecom = createTelecom({
    ...common,
    ...createWording({ channels, catalogue }),
    kv: house.kv,
    logger: logger.child({ room: 'telecom' }),
    metrics: house.metrics,
    channels,
    catalogue,
    trustedHops: config.trustedHops,
    pushDelayMs,
  });
  closers.push(() => telecom.momo.close());
  if (has('dispatcher')) {
    telecom.texts.wake();
    closers.push(() => telecom.texts.stop());
  }
  billing.listen({
    onCommitted: ({ rights, messages }) => {
      if (rights) entitlement?.dispatcher.wake();
      if (messages && has('dispatcher')) telecom.texts.wake();
      if (messages) entitlement?.osd.wake();
    },
  });
  watch(house.metrics, parts, entitlement);
  const jobs = has('scheduler')
    ? startJobs({ parts, house, telecom, entitlement, logger, clock })
    : null;
  if (jobs) closers.push(() => jobs.stop());
  return { telecom: has('gateway') ? telecom : null, entitlement, jobs };
}

interface Working {
  parts: ProductParts;
  house: House;
  telecom: Telecom;
  entitlement: Entitlement | null;
  logger: ServiceLogger;
  clock: Clock;
}

/** What wakes by the calendar; each runs in one process, wherever several wake. */
function startJobs({ parts, house, telecom, entitlement, logger, clock }: Working): Jobs {
  const { billing, pool } = parts;
  const jobs = createJobs({
    pool: house.jobPool,
    logger: logger.child({ room: 'jobs' }),
    onResult: (job, result) => house.metrics.count('vip_job_runs_total', { job, result }),
  });
  const add = (name: string, cron: string, run: () => Promise<unknown>) =>
    jobs.add({ name, cron, run: async () => void (await run()) });
  add('poll-orders', '*/5 * * * * *', () => telecom.momo.pollDue());
  add('renew', '*/10 * * * * *', () => renewDue({ pool, settlement: billing.settlement, clock }));
  add('fold', '30 * * * * *', () => foldAccounts(pool));
  add('reload-catalogue', '15 * * * * *', () => billing.catalogue.reload());
  if (entitlement) {
    add('capture-events', '20 * * * * *', () => entitlement.dispatcher.captureDue());
    add('release-events', '40 * * * * *', () => entitlement.dispatcher.releaseDue());
  }
  return jobs;
}

/** Queue depths, read when somebody looks at the metrics. */
function watch(metrics: Metrics, { pool, billing }: ProductParts, entitlement: Entitlement | null) {
  const count = async (sql: string): Promise<number> => {
    const { rows } = await pool.query(sql);
    return Number(rows[0].count);
  };
  const due = (kind: string) =>
    count(`SELECT count(*) FROM outbound WHERE kind = '${kind}' AND next_at IS NOT NULL`);
  metrics.gauge('vip_settlement_waiting', () => billing.settlement.waiting());
  metrics.gauge('vip_texts_waiting', () => due('text'));
  metrics.gauge('vip_osd_waiting', () => due('osd'));
  metrics.gauge('vip_parked_notices', () =>
    count("SELECT count(*) FROM inbox WHERE state = 'parked'"),
  );
  if (!entitlement) return;
  metrics.gauge('vip_cards_waiting', async () => (await entitlement.dispatcher.backlog()).waiting);
}
