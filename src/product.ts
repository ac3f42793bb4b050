/**
 * The composition root: the only place that knows every room. It opens what the roles of this
 * process need, in the order in which they need each other, and closes it the other way round.
 */
import { readFileSync } from 'node:fs';
import express from 'express';
import type { Pool } from 'pg';
import { parse } from 'yaml';
import type { DemoClocks } from './backoffice/resources/demo-clocks.ts';
import type { Backoffice } from './backoffice/service.ts';
import type { PostpaidService } from './billing/postpaid/service.ts';
import { remindDue } from './billing/reminders/service.ts';
import type { Billing } from './billing/service.ts';
import { createPictureDesk } from './entitlement/picture/service.ts';
import type { Entitlement } from './entitlement/service.ts';
import { openBackoffice } from './open-backoffice.ts';
import { openBilling } from './open-billing.ts';
import { openCampaigns } from './open-campaigns.ts';
import { type Cas, openCas } from './open-cas.ts';
import { openTime } from './open-clocks.ts';
import { openDebts } from './open-debts.ts';
import { openDevices } from './open-devices.ts';
import { openEntitlement, waker } from './open-entitlement.ts';
import { openAnchors } from './open-evidence.ts';
import { openReconciliation } from './open-reconciliation.ts';
import type { Config, Role } from './platform/config.ts';
import type { ControlAddress } from './platform/control-address.ts';
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
import type { RoadStep } from './road.ts';
import { type Channels, readChannels } from './telecom/channels.ts';
import { createTelecom, createWording, type Telecom } from './telecom/service.ts';
import { startJobs, type Working, watch } from './work.ts';

/** What a demo adds: simulators to work with, an operator to work for. */
export interface DemoHouse {
  /** As a providers' file would say it. */
  channels: unknown;
  control: ControlAddress;
  /** Pages of the demo, served below `/living-room`. */
  pages?: express.RequestHandler;
  /** Sets the clock of the house on, and those of all simulators. */
  move?(ms: number): Promise<void>;
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
  /** Only in a demo, in the process that wakes the jobs. */
  clocks?: DemoClocks | undefined;
}

export interface ProductOptions {
  config: Config;
  logger: ServiceLogger;
  /** The time of the house; the machine's own unless a story says otherwise. */
  clock?: Clock;
  /** How long a prompt waits for the USSD screen to close. */
  pushDelayMs?: number;
  /** What wakes the jobs; the machine's clock unless a story says otherwise. */
  schedule?: Working['schedule'];
  /** Only in demo mode; `url` is where the product will answer. */
  openDemo?(opened: { url: string; pool: Pool; prisma: Prisma; ids: Ids }): Promise<DemoHouse>;
}

export interface Product extends ProductParts {
  jobs: Jobs | null;
  postpaid: PostpaidService;
  /** Finishes the requests in hand, then what they started, then stops. */
  stop(): Promise<void>;
}

