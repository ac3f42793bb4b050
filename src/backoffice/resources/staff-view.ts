/** Staff as they are answered, and the sites that are given to somebody. */
import { z } from 'zod';
import { idText, instant, siteCode } from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';
import { ROLE_NAMES } from '../people/permissions.ts';
import { type Principal, withinSites } from '../people/principal.ts';
import type { Staff } from '../people/staff-store.ts';
import { codeOf, type Desk } from './desk.ts';

export const staffMember = z
  .strictObject({
    id: idText,
    login: z.string(),
    fullName: z.string(),
    roles: z.array(z.enum(ROLE_NAMES)),
    /** Null: all of them. */
    sites: z.array(siteCode).nullable(),
    hasSecondFactor: z.boolean(),
    mustChangePassword: z.boolean(),
    isActive: z.boolean(),
    createdAt: instant,
  })
  .meta({ id: 'Staff' });

/** The codes of sites; null: all of them. */
export const siteCodes = (desk: Pick<Desk, 'catalogue'>, sites: 'all' | bigint[]) =>
  sites === 'all' ? null : sites.map((one) => codeOf(desk, one));

export const staffView = (desk: Pick<Desk, 'catalogue'>) => (staff: Staff) => ({
  id: staff.id.toString(),
  login: staff.login,
  fullName: staff.fullName,
  roles: staff.roles,
  sites: siteCodes(desk, staff.sites),
  hasSecondFactor: staff.totpSince !== null,
  mustChangePassword: staff.mustChange,
  isActive: staff.isActive,
  createdAt: staff.createdAt.toISOString(),
});

/** Sites that are given, by their codes; nobody gives what they do not see. */
export function givenSites(
  desk: Pick<Desk, 'catalogue'>,
  principal: Principal,
  codes: readonly string[] | null,
): 'all' | bigint[] | Problem {
  if (codes === null) return principal.sites === 'all' ? 'all' : problem('outside_own_sites');
  const byCode = new Map([...desk.catalogue().sites.values()].map(({ code, id }) => [code, id]));
  const ids: bigint[] = [];
  for (const [index, code] of codes.entries()) {
    const id = byCode.get(code);
    if (id === undefined || !withinSites(principal.sites, [id])) {
      const field = { path: `sites.${index}`, code: 'unknown', message: 'Not a site of yours' };
      return problem('outside_own_sites', { fields: [field] });
    }
    if (!ids.includes(id)) ids.push(id);
  }
  return ids;
}
