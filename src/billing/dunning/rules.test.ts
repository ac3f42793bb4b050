import { type Day, formatDay, parseDay } from '../../platform/day.ts';
import { dunningPolicy } from '../catalogue/dunning-policy.ts';
import {
  type DunningFacts,
  dunningOf,
  type Flags,
  mayAct,
  type OpenInvoice,
  promiseRefusal,
} from './rules.ts';

/** Goal: each rule of dunning by date. Method: one invoice due on 1 December 2026, a Tuesday. */
const policy = dunningPolicy.parse({
  steps: [
    { name: 'first', when: { daysOverdue: 3 }, does: 'remind', say: ['text'] },
    { name: 'notice', when: { daysOverdue: 7 }, does: 'wall', say: ['osd'], repeatDays: 1 },
    { name: 'cut', when: { daysOverdue: 10 }, does: 'suspend', say: ['text', 'osd'] },
    { name: 'close', when: { daysOverdue: 90 }, does: 'terminate', say: ['text'] },
  ],
});
const DUE = '2026-12-01';
const noFlags: Flags = { doNotCut: [], blocks: [], promises: [] };

const invoice = (dueOn = DUE, open = 65_000n, id = 1n): OpenInvoice => {
  const day = parseDay(dueOn);
  return { id, issuedOn: day - 14, dueOn: day, open };
};
const at = (
  today: string,
  o: Partial<Omit<DunningFacts, 'flags'>> & {
    invoices?: OpenInvoice[];
    flags?: Partial<Flags>;
  } = {},
) =>
  dunningOf({
    today: parseDay(today),
    owing: { kind: 'postpaid', openInvoices: o.invoices ?? [invoice()] },
    policy,
    taken: [],
    ...o,
    flags: { ...noFlags, ...o.flags },
  });
const iso = (day: Day | null | undefined) =>
  day === null || day === undefined ? null : formatDay(day);
const dueAt = (...args: Parameters<typeof at>) =>
  at(...args).due.map(
    ({ step, round, on, isSkipped }) =>
      `${step}${round ? `#${round}` : ''} ${formatDay(on)}${isSkipped ? ' skipped' : ''}`,
  );

describe('the state', () => {
  it.each([
    ['2026-12-01', 'clear', null, 'open'],
    ['2026-12-03', 'clear', null, 'open'],
    ['2026-12-04', 'first', '2026-12-04', 'open'],
    ['2026-12-07', 'first', '2026-12-04', 'open'],
    ['2026-12-08', 'notice', '2026-12-08', 'walled'],
    ['2026-12-11', 'cut', '2026-12-11', 'stopped'],
    ['2027-02-28', 'cut', '2026-12-11', 'stopped'],
    ['2027-03-01', 'close', '2027-03-01', 'ended'],
  ])('on %s is %s', (today, state, since, level) => {
    const found = at(today);
    expect([found.state, iso(found.since), found.level]).toEqual([state, since, level]);
  });

  it('counts from the invoice date where the policy says so', () => {
    const issued = { ...policy, countsFrom: 'issued' } as const;
    expect(at('2026-11-20', { policy: issued }).state).toBe('first');
    expect(iso(at('2026-11-20', { policy: issued }).cycle)).toBe('2026-11-17');
  });

  it('counts anew from the next invoice when the oldest is paid', () => {
    const invoices = [invoice(DUE), invoice('2026-12-05', 1n, 2n)];
    expect(at('2026-12-11', { invoices }).state).toBe('cut');
    const left = [invoice('2026-12-05', 1n, 2n)];
    expect(at('2026-12-11', { invoices: left })).toMatchObject({ state: 'first', level: 'open' });
    expect(dueAt('2026-12-15', { invoices: left })).toEqual([
      'first 2026-12-08 skipped',
      'notice 2026-12-12 skipped',
      'cut 2026-12-15',
    ]);
  });

  it('goes by open invoices and by total owed, each when it equals or exceeds', () => {
    const byMuch = dunningPolicy.parse({
      steps: [
        { name: 'two', when: { openInvoices: 2 }, does: 'remind', say: [] },
        { name: 'much', when: { totalOwed: '260' }, does: 'suspend', say: [] },
      ],
    });
    const invoices = [invoice(DUE, 100n, 1n), invoice('2026-12-05', 100n, 2n)];
    const state = (today: string, more: OpenInvoice[] = []) =>
      at(today, { policy: byMuch, invoices: [...invoices, ...more] }).state;
    expect(state('2026-12-04')).toBe('clear');
    expect(state('2026-12-05')).toBe('two');
    expect(state('2026-12-07', [invoice('2026-12-07', 59n, 3n)])).toBe('two');
    expect(state('2026-12-07', [invoice('2026-12-07', 60n, 3n)])).toBe('much');
  });

  it('is clear below what is worth the trouble, and counts from when it became more', () => {
    const patient = { ...policy, ignoreBelow: 1_000n };
    const invoices = [invoice('2026-01-01', 999n, 1n), invoice(DUE, 1n, 2n)];
    expect(at('2026-11-30', { policy: patient, invoices }).state).toBe('clear');
    expect(iso(at('2026-12-04', { policy: patient, invoices }).cycle)).toBe(DUE);
  });

  it('of prepaid time counts from its last day, and not where nothing is sold', () => {
    const prepaid = (price: bigint) => ({
      owing: { kind: 'prepaid', endsOn: parseDay('2026-12-02'), price } as const,
    });
    expect(at('2026-12-04', prepaid(65_000n))).toMatchObject({ state: 'first', owed: 65_000n });
    expect(at('2027-12-04', prepaid(0n)).state).toBe('clear');
    expect(at('2026-12-20', prepaid(1n)).level).toBe('walled');
    const never = { owing: { kind: 'prepaid', endsOn: null, price: 1n } as const };
    expect(at('2027-12-04', never).state).toBe('clear');
  });
});

