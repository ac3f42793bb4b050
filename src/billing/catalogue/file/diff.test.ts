import { readFileSync } from 'node:fs';
import { diffCatalogues } from './diff.ts';
import { pastPriceChanges } from './diff-past.ts';
import { readCatalogueFile } from './read.ts';
import type { OperatorCatalogue } from './types.ts';

const EXAMPLE = readFileSync('config/catalogue.example.yaml', 'utf8');
const TODAY = '2026-11-23';

const changed = (...changes: [string, string][]): string =>
  changes.reduce((text, [was, is]) => {
    if (!text.includes(was)) throw new Error(`The example has no ${was}`);
    return text.replace(was, is);
  }, EXAMPLE);

function read(text: string): OperatorCatalogue {
  const done = readCatalogueFile(text);
  if (!done.ok) throw new Error(JSON.stringify(done.problems));
  return done.catalogue;
}

const between = (old: string, next: string): string[] =>
  diffCatalogues(read(old), read(next), TODAY);
const diff = (...changes: [string, string][]): string[] => between(EXAMPLE, changed(...changes));

describe('the difference of two catalogues', () => {
  it('is nothing for the same file, whatever the order and the comments', () => {
    expect(diff()).toEqual([]);
    expect(diff(['# Channels à la carte.', '# Single ones.'])).toEqual([]);
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
    const back = between(changed([visit, '']), EXAMPLE);
    expect(back[0]).toBe('At once: services.VISIT is new.');
    expect(back[1]).toContain('From 2026-01-01: VISIT, once, in KE costs 800.00 KES.');
  });

  it('says who bills otherwise, and how debts are dunned', () => {
    expect(
      diff(
        ['taxNumber: P000000000A', 'taxNumber: P000000000B'],
        ["ignoreBelow: '50.00'", "ignoreBelow: '60.00'"],
        ["dates: ['2026-12-25', '2027-01-01']", "dates: ['2026-12-25']"],
        ['daysOverdue: 30', 'daysOverdue: 45'],
        ['monthDays: 30', 'monthDays: 31'],
      ),
    ).toEqual([
      'At once: sites.NBO.postpaid.monthDays is 31 instead of 30.',
      'At once: legalEntities.SAVANE_KE.taxNumber is P000000000B instead of P000000000A.',
      'At once: dunning.NBO from 2026-01-01.ignoreBelow is 60.00 instead of 50.00.',
      'At once: dunning.NBO from 2026-01-01.rest.dates is 2026-12-25 ' +
        'instead of 2026-12-25, 2027-01-01.',
      'At once: dunning.NBO hotel from 2026-01-01.steps[1].when.daysOverdue is 45 instead of 30.',
    ]);
    const cm = '  SAVANE_CM:\n    name: Savane TV Cameroun SA\n    sites: [DLA]\n';
    expect(diff([cm, ''])).toEqual([
      'At once: legalEntities.SAVANE_CM is no longer in the catalogue.',
    ]);
  });
});

describe('a change of the past', () => {
  const past = (...changes: [string, string][]): string[] =>
    pastPriceChanges(read(EXAMPLE), read(changed(...changes)), TODAY);

  it('is another price, rate or tariff on a day that has come', () => {
    expect(past(["month: '650.00', week", "month: '640.00', week"])).toEqual([
      'From 2026-01-01: ESSENTIAL, month, in KE costs 640.00 KES instead of 650.00 KES.',
    ]);
    expect(past(["percent: '18'", "percent: '19'"])).toHaveLength(1);
    expect(past(["price: '100'", "price: '101'"])).toHaveLength(1);
    expect(past(["value: '295'", "value: '296'"])).toHaveLength(1);
    expect(past(['until: 2027-03-01', 'until: 2027-02-01'])).toEqual([]);
  });

  it('is not what comes, and not what is new altogether', () => {
    expect(past(["month: '700.00', week", "month: '720.00', week"])).toEqual([]);
    const visit = EXAMPLE.slice(EXAMPLE.indexOf('  VISIT:'), EXAMPLE.indexOf('# Money until'));
    const without = read(changed([visit, '']));
    expect(pastPriceChanges(without, read(EXAMPLE), TODAY)).toEqual([]);
    expect(pastPriceChanges(read(EXAMPLE), without, TODAY)).toEqual([]);
    const levy =
      "      - { code: LEVY, name: Levy, rates: [{ from: 2026-01-01, percent: '0' }] }\n";
    expect(past(['  CM:\n', `${levy}\n  CM:\n`])).toEqual([]);
    expect(past(['  CM:\n', `${levy.replace("'0'", "'1'")}\n  CM:\n`])).toEqual([
      'From 2026-01-01: LEVY in CI is 1 % instead of 0 %.',
    ]);
  });
});
