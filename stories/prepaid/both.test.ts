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
 * and afterwards everything that can be read, must be the same, and the tables sound.
 */
const RUNS = Number(process.env.STORIES_BY_CHANCE ?? 12);
const ACTIONS_MAX = 30;
const ACCOUNTS = ['main', 'other'];
const REFS = ['s1', 's2', 's3'];
const CARDS = ['40210000010', '40210000028', '40210000036'];

interface Told {
  answers: Answer[];
  read: unknown;
  faults: readonly string[];
}

async function told(one: Case, mode: Mode): Promise<Told> {
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
    for (const action of one.timeline) {
      await house.due(new Date(action.instant));
      answers.push(await perform(story, action));
    }
    const read = await everythingOf(story, new Date(one.timeline.at(-1)?.instant ?? 0));
    return { answers, read, faults: await house.faults() };
  } finally {
    await house.close();
  }
}

async function everythingOf({ house }: Story, at: Date): Promise<unknown> {
  const all = async <T>(names: readonly string[], look: (name: string) => Promise<T>) =>
    Object.fromEntries(
      await Promise.all(names.map(async (name): Promise<[string, T]> => [name, await look(name)])),
    );
  const sums = [...(await house.journal())].map(([asset, kinds]) => [
    asset,
    [...kinds].filter(([, amount]) => amount !== 0n).sort(),
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
      fc.asyncProperty(histories(ACTIONS_MAX), async (one) => {
        const paper = await told(one, 'pure');
        const tables = await told(one, 'postgres');
        expect(tables).toEqual({ ...paper, faults: [] });
      }),
      { numRuns: RUNS },
    );
  }, 600_000);
});
