/** The head-end's window: what may be seen, what may be turned, and by whom. */
import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createFakeTime, until } from '../../src/entitlement/vip-control/testing.ts';
import type { AirEvent, Service } from './air/types.ts';
import { createHeadEndClient } from './client.ts';
import { closeLater, ESS, entitle, osd, setUp, tearDown } from './head-end-harness.ts';
import { createHeadEndHttp } from './http.ts';

afterEach(tearDown);

const services: Service[] = [
  { code: 'NOVA', name: 'Nova', product: 'ESS' },
  { code: 'TELE1', name: 'Télé 1', product: null },
];
const decoder = { stb: 'STB-1', card: '4021', service: 'NOVA' };

async function openWindow() {
  const world = await setUp({ services });
  let movedMs = 0;
  const clock = {
    now: () => new Date(world.time.clock.now().getTime() + movedMs),
    moveTo: (offsetMs: number) => {
      movedMs = offsetMs;
    },
  };
  const http = await createHeadEndHttp({
    headEnd: world.house.headEnd,
    host: '127.0.0.1',
    port: 0,
    clock,
  });
  closeLater(http.stop);
  const url = `http://127.0.0.1:${http.port}`;
  const get = async (path: string) => {
    const response = await fetch(`${url}${path}`);
    return { status: response.status, body: await response.json() };
  };
  const post = async (path: string, body: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body,
    });
    return { status: response.status, body: await response.json() };
  };
  return { ...world, url, clock, get, post, air: createHeadEndClient(url) };
}

describe('what may be seen', () => {
  it('is the cards with the rights of this instant, and the last commands', async () => {
    const { link, get } = await openWindow();
    const later = { product: 'EVT:FINAL', from: new Date('2026-11-24T18:00:00Z'), to: ESS.to };
    await link.send(entitle('c1', 1, [ESS, later]));
    await link.send(osd('c2'));
    expect(await get('/cards/4021')).toMatchObject({
      status: 200,
      body: { rev: 1, set: [{}, {}], rightsNow: [{ product: 'ESS' }] },
    });
    expect(await get('/cards')).toMatchObject({ body: { page: 1, pages: 1, cards: [{}] } });
    expect(await get('/commands?card=4021')).toMatchObject({
      body: { commands: [{ cmdId: 'c2', text: 'Bonjour' }, { cmdId: 'c1' }] },
    });
    expect(await get('/healthz')).toEqual({ status: 200, body: { healthy: true, link: true } });
    const missing = ['/cards/9', '/decoders/9', '/nothing', '/control/link'];
    for (const path of missing) expect((await get(path)).status).toBe(404);
    expect((await get('/cards?page=0')).status).toBe(400);
  });

  it('is no right of this instant while the card is suspended', async () => {
    const { link, air } = await openWindow();
    await link.send(Object.assign(entitle('c1', 1, [ESS]), { suspended: 'fraud' }));
    expect(await air.card('4021')).toMatchObject({ suspended: 'fraud', rightsNow: [] });
    expect((await air.cards(1)).cards).toHaveLength(1);
    expect(await air.card('9')).toBeUndefined();
  });

  it('is the line-up, the carousel and the decoders', async () => {
    const { link, air } = await openWindow();
    await air.addDecoders([decoder]);
    await link.send(entitle('c1', 1, [ESS]));
    expect(await air.services()).toEqual(services);
    expect(await air.air()).toMatchObject({ emmPerSecond: null, repeating: 1, broadcast: 1 });
    const screen = { kind: 'picture', service: 'NOVA', osd: null };
    expect(await air.decoders()).toEqual([{ stb: 'STB-1', card: '4021', screen }]);
    expect(await air.decoder('4021')).toMatchObject({ power: true, screen, stored: { rev: 1 } });
    expect(await air.decoder('9')).toBeUndefined();
    expect(await air.commands('4021')).toMatchObject([{ cmdId: 'c1' }]);
  });

  it('is what happens on air, of one card or of all, from the present screen on', async () => {
    const { link, air } = await openWindow();
    await air.addDecoders([decoder, { ...decoder, stb: 'STB-2', card: '4022' }]);
    const heard: { one: AirEvent[]; all: AirEvent[] } = { one: [], all: [] };
    const stops = [
      air.events('4021', (event) => heard.one.push(event)),
      air.events(null, (event) => heard.all.push(event)),
    ];
    await until(() => heard.one.length === 1 && heard.all.length === 2);
    expect(heard.one).toMatchObject([{ type: 'screen', screen: { code: 'V07' } }]);
    await link.send(entitle('c1', 1, [ESS], '4022'));
    await link.send(entitle('c2', 1, [ESS]));
    await until(() => heard.one.length === 4 && heard.all.length === 8);
    expect(heard.one.at(-1)).toMatchObject({ type: 'screen', screen: { kind: 'picture' } });
    for (const stop of stops) stop();
  });
});

