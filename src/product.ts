/**
 * The composition root: the only place that knows every room. It opens what the roles of this
 * process need, in the order in which they need each other, and closes it the other way round.
 */
import { readFileSync } from 'node:fs';
import express from 'express';
import type { Pool } from 'pg';
import { parse } from 'yaml';
import type { Backoffice } from './backoffice/service.ts';
import { remindDue } from './billing/reminders/service.ts';
import { type Billing, createBilling } from './billing/service.ts';
import type { Command, Outcome } from './billing/settlement/commands.ts';
import type { DispatchStep } from './entitlement/dispatch/service.ts';
import { createPictureDesk } from './entitlement/picture/service.ts';
import { rightsFor } from './entitlement/rights/rules.ts';
import { type Entitlement, startEntitlement } from './entitlement/service.ts';
import { openBackoffice, tills } from './open-backoffice.ts';
import type { Config, Role } from './platform/config.ts';
import { createIds } from './platform/database/ids.ts';
import { openDatabase } from './platform/database/open.ts';
import { createPool } from './platform/database/pool.ts';
import { createPrisma, type Prisma } from './platform/database/prisma.ts';
import { createHealth } from './platform/http/health.ts';
import { listen } from './platform/http/server.ts';
import { timeRequests } from './platform/http/timing.ts';
import type { Jobs } from './platform/jobs.ts';
import { createMemoryKeyValue, createRedisKeyValue } from './platform/kv.ts';
import type { ServiceLogger } from './platform/log.ts';
import { createMetrics } from './platform/metrics.ts';
import type { Clock, Ids } from './platform/ports.ts';
import { StartError } from './platform/start-error.ts';
import { systemClock, systemRandom } from './platform/system.ts';
import { type Channels, readChannels } from './telecom/channels.ts';
import { createTelecom, createWording, siteIndex, type Telecom } from './telecom/service.ts';
import { startJobs, type Working, watch } from './work.ts';

/** What a demo adds: simulators to work with, an operator to work for. */
export interface DemoHouse {
  /** As a providers' file would say it. */
  channels: unknown;
  control: { host: string; port: number };
  /** Pages of the demo, served below `/living-room`. */
  pages?: express.RequestHandler;
  /** Told of each step on the road of a payment, as it happens in this process. */
  onRoad?(step: RoadStep): void;
  /** What signs and seals for the API. */
  apiSecret?: string;
  /** Loads the demo operator and its people, once; the product is up by then. */
  furnish(product: ProductParts): Promise<void>;
  /** Called first when the house closes: ends what would keep it open. */
  leave?(): void;
  stop(): Promise<void>;
}

/** One step on the road of a payment, from the operator's notice to ON AIR. */
export interface RoadStep {
  step: 'notice' | 'settled' | 'sent' | 'accepted' | 'on_air';
  at: Date;
  /** E.164, where the payer is known. */
  msisdn?: string;
  /** What M-PESA says instead: see `hashMsisdn`. */
  payerHash?: string;
  /** Number of the card, from where rights are sent. */
  card?: string;
  /** When the rights were raised. */
  since?: Date;
  /** Receipt of the operator, or our reference. */
  detail?: string;
}

export interface ProductParts {
  config: Config;
  pool: Pool;
  prisma: Prisma;
  ids: Ids;
  billing: Billing;
  channels: Channels;
  url: string;
  /** Only where this process dispatches. */
  entitlement: Entitlement | null;
}

