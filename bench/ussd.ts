/** Dialogue turns a second, with what they read from the database, against servers that echo. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { EchoTask } from './echo.ts';
import { gatewayTask } from './gateway-task.ts';
import { type Database, furnish, hook, openHouse, startDatabase, USSD } from './house.ts';
import { interleave, median, type Plan, type Result, resultOf } from './measure.ts';
import { msisdnOf } from './seed.ts';
import { type Helper, startHelper } from './tools.ts';
import { runWrk } from './wrk.ts';

const CUSTOMERS = 20_000;
const CONNECTIONS = 64;
/** Compiled code and warm caches, before anything is counted. */
const WARM_UP_SECONDS = 2;

type Server = Helper<{ url: string }>;

/** `ussd` is the gateway over express's echo, `ussd-plain` the gateway over node's own. */
export async function benchUssd(wanted: ReadonlySet<string>, plan: Plan): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vip-billing-bench-files-'));
  const servers: Server[] = [];
  let database: Database | undefined;
  try {
    database = await startDatabase();
    const house = await openHouse(database);
    await furnish(house, CUSTOMERS);
    await house.close();
    const gateway = await startHelper<{ url: string }>('gateway.ts', gatewayTask(database, folder));
    servers.push(gateway);
    const echoes: EchoTask[] = [{ kind: 'express' }, { kind: 'plain' }];
    for (const task of echoes) servers.push(await startHelper<{ url: string }>('echo.ts', task));
    await rehearse(gateway.answer.url);
    const results = await compare(wanted, plan, servers);
    await expectNoOrder(database);
    return results;
  } finally {
    await Promise.all(servers.map((server) => server.stop()));
    await database?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The dialogue that is measured shows what it should: a card's price, its owner, the balance. */
async function rehearse(url: string): Promise<void> {
  const phoneNumber = msisdnOf(CUSTOMERS - 1);
  const screens: [text: string, shown: RegExp][] = [
    ['', /^CON VIP TV/],
    ['1', /^CON Card .*PREMIUM.*2 Week KES 500/s],
    ['1*2', /^CON Pay KES 500 for card.*0 Cancel/s],
    ['1*2*0', /^END/],
  ];
  for (const [text, shown] of screens) {
    const sessionId = 'ATUid_rehearsal';
    const form = { sessionId, phoneNumber, serviceCode: '*384*100#', networkCode: '63902', text };
    const response = await fetch(url + hook(USSD), {
      method: 'POST',
      body: new URLSearchParams(form),
    });
    const screen = await response.text();
    if (!shown.test(screen)) throw new Error(`After "${text}" the gateway said: ${screen}`);
  }
}

async function expectNoOrder({ ownerUrl }: Database): Promise<void> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  const { rows } = await client.query('SELECT count(*)::int AS orders FROM payment_order');
  await client.end();
  if (rows[0].orders > 0) throw new Error(`The scripts confirmed ${rows[0].orders} payments`);
}

async function compare(
  wanted: ReadonlySet<string>,
  plan: Plan,
  servers: readonly Server[],
): Promise<Result[]> {
  const names = ['gateway', 'express', 'plain'];
  const variants = names.map((name, i) => ({
    name,
    run: (seconds: number) => turnsPerSecond(servers[i]?.answer.url ?? '', seconds),
  }));
  for (const variant of variants) await variant.run(WARM_UP_SECONDS);
  const figures = await interleave(variants, plan);
  const ours = figures.get('gateway') ?? [];
  return [
    resultOf('ussd', 'turns/s', ours, median(figures.get('express') ?? [])),
    resultOf('ussd-plain', 'turns/s', ours, median(figures.get('plain') ?? [])),
  ].filter(({ name }) => wanted.has(name));
}

const turnsPerSecond = (url: string, seconds: number): Promise<number> =>
  runWrk({
    what: 'ussd',
    url,
    path: hook(USSD),
    customers: CUSTOMERS,
    connections: CONNECTIONS,
    seconds,
  });
