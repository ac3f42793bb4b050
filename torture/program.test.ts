import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeTestFolder } from '../src/platform/test-database.ts';
import { sleep } from '../src/platform/timers.ts';
import { createProgram } from './program.ts';

const folder = makeTestFolder();
afterAll(() => rmSync(folder, { recursive: true }));

const SCRIPT = `
  const { appendFileSync, writeFileSync } = require('node:fs');
  const [file, ...more] = process.argv.slice(1);
  process.once('SIGTERM', () => process.exit(0));
  setInterval(() => undefined, 1000);
  appendFileSync(file + '.starts', more.join() + ';');
  writeFileSync(file + '.pid', String(process.pid));`;

/** A program that notes each start, and says its process id when it is up. */
function setUp(name: string) {
  const file = join(folder, name);
  const program = createProgram({
    ...{ name, command: process.execPath, args: ['-e', SCRIPT, file], logFile: `${file}.log` },
    isReady: async () => existsSync(`${file}.pid`),
  });
  const read = (what: string) => readFileSync(`${file}.${what}`, 'utf8');
  return {
    program,
    starts: () => read('starts'),
    pid: () => Number(read('pid')),
    /** From now on it is up only when it says so again. */
    forget: () => rmSync(`${file}.pid`),
    isUp: () => existsSync(`${file}.pid`),
  };
}

describe('a program', () => {
  it('is killed and started again, with arguments of one start alone', async () => {
    const { program, starts, forget } = setUp('killed');
    await program.start(['moved']);
    await program.kill();
    forget();
    await program.start();
    expect(await program.stop()).toBe(0);
    expect(starts()).toBe('moved;;');
    expect(program.unexpectedEnds()).toBe(0);
  });

  it('that ends by itself after it served is started again, and counted', async () => {
    const { program, starts, pid, forget, isUp } = setUp('ended');
    await program.start();
    const first = pid();
    forget();
    process.kill(first, 'SIGKILL');
    while (!isUp()) await sleep(20);
    await program.kill();
    expect(starts()).toBe(';;');
    expect(program.unexpectedEnds()).toBe(1);
  });
});
