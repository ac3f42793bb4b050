/**
 * The demo: a mobile-money operator, a text gateway, a head-end with decoders and a living room
 * beside the product, all on 127.0.0.1, and an operator's data to work with. What was made up at
 * the first start (tokens, secrets) is kept in the data folder, and written with all addresses to
 * `demo.json` there.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import { openPostpaid } from '../../src/open-postpaid.ts';
import type { Config } from '../../src/platform/config.ts';
import type { Prisma } from '../../src/platform/database/prisma.ts';
import { type ServiceLogger, silentLogger } from '../../src/platform/log.ts';
import type { Ids } from '../../src/platform/ports.ts';
import { systemRandom } from '../../src/platform/system.ts';
import type { DemoHouse, ProductOptions, ProductParts } from '../../src/product.ts';
import { callbackBase, hookPath } from '../../src/telecom/channels.ts';
import { createDarajaClient } from '../../src/telecom/momo/daraja-client.ts';
import { createHeadEndClient, startHeadEndProcess } from '../head-end/client.ts';
import { createLivingRoom } from '../living-room/server.ts';
import { createMobileMoneySimulator } from '../mobile-money/server.ts';
import { createTextSimulator, type TextSimulator } from '../texts/server.ts';
import { demoDecoders, demoServices, KBIT_PER_SECOND, LATENCY } from './air.ts';
import { demoChannels, demoPlan, TEXT_CODES } from './channels.ts';
import { createDemoClock, type DemoClock } from './clock.ts';
import { addHotel, HOTEL } from './hotel.ts';
import { addPeople, demoPhones, loadDemoOperator } from './people.ts';
import { NETWORK_CODES, seats } from './seats.ts';
import { addDemoStaff, demoApiSecret } from './staff.ts';

interface DemoOptions {
  config: Config;
  logger: ServiceLogger;
  clock: DemoClock;
  url: string;
  pool: Pool;
  prisma: Prisma;
  ids: Ids;
}

const HOST = '127.0.0.1';
const OWNER_ONLY = 0o600;

/** What makes a product a demo: its time, which can be moved on, and the house around it. */
export function demoHouse(
  config: Config,
  logger: ServiceLogger,
): Required<Pick<ProductOptions, 'clock' | 'openDemo'>> {
  mkdirSync(config.dataDir, { recursive: true });
  const clock = createDemoClock();
  return { clock, openDemo: (opened) => openDemo({ config, logger, clock, ...opened }) };
}

/** Starts the simulators and loads the catalogue of the demo operator. */
async function openDemo(options: DemoOptions): Promise<DemoHouse> {
  const { config, url, clock, pool } = options;
  await clock.restore(pool);
  const plan = demoPlan(config.dataDir);
  const simulators = await startSimulators(options, plan);
  const { headEnd, air, money, texts } = simulators;
  await air.addDecoders(demoDecoders(demoPhones().flatMap(({ cards }) => cards)));
  const channels = demoChannels(plan, { gateway: url, money: money.url, texts: texts.url });
  await loadDemoOperator(options);
  const furnished: { product?: ProductParts } = {};
  const product = (): ProductParts => {
    if (!furnished.product) throw new Error('The demo is not furnished yet');
    return furnished.product;
  };
  const livingRoom = createLivingRoom({
    ...{ money, texts, headEnd: air, clock, product },
    services: demoServices(),
  });
  return {
    channels: { channels },
    control: { transport: 'tcp', host: HOST, port: headEnd.port },
    apiSecret: demoApiSecret(config.dataDir),
    pages: livingRoom.routes,
    async move(ms) {
      // The head-end first: what is sent to it is then never dated before it.
      await air.moveClock(clock.movedMs() + Math.round(ms));
      await clock.advance(pool, ms);
    },
    onRoad: livingRoom.note,
    leave: livingRoom.close,
    async furnish(parts) {
      furnished.product = parts;
      await addPeople(parts, clock);
      livingRoom.seat(seats(parts));
      connectTexts(parts, texts);
      money.setTvuChannels(tvuChannels(parts));
      await registerPaybills(parts, options);
      writeDemoFile(parts, {
        ...(await addDemoStaff(parts, clock)),
        hotel: await moveHotelIn(parts, clock),
        mobileMoneySimulator: money.url,
        textSimulator: texts.url,
        vipControl: { vcp: `tcp://${HOST}:${headEnd.port}`, http: headEnd.http },
      });
    },
    async stop() {
      await Promise.all([money.stop(), texts.stop()]);
      await headEnd.stop();
    },
  };
}

const HOTEL_SITE = 'NBO';

