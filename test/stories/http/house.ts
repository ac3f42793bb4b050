/**
 * The whole product in this process, with everything it talks to: a mobile-money operator, a text
 * gateway, a head-end, telephones and televisions. What the stories do goes over HTTP in the
 * providers' words; what they look at is the operator's books, the phones' inboxes, the head-end's
 * cards, the screens, and our books.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { demoServices } from '../../../simulators/demo/air.ts';
import { demoChannels, demoPlan, TEXT_CODES } from '../../../simulators/demo/channels.ts';
import { loadDemoOperator } from '../../../simulators/demo/people.ts';
import type { Service } from '../../../simulators/head-end/air/types.ts';
import { createVipControlServer } from '../../../simulators/head-end/server.ts';
import type { PayBill } from '../../../simulators/mobile-money/payments.ts';
import { createMobileMoneySimulator } from '../../../simulators/mobile-money/server.ts';
import { createTelephone, type Telephone } from '../../../simulators/telephone/telephone.ts';
import { createTextSimulator } from '../../../simulators/texts/server.ts';
import type { Entitlement } from '../../../src/entitlement/service.ts';
import { silentLogger } from '../../../src/platform/log.ts';
import { systemRandom } from '../../../src/platform/system.ts';
import { createTestDatabase, makeTestFolder } from '../../../src/platform/test-database.ts';
import {
  type DemoHouse,
  type Product,
  type ProductOptions,
  startProduct,
} from '../../../src/product.ts';
import { demoConfig } from '../../demo-config.ts';
import { createHouseClock, type HouseClock } from './clock.ts';
import { eventually } from './eventually.ts';
import { type Hooks, knockOn } from './hooks.ts';
import { createLogbook, type Logbook } from './logbook.ts';
import { type Looks, lookInto } from './looks.ts';
import { registerPaybill } from './paybill.ts';
import { furnishWithTelevisions, type Television } from './television.ts';
import { type Customer, createTown, type Town } from './town.ts';

/** A Monday, early in the afternoon in Nairobi: no story comes near a midnight. */
const STARTS_AT = '2026-11-23T11:02:00Z';
const HOST = '127.0.0.1';

export type Simulators = Awaited<ReturnType<typeof openSimulators>>['simulators'];

export interface HouseOptions {
  /** Bandwidth of the head-end's EMMs; absent: as much as there is. */
  kbit?: number;
}

export interface House extends Looks, Town, Hooks {
  product: Product;
  /** The room of the product that staff act in, by other doors than HTTP so far. */
  entitlement: Entitlement;
  clock: HouseClock;
  /** What the product has logged. */
  logbook: Logbook;
  money: Simulators['money'];
  texts: Simulators['texts'];
  headEnd: Simulators['headEnd'];
  /** Waits for what must come to pass. */
  until: typeof eventually;
  phone(msisdn: string, channelId?: string): Telephone;
  /** The television with this card in its decoder; on, and tuned to a pay channel. */
  tv(cardNumber: string): Television;
  /** Sends a text to the operator; fulfilled when the gateway's post was answered with 200. */
  write(msisdn: string, text: string): Promise<void>;
  /** One line of `/metrics`, by its name with its labels. */
  metric(line: string): Promise<number>;
  /** Dials and types; the last screen. Fails when the network would have refused a hop. */
  dial(phone: Telephone, ...typed: string[]): Promise<string>;
  /** The id of the prompt on the phone, waited for. */
  promptOn(msisdn: string): Promise<string>;
  /**
   * Answers the prompt that comes up on the phone; fulfilled when the callback was answered. The
   * phone has to be `manual` before: others answer by themselves, at once.
   */
  answerPrompt(msisdn: string, pin: string): Promise<void>;
  cancelPrompt(msisdn: string): Promise<void>;
  /** Pays the prompt, and the operator tells nobody; what it would have told. */
  payInSilence(msisdn: string): Promise<Told>;
  /** Where the callback of the phone's last prompt is expected, and under which reference. */
  toldOf(msisdn: string): Promise<Pick<Told, 'reference' | 'callbackUrl' | 'msisdn'>>;
  /** The receipt of the phone's last payment. */
  receiptOf(msisdn: string): string;
  /** A paybill payment for the card, of a month of ESSENTIAL unless it says otherwise. */
  pay(customer: Customer, amountMinor?: bigint): Promise<void>;
  /** A paybill payment that M-PESA lets through because our validation does not answer. */
  payUnasked(payment: PayBill): Promise<string>;
  /** Cuts all connections to the house's database and lets nobody in, or lets them in again. */
  database(isOpen: boolean): Promise<void>;
  /** Moves the clock on once every card is on air: on its road, a command would be too late. */
  pass(ms: number): Promise<void>;
  /** The same, to an instant. */
  passTo(at: string): Promise<void>;
  /** Nothing is under way any more; all books agree and every card is on air. */
  settleDown(): Promise<void>;
  close(): Promise<void>;
}

