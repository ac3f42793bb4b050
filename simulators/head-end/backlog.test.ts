import { hearBacklog } from '../../src/entitlement/cas/backlog.ts';
import { until } from '../../src/entitlement/vip-control/testing.ts';
import { watchBacklog } from './backlog.ts';
import { ESS, entitle, NOW, reconnect, setUp, tearDown } from './head-end-harness.ts';

/** Goal: a backlog on the air is told of once, and once that it is over; the product shows it. */
afterEach(tearDown);

describe('the watch over what waits for the air', () => {
  it('tells at its level and at half of it, however it moves between', () => {
    const told: object[] = [];
    let waiting = 0;
    const watch = watchBacklog({
      air: { backlog: () => ({ waiting, sinceMs: NOW.getTime() - 2_500 }) },
      ...{ clock: { now: () => NOW }, level: 10, tell: (one) => told.push(one) },
    });
    for (waiting of [9, 10, 12, 6, 10, 5, 4, 8, 9]) watch.look();
    expect(told).toEqual([
      { waiting: 10, seconds: 2 },
      { waiting: 4, seconds: 2 },
    ]);
    expect(watch.standing()).toBeNull();
    waiting = 11;
    watch.look();
    expect(watch.standing()).toEqual({ waiting: 11, seconds: 2 });
  });
});

describe('a narrow carousel', () => {
  it('is told of as emm_backlog, again in a new session, and when it is over', async () => {
    // Ten EMMs a second.
    const narrow = { kbitPerSecond: 15.04, backlogEmms: 20, profile: [] };
    const { link, time, house } = await setUp(narrow);
    const logged: object[] = [];
    const note = (event: string, fields?: object) => logged.push({ event, ...fields });
    const waiting = hearBacklog(link, { info: note, warn: note, error: note });
    const told: unknown[] = [];
    link.onEvent(({ kind, detail }) => void told.push([kind, detail]));
    await until(() => link.state() === 'connected');
    for (let n = 0; n < 40; n += 1) void link.send(entitle(`c${n}`, 1, [ESS], `4${100 + n}`));
    await until(() => {
      time.advance(50);
      return told.length === 1;
    });
    expect(told).toEqual([['emm_backlog', { waiting: expect.any(Number), seconds: 0 }]]);
    expect(waiting()).toBeGreaterThanOrEqual(20);
    expect(logged).toMatchObject([{ event: 'cas.emm_backlog', waiting: waiting() }]);
    await house.headEnd.setLink(false);
    await house.headEnd.setLink(true);
    await reconnect(link, time);
    expect(waiting()).toBe(0);
    await until(() => told.length === 2);
    expect(waiting()).toBeGreaterThan(10);
    await until(() => {
      time.advance(50);
      return told.length === 3;
    });
    expect(waiting()).toBeLessThanOrEqual(10);
  });
});
