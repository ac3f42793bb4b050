import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { createVipControlServer } from '../../simulators/head-end/server.ts';
import { openDriver } from '../../src/entitlement/cas/open.ts';
import { declareSystems } from '../../src/entitlement/cas/store.ts';
import { type CasSystem, ONLY_SYSTEM } from '../../src/entitlement/cas/systems.ts';
import { createComparison } from '../../src/entitlement/dispatch/comparison.ts';
import {
  type Air,
  createAir,
  dispatcherOf,
  listenIn,
} from '../../src/entitlement/dispatch/dispatch-harness.ts';
import { startEntitlement } from '../../src/entitlement/service.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { createMetrics } from '../../src/platform/metrics.ts';
import { systemRandom } from '../../src/platform/system.ts';
import { makeTestFolder } from '../../src/platform/test-database.ts';
import { createWorld, type World } from './world.ts';

/** Goal: what is told to several head-ends that are there, and one that has lost its disk. */
const START = '2026-11-23T11:02:00Z';
const MONTH = 65_000n;

let world: World;
beforeAll(async () => {
  world = await createWorld(START);
});
afterAll(() => world.close());

const paid = async () => {
  const { number } = await world.customer();
  await world.pay({ amount: MONTH, accountRef: number });
  return number;
};
const later = (seconds: number) =>
  world.moveTo(new Date(world.now().getTime() + seconds * 1000).toISOString());

describe('a head-end that comes back with an empty disk', () => {
  let air: Air;
  beforeAll(async () => {
    air = await createAir(() => world.now());
  });
  afterAll(() => air.close());

  it('is told again what it had on air, and nothing else', async () => {
    const link = listenIn(await air.link('dispatcher-1'));
    const { pool, settlement, now } = world;
    const dispatch = dispatcherOf({ pool, settlement, now, link });
    const cas = { id: 'vip-control', epoch: () => 1 };
    const compare = createComparison({
      ...{ pool, clock: { now }, logger: silentLogger, driver: link, cas },
    });
    const numbers = [await paid(), await paid(), await paid()];
    await dispatch.runUntilIdle();
    later(1);
    expect(await compare()).toBe(0);

    const [fresh] = [await paid()];
    await dispatch.runUntilIdle();
    later(61);
    await air.goDown();
    await air.comeBack({ forgets: true });
    expect(air.headEnd().cards()).toEqual([]);
    expect(await compare()).toBe(4);
    await dispatch.runUntilIdle();
    const held = air.headEnd().cards();
    expect(held.map(({ card }) => card).sort()).toEqual([...numbers, String(fresh)].sort());
    expect(held.every(({ rev, set }) => rev === 2 && set.length === 1)).toBe(true);

    later(61);
    expect(await compare()).toBe(0);
    expect(await dispatch.backlog()).toMatchObject({ waiting: 0 });
  });
});

describe('two systems side by side', () => {
  it('each have their own cards on air and their own screens, even if one is away', async () => {
    const folder = makeTestFolder();
    const open = (casId: string, port = 0) =>
      createVipControlServer({
        ...{ port, host: '127.0.0.1', clock: { now: world.now }, logger: silentLogger, casId },
        ...{ dataFile: join(folder, `${casId}.jsonl`), latencyMs: 0 },
      });
    const near = await open('vip-control');
    const far = await open('satellite');
    const at = (port: number) => ({ transport: 'tcp', host: '127.0.0.1', port }) as const;
    const main: CasSystem = { ...ONLY_SYSTEM, address: at(near.port) };
    const satellite: CasSystem = {
      ...{ ...main, id: 'satellite', address: at(far.port), cardPrefixes: ['402'] },
      products: new Map([['ESS', '0101']]),
    };
    await declareSystems(world.pool, [main]);
    const ours = await paid();
    await declareSystems(world.pool, [main, satellite]);
    const metrics = createMetrics();
    const common = { clock: { now: world.now }, random: systemRandom, logger: silentLogger };
    const start = () =>
      startEntitlement({
        ...{ ...common, pool: world.pool, ids: world.ids, settlement: world.settlement, metrics },
        ...{ systems: [main, satellite], processId: 'one' },
        openDriver: ({ id: casId, address }, deps) =>
          openDriver({ ...common, ...deps, casId, address, clientId: 'vip-billing-one' }),
      });
    await far.stop();
    const entitlement = await start();
    const theirs = await paid();
    entitlement.dispatcher.wake();
    await shown(() => near.card(ours)?.set.length === 1);
    expect(entitlement.systems.map(({ id }) => id)).toEqual(['vip-control', 'satellite']);
    expect(near.card(theirs)).toBeUndefined();

    const back = await open('satellite', far.port);
    await shown(() => back.card(theirs)?.set.length === 1);
    expect(back.card(theirs)?.set).toMatchObject([{ product: '0101' }]);
    await shown(() => back.commands().some(({ op, card }) => op === 'OSD' && card === theirs));
    expect(back.card(ours)).toBeUndefined();
    expect(back.commands().every(({ card }) => card === theirs)).toBe(true);
    const counted = 'vip_dispatch_results_total{cas="satellite",result="on_air"} 1';
    await shown(async () => (await metrics.text()).includes(counted));
    await entitlement.stop();
    await Promise.all([near.stop(), back.stop()]);
    rmSync(folder, { recursive: true, force: true });
  });
});

/** Lets the links of the room, which run by the machine's time, do their work. */
async function shown(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  for (let look = 0; look < 2_000 && !(await isTrue()); look += 1) {
    await world.pool.query('SELECT pg_sleep(0.005)');
  }
  expect(await isTrue()).toBe(true);
}