export interface Told {
  checkoutRequestId: string;
  receipt: string;
  /** Twelve digits. */
  msisdn: string;
  /** Account reference, as the payer's statement shows it. */
  reference: string;
  callbackUrl: string;
}

/** Starts the house on a database of its own. Close it after the last story of the file. */
export async function createHouse(options: HouseOptions = {}): Promise<House> {
  const database = await createTestDatabase();
  const dataDir = makeTestFolder();
  const clock = createHouseClock(STARTS_AT);
  const { appUrl, ownerUrl } = database;
  const logbook = createLogbook();
  const opened: { simulators?: Simulators } = {};
  const product = await startProduct({
    config: demoConfig(dataDir, { kind: 'server', appUrl, ownerUrl }),
    logger: logbook.logger,
    clock,
    pushDelayMs: 0,
    // Jobs run when a story says so: none is woken between two of its steps.
    schedule: () => () => undefined,
    openDemo: async (parts) => {
      const { simulators, demo } = await openSimulators({ dataDir, clock, ...options }, parts);
      opened.simulators = simulators;
      return demo;
    },
  });
  const { simulators } = opened;
  const { entitlement } = product;
  if (!simulators || !entitlement) throw new Error('The house is not whole');
  const { money, texts } = simulators;
  const hooks = knockOn(product, clock);
  const { hook } = hooks;
  const register = await connect(product, simulators, hook);
  const looks = lookInto(product.pool, simulators);
  return {
    product,
    entitlement,
    clock,
    logbook,
    ...simulators,
    ...looks,
    ...createTown(product, clock),
    ...hooks,
    until: eventually,
    phone: (msisdn, channelId = 'ke-ussd') =>
      telephone(product, clock, { msisdn, channelId, hook }),
    tv: furnishWithTelevisions(simulators.headEnd, clock),
    write: (msisdn, text) => write(texts, msisdn, text),
    metric: (line) => metric(product.url, line),
    dial,
    ...prompts(simulators, looks, hook),
    async pay({ msisdn, card: accountReference }, amountMinor = 65_000n) {
      const paid = await money.payBill({ msisdn, accountReference, amountMinor });
      if (!paid.ok) throw new Error(`Not paid: ${paid.error}`);
    },
    async payUnasked(payment) {
      await register('http://127.0.0.1:9/');
      const paid = await money.payBill(payment);
      await register();
      if (!paid.ok) throw new Error(`Not paid: ${paid.error}`);
      return paid.receipt;
    },
    database: (isOpen) => openDatabase(ownerUrl, isOpen),
    ...timePassing(looks, clock),
    async settleDown() {
      await Promise.all([money.idle(), texts.idle()]);
      await looks.expectAgreement();
    },
    async close() {
      await product.stop();
      await database.drop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function timePassing(looks: Looks, clock: HouseClock): Pick<House, 'pass' | 'passTo'> {
  const pass = async (ms: number) => {
    await looks.expectSound();
    clock.advance(ms);
  };
  return { pass, passTo: (at) => pass(Date.parse(at) - clock.now().getTime()) };
}

/** Tells the providers where to reach us. Returns how to tell the paybill where to ask. */
async function connect(
  product: Product,
  { money, texts }: Simulators,
  hook: House['hook'],
): Promise<(validateUrl?: string) => Promise<void>> {
  money.setTvuChannels(
    product.channels.ofKind('tvu').map(({ id, secret }) => {
      return { channel: id, url: hook(id), secret };
    }),
  );
  texts.setDeliveryReportUrl(hook('ke-text', '/report'));
  for (const { id, site } of product.channels.ofKind('text')) {
    texts.setIncomingUrl(hook(id, '/in'), TEXT_CODES[site]);
  }
  const [paybill] = product.channels.ofKind('money');
  if (!paybill) throw new Error('No paybill');
  const register = (validateUrl = hook('ke-paybill', '/validate')) =>
    registerPaybill(paybill, { confirmUrl: hook('ke-paybill', '/confirm'), validateUrl });
  await register();
  return register;
}

type Opened = Parameters<NonNullable<ProductOptions['openDemo']>>[0];

/** The line-up of the demo, a channel of the coast, and one for each event a story may sell. */
const EVENTS_MAX = 100;
const services = (): Service[] => [
  ...demoServices(),
  { code: 'COAST1', name: 'Coast', product: 'ESS', regions: ['coast'] },
  ...Array.from({ length: EVENTS_MAX }, (_, serial) => {
    const code = `FINAL${serial}`;
    return { code, name: code, product: `EVT:${code}` };
  }),
];

interface Opening extends HouseOptions {
  dataDir: string;
  clock: HouseClock;
}

/** The demo's simulators and catalogue on the house's clock; people are made by the stories. */
async function openSimulators({ dataDir, clock, kbit }: Opening, { url, pool, ids }: Opened) {
  const plan = demoPlan(dataDir);
  const common = { clock, random: systemRandom, timers: clock.timers };
  const headEnd = await createVipControlServer({
    port: 0,
    host: HOST,
    dataFile: join(dataDir, 'vip-control.jsonl'),
    clock,
    logger: silentLogger,
    services: services(),
    ...(kbit === undefined ? {} : { kbitPerSecond: kbit }),
  });
  const money = await createMobileMoneySimulator({ ...common, ...plan.daraja, answerDelayMs: 1 });
  const texts = await createTextSimulator({
    ...common,
    ...plan.africastalking,
    reportDelayMs: 100,
  });
  await loadDemoOperator({ pool, ids, clock });
  const addresses = { gateway: url, money: money.url, texts: texts.url };
  const demo: DemoHouse = {
    channels: { channels: demoChannels(plan, addresses) },
    control: { transport: 'tcp', host: HOST, port: headEnd.port },
    furnish: async () => undefined,
    async stop() {
      await Promise.all([money.stop(), texts.stop(), headEnd.stop()]);
    },
  };
  return { simulators: { money, texts, headEnd }, demo };
}

function telephone(
  product: Product,
  clock: HouseClock,
  { msisdn, channelId, hook }: { msisdn: string; channelId: string; hook: House['hook'] },
): Telephone {
  const channel = product.channels.find(channelId);
  if (channel?.kind !== 'ussd') throw new Error(`No USSD channel ${channelId}`);
  const { provider, serviceCode } = channel;
  const url = hook(channelId);
  const isKenya = channel.site === 'NBO';
  return createTelephone({
    channel: {
      channel: channelId,
      provider,
      country: isKenya ? 'KE' : 'CI',
      serviceCode,
      networkCode: isKenya ? '63902' : '61203',
      url,
      ...(provider === 'africastalking' ? { endUrl: `${url}/end` } : {}),
    },
    msisdn,
    clock,
    random: systemRandom,
  });
}

type PromptActs = Pick<
  House,
  'promptOn' | 'answerPrompt' | 'cancelPrompt' | 'payInSilence' | 'receiptOf' | 'toldOf'
>;

/** The hand that holds the phone. */
function prompts({ money }: Simulators, looks: Looks, hook: House['hook']): PromptActs {
  const acts: PromptActs = {
    promptOn: (msisdn) =>
      eventually(() => {
        const [first] = money.prompts(msisdn);
        if (!first) throw new Error(`No prompt on ${msisdn}`);
        return first.checkoutRequestId;
      }),
    async answerPrompt(msisdn, pin) {
      await money.answerPrompt(await acts.promptOn(msisdn), { answer: 'accept', pin });
    },
    async cancelPrompt(msisdn) {
      await money.answerPrompt(await acts.promptOn(msisdn), { answer: 'cancel' });
    },
    async payInSilence(msisdn) {
      const checkoutRequestId = await acts.promptOn(msisdn);
      money.setFaults({ drop: true }, msisdn);
      await acts.answerPrompt(msisdn, '1234');
      const receipt = acts.receiptOf(msisdn);
      return { ...(await acts.toldOf(msisdn)), checkoutRequestId, receipt };
    },
    async toldOf(msisdn) {
      const [order] = await looks.rows(
        'SELECT ref, request_token FROM payment_order WHERE msisdn = $1 ORDER BY id DESC',
        [msisdn],
      );
      return {
        msisdn: msisdn.slice(1),
        reference: String(order?.ref),
        callbackUrl: hook('ke-paybill', `/push/${order?.request_token}`),
      };
    },
    receiptOf(msisdn) {
      const entry = money.books().findLast((line) => line.msisdn === msisdn.slice(1));
      if (!entry) throw new Error(`${msisdn} has not paid`);
      return entry.receipt;
    },
  };
  return acts;
}

async function openDatabase(ownerUrl: string, isOpen: boolean): Promise<void> {
  const server = new URL(ownerUrl);
  const name = server.pathname.slice(1);
  server.pathname = '/postgres';
  const client = new pg.Client({ connectionString: server.href });
  await client.connect();
  try {
    await client.query(`ALTER DATABASE ${name} ALLOW_CONNECTIONS ${isOpen}`);
    if (isOpen) return;
    await client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1',
      [name],
    );
  } finally {
    await client.end();
  }
}

async function dial(phone: Telephone, ...typed: string[]): Promise<string> {
  for (const [index, input] of typed.entries()) {
    const isCode = index === 0 && input.startsWith('*');
    const hop = await (isCode ? phone.dial(input) : phone.send(input));
    if (!hop.ok) throw new Error(`${hop.error}: ${hop.detail}`);
  }
  return phone.screen();
}

async function write(texts: Simulators['texts'], msisdn: string, text: string): Promise<void> {
  const to = TEXT_CODES[msisdn.startsWith('+254') ? 'NBO' : 'ABJ'] ?? '';
  const status = await texts.sendFromPhone({ from: msisdn, to, text });
  if (status !== 200) throw new Error(`The text was answered with ${status}`);
}

async function metric(url: string, line: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text();
  const found = metrics.split('\n').find((one) => one.startsWith(`${line} `));
  if (found === undefined) throw new Error(`No metric ${line}`);
  return Number(found.slice(line.length));
}
