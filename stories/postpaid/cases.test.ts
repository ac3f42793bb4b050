import { readFileSync } from 'node:fs';
import { tell } from './driver.ts';
import type { BillingFile } from './file.ts';

/**
 * Goal: the published postpaid cases, and ours, come out to the minor unit and to the day.
 * Method: each is told in memory; what differs is shown.
 */
describe.each(['billing-cases', 'more-billing-cases'])('the case of %s', (name) => {
  const file: BillingFile = JSON.parse(readFileSync(`test/cases/${name}.json`, 'utf8'));

  it.each(file.cases.map((one) => [one.id, one] as const))('%s comes out', async (_id, one) => {
    const { differences } = await tell(file, one, 'pure');
    expect(differences).toEqual([]);
  });
});
