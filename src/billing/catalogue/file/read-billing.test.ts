import { parseDay } from '../../../platform/day.ts';
import { EXAMPLE, problemsAfter } from './example-harness.ts';
import { readCatalogueFile } from './read.ts';

/** What the problem says, without its line. */
const said = (...changes: [string, string][]): string[] =>
  problemsAfter(...changes).map((one) => one.replace(/^\d+ /, ''));

describe('who bills, and how debts are dunned', () => {
  it('is read in minor units and days, with what is usual where nothing is said', () => {
    const read = readCatalogueFile(EXAMPLE);
    if (!read.ok) throw new Error('The example is not sound');
    const { legalEntities, dunning, sites } = read.catalogue;
    expect(legalEntities.get('SAVANE_CI')).toEqual({
      ...{ code: 'SAVANE_CI', name: 'Savane TV CI SA', taxNumber: null, fiscalMonth: 1 },
      ...{ invoiceFormat: 'INV-{year}-{number:6}', creditNoteFormat: 'CN-{year}-{number:6}' },
      sites: ['ABJ'],
    });
    const [all, hotels] = dunning;
    expect(all?.policy).toMatchObject({
      ...{ ignoreBelow: 5_000n, hours: { from: 9, until: 19 } },
      rest: { weekdays: [7], dates: [parseDay('2026-12-25'), parseDay('2027-01-01')] },
    });
    expect(hotels).toMatchObject({ site: 'NBO', category: 'hotel', policy: { ignoreBelow: 0n } });
    expect(sites.get('NBO')?.postpaid.monthDays).toBe(30);
    expect(sites.get('MSA')?.postpaid).toMatchObject({ monthDays: null, dueDays: 14 });
  });

  it.each<[string, [string, string], string]>([
    [
      'two who bill for one site',
      ['sites: [ABJ]', 'sites: [ABJ, NBO]'],
      'legalEntities.SAVANE_CI.sites[1]: NBO bills in the name of SAVANE_KE',
    ],
    [
      'a site that there is not',
      ['sites: [DLA]', 'sites: [DLB]'],
      'legalEntities.SAVANE_CM.sites[0]: there is no DLB in sites (did you mean DLA?)',
    ],
    [
      'one number for two kinds of documents',
      ['creditNoteFormat: KEC-{year}-{number:6}', 'creditNoteFormat: KE-{year}-{number:6}'],
      'legalEntities.SAVANE_KE.creditNoteFormat: is that of invoices too',
    ],
    [
      'a number without its year',
      ['invoiceFormat: KE-{year}-{number:6}', 'invoiceFormat: KE-{number:6}'],
      'legalEntities.SAVANE_KE.invoiceFormat: must be text with {year}',
    ],
    [
      'a policy twice',
      ['category: hotel\n    from: 2026-01-01\n    policy', 'from: 2026-01-01\n    policy'],
      'dunning[1]: stands there twice, with this site, category and day',
    ],
    [
      'an amount of another currency',
      ["ignoreBelow: '50.00'", "ignoreBelow: '50.001'"],
      'dunning[0].policy.ignoreBelow: 50.001 is no amount of KES',
    ],
    [
      'a date that there is not',
      ["'2026-12-25'", "'2026-12-35'"],
      'dunning[0].policy.rest.dates[0]: no such date: 2026-12-35',
    ],
    [
      'a step that is milder than the one before',
      ['does: terminate', 'does: remind'],
      'dunning[0].policy.steps: over is milder than dark before it',
    ],
    [
      'a key of the terms of invoices that is not known',
      ['monthDays: 30', 'monthDay: 30'],
      'sites.NBO.postpaid.monthDay: is not a known key here (did you mean monthDays?)',
    ],
    [
      'more tries than there may be',
      ['retryDays: [3, 5, 7]', 'retryDays: [0]'],
      'sites.NBO.postpaid.retryDays[0]: ',
    ],
  ])('is refused with %s', (_what, change, problem) => {
    const [first, ...more] = said(change);
    expect(first).toContain(problem);
    expect(more).toEqual([]);
  });
});
