/** What the settings of this installation say, for the compliance pack. */
import { readFileSync } from 'node:fs';
import { FREE_TRIES } from './backoffice/people/lockout.ts';
import { PASSWORD_CHARS_MIN } from './backoffice/people/passwords.ts';
import { CONFLICTS, ROLES } from './backoffice/people/permissions.ts';
import { SESSION_IDLE_MS } from './backoffice/people/sessions.ts';
import type { CasSystem } from './entitlement/cas/systems.ts';
import { readAnchors } from './evidence/anchors.ts';
import type { Installation } from './evidence/compliance/ask.ts';
import type { Config } from './platform/config.ts';

const MINUTE_MS = 60_000;

type Settings = Pick<Config, 'evidence' | 'listedDevices' | 'isDemo'>;

/** Reads it anew: the anchors are those that are in their folder now. */
export async function readInstallation(
  { evidence, listedDevices, isDemo }: Settings,
  systems: readonly Pick<CasSystem, 'id' | 'address'>[],
): Promise<Installation> {
  return {
    keepMonths: evidence?.keepMonths ?? 0,
    anchors: await anchorsOf(evidence),
    links: systems.map(({ id, address }) => ({ cas: id, transport: address.transport })),
    listedSites: [...(listedDevices ?? [])].sort(),
    requireTotp: !isDemo,
    people: {
      roles: Object.entries(ROLES).map(([role, { permissions }]) => {
        return { role, permissions: permissions.length };
      }),
      conflicts: CONFLICTS.length,
      passwordCharsMin: PASSWORD_CHARS_MIN,
      freeTries: FREE_TRIES.login,
      sessionIdleMinutes: SESSION_IDLE_MS / MINUTE_MS,
    },
  };
}

async function anchorsOf(evidence: Config['evidence']): Promise<Installation['anchors']> {
  if (!evidence?.anchors) return null;
  const { folder, keyFile } = evidence.anchors;
  try {
    return { read: await readAnchors(folder, readFileSync(keyFile, 'utf8')) };
  } catch {
    return { read: { anchors: [], faults: [`The anchors in ${folder} cannot be read`] } };
  }
}
