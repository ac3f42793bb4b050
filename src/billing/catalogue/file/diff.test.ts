import { readFileSync } from 'node:fs';
import { catalogueCommand } from './command.ts';

const EXAMPLE = readFileSync('config/catalogue.example.yaml', 'utf8');
const TODAY = '2026-11-23';

const changed = (...changes: [string, string][]): string =>
  changes.reduce((text, [was, is]) => {
    if (!text.includes(was)) throw new Error(`The example has no ${was}`);
    return text.replace(was, is);
  }, EXAMPLE);

function run(words: string[], files: Record<string, string>) {
  return catalogueCommand(words, (path) => files[path] ?? '', TODAY);
}

const diff = (...changes: [string, string][]): string[] =>
  run(['diff', 'old', 'new'], { old: EXAMPLE, new: changed(...changes) })
    .out.trim()
    .split('\n');

describe('the difference of two catalogues', () => {
  it('is nothing for the same file, whatever the order and the comments', () => {
    expect(diff()).toEqual(['Nothing changes.']);
    expect(diff(['# Channels à la carte.', '# Single ones.'])).toEqual(['Nothing changes.']);
  });

  it('says what will cost something else, and from when', () => {
    expect(diff(["month: '700.00', week", "month: '720.00', week"])).toEqual([
      'From 2027-01-01: ESSENTIAL, month, in KE costs 720.00 KES instead of 700.00 KES.',
    ]);
    expect(diff(["price: '97'", "price: '98'"])).toEqual([
      'From 2026-12-01: A TV unit of mtn in CI costs 98 XOF instead of 97 XOF.',
    ]);
  });

  it('says until when', () => {
    expect(diff(['until: 2027-03-01', 'until: 2027-02-01'])).toEqual([
      'From 2027-02-01: ESSENTIAL, month, in KE at MSA has no price of its own ' +
        'instead of 599.00 KES.',
      'From 2027-03-01: ESSENTIAL, month, in KE at MSA has no price of its own. This is as before.',
    ]);
  });

  it('warns of what would change the past', () => {
    expect(diff(["opening: '300.00'", "opening: '310.00'"])).toEqual([
      'From 2026-01-01: HOTEL_ROOMS, opening, in KE costs 310.00 KES and taxes ' +
        'instead of 300.00 KES and taxes. This day has come: what was sold since keeps its terms.',
    ]);
  });

  it('says channels gained and lost', () => {
    const row = '- { from: 2026-01-01, channels: [FOOT1, FOOT2], cas: [SPORT] }';
    const next = '- { from: 2027-01-01, channels: [FOOT2, DOCU1], cas: [SPORT, PREM] }';
    expect(diff([row, `${row}\n      ${next}`])).toEqual([
      'From 2027-01-01: SPORT gains DOCU1; loses FOOT1; is opened by PREM.',
    ]);
  });

  it('says new rates of taxes', () => {
    expect(
      diff(["percent: '18' }", "percent: '18' }, { from: 2027-01-01, percent: '20' }"]),
    ).toEqual(['From 2027-01-01: TVA in CI is 20 % instead of 18 %.']);
  });

  it('says first what has no date and holds at once, as the file writes it', () => {
    expect(
      diff(
        ["fee: '10.00'", "fee: '12.00'"],
        ["percent: '7.5'", "percent: '8'"],
        ["{ CI: '1700000'", "{ CI: '2000000'"],
        ['categories: [hotel, institution]', 'categories: [hotel]'],
        ['on: [net, EXCISE]', 'on: [net]'],
        ["month: '700.00', week", "month: '720.00', week"],
      ),
    ).toEqual([
      'At once: countries.KE.taxes[1].on is net instead of net, EXCISE.',
      'At once: sites.NBO.rules.loan.fee is 12.00 instead of 10.00.',
      'At once: sites.NBO.rules.commission.percent is 8 % instead of 7.5 %.',
      'At once: plans.HOTEL_ROOMS.categories is hotel instead of hotel, institution.',
      'At once: promotions.NOEL.budget.CI is 2000000 XOF instead of 1700000 XOF.',
      'From 2027-01-01: ESSENTIAL, month, in KE costs 720.00 KES instead of 700.00 KES.',
    ]);
  });

  it('says what is new and what is gone', () => {
    const visit = EXAMPLE.slice(EXAMPLE.indexOf('  VISIT:'), EXAMPLE.indexOf('# Money until'));
    expect(diff([visit, ''])).toEqual([
      'At once: services.VISIT is no longer in the catalogue.',
      ...[
        'VISIT, once, in KE has no price of its own instead of 800.00 KES.',
        'VISIT, once, in CI has no price of its own instead of 3000 XOF.',
      ].map(
        (said) =>
          `From 2026-01-01: ${said} This day has come: what was sold since keeps its terms.`,
      ),
    ]);
    const back = run(['diff', 'a', 'b'], { a: changed([visit, '']), b: EXAMPLE }).out;
    expect(back).toContain('At once: services.VISIT is new.\n');
    expect(back).toContain('From 2026-01-01: VISIT, once, in KE costs 800.00 KES.');
  });
});

describe('the command', () => {
  it('counts what a sound file holds', () => {
    expect(run(['check', 'f.yaml'], { 'f.yaml': EXAMPLE })).toEqual({
      exitCode: 0,
      out: 'f.yaml: 3 countries, 4 sites, 18 products, 67 prices, no problems.\n',
      error: '',
    });
  });

  it('says problems as file, line and column, and fails', () => {
    const broken = changed(['operator: Savane TV', 'operater: Savane TV']);
    const line = EXAMPLE.split('\n').indexOf('operator: Savane TV') + 1;
    const { exitCode, error } = run(['check', 'f.yaml'], { 'f.yaml': broken });
    expect(exitCode).toBe(1);
    expect(error).toContain(
      `f.yaml:${line}:1 operater: is not a known key here (did you mean operator?)\n`,
    );
    expect(
      run(['diff', 'f.yaml', 'g.yaml'], { 'f.yaml': EXAMPLE, 'g.yaml': broken }),
    ).toMatchObject({ exitCode: 1, out: '', error: expect.stringContaining('g.yaml:') });
  });

  it('explains itself', () => {
    for (const words of [[], ['check'], ['check', 'a', 'b'], ['diff', 'a'], ['load', 'a']]) {
      expect(run(words, {}).exitCode).toBe(2);
    }
  });
});
