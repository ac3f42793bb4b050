import { createWorld, type World } from '../../../test/stories/world.ts';
import type { HeldAct } from '../../billing/dunning/service.ts';
import { createDunnedPictures, type DunnedPictures } from './dunned.ts';
import { deskOf, START, suspensionsOf } from './picture-harness.ts';

/** Goal: dunning takes and gives what is its own, however often, and never what is another's. */
let world: World;
let pictures: DunnedPictures;
beforeAll(async () => {
  world = await createWorld(START);
  pictures = createDunnedPictures({ pool: world.pool, suspensions: suspensionsOf(world) });
});
afterAll(() => world.close());

/** A subscriber with cards; ids of the cards. */
async function subscriber(cards: number): Promise<{ id: bigint; cards: bigint[] }> {
  const { id } = await world.customer();
  for (let n = 1; n < cards; n += 1) {
    const { id: other } = await world.customer();
    await world.pool.query('UPDATE card SET subscriber_id = $1 WHERE subscriber_id = $2', [
      id,
      other,
    ]);
  }
  const rows = await world.rows('SELECT id FROM card WHERE subscriber_id = $1 ORDER BY id', [id]);
  return { id, cards: rows.map((row) => BigInt(String(row.id))) };
}

const act = (subscriberId: bigint, why: HeldAct['why'] = 'overdue'): HeldAct => ({
  ...{ subscriberId, why, because: why, on: 20_000 },
});
const reasonsOf = async (cards: readonly bigint[]) => {
  const rows = await world.rows(
    'SELECT suspended FROM card_rights WHERE card_id = ANY ($1) ORDER BY card_id',
    [cards],
  );
  return rows.map(({ suspended }) => suspended);
};
const seen = async (id: bigint) => (await pictures.picturesOf([id])).get(id);
const revisions = async (cards: readonly bigint[]) =>
  world.rows('SELECT desired_rev FROM card_rights WHERE card_id = ANY ($1)', [cards]);

describe('the pictures of who does not pay', () => {
  it('go and come back on all cards, and doing so twice changes nothing', async () => {
    const { id, cards } = await subscriber(3);
    expect(await seen(id)).toEqual({ isShown: true, takenFor: [] });
    await pictures.suspend(act(id));
    const taken = await revisions(cards);
    await pictures.suspend(act(id));
    expect(await revisions(cards)).toEqual(taken);
    expect(await reasonsOf(cards)).toEqual(['unpaid', 'unpaid', 'unpaid']);
    expect(await seen(id)).toEqual({ isShown: false, takenFor: ['overdue'] });
    await pictures.unsuspend(act(id, 'clear'));
    await pictures.unsuspend(act(id, 'clear'));
    expect(await reasonsOf(cards)).toEqual([null, null, null]);
    expect(await seen(id)).toEqual({ isShown: true, takenFor: [] });
  });

  it('stay with who took them first', async () => {
    const { id, cards } = await subscriber(2);
    const [stolen = 0n] = cards;
    const { suspendCard } = suspensionsOf(world);
    await suspendCard({ cardId: stolen, reason: 'fraud', by: 'staff:7' });
    await pictures.suspend(act(id));
    expect(await reasonsOf(cards)).toEqual(['fraud', 'unpaid']);
    await pictures.unsuspend(act(id, 'clear'));
    expect(await reasonsOf(cards)).toEqual(['fraud', null]);
  });

  it('are away for the reason of today, told to who asks', async () => {
    const { id, cards } = await subscriber(1);
    await pictures.suspend(act(id));
    await pictures.suspend(act(id, 'block'));
    expect(await reasonsOf(cards)).toEqual(['blocked']);
    expect(await deskOf(world).diagnose(cards[0] ?? 0n)).toMatchObject({
      ...{ kind: 'suspended', reason: 'blocked' },
    });
  });

  it('are taken from a card that came later, and found where it went', async () => {
    const { id } = await subscriber(1);
    await world.pool.query(
      `INSERT INTO dunning_hold (id, subscriber_id, level, because, from_on, from_at)
       VALUES ($1, $2, 'stopped', 'overdue', '2026-11-23', $3)`,
      [await world.ids.take(), id, world.now()],
    );
    await pictures.suspend(act(id));
    const { id: other, cards } = await subscriber(1);
    const moved = 'UPDATE card SET subscriber_id = $1 WHERE subscriber_id = $2';
    const page = { after: id - 1n, limit: 10 };
    expect(await pictures.strays(page)).toEqual([]);
    await world.pool.query(moved, [other, id]);
    expect(await pictures.strays(page)).toEqual([other]);
    await world.pool.query(moved, [id, other]);
    expect(await seen(id)).toEqual({ isShown: true, takenFor: ['overdue'] });
    await pictures.suspend(act(id));
    expect(await reasonsOf(cards)).toEqual(['unpaid']);
  });
});