/** What `demo.json` says of the hotel. Its past is told to nobody: it would be dunned for it. */
async function moveHotelIn({ pool, ids, billing, url }: ProductParts, clock: DemoClock) {
  const sites = [...billing.catalogue.current().sites.values()];
  const site = sites.find(({ code }) => code === HOTEL_SITE);
  if (!site) throw new Error(`No site ${HOTEL_SITE}`);
  const operator = () => billing.catalogue.inForce()?.file ?? null;
  const past = { pool, ids, operator, logger: silentLogger, onChanged: () => undefined };
  const accountId = await addHotel({
    ...{ pool, ids, clock, site, plan: 'HOTEL_ROOMS' },
    postpaidAt: (then) => openPostpaid({ ...past, clock: then }),
  });
  return {
    ...{ name: HOTEL.name, msisdn: HOTEL.msisdn, login: 'accountant' },
    account: `${url}/api/v1/postpaid-accounts/${accountId}`,
    invoices: `${url}/api/v1/invoices?accountId=${accountId}`,
  };
}

async function startSimulators(options: DemoOptions, plan: ReturnType<typeof demoPlan>) {
  const { config, clock } = options;
  const common = { clock, random: systemRandom };
  const headEnd = await startHeadEndProcess({
    dataFile: join(config.dataDir, 'vip-control.jsonl'),
    services: demoServices(),
    kbit: KBIT_PER_SECOND,
    latency: LATENCY,
    clockOffsetMs: clock.movedMs(),
    logger: options.logger.child({ simulator: true }),
  });
  const money = await createMobileMoneySimulator({
    ...common,
    ...plan.daraja,
    booksFile: join(config.dataDir, 'mobile-money.jsonl'),
  });
  const texts = await createTextSimulator({ ...common, ...plan.africastalking });
  return { headEnd, air: createHeadEndClient(headEnd.http), money, texts };
}

/** Delivery reports come back, and what telephones send goes to the channel of their country. */
function connectTexts(product: ProductParts, texts: TextSimulator): void {
  texts.setDeliveryReportUrl(`${hook(product, 'ke-text')}/report`);
  for (const { id, site } of product.channels.ofKind('text')) {
    texts.setIncomingUrl(`${hook(product, id)}/in`, TEXT_CODES[site]);
  }
}

const hook = (product: ProductParts, id: string): string => {
  const channel = product.channels.find(id);
  if (!channel) throw new Error(`No channel ${id}`);
  return `${product.url}${hookPath(channel)}`;
};

/** As an operator does once in production: `npm run register`. */
async function registerPaybills({ channels }: ProductParts, { logger, clock }: DemoOptions) {
  for (const channel of channels.ofKind('money')) {
    const client = createDarajaClient(channel, { clock, logger });
    const done = await client.register(callbackBase(channel));
    if (!done.ok) throw new Error(`The demo's paybill was not registered: ${done.answer}`);
  }
}

const tvuChannels = (product: ProductParts) =>
  product.channels.ofKind('tvu').map((channel) => ({
    channel: channel.id,
    url: hook(product, channel.id),
    secret: channel.secret,
  }));

const COUNTRIES: Readonly<Record<string, string>> = { NBO: 'KE', ABJ: 'CI' };

/** Everything that a tester, a simulator or a script needs to reach the demo. */
function writeDemoFile(product: ProductParts, addresses: object): void {
  const ussd = product.channels.ofKind('ussd').map((channel) => ({
    channel: channel.id,
    provider: channel.provider,
    country: COUNTRIES[channel.site],
    serviceCode: channel.serviceCode,
    networkCode: NETWORK_CODES[channel.site],
    url: hook(product, channel.id),
    ...(channel.provider === 'africastalking'
      ? { endUrl: `${hook(product, channel.id)}/end` }
      : {}),
  }));
  const [paybill] = product.channels.ofKind('money');
  const demo = {
    format: 'vip-demo/1',
    gateway: product.url,
    ussd,
    paybill: paybill && {
      channel: paybill.id,
      shortCode: paybill.shortCode,
      validateUrl: `${hook(product, paybill.id)}/validate`,
      confirmUrl: `${hook(product, paybill.id)}/confirm`,
    },
    tvu: tvuChannels(product),
    ...addresses,
    phones: demoPhones().map(({ site: _site, ...phone }) => phone),
    texts: TEXT_CODES,
    livingRoom: `${product.url}/living-room/`,
  };
  const file = join(product.config.dataDir, 'demo.json');
  writeFileSync(file, `${JSON.stringify(demo, null, 2)}\n`, { mode: OWNER_ONLY });
}

/** The lines under which the demo is used; shown when everything is up. */
export function whatToDoNext({ url, config, channels }: ProductParts): string {
  const codes = channels.ofKind('ussd').map((channel) => channel.serviceCode);
  return [
    '',
    `VIP Billing is up at ${url} with the demo operator.`,
    `  Open it:      ${url}/living-room/`,
    `  Dial it:      npm run dial      (${codes.join(', ')})`,
    `  Addresses:    ${join(config.dataDir, 'demo.json')}; the providers' end in their tokens:`,
    ...channels.all.map((channel) => `    ${channel.id.padEnd(11)} ${url}${hookPath(channel)}`),
    `  The API:      ${url}/api/v1/docs/  (staff and their password: demo.json)`,
    `  Watch it:     ${url}/readyz  ${url}/metrics`,
    '  Stop it:      Ctrl-C; the data stay.',
    '',
  ].join('\n');
}
