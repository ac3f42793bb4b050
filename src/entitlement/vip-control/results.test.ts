import { outcomeOfResult } from './command.ts';
import { classOf, RESULT_CODES } from './results.ts';

describe('result codes', () => {
  it('have exactly one class each', () => {
    const byClass = Object.groupBy(RESULT_CODES, classOf);
    expect(byClass).toEqual({
      ok: ['DONE', 'DONE_NOOP', 'DUPLICATE'],
      transient: ['BUSY', 'BANDWIDTH', 'MAINTENANCE', 'INTERNAL'],
      sequence: ['SEQ_GAP', 'SEQ_DUP', 'NOT_LOGGED_IN', 'WINDOW_FULL', 'UNKNOWN_COMMAND'],
      state: [
        'STALE_REV',
        'REV_CONFLICT',
        'EXPIRED',
        'RATE_LIMITED',
        'CARD_SUSPENDED',
        'NOT_PAIRED',
        'BLACKLISTED',
        'ALREADY_PAIRED',
      ],
      data: [
        'UNKNOWN_CARD',
        'UNKNOWN_STB',
        'UNKNOWN_PRODUCT',
        'BAD_DATES',
        'TEXT_TOO_LONG',
        'INCOMPATIBLE',
        'WRONG_REGION',
      ],
      authority: ['NOT_ALLOWED', 'SECOND_PERSON_REQUIRED'],
      fatal: ['PROTOCOL', 'UNRECOVERABLE'],
    });
  });

  it('that nobody knows are fatal, even when named like a property of every object', () => {
    expect(classOf('BRAND_NEW')).toBe('fatal');
    expect(classOf('constructor')).toBe('fatal');
  });

  it('of a result decide its outcome', () => {
    const res = { t: 'RES', cmdId: 'c', status: 'REJECTED', dup: false } as const;
    const cardRev = { epoch: 2, rev: 9 };
    expect(outcomeOfResult({ ...res, code: 'BUSY' })).toEqual({ kind: 'retry', code: 'BUSY' });
    expect(outcomeOfResult({ ...res, code: 'STALE_REV', cardRev })).toEqual({
      kind: 'rejected',
      code: 'STALE_REV',
      class: 'state',
      cardRev,
    });
    const emm = { count: 1, firstAirAt: '2026-11-23T13:00:00.000Z', cycleMs: 10_000 };
    expect(outcomeOfResult({ ...res, status: 'DONE', code: 'DONE_NOOP', emm, cardRev })).toEqual({
      kind: 'done',
      code: 'DONE_NOOP',
      dup: false,
      cardRev,
      firstAirAt: new Date(emm.firstAirAt),
    });
  });
});
