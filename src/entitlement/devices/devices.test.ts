import { createWorld, type World } from '../../../test/stories/world.ts';
import { openSubscription } from '../../billing/subscriptions/service.ts';
import { withLuhnDigit } from '../../platform/luhn.ts';
import {
  acting,
  devicesOf,
  fileOf,
  headEnd,
  ordered,
  senderOf,
  stateOf,
} from './devices-harness.ts';
import type { Devices } from './service.ts';

const START = '2026-12-01T08:00:00Z';
const card = (n: number) => withLuhnDigit(`4077${String(n).padStart(6, '0')}`);

describe('cards and decoders', () => {
  let world: World;
  let devices: Devices;
  let serial = 0;
  beforeAll(async () => {
    world = await createWorld(START);
    devices = devicesOf(world);
  });
  afterAll(() => world.close());

  const nbo = () => world.site('NBO').id;
  const give = (text: string, to = devices) =>
    to.receive({ text, sha256: null, siteId: nbo(), by: 'staff:7', channel: 'staff' });
  /** A card and a decoder of a file, on the shelf. */
  const listed = async () => {
    serial += 1;
    const both = { number: card(serial), stb: `STB-${serial}` };
    const got = await give(fileOf([`${both.stb},ZX10,,,${both.number},B1`]));
    expect(got).toMatchObject({ ok: true, isNew: true });
    return both;
  };

  const sell = async (cardNumber: string, listedOnly = false) => {
    const site = world.site('NBO');
    const { id: subscriberId } = await world.customer();
    const [bouquet] = await world.rows('SELECT bouquet_id AS id FROM subscription LIMIT 1');
    return await openSubscription(
      { pool: world.pool, ids: world.ids, productsOf: () => [] },
      {
        ...{ cardNumber, subscriberId, siteId: site.id, bouquetId: BigInt(String(bouquet?.id)) },
        ...{ term: 'month', decoder: null, person: null, mainCardId: null, reseller: null },
        ...{ transfer: false, at: world.now(), by: 'staff:7', listedOnly },
      },
    );
  };

  describe('the file of a manufacturer', () => {
    it('is made known to the head-end, decoders before cards', async () => {
      const { number, stb } = await listed();
      expect(await stateOf(world, number)).toBe('imported');
      expect(await stateOf(world, stb)).toBe('received');
      expect(await ordered(world, `card:${number}`)).toEqual([`CARD_REGISTER ${number}`]);
      expect(await ordered(world, `stb:${stb}`)).toEqual([`CARD_REGISTER ${stb}`]);
    });

    it('is nothing when it comes again, also twice at once', async () => {
      const text = fileOf([`STB-TWICE,ZX10,,,${card(900)},B1`]);
      const both = await Promise.all([give(text), give(text)]);
      expect(both.map((one) => one.ok && one.isNew).sort()).toEqual([false, true]);
      expect(await give(text)).toMatchObject({ ok: true, isNew: false, file: { cards: 1 } });
      expect(await ordered(world, 'stb:STB-TWICE')).toHaveLength(1);
    });

    it('is refused whole when it names what another file has, or what is blacklisted', async () => {
      const { number } = await listed();
      const bad = card(901);
      const said = { kind: 'card', name: bad, evidence: null, siteId: nbo() } as const;
      await devices.blacklist(acting(), said);
      const got = await give(fileOf([`STB-NEW1,ZX10,,,${number},B2`, `STB-NEW2,ZX10,,,${bad},B2`]));
      expect(got).toMatchObject({
        ok: false,
        faults: [
          { code: 'known', value: `card ${number}` },
          { code: 'blacklisted', value: `card ${bad}` },
        ],
      });
      expect(await stateOf(world, 'STB-NEW1')).toBeNull();
    });

    it('lists cards that are in use already, which go on', async () => {
      const { number } = await world.customer();
      await give(fileOf([`,,,,${number},B3`]));
      expect(await stateOf(world, number)).toBe('in_use');
      const strict = devicesOf(world, { listedOnly: () => true });
      expect(await strict.resetPin(acting(), { card: number, identity: 'seen' })).toEqual({
        ok: true,
        state: 'in_use',
      });
    });

    it('is what a site may ask of every card it sells', async () => {
      const { number } = await listed();
      expect(await sell(card(903), true)).toEqual({ ok: false, error: 'device_not_listed' });
      expect(await sell(number, true)).toMatchObject({ ok: true });
      expect(await stateOf(world, number)).toBe('in_use');
    });

    it('belongs where it was received: it is not sold at another site', async () => {
      const number = card(904);
      const siteId = world.site('ABJ').id;
      const text = fileOf([`,,,,${number},B1`]);
      await devices.receive({ text, sha256: null, siteId, by: 'staff:7', channel: 'staff' });
      expect(await sell(number)).toEqual({ ok: false, error: 'device_other_site' });
    });

    it('pairs virtual cards for life', async () => {
      const number = card(902);
      const heading = 'stb_serial,model,chip_id,mac,card_number,batch,card_kind';
      await give(fileOf([`STB-V1,ZX10,,,${number},B1,virtual`], heading));
      expect(await ordered(world, `card:${number}`)).toEqual([
        `CARD_REGISTER ${number}`,
        `PAIR ${number}`,
      ]);
      expect(await devices.unpair(acting(), { card: number, stb: null })).toEqual({
        ok: false,
        error: 'device_incompatible',
      });
    });
  });

  describe('a pairing', () => {
    it('binds a card to a decoder, and frees the decoder it was in', async () => {
      const one = await listed();
      const two = await listed();
      const pair = (stb: string) =>
        devices.pair(acting(), { card: one.number, stb, mode: 'strict' });
      expect(await pair(one.stb)).toEqual({ ok: true, state: 'paired' });
      expect(await pair(one.stb)).toEqual({ ok: false, error: 'already_paired' });
      expect(await pair(two.stb)).toEqual({ ok: true, state: 'paired' });
      expect([await stateOf(world, one.stb), await stateOf(world, two.stb)]).toEqual([
        'recovered',
        'installed',
      ]);
      const open = await world.rows('SELECT stb FROM pairing WHERE card = $1 AND to_at IS NULL', [
        one.number,
      ]);
      expect(open).toEqual([{ stb: two.stb }]);
    });

    it('is made once when two ask for it at once, and once for one key', async () => {
      const { number, stb } = await listed();
      const said = { card: number, stb, mode: 'strict' } as const;
      const same = acting();
      const all = await Promise.all([devices.pair(same, said), devices.pair(same, said)]);
      expect(all).toEqual([
        { ok: true, state: 'paired' },
        { ok: true, state: 'paired' },
      ]);
      expect(await devices.pair(acting(), said)).toMatchObject({ error: 'already_paired' });
      expect(await ordered(world, `card:${number}`)).toEqual([
        `CARD_REGISTER ${number}`,
        `PAIR ${number}`,
      ]);
    });

    it('is refused with a decoder of another site, or one that no list has', async () => {
      const { number } = await listed();
      await devices.receive({
        ...{ text: fileOf(['STB-CI1,ZX10,,,,B1']), sha256: null, by: 'staff:7', channel: 'staff' },
        siteId: world.site('ABJ').id,
      });
      const pair = (stb: string, by = devices) =>
        by.pair(acting(), { card: number, stb, mode: 'strict' });
      expect(await pair('STB-CI1')).toMatchObject({ error: 'device_other_site' });
      const strict = devicesOf(world, { listedOnly: () => true });
      expect(await pair('STB-NOBODYS', strict)).toMatchObject({ error: 'device_not_listed' });
      expect(await stateOf(world, 'STB-NOBODYS')).toBeNull();
    });

    it('waits at the sender until the head-end knows the decoder', async () => {
      const { number, stb } = await listed();
      await devices.pair(acting(), { card: number, stb, mode: 'strict' });
      const link = headEnd();
      await senderOf(world, link).runUntilIdle();
      const mine = link.sent.filter(({ target }) => [number, stb].includes(target.id));
      expect(mine.map(({ op }) => op)).toEqual(['CARD_REGISTER', 'CARD_REGISTER', 'PAIR']);
    });

    it('ends, and the card is back in stock', async () => {
      const { number, stb } = await listed();
      await devices.pair(acting(), { card: number, stb, mode: 'list' });
      expect(await devices.unpair(acting(), { card: number, stb })).toEqual({
        ok: true,
        state: 'in_stock',
      });
      expect(await devices.unpair(acting(), { card: number, stb })).toMatchObject({
        error: 'not_paired',
      });
    });
  });

  describe('a blacklisted device', () => {
    const black = (kind: 'card' | 'stb', name: string) =>
      devices.blacklist(acting({ reason: 'shared keys' }), {
        ...{ kind, name, evidence: 'report 7', siteId: nbo() },
      });

    it('is not received, sold, paired or swapped to', async () => {
      const { number, stb } = await listed();
      const other = await listed();
      const { number: sold } = await world.customer();
      expect(await black('card', number)).toEqual({ ok: true, state: 'blacklisted' });
      expect(await black('stb', stb)).toEqual({ ok: true, state: 'blacklisted' });
      const error = 'device_blacklisted';
      const pair = (c: string, s: string) =>
        devices.pair(acting(), { card: c, stb: s, mode: 'strict' });
      expect(await pair(number, other.stb)).toMatchObject({ error });
      expect(await pair(other.number, stb)).toMatchObject({ error });
      expect(await devices.swapCard(acting(), { old: sold, new: number })).toMatchObject({ error });
      expect(await sell(number)).toEqual({ ok: false, error });
    });

    it('buys nothing: its money is credit', async () => {
      const { number } = await world.customer();
      await black('card', number);
      const outcome = await world.pay({ amount: 65_000n, accountRef: number });
      expect(world.settledOf(outcome)).toMatchObject({ state: 'settled', paidUntil: null });
    });

    it('is lifted into quarantine, and its set goes out anew', async () => {
      const { number } = await world.customer();
      await world.pay({ amount: 65_000n, accountRef: number });
      await black('card', number);
      const before = await world.rows(
        'SELECT desired_rev FROM card_rights r JOIN card c ON c.id = r.card_id WHERE number = $1',
        [number],
      );
      const lifted = acting({ approvedBy: 'staff:9' });
      expect(await devices.lift(lifted, { kind: 'card', name: number })).toEqual({
        ok: true,
        state: 'quarantine',
      });
      const after = await world.rows(
        'SELECT desired_rev FROM card_rights r JOIN card c ON c.id = r.card_id WHERE number = $1',
        [number],
      );
      expect(Number(after[0]?.desired_rev)).toBe(Number(before[0]?.desired_rev) + 1);
      const [command] = await world.rows(
        `SELECT approved_by FROM cas_command WHERE target = $1 AND op = 'UNBLACKLIST'`,
        [number],
      );
      expect(command).toEqual({ approved_by: 'staff:9' });
    });
  });

  describe('a declared state', () => {
    const declare = (kind: 'card' | 'stb', name: string, state: string) =>
      devices.declare(acting(), { kind, name, state, siteId: null, ownership: null });

    it('makes a stolen card dark until it is found', async () => {
      const { number } = await world.customer();
      const suspended = async () =>
        (
          await world.rows(
            'SELECT suspended FROM card_rights r JOIN card c ON c.id = r.card_id WHERE number = $1',
            [number],
          )
        )[0]?.suspended;
      expect(await declare('card', number, 'lost')).toEqual({ ok: true, state: 'lost' });
      expect(await suspended()).toBe('admin');
      expect(await declare('card', number, 'in_use')).toEqual({ ok: true, state: 'in_use' });
      expect(await suspended()).toBeNull();
    });

    it('follows from the one before, and retires nothing that is in use', async () => {
      const { number, stb } = await listed();
      const { number: sold } = await world.customer();
      expect(await declare('stb', stb, 'dormant')).toMatchObject({ error: 'device_state' });
      expect(await declare('stb', stb, 'in_stock')).toMatchObject({ ok: true });
      expect(await declare('card', sold, 'retired')).toMatchObject({ error: 'card_in_use' });
      expect(await declare('card', number, 'retired')).toMatchObject({ ok: true });
      expect((await ordered(world, `card:${number}`)).at(-1)).toBe(`CARD_RETIRE ${number}`);
    });

    it('is the database’s to judge, whoever writes it', async () => {
      const { number, stb } = await listed();
      await expect(
        world.pool.query(`UPDATE viewing_card SET state = 'in_use' WHERE number = $1`, [number]),
      ).rejects.toThrow('changes by an event');
      await expect(
        world.pool.query(
          `INSERT INTO device_event (kind, device, act, from_state, to_state, at, actor, channel,
                                     reason)
           VALUES ('stb', $1, 'x', 'received', 'dormant', now(), 'x', 'x', 'x')`,
          [stb],
        ),
      ).rejects.toThrow('cannot go');
      await expect(
        world.pool.query(`UPDATE device_event SET reason = 'other' WHERE device = $1`, [stb]),
      ).rejects.toThrow();
    });
  });

  it('binds a card to an area, and resets its PIN for who was identified', async () => {
    const { number } = await world.customer();
    await devices.lockRegion(acting(), { card: number, area: 'KE-30' });
    await devices.resetPin(acting(), { card: number, identity: 'passport seen' });
    expect(await ordered(world, `card:${number}`)).toEqual([
      `REGION ${number}`,
      `PIN_RESET ${number}`,
    ]);
    const events = await world.rows(
      'SELECT act, detail FROM device_event WHERE device = $1 ORDER BY id',
      [number],
    );
    expect(events).toEqual([
      { act: 'region', detail: { area: 'KE-30' } },
      { act: 'pin_reset', detail: { identity: 'passport seen' } },
    ]);
  });
});
