/** Cards and decoders as things: who knows them, what is in what, where, and what is banned. */
import { tearDown } from './head-end-harness.ts';
import { openHomes, revised, right } from './homes.fixture.ts';

afterEach(tearDown);

const pair = (stb: string, mode = 'strict') => ({ args: { stb, mode } });
const ESS = revised(1, { set: [right('ESS')] });

describe('pairing', () => {
  it('is not rights, and rights without pairing show nothing', async () => {
    const { order, sees } = await openHomes();
    expect(await order('PAIR', '1', pair('STB-1'))).toBe('DONE');
    expect(sees('1')).toBe('V07');
    await order('ENTITLE', '1', ESS);
    expect(sees('1')).toBe('NOVA');
    expect(await order('PAIR', '1', pair('STB-9'))).toBe('DONE');
    expect(sees('1')).toBe('V02');
  });

  it('that is strict takes the card out of every decoder before', async () => {
    const { order, card, sees } = await openHomes();
    await order('ENTITLE', '1', ESS);
    for (const stb of ['STB-1', 'STB-8'])
      expect(await order('PAIR', '1', pair(stb, 'list'))).toBe('DONE');
    expect(card('1')?.stbs).toEqual(['STB-1', 'STB-8']);
    expect(sees('1')).toBe('NOVA');
    expect(await order('PAIR', '1', pair('STB-8', 'list'))).toBe('DONE_NOOP');
    expect(await order('PAIR', '1', pair('STB-8'))).toBe('DONE');
    expect(card('1')?.stbs).toEqual(['STB-8']);
    expect(sees('1')).toBe('V02');
    expect(await order('PAIR', '1', pair('STB-8'))).toBe('DONE_NOOP');
  });

  it('with a decoder that another card wants alone is refused', async () => {
    const { order } = await openHomes();
    await order('PAIR', '1', pair('STB-1'));
    expect(await order('PAIR', '2', pair('STB-1', 'list'))).toBe('ALREADY_PAIRED');
    await order('UNPAIR', '1');
    expect(await order('PAIR', '2', pair('STB-1', 'list'))).toBe('DONE');
    expect(await order('PAIR', '1', pair('STB-1', 'list'))).toBe('DONE');
    expect(await order('PAIR', '3', pair('STB-1'))).toBe('ALREADY_PAIRED');
  });

  it('ends for one decoder or for all', async () => {
    const { order, card, sees, restart } = await openHomes();
    await order('ENTITLE', '1', ESS);
    for (const stb of ['STB-1', 'STB-8']) await order('PAIR', '1', pair(stb, 'list'));
    expect(await order('UNPAIR', '1', { args: { stb: 'STB-8' } })).toBe('DONE');
    expect(await order('UNPAIR', '1', { args: { stb: 'STB-8' } })).toBe('DONE_NOOP');
    expect(sees('1')).toBe('NOVA');
    expect(await order('UNPAIR', '1')).toBe('DONE');
    expect(await order('UNPAIR', '1')).toBe('DONE_NOOP');
    expect(sees('1')).toBe('V02');
    await restart();
    expect(card('1')).toMatchObject({ stbs: [], isBound: true });
  });

  it('reaches a decoder that was off when it is on again', async () => {
    const { order, sees, turn, pass } = await openHomes();
    await order('ENTITLE', '1', ESS);
    turn('1', { power: false });
    await order('UNPAIR', '1');
    turn('1', { power: true });
    expect(sees('1')).toBe('NOVA');
    pass(1);
    expect(sees('1')).toBe('V02');
  });
});

it('a pairing that waits for the air is broadcast after a restart, and done once', async () => {
  const { client, restart, card, pass, time } = await openHomes({ kbitPerSecond: 1.504 });
  const command = (cmdId: string, stb: string, seq: number) => ({
    ...{ t: 'CMD', seq, cmdId, op: 'PAIR', target: { kind: 'card', id: cmdId }, args: { stb } },
    ...{ prio: 'SALE', notAfter: '2026-11-23T13:00:30Z', issuedAt: '2026-11-23T13:00:00Z' },
  });
  client().say(command('1', 'STB-1', 1), command('2', 'STB-2', 2));
  await client().find(({ t, cmdId }) => t === 'RES' && cmdId === '1');
  expect(card('2')).toMatchObject({ stbs: ['STB-2'], change: 2 });
  // Too late for a command, and not for what one has done.
  time.advance(60_000);
  await restart();
  pass(1);
  client().say({ t: 'STATUS', cmdId: '2' });
  const told = await client().find(({ t, cmdId }) => t === 'RES' && cmdId === '2');
  expect(told).toMatchObject({ code: 'DONE' });
  expect(card('2')).toMatchObject({ stbs: ['STB-2'], change: 2 });
});

