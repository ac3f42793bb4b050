/**
 * Tells postpaid cases: the clock walks day by day; on each day the actions at its opening, the
 * automatic work, the other actions by `seq`, and the readings of its end.
 */
import { readFile } from 'node:fs/promises';
import { type Day, formatDay, parseDay } from '../../src/platform/day.ts';
import { BadCase, type CaseResult, type Difference, type Mode } from '../result.ts';
import { perform } from './actions.ts';
import { read } from './checks.ts';
import {
  type Action,
  type BillingFile,
  type Case,
  type Check,
  type Expectation,
  type InvoiceExpectation,
  isCheck,
} from './file.ts';
import { createScriptedGateway } from './gateway.ts';
import { openHouse, withStage } from './houses.ts';
import { compareCounts, compareInvoice, type Read, readAsMade, readNow } from './invoices.ts';
import { setupOf } from './setup.ts';
import { noteInvoices, type Story } from './story.ts';

const DOWN_REPEATS_MAX = 1000;

/** Is this what the driver tells? */
export const isBillingFile = (file: unknown): file is BillingFile =>
  (file as BillingFile | null)?.meta?.format?.startsWith('billing-cases/') ?? false;

/** Tells all cases of a file (its path, or what was read from it), one after the other. */
export async function* run(file: unknown, mode: Mode): AsyncIterable<CaseResult> {
  const content: unknown =
    typeof file === 'string' ? JSON.parse(await readFile(file, 'utf8')) : file;
  if (!isBillingFile(content)) throw new BadCase('not a file of billing cases');
  yield* withStage(mode, tellAll(content, mode));
}

async function* tellAll(file: BillingFile, mode: Mode): AsyncIterable<CaseResult> {
  for (const one of file.cases) yield await tell(file, one, mode);
}

interface Telling {
  story: Story;
  one: Case;
  differences: Difference[];
  /** Invoices that are read at a given moment. */
  reads: Read[];
}

/** Tells one case. A case that cannot be told as written has that as its difference. */
export async function tell(file: BillingFile, one: Case, mode: Mode): Promise<CaseResult> {
  const differences: Difference[] = [];
  const deliberate: NonNullable<CaseResult['deliberate']> = [];
  try {
    const setup = setupOf(file, one);
    const gateway = createScriptedGateway();
    const house = await openHouse({ ...setup, gateway }, mode);
    try {
      const story: Story = {
        setup,
        house,
        gateway,
        accounts: new Map(),
        performed: new Map(),
        invoices: [],
        downUntil: null,
      };
      const telling = { story, one, differences, reads: [] };
      await walk(telling);
      compareInvoices(telling, deliberate);
    } finally {
      await house.close();
    }
  } catch (error) {
    const computed = error instanceof Error ? error.message : String(error);
    differences.push({ at: 'case', expected: 'a case that can be told', computed });
  }
  const result = { id: one.id, mode, pass: differences.length === 0, differences };
  return deliberate.length > 0 ? { ...result, deliberate } : result;
}

function compareInvoices(
  { story, one, differences, reads }: Telling,
  deliberate: NonNullable<CaseResult['deliberate']>,
): void {
  const expected = one.expected.filter((each): each is InvoiceExpectation => !isCheck(each));
  for (const expectation of expected) {
    const read =
      reads.find((each) => each.expectation === expectation) ?? readAsMade(story, expectation);
    differences.push(...compareInvoice(read, deliberate));
  }
  differences.push(...compareCounts(story, expected));
}

/** The last day that actions or expectations need. */
function lastDay({ timeline, expected }: Case): Day {
  const dates = [
    ...timeline.map(({ on }) => on),
    ...expected.flatMap((one) => [
      one.on,
      ...(isCheck(one) ? [one.until] : [one.as_of?.on]).filter((on) => typeof on === 'string'),
    ]),
  ];
  return Math.max(...dates.map(parseDay));
}

