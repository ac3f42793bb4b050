import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createDemoClock } from '../../simulators/demo/clock.ts';
import { demoHouse } from '../../simulators/demo/start.ts';
import { silentLogger } from '../../src/platform/log.ts';
import {
  createTestDatabase,
  makeTestFolder,
  type TestDatabase,
} from '../../src/platform/test-database.ts';
import { type Product, startProduct } from '../../src/product.ts';
import { demoConfig } from '../demo-config.ts';

/**
 * Goal: weeks of the whole demo pass in one call, and each day brings what it should. Method:
 * the demo as `npm start` runs it, with its simulators; its time is moved over the API.
 */
const BRIAN = '+254700000002';
const DAY_MS = 86_400_000;

let database: TestDatabase;
let dataDir: string;
let product: Product;
beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = makeTestFolder();
  product = await start();
}, 90_000);
afterAll(async () => {
  await product?.stop();
  await database.drop();
  rmSync(dataDir, { recursive: true, force: true });
});

function start(): Promise<Product> {
  const { appUrl, ownerUrl } = database;
  const config = demoConfig(dataDir, { kind: 'server', appUrl, ownerUrl });
  const house = demoHouse(config, silentLogger);
  return startProduct({ config, logger: silentLogger, pushDelayMs: 0, ...house });
}

interface DemoFile {
  staff: { login: string; password: string }[];
  phones: { msisdn: string; cards: string[] }[];
  vipControl: { http: string };
  hotel: { login: string; msisdn: string; account: string; invoices: string };
}
const demoFile = (): DemoFile => JSON.parse(readFileSync(join(dataDir, 'demo.json'), 'utf8'));

const apiUrl = () => `${product.url}/api/v1`;

/** `path`: below the API, or an address of it. */
async function call(path: string, token: string | null, body?: object) {
  const response = await fetch(path.startsWith('/') ? `${apiUrl()}${path}` : path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  return { status: response.status, answer };
}

async function signIn(login: string): Promise<string> {
  const staff = demoFile().staff.find((one) => one.login === login);
  const { answer } = await call('/sessions', null, { login, password: staff?.password });
  return String(answer.token);
}

const screenOf = async (card: string): Promise<unknown> => {
  const answer = await fetch(`${demoFile().vipControl.http}/decoders/${card}`);
  return ((await answer.json()) as { screen: { kind: string } }).screen.kind;
};

interface HotelInvoice {
  number: string;
  dueOn: string;
  balance: { amount: string };
}
const hotelInvoices = async (): Promise<HotelInvoice[]> => {
  const { hotel } = demoFile();
  const { answer } = await call(hotel.invoices, await signIn(hotel.login));
  return answer.items as HotelInvoice[];
};

const saidTo = async (msisdn: string): Promise<string[]> => {
  const sql = 'SELECT template FROM outbound WHERE target = $1 ORDER BY created_at, id';
  const { rows } = await product.pool.query<{ template: string }>(sql, [msisdn]);
  return rows.map(({ template }) => template);
};

describe('the time of the demo', () => {
  it('has a hotel that owes one of two invoices, and is not warned for its past', async () => {
    const invoices = await hotelInvoices();
    expect(invoices.map(({ balance }) => balance.amount)).toEqual(['12000.00', '0.00']);
    const dueAt = Date.parse(invoices[0]?.dueOn ?? '');
    expect(dueAt).toBeLessThan(product.clocks?.house.now().getTime() ?? 0);
    expect(await saidTo(demoFile().hotel.msisdn)).not.toContain('text.dunning.wall');
  });

  it('goes on: reminders on their days, the right off the air, people signed in', async () => {
    const token = await signIn('administrator');
    const [card = ''] = demoFile().phones.find(({ msisdn }) => msisdn === BRIAN)?.cards ?? [];
    const moved = await call('/demo/clock', token, { advance: 'P24D' });
    expect(moved.status).toBe(200);
    // The way took some seconds itself.
    expect(Number(moved.answer.aheadSeconds) * 1000).toBeGreaterThan(23 * DAY_MS);
    const { rows } = await product.pool.query(
      `SELECT r.step, r.decision, o.state, (r.paid_until - o.created_at) AS before
         FROM reminder r JOIN card c ON c.id = r.card_id
         JOIN outbound o ON o.card_id = c.id AND o.created_at = r.decided_at AND o.kind = 'text'
        WHERE c.number = $1 ORDER BY r.decided_at`,
      [card],
    );
    expect(rows.map(({ step, decision }) => `${step} ${decision}`)).toEqual([
      'd3 sent',
      'd1 sent',
      'd0 sent',
    ]);
    expect(rows.map(({ before }) => before.days ?? 0)).toEqual([3, 1, 0]);
    expect(rows.every(({ state }) => state === 'sent' || state === 'delivered')).toBe(true);
    expect(await screenOf(card)).toBe('blocked');
    const { hotel } = demoFile();
    expect(await hotelInvoices()).toHaveLength(3);
    const { answer } = await call(hotel.account, await signIn(hotel.login));
    expect(answer.owed).toEqual({ amount: '24000.00', currency: 'KES' });
    const hotelHeard = ['text.dunning.remind', 'text.dunning.wall'];
    expect(await saidTo(hotel.msisdn)).toEqual(expect.arrayContaining(hotelHeard));
    // Thirty days are longer than a session lasts: those of people are by the machine's time.
    expect((await call('/demo/clock', token)).status).toBe(200);
  }, 60_000);

  it('is kept with the data, where a restart finds it', async () => {
    const restarted = createDemoClock();
    await restarted.restore(product.pool);
    const shown = product.clocks?.house.now().getTime() ?? 0;
    expect(Math.abs(restarted.now().getTime() - shown)).toBeLessThan(1_000);
    expect(restarted.movedMs()).toBeGreaterThan(23 * DAY_MS);
    await restarted.advance(product.pool, -DAY_MS);
    expect(restarted.movedMs()).toBeGreaterThan(23 * DAY_MS);
  });
});
