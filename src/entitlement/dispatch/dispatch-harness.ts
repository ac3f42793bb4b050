/** A head-end of one test's own, and links and dispatchers that talk to it. */

import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Pool } from 'pg';
import type { Loss } from '../../../simulators/head-end/faults/loss.ts';
import type { VipControlServerDeps } from '../../../simulators/head-end/head-end.ts';
import {
  createVipControlServer,
  type VipControlServer,
} from '../../../simulators/head-end/server.ts';
import type { Settlement } from '../../billing/settlement/service.ts';
import { silentLogger } from '../../platform/log.ts';
import type { Logger } from '../../platform/ports.ts';
import { makeTestFolder } from '../../platform/test-database.ts';
import { createOutlet, type OutletDeps } from '../sending/outlet.ts';
import type { Command, CommandOutcome } from '../vip-control/command.ts';
import { createVipControlLink, type VipControlLink } from '../vip-control/link.ts';
import { createFakeRandom, createFakeTime, until } from '../vip-control/testing.ts';
import { createDispatcher, type Dispatcher, type DispatcherDeps } from './service.ts';

/** The system that every card belongs to unless somebody says otherwise. */
export const CAS_ID = 'vip-control';

export interface Air {
  headEnd(): VipControlServer;
  /** A link that is logged in; in the first epoch unless it is given. */
  link(clientId: string, epoch?: number): Promise<VipControlLink>;
  /** The head-end goes away, with what it remembers on its disk. */
  goDown(): Promise<void>;
  /** It comes back, perhaps with an empty disk, and every link has logged in again. */
  comeBack(options?: { forgets: boolean }): Promise<void>;
  /** It goes down and up again, without what it lost; every link has logged in again. */
  restart(loss: Loss): Promise<void>;
  close(): Promise<void>;
}

/** Starts a head-end; its clock, and that of its links, is `now`. */
export async function createAir(
  now: () => Date,
  options: Partial<VipControlServerDeps> = {},
): Promise<Air> {
  const folder = makeTestFolder();
  const dataFile = join(folder, 'head-end.jsonl');
  const clock = { now };
  const time = createFakeTime();
  const start = () =>
    createVipControlServer({
      port: 0,
      host: '127.0.0.1',
      dataFile,
      clock,
      logger: silentLogger,
      casId: CAS_ID,
      latencyMs: 0,
      ...options,
    });
  let headEnd = await start();
  const links: VipControlLink[] = [];
  const loggedIn = () =>
    // Time runs beside the network: a leap would also end the log-in that is under way.
    until(() => {
      time.advance(1);
      return links.every((link) => link.state() === 'connected');
    });
  return {
    headEnd: () => headEnd,
    async link(clientId, epoch = 1) {
      const link = createVipControlLink({
        host: '127.0.0.1',
        port: headEnd.port,
        clientId,
        casId: CAS_ID,
        epoch: () => epoch,
        clock,
        random: createFakeRandom(),
        logger: silentLogger,
        timers: time.timers,
        connect: () => connect({ host: '127.0.0.1', port: headEnd.port, noDelay: true }),
      });
      links.push(link);
      await until(() => link.state() === 'connected');
      return link;
    },
    async goDown() {
      await headEnd.stop();
      await until(() => links.every((link) => link.state() !== 'connected'));
    },
    async comeBack({ forgets } = { forgets: false }) {
      if (forgets) rmSync(dataFile);
      headEnd = await start();
      await loggedIn();
    },
    async restart(loss) {
      await headEnd.restart(loss);
      await until(() => links.every((link) => link.state() !== 'connected'));
      await loggedIn();
    },
    async close() {
      await Promise.all(links.map((link) => link.close()));
      await headEnd.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export interface Sent {
  command: Command;
  outcome?: CommandOutcome;
}

/** A link that notes what goes through it. */
export function listenIn(link: VipControlLink): VipControlLink & { sent: Sent[] } {
  const sent: Sent[] = [];
  return {
    ...link,
    sent,
    async send(command) {
      const note: Sent = { command };
      sent.push(note);
      const outcome = await link.send(command);
      note.outcome = outcome;
      return outcome;
    },
  };
}

/** What a dispatcher logged. */
export function createLog(): Logger & { events: string[] } {
  const events: string[] = [];
  const note = (event: string) => void events.push(event);
  return { info: note, warn: note, error: note, events };
}

export type TestLink = OutletDeps['driver'];

/** An outlet over a link, as a dispatcher and the other senders of a process share it. */
export const outletOf = (driver: TestLink, now: () => Date, logger: Logger = silentLogger) =>
  createOutlet({ driver, clock: { now }, casId: CAS_ID, logger });

/** A dispatcher over a pool and a link; what is not said is quiet and certain. */
export function dispatcherOf(
  deps: { pool: Pool; settlement: Settlement; now: () => Date; link: TestLink },
  more: Partial<DispatcherDeps> = {},
): Dispatcher {
  return createDispatcher({
    pool: deps.pool,
    outlet: outletOf(deps.link, deps.now, more.logger),
    cas: { id: CAS_ID, epoch: () => 1 },
    clock: { now: deps.now },
    random: createFakeRandom(),
    logger: silentLogger,
    processId: 'dispatcher-1',
    airMarginMs: 0,
    settle: deps.settlement.settle,
    ...more,
  });
}
