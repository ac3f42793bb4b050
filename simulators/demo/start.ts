/**
 * The demo: a mobile-money operator, a text gateway and a VIP Control beside the product, all on
 * 127.0.0.1, and an operator's data to work with. What was made up at the first start (tokens,
 * secrets) is kept in the data folder, and written with all addresses to `demo.json` there.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'pg';
import type { Config } from '../../src/platform/config.ts';
import type { Prisma } from '../../src/platform/database/prisma.ts';
import type { ServiceLogger } from '../../src/platform/log.ts';
import type { Ids } from '../../src/platform/ports.ts';
import { systemClock, systemRandom } from '../../src/platform/system.ts';
import type { DemoHouse, ProductParts } from '../../src/product.ts';
import { callbackBase, hookPath } from '../../src/telecom/channels.ts';
import { createDarajaClient } from '../../src/telecom/momo/daraja-client.ts';
import { createHeadEndHttp } from '../head-end/http.ts';
import { createVipControlServer } from '../head-end/server.ts';
import { createMobileMoneySimulator } from '../mobile-money/server.ts';
import { createTextSimulator } from '../texts/server.ts';
import { demoChannels, demoPlan } from './channels.ts';
import { addPeople, demoPhones, loadDemoOperator } from './people.ts';

export interface DemoOptions {
  config: Config;
  logger: ServiceLogger;
  url: string;
  pool: Pool;
  prisma: Prisma;
  ids: Ids;
}

const HOST = '127.0.0.1';
const OWNER_ONLY = 0o600;

/** Starts the simulators and loads the catalogue of the demo operator. */
export async function openDemo(options: DemoOptions): Promise<DemoHouse> {
  const { config, url } = options;
  mkdirSync(config.dataDir, { recursive: true });
  const plan = demoPlan(config.dataDir);
  const simulators = await startSimulators(options, plan);
  const { headEnd, headEndHttp, money, texts } = simulators;
  const channels = demoChannels(plan, { gateway: url, money: money.url, texts: texts.url });
  await loadDemoOperator(options.prisma, options.ids);
  return {
    channels: { channels },
    control: { host: HOST, port: headEnd.port },
    async furnish(product) {
      await addPeople(product);
      texts.setDeliveryReportUrl(reportUrl(product));
      money.setTvuChannels(tvuChannels(product));
      await registerPaybills(product, options);
      writeDemoFile(product, {
        mobileMoneySimulator: money.url,
        textSimulator: texts.url,
        vipControl: {
          vcp: `tcp://${HOST}:${headEnd.port}`,
          http: `http://${HOST}:${headEndHttp.port}`,
        },
      });
    },
    async stop() {
      await Promise.all([money.stop(), texts.stop()]);
      await headEndHttp.stop();
      await headEnd.stop();
    },
  };
}

async function startSimulators(options: DemoOptions, plan: ReturnType<typeof demoPlan>) {
  const { config } = options;
  const logger = options.logger.child({ simulator: true });
  const common = { clock: systemClock, random: systemRandom };
  const headEnd = await createVipControlServer({
    port: 0,
    host: HOST,
    dataFile: join(config.dataDir, 'vip-control.jsonl'),
    clock: systemClock,
    logger,
  });
  const web = { host: HOST, port: 0, clock: systemClock };
  const headEndHttp = await createHeadEndHttp({ headEnd, ...web });
  const money = await createMobileMoneySimulator({
    ...common,
    ...plan.daraja,
    booksFile: join(config.dataDir, 'mobile-money.jsonl'),
  });
  const texts = await createTextSimulator({ ...common, ...plan.africastalking });
  return { headEnd, headEndHttp, money, texts };
}

const hook = (product: ProductParts, id: string): string => {
  const channel = product.channels.find(id);
  if (!channel) throw new Error(`No channel ${id}`);
  return `${product.url}${hookPath(channel)}`;
};

/** As an operator does once in production: `npm run register`. */
async function registerPaybills({ channels }: ProductParts, { logger }: DemoOptions) {
  for (const channel of channels.ofKind('money')) {
    const client = createDarajaClient(channel, { clock: systemClock, logger });
    const done = await client.register(callbackBase(channel));
    if (!done.ok) throw new Error(`The demo's paybill was not registered: ${done.answer}`);
  }
}

const reportUrl = (product: ProductParts): string => `${hook(product, 'ke-text')}/report`;

const tvuChannels = (product: ProductParts) =>
  product.channels.ofKind('tvu').map((channel) => ({
    channel: channel.id,
    url: hook(product, channel.id),
    secret: channel.secret,
  }));

const NETWORK_CODES: Readonly<Record<string, string>> = { NBO: '63902', ABJ: '61203' };
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
    phones: demoPhones(),
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
    `  Dial it:      npm run dial      (${codes.join(', ')})`,
    `  Addresses:    ${join(config.dataDir, 'demo.json')}; the providers' end in their tokens:`,
    ...channels.all.map((channel) => `    ${channel.id.padEnd(11)} ${url}${hookPath(channel)}`),
    `  Watch it:     ${url}/readyz  ${url}/metrics`,
    '  Stop it:      Ctrl-C; the data stay.',
    '',
  ].join('\n');
}