describe('what may be turned', () => {
  it('is a decoder', async () => {
    const { air } = await openWindow();
    await air.addDecoders([decoder]);
    expect(await air.turn('4021', { power: false })).toBe(true);
    expect((await air.decoder('4021'))?.screen).toEqual({ kind: 'off' });
    expect(await air.turn('4021', { power: true, service: 'TELE1' })).toBe(true);
    expect((await air.decoder('4021'))?.screen).toMatchObject({ service: 'TELE1' });
    expect(await air.turn('9', { power: false })).toBe(false);
    await expect(air.turn('4021', { service: 'NONE' })).rejects.toThrow('service: ');
  });

  it('is VIP Control, which goes and comes back on the same port', async () => {
    const { air, link, house, time, get } = await openWindow();
    await until(() => link.state() === 'connected');
    await air.setLink(false);
    await air.setLink(false);
    expect((await get('/healthz')).body).toEqual({ healthy: true, link: false });
    await until(() => link.state() === 'connecting');
    await air.setLink(true);
    expect(house.headEnd.isLinkUp()).toBe(true);
    await until(() => {
      time.advance(1);
      return link.state() === 'connected';
    });
  });

  it('is the products that it carries', async () => {
    const { air, link } = await openWindow();
    await air.setGoneProducts([ESS.product]);
    expect(await link.send(entitle('c1', 1, [ESS]))).toMatchObject({ code: 'UNKNOWN_PRODUCT' });
    await air.setGoneProducts([]);
    expect(await link.send(entitle('c2', 1, [ESS]))).toMatchObject({ kind: 'done' });
  });

  it('is the speed, the window and what goes wrong', async () => {
    const { air, link, house, time, executions } = await openWindow();
    await air.setLatency({ medianMs: 1_000, p99Ms: 2_000 });
    await air.setFlow(1);
    const outcomes = ['c1', 'c2'].map((cmdId) => link.send(osd(cmdId)));
    await until(() => house.headEnd.commands().length > 0);
    await air.setLatency(0);
    await air.setFault({ kind: 'dup_res', times: 2 });
    time.advance(10_000);
    // In ten seconds the link may have asked what became of them; then it is told by that answer.
    for (const outcome of outcomes) expect(await outcome).toMatchObject({ kind: 'done' });
    for (const cmdId of ['c1', 'c2']) expect(await executions(cmdId)).toBe(1);
  });

  it('is what goes wrong, several things at once, until they are healed', async () => {
    const { air, get } = await openWindow();
    await air.setFault({ kind: 'late', value: 2_000, times: 3, percent: 20 });
    await air.setFault({ kind: 'maintenance', forSeconds: 60 });
    expect(await air.faults()).toEqual([
      { kind: 'late', value: 2_000, percent: 20, left: 3, met: 0 },
      { kind: 'maintenance', value: 0, percent: 100, left: null, met: 0 },
    ]);
    expect((await get('/faults')).body).toMatchObject({
      kinds: { late: { value: { unit: 'ms' } } },
    });
    await air.heal('late');
    expect(await air.faults()).toHaveLength(1);
    await air.heal();
    expect(await air.faults()).toEqual([]);
  });

  it('is a restart, with what is lost by it', async () => {
    const { air, link, time } = await openWindow();
    await link.send(entitle('c1', 1, [ESS]));
    await air.restart();
    await air.restart({ lose: 'queue' });
    expect(await air.card('4021')).toMatchObject({ rev: 1 });
    time.advance(1);
    await air.restart({ loseSeconds: 60 });
    expect(await air.card('4021')).toBeUndefined();
    expect(await air.commands()).toEqual([]);
  });

  it('is a command line too', async () => {
    const { air, url } = await openWindow();
    const program = join(__dirname, 'fault.ts');
    const run = (...args: string[]) =>
      promisify(execFile)(process.execPath, [
        program,
        '--port',
        URL.parse(url)?.port ?? '',
        ...args,
      ]);
    expect((await run('late', '--value', '3000', '--times', '2', '--for', '60')).stdout).toBe(
      'late 3000 ms, 100 %, met 0, 2 to come\n',
    );
    expect(await air.faults()).toMatchObject([{ kind: 'late', value: 3_000, left: 2 }]);
    expect((await run('heal', 'late')).stdout).toContain('No fault');
    await expect(run('late', '--value=-1')).rejects.toThrow('value: 1 to 600000 ms');
  });

  it('is a range of decoders', async () => {
    const { air, post } = await openWindow();
    const range = { firstStb: 'STB-0998', firstCard: '00099', count: 3, service: 'NOVA' };
    const add = (changed: object) =>
      post('/control/decoders', JSON.stringify({ range: { ...range, ...changed } }));
    expect(await add({})).toMatchObject({ status: 200 });
    expect((await air.decoders()).map(({ stb, card }) => `${stb} ${card}`)).toEqual([
      'STB-0998 00099',
      'STB-0999 00100',
      'STB-1000 00101',
    ]);
    expect(await add({ firstCard: '998', count: 3 })).toMatchObject({ status: 400 });
    expect(await add({ firstStb: 'box' })).toMatchObject({ status: 400 });
    expect(await add({ count: 20_001 })).toMatchObject({ status: 400 });
  });

  it('is the time, and rights end by themselves', async () => {
    const { air, link } = await openWindow();
    await air.addDecoders([decoder]);
    await link.send(entitle('c1', 1, [ESS]));
    await air.moveClock(31 * 24 * 3_600_000);
    expect((await air.decoder('4021'))?.screen).toMatchObject({ code: 'V03' });
  });
});

