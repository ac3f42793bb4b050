import fc from 'fast-check';
import { parseDay } from '../../platform/day.ts';
import { dunningPolicy } from '../catalogue/dunning-policy.ts';
import { holdChange } from './holds.ts';
import {
  type Dunning,
  type DunningFacts,
  dunningOf,
  type Level,
  type OpenInvoice,
  type StepKey,
} from './rules.ts';

/**
 * Goal: the algebra of dunning. Method: any policy, debts, promises and flags within 200 days.
 */
const START = parseDay('2026-06-01');
const day = fc.integer({ min: START, max: START + 200 });

const thresholds = fc.oneof(
  fc.record({ daysOverdue: fc.integer({ min: 0, max: 60 }) }),
  fc.record({ openInvoices: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ totalOwed: fc.integer({ min: 1, max: 3_000 }).map(String) }),
);
const ACTS = ['remind', 'wall', 'suspend', 'terminate'] as const;
const policies = fc
  .record({
    steps: fc.array(
      fc.record({
        when: thresholds,
        does: fc.constantFrom(...ACTS),
        repeatDays: fc.option(fc.integer({ min: 1, max: 9 })),
      }),
      { maxLength: 6 },
    ),
    ignoreBelow: fc.integer({ min: 0, max: 500 }).map(String),
    countsFrom: fc.constantFrom('issued', 'due'),
    rest: fc.record({
      weekdays: fc.subarray([1, 2, 3, 4, 5, 6, 7], { maxLength: 3 }),
      dates: fc.constant(['2026-07-14', '2026-08-15']),
    }),
  })
  .map(({ steps, ...rest }) =>
    dunningPolicy.parse({
      ...rest,
      steps: [...steps]
        .sort((a, b) => ACTS.indexOf(a.does) - ACTS.indexOf(b.does))
        .map((step, index) => ({ ...step, name: `s${index}`, say: [] })),
    }),
  );
const invoices = fc.array(
  fc.record({
    id: fc.bigInt({ min: 1n, max: 1_000n }),
    issuedOn: day,
    wait: fc.integer({ min: 0, max: 20 }),
    open: fc.bigInt({ min: 1n, max: 2_000n }),
  }),
  { maxLength: 5 },
);
const spans = fc.array(fc.record({ from: day, days: fc.option(fc.integer({ min: 1, max: 60 })) }), {
  maxLength: 2,
});
const promises = fc.array(
  fc.record({
    madeOn: day,
    days: fc.integer({ min: 0, max: 14 }),
    amount: fc.bigInt({ min: 1n, max: 2_000n }),
    more: fc.bigInt({ min: 0n, max: 2_000n }),
  }),
  { maxLength: 2 },
);

const owingOf = (list: readonly { id: bigint; issuedOn: number; wait: number; open: bigint }[]) =>
  list.map(
    ({ id, issuedOn, wait, open }): OpenInvoice => ({
      ...{ id, issuedOn, dueOn: issuedOn + wait, open },
    }),
  );
const facts = fc
  .record({ policy: policies, open: invoices, doNotCut: spans, blocks: spans, promises })
  .map(({ policy, open, ...flags }): Omit<DunningFacts, 'today'> => {
    const spanOf = ({ from, days }: { from: number; days: number | null }) => ({
      ...{ from, until: days === null ? null : from + days, reason: 'any' },
    });
    return {
      policy,
      owing: { kind: 'postpaid', openInvoices: owingOf(open) },
      taken: [],
      flags: {
        doNotCut: flags.doNotCut.map(spanOf),
        blocks: flags.blocks.map(spanOf),
        promises: flags.promises.map(({ madeOn, days, amount, more }) => ({
          ...{ madeOn, dueOn: madeOn + days, amount, owed: amount + more },
        })),
      },
    };
  });

const LEVELS: readonly Level[] = ['open', 'walled', 'stopped', 'ended'];
const hardness = ({ policy }: Pick<DunningFacts, 'policy'>, { state, level }: Dunning) => [
  policy.steps.findIndex(({ name }) => name === state),
  LEVELS.indexOf(level),
];
const openOf = ({ owing }: Pick<DunningFacts, 'owing'>) =>
  owing.kind === 'postpaid' ? owing.openInvoices : [];
const NO_REST = { weekdays: [], dates: [] };
const owing = (openInvoices: readonly OpenInvoice[]) =>
  ({ owing: { kind: 'postpaid', openInvoices } }) as const;
const keyOf = ({ cycle, step, round }: StepKey) => `${cycle} ${step} ${round}`;

/** Looks on the days given and takes what is due; all keys in the order they were taken. */
function walk(one: Omit<DunningFacts, 'today'>, days: readonly number[]): string[] {
  const taken: StepKey[] = [];
  for (const today of days) taken.push(...dunningOf({ ...one, today, taken }).due);
  return taken.map(keyOf);
}

const check = (property: Parameters<typeof fc.assert>[0]) => fc.assert(property, { numRuns: 300 });

