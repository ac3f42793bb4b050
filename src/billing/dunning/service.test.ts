import { createDunningWorld, type DunningWorld, noon } from '../../../test/stories/dunning.ts';
import type { World } from '../../../test/stories/world.ts';
import { parseDay } from '../../platform/day.ts';

/**
 * Goal: each step is taken once and on its day, the picture comes back at once, and a stop in
 * between loses nothing. Method: invoices in memory, all else in Postgres, Nairobi (UTC+3).
 */
let house: DunningWorld;
let world: World;
beforeEach(async () => {
  house = await createDunningWorld();
  world = house.world;
});
afterEach(() => house.close());

describe('an unpaid invoice', () => {
  it('is reminded of, shown, cut for and closed for, each on its day and once', async () => {
    house.policy();
    const { id } = await world.customer();
    house.owe(id);
    for (const date of ['2026-12-03', '2026-12-04', '2026-12-05', '2026-12-08', '2026-12-11']) {
      await house.runAt(noon(date));
      await house.runAt(noon(date));
    }
    expect(await house.steps()).toEqual([
      'first 2026-12-04',
      'notice 2026-12-08',
      'cut 2026-12-11',
    ]);
    expect(await house.said()).toEqual([
      'text.dunning.remind',
      'osd.dunning.wall',
      'text.dunning.suspend',
      'osd.dunning.suspend',
    ]);
    expect(house.calls).toEqual(['suspend overdue 2026-12-11']);
    expect(await house.holds()).toEqual([
      'walled overdue 2026-12-08..2026-12-11',
      'stopped overdue 2026-12-11..',
    ]);
    await house.runAt(noon('2027-03-01'));
    expect(house.calls).toEqual(['suspend overdue 2026-12-11', 'terminate overdue 2027-03-01']);
    house.pay(id);
    await house.runAt(noon('2027-03-05'));
    expect((await house.holds()).at(-1)).toBe('ended overdue 2027-03-01..2027-03-05');
    expect(house.calls).toHaveLength(2);
  });

  it('is worded with amount and days, and void in the evening', async () => {
    house.policy();
    const { id, msisdn } = await world.customer();
    house.owe(id);
    await house.runAt(noon('2026-12-04'));
    const [text] = await world.rows("SELECT * FROM outbound WHERE template LIKE '%dunning%'");
    expect(text).toMatchObject({
      target: msisdn,
      body:
        'KES 650 unpaid since 01/12/2026. Please pay in time to keep your TV: dial *384*123#. ' +
        'Paid already? Thank you.',
      not_after: '2026-12-04T17:00:00.000Z',
    });
  });

  it('is left alone in the night, and looked at late with every step that was missed', async () => {
    house.policy();
    const { id } = await world.customer();
    house.owe(id);
    expect(await house.runAt('2026-12-20T03:00:00Z')).toMatchObject({ looked: 0 });
    expect(await house.runAt('2026-12-20T17:00:00Z')).toMatchObject({ looked: 0 });
    await house.runAt('2026-12-21T06:00:00Z');
    expect(await house.steps()).toEqual([
      'first 2026-12-04 skipped',
      'notice 2026-12-08 skipped',
      'cut 2026-12-11',
    ]);
    expect(await house.said()).toEqual([
      'text.dunning.late',
      'text.dunning.suspend',
      'osd.dunning.suspend',
    ]);
    expect(await house.holds()).toEqual(['stopped overdue 2026-12-21..']);
    expect(house.calls).toEqual(['suspend overdue 2026-12-21']);
  });

  it('shows its notice each day while that step holds', async () => {
    house.policy();
    const { id } = await world.customer();
    house.owe(id);
    for (const date of ['2026-12-08', '2026-12-09', '2026-12-10']) await house.runAt(noon(date));
    expect((await house.steps()).slice(1)).toEqual([
      'notice 2026-12-08',
      'notice#1 2026-12-09',
      'notice#2 2026-12-10',
    ]);
  });

  it('follows the policy of its category, and that of the day on which it arose', async () => {
    house.policy();
    house.policy({ steps: [] }, 'staff');
    house.policy({ steps: [] }, null, '2026-12-01');
    const [old, staff, fresh] = [
      await world.customer(),
      await world.customer(),
      await world.customer(),
    ];
    await world.pool.query("UPDATE subscriber SET category = 'staff' WHERE id = $1", [staff.id]);
    house.owe(old.id);
    house.owe(staff.id);
    house.owe(fresh.id, '2026-12-20');
    await house.runAt(noon('2026-12-30'));
    expect(await world.rows('SELECT DISTINCT subscriber_id FROM dunning_step')).toEqual([
      { subscriber_id: String(old.id) },
    ]);
  });
});

