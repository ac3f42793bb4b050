/** The first administrator: made from outside, once, because nobody is there yet to make one. */
import type { Pool } from 'pg';
import { transaction } from '../platform/database/pool.ts';
import type { Clock, Ids } from '../platform/ports.ts';
import { writeAudit } from './people/audit.ts';
import { type Passwords, passwordFault } from './people/passwords.ts';
import type { RoleName } from './people/permissions.ts';
import { hasStaff, insertStaff } from './people/staff-store.ts';

export interface FirstStaff {
  login: string;
  fullName: string;
  passwordHash: string;
  roles: RoleName[];
  sites: 'all' | bigint[];
  /** The password must be changed at the first sign-in. */
  mustChange: boolean;
}

export interface BootstrapDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
}

/**
 * Makes an administrator who sees all sites, if there is no account at all yet; the password must
 * be changed at the first sign-in. A sentence says why not.
 */
export async function createFirstAdministrator(
  deps: BootstrapDeps & { passwords: Passwords },
  { login, password }: { login: string; password: string },
): Promise<{ ok: true } | { ok: false; error: 'not_first' | 'weak_password' }> {
  if (await hasStaff(deps.pool)) return { ok: false, error: 'not_first' };
  if (passwordFault(password, login) !== null) return { ok: false, error: 'weak_password' };
  const made = await addStaff(deps, {
    ...{ login, fullName: login, roles: ['administrator'], sites: 'all', mustChange: true },
    passwordHash: await deps.passwords.hash(password),
  });
  return made ? { ok: true } : { ok: false, error: 'not_first' };
}

/** Writes an account with its audit line; false when the login is taken. */
export async function addStaff(
  { pool, ids, clock }: BootstrapDeps,
  staff: FirstStaff,
): Promise<boolean> {
  const id = await ids.take();
  const now = clock.now();
  return transaction(pool, async (client) => {
    const made = await insertStaff(client, { ...staff, id, createdAt: now });
    if (!made) return false;
    await writeAudit(client, ids, {
      ...{ at: now, requestId: 'bootstrap', actor: 'system', actorName: 'system', remote: '' },
      ...{ role: 'system', route: 'bootstrap', outcome: 'done', siteId: null, object: 'staff' },
      ...{ objectId: String(id), before: null, reason: 'set up from outside' },
      after: { login: staff.login, roles: staff.roles },
    });
    return true;
  });
}
