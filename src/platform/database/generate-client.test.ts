import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTestFolder } from '../test-database.ts';

const homes: string[] = [];

afterAll(() => {
  for (const home of homes) rmSync(home, { recursive: true, force: true });
});

function copyProduct(): string {
  const home = makeTestFolder();
  homes.push(home);
  for (const path of ['prisma', 'prisma.config.ts', 'package.json', 'scripts']) {
    cpSync(path, join(home, path), { recursive: true });
  }
  return home;
}

function generate(home: string) {
  const script = join(home, 'scripts', 'generate-client.mjs');
  return spawnSync(process.execPath, [script], { encoding: 'utf8', env: {} });
}

describe('generating the database client', () => {
  it('needs no schema engine and no environment', () => {
    const home = copyProduct();
    symlinkSync(join(process.cwd(), 'node_modules'), join(home, 'node_modules'));
    expect(generate(home)).toMatchObject({ status: 0, stderr: '' });
    expect(existsSync(join(home, 'src/platform/database/client/client.ts'))).toBe(true);
  });

  it('says in one line what is wrong with the schema', () => {
    const home = copyProduct();
    symlinkSync(join(process.cwd(), 'node_modules'), join(home, 'node_modules'));
    writeFileSync(join(home, 'prisma/schema/bad.prisma'), 'model Bad { id Nothing @id }\n');
    const { status, stderr } = generate(home);
    expect(status).toBe(1);
    expect(stderr.trim()).toMatch(/^The database client could not be generated: [^\n]*Nothing/);
  });

  it('says that prisma is missing when it is', () => {
    const { status, stderr } = generate(copyProduct());
    expect(status).toBe(1);
    expect(stderr).toMatch(/prisma is not installed/);
  });

  it('keeps the client of an earlier run where prisma is left out', () => {
    const home = copyProduct();
    const client = join(home, 'src/platform/database/client');
    mkdirSync(client, { recursive: true });
    writeFileSync(join(client, 'client.ts'), '');
    expect(generate(home)).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });
});
