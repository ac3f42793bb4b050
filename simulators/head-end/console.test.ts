/** The console in the head-end's own room: changes that no command ordered. */
import type { DumpPage, LogPage } from '../../src/entitlement/vip-control/queries.ts';
import { createHeadEndClient } from './client.ts';
import { closeLater, tearDown } from './head-end-harness.ts';
import { openHomes, revised, right } from './homes.fixture.ts';
import { createHeadEndHttp } from './http.ts';

afterEach(tearDown);

const glass = { by: 'night shift', why: 'manager on the phone' };

describe('a write at the console', () => {
  it('is on air at once, and nothing of the revision tells of it', async () => {
    const { house, order, sees, card, client } = await openHomes();
    await order('ENTITLE', '1', revised(4, { set: [] }));
    expect(sees('1')).toBe('V03');
    expect(house.headEnd.writeByConsole({ card: '1', ...glass, set: [right('ESS')] })).toBe(true);
    expect(sees('1')).toBe('NOVA');
    expect(card('1')).toMatchObject({ rev: 4, set: [right('ESS')], writtenBy: 'console' });
    const told = await client().find(({ t }) => t === 'EVT');
    expect(told).toEqual({
      ...{ t: 'EVT', kind: 'foreign_write', detail: { card: '1', by: glass.by, change: 2 } },
    });
  });

  it('is found in a dump and in the log, also after a restart', async () => {
    const { house, order, client, restart, sees, turn } = await openHomes();
    await order('ENTITLE', '1', revised(1, { set: [right('ESS')] }));
    house.headEnd.writeByConsole({ card: '1', ...glass, suspended: 'test', region: 'coast' });
    house.headEnd.writeByConsole({ card: '2', ...glass, set: [right('MAX')], stbs: ['STB-9'] });
    await restart();
    const { cards } = (await client().ask('DUMP', { since: 1 })) as DumpPage;
    expect(cards).toMatchObject([
      { card: '1', rev: 1, suspended: 'test', region: 'coast', writtenBy: 'console' },
      { card: '2', rev: 0, set: [{ product: 'MAX' }], stbs: ['STB-9'], writtenBy: 'console' },
    ]);
    const { lines } = (await client().ask('LOG', { after: 1 })) as LogPage;
    expect(lines).toMatchObject([
      { n: 2, op: 'CONSOLE', cmdId: null, by: glass.by, args: { suspended: 'test' } },
      { n: 3, op: 'CONSOLE', target: { kind: 'card', id: '2' }, args: { why: glass.why } },
    ]);
    turn('1', { region: 'coast' });
    await order('REFRESH', '1', { args: { scope: 'all' } });
    expect(sees('1')).toBe('V04');
  });

  it('gives way to the next revision, and not to the same one again', async () => {
    const { house, order, sees } = await openHomes();
    const given = { set: [right('ESS')] };
    await order('ENTITLE', '1', revised(1, given));
    house.headEnd.writeByConsole({ card: '1', ...glass, set: [] });
    expect(sees('1')).toBe('V03');
    expect(await order('ENTITLE', '1', revised(1, given))).toBe('REV_CONFLICT');
    expect(await order('ENTITLE', '1', revised(2, given))).toBe('DONE');
    expect(sees('1')).toBe('NOVA');
  });

  it('puts a card out of use, and in use again, empty', async () => {
    const { house, order, sees, card } = await openHomes();
    const granted = (rev: number) => order('ENTITLE', '1', revised(rev, { set: [right('ESS')] }));
    await granted(1);
    for (const [state, refused] of [
      ['retired', 'UNKNOWN_CARD'],
      ['blacklisted', 'BLACKLISTED'],
    ] as const) {
      const { rev } = card('1') ?? { rev: 0 };
      expect(house.headEnd.writeByConsole({ card: '1', ...glass, state })).toBe(true);
      expect(sees('1')).not.toBe('NOVA');
      expect(await granted(rev + 1)).toBe(refused);
      house.headEnd.writeByConsole({ card: '1', ...glass, state: 'live' });
      expect(card('1')).toMatchObject({ state: 'live', set: [] });
      expect(await granted(rev + 2)).toBe('DONE');
      expect(sees('1')).toBe('NOVA');
    }
  });

  it('comes by the window, in the name of somebody, with dates that are dates', async () => {
    const { house, time, sees } = await openHomes();
    const place = { host: '127.0.0.1', port: 0, clock: time.clock };
    const http = await createHeadEndHttp({ headEnd: house.headEnd, ...place });
    closeLater(http.stop);
    const air = createHeadEndClient(`http://127.0.0.1:${http.port}`);
    await air.writeByConsole({ card: '1', ...glass, set: [right('ESS')] });
    expect(sees('1')).toBe('NOVA');
    const backwards = { ...right('ESS'), to: '2020-01-01T00:00:00Z' };
    await expect(air.writeByConsole({ card: '1', ...glass, set: [backwards] })).rejects.toThrow(
      'set',
    );
    await expect(air.writeByConsole({ card: '1', by: '', why: 'x' })).rejects.toThrow('by: ');
  });
});