describe('dunning', () => {
  it('is never milder for more debt', () => {
    const more = fc.record({
      id: fc.constant(0n),
      issuedOn: day,
      wait: fc.nat(20),
      open: fc.bigInt(1n, 2_000n),
    });
    check(
      fc.property(facts, day, more, (one, today, extra) => {
        const less = hardness(one, dunningOf({ ...one, today }));
        const with_ = owing([...openOf(one), ...owingOf([extra])]);
        const worse = hardness(one, dunningOf({ ...one, ...with_, today }));
        expect(worse[0]).toBeGreaterThanOrEqual(less[0] ?? 0);
        expect(worse[1]).toBeGreaterThanOrEqual(less[1] ?? 0);
      }),
    );
  });

  it('is never harder after a part of any invoice is gone, by whatever means', () => {
    check(
      fc.property(facts, day, fc.nat(), fc.bigInt(0n, 2_000n), (one, today, which, gone) => {
        const open = openOf(one);
        const before = hardness(one, dunningOf({ ...one, today }));
        const lowered = open.map((invoice, index) =>
          index === which % open.length ? { ...invoice, open: invoice.open - gone } : invoice,
        );
        const after = hardness(one, dunningOf({ ...one, ...owing(lowered), today }));
        expect(after[0]).toBeLessThanOrEqual(before[0] ?? 0);
        expect(after[1]).toBeLessThanOrEqual(before[1] ?? 0);
      }),
    );
  });

  it('clears when nothing is open, whatever was before', () => {
    check(
      fc.property(facts, day, (one, today) => {
        const found = dunningOf({ ...one, ...owing([]), today });
        expect(found).toMatchObject({ state: 'clear', since: null, owed: 0n, due: [], next: null });
        expect(found.because).not.toBe('overdue');
      }),
    );
  });

  it('knows neither the order of invoices nor how a debt is cut into invoices of a day', () => {
    check(
      fc.property(facts, day, (one, today) => {
        const open = openOf(one);
        const halves = open.flatMap((invoice) => [
          { ...invoice, open: invoice.open / 2n },
          { ...invoice, open: invoice.open - invoice.open / 2n },
        ]);
        const byNumber = one.policy.steps.some(({ when }) => 'openInvoices' in when);
        const other = byNumber ? [...open].reverse() : halves.reverse();
        expect(dunningOf({ ...one, ...owing(other), today })).toEqual(dunningOf({ ...one, today }));
      }),
    );
  });

  it('takes each step once a cycle and round, however often it is looked at', () => {
    check(
      fc.property(facts, fc.array(day, { maxLength: 40 }), (one, days) => {
        const taken = walk(
          one,
          [...days].sort((a, b) => a - b).flatMap((each) => [each, each]),
        );
        expect(new Set(taken).size).toBe(taken.length);
      }),
    );
  });

  it('comes to the same steps on every path of looks with the same end', () => {
    check(
      fc.property(facts, fc.array(day, { maxLength: 20 }), day, (any, looks, end) => {
        const steps = any.policy.steps.map((step) => ({ ...step, repeatDays: null }));
        // Flags pass, so that what they kept from happening is another thing on another day.
        const one = {
          ...any,
          policy: { ...any.policy, steps, rest: NO_REST },
          flags: { doNotCut: [], blocks: any.flags.blocks, promises: [] },
        };
        const before = looks.filter((look) => look < end).sort((a, b) => a - b);
        expect(walk(one, [...before, end]).sort()).toEqual(walk(one, [end]).sort());
      }),
    );
  });

  it('says of what comes next the day on which it comes, if nothing happens till then', () => {
    check(
      fc.property(facts, fc.nat(60), (any, later) => {
        const one = foreseeable(any);
        const today = START + 200 + later;
        const { next } = dunningOf({ ...one, today });
        if (next === null || next.on === today) return;
        const rankOn = (on: number) => {
          const { state } = dunningOf({ ...one, today: on });
          return one.policy.steps.findIndex(({ name }) => name === state);
        };
        const rank = one.policy.steps.findIndex(({ name }) => name === next.step);
        expect(rankOn(next.on)).toBeGreaterThanOrEqual(rank);
        expect(rankOn(next.on - 1)).toBeLessThan(rank);
      }),
    );
  });
});

/**
 * Nothing begins later, flags end, promises are broken; no days of rest, as what was held back is
 * reached when that ends, but done on a working day.
 */
function foreseeable(any: Omit<DunningFacts, 'today'>): Omit<DunningFacts, 'today'> {
  const oldest = Math.min(...openOf(any).map(({ issuedOn }) => issuedOn));
  return {
    ...any,
    policy: {
      ...any.policy,
      rest: NO_REST,
      steps: any.policy.steps.map((step) =>
        'daysOverdue' in step.when
          ? { ...step, when: { daysOverdue: step.when.daysOverdue * 5 } }
          : step,
      ),
    },
    flags: {
      ...any.flags,
      doNotCut: any.flags.doNotCut.map((span) => ({ ...span, until: span.until ?? START + 240 })),
      promises: any.flags.promises
        .filter(({ madeOn }) => madeOn >= oldest)
        .map((promise) => ({ ...promise, owed: promise.amount })),
    },
  };
}

describe('what is held', () => {
  it('is always what the facts want by day, but for contracts that are ended', () => {
    check(
      fc.property(facts, fc.array(day, { minLength: 1, maxLength: 30 }), (one, days) => {
        let level: Level = 'open';
        for (const today of [...days].sort((a, b) => a - b)) {
          const wanted = dunningOf({ ...one, today });
          level = holdChange(level, wanted, true)?.level ?? level;
          if (level !== 'ended') expect(level).toBe(wanted.level);
        }
      }),
    );
  });

  it('only gets better at night, and asks for each picture once', () => {
    const levels = fc.constantFrom<Level>(...LEVELS);
    check(
      fc.property(levels, levels, (actual, level) => {
        const owed = level === 'open' ? 0n : 1n;
        const wanted = { level, owed, because: 'overdue' } as const;
        const night = holdChange(actual, wanted, false)?.level ?? actual;
        expect(LEVELS.indexOf(night)).toBeLessThanOrEqual(LEVELS.indexOf(actual));
        const change = holdChange(actual, wanted, true);
        if (change) {
          const hasPicture = (one: Level) => one === 'open' || one === 'walled';
          expect(change.call === 'suspend').toBe(change.level === 'stopped');
          expect(change.call === 'unsuspend').toBe(actual === 'stopped' && hasPicture(level));
        }
      }),
    );
  });
});