describe('a decoder that is swapped', () => {
  it('gives all its cards to the new one, and takes none any more', async () => {
    const { order, card } = await openHomes();
    await order('PAIR', '1', pair('OLD', 'list'));
    await order('PAIR', '1', pair('ELSE', 'list'));
    await order('PAIR', '2', pair('OLD', 'list'));
    const swap = { target: { kind: 'stb', id: 'OLD' }, args: { newStb: 'NEW' } };
    expect(await order('SWAP_STB', 'OLD', swap)).toBe('DONE');
    expect(card('1')?.stbs).toEqual(['ELSE', 'NEW']);
    expect(card('2')?.stbs).toEqual(['NEW']);
    expect(await order('SWAP_STB', 'OLD', swap)).toBe('DONE_NOOP');
    expect(await order('PAIR', '3', pair('OLD'))).toBe('UNKNOWN_STB');
    const empty = { target: { kind: 'stb', id: 'NONE' }, args: { newStb: 'NEW' } };
    expect(await order('SWAP_STB', 'NONE', empty)).toBe('NOT_PAIRED');
  });

  it('is not swapped for one that another card wants alone', async () => {
    const { order, card } = await openHomes();
    await order('PAIR', '1', pair('OLD'));
    await order('PAIR', '2', pair('NEW'));
    const swap = { target: { kind: 'stb', id: 'OLD' }, args: { newStb: 'NEW' } };
    expect(await order('SWAP_STB', 'OLD', swap)).toBe('ALREADY_PAIRED');
    expect(card('1')?.stbs).toEqual(['OLD']);
  });
});

describe('the register', () => {
  const register = (model?: string) => ({ args: { batch: 'b', ...(model ? { model } : {}) } });
  const stb = (id: string, more: object = {}) => ({ target: { kind: 'stb', id }, ...more });

  it('is in force with the first serial, and stays so', async () => {
    const { order, restart } = await openHomes();
    expect(await order('ENTITLE', '1', ESS)).toBe('DONE');
    expect(await order('CARD_REGISTER', '2', register())).toBe('DONE');
    expect(await order('CARD_REGISTER', '2', register())).toBe('DONE_NOOP');
    expect(await order('ENTITLE', '1', ESS)).toBe('UNKNOWN_CARD');
    expect(await order('ENTITLE', '2', ESS)).toBe('DONE');
    await restart();
    expect(await order('ENTITLE', '1', ESS)).toBe('UNKNOWN_CARD');
    const swap = revised(2, { newCard: '1', newRev: 1, set: [] });
    expect(await order('SWAP', '2', swap)).toBe('UNKNOWN_CARD');
    expect(await order('PAIR', '2', pair('STB-1'))).toBe('DONE');
    expect(await order('CARD_REGISTER', 'STB-1', stb('STB-1', register()))).toBe('DONE');
    expect(await order('PAIR', '2', pair('STB-9'))).toBe('UNKNOWN_STB');
  });

  it('is in force from the beginning when it is said so', async () => {
    const { order } = await openHomes({ isListed: true });
    expect(await order('ENTITLE', '1', ESS)).toBe('UNKNOWN_CARD');
  });

  it('knows which decoder takes which card', async () => {
    const { order } = await openHomes();
    await order('CARD_REGISTER', '1', register('HD-1'));
    for (const [id, model] of [
      ['STB-1', 'HD-1'],
      ['STB-2', 'UHD-2'],
    ] as const) {
      await order('CARD_REGISTER', id, stb(id, register(model)));
    }
    expect(await order('PAIR', '1', pair('STB-2'))).toBe('INCOMPATIBLE');
    expect(await order('PAIR', '1', pair('STB-1'))).toBe('DONE');
    const swap = stb('STB-1', { args: { newStb: 'STB-2' } });
    expect(await order('SWAP_STB', 'STB-1', swap)).toBe('INCOMPATIBLE');
  });

  it('is left by what is retired, with all it had, until it is registered again', async () => {
    const { order, card, sees } = await openHomes();
    await order('CARD_REGISTER', '1', register());
    await order('ENTITLE', '1', ESS);
    await order('PAIR', '1', pair('STB-1'));
    const retire = { args: { reason: 'scrap' } };
    expect(await order('CARD_RETIRE', '1', retire)).toBe('DONE');
    expect(await order('CARD_RETIRE', '1', retire)).toBe('DONE_NOOP');
    expect(card('1')).toMatchObject({ state: 'retired', set: [], stbs: [] });
    expect(sees('1')).toBe('V02');
    const more = revised(2, { set: [right('ESS')] });
    expect(await order('ENTITLE', '1', more)).toBe('UNKNOWN_CARD');
    await order('CARD_REGISTER', '1', register());
    expect(await order('ENTITLE', '1', more)).toBe('DONE');
  });

  it('loses a retired decoder to no card', async () => {
    const { order, card } = await openHomes();
    await order('PAIR', '1', pair('STB-1'));
    const retire = stb('STB-1', { args: { reason: 'scrap' } });
    expect(await order('CARD_RETIRE', 'STB-1', retire)).toBe('DONE');
    expect(card('1')?.stbs).toEqual([]);
    expect(await order('PAIR', '1', pair('STB-1'))).toBe('UNKNOWN_STB');
  });
});

