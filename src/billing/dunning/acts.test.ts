import {
  createDunningWorld,
  type DunningWorld,
  noon,
  ZONE,
} from '../../../test/stories/dunning.ts';
import type { World } from '../../../test/stories/world.ts';
import { dayOfInstant, parseDay } from '../../platform/day.ts';

/** Goal: what staff and subscribers decide holds at once, and for as long as it says. */
let house: DunningWorld;
let world: World;
beforeEach(async () => {
  house = await createDunningWorld();
  world = house.world;
});
afterEach(() => house.close());

describe('flags', () => {
  it('keep the picture of who must not be cut, until they end or are lifted', async () => {
    house.policy();
    const { id } = await world.customer();
    house.owe(id);
    world.moveTo(noon('2026-12-11'));
    const service = house.started();
    const flagged = await service.flag({
      ...{ subscriberId: id, kind: 'do_not_cut', reason: 'school', by: 'staff:1' },
      ...{ from: parseDay('2026-12-11'), until: parseDay('2027-01-01') },
    });
    if (!flagged.ok) throw new Error(flagged.error);
    await service.run();
    expect([house.calls, await house.steps()]).toEqual([[], ['first 2026-12-04']]);
    expect((await service.look([id])).get(id)).toMatchObject({
      state: 'first',
      held: 'do_not_cut',
    });
    expect(await service.liftFlag({ id: flagged.id, by: 'staff:2' })).toEqual({ ok: true });
    expect(house.calls).toEqual(['suspend overdue 2026-12-11']);
    expect(await service.liftFlag({ id: flagged.id, by: 'staff:2' })).toEqual({
      ...{ ok: false, error: 'already_lifted' },
    });
    expect(await service.liftFlag({ id: 0n, by: 'staff:2' })).toMatchObject({
      error: 'unknown_flag',
    });
  });

  it('block who owes nothing from their day to their end, at any hour', async () => {
    const { id } = await world.customer();
    house.pay(id);
    world.moveTo(noon('2026-12-01'));
    const blocked = await house.started().flag({
      ...{ subscriberId: id, kind: 'block', reason: 'fair_use', by: 'staff:1' },
      ...{ from: parseDay('2026-12-02'), until: parseDay('2026-12-05') },
    });
    expect([blocked.ok, house.calls]).toEqual([true, []]);
    await house.runAt('2026-12-01T21:30:00Z');
    await house.runAt('2026-12-04T20:30:00Z');
    await house.runAt('2026-12-04T21:30:00Z');
    expect(house.calls).toEqual(['suspend fair_use 2026-12-02', 'unsuspend clear 2026-12-05']);
    expect(await house.holds()).toEqual(['stopped fair_use 2026-12-02..2026-12-05']);
  });

  it('are refused with dates that make no sense, and for nobody', async () => {
    const { id } = await world.customer();
    const service = house.started();
    const today = dayOfInstant(world.now(), ZONE);
    const flag = { kind: 'block', reason: 'wish', by: 'staff:1' } as const;
    for (const [from, until] of [
      [today - 1, null],
      [today, today],
    ] as const) {
      expect(await service.flag({ ...flag, subscriberId: id, from, until })).toMatchObject({
        error: 'bad_dates',
      });
    }
    expect(
      await service.flag({ ...flag, subscriberId: 7n, from: today, until: null }),
    ).toMatchObject({ error: 'unknown_subscriber' });
  });
});

describe('a promise', () => {
  it('is noted, answered, and holds everything until it is broken', async () => {
    house.policy();
    const { id, msisdn } = await world.customer();
    house.owe(id);
    world.moveTo(noon('2026-12-05'));
    const service = house.started();
    const dueOn = parseDay('2026-12-15');
    const act = { subscriberId: id, amount: 65_000n, dueOn, by: `phone:${msisdn}` };
    expect(await service.promise(act)).toMatchObject({ ok: true });
    expect(await service.promise(act)).toEqual({ ok: false, error: 'promise_running' });
    const [answer] = await world.rows(
      "SELECT body, target FROM outbound WHERE template = 'text.dunning.promise'",
    );
    expect(answer).toEqual({
      target: msisdn,
      body:
        'Noted: you pay KES 650 by 15/12/2026. Nothing more is stopped until then. ' +
        'To pay, dial *384*123#.',
    });
    await house.runAt(noon('2026-12-15'));
    expect(house.calls).toEqual([]);
    await house.runAt(noon('2026-12-16'));
    expect(house.calls).toEqual(['suspend overdue 2026-12-16']);
    expect(await house.steps()).toEqual([
      'first 2026-12-04',
      'notice 2026-12-08 skipped',
      'cut 2026-12-11',
    ]);
  });
});
