import { spawnSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { StartError } from '../../start-error.ts';

/** Under whose name Postgres runs, and the words to put before its command line. */
export interface LaunchUser {
  uid: number;
  gid: number;
  prefix: string[];
}

const NOBODY_ID = 65534;
/** Bits of the kernel's capability sets (capabilities(7)). */
const NEEDED_CAPABILITIES = { chown: 0, dac_override: 1, setgid: 6, setuid: 7, setpcap: 8 };

/**
 * Postgres refuses to run as root. Started by root, it runs as the owner of its data folder (or
 * `nobody` when there is none yet) and keeps one capability, `dac_override`: with it Postgres
 * reaches its programs and data even under a home folder closed to others. The securebit makes
 * access(2), which initdb uses to find `postgres`, heed that capability too.
 * An ordinary user simply runs Postgres. Throws a StartError.
 */
export function chooseLaunchUser(clusterDir: string): LaunchUser {
  const uid = process.getuid?.() ?? NOBODY_ID;
  const gid = process.getgid?.() ?? NOBODY_ID;
  const owner = statSync(clusterDir, { throwIfNoEntry: false });
  if (uid !== 0) {
    if (owner && owner.uid !== uid) {
      throw new StartError(
        `The data folder ${clusterDir} belongs to user ${owner.uid}; start as that user or as ` +
          'root, or set VIP_DATA_DIR to another folder.',
      );
    }
    return { uid, gid, prefix: [] };
  }
  requireRootTools();
  const isOwned = owner !== undefined && owner.uid !== 0;
  const user = isOwned ? owner : { uid: NOBODY_ID, gid: NOBODY_ID };
  return { uid: user.uid, gid: user.gid, prefix: setprivPrefix(user.uid, user.gid) };
}

function setprivPrefix(uid: number, gid: number): string[] {
  return [
    'setpriv',
    `--reuid=${uid}`,
    `--regid=${gid}`,
    '--clear-groups',
    '--securebits=+no_setuid_fixup',
    '--inh-caps=+dac_override',
    '--ambient-caps=+dac_override',
    '--',
  ];
}

function requireRootTools(): void {
  const instead = 'start as an ordinary user, or set DATABASE_URL to a Postgres server.';
  const probe = spawnSync('setpriv', ['--version'], { encoding: 'utf8' });
  if (probe.error || !probe.stdout.includes('util-linux')) {
    throw new StartError(
      `Postgres does not run as root and setpriv (util-linux) is not installed; ${instead}`,
    );
  }
  const status = readFileSync('/proc/self/status', 'utf8');
  const effective = BigInt(`0x${/^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  const missing = Object.entries(NEEDED_CAPABILITIES)
    .filter(([, bit]) => ((effective >> BigInt(bit)) & 1n) === 0n)
    .map(([name]) => name);
  if (missing.length > 0) {
    throw new StartError(
      `Postgres does not run as root and this root lacks ${missing.join(', ')}; ${instead}`,
    );
  }
}
