import { hasCircle } from './locks.ts';
import { installVirtualTime, type Life, type VirtualTime, within } from './time.ts';

const BEGAN_AT = new Date('2026-11-23T08:00:00Z');

describe('virtual time', () => {
  let time: VirtualTime;
  let fired: string[];
  beforeEach(() => {
    time = installVirtualTime(BEGAN_AT);
    fired = [];
  });
  afterEach(() => time.uninstall());

  const note = (name: string) => () => void fired.push(name);
  const until = (ms: number) => {
    for (let at = time.nextAtMs(); at !== null && at <= ms; at = time.nextAtMs()) time.fireNext(ms);
    time.fireNext(ms);
  };

  it('fires timers by their instants, and those of one instant as they were set', () => {
    setTimeout(note('late'), 30);
    setTimeout(note('first'), 10);
    setTimeout(note('second'), 10);
    clearTimeout(setTimeout(note('never'), 20));
    until(40);
    expect(fired).toEqual(['first', 'second', 'late']);
    expect(time.elapsedMs()).toBe(40);
    expect(time.now()).toEqual(new Date(BEGAN_AT.getTime() + 40));
  });

  it('repeats an interval until it is cleared', () => {
    const timer = setInterval(note('tick'), 10);
    until(35);
    clearInterval(timer);
    until(100);
    expect(fired).toEqual(['tick', 'tick', 'tick']);
  });

  it('never fires what a life began that has died', () => {
    const life: Life = { name: 'p1', isAlive: true, skewMs: 0 };
    within(life, () => {
      setTimeout(() => {
        fired.push('alive');
        setTimeout(note('of a dead life'), 10);
        setImmediate(note('of a dead life'));
      }, 10);
    });
    setTimeout(note('others go on'), 30);
    until(15);
    life.isAlive = false;
    until(50);
    while (time.hasImmediates()) time.runImmediate();
    expect(fired).toEqual(['alive', 'others go on']);
  });

  it('leaps with its clocks, not with its timers', () => {
    const life: Life = { name: 'p1', isAlive: true, skewMs: 2_000 };
    setTimeout(note('late'), 10);
    time.leap(60_000);
    expect(fired).toEqual([]);
    expect(time.clockOf(life).now()).toEqual(new Date(BEGAN_AT.getTime() + 62_000));
  });
});

describe('who waits for whom', () => {
  it('is a circle only where it comes back to where it began', () => {
    const line: [number, number[]][] = [
      [1, [2]],
      [2, [3]],
    ];
    expect(hasCircle(new Map(line))).toBe(false);
    expect(hasCircle(new Map([...line, [3, [1]]]))).toBe(true);
  });
});