describe('when the reason is gone', () => {
  it('the picture is back that instant, at night too, and queued words are withdrawn', async () => {
    house.policy();
    const { id } = await world.customer();
    house.owe(id);
    await house.runAt(noon('2026-12-11'));
    world.moveTo('2026-12-11T22:00:00Z'); // 12 December, 01:00.
    house.pay(id);
    const result = await house.started().reconsider([id]);
    expect(result).toMatchObject({ changed: 1, queued: 0 });
    expect(house.calls.at(-1)).toBe('unsuspend clear 2026-12-12');
    expect(await house.holds()).toEqual(['stopped overdue 2026-12-11..2026-12-12']);
    expect(new Set((await house.said()).map((line) => String(line).split(' ')[1]))).toEqual(
      new Set(['overtaken']),
    );
  });

  it('the job finds it where nobody said so', async () => {
    house.policy();
    const { id } = await world.customer();
    house.owe(id);
    await house.runAt(noon('2026-12-11'));
    house.pay(id);
    await house.runAt('2026-12-12T01:00:00Z');
    expect(house.calls.at(-1)).toBe('unsuspend clear 2026-12-12');
  });

  it('a payment that comes back takes the picture again, and says nothing twice', async () => {
    house.policy();
    const { id } = await world.customer();
    house.owe(id);
    await house.runAt(noon('2026-12-11'));
    const count = (await house.said()).length;
    house.pay(id);
    await house.started().reconsider([id]);
    house.owe(id);
    await house.runAt(noon('2026-12-14'));
    expect(house.calls.map((line) => line.split(' ')[0])).toEqual([
      'suspend',
      'unsuspend',
      'suspend',
    ]);
    expect(await house.said()).toHaveLength(count);
    expect(await house.holds()).toEqual([
      'stopped overdue 2026-12-11..2026-12-11',
      'stopped overdue 2026-12-14..',
    ]);
  });
});

describe('pictures that are not as they are to be', () => {
  it('are taken where who has none gets a card, and given back where one has moved', async () => {
    house.policy();
    const { id } = await world.customer();
    const { id: other } = await world.customer();
    house.owe(id);
    await house.runAt(noon('2026-12-11'));
    house.pictures.set(id, { isShown: false, takenFor: ['overdue'] });
    await house.runAt(noon('2026-12-12'));
    expect(house.calls).toHaveLength(1);
    house.pictures.set(id, { isShown: true, takenFor: ['overdue'] });
    house.pictures.set(other, { isShown: true, takenFor: ['overdue'] });
    await house.runAt(noon('2026-12-13'));
    expect(house.calls.slice(1)).toEqual([
      'suspend overdue 2026-12-13',
      'unsuspend clear 2026-12-13',
    ]);
  });

  it('are told why they are away, when that has changed', async () => {
    house.policy();
    const { id } = await world.customer();
    house.owe(id);
    await house.runAt(noon('2026-12-11'));
    house.pictures.set(id, { isShown: false, takenFor: ['overdue'] });
    const today = parseDay('2026-12-11');
    const dates = { from: today, until: parseDay('2026-12-20') };
    const block = { kind: 'block', reason: 'fair_use', by: 'staff:1' } as const;
    await house.started().flag({ subscriberId: id, ...block, ...dates });
    expect(house.calls.at(-1)).toBe('suspend fair_use 2026-12-11');
  });
});