describe('the steps that are due', () => {
  it('are each taken once, and the one that holds again as often as it says', () => {
    const cycle = parseDay(DUE);
    const first = { cycle, step: 'first', round: 0 };
    expect(dueAt('2026-12-04')).toEqual(['first 2026-12-04']);
    expect(dueAt('2026-12-07', { taken: [first] })).toEqual([]);
    const taken = [first, { cycle, step: 'notice', round: 0 }];
    expect(dueAt('2026-12-08', { taken })).toEqual([]);
    expect(dueAt('2026-12-10', { taken })).toEqual(['notice#2 2026-12-10']);
  });

  it('that a late look passes over are all there, with the hardest last', () => {
    expect(dueAt('2026-12-20')).toEqual([
      'first 2026-12-04 skipped',
      'notice 2026-12-08 skipped',
      'cut 2026-12-11',
    ]);
  });

  it('wait on days of rest, and what is not reached moves behind them', () => {
    const calm = dunningPolicy.parse({
      ...{ steps: policy.steps.map(({ when, ...step }) => ({ ...step, when })) },
      rest: { weekdays: [5, 6, 7], dates: ['2026-12-14'] },
    });
    // Friday 4 December moves to Monday 7; Friday 11 over the weekend and a holiday to the 15th.
    expect(at('2026-12-04', { policy: calm }).state).toBe('clear');
    expect(at('2026-12-07', { policy: calm }).state).toBe('first');
    expect(at('2026-12-14', { policy: calm })).toMatchObject({ state: 'notice', due: [] });
    expect(at('2026-12-15', { policy: calm }).state).toBe('cut');
  });
});

describe('do not cut', () => {
  const doNotCut = [
    { from: parseDay('2026-12-05'), until: parseDay('2026-12-25'), reason: 'school' },
  ];

  it('leaves reminders alone and takes nothing away while it runs', () => {
    expect(at('2026-12-20', { flags: { doNotCut } })).toMatchObject({
      ...{ state: 'first', level: 'open', held: 'do_not_cut' },
      next: { step: 'cut', on: parseDay('2026-12-25') },
    });
  });

  it('ends by itself, and then the original day counts', () => {
    const found = at('2026-12-25', { flags: { doNotCut } });
    expect([found.state, iso(found.since)]).toEqual(['cut', '2026-12-11']);
  });
});

