import { checkLaw, LAWS } from './laws-harness.ts';

/**
 * Goal: what holds of every postpaid account, whatever happens to it and in whatever order.
 * Method: lives made by chance over plans of every period, told in memory; see `laws-harness.ts`.
 */
const RUNS_TOTAL = 2_000;
const TIMEOUT_MS = 120_000;

describe('whatever happens to an account', () => {
  it.each(LAWS.map((law) => [law.name, law] as const))(
    '%s',
    (_name, law) => {
      checkLaw(law, Math.ceil(RUNS_TOTAL / LAWS.length));
    },
    TIMEOUT_MS,
  );
});
