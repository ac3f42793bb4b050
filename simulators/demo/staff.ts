/** The demo's staff, one of each role, and what their API signs and seals with. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { addStaff } from '../../src/backoffice/bootstrap.ts';
import { createPasswords } from '../../src/backoffice/people/passwords.ts';
import { ROLE_NAMES, ROLES } from '../../src/backoffice/people/permissions.ts';
import type { Clock } from '../../src/platform/ports.ts';
import { systemRandom } from '../../src/platform/system.ts';
import type { ProductParts } from '../../src/product.ts';

const SECRET_BYTES = 32;
const PASSWORD_BYTES = 6;
const OWNER_ONLY = 0o600;
const SITE = 'NBO';
/** These see all sites, as they do at most operators. */
const EVERYWHERE = new Set(['accountant', 'auditor', 'supervisor', 'administrator']);

/** Made up at the first start, and kept. */
function kept(dataDir: string, name: string, make: () => string): string {
  const file = join(dataDir, name);
  if (existsSync(file)) return readFileSync(file, 'utf8');
  const text = make();
  writeFileSync(file, text, { mode: OWNER_ONLY });
  return text;
}

export const demoApiSecret = (dataDir: string): string =>
  kept(dataDir, 'demo-api-secret', () => systemRandom.hex(SECRET_BYTES));

/** Adds who is not there yet; what `demo.json` says of the API and its staff. */
export async function addDemoStaff(
  { pool, ids, config, billing, url }: ProductParts,
  clock: Clock,
) {
  const sites = [...billing.catalogue.current().sites.values()];
  const ownSite = sites.find(({ code }) => code === SITE);
  const password = kept(config.dataDir, 'demo-staff-password', () => {
    return `demo-${systemRandom.hex(PASSWORD_BYTES)}`;
  });
  const { rows } = await pool.query('SELECT login FROM staff');
  const known = new Set(rows.map(({ login }) => login));
  const missing = ROLE_NAMES.filter((role) => !known.has(loginOf(role)));
  const passwordHash = missing.length > 0 ? await createPasswords().hash(password) : '';
  for (const role of missing) {
    await addStaff(
      { pool, ids, clock },
      {
        ...{ login: loginOf(role), fullName: `Demo ${role.replace('_', ' ')}`, passwordHash },
        ...{ roles: [role], mustChange: false },
        sites: EVERYWHERE.has(role) || !ownSite ? 'all' : [ownSite.id],
      },
    );
  }
  return {
    api: `${url}/api/v1`,
    staff: ROLE_NAMES.map((role) => ({
      login: loginOf(role),
      password,
      role,
      about: ROLES[role].about,
      sites: EVERYWHERE.has(role) ? 'all' : SITE,
    })),
  };
}

const loginOf = (role: string): string => role.replace('_', '-');
