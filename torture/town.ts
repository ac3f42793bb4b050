/**
 * Everything in processes of its own, as an operator runs it: a gateway with the back office, two
 * dispatchers, a head-end, Postgres, and Redis where it is installed.
 */
import { accessSync, constants, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { demoServices } from '../simulators/demo/air.ts';
import { demoChannels, demoPlan } from '../simulators/demo/channels.ts';
import { loadDemoOperator } from '../simulators/demo/people.ts';
import { createHeadEndClient, type HeadEndClient } from '../simulators/head-end/client.ts';
import { createTextSimulator } from '../simulators/texts/server.ts';
import { processesBelow } from '../src/platform/database/embedded/process.ts';
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../src/platform/database/embedded.ts';
import { createIds } from '../src/platform/database/ids.ts';
import { migrate } from '../src/platform/database/migrate.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { silentLogger } from '../src/platform/log.ts';
import { systemClock, systemRandom } from '../src/platform/system.ts';
import { type Demo, freeLowPort } from './house.ts';
import { createProgram, type Program } from './program.ts';
import type { Victim } from './troubles.ts';

export interface Town {
  readonly folder: string;
  readonly gatewayUrl: string;
  /** What the operator and the telephones need to know. */
  readonly demo: Demo;
  readonly databaseUrl: string;
  readonly headEnd: HeadEndClient;
  /** Where it speaks VIP Control. */
  readonly controlPort: number;
  /** The head-end's own log: files of this name with the number of their first line. */
  readonly headEndLog: string;
  /** All that can be killed; without Redis, where it is not installed. */
  readonly programs: ReadonlyMap<Victim, Program>;
  /** `kill -9` of Postgres; it is started again by itself, on the same port. */
  killPostgres(how: 'first' | 'all'): void;
  /** Stops everything. What did not stop well, in sentences. */
  close(): Promise<string[]>;
}

const ROOT = join(import.meta.dirname, '..');
const HOST = '127.0.0.1';
const PROBE_MS_MAX = 10_000;
const SECRET_BYTES = 32;
const KBIT = '1000';
const LATENCY = '80:2000';
const REDIS_PROGRAMS = ['/usr/bin/redis-server', '/usr/local/bin/redis-server'];
const POSTGRES_SETTINGS = { max_connections: '150' };

type Ports = Record<Victim | 'headEndHttp', number>;

/** Starts all of it in `folder`; when that fails, nothing is left running. */
export async function openTown(folder: string, seed: number): Promise<Town> {
  const closers: (() => Promise<string[]>)[] = [];
  const close = async () => {
    const faults: string[] = [];
    for (const closer of closers.splice(0).reverse()) faults.push(...(await closer()));
    return faults;
  };
  try {
    return { ...(await open(folder, seed, closers)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

async function open(
  folder: string,
  seed: number,
  closers: (() => Promise<string[]>)[],
): Promise<Omit<Town, 'close'>> {
  const settings = POSTGRES_SETTINGS;
  const postgres = await startEmbeddedPostgres({ dataDir: folder, logger: silentLogger, settings });
  closers.push(async () => {
    await postgres.stop();
    return [];
  });
  await furnish(postgres);
  const ports = await choosePorts();
  const plan = demoPlan(folder);
  const texts = await createTextSimulator({
    ...{ ...plan.africastalking, clock: systemClock, random: systemRandom },
  });
  closers.push(async () => {
    await texts.stop();
    return [];
  });
  const gatewayUrl = `http://${HOST}:${ports.gateway}`;
  // Nobody is asked for money here: what would ask Daraja finds nobody.
  const urls = { gateway: gatewayUrl, money: `http://${HOST}:9`, texts: texts.url };
  const channels = demoChannels(plan, urls) as { id: string; token: string; secret?: string }[];
  const providersFile = join(folder, 'providers.json');
  writeFileSync(providersFile, JSON.stringify({ channels }), { mode: 0o600 });
  writeFileSync(join(folder, 'services.json'), JSON.stringify(demoServices()));
  const programs = programsOf({ folder, postgres, ports, providersFile, seed });
  for (const program of programs.values()) {
    closers.push(async () => {
      const ends = program.unexpectedEnds();
      const code = await program.stop();
      return [
        ...(ends > 0 ? [`${program.name} ended ${ends} times by itself; see its log`] : []),
        ...(code === 0 ? [] : [`${program.name} did not stop well: ${code}`]),
      ];
    });
    await program.start();
  }
  const headEndUrl = `http://${HOST}:${ports.headEndHttp}`;
  return {
    ...{ folder, gatewayUrl, programs, databaseUrl: postgres.appUrl },
    headEnd: createHeadEndClient(headEndUrl),
    controlPort: ports['head-end'],
    headEndLog: `${headEndData(folder)}.log`,
    demo: demoOf({ gatewayUrl, headEndUrl, channels, shortCode: plan.daraja.shortCode }),
    killPostgres(how) {
      // One that was killed a moment ago may not have been started again.
      if (how === 'first') killGone(postgres.postmasterPid());
      else for (const pid of processesBelow(join(folder, 'postgres'))) killGone(pid);
    },
  };
}

function killGone(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    // It went before, or with its parent.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Tables, and the demo operator's catalogue. */
async function furnish({ ownerUrl, appUrl }: EmbeddedPostgres): Promise<void> {
  const logger = silentLogger;
  const migrationsDir = join(ROOT, 'prisma/migrations');
  await migrate({ ownerUrl, migrationsDir, logger, appRole: 'vip_app' });
  const pool = createPool({ url: appUrl, max: 2, name: 'torture-opening', logger });
  try {
    await loadDemoOperator({ pool, ids: createIds(pool), clock: systemClock });
  } finally {
    await pool.end();
  }
}

const headEndData = (folder: string): string => join(folder, 'head-end.jsonl');

async function choosePorts(): Promise<Ports> {
  const names: (keyof Ports)[] = ['gateway', 'dispatcher-1', 'dispatcher-2', 'head-end', 'redis'];
  names.push('headEndHttp');
  const ports: [string, number][] = [];
  for (const [n, name] of names.entries()) ports.push([name, await freeLowPort(n)]);
  return Object.fromEntries(ports) as Ports;
}

interface Parts {
  folder: string;
  postgres: EmbeddedPostgres;
  ports: Ports;
  providersFile: string;
  seed: number;
}

/** In the order in which they are started. */
function programsOf(parts: Parts): ReadonlyMap<Victim, Program> {
  const { folder, ports, seed } = parts;
  const logFile = (name: string) => join(folder, `${name}.log`);
  const redis = REDIS_PROGRAMS.find(isExecutable);
  const headEnd = createProgram({
    name: 'head-end',
    command: process.execPath,
    args: [
      ...[join(ROOT, 'simulators/head-end/main.ts'), '--data', headEndData(folder)],
      ...['--port', String(ports['head-end']), '--http-port', String(ports.headEndHttp)],
      ...['--services', join(folder, 'services.json'), '--kbit', KBIT, '--latency', LATENCY],
      ...['--seed', String(seed)],
    ],
    logFile: logFile('head-end'),
    isReady: () => serves(`http://${HOST}:${ports.headEndHttp}/healthz`),
  });
  const secret = systemRandom.hex(SECRET_BYTES);
  const product = (name: 'gateway' | 'dispatcher-1' | 'dispatcher-2', roles: string) =>
    createProgram({
      name,
      command: process.execPath,
      args: [join(ROOT, 'torture/product.ts')],
      env: { ...environment(parts, secret, redis), VIP_ROLES: roles, PORT: String(ports[name]) },
      logFile: logFile(name),
      isReady: () => serves(`http://${HOST}:${ports[name]}/readyz`),
    });
  const all = new Map<Victim, Program>();
  if (redis) all.set('redis', redisProgram(redis, ports.redis, logFile('redis')));
  all.set('head-end', headEnd);
  all.set('gateway', product('gateway', 'gateway,backoffice'));
  all.set('dispatcher-1', product('dispatcher-1', 'dispatcher,scheduler'));
  all.set('dispatcher-2', product('dispatcher-2', 'dispatcher,scheduler'));
  return all;
}

function environment(
  { postgres, ports, providersFile, folder }: Parts,
  secret: string,
  redis: string | undefined,
): Record<string, string> {
  return {
    VIP_DEMO: '0',
    VIP_BIND: HOST,
    VIP_DATA_DIR: folder,
    DATABASE_URL: postgres.appUrl,
    DATABASE_OWNER_URL: postgres.ownerUrl,
    VIP_PROVIDERS_FILE: providersFile,
    VIP_CONTROL_URL: `tcp://${HOST}:${ports['head-end']}`,
    VIP_API_SECRET: secret,
    ...(redis ? { REDIS_URL: `redis://${HOST}:${ports.redis}` } : {}),
  };
}

/** Killed, it forgets everything: USSD sessions and limits, never money. */
function redisProgram(command: string, port: number, logFile: string): Program {
  const args = ['--port', String(port), '--bind', HOST, '--save', '', '--appendonly', 'no'];
  return createProgram({ name: 'redis', command, args, logFile, isReady: () => listens(port) });
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function serves(url: string): Promise<boolean> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS_MAX) });
  await answer.arrayBuffer();
  return answer.status === 200;
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ host: HOST, port });
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

const USSD_CHANNEL = 'ke-ussd';
const PAYBILL_CHANNEL = 'ke-paybill';
const TVU_CHANNEL = 'ke-tvu';

function demoOf(town: {
  gatewayUrl: string;
  headEndUrl: string;
  channels: readonly { id: string; token: string; secret?: string }[];
  shortCode: string;
}): Demo {
  const { gatewayUrl, headEndUrl, channels, shortCode } = town;
  const channel = (id: string) => {
    const found = channels.find((one) => one.id === id);
    if (!found) throw new Error(`no channel ${id}`);
    return { ...found, url: `${gatewayUrl}/hooks/${id}/${found.token}` };
  };
  const [ussd, tvu] = [channel(USSD_CHANNEL), channel(TVU_CHANNEL)];
  return {
    ussd: [
      {
        ...{ channel: USSD_CHANNEL, provider: 'africastalking', country: 'KE' },
        ...{ serviceCode: '*384*100#', networkCode: '63902' },
        ...{ url: ussd.url, endUrl: `${ussd.url}/end` },
      },
    ],
    paybill: {
      ...{ channel: PAYBILL_CHANNEL, shortCode },
      confirmUrl: `${channel(PAYBILL_CHANNEL).url}/confirm`,
    },
    tvu: [{ channel: TVU_CHANNEL, url: tvu.url, secret: tvu.secret ?? '' }],
    vipControl: { http: headEndUrl },
  };
}
