import { newTotpSecret, totpCode, totpStep, totpUri } from './codes.ts';

/** RFC 6238, appendix B: the ASCII text 12345678901234567890, in base 32. */
const RFC_SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const at = (seconds: number) => new Date(seconds * 1000);

describe('a code of the second factor', () => {
  it.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_234_567_890, '005924'],
    [20_000_000_000, '353130'],
  ])('at second %i is %s, as the RFC says', (second, code) => {
    expect(totpCode(RFC_SECRET, at(second))).toBe(code);
    const step = totpStep(code, RFC_SECRET, { now: at(second), lastStep: 0n });
    expect(step).toBe(BigInt(Math.floor(second / 30)));
  });

  it('is good one step earlier or later, and no more', () => {
    const code = totpCode(RFC_SECRET, at(3_000));
    const step = (second: number) => totpStep(code, RFC_SECRET, { now: at(second), lastStep: 0n });
    expect([2_940, 2_970, 3_000, 3_059].map(step)).toEqual([null, 100n, 100n, 100n]);
    expect(step(3_060)).toBeNull();
  });

  it('is good once: neither it nor an earlier one afterwards', () => {
    const code = totpCode(RFC_SECRET, at(3_000));
    const now = at(3_000);
    expect(totpStep(code, RFC_SECRET, { now, lastStep: 99n })).toBe(100n);
    expect(totpStep(code, RFC_SECRET, { now, lastStep: 100n })).toBeNull();
  });

  it('comes from a secret that an authenticator reads', () => {
    const secret = newTotpSecret();
    expect(secret).toMatch(/^[A-Z2-7]{32}$/);
    expect(totpUri(secret, 'amina')).toContain(`secret=${secret}`);
  });
});
