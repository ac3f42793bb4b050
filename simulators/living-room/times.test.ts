import type { Happened } from './road.ts';
import { createTimes } from './times.ts';

const AT = Date.parse('2026-11-23T11:02:00Z');
const at = (ms: number) => new Date(AT + ms);
const CARD = '40210000010';
const settled = (ms: number): Happened => ({ step: 'settled', at: at(ms + 9), since: at(ms) });
const sent = (ms: number, since: number): Happened => {
  return { step: 'sent', at: at(ms), since: at(since), card: CARD };
};
const onAir = (ms: number): Happened => ({ step: 'on_air', at: at(ms), card: CARD });

describe('the time to picture', () => {
  const timeAfter = (...steps: Happened[]) => {
    const times = createTimes();
    for (const step of steps) times.note(step);
    return times.of(CARD);
  };

  it('is not known before the first payment, whatever goes on air', () => {
    expect(timeAfter()).toBeNull();
    expect(timeAfter(sent(5, 0), onAir(900))).toBeNull();
    expect(timeAfter(sent(5, 0), settled(100), onAir(900))).toBeNull();
  });

  it('is what lies between the raise of the rights and ON AIR', () => {
    expect(timeAfter(settled(100), sent(130, 100), onAir(940))).toBe(0.84);
    expect(timeAfter(sent(5, 0), onAir(90), settled(100), sent(130, 100), onAir(940))).toBe(0.84);
  });

  it('stays that of the payment when rights are raised for another reason', () => {
    const paid = [settled(100), sent(130, 100), onAir(940)];
    expect(timeAfter(...paid, sent(5_000, 4_000), onAir(7_000))).toBe(0.84);
    expect(timeAfter(...paid, settled(9_000), sent(9_010, 9_000), onAir(9_500))).toBe(0.5);
  });
});