describe('an area', () => {
  it('is where a card shows pictures, and nowhere else', async () => {
    const { order, sees, turn } = await openHomes({ knownRegions: ['coast', 'hills'] });
    await order('ENTITLE', '1', ESS);
    turn('1', { region: 'hills' });
    expect(await order('REGION', '1', { args: { area: 'coast' } })).toBe('DONE');
    expect(await order('REGION', '1', { args: { area: 'coast' } })).toBe('DONE_NOOP');
    expect(sees('1')).toBe('V08');
    turn('1', { region: 'coast' });
    expect(sees('1')).toBe('NOVA');
    expect(await order('REGION', '1', { args: { area: 'moon' } })).toBe('WRONG_REGION');
    turn('1', { region: 'hills' });
    await order('REGION', '1', { args: { area: null } });
    expect(sees('1')).toBe('NOVA');
  });
});

describe('a PIN', () => {
  it('is a given one, or the maker’s again, and goes on air each time', async () => {
    const { order, view, card } = await openHomes();
    expect(await order('PIN_RESET', '1', { args: { pin: '4711' } })).toBe('DONE');
    expect(view('1').pin).toBe('given');
    expect(card('1')?.pin).toBe('4711');
    expect(await order('PIN_RESET', '1')).toBe('DONE');
    expect(view('1').pin).toBe('maker');
    expect(await order('PIN_RESET', '1')).toBe('DONE');
    const toStb = { target: { kind: 'stb', id: 'STB-2' }, args: { pin: '1234' } };
    expect(await order('PIN_RESET', 'STB-2', toStb)).toBe('DONE');
    expect(view('2').pin).toBe('given');
  });
});

describe('a ban', () => {
  const lift = (more: object) => ({ args: { reason: 'found' }, ...more });

  it('takes the rights of a card, refuses it more, and takes two people to lift', async () => {
    const { order, sees, restart } = await openHomes();
    await order('ENTITLE', '1', ESS);
    expect(await order('BLACKLIST', '1', { args: { reason: 'theft' } })).toBe('DONE');
    expect(await order('BLACKLIST', '1', { args: { reason: 'theft' } })).toBe('DONE_NOOP');
    expect(sees('1')).toBe('V05');
    const more = revised(2, { set: [right('ESS')] });
    expect(await order('ENTITLE', '1', more)).toBe('BLACKLISTED');
    expect(await order('PAIR', '1', pair('STB-1'))).toBe('BLACKLISTED');
    expect(await order('UNBLACKLIST', '1', lift({ actor: 'ann' }))).toBe('SECOND_PERSON_REQUIRED');
    const alone = lift({ actor: 'ann', approvedBy: 'ann' });
    expect(await order('UNBLACKLIST', '1', alone)).toBe('SECOND_PERSON_REQUIRED');
    await restart();
    const both = lift({ actor: 'ann', approvedBy: 'bob' });
    expect(await order('UNBLACKLIST', '1', both)).toBe('DONE');
    expect(await order('UNBLACKLIST', '1', both)).toBe('DONE_NOOP');
    expect(await order('ENTITLE', '1', more)).toBe('DONE');
    expect(sees('1')).toBe('NOVA');
  });

  it('of a decoder holds whatever card is in it', async () => {
    const { order, sees } = await openHomes();
    await order('ENTITLE', '1', ESS);
    const ban = { target: { kind: 'stb', id: 'STB-1' }, args: { reason: 'theft' } };
    expect(await order('BLACKLIST', 'STB-1', ban)).toBe('DONE');
    expect(sees('1')).toBe('V05');
    expect(await order('PAIR', '2', pair('STB-1'))).toBe('BLACKLISTED');
    await order('UNBLACKLIST', 'STB-1', { ...ban, approvedBy: 'bob' });
    expect(sees('1')).toBe('NOVA');
  });
});

it('an order for what it is not made for is refused', async () => {
  const { order } = await openHomes();
  const all = { target: { kind: 'all', id: '*' } };
  expect(await order('PAIR', '*', { ...all, ...pair('STB-1') })).toBe('NOT_ALLOWED');
  expect(await order('ENTITLE', 'STB-1', { ...ESS, target: { kind: 'stb', id: 'STB-1' } })).toBe(
    'NOT_ALLOWED',
  );
});
