/** A small operator whose head-end strays, compared with what it should hold. */
import { createPublicKey } from 'node:crypto';
import { createCatalogue } from '../../src/billing/catalogue/service.ts';
import { createCasCommands } from '../../src/entitlement/commands/service.ts';
import {
  type Air,
  CAS_ID,
  createAir,
  dispatcherOf,
  outletOf,
} from '../../src/entitlement/dispatch/dispatch-harness.ts';
import { askRun } from '../../src/entitlement/reconciliation/run-store.ts';
import {
  createReconciliation,
  type Reconciliation,
} from '../../src/entitlement/reconciliation/service.ts';
import { AIR_MARGIN_MS } from '../../src/entitlement/rights/rules.ts';
import type { VipControlLink } from '../../src/entitlement/vip-control/link.ts';
import type { WireRight } from '../../src/entitlement/vip-control/operations.ts';
import { createFakeRandom } from '../../src/entitlement/vip-control/testing.ts';
import { silentLogger } from '../../src/platform/log.ts';
import type { TestDatabase } from '../../src/platform/test-database.ts';
import { createWorld, type World } from './world.ts';

const MONTH = 65_000n;
const PAID_AT_ONCE = 20;
export const MINUTE_MS = 60_000;
export const DAY_MS = 86_400_000;

type Row = Record<string, unknown>;

export interface Compared {
  world: World;
  air: Air;
  link: VipControlLink;
  reconciliation: Reconciliation;
  /** The same over another driver. */
  reconciling(driver: VipControlLink): Reconciliation;
  later(ms: number): void;
  /** All that is due goes out. */
  send(): Promise<void>;
  /** A card that is paid. */
  paid(): Promise<string>;
  /** Cards that are paid and on air, for longer than anything is on its way. */
  onAir(count: number): Promise<string[]>;
  /** A run; how it ended and what it found, by card. */
  reconcile(how?: { heal?: boolean }): Promise<{ end: Row | undefined; found: Row[] }>;
  /** Open differences of a card. */
  openOf(number: string): Promise<Row[]>;
  right(product: string, days: number): WireRight;
  /** Somebody changes a card at the console of the head-end. */
  atConsole(card: string, change: object): void;
  close(): Promise<void>;
}

const START = '2026-11-23T11:02:00Z';

/** Opens the operator; close it after the last story. */
export async function createCompared(): Promise<Compared> {
  const world = await createWorld(START);
  return await compareWith(world, await createAir(() => world.now()), 1);
}

/** Another database with the same head-end, where our revisions are of that epoch. */
export async function createRestored(
  { air, world }: Compared,
  database: TestDatabase,
  epoch: number,
): Promise<Compared> {
  const restored = await createWorld(world.now().toISOString(), database);
  const close = async () => undefined;
  return await compareWith(restored, { ...air, close }, epoch);
}

async function compareWith(world: World, air: Air, epoch: number): Promise<Compared> {
  const link = await air.link(`dispatcher-${epoch}`, epoch);
  const { pool, settlement, now } = world;
  const clock = { now };
  const queue = createCasCommands({ pool, clock });
  const dispatch = dispatcherOf(
    { pool, settlement, now, link },
    { airMarginMs: AIR_MARGIN_MS, cas: { id: CAS_ID, epoch: () => epoch } },
  );
  const commands = queue.sender({
    ...{ casId: CAS_ID, outlet: outletOf(link, now), clock, random: createFakeRandom() },
    logger: silentLogger,
  });
  const catalogue = await createCatalogue(world.prisma, clock);
  const logKey = createPublicKey(air.headEnd().logKey);
  const reconciling = (driver: VipControlLink) =>
    createReconciliation({
      ...{ pool, clock, logger: silentLogger, commands: queue, wake: () => undefined },
      catalogue: () => catalogue.current(),
      systems: [{ id: CAS_ID, driver, epoch: () => epoch, products: null, logKey }],
    });
  const later = (ms: number) => world.moveTo(new Date(now().getTime() + ms).toISOString());
  const send = async () => {
    await dispatch.runUntilIdle();
    await commands.runUntilIdle();
  };
  const paid = async () => {
    const { number } = await world.customer();
    await world.pay({ amount: MONTH, accountRef: number });
    return number;
  };
  const reconciliation = reconciling(link);
  return {
    ...{ world, air, link, reconciliation, reconciling, later, send, paid },
    async onAir(count) {
      const numbers: string[] = [];
      // Some at once: the pool of a test is small.
      while (numbers.length < count) {
        const length = Math.min(PAID_AT_ONCE, count - numbers.length);
        numbers.push(...(await Promise.all(Array.from({ length }, paid))));
      }
      await send();
      later(5 * MINUTE_MS);
      return numbers;
    },
    reconcile: ({ heal = true } = {}) => reconcile(world, reconciliation, heal),
    openOf: (number) =>
      world.rows(
        `SELECT class FROM reconciliation_difference d WHERE card = $1 AND NOT EXISTS (
           SELECT FROM reconciliation_closing WHERE difference_id = d.id)`,
        [number],
      ),
    right: (product, days) => ({
      ...{ product, from: now().toISOString() },
      to: new Date(now().getTime() + days * DAY_MS).toISOString(),
    }),
    atConsole(card, change) {
      const write = { card, by: 'night shift', why: 'a friend', ...change };
      if (!air.headEnd().writeByConsole(write)) throw new Error('The console refuses');
    },
    async close() {
      await air.close();
      await world.close();
    },
  };
}

async function reconcile(world: World, reconciliation: Reconciliation, heal: boolean) {
  const at = world.now();
  const asked = await askRun(world.pool, { casId: CAS_ID, by: 'staff:7', heal, at });
  if (!asked.ok) throw new Error(asked.error);
  await reconciliation.runDue();
  const [end] = await world.rows('SELECT * FROM reconciliation_end WHERE run_id = $1', [asked.id]);
  const found = await world.rows(
    'SELECT * FROM reconciliation_difference WHERE run_id = $1 ORDER BY card, class, product',
    [asked.id],
  );
  return { end, found };
}
