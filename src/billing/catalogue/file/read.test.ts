import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { EXAMPLE, LINES, lineOf, problemsAfter } from './example-harness.ts';
import { readCatalogueFile } from './read.ts';
import { FILE_FIELDS } from './sections.ts';

describe('a catalogue file', () => {
  it('is sound as the example', () => {
    expect(problemsAfter()).toEqual([]);
  });

  it('holds the rules of a site as policy.ts has them', () => {
    const read = readCatalogueFile(EXAMPLE);
    const rules = (site: string) => (read.ok ? read.catalogue.sites.get(site)?.rules : null);
    expect(rules('NBO')).toEqual({
      grace: { hours: 12, nextTerm: 'from_end' },
      pause: { daysPerYear: 30 },
      incident: {
        ...{ daysPerIncident: 7, daysPerCardAndMonth: 10, daysPerSubscriberAndMonth: null },
        outage: { minutesMin: 120, daysPerStartedDay: 1 },
      },
      loan: { term: 'week', fee: 10_00n, cap: 250_00n },
      messages: { cardsAlone: 1_000, perMinute: 1_200 },
      commission: { percentPermyriad: 750n, secondPaymentDays: 45 },
    });
    expect(rules('ABJ')).toEqual({
      termEnd: 'same_time',
      tvu: { creditStep: 5n, transfersPerDay: 5, leaveAtLeast: 1n },
    });
    expect(rules('DLA')).toEqual({});
  });

  it.each<[string, string, string, string]>([
    // Keys and values by themselves.
    [
      '    countries: [KE, CI, CM]',
      '    contries: [KE, CI, CM]',
      'bouquets.ESSENTIAL.contries',
      'is not a known key here (did you mean countries?)',
    ],
    ['operator: Savane TV', '', 'operator', 'is missing'],
    [
      'currency: KES',
      'currency: KSH',
      'countries.KE.currency',
      'KSH is not in ISO 4217 (like KES)',
    ],
    [
      'Africa/Nairobi',
      'Africa/Atlantis',
      'countries.KE.timeZone',
      'Africa/Atlantis is not in the IANA database (like Africa/Nairobi)',
    ],
    [
      'until: 2027-03-01',
      'until: 2027-02-29',
      'bouquets.ESSENTIAL.prices[2].until',
      '2027-02-29 is not a date (write the day as 2026-11-23)',
    ],
    [
      'category: staff',
      'category: stuff',
      'bouquets.ESSENTIAL.prices[3].category',
      'stuff is not one of them (did you mean staff?)',
    ],
    [
      'maxPerSubscription: 1',
      'maxPerSubscription: 0',
      'addOns.SPORT.maxPerSubscription',
      'must be a whole number, 1 to 100',
    ],
    ['freeToAir: true', "freeToAir: 'yes'", 'channels.NEWS1.freeToAir', 'must be true or false'],
    [
      'name: ESSENTIAL',
      'name: ESSENTIAL FOR ALL',
      'bouquets.ESSENTIAL.name',
      'is longer than 16 characters',
    ],
    [
      'terms: [month, week, day]',
      'terms: [month, week, 1d]',
      'bouquets.ESSENTIAL.terms[2]',
      'must be day, week, month, quarter, year, pass24, or a number of days like 10d',
    ],
    [
      '[NEWS1, KIDS1, NOVA1, MUSI1], cas: [ESS] }',
      '&all [NEWS1], cas: [ESS] }\n      - { from: 2026-02-01, channels: *all, cas: [ESS] }',
      'bouquets.ESSENTIAL.contents[1].channels',
      'must be a list (write it out: a reviewer reads what stands in the place itself)',
    ],
    // Money and percentages.
    [
      "month: '650.00'",
      'month: 650.00',
      'bouquets.ESSENTIAL.prices[0].month',
      "must be an amount in quotes, like '650.00' (in quotes: '650.00')",
    ],
    [
      "month: '650.00'",
      "month: '650.005'",
      'bouquets.ESSENTIAL.prices[0].month',
      '650.005 has more decimals than KES',
    ],
    [
      "month: '5000'",
      "month: '5000.50'",
      'bouquets.ESSENTIAL.prices[4].month',
      '5000.50 has more decimals than XOF',
    ],
    [
      "month: '650.00'",
      "month: '1,650.00'",
      'bouquets.ESSENTIAL.prices[0].month',
      '1,650.00 is not a plain decimal number for KES',
    ],
    [
      "month: '650.00'",
      "month: '0.00'",
      'bouquets.ESSENTIAL.prices[0].month',
      'costs nothing (null ends the sale; freeTime gives time away)',
    ],
    [
      "percent: '16'",
      'percent: 16',
      'countries.KE.taxes[1].rates[0].percent',
      "must be a percentage like '19.25', 0 to 100 (in quotes: '16')",
    ],
  ])('says where and why: %s → %s', (was, is, path, reason) => {
    expect(problemsAfter([was, is]).map((text) => text.replace(/^\d+ /, ''))).toContain(
      `${path}: ${reason}`,
    );
  });

  it('says the line, and everything in one pass', () => {
    const unknown = 'is not a known key here';
    const found = problemsAfter(
      ['currency: XAF', 'currancy: XAF'],
      ["month: '650.00'", 'month: 650.00'],
      ['SPORT_HD:\n    name: SPORT HD', 'SPORT_HD:\n    nmae: SPORT HD'],
      ["- { from: 2026-01-01, country: CI, month: '3500' }", ''],
    );
    expect(found).toEqual([
      `${lineOf('  CM:')} countries.CM.currency: is missing`,
      `${lineOf('currency: XAF')} countries.CM.currancy: ${unknown} (did you mean currency?)`,
      expect.stringMatching(
        `^${lineOf("month: '650.00'")} bouquets.ESSENTIAL.prices\\[0\\].month: `,
      ),
      `${lineOf("month: '470.00'") - 1} addOns.SPORT.prices: no price for month in CI`,
      `${lineOf('  SPORT_HD:')} addOns.SPORT_HD.name: is missing`,
      `${lineOf('name: SPORT HD')} addOns.SPORT_HD.nmae: ${unknown} (did you mean name?)`,
    ]);
  });

  it('that is no YAML is refused with the place', () => {
    expect(problemsAfter(['format: vip-catalogue/1', 'format: [vip'])[0]).toMatch(/^\d+ : .*\]/);
    expect(problemsAfter(['format:', 'operator: twice\nformat:']).join()).toMatch(/unique/);
    for (const text of ['', '[]', 'x', '['.repeat(50_000), '- '.repeat(50_000)]) {
      expect(readCatalogueFile(text).ok).toBe(false);
    }
  });

  it('however broken gives problems with lines of the file, never an exception', () => {
    const line = fc.nat(LINES.length - 1);
    const word = fc.constantFrom('null', '[]', '{}', "'x'", '-1', 'KE', '*a', '2026-01-01');
    fc.assert(
      fc.property(line, line, word, (gone, changed, value) => {
        const text = LINES.map((one, i) =>
          i === gone ? '' : i === changed ? one.replace(/: .*$/, `: ${value}`) : one,
        ).join('\n');
        const read = readCatalogueFile(text);
        for (const problem of read.ok ? [] : read.problems) {
          expect(problem.line).toBeGreaterThan(0);
          expect(problem.line).toBeLessThanOrEqual(LINES.length);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('is explained in the guide, section by section', () => {
    const guide = readFileSync('docs/guides/catalogue.md', 'utf8');
    const unsaid = Object.keys(FILE_FIELDS).filter((section) => !guide.includes(`\`${section}\``));
    expect(unsaid).toEqual([]);
  });
});
