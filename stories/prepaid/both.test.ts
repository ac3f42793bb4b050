import fc from 'fast-check';
import type { Mode } from '../result.ts';
import { type Answer, perform, type Story } from './actions.ts';
import type { Case, PrepaidFile } from './file.ts';
import { histories, PLANS } from './histories.ts';
import { openHouse } from './houses.ts';
import { setupOf } from './setup.ts';

/**
 * Goal: what is loaded and written is what the rules were given and said, whatever people do.
 * Method: histories made by chance over every action, told on paper and over Postgres; answers,
 * and afterwards everything that can be read, must be the same, and the tables sound. Over Postgres
 * days are earned on the way; what is deferred on a day is as on paper, where nothing is earned.
 */
const RUNS = Number(process.env.STORIES_BY_CHANCE ?? 12);
const ACTIONS_MAX = 30;
const DAY_MS = 86_400_000;
/** Longer than any term of these histories that is not paused. */
const DAYS_LATER_MAX = 100;
const ACCOUNTS = ['main', 'other'];
const REFS = ['s1', 's2', 's3'];
const CARDS = ['40210000010', '40210000028', '40210000036'];

const days = fc.integer({ min: 1, max: DAYS_LATER_MAX });

interface Told {
  answers: Answer[];
  read: unknown;
  /** On each date of the history, before anything happens on it, and some days later. */
  deferred: unknown[];
  faults: readonly string[];
}

async function told(one: Case, mode: Mode, daysLater: number): Promise<Told> {
  const file: PrepaidFile = {
    meta: { format: 'prepaid-cases/1', defaults: {} },
    plans: PLANS,
    cases: [one],
  };
  const setup = setupOf(file, one);
  const house = await openHouse(setup, mode);
  try {
    const story: Story = { setup, house, accounts: new Map(), keys: new Map() };
    const answers: Answer[] = [];
    const deferred: unknown[] = [];
    const look = async (on: Date) =>
      deferred.push([...(await house.deferred(on))].filter(([, amount]) => amount !== 0n));
    let last = '';
    for (const action of one.timeline) {
      const { instant } = action;
      await house.due(new Date(instant));
      // What is not at one instant is on another date.
      if (instant !== last) await look(new Date(instant));
      last = instant;
      answers.push(await perform(story, action));
    }
    const end = new Date(one.timeline.at(-1)?.instant ?? 0);
    const read = await everythingOf(story, end);
    await look(new Date(end.getTime() + daysLater * DAY_MS));
    return { answers, read, deferred, faults: await house.faults() };
  } finally {
    await house.close();
  }
}

/** What is deferred and what is earned as one. */
function asRevenue(kinds: ReadonlyMap<string, bigint>): Map<string, bigint> {
  const { deferred_revenue = 0n, earned_revenue = 0n, ...others } = Object.fromEntries(kinds);
  return new Map([...Object.entries(others), ['revenue', deferred_revenue + earned_revenue]]);
}

async function everythingOf({ house }: Story, at: Date): Promise<unknown> {
  const all = async <T>(names: readonly string[], look: (name: string) => Promise<T>) =>
    Object.fromEntries(
      await Promise.all(names.map(async (name): Promise<[string, T]> => [name, await look(name)])),
    );
  const sums = [...(await house.journal())].map(([asset, kinds]) => [
    asset,
    [...asRevenue(kinds)].filter(([, amount]) => amount !== 0n).sort(),
  ]);
  const units = async (account: string) =>
    [...(await house.units(account))].filter(([, n]) => n !== 0n).sort();
  return {
    terms: await all(REFS, (ref) => house.term(ref)),
    states: await all(REFS, (ref) => house.state(ref, at)),
    rights: await all(CARDS, (card) => house.rights(card, at)),
    wallets: await all(ACCOUNTS, (account) => house.wallet(account)),
    units: await all(ACCOUNTS, units),
    journal: sums.filter(([, kinds]) => kinds?.length !== 0).sort(),
    suspense: await house.suspense('KES'),
    budget: await house.promotionBudget('X'),
    said: (await house.said()).map(({ to, message }) => ({ to, ...message, ref: null })),
  };
}

describe('whatever people do', () => {
  it('comes out over Postgres as on paper', async () => {
    await fc.assert(
      fc.asyncProperty(histories(ACTIONS_MAX), days, async (one, daysLater) => {
        const paper = await told(one, 'pure', daysLater);
        const tables = await told(one, 'postgres', daysLater);
        expect(tables).toEqual({ ...paper, faults: [] });
      }),
      { numRuns: RUNS },
    );
  }, 600_000);
});
