import { createWorld, type World } from '../../../test/stories/world.ts';
import { countDark, DARK_AFTER_SECONDS, paidButDark } from './dark.ts';
import {
  card,
  cardOnAir,
  deskOf,
  grantEvent,
  later,
  type PaidCard,
  putOnAir,
  START,
  suspensionsOf,
} from './picture-harness.ts';

describe('paid but dark', () => {
  let world: World;
  beforeEach(async () => {
    world = await createWorld(START);
  });
  afterEach(() => world.close());

  const list = () =>
    paidButDark(world.pool, { now: world.now(), afterSeconds: DARK_AFTER_SECONDS });
  const names = async () => (await list()).map(({ number }) => number);
  let serial = 0;
  const refreshed = async ({ id }: PaidCard, state = 'on_air') => {
    serial += 1;
    await world.pool.query(
      `INSERT INTO card_refresh (id, card_id, asked_at, source, state, failure)
       VALUES ($1, $2, $3, 'staff', $4, $5)`,
      [serial, id, world.now(), state, state === 'failed' ? 'RATE_LIMITED' : null],
    );
  };
  const said = ({ id }: PaidCard, answer: 'back' | 'black') => {
    serial += 1;
    const key = `act-${serial}`;
    return deskOf(world).report({ cardId: id, source: 'staff', msisdn: null, answer, key });
  };

  it('is empty while everything that is paid is on air', async () => {
    await cardOnAir(world);
    await card(world, { paid: false });
    later(world, 3_600);
    expect(await list()).toEqual([]);
    expect(await countDark(world.pool, world.now())).toBe(0);
  });

  it('lists what is not on air in time, the longest dark first, with what was heard', async () => {
    const first = await card(world);
    later(world, 30);
    const second = await card(world);
    await world.pool.query("UPDATE card_rights SET failure = 'UNKNOWN_CARD' WHERE card_id = $1", [
      first.id,
    ]);
    later(world, 89);
    expect(await list()).toEqual([]);
    later(world, 1);
    expect(await list()).toEqual([
      {
        cardId: first.id,
        number: first.number,
        siteId: world.site('NBO').id,
        since: new Date(START),
        reasons: ['not_on_air'],
        failure: 'UNKNOWN_CARD',
        lastRefresh: null,
      },
    ]);
    later(world, 30);
    expect(await names()).toEqual([first.number, second.number]);
    expect(await countDark(world.pool, world.now())).toBe(2);
    await putOnAir(world, first);
    expect(await names()).toEqual([second.number]);
  });

  it('of some sites is not shortened by what is dark at others', async () => {
    const { id, number } = await card(world);
    later(world, 121);
    const away = world.site('ABJ').id;
    await world.pool.query(
      `WITH made AS (
         INSERT INTO card (id, number, site_id, subscriber_id, created_at)
         SELECT 900000 + n, (90000000000 + n)::text, $2, c.subscriber_id, c.created_at
           FROM card c, generate_series(1, 200) AS n WHERE c.id = $1 RETURNING id)
       INSERT INTO card_rights (card_id, desired_rev, desired, next_at, raised_at)
       SELECT made.id, 1, r.desired, r.next_at, r.raised_at - interval '1 hour'
         FROM made, card_rights r WHERE r.card_id = $1`,
      [id, away],
    );
    expect(await names()).not.toContain(number);
    const bounds = { now: world.now(), afterSeconds: DARK_AFTER_SECONDS };
    const here = await paidButDark(world.pool, { ...bounds, sites: [world.site('NBO').id] });
    expect(here.map((one) => one.number)).toEqual([number]);
    expect(await paidButDark(world.pool, { ...bounds, sites: [] })).toEqual([]);
  });

  it('leaves out what is rightly dark: ended rights and suspended cards', async () => {
    const fan = await card(world, { paid: false });
    await grantEvent(world, fan, '2026-11-23T12:00:00Z', '2026-11-23T13:00:00Z');
    const suspended = await card(world);
    const suspensions = suspensionsOf(world);
    await suspensions.suspendCard({ cardId: suspended.id, reason: 'admin', by: 'staff:7' });
    later(world, 600);
    expect(await names()).toEqual([fan.number]);
    world.moveTo('2026-11-23T13:00:00Z');
    expect(await names()).toEqual([]);
    await suspensions.resumeCard({ cardId: suspended.id, by: 'staff:7' });
    later(world, DARK_AFTER_SECONDS);
    expect(await names()).toEqual([suspended.number]);
  });

  it('lists what was refreshed more than twice in a day, with its last refresh', async () => {
    const dark = await cardOnAir(world);
    await refreshed(dark);
    later(world, 3_600);
    await refreshed(dark);
    expect(await list()).toEqual([]);
    later(world, 3_600);
    await refreshed(dark, 'failed');
    expect(await list()).toMatchObject([
      {
        number: dark.number,
        since: new Date(START),
        reasons: ['refreshed_often'],
        failure: null,
        lastRefresh: { askedAt: world.now(), state: 'failed', failure: 'RATE_LIMITED' },
      },
    ]);
    later(world, 86_400 - 7_200);
    expect(await list()).toEqual([]);
  });

  it('lists what is said to be black twice, until it is said to be back', async () => {
    const dark = await cardOnAir(world);
    await said(dark, 'black');
    await said(dark, 'back');
    await said(dark, 'black');
    expect(await list()).toEqual([]);
    later(world, 60);
    await said(dark, 'black');
    expect(await list()).toMatchObject([{ reasons: ['still_black'], since: new Date(START) }]);
    await said(dark, 'back');
    expect(await list()).toEqual([]);
  });

  it('lists a card once with all its reasons, since the first of them', async () => {
    const dark = await cardOnAir(world);
    await said(dark, 'black');
    later(world, 60);
    await said(dark, 'black');
    for (let i = 0; i < 3; i += 1) await refreshed(dark);
    await world.pay({ amount: 65_000n, accountRef: dark.number });
    later(world, DARK_AFTER_SECONDS);
    expect(await list()).toMatchObject([
      {
        reasons: ['not_on_air', 'refreshed_often', 'still_black'],
        since: new Date(START),
      },
    ]);
    expect(await countDark(world.pool, world.now())).toBe(1);
  });
});
