/** Whoever calls: a member of staff in a session, or a partner's key. Pure. */
import type { Permission } from './permissions.ts';

export interface Principal {
  /** `staff:<id>` or `key:<id>`: stands in audit lines, approvals and idempotency keys. */
  key: string;
  kind: 'staff' | 'api_key';
  id: bigint;
  name: string;
  /** As what they act, for the audit: of staff their roles, of a key `partner`. */
  role: string;
  permissions: ReadonlySet<Permission>;
  /** `all`, or the sites whose data are seen; of all others nothing exists. */
  sites: 'all' | ReadonlySet<bigint>;
  /** Of staff only. */
  sessionId: bigint | null;
  /**
   * What must be done before anything else: a password given by somebody else is changed, the
   * second factor enrolled.
   */
  pending: 'password' | 'totp' | null;
}

/** Does the site exist for this principal? */
export const seesSite = ({ sites }: Principal, siteId: bigint): boolean =>
  sites === 'all' || sites.has(siteId);

/** For `($n::bigint[] IS NULL OR site_id = ANY ($n))`, which stands in every query. */
export const siteFilter = ({ sites }: Principal): bigint[] | null =>
  sites === 'all' ? null : [...sites];

/** May `wanted` be given by somebody who sees `own`? */
export function withinSites(own: Principal['sites'], wanted: 'all' | Iterable<bigint>): boolean {
  if (own === 'all') return true;
  if (wanted === 'all') return false;
  return [...wanted].every((id) => own.has(id));
}
