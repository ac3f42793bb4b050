/** The drivers of the product, against the head-end simulator, by the list for all drivers. */
import { createPublicKey } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { VipControlServerDeps } from '../../simulators/head-end/head-end.ts';
import { createVipControlServer, type VipControlServer } from '../../simulators/head-end/server.ts';
import { openVcpPort } from '../../simulators/head-end/vcp-port.ts';
import type { CasDriver } from '../../src/entitlement/cas/driver.ts';
import { openDriver } from '../../src/entitlement/cas/open.ts';
import { createFakeRandom, createFakeTime } from '../../src/entitlement/vip-control/testing.ts';
import { CONTROL_TRANSPORTS, type ControlAddress } from '../../src/platform/control-address.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { createTestAuthority, writeTestFiles } from '../../src/platform/test-certificates.ts';
import { makeTestFolder } from '../../src/platform/test-database.ts';
import { describeCasDriver } from './cas-driver.ts';
import { createLine } from './line.ts';
import { CARDS, type CasWorld, NOW, PRODUCTS, type SystemOptions } from './world.ts';

const HOST = '127.0.0.1';
const authority = createTestAuthority();
const tls = { ...authority.issue(HOST), ca: authority.cert };
const { folder: pemFolder, files } = writeTestFiles(authority, authority.issue('vip-billing'));
afterAll(() => rm(pemFolder, { recursive: true }));

type Transport = ControlAddress['transport'];

/** A head-end and the port that speaks this transport. */
async function startSystem(transport: Transport, deps: VipControlServerDeps) {
  const secured = transport === 'tls' || transport === 'https' ? { tls } : {};
  const headEnd = await createVipControlServer({
    ...deps,
    ...(transport === 'tls' ? secured : {}),
  });
  if (transport === 'tcp' || transport === 'tls') {
    return { headEnd, port: headEnd.port, stop: headEnd.stop };
  }
  const door = await openVcpPort(headEnd.vcp, { host: HOST, port: 0, ...secured });
  const stop = async () => {
    await door.stop();
    await headEnd.stop();
  };
  return { headEnd, port: door.port, stop };
}

/** Makes worlds whose drivers have addresses of that kind. */
const worldOf = (transport: Transport) => async (options: SystemOptions) => {
  const folder = makeTestFolder();
  const dataFile = join(folder, 'head-end.jsonl');
  const time = createFakeTime(NOW);
  const clock = { now: () => new Date(time.clock.now().getTime() + options.aheadMs) };
  const start = () =>
    startSystem(transport, {
      ...{ port: 0, host: HOST, dataFile, clock, timers: time.timers, logger: silentLogger },
      ...{ latencyMs: options.latencyMs, maxWindow: options.window, knownProducts: PRODUCTS },
      knownCard: (card) => CARDS.some((known) => known === card),
    });
  let system = await start();
  const line = await createLine(() => system.port);
  const drivers: CasDriver[] = [];
  const address: ControlAddress = { transport, host: HOST, port: line.port, path: '/vcp' };
  if (transport === 'tls' || transport === 'https') address.files = files;
  const world: CasWorld = {
    ...{ time, line },
    open({ clientId = 'conformance-1', epoch = 1 } = {}) {
      const driver = openDriver({
        ...{ address, clientId, casId: 'main', epoch: () => epoch, clock: time.clock },
        ...{ random: createFakeRandom(), logger: silentLogger, timers: time.timers },
      });
      drivers.push(driver);
      return driver;
    },
    system: {
      ...lookInto(() => system.headEnd, dataFile),
      async restart() {
        await system.stop();
        system = await start();
      },
    },
    async close() {
      // The line first: nobody then waits for a flush that cannot come in a time that stands still.
      await line.stop();
      for (const driver of drivers) await driver.close();
      await system.stop();
      await rm(folder, { recursive: true });
    },
  };
  return world;
};

function lookInto(
  headEnd: () => VipControlServer,
  dataFile: string,
): Omit<CasWorld['system'], 'restart'> {
  return {
    logKey: () => createPublicKey(headEnd().logKey),
    hasTaken: (cmdId) =>
      headEnd()
        .commands()
        .some((command) => command.cmdId === cmdId),
    waiting: () =>
      headEnd()
        .commands()
        .filter(({ result }) => !result).length,
    narrow: (window) => headEnd().setFlow(window),
    setBusy(isBusy) {
      const { faults } = headEnd();
      if (isBusy) faults.set({ kind: 'load', percent: 100 });
      else faults.heal('load');
    },
    async executions(cmdId) {
      const lines = (await readFile(dataFile, 'utf8')).split('\n').filter((text) => text !== '');
      const records = lines.map((text) => JSON.parse(text));
      const isExecution = ({ k, cmdId: of, result }: Record<string, unknown>) =>
        k === 'res' && of === cmdId && (result as { status: string }).status === 'DONE';
      return records.filter(isExecution).length;
    },
  };
}

for (const transport of CONTROL_TRANSPORTS) {
  describeCasDriver(`VIP Control, ${transport}`, worldOf(transport));
}
