import { readFileSync, writeFileSync } from 'node:fs';
import type { Logger } from '../ports.ts';
import { StartError } from '../start-error.ts';
import { sleep } from '../timers.ts';
import { type Binaries, findBinaries } from './embedded/binaries.ts';
import { type Cluster, findCluster, openCluster, type Passwords } from './embedded/cluster.ts';
import { type Ownership, takeOwnership } from './embedded/ownership.ts';
import {
  findPostmaster,
  freePort,
  launchPostmaster,
  type Postmaster,
  stopPostmaster,
} from './embedded/postmaster.ts';
import { processesBelow } from './embedded/process.ts';
import { postgresSettings } from './embedded/settings.ts';

/** A Postgres of our own, in our data folder, for as long as this process lives. */
export interface EmbeddedPostgres {
  /** Database `vip` as its owner: migrates. */
  readonly ownerUrl: string;
  /** Database `vip` as the role the product works with: no DDL. */
  readonly appUrl: string;
  readonly port: number;
  /** Changes when Postgres died and was started again; the port does not. */
  postmasterPid(): number;
  /** Stops Postgres cleanly and waits until it is gone. */
  stop(): Promise<void>;
}

export interface EmbeddedPostgresOptions {
  /** Postgres lives in `dataDir/postgres`, its log and password file beside it. */
  dataDir: string;
  logger: Logger;
  /** 0 (or nothing): the port of last time, or another one when that is taken. */
  port?: number;
  /** False for tests alone: a crash of the machine may then lose everything. */
  durable?: boolean;
  /** Postgres settings that go over ours. */
  settings?: Record<string, string>;
}

/** How long the processes of a killed Postgres may take to go. */
const TAKEOVER_LIMIT_MS = 15_000;
const TAKEOVER_POLL_MS = 100;
const HELD_PATIENCE_MS = 1_000;
const RESTART_DELAY_MS_MIN = 50;
const RESTART_DELAY_MS_MAX = 5_000;

interface Server {
  postmaster: Postmaster;
  ownership: Ownership;
  isAdopted: boolean;
}

interface House {
  cluster: Cluster;
  binaries: Binaries;
  settings: Record<string, string>;
}

/**
 * Starts Postgres in `dataDir`, or takes over the one that a killed process left running there.
 * From then on it is watched: when it dies it is started again on the same port. Throws a
 * StartError when it cannot start or when another process owns the folder.
 */
export async function startEmbeddedPostgres(
  options: EmbeddedPostgresOptions,
): Promise<EmbeddedPostgres> {
  const isDurable = options.durable ?? true;
  const binaries = await findBinaries();
  const cluster = await openCluster(options.dataDir, binaries, isDurable);
  const house = { cluster, binaries, settings: postgresSettings(isDurable, options.settings) };
  const server = await ownServer(house, options.port ?? 0);
  const { port } = server.postmaster;
  writeFileSync(cluster.portFile, `${port}\n`);
  options.logger.info('postgres.started', serverFields(server));
  const watch = watchServer(house, server, options.logger);
  return {
    ...urlsOf(cluster.passwords, port),
    port,
    postmasterPid: () => watch.current().postmaster.pid,
    stop: watch.stop,
  };
}

/** The Postgres that a living process keeps in `dataDir`; it stays that one's. Null: none runs. */
export async function findEmbeddedPostgres(
  dataDir: string,
): Promise<Pick<EmbeddedPostgres, 'ownerUrl' | 'appUrl'> | null> {
  const cluster = await findCluster(dataDir);
  if (!cluster) return null;
  const postmaster = findPostmaster(cluster.dir);
  return postmaster?.isReady ? urlsOf(cluster.passwords, postmaster.port) : null;
}

const urlsOf = ({ owner, app }: Passwords, port: number) => ({
  ownerUrl: `postgres://vip_owner:${owner}@127.0.0.1:${port}/vip`,
  appUrl: `postgres://vip_app:${app}@127.0.0.1:${port}/vip`,
});

function serverFields({ postmaster, isAdopted }: Server): Record<string, unknown> {
  return { postmasterId: postmaster.pid, port: postmaster.port, adopted: isAdopted };
}

/** Makes this process the owner of a running server: adopts the one there is, or starts one. */
async function ownServer(house: House, port: number): Promise<Server> {
  const { dir } = house.cluster;
  const deadline = performance.now() + TAKEOVER_LIMIT_MS;
  // The lock of a process that was killed this very moment goes with its connection.
  const patience = performance.now() + HELD_PATIENCE_MS;
  let isAdopted = true;
  while (performance.now() < deadline) {
    const found = findPostmaster(dir);
    if (!found) isAdopted = false;
    const postmaster = found ?? (await launch(house, port));
    if (postmaster) {
      const result = await takeOwnership(house.cluster, postmaster.port);
      if (result.ok) return { postmaster, ownership: result.ownership, isAdopted };
      if (result.error === 'held' && performance.now() > patience) throw inUse(dir);
    }
    await sleep(TAKEOVER_POLL_MS);
  }
  throw new StartError(
    `Processes of an earlier Postgres (${processesBelow(dir).join(', ') || 'unknown'}) still use ` +
      `the data folder ${dir}; end them and start again.`,
  );
}

function inUse(dir: string): StartError {
  return new StartError(`The data folder ${dir} is in use by another VIP Billing process.`);
}

async function launch(house: House, port: number): Promise<Postmaster | undefined> {
  const { cluster, binaries, settings } = house;
  const chosen = port || (await freePort(lastPort(cluster)));
  const result = await launchPostmaster(cluster, binaries, chosen, settings);
  if (result.ok) return result.postmaster;
  if (result.error === 'port_taken' && port !== 0) {
    throw new StartError(`Port ${port} of 127.0.0.1, meant for Postgres, is in use.`);
  }
  return undefined;
}

function lastPort(cluster: Cluster): number {
  try {
    return Number.parseInt(readFileSync(cluster.portFile, 'utf8'), 10) || 0;
  } catch {
    return 0;
  }
}

interface Watch {
  current(): Server;
  stop(): Promise<void>;
}

/** Waits for the owner's connection to break, which any death of Postgres causes, and heals it. */
function watchServer(house: House, first: Server, logger: Logger): Watch {
  const stopping = new AbortController();
  let server = first;
  let healing: Promise<void> | undefined;

  const heal = async () => {
    let delayMs = RESTART_DELAY_MS_MIN;
    while (!stopping.signal.aborted) {
      try {
        server = await ownServer(house, first.postmaster.port);
        logger.warn('postgres.restarted', serverFields(server));
        return;
      } catch (error) {
        logger.error('postgres.restart_failed', { error, retryMs: delayMs });
        await sleep(delayMs, stopping.signal);
        delayMs = Math.min(delayMs * 2, RESTART_DELAY_MS_MAX);
      }
    }
  };
  const watching = (async () => {
    while (!stopping.signal.aborted) {
      await server.ownership.lost;
      if (stopping.signal.aborted) return;
      logger.error('postgres.lost', serverFields(server));
      healing = heal();
      await healing;
    }
  })();

  const stop = async () => {
    stopping.abort();
    await healing;
    // Signalled before the lock is let go: nobody can adopt a server that is about to end.
    const isGone = await stopPostmaster(house.cluster.dir, server.postmaster.pid);
    await server.ownership.release().catch(() => undefined);
    await watching;
    if (isGone) logger.info('postgres.stopped', serverFields(server));
    else logger.error('postgres.not_stopped', serverFields(server));
  };
  let stopped: Promise<void> | undefined;
  return {
    current: () => server,
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}
