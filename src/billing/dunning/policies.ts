/** Which dunning policies hold: what the catalogue file says, by site. */
import { parseDay } from '../../platform/day.ts';
import type { PolicyVersion } from '../catalogue/dunning-policy.ts';
import type { OperatorCatalogue } from '../catalogue/file/types.ts';
import type { Site } from '../catalogue/rules.ts';

/** The policies of the file for sites that there are; terms of any other site are left out. */
export function policiesOf(
  operator: Pick<OperatorCatalogue, 'dunning'>,
  sites: ReadonlyMap<bigint, Pick<Site, 'id' | 'code'>>,
): PolicyVersion[] {
  const idOf = new Map([...sites.values()].map(({ code, id }) => [code, id]));
  return operator.dunning.flatMap(({ site, category, from, policy }) => {
    const siteId = idOf.get(site);
    return siteId === undefined ? [] : [{ siteId, category, from: parseDay(from), policy }];
  });
}
