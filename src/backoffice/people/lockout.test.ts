import { countTry, FREE_TRIES, type TryKind } from './lockout.ts';

const START = Date.UTC(2026, 10, 23);
const at = (ms: number) => new Date(START + ms);

/** Fails until locked; the waits in seconds, one after the other. */
function waits(kind: TryKind, failures: number): number[] {
  let row: Parameters<typeof countTry>[0] = null;
  let ms = 0;
  const found: number[] = [];
  for (let i = 0; i < failures; i += 1) {
    const next = countTry(row, kind, at(ms));
    if ('lockedUntil' in next) throw new Error('Locked before its time');
    row = next.counted;
    const wait = (row.lockedUntil?.getTime() ?? START + ms) - (START + ms);
    found.push(wait / 1000);
    ms += wait;
  }
  return found;
}

describe('failed sign-ins', () => {
  it('are free at first, then each wait is twice the one before, up to an hour', () => {
    expect(waits('login', 14)).toEqual([
      0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600,
    ]);
    expect(waits('address', FREE_TRIES.address).filter((wait) => wait > 0)).toEqual([30]);
  });

  it('while locked are none: the wait does not grow', () => {
    const lockedUntil = at(30_000);
    const row = { failed: 5, lastAt: at(0), lockedUntil };
    expect(countTry(row, 'login', at(29_999))).toEqual({ lockedUntil });
    expect(countTry(row, 'login', at(30_000))).toMatchObject({ counted: { failed: 6 } });
  });

  it('are forgotten after a day', () => {
    const row = { failed: 20, lastAt: at(0), lockedUntil: at(3_600_000) };
    const day = 86_400_000;
    expect(countTry(row, 'login', at(day + 1))).toEqual({
      counted: { failed: 1, lastAt: at(day + 1), lockedUntil: null },
    });
  });
});
