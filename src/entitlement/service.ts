/**
 * The entitlement room, put together: for each conditional-access system a driver and what is sent
 * through it.
 */
import type { Pool } from 'pg';
import type { Settlement } from '../billing/settlement/service.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Clock, Ids, Logger, Random } from '../platform/ports.ts';
import { hearBacklog } from './cas/backlog.ts';
import type { CasDriver } from './cas/driver.ts';
import { noteCapabilities, readEpoch } from './cas/store.ts';
import type { CasSystem } from './cas/systems.ts';
import { createCasCommands } from './commands/service.ts';
import { createComparison } from './dispatch/comparison.ts';
import { createDispatcher, type Dispatcher, type DispatchStep } from './dispatch/service.ts';
import { tryLateCards } from './dispatch/store.ts';
import { createOsdSender } from './osd/service.ts';
import { countDark, type DarkCard, paidButDark } from './picture/dark.ts';
import { createRefresher } from './picture/refresher.ts';
import { createSuspensions, type Suspensions } from './picture/suspension.ts';
import { AIR_MARGIN_MS } from './rights/rules.ts';
import type { BreakerState } from './sending/breaker.ts';
import { createOutlet } from './sending/outlet.ts';

export interface Entitlement {
  /** One for each conditional-access system, in the order of their file. */
  systems: readonly RunningSystem[];
  dispatcher: Pick<Dispatcher, 'wake' | 'captureDue' | 'releaseDue' | 'alarmDark'>;
  osd: { wake(): void };
  refresher: { wake(): void };
  /** Sends what was ordered of the head-ends by `CasCommands`. */
  commands: { wake(): void };
  suspensions: Suspensions;
  /** Cards that are paid and not on air for so long, or complained about; the oldest first. */
  dark(afterSeconds: number): Promise<DarkCard[]>;
  countDark(): Promise<number>;
  stop(): Promise<void>;
}

export interface RunningSystem {
  id: string;
  driver: CasDriver;
  /** As its file declares it. */
  declared: CasSystem;
  /** The epoch of our revisions there. */
  epoch(): number;
  dispatcher: Dispatcher;
  breaker(): BreakerState;
  /** EMMs that wait there for their first broadcast, as it told last in this session; else 0. */
  emmWaiting(): number;
}

export interface EntitlementDeps {
  pool: Pool;
  ids: Ids;
  settlement: Settlement;
  clock: Clock;
  random: Random;
  logger: Logger;
  metrics: Metrics;
  /** They are declared in the database by then; at least one. */
  systems: readonly CasSystem[];
  /** Opens the driver of a system, which connects by itself. */
  openDriver(system: CasSystem, deps: { epoch: () => number; logger: Logger }): CasDriver;
  /** Unique to this start of this process. */
  processId: string;
  /** Told of every revision on its way. */
  onStep?(step: DispatchStep): void;
}

interface Working extends RunningSystem {
  osd: { wake(): void };
  refresher: { wake(): void };
  commands: { wake(): void };
  stop(): Promise<void>;
}

/** Connects to every system and starts to send what is due. */
export async function startEntitlement(deps: EntitlementDeps): Promise<Entitlement> {
  const { pool, clock } = deps;
  const systems = await Promise.all(deps.systems.map((system) => startSystem(deps, system)));
  const [first] = systems;
  if (!first) throw new Error('There is no conditional-access system');
  const wakeAll = (what: 'dispatcher' | 'osd' | 'refresher' | 'commands') => () => {
    for (const system of systems) system[what].wake();
  };
  // What goes over all cards is done once, not once for each system.
  const { captureDue, releaseDue, alarmDark } = first.dispatcher;
  const dispatcher = { wake: wakeAll('dispatcher'), captureDue, releaseDue, alarmDark };
  return {
    ...{ systems, dispatcher, osd: { wake: wakeAll('osd') } },
    refresher: { wake: wakeAll('refresher') },
    commands: { wake: wakeAll('commands') },
    suspensions: createSuspensions({ ...deps, dispatcher }),
    dark: (afterSeconds) => paidButDark(pool, { now: clock.now(), afterSeconds }),
    countDark: () => countDark(pool, clock.now()),
    async stop() {
      await Promise.all(systems.map((system) => system.stop()));
    },
  };
}

