import { createWorld, type World } from '../../../test/stories/world.ts';
import { silentLogger } from '../../platform/log.ts';
import {
  byUssd,
  card,
  cardOnAir,
  deskOf,
  grantEvent,
  later,
  MONTH_ENDS,
  type PaidCard,
  putOnAir,
  START,
  suspensionsOf,
} from './picture-harness.ts';

describe('the desk', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(START);
  });
  afterAll(() => world.close());
  beforeEach(() => world.moveTo(START));

  const refreshes = ({ id }: PaidCard) =>
    world.rows(
      `SELECT source, msisdn, state, asked_at, next_at FROM card_refresh WHERE card_id = $1
        ORDER BY asked_at`,
      [id],
    );

  describe('asked what is the matter', () => {
    it('follows a card from unpaid over on its way to on air', async () => {
      const desk = deskOf(world);
      const unpaid = await card(world, { paid: false });
      expect(await desk.diagnose(unpaid.id)).toEqual({ kind: 'not_paid', paidUntil: null });

      await world.pay({ amount: 65_000n, accountRef: unpaid.number });
      later(world, 5);
      const paidUntil = MONTH_ENDS;
      const since = new Date(START);
      expect(await desk.diagnose(unpaid.id)).toEqual({ kind: 'on_its_way', paidUntil, since });

      await putOnAir(world, unpaid);
      expect(await desk.diagnose(unpaid.id)).toEqual({
        kind: 'on_air',
        paidUntil,
        since: world.now(),
        refreshedAt: null,
      });
    });

    it('says when it was last refreshed, not when it was only asked for', async () => {
      const desk = deskOf(world);
      const dark = await cardOnAir(world);
      const insert = (seconds: number, state: string) =>
        world.pool.query(
          `INSERT INTO card_refresh (id, card_id, asked_at, source, state, on_air_at)
           SELECT $1, $2, $3::timestamptz, 'staff', $4,
                  CASE WHEN $4 = 'on_air' THEN $3::timestamptz + interval '2 s' END`,
          [
            Date.parse(START) + seconds,
            dark.id,
            new Date(Date.parse(START) + seconds * 1000),
            state,
          ],
        );
      await insert(10, 'on_air');
      await insert(20, 'on_air');
      await insert(30, 'failed');
      await insert(40, 'queued');
      expect(await desk.diagnose(dark.id)).toMatchObject({
        refreshedAt: new Date(Date.parse(START) + 22_000),
      });
    });

    it('counts a running event as paid, and does not know what does not exist', async () => {
      const desk = deskOf(world);
      const fan = await card(world, { paid: false });
      await grantEvent(world, fan, '2026-11-23T11:00:00Z', '2026-11-23T13:00:00Z');
      await putOnAir(world, fan);
      const paidUntil = new Date('2026-11-23T13:00:00Z');
      expect(await desk.diagnose(fan.id)).toMatchObject({ kind: 'on_air', paidUntil });
      expect(await desk.diagnose(1n)).toBeNull();
    });

    it('says suspended and why, and paid again after that', async () => {
      const desk = deskOf(world);
      const { suspendCard, resumeCard } = suspensionsOf(world);
      const { id } = await cardOnAir(world);
      await suspendCard({ cardId: id, reason: 'vacation', by: 'staff:7' });
      expect(await desk.diagnose(id)).toEqual({
        kind: 'suspended',
        reason: 'vacation',
        since: world.now(),
      });
      await resumeCard({ cardId: id, by: 'staff:7' });
      expect(await desk.diagnose(id)).toMatchObject({ kind: 'on_its_way', since: world.now() });
    });
  });

  describe('asked for a refresh', () => {
    it('writes who asked, and wakes the sender', async () => {
      let woken = 0;
      const desk = deskOf(world, { wake: () => (woken += 1) });
      const dark = await cardOnAir(world);
      expect(await desk.refresh(byUssd(dark))).toEqual({ kind: 'asked', at: world.now() });
      const now = '2026-11-23T11:02:00.000Z';
      expect(await refreshes(dark)).toEqual([
        { source: 'ussd', msisdn: '+254700100001', state: 'queued', asked_at: now, next_at: now },
      ]);
      expect(woken).toBe(1);
    });

    it('by many at once writes one', async () => {
      const desk = deskOf(world);
      const dark = await cardOnAir(world);
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => desk.refresh(byUssd(dark))),
      );
      expect(answers.filter(({ kind }) => kind === 'asked')).toHaveLength(1);
      expect(answers.filter(({ kind }) => kind === 'already')).toHaveLength(11);
      expect(await refreshes(dark)).toHaveLength(1);
    });

    it('allows three an hour, from whoever it comes', async () => {
      const desk = deskOf(world);
      const dark = await cardOnAir(world);
      const sent = () =>
        world.pool.query("UPDATE card_refresh SET state = 'on_air' WHERE card_id = $1", [dark.id]);
      const staff = { cardId: dark.id, source: 'staff', msisdn: null } as const;
      for (const asking of [byUssd(dark), staff, byUssd(dark)]) {
        expect(await desk.refresh(asking)).toMatchObject({ kind: 'asked' });
        await sent();
        later(world, 120);
      }
      const again = new Date('2026-11-23T12:02:00Z');
      expect(await desk.refresh(staff)).toEqual({ kind: 'limited', again });
      expect(await refreshes(dark)).toHaveLength(3);
      world.moveTo(again.toISOString());
      expect(await desk.refresh(staff)).toEqual({ kind: 'asked', at: again });
    });

    it('has nothing to broadcast that is not on air: on its way, suspended, unknown', async () => {
      let woken = 0;
      const desk = deskOf(world, { wake: () => (woken += 1) });
      const onItsWay = await card(world);
      const suspended = await cardOnAir(world);
      await suspensionsOf(world).suspendCard({ cardId: suspended.id, reason: 'admin', by: 'x' });
      await putOnAir(world, suspended);
      for (const asked of [onItsWay, suspended, { id: 1n, number: '' }]) {
        expect(await desk.refresh(byUssd(asked))).toEqual({ kind: 'not_on_air' });
      }
      expect(woken).toBe(0);
    });
  });

  describe('told what a viewer sees', () => {
    it('counts what is said twice with one screen once', async () => {
      const desk = deskOf(world);
      const dark = await cardOnAir(world);
      const say = (key: string, answer: 'back' | 'black' = 'black') =>
        desk.report({ ...byUssd(dark), answer, key: `${dark.number}/${key}` });
      expect(await say('a')).toEqual({ blackReports: 1 });
      expect(await say('a')).toEqual({ blackReports: 1 });
      expect(await say('b')).toEqual({ blackReports: 2 });
      expect(await say('c', 'back')).toEqual({ blackReports: 0 });
      later(world, 86_400);
      expect(await say('d')).toEqual({ blackReports: 1 });
    });

    it('calls a person when it is black twice after a refresh, and not before', async () => {
      const warnings: string[] = [];
      const warn = (event: string) => void warnings.push(event);
      const desk = deskOf(world, { logger: { ...silentLogger, warn } });
      const dark = await cardOnAir(world);

      const say = (key: string) =>
        desk.report({ ...byUssd(dark), answer: 'black', key: `${dark.number}/${key}` });
      await say('a');
      await say('b');
      expect(warnings).toEqual([]);
      later(world, 60);
      await desk.refresh(byUssd(dark));
      await say('c');
      expect(warnings).toEqual([]);
      await say('d');
      expect(warnings).toEqual(['picture.still_black']);
      await say('d');
      expect(warnings).toEqual(['picture.still_black']);
    });
  });
});
