/** Everything under a revision: what a card may show, and what a home then sees. */
import { tearDown } from './head-end-harness.ts';
import { inMinutes, openHomes, revised, right } from './homes.fixture.ts';

afterEach(tearDown);

describe('a set that is changed', () => {
  it('gets what is added, loses what is removed, and keeps the rest', async () => {
    const { order, card } = await openHomes();
    expect(await order('ENTITLE', '1', revised(1, { set: [right('ESS'), right('MAX')] }))).toBe(
      'DONE',
    );
    const change = { add: [right('ESS', 90)], remove: ['MAX'] };
    expect(await order('ENTITLE', '1', revised(2, change))).toBe('DONE');
    expect(card('1')).toMatchObject({ rev: 2, set: [right('ESS', 90)] });
    expect(await order('ENTITLE', '1', revised(2, change))).toBe('DONE_NOOP');
    expect(await order('ENTITLE', '1', revised(2, { add: [right('MAX')] }))).toBe('REV_CONFLICT');
  });

  it('takes on a later revision that changes nothing, without a word on air', async () => {
    const { order, card, house } = await openHomes();
    await order('ENTITLE', '1', revised(1, { set: [right('ESS')] }));
    const { broadcast } = house.headEnd.air.carousel();
    expect(await order('CANCEL', '1', revised(5, { products: ['MAX'] }))).toBe('DONE_NOOP');
    expect(card('1')).toMatchObject({
      rev: 5,
      set: [{ product: 'ESS' }],
      firstAirAt: inMinutes(0),
    });
    expect(house.headEnd.air.carousel().broadcast).toBe(broadcast);
    expect(await order('CANCEL', '1', revised(4, { products: '*' }))).toBe('STALE_REV');
  });

  it('loses one channel, and leaves the others', async () => {
    const { order, sees, turn } = await openHomes();
    await order('ENTITLE', '1', revised(1, { set: [right('ESS'), right('MAX')] }));
    await order('CANCEL', '1', revised(2, { products: ['ESS'] }));
    expect(sees('1')).toBe('V03');
    turn('1', { service: 'KINO' });
    expect(sees('1')).toBe('KINO');
    await order('CANCEL', '1', revised(3, { products: '*' }));
    expect(sees('1')).toBe('V03');
  });
});

describe('a suspended card', () => {
  it('shows what is free, and when it is resumed exactly what is still in date', async () => {
    const { order, sees, turn, pass, card } = await openHomes();
    await order('ENTITLE', '1', revised(1, { set: [right('ESS', 5), right('MAX')] }));
    expect(await order('SUSPEND', '1', revised(2, { reason: 'fraud' }))).toBe('DONE');
    expect(sees('1')).toBe('V04');
    turn('1', { service: 'TELE1' });
    expect(sees('1')).toBe('TELE1');
    expect(card('1')?.set).toHaveLength(2);
    pass(6);
    expect(await order('RESUME', '1', revised(3, {}))).toBe('DONE');
    turn('1', { service: 'KINO' });
    expect(sees('1')).toBe('KINO');
    turn('1', { service: 'NOVA' });
    expect(sees('1')).toBe('V03');
  });

  it('is not sold an event', async () => {
    const { order } = await openHomes();
    await order('SUSPEND', '1', revised(1, { reason: 'fraud' }));
    const event = { eventId: 'FINAL', from: inMinutes(0), to: inMinutes(90) };
    expect(await order('EVENT', '1', revised(2, event))).toBe('CARD_SUSPENDED');
  });

  it('stays suspended, or not, over a restart', async () => {
    const { order, restart, card } = await openHomes();
    await order('ENTITLE', '1', revised(1, { set: [right('ESS')] }));
    await order('SUSPEND', '1', revised(2, { reason: 'fraud' }));
    await restart();
    expect(card('1')).toMatchObject({ rev: 2, suspended: 'fraud' });
    await order('RESUME', '1', revised(3, {}));
    await restart();
    expect(card('1')).not.toHaveProperty('suspended');
  });
});

