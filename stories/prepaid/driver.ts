/**
 * Tells prepaid cases: actions and readings in the order of time, everything due before each of
 * them, readings of an instant before its actions.
 */
import { readFile } from 'node:fs/promises';
import { BadCase, type CaseResult, type Difference, type Mode } from '../result.ts';
import { type Answer, perform, type Story } from './actions.ts';
import { isSame, read } from './checks.ts';
import type { Action, Case, Check, PrepaidFile } from './file.ts';
import { openHouse } from './houses.ts';
import { setupOf } from './setup.ts';

/** Is this what the driver tells? */
export const isPrepaidFile = (file: unknown): file is PrepaidFile =>
  (file as PrepaidFile | null)?.meta?.format === 'prepaid-cases/1';

/** Tells all cases of a file (its path, or what was read from it), one after the other. */
export async function* run(file: unknown, mode: Mode): AsyncIterable<CaseResult> {
  const read: unknown = typeof file === 'string' ? JSON.parse(await readFile(file, 'utf8')) : file;
  if (!isPrepaidFile(read)) throw new BadCase('not a file of prepaid-cases/1');
  for (const one of read.cases) yield await tell(read, one, mode);
}

/** Tells one case. A case that can't be told as written has that as its difference. */
export async function tell(file: PrepaidFile, one: Case, mode: Mode): Promise<CaseResult> {
  const differences: Difference[] = [];
  try {
    const setup = setupOf(file, one);
    const house = await openHouse(setup, mode);
    try {
      const story: Story = { setup, house, accounts: new Map(), keys: new Map() };
      await walk(story, one, differences);
    } finally {
      await house.close();
    }
  } catch (error) {
    const computed = error instanceof Error ? error.message : String(error);
    differences.push({ at: 'case', expected: 'a case that can be told', computed });
  }
  return { id: one.id, mode, pass: differences.length === 0, differences };
}

type Moment = { at: number; check: Check } | { at: number; action: Action };

/** Actions by instant and `seq`, with the timed readings of an instant before them. */
function momentsOf({ timeline, expected = [] }: Case): Moment[] {
  const actions = [...timeline]
    .sort((a, b) => a.seq - b.seq)
    .map((action): Moment => ({ at: Date.parse(action.instant), action }));
  const readings = expected.flatMap((check): Moment[] =>
    check.step ? [] : [{ at: Date.parse(check.instant ?? ''), check }],
  );
  // Sorting is stable: what is equal stays in its order.
  return [...readings, ...actions].sort((a, b) => a.at - b.at);
}

async function walk(story: Story, one: Case, differences: Difference[]): Promise<void> {
  const answers = new Map<number, Answer>();
  const look = async (check: Check, at: Date): Promise<void> => {
    await story.house.due(at);
    const computed = await read({ story, at, answers }, check);
    if (!isSame(computed, check.value)) {
      differences.push({ at: placeOf(check), expected: check.value, computed });
    }
  };
  for (const moment of momentsOf(one)) {
    const at = new Date(moment.at);
    await story.house.due(at);
    if ('check' in moment) {
      await look(moment.check, at);
      continue;
    }
    const { action } = moment;
    answers.set(action.seq, await performed(story, action));
    for (const check of one.expected ?? []) {
      if (check.step?.after === action.seq) await look(check, at);
    }
  }
}

async function performed(story: Story, action: Action): Promise<Answer> {
  try {
    return await perform(story, action);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadCase(`action ${action.seq} (${action.action}): ${reason}`, { cause: error });
  }
}

function placeOf({ step, instant, check, ...more }: Check): string {
  const when = step ? `after ${step.after}` : String(instant);
  const of = [more.account, more.ref, more.card, more.code].filter(Boolean).join(' ');
  return [when, check, of].filter(Boolean).join(' ');
}