describe('what is refused', () => {
  it.each([
    ['decoder', '{"card":"4021","power":"off"}', 400, 'power: '],
    ['decoder', '{"card":"4021","colour":"red"}', 400, 'colour'],
    ['decoders', '{"decoders":[{"stb":"1","card":7,"service":"NOVA"}]}', 400, 'decoders.0.card: '],
    ['decoders', '{"decoders":[{"stb":"1","card":"7","service":"X"}]}', 400, 'decoders.0.service'],
    ['latency', '{"medianMs":80,"p99Ms":20}', 400, 'p99Ms: '],
    ['latency', '{"ms":-1}', 400, 'ms: '],
    ['flow', '{"window":1.5}', 400, 'window: '],
    ['fault', '{"kind":"fire"}', 400, 'kind: '],
    ['fault', '{"kind":"rate","value":0}', 400, 'value: 0.1 to 10000 commands/s'],
    ['restart', '{"lose":"all"}', 400, 'lose'],
    ['heal', '{"kind":"fire"}', 400, 'kind: '],
    ['clock', '{"offsetMs":1e300}', 400, 'offsetMs: '],
    ['link', '{}', 400, 'up: '],
    ['link', 'up', 400, 'not JSON'],
    ['dance', '{}', 404, 'not_found'],
    ['link', `{"up":"${'x'.repeat(65_536)}"}`, 413, 'bytes'],
  ])('to /control/%s: %s', async (name, body, status, sentence) => {
    const { post } = await openWindow();
    const answer = await post(`/control/${name}`, body);
    expect(answer).toEqual({ status, body: { error: expect.stringContaining(sentence) } });
  });

  it('is whatever a page of another site could send', async () => {
    const { post, url, house } = await openWindow();
    const body = '{"up":false}';
    const plain = await post('/control/link', body, { 'content-type': 'text/plain' });
    expect(plain.status).toBe(415);
    // fetch sets no Origin of its own here, and lets nobody set one.
    const status = await new Promise((answered) => {
      const headers = { origin: 'https://elsewhere.example', 'content-type': 'application/json' };
      request(`${url}/control/link`, { method: 'POST', headers }, (response) => {
        response.resume();
        answered(response.statusCode);
      }).end(body);
    });
    expect(status).toBe(403);
    expect(house.headEnd.isLinkUp()).toBe(true);
  });

  it('is moving a clock that is not its own', async () => {
    const { house } = await setUp();
    const { clock } = createFakeTime();
    const place = { host: '127.0.0.1', port: 0 };
    const http = await createHeadEndHttp({ headEnd: house.headEnd, clock, ...place });
    closeLater(http.stop);
    const air = createHeadEndClient(`http://127.0.0.1:${http.port}`);
    await expect(air.moveClock(1)).rejects.toThrow('cannot be moved');
  });
});
