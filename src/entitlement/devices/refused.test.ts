import { createWorld, type World } from '../../../test/stories/world.ts';
import { withLuhnDigit } from '../../platform/luhn.ts';
import type { Command, CommandOutcome } from '../vip-control/command.ts';
import { closeWorkItem, findWorkItems } from '../work-items/store.ts';
import { acting, DONE, devicesOf, fileOf, headEnd, senderOf } from './devices-harness.ts';
import type { Devices } from './service.ts';

/** Goal: what a head-end refuses to do to a device is work for a person, once, until it is done. */
const START = '2026-12-01T08:00:00Z';
const NOT_ALLOWED: CommandOutcome = { kind: 'rejected', code: 'NOT_ALLOWED', class: 'authority' };

let world: World;
let devices: Devices;
let serial = 0;
beforeAll(async () => {
  world = await createWorld(START);
  devices = devicesOf(world);
});
afterAll(() => world.close());

/** A card and a decoder on the shelf of a site, known to the head-end. */
async function listed() {
  serial += 1;
  const number = withLuhnDigit(`4078${String(serial).padStart(6, '0')}`);
  const stb = `STR-${serial}`;
  const text = fileOf([`${stb},ZX10,,,${number},B1`]);
  const siteId = world.site('NBO').id;
  await devices.receive({ text, sha256: null, siteId, by: 'staff:7', channel: 'staff' });
  await sends(() => DONE);
  return { number, stb };
}

const sends = (answer: (command: Command) => CommandOutcome) =>
  senderOf(world, headEnd(answer)).runUntilIdle();
const refusing = (op: string) => sends((command) => (command.op === op ? NOT_ALLOWED : DONE));
const items = async (isOpen: boolean, sites: bigint[] | null = null) =>
  findWorkItems(world.pool, { sites, cardId: null, isOpen, after: null, limit: 100 });
/** Open items of a device. */
const openOf = async (name: string) =>
  (await items(true)).filter(({ number, decoder }) => (number ?? decoder) === name);

describe('a command about a device that is refused for good', () => {
  it('is work for a person, with its operation, and ends when a later one is done', async () => {
    const { number } = await listed();
    const bind = (area: string) => devices.lockRegion(acting(), { card: number, area });
    expect(await bind('NORTH')).toMatchObject({ ok: true });
    await refusing('REGION');
    expect(await openOf(number)).toMatchObject([
      { code: 'NOT_ALLOWED', command: { op: 'REGION' }, decoder: null, casId: 'vip-control' },
    ]);
    const [{ sentence = '', siteId } = {}] = await openOf(number);
    expect(sentence).toMatch(/ refused to bind it to an area\. .*Ask who runs/);
    expect(siteId).toBe(world.site('NBO').id);
    expect(await items(true, [world.site('ABJ').id])).toEqual([]);

    // Another kind of command does not solve it; one of its kind that is refused is new work.
    await devices.resetPin(acting(), { card: number, identity: 'passport' });
    await sends(() => DONE);
    expect(await openOf(number)).toHaveLength(1);
    await bind('EAST');
    await refusing('REGION');
    expect(await openOf(number)).toHaveLength(2);

    await bind('WEST');
    await sends(() => DONE);
    expect(await openOf(number)).toEqual([]);
    expect((await items(false)).map(({ closedBy }) => closedBy)).toEqual(['done', 'done']);
  });

  it('is work about a decoder too, closed by a person', async () => {
    const { stb } = await listed();
    await devices.blacklist(acting(), {
      ...{ kind: 'stb', name: stb, evidence: null, siteId: world.site('NBO').id },
    });
    await refusing('BLACKLIST');
    const [item] = await openOf(stb);
    expect(item).toMatchObject({
      ...{ cardId: null, number: null, decoder: stb, siteId: world.site('NBO').id },
      command: { op: 'BLACKLIST' },
    });
    const close = { by: 'staff:1', at: world.now() };
    expect(await closeWorkItem(world.pool, item?.id ?? 0n, close)).toBe(true);
    expect(await openOf(stb)).toEqual([]);
  });

  it('is none where the command is only late, or comes from a file', async () => {
    const { number } = await listed();
    await devices.resetPin(acting(), { card: number, identity: 'passport' });
    await sends(() => ({ kind: 'retry', code: 'BUSY' }));
    expect(await openOf(number)).toEqual([]);
    await sends(() => DONE);
    serial += 1;
    const other = `STR-${serial}`;
    const text = fileOf([`${other},ZX10,,,,B2`]);
    const siteId = world.site('NBO').id;
    await devices.receive({ text, sha256: null, siteId, by: 'staff:7', channel: 'staff' });
    await refusing('CARD_REGISTER');
    expect(await openOf(other)).toEqual([]);
  });
});
