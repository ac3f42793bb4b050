import fc from 'fast-check';
import {
  ASKS_READ_MAX,
  type Ask,
  decideRefresh,
  diagnose,
  isRefreshable,
  isStillBlack,
  type PictureFacts,
} from './rules.ts';

const NOW = new Date('2026-11-23T14:00:00Z');
const at = (minutes: number) => new Date(NOW.getTime() + minutes * 60_000);
const PAID_UNTIL = at(30 * 24 * 60);
const right = (from: Date, to: Date, product = 'ESS') => ({ product, from, to });
const event = (from: Date, to: Date) => right(from, to, 'EVT:MATCH');

const onAir: PictureFacts = {
  desired: [right(at(-60), PAID_UNTIL)],
  desiredRev: 2,
  ackedRev: 2,
  onAirAt: at(-59),
  raisedAt: at(-60),
  paidUntil: PAID_UNTIL,
  refreshedAt: null,
  suspension: null,
};
const ended: PictureFacts = {
  ...onAir,
  desired: [right(at(-90), at(-10))],
  paidUntil: at(-10),
};

describe('a diagnosis', () => {
  it('says on air since when, and when it was last refreshed', () => {
    expect(diagnose({ ...onAir, refreshedAt: at(-5) }, NOW)).toEqual({
      kind: 'on_air',
      paidUntil: PAID_UNTIL,
      since: at(-59),
      refreshedAt: at(-5),
    });
  });

  it('says on its way since the set was raised, though an earlier one is on air', () => {
    expect(diagnose({ ...onAir, desiredRev: 3, raisedAt: at(-1) }, NOW)).toEqual({
      kind: 'on_its_way',
      paidUntil: PAID_UNTIL,
      since: at(-1),
    });
  });

  it('takes a suspension before everything else', () => {
    const suspension = { reason: 'fraud', since: at(-3) } as const;
    for (const facts of [onAir, ended, { ...onAir, desiredRev: 3 }]) {
      expect(diagnose({ ...facts, suspension }, NOW)).toEqual({ kind: 'suspended', ...suspension });
    }
  });

  it('ends with the paid term to the instant, whatever the margin of the air', () => {
    const last = new Date(PAID_UNTIL.getTime() - 1);
    expect(diagnose(onAir, last)).toMatchObject({ kind: 'on_air' });
    expect(diagnose(onAir, PAID_UNTIL)).toEqual({ kind: 'not_paid', paidUntil: PAID_UNTIL });
  });

  it('says never paid without an end', () => {
    const facts = { ...onAir, desired: [], desiredRev: 0, ackedRev: 0, onAirAt: null };
    expect(diagnose({ ...facts, raisedAt: null, paidUntil: null }, NOW)).toEqual({
      kind: 'not_paid',
      paidUntil: null,
    });
  });

  it.each([
    ['that runs counts as paid to its end', event(at(-5), at(90)), 'on_air', at(90)],
    ['to come does not make now paid', event(at(5), at(90)), 'not_paid', at(-10)],
    ['that is over tells when it ended', event(at(-9), at(-2)), 'not_paid', at(-2)],
  ])('an event %s', (_, bought, kind, paidUntil) => {
    const facts = { ...ended, desired: [...ended.desired, bought] };
    expect(diagnose(facts, NOW)).toMatchObject({ kind, paidUntil });
  });

  it('speaks of the subscription while it runs, not of an event after it', () => {
    const facts = { ...onAir, desired: [...onAir.desired, event(at(60_000), at(60_090))] };
    expect(diagnose(facts, NOW)).toMatchObject({ kind: 'on_air', paidUntil: PAID_UNTIL });
  });
});

describe('what can be refreshed', () => {
  it.each([
    ['rights that are on air', {}, true],
    ['rights to come', { desired: [event(at(5), at(90))] }, true],
    ['rights that have ended', { desired: ended.desired }, false],
    ['rights on their way', { desiredRev: 3 }, false],
    ['nothing that was ever on air', { desiredRev: 0, ackedRev: 0, onAirAt: null }, false],
    ['a suspended card', { suspended: 'admin' as const }, false],
  ])('%s', (_, change, expected) => {
    expect(isRefreshable({ ...onAir, suspended: null, ...change }, NOW)).toBe(expected);
  });
});

