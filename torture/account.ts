/**
 * What people did at the head-end behind our back (`meddling.ts`), accounted for one by one against
 * the head-end's own log: found, told and healed; and what it refused, told to people in words.
 */
import { readdir, readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Pool } from 'pg';
import { priceAt } from '../src/billing/catalogue/rules.ts';
import { createCatalogue } from '../src/billing/catalogue/service.ts';
import { sentenceOf } from '../src/entitlement/work-items/rules.ts';
import { createPrisma } from '../src/platform/database/prisma.ts';
import { silentLogger } from '../src/platform/log.ts';
import { systemClock } from '../src/platform/system.ts';
import { type Activation, FOREIGN_PRODUCT, type Meddled } from './meddling.ts';
import type { Town } from './town.ts';

export interface Accounts {
  faults: string[];
  counts: {
    /** Activations at the console. */
    activations: number;
    found: number;
    /** Minor units of the found ones. */
    worth: string;
    /** A newer set of ours had replaced them before anybody compared. */
    overwritten: number;
    /** Cards about which the head-end disagreed, and products that it did not carry. */
    disagreements: number;
    /** Cards refused, by code, as the head-end's log has it. */
    refused: Record<string, number>;
    workItems: number;
    differences: number;
  };
}

export interface LogLine {
  n: number;
  at: string;
  cmdId: string | null;
  op: string;
  target: { kind: string; id: string };
  args: { why?: string };
  code: string;
}

export interface DifferenceRow {
  card: string;
  class: string;
  product: string;
  amount: bigint | null;
  currency: string | null;
  since: Date;
  foundAt: Date;
  writtenBy: string | null;
  isClosed: boolean;
}

export interface WorkItemRow {
  card: string;
  code: string;
  sentence: string;
  isClosed: boolean;
}

/** What was read on both sides. */
export interface Read {
  log: readonly LogLine[];
  differences: readonly DifferenceRow[];
  workItems: readonly WorkItemRow[];
  /** Refusals that reached us: `cmd_id`s of the command log. */
  heard: ReadonlySet<string>;
  /** Price of a month of the foreign product, minor units. */
  monthPrice: bigint;
}

/** What only people can mend, and so must be told. */
const REFUSALS = ['UNKNOWN_CARD', 'BLACKLISTED', 'UNKNOWN_PRODUCT', 'STALE_REV'];
const OURS = 'vip-control.';
const MONTH_MS = 30n * 86_400_000n;
const SITE = 'NBO';
const CURRENCY = 'KES';

/** Reads the head-end's log and our tables. */
export async function readAccounts(
  pool: Pool,
  { databaseUrl, headEndLog }: Pick<Town, 'databaseUrl' | 'headEndLog'>,
): Promise<Read> {
  const differences = await pool.query<DifferenceRow>(
    `SELECT card, class, product, amount, currency, since, found_at AS "foundAt",
            written_by AS "writtenBy", EXISTS (SELECT FROM reconciliation_closing
                                                WHERE difference_id = d.id) AS "isClosed"
       FROM reconciliation_difference d ORDER BY id`,
  );
  const workItems = await pool.query<WorkItemRow>(
    `SELECT c.number AS card, w.code, w.sentence, w.closed_at IS NOT NULL AS "isClosed"
       FROM work_item w JOIN card c ON c.id = w.card_id ORDER BY w.id`,
  );
  const heard = await pool.query<{ cmdId: string }>(
    'SELECT cmd_id AS "cmdId" FROM command_log WHERE code = ANY ($1)',
    [REFUSALS],
  );
  return {
    log: await readLog(headEndLog),
    ...{ differences: differences.rows, workItems: workItems.rows },
    heard: new Set(heard.rows.map(({ cmdId }) => cmdId)),
    monthPrice: await monthPriceOf(databaseUrl, FOREIGN_PRODUCT),
  };
}

async function readLog(path: string): Promise<LogLine[]> {
  const names = (await readdir(dirname(path))).filter((name) =>
    name.startsWith(`${basename(path)}.`),
  );
  const texts = await Promise.all(
    names.sort().map((name) => readFile(join(dirname(path), name), 'utf8')),
  );
  return texts.flatMap((text) =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line): LogLine => JSON.parse(line)),
  );
}