describe('an event', () => {
  it('comes beside the set, and lasts 15 minutes longer than announced at most', async () => {
    const { order, card } = await openHomes();
    await order('ENTITLE', '1', revised(1, { set: [right('ESS')] }));
    const event = (to: number) => ({ eventId: 'FINAL', from: inMinutes(0), to: inMinutes(to) });
    expect(await order('EVENT', '1', revised(2, event(90)))).toBe('DONE');
    for (const [rev, to, end] of [
      [3, 100, 100],
      [4, 200, 105],
    ] as const) {
      expect(await order('EVENT', '1', revised(rev, event(to)))).toBe('DONE');
      expect(card('1')?.set).toMatchObject([{ product: 'ESS' }, { to: inMinutes(end) }]);
    }
    expect(await order('EVENT', '1', revised(5, event(-1)))).toBe('BAD_DATES');
  });
});

describe('a swap of cards', () => {
  const swap = (rev: number, newRev: number) =>
    revised(rev, { newCard: '2', newRev, set: [right('ESS')] });

  it('moves set, decoder and area in one act, and the old card is replaced', async () => {
    const { order, card, sees } = await openHomes();
    await order('ENTITLE', '1', revised(1, { set: [right('ESS')] }));
    await order('PAIR', '1', { args: { stb: 'STB-2' } });
    await order('REGION', '1', { args: { area: 'coast' } });
    expect(await order('SWAP', '1', swap(2, 1))).toBe('DONE');
    expect(card('1')).toMatchObject({ state: 'replaced', set: [], stbs: [], rev: 2 });
    const moved = { state: 'live', rev: 1, stbs: ['STB-2'], region: 'coast', set: [right('ESS')] };
    expect(card('2')).toMatchObject(moved);
    expect(sees('1')).toBe('V02');
    expect(sees('2')).toBe('V08');
    expect(await order('SWAP', '1', swap(2, 1))).toBe('DONE_NOOP');
    expect(await order('SWAP', '1', swap(1, 1))).toBe('STALE_REV');
  });

  it('brings the picture back as soon as the new card is in the decoder', async () => {
    const { order, sees, house, time, pass } = await openHomes();
    await order('ENTITLE', '1', revised(1, { set: [right('ESS')] }));
    await order('PAIR', '1', { args: { stb: 'STB-1' } });
    const other = revised(2, { newCard: '77', newRev: 1, set: [right('ESS')] });
    expect(await order('SWAP', '1', other)).toBe('DONE');
    expect(sees('1')).toBe('V02');
    const { decoders } = house.headEnd.air;
    expect(decoders.insert('STB-1', '77', time.clock.now())).toBe(true);
    expect(decoders.insert('STB-0', '77', time.clock.now())).toBe(false);
    pass(1);
    expect(sees('77')).toBe('NOVA');
    expect(decoders.view('1', time.clock.now())).toBeUndefined();
    await order('UNPAIR', '77');
    expect(sees('77')).toBe('V02');
  });

  it('leaves a card that can be emptied, and is given nothing more', async () => {
    const { order, restart } = await openHomes();
    await order('SWAP', '1', swap(2, 1));
    await restart();
    const full = { set: [right('ESS')] };
    expect(await order('ENTITLE', '1', revised(3, full))).toBe('CARD_SUSPENDED');
    expect(await order('ENTITLE', '1', revised(3, { set: [] }))).toBe('DONE');
    expect(await order('PAIR', '1', { args: { stb: 'STB-1' } })).toBe('CARD_SUSPENDED');
    expect(await order('ENTITLE', '2', revised(2, full))).toBe('DONE');
  });

  it('changes neither card when the new one will not have it', async () => {
    const { order, card } = await openHomes();
    await order('ENTITLE', '1', revised(1, { set: [right('ESS')] }));
    await order('BLACKLIST', '2', { args: { reason: 'theft' } });
    expect(await order('SWAP', '1', swap(2, 1))).toBe('BLACKLISTED');
    expect(card('1')).toMatchObject({ state: 'live', rev: 1, set: [{ product: 'ESS' }] });
    await order('ENTITLE', '3', revised(7, { set: [right('MAX')] }));
    const stale = revised(2, { newCard: '3', newRev: 6, set: [right('ESS')] });
    expect(await order('SWAP', '1', stale)).toBe('STALE_REV');
  });
});
