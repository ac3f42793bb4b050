/** The laws that hold of prepaid television whatever people do: `LAWS`, and how to try them. */
import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { coverageOf, runOf } from '../../src/billing/settlement/lines.ts';
import { perform, type Story } from './actions.ts';
import type { Case, PrepaidFile } from './file.ts';
import { histories, PLANS } from './histories.ts';
import { createPaperHouse, type PaperHouse } from './paper-house.ts';
import { setupOf } from './setup.ts';

const ACTIONS_MAX = 25;

const file = (one: Case): PrepaidFile => ({
  meta: { format: 'prepaid-cases/1', defaults: {} },
  plans: PLANS,
  cases: [one],
});

/** Tells a history on paper; each act once more, which must change nothing. */
async function told(one: Case, afterEach: (house: PaperHouse) => Promise<void>): Promise<void> {
  const setup = setupOf(file(one), one);
  const house = createPaperHouse(setup);
  const story: Story = { setup, house, accounts: new Map(), keys: new Map() };
  for (const action of one.timeline) {
    await house.due(new Date(action.instant));
    const first = await perform(story, action);
    const isOpening = action.action.startsWith('create_');
    if (!isOpening) {
      const journals = house.paper.journals.length;
      deepStrictEqual([action, await perform(story, action)], [action, first]);
      deepStrictEqual(house.paper.journals.length, journals);
    }
    await afterEach(house);
  }
}

const nameOf = ({ product, from, to }: { product: string; from: Date; to: Date }): string =>
  `${product} ${from.toISOString()} ${to.toISOString()}`;

/** What is kept of run and coverage is what comes of the lines. */
async function isKeptRight({ paper }: PaperHouse): Promise<void> {
  for (const { subscription, coverage } of paper.cards.values()) {
    if (!subscription) continue;
    const lines = [...paper.terms.values()].filter(
      (line) => line.subscriptionId === subscription.id && line.state === 'sold',
    );
    const products = (id: bigint) => paper.catalogue.bouquets.get(id)?.products ?? [];
    const whole = coverageOf(lines, products, subscription.pause?.from ?? null).map(nameOf);
    // What has ended long ago may have been let go.
    const extra = (coverage ?? []).map(nameOf).filter((right) => !whole.includes(right));
    deepStrictEqual(extra, []);
    const { paidUntil, baseDate } = runOf(lines);
    deepStrictEqual([subscription.paidUntil, subscription.baseDate], [paidUntil, baseDate]);
  }
}

async function areLotsInOrder({ paper }: PaperHouse): Promise<void> {
  for (const { parts } of paper.terms.values()) {
    const rank = parts.map(({ priority, expiresAt, lotId }) => [
      priority,
      expiresAt?.getTime() ?? Number.MAX_SAFE_INTEGER,
      Number(lotId),
    ]);
    const sorted = [...rank].sort(
      ([a = 0, b = 0, c = 0], [x = 0, y = 0, z = 0]) => a - x || b - y || c - z,
    );
    deepStrictEqual(rank, sorted);
  }
}

export interface Law {
  name: string;
  holds(house: PaperHouse): Promise<void>;
}

export const LAWS: readonly Law[] = [
  {
    name: 'the books are sound, no wallet is below zero, and a repeat changes nothing',
    holds: async (house) => deepStrictEqual(await house.faults(), []),
  },
  { name: 'what is kept of run and coverage is what comes of the lines', holds: isKeptRight },
  { name: 'lots are consumed by priority, then expiry, then age', holds: areLotsInOrder },
];

/** Tries a law over `runs` histories; throws with the smallest that breaks it. */
export async function checkLaw({ holds }: Law, runs: number, seed?: number): Promise<void> {
  await fc.assert(
    fc.asyncProperty(histories(ACTIONS_MAX), (one) => told(one, holds)),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  );
}
