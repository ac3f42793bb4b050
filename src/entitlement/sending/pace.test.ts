import { createPace, LIMIT_MAX } from './pace.ts';

/** A system that answers so many a second in turn, fed as fast as the pace allows. */
function settledLimit(perSecond: number, seconds: number): number {
  const pace = createPace();
  const queue: number[] = [];
  for (let answers = 1; answers <= perSecond * seconds; answers += 1) {
    const now = (answers * 1000) / perSecond;
    const before = ((answers - 1) * 1000) / perSecond;
    while (queue.length < pace.limit()) queue.push(before);
    pace.answered(queue.shift() ?? before, now);
  }
  return pace.limit();
}

describe('the pace of what nobody waits for', () => {
  it('keeps about a second of work at a system, slow or fast', () => {
    expect(settledLimit(1, 120)).toBeLessThanOrEqual(2);
    const fifty = settledLimit(50, 60);
    expect(fifty).toBeGreaterThanOrEqual(20);
    expect(fifty).toBeLessThanOrEqual(80);
  });

  it('has an end however fast the system is', () => {
    expect(settledLimit(5_000, 2)).toBe(LIMIT_MAX);
  });

  it('is cut once for all that was sent before the cut, and never to nothing', () => {
    const pace = createPace();
    for (let n = 0; n < 62; n += 1) pace.answered(0, 1);
    expect(pace.limit()).toBe(64);
    for (let n = 0; n < 64; n += 1) pace.answered(1, 5_000);
    expect(pace.limit()).toBe(32);
    for (let n = 1; n < 20; n += 1) pace.answered(n * 10_000, n * 10_000 + 5_000);
    expect(pace.limit()).toBe(1);
  });
});
