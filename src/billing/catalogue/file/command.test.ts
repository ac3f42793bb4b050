import { readFileSync } from 'node:fs';
import { type CommandPorts, catalogueCommand, type Publishing, type Spoken } from './command.ts';

const EXAMPLE = readFileSync('config/catalogue.example.yaml', 'utf8');

const run = (
  words: string[],
  files: Record<string, string>,
  ports: Partial<CommandPorts> = {},
): Promise<Spoken> =>
  catalogueCommand(words, {
    read: (path) => files[path] ?? '',
    today: '2026-11-23',
    publish: async () => {
      throw new Error('Nothing is published here');
    },
    show: async () => null,
    ...ports,
  });

async function publishing(words: string[], answer: Publishing) {
  const asked: unknown[] = [];
  const publish: CommandPorts['publish'] = async (...given) => {
    asked.push(...given);
    return answer;
  };
  const spoken = await run(['publish', ...words], { 'f.yaml': EXAMPLE }, { publish });
  return { spoken, asked };
}

describe('the command', () => {
  it('counts what a sound file holds', async () => {
    expect(await run(['check', 'f.yaml'], { 'f.yaml': EXAMPLE })).toEqual({
      exitCode: 0,
      out: 'f.yaml: 3 countries, 4 sites, 18 products, 67 prices, no problems.\n',
      error: '',
    });
  });

  it('says problems as file, line and column, and fails', async () => {
    const broken = EXAMPLE.replace('operator: Savane TV', 'operater: Savane TV');
    const line = EXAMPLE.split('\n').indexOf('operator: Savane TV') + 1;
    const { exitCode, error } = await run(['check', 'f.yaml'], { 'f.yaml': broken });
    expect(exitCode).toBe(1);
    expect(error).toContain(
      `f.yaml:${line}:1 operater: is not a known key here (did you mean operator?)\n`,
    );
    expect(
      await run(['diff', 'f.yaml', 'g.yaml'], { 'f.yaml': EXAMPLE, 'g.yaml': broken }),
    ).toMatchObject({ exitCode: 1, out: '', error: expect.stringContaining('g.yaml:') });
  });

  it('publishes with a note, and says what changes', async () => {
    const { spoken, asked } = await publishing(['f.yaml', '--note', 'new year', '--allow-past'], {
      ...{ ok: true, isNew: true, changes: ['From 2027-01-01: it costs more.'] },
    });
    expect(asked).toEqual([EXAMPLE, { path: 'f.yaml', note: 'new year', allowPast: true }]);
    const out = 'f.yaml is in force.\nFrom 2027-01-01: it costs more.\n';
    expect(spoken).toEqual({ exitCode: 0, out, error: '' });
    const again = await publishing(['f.yaml'], { ok: true, isNew: false, changes: [] });
    expect(again.spoken.out).toBe('f.yaml is in force already.\n');
  });

  it('says why something can not be published', async () => {
    const reasons = ['PREMIUM was sold at NBO'];
    const inUse = await publishing(['f.yaml'], { ok: false, error: 'catalogue_in_use', reasons });
    expect(inUse.spoken).toEqual({ exitCode: 1, out: '', error: 'PREMIUM was sold at NBO\n' });
    const past = await publishing(['f.yaml'], { ok: false, error: 'catalogue_past', reasons });
    expect(past.spoken.error).toContain('--allow-past');
  });

  it('shows what is in force', async () => {
    expect(await run(['show'], {})).toMatchObject({ exitCode: 1, out: '' });
    expect(await run(['show'], {}, { show: async () => EXAMPLE })).toMatchObject({ out: EXAMPLE });
  });

  it('explains itself', async () => {
    const wrong = [
      '',
      'check',
      'check a b',
      'diff a',
      'load a',
      'publish',
      'publish a b',
      'show a',
    ];
    for (const words of [...wrong, 'publish a --note', 'publish --force a']) {
      expect([words, (await run(words.split(' '), {})).exitCode]).toEqual([words, 2]);
    }
  });
});
