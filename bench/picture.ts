/**
 * Time to picture: from the notice of a payment to the head-end taking the command, and to ON AIR;
 * and how fast a head-end that was away catches up.
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createHeadEndClient,
  type HeadEndClient,
  type HeadEndProcess,
  startHeadEndProcess,
} from '../simulators/head-end/client.ts';
import { cardTarget } from '../src/entitlement/vip-control/command.ts';
import { createVipControlLink } from '../src/entitlement/vip-control/link.ts';
import { silentLogger } from '../src/platform/log.ts';
import { systemClock, systemRandom } from '../src/platform/system.ts';
import { gatewayTask } from './gateway-task.ts';
import { type Database, furnish, hook, openHouse, PAYBILL, startDatabase } from './house.ts';
import { format, type Plan, type Result, spreadOf } from './measure.ts';
import { confirmationOf, freshDay, receiptOf } from './payments.ts';
import type { Aired, PictureTask } from './picture-gateway.ts';
import { cardNumberOf } from './seed.ts';
import { type Helper, startHelper } from './tools.ts';

const CUSTOMERS = 40_000;
const RATES = [50, 200, 500] as const;
/** Payments that warm up code, plans and connections. */
const WARM_UP = 400;
/** What a head-end of the trade needs from ACK to execution. */
const LATENCY = { medianMs: 80, p99Ms: 2_000 };
const WAITING_CARDS = 10_000;
/** What is aimed at: the command with the head-end, and ON AIR. */
const ACK_P99_MS_MAX = 250;
const ON_AIR_P95_MS_MAX = 5_000;
const CONNECTIONS_MAX = 128;
const SETTLED_MS_MAX = 120_000;

type Gateway = Helper<{ url: string }>;

interface Stage {
  database: Database;
  gateway: Gateway;
  headEnd: HeadEndProcess;
  air: HeadEndClient;
  /** The next customer; each pays once a round trip through all. */
  next(): number;
}

