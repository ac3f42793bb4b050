import { appendFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandEnvelope } from '../../src/entitlement/vip-control/messages.ts';
import { blankCard } from './card-state.ts';
import { openJournal } from './journal.ts';
import { openLog } from './log.ts';
import { applyRecord, createMemory, type JournalRecord } from './memory.ts';

const now = new Date('2026-11-23T13:00:00Z');
let folder = '';
let path = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'head-end-'));
  path = join(folder, 'deep', 'journal.jsonl');
});
afterEach(() => rm(folder, { recursive: true }));

async function open(at = now) {
  const memory = createMemory();
  const onFailure = (error: unknown) => {
    throw error;
  };
  const log = await openLog(path, { onRotated: () => undefined, onFailure });
  const journal = await openJournal(path, memory, { now: at, onFailure, log });
  const write = (record: JournalRecord) => {
    applyRecord(memory, record);
    return new Promise<void>((durable) => journal.append(record, durable));
  };
  return { memory, journal, write };
}

const lines = async () => (await readFile(path, 'utf8')).trimEnd().split('\n');

function command(cmdId: string, text: string): JournalRecord {
  const cmd: CommandEnvelope = {
    t: 'CMD',
    seq: 1,
    cmdId,
    op: 'OSD',
    target: { kind: 'card', id: '4021' },
    args: { text, durationSeconds: 20 },
    prio: 'MESSAGE',
    notAfter: '2026-11-23T13:10:00Z',
    issuedAt: '2026-11-23T13:00:00Z',
  };
  return { k: 'cmd', atMs: now.getTime(), cmd, client: 'dispatcher-1' };
}

const result = (cmdId: string): JournalRecord => ({
  k: 'res',
  cmdId,
  result: { status: 'DONE', code: 'DONE' },
});

describe('the journal', () => {
  it('rebuilds the memory it was written from', async () => {
    const { journal, memory, write } = await open();
    // U+2028 ends a line for some readers of lines, and stands unescaped in JSON.
    await Promise.all([write(command('c1', 'un\u2028deux')), write(command('c2', 'trois'))]);
    await write(result('c1'));
    await write({ k: 'epoch', epoch: 7 });
    const state = { ...blankCard('4021'), epoch: 7, rev: 1, firstAirAt: now.toISOString() };
    await write({ k: 'card', state });
    await journal.close();
    for (let restart = 1; restart <= 2; restart += 1) {
      const again = await open();
      expect(again.memory).toEqual(memory);
      await again.journal.close();
    }
  });

  it('drops a last line that was torn off', async () => {
    const { journal, write } = await open();
    await write(command('c1', 'un'));
    await journal.close();
    const whole = JSON.stringify(command('c2', 'deux'));
    for (const torn of [whole.slice(0, 1), whole.slice(0, -1), '\0\0\0']) {
      await appendFile(path, torn);
      const again = await open();
      expect([...again.memory.commands.keys()]).toEqual(['c1']);
      await again.journal.close();
    }
  });

  it('does not open with a line missing in the middle', async () => {
    const { journal, write } = await open();
    await write(command('c1', 'un'));
    await journal.close();
    await appendFile(path, `{"k":"cm\n${JSON.stringify(command('c2', 'deux'))}\n`);
    await expect(open()).rejects.toThrow('line 3 cannot be read');
  });

  it('is rewritten at start: one line a command, none for those older than a week', async () => {
    const { journal, write } = await open();
    for (const cmdId of ['c1', 'c2']) await write(command(cmdId, 'un'));
    await write(result('c1'));
    await journal.close();
    expect(await lines()).toHaveLength(4);
    await (await open()).journal.close();
    expect(await lines()).toHaveLength(3);
    const later = await open(new Date('2026-12-01T13:00:00Z'));
    // c2 was never executed: that is still owed.
    expect([...later.memory.commands.keys()]).toEqual(['c1', 'c2']);
    await later.journal.close();
    expect((await lines()).map((line) => JSON.parse(line).k)).toEqual(['epoch', 'cmd']);
  });

  it('calls back in order, and after everything before', async () => {
    const { journal, write } = await open();
    const order: number[] = [];
    const all = [1, 2, 3].map((n) => write(command(`c${n}`, 'un')).then(() => order.push(n)));
    await new Promise<void>((durable) => journal.afterAll(durable));
    await Promise.all(all);
    expect(order).toEqual([1, 2, 3]);
    await journal.close();
  });

  it('tells once that it cannot write, and confirms nothing from then on', async () => {
    const memory = createMemory();
    const failures: unknown[] = [];
    const failed = Promise.withResolvers<void>();
    const onFailure = (error: unknown) => {
      failures.push(error);
      failed.resolve();
    };
    const log = await openLog(path, { onRotated: () => undefined, onFailure });
    const journal = await openJournal(path, memory, { now, onFailure, log });
    await journal.close();
    const confirmed = jest.fn();
    journal.append(command('c1', 'un'), confirmed);
    await failed.promise;
    journal.append(command('c2', 'deux'), confirmed);
    await new Promise((turn) => setImmediate(turn));
    expect(failures).toHaveLength(1);
    expect(confirmed).not.toHaveBeenCalled();
  });
});
