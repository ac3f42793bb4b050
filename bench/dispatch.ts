/**
 * What the dispatcher brings to a head-end: cards a second by the window, and the switch of 5 % of
 * all cards, as fast as a head-end allows it and as fast as it goes, with sales among them.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createHeadEndClient,
  type HeadEndClient,
  startHeadEndProcess,
} from '../simulators/head-end/client.ts';
import { createDispatcher, type Dispatcher } from '../src/entitlement/dispatch/service.ts';
import { createOutlet } from '../src/entitlement/sending/outlet.ts';
import { cardTarget } from '../src/entitlement/vip-control/command.ts';
import { createVipControlLink, type VipControlLink } from '../src/entitlement/vip-control/link.ts';
import { silentLogger } from '../src/platform/log.ts';
import { systemClock, systemRandom } from '../src/platform/system.ts';
import { furnish, type House, openHouse, startDatabase } from './house.ts';
import { format, median, type Plan, type Result, spreadOf } from './measure.ts';

const CAS_ID = 'vip-control';
const WINDOWS = [1, 16, 256] as const;
const WINDOW_CUSTOMERS = 20_000;
/** Of `bulk-switch`: 5 % of them are switched. */
const CUSTOMERS = { small: 40_000, full: 1_000_000 };
const SWITCHED_PER = 20;
const FIVE_PERCENT_OF_A_MILLION = 50_000;
const ALLOWED = { perSecond: 50, window: 16 };
/** How long the allowed rate is looked at: at full size long enough to believe it. */
const ALLOWED_SECONDS_MIN = { small: 5, full: 60 };
const SALE_EVERY_MS = 500;
const SALE_P95_MS_MAX = 5_000;
const WARM_UP_MS = 1_000;
const BARE_LANES = 512;
const DONE_MS_MAX = 3_600_000;

interface Stage {
  house: House;
  air: HeadEndClient;
  port: number;
  /** When which card came on air, since it was last emptied; milliseconds of the machine. */
  aired: Map<bigint, number>;
  /** A dispatcher over a link of its own, and how both end. */
  open(): Promise<{ dispatcher: Dispatcher; close(): Promise<void> }>;
}

/** `dispatch-window`, `bulk-switch`: see README.md. */
export async function benchDispatch(wanted: ReadonlySet<string>, plan: Plan): Promise<Result[]> {
  const results: Result[] = [];
  if (wanted.has('dispatch-window')) {
    results.push(...(await onStage(WINDOW_CUSTOMERS, (stage) => byWindow(stage, plan))));
  }
  if (wanted.has('bulk-switch')) {
    results.push(...(await onStage(CUSTOMERS[plan.size], (stage) => bulkSwitch(stage, plan))));
  }
  return results;
}

