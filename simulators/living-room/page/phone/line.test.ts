import { heardOf } from './line.ts';

describe('what a person sees of a hop', () => {
  it('is the screen, open or at its end', () => {
    expect(heardOf({ ok: true, screen: 'VIP TV', ended: false })).toEqual({
      screen: 'VIP TV',
      reason: null,
    });
    expect(heardOf({ ok: true, screen: 'Goodbye.', ended: true }).reason).toBe('answered');
  });

  it('is the code that nobody serves, and nothing technical', () => {
    const detail = '*111# does not belong to *384*100#';
    expect(heardOf({ ok: false, error: 'wrong_code', detail })).toEqual({
      screen: '*111#',
      reason: 'wrong_code',
    });
    const seen = (['no_answer', 'bad_answer', 'too_long', 'session_expired'] as const).map(
      (error) => heardOf({ ok: false, error, detail: 'HTTP 500 instead of 200' }),
    );
    expect(seen.map(({ screen }) => screen).join('')).toBe('');
    expect(seen.map(({ reason }) => reason)).toEqual([
      ...['no_answer', 'bad_answer', 'bad_answer', 'timed_out'],
    ]);
  });
});
