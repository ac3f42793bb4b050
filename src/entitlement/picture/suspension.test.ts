import { createWorld, type World } from '../../../test/stories/world.ts';
import {
  card,
  cardOnAir,
  later,
  MONTH,
  type PaidCard,
  START,
  suspensionsOf,
} from './picture-harness.ts';

describe('a suspension', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld(START);
  });
  afterAll(() => world.close());
  beforeEach(() => world.moveTo(START));

  const rights = async ({ id }: PaidCard) => {
    const [row] = await world.rows(
      `SELECT suspended, desired, desired_rev, acked_rev, raised_at, next_at, attempts, failure
         FROM card_rights WHERE card_id = $1`,
      [id],
    );
    return row;
  };
  const kept = ({ id }: PaidCard) =>
    world.rows(
      `SELECT reason, suspended_at, suspended_by, resumed_at, resumed_by FROM card_suspension
        WHERE card_id = $1 ORDER BY suspended_at`,
      [id],
    );

  it('by dunning waits for who pays; what it gives back does not wait', async () => {
    const { suspendCard, resumeCard } = suspensionsOf(world, () => undefined);
    const bulk = async ({ id }: PaidCard) => {
      const sql = 'SELECT is_bulk FROM card_rights WHERE card_id = $1';
      return (await world.rows(sql, [id]))[0]?.is_bulk;
    };
    const paid = await cardOnAir(world);
    await suspendCard({ cardId: paid.id, reason: 'unpaid', by: 'dunning' });
    expect(await bulk(paid)).toBe(true);
    await resumeCard({ cardId: paid.id, by: 'dunning' });
    expect(await bulk(paid)).toBe(false);
    // It is due already because somebody waits for it.
    await suspendCard({ cardId: paid.id, reason: 'unpaid', by: 'dunning' });
    expect(await bulk(paid)).toBe(false);
  });

  it('takes the picture away and gives it back with the set as it was', async () => {
    let woken = 0;
    const { suspendCard, resumeCard } = suspensionsOf(world, () => (woken += 1));
    const paid = await cardOnAir(world);
    await world.pool.query(
      "UPDATE card_rights SET attempts = 3, failure = 'BUSY' WHERE card_id = $1",
      [paid.id],
    );
    const before = await rights(paid);
    const act = { cardId: paid.id, reason: 'dispute', by: 'staff:7' } as const;
    expect(await suspendCard(act)).toEqual({ ok: true });
    const now = '2026-11-23T11:02:00.000Z';
    expect(await rights(paid)).toEqual({
      suspended: 'dispute',
      desired: before?.desired,
      desired_rev: 2,
      acked_rev: 1,
      raised_at: now,
      next_at: now,
      attempts: 0,
      failure: null,
    });
    later(world, 3_600);
    expect(await resumeCard({ cardId: paid.id, by: 'staff:8' })).toEqual({ ok: true });
    const then = '2026-11-23T12:02:00.000Z';
    expect(await rights(paid)).toMatchObject({
      suspended: null,
      desired: before?.desired,
      desired_rev: 3,
      raised_at: then,
      next_at: then,
    });
    expect(await kept(paid)).toEqual([
      {
        reason: 'dispute',
        suspended_at: now,
        suspended_by: 'staff:7',
        resumed_at: then,
        resumed_by: 'staff:8',
      },
    ]);
    expect(woken).toBe(2);
  });

  it('changes nothing when it is done twice, or of a card that does not exist', async () => {
    const { suspendCard, resumeCard } = suspensionsOf(world);
    const paid = await cardOnAir(world);
    const resume = { cardId: paid.id, by: 'staff:7' };
    expect(await resumeCard(resume)).toEqual({ ok: false, error: 'not_suspended' });
    const acts = await Promise.all(
      (['fraud', 'admin', 'vacation'] as const).map((reason) =>
        suspendCard({ cardId: paid.id, reason, by: 'staff:7' }),
      ),
    );
    expect(acts.filter(({ ok }) => ok)).toHaveLength(1);
    expect(acts).toContainEqual({ ok: false, error: 'already_suspended' });
    expect(await rights(paid)).toMatchObject({ desired_rev: 2 });
    expect(await kept(paid)).toHaveLength(1);
    const nobody = { ok: false, error: 'unknown_card' };
    expect(await suspendCard({ cardId: 1n, reason: 'fraud', by: 'x' })).toEqual(nobody);
    expect(await resumeCard({ cardId: 1n, by: 'x' })).toEqual(nobody);
  });

  it('can follow another, and each is kept', async () => {
    const { suspendCard, resumeCard } = suspensionsOf(world);
    const paid = await cardOnAir(world);
    for (const reason of ['vacation', 'incident'] as const) {
      await suspendCard({ cardId: paid.id, reason, by: 'staff:7' });
      later(world, 60);
      await resumeCard({ cardId: paid.id, by: 'staff:7' });
    }
    expect(await kept(paid)).toMatchObject([{ reason: 'vacation' }, { reason: 'incident' }]);
    expect(await rights(paid)).toMatchObject({ suspended: null, desired_rev: 5 });
  });

  it('stays while payments come in, and no revision is lost between the two', async () => {
    const { suspendCard, resumeCard } = suspensionsOf(world);
    const paid = await card(world);
    await suspendCard({ cardId: paid.id, reason: 'admin', by: 'staff:7' });
    await Promise.all([
      ...Array.from({ length: 8 }, () => world.pay({ amount: MONTH, accountRef: paid.number })),
      resumeCard({ cardId: paid.id, by: 'staff:7' }),
    ]);
    expect(await rights(paid)).toMatchObject({ suspended: null, desired_rev: 1 + 1 + 8 + 1 });

    await suspendCard({ cardId: paid.id, reason: 'admin', by: 'staff:7' });
    await world.pay({ amount: MONTH, accountRef: paid.number });
    expect(await rights(paid)).toMatchObject({ suspended: 'admin', desired_rev: 13 });
  });
});