export interface ProductOptions {
  config: Config;
  logger: ServiceLogger;
  /** The time of the house; the machine's own unless a story says otherwise. */
  clock?: Clock;
  /** How long a prompt waits for the USSD screen to close. */
  pushDelayMs?: number;
  /** Only in demo mode; `url` is where the product will answer. */
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
  const onRoad = demo?.onRoad;
  const billing = await openBilling(house, { config, channels, clock, onRoad }, logger);
  closers.push(() => billing.settlement.close());
  const opened = { config, pool, prisma, ids, billing, channels, url: http.url };
  const rooms = await openRooms({
    parts: opened,
    house,
    demo,
    logger,
    closers,
    clock,
    pushDelayMs,
  });
  const parts = { ...opened, entitlement: rooms.entitlement };
  const checks = {
    database: () => pool.query('SELECT 1'),
    ...(config.roles.has('gateway') ? { sessions: () => readySessions(house) } : {}),
  };
  const health = createHealth({ checks, metrics });
  closers.push(async () => health.stopping());
  const routes = express.Router();
  if (rooms.telecom) routes.use('/hooks', rooms.telecom.door);
  if (rooms.backoffice) {
    routes.use('/api/v1', timeRequests(house.metrics), rooms.backoffice.router);
  }
  if (demo?.pages) routes.use('/living-room', demo.pages);
  routes.use(health.router);
  // Closed first of all: no new request comes in while the rooms behind the door still stand.
  closers.push(() => http.close(GRACE_MS));
  closers.push(async () => demo?.leave?.());
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

interface BillingParts {
  config: Config;
  channels: Channels;
  clock: Clock;
  onRoad: DemoHouse['onRoad'];
}

function openBilling(
  house: House,
  { config, channels, clock, onRoad }: BillingParts,
  logger: ServiceLogger,
): Promise<Billing> {
  const { metrics } = house;
  let wording: ReturnType<typeof createWording> | undefined;
  return createBilling({
    ...house,
    logger: logger.child({ room: 'billing' }),
    voucherKey: config.voucherKey,
    ports: {
      rightsFor,
      messagesFor: (saying, at) => wording?.messages.messagesFor(saying, at) ?? null,
    },
    moneyChannels: (catalogue) => {
      wording = createWording({ channels, catalogue: () => catalogue.current() });
      const sites = siteIndex(() => catalogue.current());
      const money = channels.all.filter(({ kind }) => kind === 'money' || kind === 'tvu');
      return [
        ...money.map((channel) => ({ id: channel.id, siteId: siteIdOf(sites, channel) })),
        ...tills(catalogue.current()),
      ];
    },
    onBatch: (size, seconds) => {
      metrics.observe('vip_settlement_batch_size', {}, size);
      metrics.observe('vip_settlement_batch_seconds', {}, seconds);
    },
    onSettled: (command, outcome) => {
      if (onRoad) noteSettled(onRoad, command, outcome, clock.now());
      const { kind, channelId } = command;
      if (kind !== 'payment' && kind !== 'tvu_notice') return;
      const labels = { channel: channelId, outcome: outcomeName(outcome) };
      metrics.count('vip_payments_total', labels);
    },
  });
}

/** What was paid for, by notice or from a wallet, and when it was in the books. */
function noteSettled(
  onRoad: NonNullable<DemoHouse['onRoad']>,
  command: Command,
  outcome: Outcome,
  now: Date,
): void {
  if (outcome.kind !== 'done' || !outcome.first) return;
  const { kind, at, receipt } = command;
  if (kind !== 'payment' && kind !== 'tvu_notice' && kind !== 'buy') return;
  const payer = kind === 'payment' ? command.payerMsisdn : command.msisdn;
  const hash = kind === 'payment' ? command.payerHash : null;
  const whose = {
    ...(payer === null ? {} : { msisdn: payer }),
    ...(hash === null ? {} : { payerHash: hash }),
  };
  if (kind !== 'buy') onRoad({ step: 'notice', at, detail: receipt, ...whose });
  onRoad({ step: 'settled', at: now, detail: outcome.settled.ref, ...whose });
}

/** A card's rights on their way to the air. */
const noteSent =
  (onRoad: NonNullable<DemoHouse['onRoad']>) =>
  ({ kind, number, at, raisedAt }: DispatchStep): void =>
    onRoad({ step: kind, at, card: number, ...(raisedAt ? { since: raisedAt } : {}) });

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
  parts: Omit<ProductParts, 'entitlement'>;
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
  backoffice: Backoffice | null;
}

/** The rooms that this process's roles need, and their work in the background. */
async function openRooms(opening: Opening): Promise<Rooms> {
  const { parts, house, demo, logger, closers, clock, pushDelayMs } = opening;
  const { config, billing, channels, pool, ids } = parts;
  const { settlement } = billing;
  const catalogue = () => billing.catalogue.current();
  const has = (role: Role) => config.roles.has(role);
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
          ...(demo?.onRoad ? { onStep: noteSent(demo.onRoad) } : {}),
        })
      : null;
  if (entitlement) closers.push(() => entitlement.stop());
  const picture = createPictureDesk({
    ...common,
    logger: logger.child({ room: 'picture' }),
    refresher: { wake: () => entitlement?.refresher.wake() },
  });
  const wording = createWording({ channels, catalogue });
  const telecom = createTelecom({
    ...common,
    ...wording,
    picture,
    onMessage: () => wakeTexts(),
    kv: house.kv,
    logger: logger.child({ room: 'telecom' }),
    metrics: house.metrics,
    channels,
    catalogue,
    trustedHops: config.trustedHops,
    pushDelayMs,
  });
  closers.push(() => telecom.momo.close());
  const wakeTexts = () => {
    if (has('dispatcher')) telecom.texts.wake();
  };
  if (has('dispatcher')) {
    wakeTexts();
    closers.push(() => telecom.texts.stop());
  }
  billing.listen({
    onCommitted: ({ rights, messages }) => {
      if (rights) entitlement?.dispatcher.wake();
      if (messages) wakeTexts();
      if (messages) entitlement?.osd.wake();
    },
  });
  const working: Working = {
    ...{ pool, jobPool: house.jobPool, metrics: house.metrics, billing, clock },
    ...{ telecom, entitlement, logger: logger.child({ room: 'jobs' }) },
    remind: () => remindDue({ ...common, catalogue, messagesFor: wording.messages.messagesFor }),
  };
  watch(working);
  const jobs = has('scheduler') ? startJobs(working) : null;
  if (jobs) closers.push(() => jobs.stop());
  const backoffice = has('backoffice')
    ? await openBackoffice({ ...opening, entitlement, picture })
    : null;
  if (backoffice) closers.push(() => backoffice.stop());
  return { telecom: has('gateway') ? telecom : null, entitlement, jobs, backoffice };
}