/** The cheapest month that shows a product in Kenya, minor units of KES. */
async function monthPriceOf(databaseUrl: string, product: string): Promise<bigint> {
  const options = { url: databaseUrl, max: 1, logger: silentLogger, name: 'torture-prices' };
  const prisma = createPrisma(options);
  try {
    const { sites, bouquets } = (await createCatalogue(prisma, systemClock)).current();
    const prices = [...bouquets.values()]
      .filter((one) => sites.get(one.siteId)?.code === SITE && one.products.includes(product))
      .flatMap((one) => priceAt(one, 'month', new Date()) ?? []);
    return prices.reduce((least, price) => (price < least ? price : least));
  } finally {
    await prisma.$disconnect();
  }
}

/** Accounts for all of it. The house must be quiet, and compared with the head-end. */
export function account({ activations, disagreements }: Meddled, read: Read): Accounts {
  const meddled = new Set([...disagreements.keys(), ...activations.map(({ card }) => card)]);
  const faults: string[] = [];
  let found = 0;
  let overwritten = 0;
  let worth = 0n;
  for (const activation of activations) {
    const said = accountFor(activation, read);
    faults.push(...said.faults);
    if (said.found) found += 1;
    if (said.found) worth += said.found.amount ?? 0n;
    else if (said.faults.length === 0) overwritten += 1;
  }
  for (const { card, class: kind, product, isClosed } of read.differences) {
    const what = `difference ${kind} ${product} of card ${card}`;
    if (!meddled.has(card)) faults.push(`${what}: nobody had touched it`);
    if (!isClosed) faults.push(`${what}: not healed`);
  }
  const refusals = refusalsOf(disagreements, read);
  faults.push(...refusals.faults);
  return {
    faults,
    counts: {
      ...{ activations: activations.length, found, worth: String(worth), overwritten },
      disagreements: disagreements.size,
      ...{ refused: refusals.refused, workItems: read.workItems.length },
      differences: read.differences.length,
    },
  };
}

/** An activation was found with its worth, or a set of ours came first. */
function accountFor(
  { card, mark, product }: Activation,
  { log, differences, monthPrice }: Read,
): { faults: string[]; found?: DifferenceRow } {
  const what = `${mark} of card ${card}`;
  // Asked for again when the answer was lost, it stands there twice.
  const write = log.findLast(({ op, args }) => op === 'CONSOLE' && args.why === mark);
  if (!write) return { faults: [`${what}: not in the head-end's log`] };
  const found = differences.find(
    (one) => one.card === card && one.class === 'A' && one.product === product,
  );
  if (!found) {
    const isReplaced = log.some(
      ({ n, op, target, code }) =>
        n > write.n && target.id === card && op === 'ENTITLE' && code === 'DONE',
    );
    return { faults: isReplaced ? [] : [`${what}: neither found nor overwritten`] };
  }
  const faults: string[] = [];
  const expect = (name: string, is: unknown, should: unknown) => {
    if (is !== should) faults.push(`${what}: ${name} ${is}, expected ${should}`);
  };
  expect('written by', found.writtenBy, 'console');
  expect('currency', found.currency, CURRENCY);
  const ms = BigInt(Math.max(0, found.foundAt.getTime() - found.since.getTime()));
  expect('worth', found.amount, (2n * monthPrice * ms + MONTH_MS) / (2n * MONTH_MS));
  return { faults, found };
}

/** Whatever the head-end refused and we heard of is a work item with its sentence, now closed. */
function refusalsOf(
  disagreements: Meddled['disagreements'],
  { log, workItems, heard }: Read,
): { faults: string[]; refused: Record<string, number> } {
  const lines = log.filter(
    ({ op, cmdId, target, code }) =>
      op === 'ENTITLE' &&
      cmdId?.startsWith(OURS) &&
      heard.has(cmdId) &&
      // A set that came behind a later one of ours is refused rightly, and nobody's work.
      (code === 'STALE_REV'
        ? disagreements.get(target.id) === 'stale_rev'
        : REFUSALS.includes(code)),
  );
  const refusedCards = new Map(lines.map(({ target, code }) => [`${target.id} ${code}`, code]));
  const refused: Record<string, number> = {};
  for (const code of refusedCards.values()) refused[code] = (refused[code] ?? 0) + 1;
  const told = new Set(workItems.map(({ card, code }) => `${card} ${code}`));
  const faults = [...refusedCards.keys()]
    .filter((key) => !told.has(key))
    .map((key) => `card ${key}: refused, and nobody was told`);
  for (const { card, code, sentence, isClosed } of workItems) {
    const key = `${card} ${code}`;
    if (sentence !== sentenceOf(code)) faults.push(`card ${key}: told «${sentence}»`);
    if (!isClosed) faults.push(`card ${key}: the work item is still open`);
    if (!refusedCards.has(key)) faults.push(`card ${key}: told of, and never refused`);
  }
  return { faults, refused };
}
