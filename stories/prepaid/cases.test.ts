import { readFileSync } from 'node:fs';
import { tell } from './driver.ts';
import type { PrepaidFile } from './file.ts';

/**
 * Goal: the published prepaid cases, and ours, come out to the minor unit and to the second.
 * Method: each is told on paper; what differs is shown.
 */
describe.each(['prepaid-cases', 'more-prepaid-cases'])('the case of %s', (name) => {
  const file: PrepaidFile = JSON.parse(readFileSync(`test/cases/${name}.json`, 'utf8'));

  it.each(file.cases.map((one) => [one.id, one] as const))('%s comes out', async (_id, one) => {
    const { differences } = await tell(file, one, 'pure');
    expect(differences).toEqual([]);
  });
});
