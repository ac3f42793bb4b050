import type { Settlement } from '../../src/billing/settlement/service.ts';
import {
  type Air,
  createAir,
  dispatcherOf,
} from '../../src/entitlement/dispatch/dispatch-harness.ts';
import type { DispatcherDeps } from '../../src/entitlement/dispatch/service.ts';
import { createWorld, openDoor, SOUND, type World } from './world.ts';

/** A match in Abidjan on 23/11 from 19:00 to 21:00 UTC, for 1,000 F. */
const PRICE = 1_000n;
const BEFORE = '2026-11-23T17:00:00Z';
const ENDS = '2026-11-23T21:00:00Z';
const OVER = '2026-11-23T21:10:00Z';

describe('a pay-per-view price', () => {
  let world: World;
  let air: Air;
  let settlement: Settlement;
  let eventId: bigint;
  beforeEach(async () => {
    world = await createWorld(BEFORE);
    air = await createAir(() => world.now());
    eventId = await world.ids.take();
    const siteId = world.site('ABJ').id;
    await world.prisma.event.create({
      data: {
        id: eventId,
        siteId,
        code: 'DERBY',
        title: 'Derby',
        product: 'EVT:DERBY',
        startsAt: new Date('2026-11-23T19:00:00Z'),
        endsAt: new Date(ENDS),
        saleFrom: new Date('2026-11-20T00:00:00Z'),
        saleUntil: new Date('2026-11-23T20:00:00Z'),
        price: PRICE,
        taxPercent: '18',
      },
    });
    settlement = await openDoor(world);
  });
  afterEach(async () => {
    expect(await world.check()).toMatchObject(SOUND);
    await settlement.close();
    await air.close();
    await world.close();
  });

  const dispatcher = async (more: Partial<DispatcherDeps> = {}) => {
    const link = await air.link('dispatcher-1');
    return dispatcherOf({ pool: world.pool, settlement, now: world.now, link }, more);
  };
  /** Somebody with 4,000 F of credit, which buys no term, who bought the match. */
  const bought = async () => {
    const { number, msisdn } = await world.customer({ siteCode: 'ABJ' });
    const siteId = world.site('ABJ').id;
    const channelId = 'ci-tvu';
    await world.pay({ amount: 4_000n, asset: 'XOF', accountRef: number, siteId, channelId });
    const card = await world.pool.query('SELECT id FROM card WHERE number = $1', [number]);
    const outcome = await settlement.settle({
      kind: 'buy',
      provider: 'ussd',
      receipt: `session-${number}`,
      channelId,
      siteId,
      at: world.now(),
      raw: Buffer.from('{}'),
      msisdn,
      purpose: { kind: 'event', cardId: card.rows[0].id, eventId },
      means: 'credit',
    });
    expect(outcome).toMatchObject({ kind: 'done', settled: { state: 'settled', credit: '3000' } });
    return number;
  };
  const purchases = () => world.rows('SELECT state FROM event_purchase');
  const amounts = () =>
    world.rows(`SELECT a.kind, b.amount FROM balance b JOIN account a ON a.id = b.account_id
                 WHERE a.kind IN ('wallet_paid', 'held') AND b.amount <> 0 ORDER BY a.kind DESC`);
  const acts = () => world.rows(`SELECT receipt FROM inbox WHERE provider = 'vip'`);

  it('is spent when the rights are on air', async () => {
    const dispatch = await dispatcher();
    const number = await bought();
    expect(await amounts()).toEqual([
      { kind: 'wallet_paid', amount: '3000' },
      { kind: 'held', amount: '1000' },
    ]);
    await dispatch.runUntilIdle();
    expect(air.headEnd().card(number)?.set).toEqual([
      {
        product: 'EVT:DERBY',
        from: '2026-11-23T19:00:00.000Z',
        to: '2026-11-23T21:00:00.000Z',
      },
    ]);
    expect(await purchases()).toEqual([{ state: 'captured' }]);
    expect(await amounts()).toEqual([{ kind: 'wallet_paid', amount: '3000' }]);
    world.moveTo(OVER);
    expect(await dispatch.releaseDue()).toBe(0);
  });

  it('is spent once, by the next sweep, when the process died between air and money', async () => {
    await bought();
    const dying = await dispatcher({ settle: async () => ({ kind: 'unavailable' }) });
    await dying.runUntilIdle();
    expect(await purchases()).toEqual([{ state: 'held' }]);

    const one = await dispatcher();
    const two = await dispatcher();
    await Promise.all([one.captureDue(), two.captureDue()]);
    expect(await purchases()).toEqual([{ state: 'captured' }]);
    expect(await one.captureDue()).toBe(0);
    expect(await acts()).toHaveLength(1);
  });

  it('goes back when the event is over and was never on air, and so does the right', async () => {
    const dispatch = await dispatcher();
    await air.goDown();
    const number = await bought();
    await dispatch.runUntilIdle();
    world.moveTo(ENDS);
    // An answer may still be under way.
    expect(await dispatch.releaseDue()).toBe(0);
    world.moveTo(OVER);
    expect(await dispatch.releaseDue()).toBe(1);
    expect(await dispatch.releaseDue()).toBe(0);
    expect(await purchases()).toEqual([{ state: 'released' }]);
    expect(await amounts()).toEqual([{ kind: 'wallet_paid', amount: '4000' }]);
    await air.comeBack();
    await dispatch.runUntilIdle();
    expect(air.headEnd().card(number)).toMatchObject({ rev: 2, set: [] });
  });

  it('is not spent when the rights came on air after the end', async () => {
    const dispatch = await dispatcher();
    await air.goDown();
    await bought();
    world.moveTo('2026-11-23T21:05:00Z');
    await air.comeBack();
    await dispatch.runUntilIdle();
    expect(await dispatch.captureDue()).toBe(0);
    expect(await purchases()).toEqual([{ state: 'held' }]);
    world.moveTo(OVER);
    expect(await dispatch.releaseDue()).toBe(1);
    expect(await purchases()).toEqual([{ state: 'released' }]);
    expect(await amounts()).toEqual([{ kind: 'wallet_paid', amount: '4000' }]);
  });
});