const SETTLEMENT_CONNECTIONS = 5;
const GENERAL_CONNECTIONS = 12;
const JOB_CONNECTIONS = 3;
const PRISMA_CONNECTIONS = 2;
const GRACE_MS = 10_000;
const PUSH_DELAY_MS = 1_000;

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
  options: ProductOptions,
  closers: (() => Promise<void>)[],
  stop: () => Promise<void>,
): Promise<Product> {
  const { config, logger, openDemo } = options;
  const { clock = systemClock, pushDelayMs = PUSH_DELAY_MS, schedule } = options;
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
  const cas = await openCas({ config, pool, logger: logger.child({ room: 'cas' }), demo });
  closers.push(async () => cas.stop());
  const billing = await openBilling(house, { config, channels, clock, onRoad, cas, logger });
  closers.push(() => billing.settlement.close());
  const opened = { config, pool, prisma, ids, billing, channels, url: http.url };
  const rooms = await openRooms({
    ...{ parts: opened, house, demo, logger, closers, clock, pushDelayMs, schedule, cas },
  });
  const parts = { ...opened, entitlement: rooms.entitlement, clocks: rooms.clocks };
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
  return { ...parts, jobs: rooms.jobs, postpaid: rooms.postpaid, stop };
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

interface Opening {
  parts: Omit<ProductParts, 'entitlement'>;
  house: House;
  demo: DemoHouse | undefined;
  logger: ServiceLogger;
  closers: (() => Promise<void>)[];
  clock: Clock;
  pushDelayMs: number;
  schedule: Working['schedule'];
  cas: Cas;
}

interface Rooms {
  postpaid: PostpaidService;
  telecom: Telecom | null;
  entitlement: Entitlement | null;
  jobs: Jobs | null;
  backoffice: Backoffice | null;
  clocks: DemoClocks | undefined;
}

type TelecomParts = Omit<
  Parameters<typeof createTelecom>[0],
  'channels' | 'kv' | 'logger' | 'metrics' | 'onMessage' | 'trustedHops' | 'pushDelayMs'
>;

/** The telephones' room; its texts are sent where rights are. */
function openTelecom(
  { parts, house, logger, closers, pushDelayMs }: Opening,
  rooms: TelecomParts,
): { telecom: Telecom; wakeTexts(): void } {
  const { channels, config } = parts;
  const { kv, metrics } = house;
  const telecom = createTelecom({
    ...{ ...rooms, channels, kv, metrics, pushDelayMs, trustedHops: config.trustedHops },
    logger: logger.child({ room: 'telecom' }),
    onMessage: () => wakeTexts(),
  });
  closers.push(() => telecom.momo.close());
  const isSending = config.roles.has('dispatcher');
  const wakeTexts = () => {
    if (isSending) telecom.texts.wake();
  };
  wakeTexts();
  if (isSending) closers.push(() => telecom.texts.stop());
  return { telecom, wakeTexts };
}

/** The rooms that this process's roles need, and their work in the background. */
async function openRooms(opening: Opening): Promise<Rooms> {
  const { parts, house, demo, logger, closers, clock, schedule } = opening;
  const { config, billing, channels, pool, ids } = parts;
  const catalogue = () => billing.catalogue.current();
  const wording = createWording({ channels, catalogue });
  const debts = openDebts({
    ...{ pool, ids, billing, wording, catalogue, logger, carries: opening.cas.carries },
    dispatcher: { wake: () => entitlement?.dispatcher.wake() },
    onMessages: () => wake({ rights: false, messages: true }),
    onChanged: (accountIds) => dunning.hearing.accounts(accountIds),
  });
  const time = openTime({ ...parts, demo, clock, wording, debts });
  const settlement = time?.settlement ?? billing.settlement;
  const postpaid = time?.postpaid ?? debts.postpaidAt(clock);
  const dunning = debts.dunningAt(clock, postpaid);
  closers.push(() => dunning.hearing.close());
  const has = (role: Role) => config.roles.has(role);
  const common = { pool, ids, clock, random: systemRandom, settlement };
  const { systems, carries } = opening.cas;
  const entitlement = has('dispatcher') ? await openEntitlement({ ...opening, systems }) : null;
  if (entitlement) closers.push(() => entitlement.stop());
  const picture = createPictureDesk({
    ...common,
    logger: logger.child({ room: 'picture' }),
    refresher: { wake: () => entitlement?.refresher.wake() },
  });
  const campaigns = openCampaigns({
    ...{ ...common, catalogue, logger: logger.child({ room: 'campaigns' }) },
  });
  const rooms = { ...common, ...wording, catalogue, picture, postpaid, carries };
  const { telecom, wakeTexts } = openTelecom(opening, { ...rooms, owedFor: dunning.owedFor });
  const wake = waker(entitlement, wakeTexts);
  billing.listen({
    onCommitted: ({ cards, ...committed }) => {
      wake(committed);
      dunning.hearing.cards(cards);
    },
  });
  const working: Working = {
    ...{ pool, jobPool: house.jobPool, metrics: house.metrics, billing, clock, schedule },
    ...{ telecom, entitlement, postpaid, ids, dunning: dunning.service, campaigns },

    reconciliation: openReconciliation({ ...common, entitlement, catalogue, logger }),
    anchors: has('scheduler') ? openAnchors(config) : null,
    logger: logger.child({ room: 'jobs' }),
    remind: () => remindDue({ ...common, catalogue, messagesFor: wording.messages.messagesFor }),
  };
  watch(working);
  const jobs = has('scheduler') ? startJobs(working) : null;
  if (jobs) closers.push(() => jobs.stop());
  const wakeAll = (): Promise<void> | undefined => {
    wake({ rights: true, messages: true });
    return backoffice?.finishDue();
  };
  const clocks = (jobs && time?.start(jobs, wakeAll)) ?? undefined;
  const devices = openDevices(parts, {
    ...{ clock, entitlement, systems, logger: logger.child({ room: 'devices' }) },
  });
  const backoffice = has('backoffice')
    ? await openBackoffice({
        ...{ ...opening, entitlement, picture, settlement, clocks },
        ...{ postpaid, devices, dunning: dunning.service, campaigns, systems },
      })
    : null;
  if (backoffice) closers.push(() => backoffice.stop());
  const shown = has('gateway') ? telecom : null;
  return { telecom: shown, entitlement, jobs, backoffice, clocks, postpaid };
}
