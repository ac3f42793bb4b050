import { createWorld, type World } from '../../../test/stories/world.ts';
import { silentLogger } from '../../platform/log.ts';
import {
  type Air,
  CAS_ID,
  createAir,
  dispatcherOf,
  listenIn,
  outletOf,
  type Sent,
} from '../dispatch/dispatch-harness.ts';
import type { Dispatcher } from '../dispatch/service.ts';
import { createFakeRandom } from '../vip-control/testing.ts';
import type { PictureDesk } from './desk.ts';
import {
  byUssd,
  card,
  deskOf,
  later,
  MONTH_ENDS,
  START,
  suspensionsOf,
} from './picture-harness.ts';
import { createRefresher, type Refresher } from './refresher.ts';

/** The whole room on one road: settlement, dispatch, a head-end, and the desk over it all. */
describe('a black picture that is paid for', () => {
  let world: World;
  let air: Air;
  let sent: Sent[];
  let dispatcher: Dispatcher;
  let refresher: Refresher;
  let desk: PictureDesk;
  beforeEach(async () => {
    world = await createWorld(START);
    air = await createAir(world.now);
    const link = listenIn(await air.link('dispatcher-1'));
    sent = link.sent;
    const { pool, settlement, now } = world;
    dispatcher = dispatcherOf({ pool, settlement, now, link });
    refresher = createRefresher({
      pool,
      casId: CAS_ID,
      outlet: outletOf(link, now),
      clock: { now },
      random: createFakeRandom(),
      logger: silentLogger,
    });
    desk = deskOf(world);
  });
  afterEach(async () => {
    await air.close();
    await world.close();
  });

  it('is refreshed by the head-end as often as the desk allows it', async () => {
    const dark = await card(world);
    expect(await desk.refresh(byUssd(dark))).toEqual({ kind: 'not_on_air' });
    await dispatcher.runUntilIdle();
    for (let asks = 1; asks <= 4; asks += 1) {
      const answer = await desk.refresh(byUssd(dark));
      expect(answer.kind).toBe(asks <= 3 ? 'asked' : 'limited');
      await refresher.runUntilIdle();
      later(world, 300);
    }
    const refreshes = sent.filter(({ command }) => command.op === 'REFRESH');
    expect(refreshes.map(({ outcome }) => outcome?.kind)).toEqual(['done', 'done', 'done']);
    expect(await desk.diagnose(dark.id)).toEqual({
      kind: 'on_air',
      paidUntil: MONTH_ENDS,
      since: new Date(START),
      refreshedAt: new Date('2026-11-23T11:12:00Z'),
    });
  });

  it('is suspended at the head-end, and comes back with its rights', async () => {
    const paid = await card(world);
    await dispatcher.runUntilIdle();
    const { suspendCard, resumeCard } = suspensionsOf(world, dispatcher.wake);
    await suspendCard({ cardId: paid.id, reason: 'vacation', by: 'staff:7' });
    await dispatcher.runUntilIdle();
    expect(air.headEnd().card(paid.number)).toMatchObject({
      rev: 2,
      set: [{ product: 'ESS' }],
      suspended: 'vacation',
    });
    expect(await desk.diagnose(paid.id)).toMatchObject({ kind: 'suspended' });
    expect(await desk.refresh(byUssd(paid))).toEqual({ kind: 'not_on_air' });

    await resumeCard({ cardId: paid.id, by: 'staff:7' });
    await dispatcher.runUntilIdle();
    const back = air.headEnd().card(paid.number);
    expect(back).toMatchObject({ rev: 3, set: [{ product: 'ESS' }] });
    expect(back?.suspended).toBeUndefined();
    expect(await desk.diagnose(paid.id)).toMatchObject({ kind: 'on_air' });
  });
});
