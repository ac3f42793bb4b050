/**
 * Goal: a seed is one life, always the same; the product comes through it; and a defect in what
 * was paid, sent or folded does not stay unseen.
 * Method: few seeds, some of them with a defect put in from outside. `npm run simulate` lives
 * through many.
 */
import { type Base, createBase } from './base.ts';
import type { Break } from './breaks.ts';
import { runSeed } from './seed.ts';
import { startServer } from './server.ts';

const SEED_MS_MAX = 60_000;
/** Enough for a test that is run often. */
const SHORT = { phases: 2 };
let server: Awaited<ReturnType<typeof startServer>>;
let base: Base;

beforeAll(async () => {
  server = await startServer();
  base = await createBase();
}, SEED_MS_MAX);
afterAll(() => server.stop());

describe('a simulated life', () => {
  it(
    'ends with nothing to find, and is the same life when it is lived again',
    async () => {
      const first = await runSeed(base, 5, SHORT);
      expect(first.faults).toEqual([]);
      expect(Object.keys(first.injected).length).toBeGreaterThan(0);
      expect(first.checks).toBeGreaterThan(50);
      const second = await runSeed(base, 5, SHORT);
      expect(second.hash).toBe(first.hash);
    },
    SEED_MS_MAX,
  );

  it.each<[Break, number, RegExp]>([
    ['credit_twice', 1, /^receipt \w+-2: in our books, not in the operator's$/],
    ['drop_right', 4, /^card \d+: other rights on air than ours$/],
    ['fold_by_id', 3, /^books: wrongFolds \d+$/],
  ])(
    'does not hide a product that has the defect %s',
    async (broken, seed, found) => {
      const { faults } = await runSeed(base, seed, { ...SHORT, broken });
      expect(faults).toContainEqual(expect.stringMatching(found));
    },
    SEED_MS_MAX,
  );
});