describe('the limits of refreshes', () => {
  const ask = (minutes: number, state: Ask['state'] = 'on_air'): Ask => ({
    at: at(minutes),
    state,
  });

  it.each<[string, Ask[], unknown]>([
    ['a first ask counts', [], { kind: 'asked', at: NOW }],
    ['asked 59 s ago, that one counts', [ask(-59 / 60)], { kind: 'already', at: at(-59 / 60) }],
    ['a minute later a new one does', [ask(-1)], { kind: 'asked', at: NOW }],
    ['what is not sent yet counts', [ask(-20, 'queued')], { kind: 'already', at: at(-20) }],
    ['what failed does not stand for this one', [ask(-0.5, 'failed')], { kind: 'asked', at: NOW }],
    [
      'the fourth in an hour waits for the first to be an hour old',
      [ask(-59), ask(-30), ask(-2)],
      { kind: 'limited', again: at(1) },
    ],
    ['and then it may', [ask(-60), ask(-30), ask(-2)], { kind: 'asked', at: NOW }],
    [
      'what failed cost the head-end a command too',
      [ask(-59, 'failed'), ask(-30, 'failed'), ask(-2, 'failed')],
      { kind: 'limited', again: at(1) },
    ],
    [
      'the eleventh in a day waits for the first to be a day old',
      [1400, 1300, 1200, 1100, 1000, 900, 800, 700, 600, 500].map((ago) => ask(-ago)),
      { kind: 'limited', again: at(40) },
    ],
  ])('%s', (_, asks, answer) => {
    expect(decideRefresh(asks, NOW)).toEqual(answer);
  });

  it('hold however often somebody asks, and "again" is the first instant that is allowed', () => {
    const waits = fc.array(fc.integer({ min: 1, max: 7_200 }), { maxLength: 60 });
    fc.assert(
      fc.property(waits, (seconds) => {
        const asks: Ask[] = [];
        const kindAt = (ms: number) => decideRefresh(asks.slice(-ASKS_READ_MAX), new Date(ms)).kind;
        let nowMs = NOW.getTime();
        for (const wait of seconds) {
          nowMs += wait * 1000;
          const answer = decideRefresh(asks.slice(-ASKS_READ_MAX), new Date(nowMs));
          if (answer.kind === 'asked') asks.push({ at: answer.at, state: 'on_air' });
          if (answer.kind !== 'limited') continue;
          expect(kindAt(answer.again.getTime() - 1)).toBe('limited');
          expect(kindAt(answer.again.getTime())).toBe('asked');
        }
        expect(mostWithin(asks, 3_600_000)).toBeLessThanOrEqual(3);
        expect(mostWithin(asks, 86_400_000)).toBeLessThanOrEqual(10);
      }),
    );
  });
});

/** The most asks in any stretch of time of this length. */
const mostWithin = (asks: readonly Ask[], ms: number): number =>
  Math.max(
    0,
    ...asks.map(({ at: first }) => {
      const sinceMs = (ask: Ask) => ask.at.getTime() - first.getTime();
      return asks.filter((ask) => sinceMs(ask) >= 0 && sinceMs(ask) < ms).length;
    }),
  );

describe('a picture is still black', () => {
  const said = (text: string) =>
    [...text].map((letter, i) => ({
      at: at(i - 20),
      answer: letter === 'x' ? ('black' as const) : ('back' as const),
    }));

  it.each([
    ['when two say so', 'xx', at(-30), true],
    ['not when one does', 'x', at(-30), false],
    ['not when it came back since', 'xxo', at(-30), false],
    ['when it went again, twice', 'xxoxx', at(-30), true],
    ['not when it went again, once', 'xxox', at(-30), false],
    ['not while nothing was refreshed', 'xxx', null, false],
    ['not when that was said before the refresh', 'xx', at(-19.5), false],
  ])('%s', (_, reports, refreshedAt, expected) => {
    expect(isStillBlack(said(reports), refreshedAt)).toBe(expected);
  });
});
