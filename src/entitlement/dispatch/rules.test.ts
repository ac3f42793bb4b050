import type { CommandOutcome } from '../vip-control/command.ts';
import { classOf, RESULT_CODES } from '../vip-control/results.ts';
import { cmdIdOf, judge, reairIdOf, type Sending, wireSet } from './rules.ts';

const NOW = new Date('2026-11-23T13:00:00Z');
const sending: Sending = {
  ...{ cardNumber: '40210000017', rev: 57, attempts: 0 },
  ...{ failure: null, failingSince: null },
};
const judged = (outcome: CommandOutcome, attempts = 0, fraction = 0.5) =>
  judge(outcome, { ...sending, attempts }, { now: NOW, fraction });
const inSeconds = (seconds: number) => new Date(NOW.getTime() + seconds * 1000);

describe('the name of a command', () => {
  it('is the same for a repeat and another after each unsuccessful answer', () => {
    const cas = { id: 'main', epoch: 2 };
    expect(cmdIdOf(cas, sending)).toBe('main.2.40210000017.57');
    expect(cmdIdOf(cas, { ...sending, attempts: 3 })).toBe('main.2.40210000017.57.3');
  });

  it('is another for each re-airing', () => {
    const card = { number: '40210000017', rev: 57, reairs: 2 };
    expect(reairIdOf({ id: 'main', epoch: 2 }, card)).toBe('main.2.40210000017.57.air.2');
  });
});

describe('a set on the wire', () => {
  const to = '2026-12-23T21:00:00.000Z';
  const ends = (product: string, airMarginMs: number) =>
    wireSet([{ product, from: '2026-11-23T11:02:00.000Z', to }], airMarginMs)[0]?.to.toISOString();

  it('ends later by the margin of the air', () => {
    expect(ends('ESS', 6 * 3_600_000)).toBe('2026-12-24T03:00:00.000Z');
    expect(ends('ESS', 0)).toBe(to);
  });

  it('prolongs a pay-per-view event by a quarter of an hour at most', () => {
    expect(ends('EVT:DERBY', 6 * 3_600_000)).toBe('2026-12-23T21:15:00.000Z');
    expect(ends('EVT:DERBY', 60_000)).toBe('2026-12-23T21:01:00.000Z');
  });
});

describe('an outcome', () => {
  it('done is on air since the head-end says so, or since now', () => {
    const firstAirAt = inSeconds(-9);
    expect(judged({ kind: 'done', code: 'DONE', dup: true, firstAirAt })).toEqual({
      kind: 'on_air',
      at: firstAirAt,
    });
    expect(judged({ kind: 'done', code: 'DONE_NOOP', dup: false })).toEqual({
      kind: 'on_air',
      at: NOW,
    });
  });

  it('unknown keeps the name of the command', () => {
    expect(judged({ kind: 'unknown', sent: true }, 4)).toMatchObject({
      result: 'unknown',
      attempts: 4,
      failure: 'NO_ANSWER',
      nextAt: inSeconds(5),
    });
  });

  it('retry waits for the back-off, or longer when the head-end asks for it', () => {
    const busy = { kind: 'retry', code: 'BUSY' } as const;
    expect(judged(busy, 2)).toMatchObject({ attempts: 3, nextAt: inSeconds(5), alarm: null });
    expect(judged({ ...busy, retryAfterMs: 20_000 }, 2)).toMatchObject({ nextAt: inSeconds(20) });
  });

  it('rejected waits five minutes and raises an alarm, whatever the code', () => {
    const soon = new Set<string>(['EXPIRED', 'REV_CONFLICT']);
    const refusals = RESULT_CODES.filter((code) => classOf(code) !== 'ok' && !soon.has(code));
    for (const code of refusals) {
      expect(judged({ kind: 'rejected', code, class: classOf(code) })).toMatchObject({
        result: 'refused',
        attempts: 1,
        failure: code,
        nextAt: inSeconds(300),
        alarm: code === 'STALE_REV' ? 'behind' : 'refused',
      });
    }
  });

  it('in conflict with what the head-end has is tried again soon, with an alarm', () => {
    const outcome = { kind: 'rejected', code: 'REV_CONFLICT', class: 'state' } as const;
    expect(judged(outcome, 3)).toMatchObject({
      result: 'retry',
      attempts: 4,
      nextAt: inSeconds(10),
      alarm: 'conflict',
    });
  });

  it('is tried once a day after a day of failing, and as at first when it answers again', () => {
    const failingSince = new Date(NOW.getTime() - 86_400_000);
    const judgedAfter = (failure: string, outcome: CommandOutcome, attempts = 19) =>
      judge(outcome, { ...sending, attempts, failure, failingSince }, { now: NOW, fraction: 0.5 });
    const busy = { kind: 'retry', code: 'BUSY' } as const;
    const silent = { kind: 'unknown', sent: true } as const;
    expect(judgedAfter('BUSY', busy)).toMatchObject({ failingSince, alarm: 'ended' });
    expect(judgedAfter('BUSY', silent)).toMatchObject({ failingSince, alarm: 'ended' });
    expect(judgedAfter('NO_ANSWER', silent)).toMatchObject({ failingSince, alarm: 'ended' });
    for (const failure of ['NO_ANSWER', 'NOT_SENT']) {
      expect(judgedAfter(failure, busy)).toMatchObject({ failingSince: NOW, alarm: null });
    }
  });

  it('goes on as before when nobody was there to try for most of that day', () => {
    const failingSince = new Date(NOW.getTime() - 86_400_000);
    const tried = { ...sending, attempts: 1, failure: 'BUSY', failingSince };
    const verdict = judge({ kind: 'retry', code: 'BUSY' }, tried, { now: NOW, fraction: 0.5 });
    expect(verdict).toMatchObject({ failingSince, alarm: null, nextAt: inSeconds(2) });
  });

  it('expired in the queue of the head-end is tried again soon', () => {
    const outcome = { kind: 'rejected', code: 'EXPIRED', class: 'state' } as const;
    expect(judged(outcome)).toMatchObject({ result: 'retry', nextAt: inSeconds(1), alarm: null });
  });
});
