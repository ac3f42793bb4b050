import { createCasCommands } from '../../src/entitlement/commands/service.ts';
import {
  acting,
  devicesOf,
  fileOf,
  stateOf,
} from '../../src/entitlement/devices/devices-harness.ts';
import type { Devices } from '../../src/entitlement/devices/service.ts';
import {
  type Air,
  CAS_ID,
  createAir,
  dispatcherOf,
  outletOf,
} from '../../src/entitlement/dispatch/dispatch-harness.ts';
import { AIR_MARGIN_MS } from '../../src/entitlement/rights/rules.ts';
import { createFakeRandom } from '../../src/entitlement/vip-control/testing.ts';
import { followLog } from '../../src/evidence/air/service.ts';
import type { ReportName } from '../../src/evidence/reports/definitions.ts';
import { runReport } from '../../src/evidence/reports/service.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { withLuhnDigit } from '../../src/platform/luhn.ts';
import { createWorld, type World } from './world.ts';

const START = '2026-12-01T08:00:00Z';
const MONTH = 65_000n;
const FILM = { code: 'FILM', name: 'Films', product: 'ESS' };
const FREE = { code: 'FREE', name: 'Free', product: null };

/** What is done to cards and decoders, up to what is seen in front of the television. */
describe('a device on the air', () => {
  let world: World;
  let air: Air;
  let devices: Devices;
  let work: () => Promise<void>;
  let commandsOnly: () => Promise<void>;
  let serial = 0;
  beforeAll(async () => {
    world = await createWorld(START);
    air = await createAir(world.now, { services: [FILM, FREE], isListed: true });
    devices = devicesOf(world, { casOf: () => CAS_ID });
    const link = await air.link('dispatcher-1');
    const { pool, settlement, now } = world;
    const dispatcher = dispatcherOf(
      { pool, settlement, now, link },
      { airMarginMs: AIR_MARGIN_MS },
    );
    const sender = createCasCommands({ pool, clock: { now } }).sender({
      ...{
        casId: CAS_ID,
        epoch: () => 1,
        outlet: outletOf(link, now),
        clock: { now },
        random: createFakeRandom(),
      },
      logger: silentLogger,
    });
    commandsOnly = () => sender.runUntilIdle();
    work = async () => {
      await sender.runUntilIdle();
      await dispatcher.runUntilIdle();
    };
  });
  afterAll(async () => {
    await air.close();
    await world.close();
  });

  /** A box with a card from a manufacturer's file. */
  const box = async () => {
    serial += 1;
    const one = {
      stb: `STB-${serial}`,
      card: withLuhnDigit(`4055${String(serial).padStart(6, '0')}`),
    };
    await devices.receive({
      ...{ text: fileOf([`${one.stb},ZX10,,,${one.card},B1`]), sha256: null, by: 'staff:7' },
      ...{ siteId: world.site('NBO').id, channel: 'staff' },
    });
    return one;
  };
  /** A subscriber whose card was listed, is paired with its box and paid for. */
  const viewer = async () => {
    const { stb } = await box();
    const { number, id } = await world.customer();
    await devices.receive({
      ...{ text: fileOf([`,,,,${number},B2`]), sha256: null, by: 'staff:7', channel: 'staff' },
      siteId: world.site('NBO').id,
    });
    await devices.pair(acting(), { card: number, stb, mode: 'strict' });
    await world.pay({ amount: MONTH, accountRef: number });
    await work();
    return { card: number, stb, id };
  };
  const plug = (stb: string, card: string, service = 'FILM') =>
    air.headEnd().air.decoders.add({ stb, card, service, upToDate: true });
  const sees = (card: string) => {
    const screen = air.headEnd().air.decoders.view(card, world.now())?.screen;
    return screen?.kind === 'blocked' ? screen.code : screen?.kind;
  };
  /** Two minutes: what lies so far back is known wholly. */
  const pass = () => world.moveTo(new Date(world.now().getTime() + 120_000).toISOString());
  const learn = async () => {
    const [row] = await world.rows('SELECT house_xid()::text AS xid');
    const isPast = async () =>
      (await world.rows('SELECT house_xmin() > $1::xid8 AS past', [row?.xid]))[0]?.past;
    while (!(await isPast()));
    await followLog({ pool: world.pool, clock: { now: world.now } });
  };
  const rowsOf = async (name: ReportName, question: { at: Date; card?: string }) => {
    const answer = await runReport(world.pool, { name, ...question });
    if (!answer.ok) throw new Error(answer.error);
    return answer.report.rows;
  };
  const opsOn = (card: string) =>
    air
      .headEnd()
      .commands({ card })
      .map(({ op }) => op);
  const codes = async (card: string) =>
    (
      await world.rows('SELECT op, state, code FROM cas_command WHERE target = $1 ORDER BY id', [
        card,
      ])
    ).map(({ op, state, code }) => `${op} ${state} ${code}`);

  it('swapped at the counter by one command: the old card is dead, the new plays', async () => {
    const { card: old, stb, id } = await viewer();
    const { card: next } = await box();
    plug(stb, old);
    expect(sees(old)).toBe('picture');
    const before = opsOn(old).length;

    expect(await devices.swapCard(acting(), { old, new: next })).toMatchObject({ ok: true });
    await commandsOnly();
    expect(sees(old)).toMatch(/^V0/);
    expect(air.headEnd().card(old)).toMatchObject({ state: 'replaced', set: [], stbs: [] });
    expect(air.headEnd().card(next)).toMatchObject({ state: 'live', stbs: [stb] });
    expect(opsOn(old).length - before).toBe(1);
    expect(opsOn(old)[0]).toBe('SWAP');

    await work();
    // Dispatch found both as they should be.
    const told = air.headEnd().commands({ card: next });
    expect(told[0]).toMatchObject({ op: 'ENTITLE', result: { code: 'DONE_NOOP' } });
    expect(air.headEnd().commands({ card: old })[0]).toMatchObject({
      result: { code: 'DONE_NOOP' },
    });
    // The new card goes into the box; what it may show is repeated within seconds.
    air.headEnd().air.decoders.insert(stb, next, world.now());
    expect(sees(next)).toMatch(/^V0/);
    world.moveTo('2026-12-01T08:00:30Z');
    air.headEnd().air.advance(world.now());
    expect(sees(next)).toBe('picture');
    expect([await stateOf(world, old), await stateOf(world, next)]).toEqual(['replaced', 'in_use']);
    const [owner] = await world.rows('SELECT subscriber_id AS id FROM card WHERE number = $1', [
      next,
    ]);
    expect(owner?.id).toBe(String(id));
  });

  it('swapped, has handed on what was on the air, in reports of before and after', async () => {
    const { card: old } = await viewer();
    const { card: next } = await box();
    pass();
    const before = world.now();
    pass();
    await devices.swapCard(acting(), { old, new: next });
    // By the SWAP alone: no set of either card is sent after it.
    await commandsOnly();
    pass();
    const after = world.now();
    pass();
    await learn();
    const had = async (card: string, at: Date) =>
      (await rowsOf('card', { card, at })).map(([product]) => product);
    expect([await had(old, before), await had(next, before)]).toEqual([['ESS'], []]);
    expect([await had(old, after), await had(next, after)]).toEqual([['deactivated'], ['ESS']]);
    await work();
  });

  it('swapped as a decoder: its card plays in the new one alone', async () => {
    const { card, stb } = await viewer();
    const { stb: next } = await box();
    plug(next, card);
    expect(sees(card)).toBe('V02');
    await devices.swapDecoder(acting(), { old: stb, new: next });
    await work();
    expect(sees(card)).toBe('picture');
    expect(await stateOf(world, stb)).toBe('swapped_out');
  });

  it('heals by its sets and pairings when the head-end refuses the swap', async () => {
    const { card: old, stb } = await viewer();
    const { card: next } = await box();
    // Somebody has banned it there, and nobody here has heard of it.
    await world.pool.query(
      `INSERT INTO cas_command (cas_id, cmd_id, op, target_kind, target, args, subjects, prio,
                                actor, reason, created_at, not_after, next_at)
       VALUES ($1, $2, 'BLACKLIST', 'card', $3, '{"reason":"there"}', '{}', 'SALE', 'x', 'x', $4,
               $5, $4)`,
      [CAS_ID, `there-${old}`, old, world.now(), new Date('2026-12-02T08:00:00Z')],
    );
    await work();
    await devices.swapCard(acting(), { old, new: next });
    await work();
    expect((await codes(old)).slice(-2)).toEqual(['SWAP rejected BLACKLISTED', 'UNPAIR done DONE']);
    expect(air.headEnd().card(next)).toMatchObject({ stbs: [stb] });
    expect(air.headEnd().card(old)).toMatchObject({ stbs: [] });
    expect(air.headEnd().card(next)?.set.length).toBeGreaterThan(0);
    expect(air.headEnd().card(old)?.set).toEqual([]);
  });

  it('blacklisted, says so on the screen until two people have lifted it', async () => {
    const { card, stb } = await viewer();
    plug(stb, card);
    const before = world.now();
    pass();
    const said = { kind: 'card', name: card } as const;
    await devices.blacklist(acting(), {
      ...{ ...said, evidence: null, siteId: world.site('NBO').id },
    });
    await work();
    expect(sees(card)).toBe('V05');
    const during = world.now();
    pass();
    await devices.lift(acting({ approvedBy: 'staff:9' }), said);
    await work();
    expect(sees(card)).toBe('picture');
    const after = world.now();
    pass();
    await learn();
    const listed = async (at: Date) =>
      (await rowsOf('blacklisted', { at })).map(([, name]) => name);
    expect(await listed(before)).not.toContain(card);
    expect(await listed(during)).toContain(card);
    expect(await listed(after)).not.toContain(card);
  });

  it('in another decoder than its own, shows that it is not paired', async () => {
    const { card } = await viewer();
    plug('STB-FOREIGN', card);
    expect(sees(card)).toBe('V02');
  });

  it('lost, is dark but for what is free, until it is found', async () => {
    const { card, stb } = await viewer();
    plug(stb, card);
    const declare = (state: string) =>
      devices.declare(acting(), {
        ...{ kind: 'card', name: card, state, siteId: null, ownership: null },
      });
    await declare('lost');
    await work();
    expect(sees(card)).toBe('V04');
    await declare('in_use');
    await work();
    expect(sees(card)).toBe('picture');
  });

  it('in use before there were files, is made known with the first file', async () => {
    const { number } = await world.customer();
    await box();
    await world.pay({ amount: MONTH, accountRef: number });
    await work();
    expect(air.headEnd().card(number)).toMatchObject({ rev: 1 });
  });

  it('unknown to the head-end, is refused there with its code, for the history', async () => {
    const { number } = await world.customer();
    await devices.lockRegion(acting(), { card: number, area: 'KE-30' });
    await work();
    expect(await codes(number)).toEqual(['REGION rejected UNKNOWN_CARD']);
  });
});
