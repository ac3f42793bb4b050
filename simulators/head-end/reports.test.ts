/** What an auditor reads in the head-end's own log. */
import { tearDown } from './head-end-harness.ts';
import { inMinutes, openHomes, revised, right } from './homes.fixture.ts';

afterEach(tearDown);

async function audited() {
  const homes = await openHomes();
  const read = async (name: string, query: Record<string, string> = {}) => {
    const [status, body] = await homes.house.headEnd.report(name, new URLSearchParams(query));
    return { status, rows: (body as { rows?: Record<string, unknown>[] }).rows ?? [] };
  };
  return { ...homes, read };
}

const pair = (stb: string, mode = 'strict') => ({ args: { stb, mode } });

describe('the report of', () => {
  it('pairings has what came and what went, with the line of the log', async () => {
    const { order, read, house } = await audited();
    await order('PAIR', '1', pair('STB-1'));
    await order('PAIR', '1', pair('STB-2'));
    await order('PAIR', '2', pair('STB-2'));
    await order('SWAP_STB', 'STB-2', {
      ...{ target: { kind: 'stb', id: 'STB-2' }, args: { newStb: 'STB-3' } },
    });
    const by = { card: '2', by: 'ann', why: 'glass', stbs: ['STB-9'] };
    house.headEnd.writeByConsole(by);
    const { rows } = await read('pairings');
    expect(rows.map(({ n, op, card, stb, is }) => [n, op, card, stb, is].join(' '))).toEqual([
      '1 PAIR 1 STB-1 paired',
      '2 PAIR 1 STB-1 unpaired',
      '2 PAIR 1 STB-2 paired',
      '4 SWAP_STB 1 STB-2 unpaired',
      '4 SWAP_STB 1 STB-3 paired',
      '5 CONSOLE 2 STB-9 paired',
    ]);
    expect((await read('pairings', { card: '2' })).rows).toHaveLength(1);
    expect((await read('pairings', { stb: 'STB-2' })).rows).toHaveLength(2);
  });

  it('activations has when a decoder began to show what is paid for, and stopped', async () => {
    const { order, read, time } = await audited();
    await order('PAIR', '1', pair('STB-1'));
    await order('ENTITLE', '1', revised(1, { set: [right('ESS')] }));
    await order('ENTITLE', '1', revised(2, { set: [right('ESS'), right('MAX')] }));
    time.advance(60_000);
    await order('SUSPEND', '1', revised(3, { reason: 'fraud' }));
    await order('RESUME', '1', revised(4, {}));
    await order('BLACKLIST', '1', { args: { reason: 'theft' } });
    const { rows } = await read('activations', { stb: 'STB-1' });
    expect(rows.map(({ op, is }) => `${op} ${is}`)).toEqual([
      ...['ENTITLE activated', 'SUSPEND deactivated', 'RESUME activated', 'BLACKLIST deactivated'],
    ]);
    const since = await read('activations', { stb: 'STB-1', from: inMinutes(1) });
    expect(since.rows).toHaveLength(3);
    expect((await read('activations', { stb: 'STB-2' })).rows).toEqual([]);
  });

  it('rights has what a card was given and what was taken, by whatever order', async () => {
    const { order, read, restart, house } = await audited();
    await order('ENTITLE', '1', revised(1, { set: [right('ESS')] }));
    await order('ENTITLE', '1', revised(2, { add: [right('MAX')] }));
    await order('CANCEL', '1', revised(1, { products: '*' }));
    await restart();
    await order('SWAP', '1', revised(3, { newCard: '2', newRev: 9, set: [right('MAX')] }));
    house.headEnd.writeByConsole({ card: '2', by: 'ann', why: 'glass', set: [] });
    const said = async (card: string) =>
      (await read('rights', { card })).rows.map(({ op, is, product }) => `${op} ${is} ${product}`);
    expect(await said('1')).toEqual([
      'ENTITLE given ESS',
      'ENTITLE given MAX',
      'SWAP taken ESS',
      'SWAP taken MAX',
    ]);
    expect(await said('2')).toEqual(['SWAP given MAX', 'CONSOLE taken MAX']);
  });

  it('a channel has who had it in a period, from when to when', async () => {
    const { order, read, time } = await audited();
    await order('ENTITLE', '1', revised(1, { set: [right('ESS', 6)] }));
    await order('ENTITLE', '2', revised(1, { set: [right('ESS'), right('MAX')] }));
    await order('ENTITLE', '3', revised(1, { set: [right('MAX')] }));
    time.advance(3 * 60_000);
    await order('CANCEL', '2', revised(2, { products: ['ESS'] }));
    const period = { from: inMinutes(1), to: inMinutes(5) };
    const expected = [
      { card: '2', from: inMinutes(1), to: inMinutes(3) },
      { card: '1', from: inMinutes(1), to: inMinutes(5) },
    ];
    expect((await read('channel', { product: 'ESS', ...period })).rows).toEqual(expected);
    expect((await read('channel', { service: 'NOVA', ...period })).rows).toEqual(expected);
    const later = { service: 'NOVA', from: inMinutes(3) };
    expect((await read('channel', later)).rows).toMatchObject([{ card: '1', to: inMinutes(6) }]);
  });

  it('nothing is refused: no such report, no card, no date', async () => {
    const { read } = await audited();
    expect((await read('weather')).status).toBe(404);
    for (const query of [{}, { card: '1', from: 'tomorrow' }, { card: '1', colour: 'red' }]) {
      expect((await read('rights', query as Record<string, string>)).status).toBe(400);
    }
  });
});
