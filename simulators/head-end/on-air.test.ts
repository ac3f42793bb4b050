/** From a command to the decoder: what is done is on air, and what is on air is received. */
import { until } from '../../src/entitlement/vip-control/testing.ts';
import type { AirEvent, Service } from './air/types.ts';
import { ESS, entitle, NOW, osd, refresh, sendOff, setUp, tearDown } from './head-end-harness.ts';

afterEach(tearDown);

/** One EMM a second. */
const ONE_A_SECOND = { kbitPerSecond: 1.504 };
/** For leaps of hours: the air is advanced by who looks, not twenty times a second. */
const NO_PULSE = { timers: { after: () => () => undefined } };
const services: Service[] = [
  { code: 'NOVA', name: 'Nova', product: 'ESS' },
  { code: 'TELE1', name: 'Télé 1', product: null },
];
const later = (ms: number) => new Date(NOW.getTime() + ms);
const decoder = { stb: 'STB-1', card: '4021', service: 'NOVA', power: true };

async function withDecoder(options: Parameters<typeof setUp>[0] = {}) {
  const world = await setUp({ services, ...options });
  const events: AirEvent[] = [];
  world.house.headEnd.onAirEvent((event) => events.push(event));
  world.house.headEnd.air.decoders.add(decoder);
  const view = () => world.house.headEnd.air.decoders.view('4021', world.time.clock.now());
  return { ...world, view, events };
}

describe('a command is done when its first EMM has gone out', () => {
  it('however long that waits for room', async () => {
    const { link, house, time } = await setUp(ONE_A_SECOND);
    const commands = ['A', 'B', 'C'].map((card) => entitle(card, 1, [ESS], card));
    const sent = commands.map((command) => sendOff(link, command));
    await until(() => house.headEnd.cards().length === 3 && sent[0]?.outcome !== undefined);
    expect(sent[0]?.outcome).toMatchObject({ kind: 'done', firstAirAt: NOW });
    expect(sent[1]?.outcome).toBeUndefined();
    expect(house.headEnd.card('B')).toMatchObject({ rev: 1, firstAirAt: null });
    time.advance(1_000);
    await until(() => sent[1]?.outcome !== undefined);
    expect(sent[1]?.outcome).toMatchObject({ kind: 'done', firstAirAt: later(1_000) });
    expect(sent[2]?.outcome).toBeUndefined();
    time.advance(1_000);
    await until(() => sent[2]?.outcome !== undefined);
    expect(house.headEnd.card('C')?.firstAirAt).toBe(later(2_000).toISOString());
  });

  it('once, though the head-end restarts while it waits', async () => {
    const { link, house, time, restart, executions } = await setUp(ONE_A_SECOND);
    const sent = ['A', 'B'].map((card) => sendOff(link, entitle(card, 1, [ESS], card)));
    await until(() => house.headEnd.cards().length === 2 && sent[0]?.outcome !== undefined);
    await restart();
    expect(house.headEnd.card('B')).toMatchObject({ rev: 1, firstAirAt: null });
    await until(() => {
      time.advance(100);
      return sent[1]?.outcome !== undefined;
    });
    expect(sent[1]?.outcome).toMatchObject({ kind: 'done', code: 'DONE' });
    expect(await executions('B')).toBe(1);
  });

  it('also after a restart for which the command came too late', async () => {
    const { link, house, time, restart } = await setUp(ONE_A_SECOND);
    const [first, second] = ['A', 'B'].map((card) => entitle(card, 1, [ESS], card));
    if (!first || !second) throw new Error('no commands');
    sendOff(link, first);
    sendOff(link, { ...second, notAfter: later(900) });
    await until(() => house.headEnd.cards().length === 2);
    expect(house.headEnd.card('B')?.firstAirAt).toBeNull();
    await house.headEnd.stop();
    time.advance(10_000);
    await restart();
    await until(() => {
      time.advance(100);
      return house.headEnd.card('B')?.firstAirAt !== null;
    });
    expect(house.headEnd.commands({ card: 'B' })).toMatchObject([{ result: { code: 'DONE' } }]);
  });

  it('and a message for which there is no room in time is refused', async () => {
    const { link, house, time } = await setUp(ONE_A_SECOND);
    await link.send(entitle('c1', 1, [ESS]));
    sendOff(link, { ...osd('c2'), notAfter: later(900) });
    await until(() => house.headEnd.commands().length === 2);
    await until(() => {
      time.advance(100);
      return house.headEnd.commands()[0]?.result !== undefined;
    });
    expect(house.headEnd.commands()[0]).toMatchObject({ cmdId: 'c2', result: { code: 'EXPIRED' } });
  });
});

