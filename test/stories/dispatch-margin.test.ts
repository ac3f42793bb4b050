import {
  type Air,
  createAir,
  dispatcherOf,
} from '../../src/entitlement/dispatch/dispatch-harness.ts';
import type { Dispatcher } from '../../src/entitlement/dispatch/service.ts';
import { deskOf, suspensionsOf } from '../../src/entitlement/picture/picture-harness.ts';
import { AIR_MARGIN_MS } from '../../src/entitlement/rights/rules.ts';
import { createWorld, SOUND, type World } from './world.ts';

const START = '2026-11-23T11:02:00Z';
const MONTH = 65_000n;
/** A month ends at midnight in Nairobi; the head-end shows it for six hours more. */
const ENDS = '2026-12-23T21:00:00.000Z';
const GRACE_ENDS = '2026-12-24T03:00:00.000Z';
const IN_GRACE = '2026-12-23T22:00:00.000Z';
/** A match in the grace of the month, for KES 100. */
const PRICE = 10_000n;
const MATCH_STARTS = '2026-12-23T22:30:00.000Z';
const MATCH_ENDS = '2026-12-24T00:30:00.000Z';
const MATCH_GRACE_ENDS = '2026-12-24T00:45:00.000Z';

describe('a subscription that has ended and is in its grace', () => {
  let world: World;
  let air: Air;
  let dispatch: Dispatcher;
  let eventId: bigint;
  let home: { id: bigint; number: string; msisdn: string };
  beforeEach(async () => {
    world = await createWorld(START);
    eventId = await addMatch();
    air = await createAir(() => world.now());
    const link = await air.link('dispatcher-1');
    const { pool, settlement, now } = world;
    dispatch = dispatcherOf({ pool, settlement, now, link }, { airMarginMs: AIR_MARGIN_MS });
    home = await watching();
    world.moveTo(IN_GRACE);
  });
  afterEach(async () => {
    expect(await world.check()).toMatchObject(SOUND);
    await air.close();
    await world.close();
  });

  async function addMatch(): Promise<bigint> {
    const id = await world.ids.take();
    await world.prisma.event.create({
      data: {
        id,
        siteId: world.site('NBO').id,
        code: 'MATCH',
        title: 'Match',
        product: 'EVT:MATCH',
        startsAt: new Date(MATCH_STARTS),
        endsAt: new Date(MATCH_ENDS),
        saleFrom: new Date(START),
        saleUntil: new Date(MATCH_ENDS),
        price: PRICE,
        taxPercent: '16',
      },
    });
    await world.reloadCatalogue();
    return id;
  }
  /** Somebody with a month on air, and credit that buys the match and no term. */
  async function watching() {
    const { number, msisdn } = await world.customer();
    await world.pay({ amount: MONTH + PRICE, accountRef: number });
    await dispatch.runUntilIdle();
    const [row] = await world.rows('SELECT id FROM card WHERE number = $1', [number]);
    return { id: BigInt(String(row?.id)), number, msisdn };
  }
  const buyMatch = async () => {
    const outcome = await world.act({
      kind: 'buy',
      msisdn: home.msisdn,
      purpose: { kind: 'event', cardId: home.id, eventId },
      means: 'credit',
    });
    expect(world.settledOf(outcome)).toMatchObject({ state: 'settled' });
    await dispatch.runUntilIdle();
  };
  /** What the head-end shows of the card, and until when. */
  const shown = () => {
    const card = air.headEnd().card(home.number);
    const set = card?.set.map(({ product, to }) => [product, to]);
    return card?.suspended === undefined ? set : { suspended: card.suspended, set };
  };
  const month = ['ESS', GRACE_ENDS];
  const match = ['EVT:MATCH', MATCH_GRACE_ENDS];

  it('stays on the air until its grace is over though an event is bought', async () => {
    await buyMatch();
    expect(shown()).toEqual([month, match]);
    expect(await world.rows('SELECT state FROM event_purchase')).toEqual([{ state: 'captured' }]);
  });

  it('is left out of what is raised after its grace', async () => {
    world.moveTo('2026-12-24T03:00:00.000Z');
    await world.prisma.event.update({
      where: { id: eventId },
      data: {
        endsAt: new Date('2026-12-24T05:00:00.000Z'),
        saleUntil: new Date('2026-12-24T04:00:00.000Z'),
      },
    });
    await world.reloadCatalogue();
    await buyMatch();
    expect(shown()).toEqual([['EVT:MATCH', '2026-12-24T05:15:00.000Z']]);
  });

  it('stays when an event that was bought goes back', async () => {
    await air.goDown();
    await buyMatch();
    world.moveTo('2026-12-24T00:40:00.000Z');
    expect(await dispatch.releaseDue()).toBe(1);
    await air.comeBack();
    await dispatch.runUntilIdle();
    expect(shown()).toEqual([month]);
  });

  it('is taken off by a suspension, and comes back with what is left of the grace', async () => {
    const suspensions = suspensionsOf(world);
    await suspensions.suspendCard({ cardId: home.id, reason: 'dispute', by: 'staff:7' });
    await dispatch.runUntilIdle();
    expect(shown()).toEqual({ suspended: 'dispute', set: [month] });
    await buyMatch();
    expect(shown()).toEqual({ suspended: 'dispute', set: [month, match] });
    await suspensions.resumeCard({ cardId: home.id, by: 'staff:7' });
    await dispatch.runUntilIdle();
    expect(shown()).toEqual([month, match]);
  });

  it('is not paid for, and a term begins when it is bought', async () => {
    const desk = deskOf(world);
    expect(await desk.diagnose(home.id)).toEqual({ kind: 'not_paid', paidUntil: new Date(ENDS) });
    await buyMatch();
    world.moveTo('2026-12-24T00:30:00.000Z');
    expect(await desk.diagnose(home.id)).toMatchObject({ kind: 'not_paid' });
    expect(await world.rows('SELECT paid_until FROM subscription')).toEqual([{ paid_until: ENDS }]);
    await world.pay({ amount: MONTH, accountRef: home.number });
    await dispatch.runUntilIdle();
    expect(await world.rows('SELECT run_from FROM subscription')).toEqual([
      { run_from: '2026-12-24T00:30:00.000Z' },
    ]);
    expect(shown()).toEqual([['ESS', '2027-01-25T03:00:00.000Z'], match]);
  });
});
