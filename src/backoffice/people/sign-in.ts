/**
 * Signing in: password, then (once enrolled) the second factor, both in one call. What is wrong is
 * never told apart: unknown login, wrong password, wrong or used code, closed account.
 */
import type { Pool } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Clock, Ids, Logger } from '../../platform/ports.ts';
import { writeAudit } from './audit.ts';
import { totpStep } from './codes.ts';
import { beginTry, forgiveTries } from './lockout.ts';
import type { Passwords } from './passwords.ts';
import { roleText } from './permissions.ts';
import { openSession } from './sessions.ts';
import { type Staff, setPassword, staffByLogin, takeTotpStep } from './staff-store.ts';
import type { Vault } from './vault.ts';

export interface SignIn {
  login: string;
  password: string;
  code: string | null;
  remote: string;
  agent: string;
  requestId: string;
}

export type SignedIn =
  | { ok: true; staff: Staff; sessionId: bigint; token: string; endsAt: Date }
  | { ok: false; error: 'wrong_credentials' | 'code_needed' }
  | { ok: false; error: 'locked'; until: Date };

export interface SignInDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  logger: Logger;
  vault: Vault;
  passwords: Passwords;
}

/** Opens a session, or says why not; locks login and address out after too many failures. */
export async function signIn(deps: SignInDeps, given: SignIn): Promise<SignedIn> {
  const now = deps.clock.now();
  const until = await countTries(deps, given, now);
  if (until) {
    deps.logger.warn('staff.locked_out', { remote: given.remote, until });
    return { ok: false, error: 'locked', until };
  }
  const staff = await staffByLogin(deps.pool, given.login);
  const isRight = await deps.passwords.matches(given.password, staff?.passwordHash ?? null);
  if (!staff || !isRight || !staff.isActive) return failed(deps, given);
  if (staff.totpSince !== null && given.code === null) return { ok: false, error: 'code_needed' };
  const needsHash = deps.passwords.isOutdated(staff.passwordHash);
  const rehashed = needsHash ? await deps.passwords.hash(given.password) : null;
  const sessionId = await deps.ids.take();
  const opened = await transaction(deps.pool, async (client) => {
    if (staff.totpSince !== null) {
      const secret = deps.vault.open(staff.totpSealed ?? '') ?? '';
      const step = totpStep(given.code ?? '', secret, { now, lastStep: staff.totpStep });
      if (step === null || !(await takeTotpStep(client, staff.id, step, now))) return null;
    }
    await forgiveTries(client, { login: given.login, address: given.remote });
    if (rehashed) await setPassword(client, staff.id, rehashed, staff.mustChange);
    const { remote, agent, requestId } = given;
    await writeAudit(client, deps.ids, {
      ...{ at: now, requestId, actor: `staff:${staff.id}`, actorName: staff.login, remote },
      ...{
        role: roleText(staff.roles),
        route: 'POST /sessions',
        outcome: 'done',
        siteId: null,
        object: 'session',
      },
      ...{ objectId: String(sessionId), before: null, after: null, reason: null },
    });
    return openSession(client, { id: sessionId, staffId: staff.id, now, remote, agent });
  });
  return opened ? { ok: true, staff, sessionId, ...opened } : failed(deps, given);
}

function failed(deps: SignInDeps, { remote }: SignIn): SignedIn {
  deps.logger.warn('staff.sign_in_failed', { remote });
  return { ok: false, error: 'wrong_credentials' };
}

/** The later of the two waits, or null when the try may be made. */
function countTries(deps: SignInDeps, given: SignIn, now: Date): Promise<Date | null> {
  return transaction(deps.pool, async (client) => {
    const byAddress = await beginTry(client, 'address', given.remote, now);
    if (byAddress) return byAddress;
    return beginTry(client, 'login', given.login, now);
  });
}