describe('a decoder', () => {
  it('shows the picture as soon as the rights are on air', async () => {
    const { link, view, events } = await withDecoder();
    expect(view()?.screen).toMatchObject({ kind: 'blocked', code: 'V07' });
    await link.send(entitle('c1', 1, [ESS]));
    expect(view()?.screen).toEqual({ kind: 'picture', service: 'NOVA', osd: null });
    expect(events.map(({ type }) => type)).toEqual(['broadcast', 'received', 'screen']);
  });

  it('that was off at the payment gets them by the repetition', async () => {
    const { link, house, time, view } = await withDecoder(NO_PULSE);
    const { advance, decoders } = house.headEnd.air;
    decoders.turn('4021', { power: false }, time.clock.now());
    await link.send(entitle('c1', 1, [ESS]));
    time.advance(40 * 60_000);
    decoders.turn('4021', { power: true }, time.clock.now());
    expect(view()?.screen).toMatchObject({ code: 'V07' });
    time.advance(60_000);
    advance(time.clock.now());
    expect(view()?.screen).toMatchObject({ kind: 'picture' });
  });

  it('shows V04 while its card is suspended, and the free programme all the time', async () => {
    const { link, house, time, view } = await withDecoder();
    await link.send(Object.assign(entitle('c1', 1, [ESS]), { suspended: 'fraud' }));
    expect(house.headEnd.card('4021')).toMatchObject({ suspended: 'fraud' });
    expect(view()?.screen).toMatchObject({ code: 'V04' });
    house.headEnd.air.decoders.turn('4021', { service: 'TELE1' }, time.clock.now());
    expect(view()?.screen).toMatchObject({ kind: 'picture', service: 'TELE1' });
    house.headEnd.air.decoders.turn('4021', { service: 'NOVA' }, time.clock.now());
    await link.send(entitle('c2', 2, [ESS]));
    expect(view()?.screen).toMatchObject({ kind: 'picture', service: 'NOVA' });
  });

  it('shows a message over all that is on, if it is forced', async () => {
    const { link, view } = await withDecoder();
    await link.send(osd('c1', { forced: true }));
    const message = { id: 'c1', text: 'Bonjour', durationSeconds: 20, forced: true };
    expect(view()?.screen).toMatchObject({ osd: message });
  });
});

describe('the repetition', () => {
  it('goes on after a restart where it would be by now', async () => {
    const { link, house, time, restart, view } = await withDecoder(NO_PULSE);
    await link.send(entitle('c1', 1, [ESS]));
    time.advance(40 * 60_000 + 1);
    await restart();
    house.headEnd.air.decoders.add(decoder);
    expect(house.headEnd.air.carousel().repeating).toBe(1);
    time.advance(59_000);
    house.headEnd.air.advance(time.clock.now());
    expect(view()?.stored).toBeNull();
    time.advance(1_000);
    house.headEnd.air.advance(time.clock.now());
    expect(view()?.stored).toMatchObject({ card: '4021', rev: 1 });
  });

  it('is over after its last step, and only the slow cycle carries the card', async () => {
    const { link, house, time, restart } = await setUp(NO_PULSE);
    await link.send(entitle('c1', 1, [ESS]));
    time.advance(66 * 60_000);
    await restart();
    expect(house.headEnd.air.carousel()).toMatchObject({ repeating: 0, slowCycleSeconds: 300 });
  });

  it('is what the head-end says it is at log-in', async () => {
    const profile = [{ everySeconds: 5, forSeconds: 60 }];
    const { link } = await setUp({ profile });
    await link.send(osd('c1'));
    expect(link.capabilities()?.repeats).toEqual(profile);
  });
});

describe('refreshes', () => {
  it('are limited for each card when they are boosted, also over a restart', async () => {
    const { link, openLink, time, restart } = await setUp(NO_PULSE);
    await link.send(entitle('c1', 1, [ESS]));
    for (const cmdId of ['r1', 'r2', 'r3']) {
      expect(await link.send(refresh(cmdId, 300))).toMatchObject({ kind: 'done' });
    }
    const limited = { kind: 'rejected', code: 'RATE_LIMITED', class: 'state' };
    expect(await link.send(refresh('r4', 300))).toMatchObject(limited);
    await link.close();
    await restart();
    const next = openLink();
    expect(await next.send(refresh('r5', 300))).toMatchObject(limited);
    expect(await next.send(refresh('r6', 0))).toMatchObject({ kind: 'done' });
    await next.close();
    time.advance(3_600_000);
    expect(await openLink().send(refresh('r7', 300))).toMatchObject({ kind: 'done' });
  });

  it('bring the picture back at once to a decoder that was switched on late', async () => {
    const { link, openLink, house, time, view } = await withDecoder(NO_PULSE);
    const { decoders } = house.headEnd.air;
    decoders.turn('4021', { power: false }, time.clock.now());
    await link.send(entitle('c1', 1, [ESS]));
    await link.close();
    time.advance(3 * 3_600_000);
    decoders.turn('4021', { power: true }, time.clock.now());
    expect(view()?.screen).toMatchObject({ code: 'V07' });
    await openLink().send(refresh('r1', 300));
    expect(view()?.screen).toMatchObject({ kind: 'picture' });
  });
});
