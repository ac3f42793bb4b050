import { createDunningWorld, type DunningWorld, noon } from '../../../test/stories/dunning.ts';
import { silentLogger } from '../../platform/log.ts';
import { createHearing } from './hearing.ts';
import type { DunningRun } from './service.ts';

/** Goal: who pays is looked at behind their payment, and nobody who is not concerned. */
let house: DunningWorld;
beforeAll(async () => {
  house = await createDunningWorld();
});
afterAll(() => house.close());

const RAN: DunningRun = { looked: 0, queued: 0, changed: 0, failed: 0 };

async function subscriber(): Promise<{ id: bigint; cardId: bigint }> {
  const { id } = await house.world.customer();
  const [card] = await house.world.rows('SELECT id FROM card WHERE subscriber_id = $1', [id]);
  return { id, cardId: BigInt(String(card?.id)) };
}

describe('a payment', () => {
  it('has those looked at from whom something is held, or who are about to be told', async () => {
    house.policy();
    const [held, told, other] = [await subscriber(), await subscriber(), await subscriber()];
    house.owe(held.id);
    house.owe(told.id, '2026-12-08');
    await house.runAt(noon('2026-12-11'));
    const looked: bigint[][] = [];
    const reconsider = async (ids: readonly bigint[]) => {
      looked.push([...ids].sort((a, b) => (a < b ? -1 : 1)));
      return RAN;
    };
    const { pool } = house.world;
    const hearing = createHearing({ pool, logger: silentLogger, dunning: { reconsider } });
    hearing.cards([held.cardId, other.cardId]);
    hearing.cards([told.cardId, held.cardId]);
    await hearing.close();
    expect(looked).toEqual([[held.id, told.id]]);
    hearing.cards([held.cardId]);
    await hearing.close();
    expect(looked).toHaveLength(1);
  });

  it('is heard also after one that could not be looked at', async () => {
    house.policy();
    const { id, cardId } = await subscriber();
    house.owe(id);
    await house.runAt(noon('2026-12-11'));
    let calls = 0;
    const reconsider = async () => {
      calls += 1;
      if (calls === 1) throw new Error('not now');
      return RAN;
    };
    const errors: string[] = [];
    const logger = { ...silentLogger, error: (event: string) => void errors.push(event) };
    const hearing = createHearing({ pool: house.world.pool, logger, dunning: { reconsider } });
    hearing.cards([cardId]);
    // The first is under way by then.
    await Promise.resolve();
    hearing.cards([cardId]);
    await hearing.close();
    expect([calls, errors]).toEqual([2, ['dunning.not_reconsidered']]);
  });
});