async function onStage(
  customers: number,
  act: (stage: Stage) => Promise<Result[]>,
): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vip-billing-bench-files-'));
  const database = await startDatabase();
  try {
    const house = await openHouse(database);
    await furnish(house, customers);
    const headEnd = await startHeadEndProcess({
      ...{ dataFile: join(folder, 'head-end.jsonl'), services: [], logger: silentLogger },
    });
    const aired = new Map<bigint, number>();
    const { port, http } = headEnd;
    const air = createHeadEndClient(http);
    try {
      return await act({ house, air, port, aired, open: () => openSender(house, port, aired) });
    } finally {
      await headEnd.stop();
      await house.close();
    }
  } finally {
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

const common = { clock: systemClock, random: systemRandom, logger: silentLogger };

async function openLink(port: number, clientId: string): Promise<VipControlLink> {
  const place = { ...common, host: '127.0.0.1', port, clientId, casId: CAS_ID };
  const link = createVipControlLink({ ...place, epoch: () => 1 });
  while (link.state() !== 'connected') await tick(5);
  return link;
}

async function openSender(house: House, port: number, aired: Map<bigint, number>) {
  const link = await openLink(port, 'bench-dispatcher');
  const dispatcher = createDispatcher({
    ...common,
    pool: house.pool,
    outlet: createOutlet({ ...common, driver: link, casId: CAS_ID }),
    cas: { id: CAS_ID, epoch: () => 1 },
    processId: `bench-${systemRandom.hex(4)}`,
    airMarginMs: 0,
    settle: () => Promise.reject(new Error('No money moves in this bench')),
    onAir(cards) {
      const now = Date.now();
      for (const { cardId } of cards) aired.set(cardId, now);
    },
  });
  dispatcher.start();
  const close = async () => {
    await dispatcher.stop();
    await link.close();
  };
  return { dispatcher, close };
}

/** Raises the sets of so many cards, from one on in the order of their ids. */
async function raise(
  { house }: Stage,
  { from = 0, count, isBulk }: { from?: number; count: number; isBulk: boolean },
): Promise<bigint[]> {
  const day = 86_400_000;
  const [start, end] = [0, 30 * day].map((ms) => new Date(Date.now() + ms).toISOString());
  const { rows } = await house.owner.query(
    `WITH chosen AS (SELECT card_id FROM card_rights ORDER BY card_id OFFSET $1 LIMIT $2)
     UPDATE card_rights r
        SET desired_rev = r.desired_rev + 1, desired = $3::jsonb, next_at = $4, raised_at = $4,
            attempts = 0, failure = NULL, is_bulk = $5
       FROM chosen WHERE r.card_id = chosen.card_id RETURNING r.card_id`,
    [
      ...[from, count, JSON.stringify([{ product: 'ESS', from: start, to: end }])],
      ...[new Date(), isBulk],
    ],
  );
  // This pool gives ids as text.
  return rows.map(({ card_id }) => BigInt(card_id));
}

/** What is left is let lie. */
const calm = ({ house }: Stage) =>
  house.owner.query('UPDATE card_rights SET next_at = NULL WHERE next_at IS NOT NULL');

async function byWindow(stage: Stage, { rounds, seconds }: Plan): Promise<Result[]> {
  const ours = new Map<number, number[]>(WINDOWS.map((window) => [window, []]));
  const bare = new Map<number, number[]>(WINDOWS.map((window) => [window, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const window of WINDOWS) {
      await stage.air.setFlow(window);
      const limit = await bareRate(stage.port, seconds);
      await raise(stage, { count: WINDOW_CUSTOMERS, isBulk: false });
      const { close } = await stage.open();
      await tick(WARM_UP_MS);
      stage.aired.clear();
      const startMs = Date.now();
      await tick(seconds * 1000);
      const rate = (stage.aired.size * 1000) / (Date.now() - startMs);
      await close();
      await calm(stage);
      ours.get(window)?.push(rate);
      bare.get(window)?.push(limit);
      process.stderr.write(
        `  round ${round}: window ${window}: ${format(rate)}/s, bare link ${format(limit)}/s\n`,
      );
    }
  }
  return WINDOWS.map((window) => {
    const [figures, limits] = [ours.get(window) ?? [], bare.get(window) ?? []];
    return figure(`dispatch-window-${window}`, 'cards/s', figures, median(limits));
  });
}

function figure(name: string, unit: string, figures: readonly number[], baseline: number): Result {
  const value = median(figures);
  return { name, value, unit, baseline, ratio: value / baseline, spread: spreadOf(figures) };
}

/** Commands a second that the head-end does for a link with nothing behind it. */
async function bareRate(port: number, seconds: number): Promise<number> {
  const link = await openLink(port, 'bench-bare');
  const from = new Date();
  const endMs = from.getTime() + seconds * 1000;
  const run = systemRandom.hex(4);
  let serial = 0;
  let done = 0;
  const lane = async () => {
    while (Date.now() < endMs) {
      serial += 1;
      const outcome = await link.send({
        ...({ op: 'ENTITLE', rev: 1, prio: 'SALE' } as const),
        set: [{ product: 'ESS', from, to: new Date(from.getTime() + 86_400_000) }],
        cmdId: `bare.${run}.${serial}`,
        target: cardTarget(`9${run}${serial}`),
        notAfter: new Date(Date.now() + 60_000),
      });
      if (outcome.kind !== 'done') throw new Error(`A bare command ended as ${outcome.kind}`);
      if (Date.now() < endMs) done += 1;
    }
  };
  await Promise.all(Array.from({ length: BARE_LANES }, lane));
  await link.close();
  return done / seconds;
}

async function bulkSwitch(stage: Stage, { size, seconds }: Plan): Promise<Result[]> {
  const count = CUSTOMERS[size] / SWITCHED_PER;
  const limit = await bareRate(stage.port, seconds);
  await stage.air.setFault({ kind: 'rate', value: ALLOWED.perSecond });
  await stage.air.setFlow(ALLOWED.window);
  const bulk = new Set(await raise(stage, { count, isBulk: true }));
  const { dispatcher, close } = await stage.open();
  const lookMs = Math.max(seconds, ALLOWED_SECONDS_MIN[size]) * 1000;
  const waits = await sellAmong(stage, { dispatcher, bulk, lookMs });
  const switched = [...stage.aired.keys()].filter((cardId) => bulk.has(cardId)).length;
  const rate = (switched * 1000) / lookMs;
  const sold = (waits.length * 1000) / lookMs;
  const minutes = FIVE_PERCENT_OF_A_MILLION / rate / 60;
  process.stderr.write(
    `  allowed ${ALLOWED.perSecond}/s: ${format(rate)} cards/s beside ` +
      `${format(sold)} sales/s, 50,000 cards come to ${format(minutes)} min\n`,
  );
  stage.aired.clear();
  await stage.air.heal('rate');
  await stage.air.setFlow(WINDOWS[2]);
  const left = count - switched;
  const startMs = Date.now();
  while ((await dispatcher.backlog()).waiting > 0) {
    if (Date.now() - startMs > DONE_MS_MAX) throw new Error('The switch did not end');
    await tick(50);
  }
  const free = (left * 1000) / (Date.now() - startMs);
  process.stderr.write(`  unthrottled: ${format(free)} cards/s for the ${left} left\n`);
  await close();
  const p95 = waits.sort((a, b) => a - b)[Math.floor(0.95 * (waits.length - 1))] ?? Number.NaN;
  return [
    figure('bulk-switch-allowed', 'cards/s', [rate], ALLOWED.perSecond),
    figure('bulk-switch-sale-p95', 'ms', [p95], SALE_P95_MS_MAX),
    figure('bulk-switch-free', 'cards/s', [free], limit),
  ];
}

/** Sells to one of the other cards now and then; milliseconds from each sale to ON AIR. */
async function sellAmong(
  stage: Stage,
  o: { dispatcher: Dispatcher; bulk: ReadonlySet<bigint>; lookMs: number },
): Promise<number[]> {
  const soldAt = new Map<bigint, number>();
  stage.aired.clear();
  const endMs = Date.now() + o.lookMs;
  for (let from = o.bulk.size; Date.now() < endMs; from += 1) {
    const [cardId] = await raise(stage, { from, count: 1, isBulk: false });
    if (cardId !== undefined) soldAt.set(cardId, Date.now());
    o.dispatcher.wake();
    await tick(Math.min(SALE_EVERY_MS, Math.max(0, endMs - Date.now())));
  }
  return [...soldAt].flatMap(([cardId, at]) => {
    const airedMs = stage.aired.get(cardId);
    return airedMs === undefined ? [] : [airedMs - at];
  });
}

const tick = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