async function startSystem(all: EntitlementDeps, system: CasSystem): Promise<Working> {
  const { pool, clock } = all;
  const casId = system.id;
  const epoch = await readEpoch(pool, casId);
  const logger = labelled(all.logger, casId);
  const deps = { ...all, logger };
  const cas = { id: casId, epoch: () => epoch };
  const driver = deps.openDriver(system, { epoch: cas.epoch, logger });
  const outlet = createOutlet({
    ...{ driver, clock, logger, casId },
    ...(system.products ? { productName: (name) => system.products?.get(name) ?? name } : {}),
  });
  const senders = createSenders({ ...deps, outlet, cas });
  const compare = createComparison({ ...{ pool, clock, logger, driver, cas } });
  const emmWaiting = hearBacklog(driver, logger);
  const onConnected = () => {
    // Cards that waited for the head-end go out as soon as it is back.
    for (const sender of Object.values(senders)) sender.wake();
    void noteConnected();
  };
  const noteConnected = async () => {
    try {
      const said = driver.capabilities();
      if (said) await noteCapabilities(pool, casId, said, clock.now());
      if ((await tryLateCards(pool, casId, clock.now())) > 0) senders.dispatcher.wake();
      if ((await compare()) > 0) senders.dispatcher.wake();
    } catch (error) {
      // The next session compares from where this one began.
      logger.error('cas.comparison_failed', { error });
    }
  };
  driver.onConnected(onConnected);
  for (const sender of Object.values(senders)) sender.start();
  return {
    ...{
      id: casId,
      declared: system,
      epoch: cas.epoch,
      driver,
      ...senders,
      breaker: outlet.breaker,
      emmWaiting,
    },
    async stop() {
      await Promise.all(Object.values(senders).map((sender) => sender.stop()));
      await driver.close();
    },
  };
}

function createSenders(
  deps: EntitlementDeps & {
    outlet: ReturnType<typeof createOutlet>;
    cas: { id: string; epoch: () => number };
  },
) {
  const { metrics, settlement } = deps;
  const cas = deps.cas.id;
  metrics.expect('vip_dispatch_results_total', { cas, result: 'refused' });
  metrics.expect('vip_dispatch_ended_total', { cas });
  const dispatcher = createDispatcher({
    ...deps,
    airMarginMs: AIR_MARGIN_MS,
    settle: (command) => settlement.settle(command),
    metrics: {
      onDispatched: (result) => metrics.count('vip_dispatch_results_total', { cas, result }),
      onPicture: (stage, seconds) =>
        metrics.observe('vip_time_to_picture_seconds', { cas, stage }, seconds),
      onReaired: (result) =>
        metrics.count('vip_rebroadcasts_total', { cas, why: 'by_itself', result }),
      onEnded: () => metrics.count('vip_dispatch_ended_total', { cas }),
    },
  });
  const osd = createOsdSender({
    ...deps,
    casId: cas,
    metrics: { onOsd: (result) => metrics.count('vip_osd_total', { cas, result }) },
  });
  const refresher = createRefresher({
    ...deps,
    casId: cas,
    metrics: {
      onRefresh: (result) => metrics.count('vip_rebroadcasts_total', { cas, why: 'asked', result }),
    },
  });
  const commands = createCasCommands(deps).sender({
    ...deps,
    casId: cas,
    epoch: deps.cas.epoch,
    metrics: { onCommand: (result) => metrics.count('vip_commands_total', { cas, result }) },
  });
  return { dispatcher, osd, refresher, commands };
}

/** Every line says of which system it speaks. */
function labelled({ info, warn, error }: Logger, casId: string): Logger {
  return {
    info: (event, fields) => info(event, { casId, ...fields }),
    warn: (event, fields) => warn(event, { casId, ...fields }),
    error: (event, fields) => error(event, { casId, ...fields }),
  };
}