async function walk(telling: Telling): Promise<void> {
  const { one } = telling;
  const actions = [...one.timeline].sort((a, b) => a.seq - b.seq);
  const days = Map.groupBy(actions, ({ on }) => parseDay(on));
  const first = Math.min(...days.keys());
  const last = lastDay(one);
  for (let today = first; today <= last; today += 1) {
    const acts = days.get(today) ?? [];
    for (const action of acts.filter(({ at }) => at === 'open')) await performed(telling, action);
    await work(telling, today);
    let due = one.expected.filter((each) => isReadAtEnd(each, formatDay(today)));
    for (const action of acts.filter(({ at }) => at !== 'open')) {
      const now = due.filter((each) => isReadBefore(each, action));
      await look(telling, today, (each) => now.includes(each));
      due = due.filter((each) => !now.includes(each));
      await performed(telling, action);
    }
    await look(telling, today, (each) => due.includes(each));
  }
}

/** A check at an instant of the day is read before what happens later. */
const isReadBefore = (one: Expectation, { instant }: Action): boolean =>
  isCheck(one) && one.instant !== undefined && instant !== undefined && one.instant < instant;

/** Read on its day (or the last day it speaks of), not before or after an action. */
function isReadAtEnd(one: Expectation, today: string): boolean {
  if (!isCheck(one)) return one.as_of !== undefined && !one.as_of.step && one.as_of.on === today;
  if (one.step) return false;
  const until = one.check === 'no_invoice' && typeof one.until === 'string' ? one.until : one.on;
  return until === today;
}

const stepOf = (one: Expectation) => (isCheck(one) ? one.step : one.as_of?.step);

async function work({ story }: Telling, today: Day): Promise<void> {
  if (story.setup.isOnDemand) return;
  if (story.downUntil !== null && today < story.downUntil) return;
  for (const [name, account] of story.accounts) {
    await story.house.change([account], (engine, [book]) => {
      if (!book) throw new BadCase(`no account ${name}`);
      engine.work(book, today);
      for (let n = 0; n < DOWN_REPEATS_MAX && engine.repeatDown(book, today); n += 1);
    });
    await noteInvoices(story, name);
  }
}

async function performed(telling: Telling, action: Action): Promise<void> {
  const { story } = telling;
  const { seq } = action;
  const today = parseDay(action.on);
  const isStep = (step: 'before' | 'after') => (one: Expectation) => {
    const at = stepOf(one);
    return at !== undefined && step in at && (at as Record<string, number>)[step] === seq;
  };
  await look(telling, today, isStep('before'));
  try {
    story.performed.set(seq, await perform(story, action));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadCase(`action ${seq} (${action.action}): ${reason}`, { cause: error });
  }
  for (const name of story.accounts.keys()) await noteInvoices(story, name);
  await look(telling, today, isStep('after'));
}

async function look(
  { story, one, differences, reads }: Telling,
  today: Day,
  isNow: (expectation: Expectation) => boolean,
): Promise<void> {
  for (const expectation of one.expected.filter(isNow)) {
    if (!isCheck(expectation)) {
      reads.push(await readNow(story, expectation));
      continue;
    }
    const computed = await readChecked(story, expectation, today);
    if (!isEqual(computed, expectation.value)) {
      differences.push({ at: placeOf(expectation), expected: expectation.value, computed });
    }
  }
}

/** What cannot be read is a difference of its check alone. */
async function readChecked(story: Story, check: Check, today: Day): Promise<unknown> {
  try {
    return await read(story, check, today);
  } catch (error) {
    if (error instanceof BadCase) return `unreadable: ${error.message}`;
    throw error;
  }
}

const isEqual = (a: unknown, b: unknown): boolean =>
  JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

function placeOf({ on, step, check, ...more }: Check): string {
  const when = step ? ` ${JSON.stringify(step)}` : '';
  const of = [more.account, more.ref, more.of_payment, more.of_invoice]
    .filter((one) => one !== undefined)
    .map((one) => (typeof one === 'object' ? JSON.stringify(one) : String(one)));
  return [`${on}${when}`, check, ...of].join(' ');
}
