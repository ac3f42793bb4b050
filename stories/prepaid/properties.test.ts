import { checkLaw, LAWS } from './laws.ts';

/**
 * Goal: what holds of prepaid television whatever people do, in whatever order.
 * Method: histories made by chance over every action, told on paper; see `laws.ts`.
 */
const RUNS = 300;

describe('whatever people do', () => {
  it.each(LAWS.map((law) => [law.name, law] as const))('%s', (_name, law) => checkLaw(law, RUNS));
});
