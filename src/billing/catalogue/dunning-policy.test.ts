import { parseDay } from '../../platform/day.ts';
import { dunningPolicy, type PolicyVersion, policyAt } from './dunning-policy.ts';

const REMIND = { name: 'first', when: { daysOverdue: 3 }, does: 'remind', say: ['text'] };
const CUT = { name: 'cut', when: { daysOverdue: 10 }, does: 'suspend', say: [] };

const problems = (input: unknown): string[] => {
  const read = dunningPolicy.safeParse(input);
  return read.success ? [] : read.error.issues.map(({ message }) => message);
};

describe('a dunning policy', () => {
  it('is decent in what it leaves out', () => {
    expect(dunningPolicy.parse({ steps: [REMIND] })).toMatchObject({
      countsFrom: 'due',
      ignoreBelow: 0n,
      hours: { from: 9, until: 20 },
      rest: { weekdays: [], dates: [] },
      promises: { perCycle: 1, daysMax: 14 },
      steps: [{ name: 'first', repeatDays: null }],
    });
  });

  it('reads amounts and dates, and refuses what is none', () => {
    const rest = { weekdays: [7], dates: ['2026-12-25'] };
    const read = dunningPolicy.parse({ steps: [CUT], ignoreBelow: '50000', rest });
    expect([read.ignoreBelow, read.rest.dates]).toEqual([50_000n, [parseDay('2026-12-25')]]);
    expect(problems({ steps: [], rest: { weekdays: [], dates: ['2026-02-30'] } })).toEqual([
      'no such date: 2026-02-30',
    ]);
    expect(problems({ steps: [{ ...CUT, when: { totalOwed: '0' } }] })).not.toEqual([]);
    expect(problems({ steps: [{ ...CUT, when: { totalOwed: 12.5 } }] })).not.toEqual([]);
  });

  it('has steps that get harder, each with a name of its own', () => {
    expect(problems({ steps: [CUT, REMIND] })).toEqual(['first is milder than cut before it']);
    expect(problems({ steps: [REMIND, REMIND] })).toEqual(['two steps have one name']);
    expect(problems({ steps: [{ ...REMIND, name: 'clear' }] })).toEqual([
      'clear is the name of owing nothing',
    ]);
  });

  it('leaves a day on which something can be done, and hours of it', () => {
    const weekdays = [1, 2, 3, 4, 5, 6, 7];
    expect(problems({ steps: [], rest: { weekdays, dates: [] } })).toEqual([
      'all days are days of rest',
    ]);
    expect(problems({ steps: [], hours: { from: 20, until: 9 } })).toEqual([
      'hours end before they begin',
    ]);
  });

  it('says when a key is not known', () => {
    expect(problems({ steps: [], ignoreBellow: '1' })).not.toEqual([]);
  });
});

describe('the policy on a day', () => {
  const version = (category: string | null, from: string, days: number): PolicyVersion => ({
    siteId: 1n,
    category,
    from: parseDay(from),
    policy: dunningPolicy.parse({ steps: [{ ...CUT, when: { daysOverdue: days } }] }),
  });
  const versions = [
    version(null, '2026-01-01', 10),
    version('hotel', '2026-06-01', 40),
    version('hotel', '2026-03-01', 30),
  ];
  const daysAt = (category: string, on: string, siteId = 1n) =>
    policyAt(versions, { siteId, category, on: parseDay(on) })?.steps[0]?.when;

  it('is the latest of the category, or else of all', () => {
    expect(daysAt('hotel', '2026-02-28')).toEqual({ daysOverdue: 10 });
    expect(daysAt('hotel', '2026-03-01')).toEqual({ daysOverdue: 30 });
    expect(daysAt('hotel', '2027-01-01')).toEqual({ daysOverdue: 40 });
    expect(daysAt('residential', '2027-01-01')).toEqual({ daysOverdue: 10 });
  });

  it('is none before the first, and none of another site', () => {
    expect(daysAt('hotel', '2025-12-31')).toBeUndefined();
    expect(daysAt('hotel', '2026-03-01', 2n)).toBeUndefined();
  });
});