describe('a process', () => {
  it('killed after taking a picture, before writing it down, does both again', async () => {
    house.policy();
    const { id } = await world.customer();
    house.owe(id);
    world.moveTo(noon('2026-12-11'));
    const lend = world.ids.lend;
    world.ids.lend = () => Promise.reject(new Error('killed'));
    await expect(house.started().run()).rejects.toThrow('killed');
    world.ids.lend = lend;
    expect([await house.steps(), await house.holds()]).toEqual([[], []]);
    await house.runAt(noon('2026-12-11'));
    await house.runAt(noon('2026-12-11'));
    expect(house.calls).toEqual(['suspend overdue 2026-12-11', 'suspend overdue 2026-12-11']);
    expect(await house.steps()).toHaveLength(3);
    expect(await house.holds()).toEqual(['stopped overdue 2026-12-11..']);
  });

  it('that cannot take one picture stops for nobody else, and tries it again', async () => {
    house.policy();
    const [one, other] = [await world.customer(), await world.customer()];
    house.owe(one.id);
    house.owe(other.id);
    let failures = 1;
    house.fault.before = () => {
      failures -= 1;
      if (failures >= 0) throw new Error('not now');
    };
    expect(await house.runAt(noon('2026-12-11'))).toMatchObject({ failed: 1, changed: 1 });
    expect(await house.steps()).toHaveLength(3);
    expect(await house.runAt(noon('2026-12-11'))).toMatchObject({ failed: 0, changed: 1 });
    expect(await house.steps()).toHaveLength(6);
  });

  it('that is paid while the picture is being taken has it back in the end', async () => {
    house.policy();
    const { id } = await world.customer();
    house.owe(id);
    world.moveTo(noon('2026-12-11'));
    const [runs, hears] = [house.started(), house.started()];
    let heard: Promise<unknown> = Promise.resolve();
    house.fault.before = () => {
      house.fault.before = () => {};
      house.pay(id);
      heard = hears.reconsider([id]);
    };
    await runs.run();
    await heard;
    expect(house.calls).toEqual(['suspend overdue 2026-12-11', 'unsuspend clear 2026-12-11']);
    expect(await house.holds()).toEqual(['stopped overdue 2026-12-11..2026-12-11']);
  });

  it('is no harm beside others at the same work', async () => {
    house.policy();
    const customers = await Promise.all(Array.from({ length: 5 }, () => world.customer()));
    for (const { id } of customers) house.owe(id);
    world.moveTo(noon('2026-12-11'));
    const services = [house.started(), house.started(), house.started()];
    await Promise.all(services.map((service) => service.run()));
    await Promise.all(services.map((service) => service.reconsider(customers.map(({ id }) => id))));
    expect(await house.steps()).toHaveLength(15);
    expect(await house.holds()).toHaveLength(5);
    expect(house.calls).toHaveLength(5);
  });
});

describe('many debtors', () => {
  it('are gone through page after page, and from the beginning again', async () => {
    house.policy();
    const { id: first } = await world.customer();
    await world.pool.query(
      `INSERT INTO subscriber (id, site_id, full_name, language, wallet_id, tvu_wallet_id, held_id,
                               created_at)
       SELECT 1000000 + n, site_id, full_name, language, wallet_id, tvu_wallet_id, held_id,
              created_at FROM subscriber, generate_series(1, 250) n WHERE id = $1`,
      [first],
    );
    for (let n = 1n; n <= 250n; n += 1n) house.owe(1_000_000n + n);
    world.moveTo(noon('2026-12-04'));
    const service = house.started();
    expect(await service.run()).toMatchObject({ looked: 250, failed: 0 });
    expect(await house.steps()).toHaveLength(250);
    expect(await service.run()).toMatchObject({ looked: 250, queued: 0 });
  });
});

describe('prepaid time', () => {
  it('that ended is said as what it costs to go on', async () => {
    house.policy();
    const { id, number } = await world.customer();
    await world.pay({ amount: 65_000n, accountRef: number }); // To 23 December, inclusive.
    const service = house.started();
    world.moveTo(noon('2026-12-26'));
    await service.reconsider([id]);
    const [text] = await world.rows(
      "SELECT template, body FROM outbound WHERE template LIKE '%dunning%'",
    );
    expect(text).toEqual({
      template: 'text.dunning.ended',
      body: 'Your TV was paid to 23/12/2026. To have it back: KES 650, dial *384*123#.',
    });
    await world.pay({ amount: 65_000n, accountRef: number });
    expect((await service.look([id])).get(id)).toMatchObject({ state: 'clear', owed: 0n });
  });
});

describe('who has sent STOP, or has no phone', () => {
  it('is not reminded by text, but told what is done to them', async () => {
    house.policy();
    const { id, msisdn } = await world.customer();
    house.owe(id);
    await world.pool.query('INSERT INTO reminder_choice VALUES ($1, false, now())', [msisdn]);
    await house.runAt(noon('2026-12-04'));
    expect([await house.said(), await house.steps()]).toEqual([[], ['first 2026-12-04']]);
    await house.runAt(noon('2026-12-11'));
    expect(await house.said()).toContain('text.dunning.suspend');
    const { id: other } = await world.customer();
    await world.pool.query('UPDATE subscriber SET contact_msisdn = NULL WHERE id = $1', [other]);
    house.owe(other);
    await house.runAt(noon('2026-12-11'));
    expect((await house.said()).at(-1)).toBe('osd.dunning.suspend');
  });
});
