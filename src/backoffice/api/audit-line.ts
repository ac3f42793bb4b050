/** What the audit says of a call. Pure. */
import type { AuditLine } from '../people/audit.ts';
import { type Call, type Note, type Route, routeName } from './route.ts';

type Noted = Pick<Call<unknown, unknown, unknown>, 'principal' | 'now' | 'requestId' | 'remote'> & {
  notes: Note;
};

/** JSON as it would travel. */
export const plainOf = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_key, item) => (typeof item === 'bigint' ? item.toString() : item)),
  );

/** The line of the audit for a call, with what its handler noted. */
export function lineOf(route: Route, call: Noted, outcome: AuditLine['outcome']): AuditLine {
  const { notes, principal, now: at, requestId, remote } = call;
  const { objectId, siteId = null, before = null, after = null, reason = null } = notes;
  return {
    ...{ at, requestId, actor: principal.key, actorName: principal.name },
    ...{ role: principal.role, remote },
    ...{ route: routeName(route), outcome, siteId, object: route.write?.object ?? '' },
    objectId: objectId === undefined || objectId === null ? null : String(objectId),
    before: plainOf(before),
    after: plainOf(after),
    reason,
  };
}