describe('a promise to pay', () => {
  const promise = {
    madeOn: parseDay('2026-12-05'),
    dueOn: parseDay('2026-12-15'),
    amount: 40_000n,
    owed: 65_000n,
  };
  const flags = { promises: [promise] };

  it('stops the clock on the day it is made', () => {
    expect(at('2026-12-15', { flags })).toMatchObject({
      ...{ state: 'first', held: 'promise' },
      next: { step: 'cut', on: parseDay('2026-12-16') },
    });
  });

  it('that is broken counts from the original day', () => {
    const found = at('2026-12-16', { flags });
    expect([found.state, iso(found.since)]).toEqual(['cut', '2026-12-11']);
    expect(at('2026-12-16', { flags, invoices: [invoice(DUE, 25_001n)] }).state).toBe('cut');
  });

  it('that is kept does not count its days, by whatever means the amount went', () => {
    const invoices = [invoice(DUE, 25_000n)];
    // 7 overdue on 8 December, 10 days later for the days of 6 to 15.
    expect(at('2026-12-17', { flags, invoices }).state).toBe('first');
    expect(at('2026-12-18', { flags, invoices }).state).toBe('notice');
    expect(at('2026-12-21', { flags, invoices }).state).toBe('cut');
  });

  it('is taken within its limits', () => {
    const refused = (today: string, amount: bigint, dueOn: string, promises = [promise]) =>
      promiseRefusal(
        {
          today: parseDay(today),
          owing: { kind: 'postpaid', openInvoices: [invoice()] },
          policy,
          flags: { ...noFlags, promises },
        },
        { amount, dueOn: parseDay(dueOn) },
      );
    expect(refused('2026-12-05', 65_000n, '2026-12-19', [])).toBeNull();
    expect(refused('2026-12-05', 65_001n, '2026-12-19', [])).toBe('amount_out_of_range');
    expect(refused('2026-12-05', 0n, '2026-12-19', [])).toBe('amount_out_of_range');
    expect(refused('2026-12-05', 1n, '2026-12-20', [])).toBe('date_out_of_range');
    expect(refused('2026-12-05', 1n, '2026-12-04', [])).toBe('date_out_of_range');
    expect(refused('2026-12-06', 1n, '2026-12-16')).toBe('promise_running');
    expect(refused('2026-12-16', 1n, '2026-12-20')).toBe('too_many_promises');
    expect(refused('2026-11-01', 1n, '2026-11-05', [])).toBe('nothing_owed');
  });
});

describe('a block', () => {
  const blocks = [
    { from: parseDay('2026-12-02'), until: parseDay('2026-12-05'), reason: 'fair_use' },
  ];

  it('takes the picture from who owes nothing, until its end', () => {
    const level = (today: string) => at(today, { invoices: [], flags: { blocks } }).level;
    expect(['2026-12-01', '2026-12-02', '2026-12-04', '2026-12-05'].map(level)).toEqual([
      'open',
      'stopped',
      'stopped',
      'open',
    ]);
  });

  it('does so against a flag too, and says why', () => {
    const doNotCut = [{ from: 0, until: null, reason: 'school' }];
    expect(at('2026-12-04', { flags: { blocks, doNotCut } })).toMatchObject({
      ...{ state: 'first', level: 'stopped', because: 'block', blockedFor: 'fair_use' },
    });
  });
});

describe('what comes next', () => {
  it('is said with its day, also before anything is due', () => {
    expect(at('2026-11-20').next).toEqual({ step: 'first', on: parseDay('2026-12-04') });
    expect(at('2026-12-11').next).toEqual({ step: 'close', on: parseDay('2027-03-01') });
    expect(at('2027-03-01').next).toBeNull();
    expect(at('2026-12-11', { invoices: [] }).next).toBeNull();
    const doNotCut = [{ from: 0, until: null, reason: 'school' }];
    expect(at('2026-12-11', { flags: { doNotCut } }).next).toBeNull();
  });
});

describe('the hours', () => {
  it('are those on the wall of the site, on a day that is none of rest', () => {
    const open = (instant: string, rest = policy.rest) =>
      mayAct({ ...policy, rest }, new Date(instant), 'Africa/Nairobi');
    expect(
      ['05:59:59', '06:00:00', '16:59:59', '17:00:00'].map((time) => open(`2026-12-04T${time}Z`)),
    ).toEqual([false, true, true, false]);
    const fridays = { weekdays: [5], dates: [] };
    expect(open('2026-12-04T10:00:00Z', fridays)).toBe(false);
    expect(open('2026-12-03T10:00:00Z', fridays)).toBe(true);
  });
});