/** `picture-*`: milliseconds and cards a second; see README.md. */
export async function benchPicture(wanted: ReadonlySet<string>, plan: Plan): Promise<Result[]> {
  const folder = mkdtempSync(join(tmpdir(), 'vip-billing-bench-files-'));
  const closers: (() => Promise<void>)[] = [];
  try {
    const stage = await setTheStage(folder, closers);
    await payAt(stage, RATES[1], WARM_UP / RATES[1]);
    const results: Result[] = [];
    if (wanted.has('time-to-picture')) results.push(...(await timeToPicture(stage, plan)));
    if (wanted.has('recovery')) results.push(...(await recovery(stage, plan)));
    return results;
  } finally {
    for (const close of closers.reverse()) await close();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function setTheStage(folder: string, closers: (() => Promise<void>)[]): Promise<Stage> {
  const database = await startDatabase();
  closers.push(() => database.stop());
  const house = await openHouse(database);
  await furnish(house, CUSTOMERS);
  await house.close();
  const headEnd = await startHeadEndProcess({
    dataFile: join(folder, 'head-end.jsonl'),
    services: [],
    latency: LATENCY,
    logger: silentLogger,
  });
  closers.push(() => headEnd.stop());
  const control = { host: '127.0.0.1', port: headEnd.port };
  const task: PictureTask = { ...gatewayTask(database, folder), control };
  const gateway = await startHelper<{ url: string }>('picture-gateway.ts', task);
  closers.push(() => gateway.stop());
  let customer = 0;
  const next = () => customer++ % CUSTOMERS;
  return { database, gateway, headEnd, air: createHeadEndClient(headEnd.http), next };
}

interface Times {
  accepted: number[];
  onAir: number[];
}

async function timeToPicture(stage: Stage, { rounds, seconds }: Plan): Promise<Result[]> {
  const byRate = new Map<number, Times[]>(RATES.map((rate) => [rate, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const rate of RATES) {
      const times = await payAt(stage, rate, seconds);
      byRate.get(rate)?.push(times);
      const [ack, air] = [at(times.accepted, 0.99), at(times.onAir, 0.99)];
      process.stderr.write(
        `  round ${round}: ${rate}/s p99 accepted ${format(ack)} ms, on air ${format(air)} ms\n`,
      );
    }
  }
  return [...byRate].flatMap(([rate, taken]) => [
    ...percentiles(`picture-accepted-${rate}`, taken, 'accepted', ACK_P99_MS_MAX),
    ...percentiles(`picture-on-air-${rate}`, taken, 'onAir', ON_AIR_P95_MS_MAX),
  ]);
}

function percentiles(name: string, taken: Times[], of: keyof Times, aim: number): Result[] {
  const all = taken.flatMap((times) => times[of]);
  return [50, 95, 99].map((percent) => {
    const value = at(all, percent / 100);
    const spread = spreadOf(taken.map((times) => at(times[of], percent / 100)));
    const unit = 'ms';
    return { name: `${name}-p${percent}`, value, unit, baseline: aim, ratio: value / aim, spread };
  });
}

const at = (figures: readonly number[], share: number): number =>
  [...figures].sort((a, b) => a - b)[Math.floor(share * (figures.length - 1))] ?? Number.NaN;

/** Pays at fixed instants whatever is answered; waits until all of it is on air. */
async function payAt(stage: Stage, perSecond: number, seconds: number): Promise<Times> {
  const total = Math.round(perSecond * seconds);
  const due = new Map<string, number>();
  const day = freshDay();
  const startMs = Date.now();
  const paying: Promise<void>[] = [];
  for (let serial = 0; serial < total; ) {
    const dueMs = startMs + (serial / perSecond) * 1000;
    if (dueMs > Date.now()) {
      await tick(1);
      continue;
    }
    const n = stage.next();
    due.set(cardNumberOf(n), dueMs);
    paying.push(post(stage.gateway.answer.url, confirmationOf(receiptOf(day, serial), n)));
    serial += 1;
  }
  await Promise.all(paying);
  const aired = await allOnAir(stage, total);
  const since = (pick: 'accepted' | 'onAir') =>
    [...due].map(([card, dueMs]) => (aired[card]?.[pick] ?? Number.POSITIVE_INFINITY) - dueMs);
  return { accepted: since('accepted'), onAir: since('onAir') };
}

async function allOnAir({ gateway }: Stage, cards: number): Promise<Aired> {
  const all: Aired = {};
  const giveUpMs = Date.now() + SETTLED_MS_MAX;
  while (Date.now() < giveUpMs) {
    const { aired } = await gateway.ask<{ aired: Aired }>();
    for (const [card, times] of Object.entries(aired)) all[card] = { ...all[card], ...times };
    if (Object.values(all).filter((times) => times.onAir !== undefined).length >= cards) return all;
    await tick(100);
  }
  throw new Error(`Not all ${cards} cards were on air within ${SETTLED_MS_MAX / 1000} s`);
}

/** Cards a second after the head-end was away, over what it can take from a bare link. */
async function recovery(stage: Stage, { rounds }: Plan): Promise<Result[]> {
  const ours: number[] = [];
  const limits: number[] = [];
  for (let round = 1; round <= rounds; round++) {
    limits.push(await bareLink(stage.headEnd.port, round));
    await stage.air.setLink(false);
    await payAll(stage, WAITING_CARDS);
    await stage.gateway.ask();
    await stage.air.setLink(true);
    const times = Object.values(await allOnAir(stage, WAITING_CARDS));
    const started = Math.min(...times.map(({ accepted }) => accepted ?? Number.POSITIVE_INFINITY));
    ours.push(rateOf(times.map(({ onAir }) => (onAir ?? 0) - started)));
    const [rate, limit] = [ours.at(-1) ?? 0, limits.at(-1) ?? 0];
    process.stderr.write(`  round ${round}: ${format(rate)} cards/s, bare link ${format(limit)}\n`);
  }
  const ratios = ours.map((rate, round) => rate / (limits[round] ?? Number.NaN));
  const [value, ratio] = [at(ours, 0.5), at(ratios, 0.5)];
  const baseline = at(limits, 0.5);
  return [{ name: 'recovery', value, unit: 'cards/s', baseline, ratio, spread: spreadOf(ratios) }];
}

async function payAll({ gateway, next }: Stage, count: number): Promise<void> {
  const day = freshDay();
  let serial = 0;
  const payer = async () => {
    while (serial < count) {
      const body = confirmationOf(receiptOf(day, serial++), next());
      await post(gateway.answer.url, body);
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS_MAX }, payer));
}

/** The head-end's own limit: sets of rights for as many other cards, from a bare link. */
async function bareLink(port: number, round: number): Promise<number> {
  const link = createVipControlLink({
    host: '127.0.0.1',
    port,
    clientId: 'bench-bare',
    casId: 'bench',
    epoch: () => 1,
    clock: systemClock,
    random: systemRandom,
    logger: silentLogger,
  });
  const from = systemClock.now();
  const to = new Date(from.getTime() + 30 * 86_400_000);
  const startMs = Date.now();
  const doneMs: number[] = [];
  const sending = Array.from({ length: WAITING_CARDS }, (_, n) => n);
  const sender = async () => {
    for (let n = sending.pop(); n !== undefined; n = sending.pop()) {
      const outcome = await link.send({
        op: 'ENTITLE',
        rev: round,
        set: [{ product: 'ESS', from, to }],
        cmdId: `bare.${round}.${n}`,
        target: cardTarget(`9${String(n).padStart(10, '0')}`),
        prio: 'SALE',
        notAfter: new Date(Date.now() + SETTLED_MS_MAX),
      });
      if (outcome.kind !== 'done') throw new Error(`A bare command ended as ${outcome.kind}`);
      doneMs.push(Date.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: 512 }, sender));
  await link.close();
  return rateOf(doneMs);
}

/** Cards a second until all but the last hundredth: those waited for the slowest few executions. */
const rateOf = (afterMs: readonly number[]): number =>
  (0.99 * afterMs.length) / (at(afterMs, 0.99) / 1000);

const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });

/** A confirmation; rejects unless it is answered with 200. */
function post(url: string, body: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request(`${url}${hook(PAYBILL)}/confirm`, { method: 'POST', agent, headers });
    sent.on('response', (response) => {
      response.resume();
      response.once('end', () =>
        response.statusCode === 200
          ? resolve()
          : reject(new Error(`A payment was answered with ${response.statusCode}`)),
      );
    });
    sent.on('error', reject);
    sent.end(body);
  });
}

const tick = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
