/**
 * Each fault against our link, in a time of its own: whatever the head-end does, a command is
 * executed once, comes to the right outcome, and the link is well again afterwards.
 */
import { RESULT_WAIT_MS } from '../../src/entitlement/vip-control/flight.ts';
import { createVipControlLink } from '../../src/entitlement/vip-control/link.ts';
import {
  createFakeRandom,
  createFakeTime,
  until,
} from '../../src/entitlement/vip-control/testing.ts';
import type { Logger } from '../../src/platform/ports.ts';
import { seededRandom } from '../../torture/random.ts';
import type { Fault } from './faults/kinds.ts';
import type { VipControlServerDeps } from './head-end.ts';
import {
  closeLater,
  ESS,
  entitle,
  MAX,
  NOW,
  osd,
  reconnect,
  sendOff,
  setUp,
  tearDown,
} from './head-end-harness.ts';

afterEach(tearDown);

async function connected(options: Partial<VipControlServerDeps> = {}) {
  const world = await setUp({ random: seededRandom(7), ...options });
  const { link, house } = world;
  await until(() => link.state() === 'connected');
  return { ...world, headEnd: house.headEnd, faults: house.headEnd.faults };
}

/** Lets time pass in steps, and what is under way on sockets and disks happen in between. */
async function passUntil(time: { advance(ms: number): void }, isTrue: () => boolean, stepMs = 500) {
  await until(() => {
    time.advance(stepMs);
    return isTrue();
  });
}

const TURNS_A_STEP = 40;

/** Lets so much time pass, slowly enough for PINGs to be answered. */
async function pass(time: { advance(ms: number): void }, ms: number) {
  for (let passedMs = 0; passedMs < ms; passedMs += 5_000) {
    time.advance(Math.min(5_000, ms - passedMs));
    for (let turn = 0; turn < TURNS_A_STEP; turn += 1) await new Promise(setImmediate);
  }
}

const cards = (count: number) => Array.from({ length: count }, (_, n) => `40${n + 10}`);

describe('the line towards the client', () => {
  const wire: Fault[] = [
    { kind: 'frag', value: 1 },
    { kind: 'frag', value: 7, percent: 50 },
    { kind: 'coalesce', value: 3 },
  ];
  it.each(wire)('$kind: every answer is understood', async (fault) => {
    const { link, time, faults, executions } = await connected();
    faults.set(fault);
    const sent = cards(6).map((card, n) => sendOff(link, entitle(`c${n}`, 1, [ESS], card)));
    await passUntil(time, () => sent.every(({ outcome }) => outcome), 1);
    for (const { outcome } of sent) expect(outcome).toMatchObject({ kind: 'done' });
    expect(faults.list()).toMatchObject([{ kind: fault.kind, left: null }]);
    expect(await executions('c0')).toBe(1);
  });

  it.each(['oversize', 'garbage'] as const)(
    '%s: the link says PROTOCOL, comes back, and nothing is done twice',
    async (kind) => {
      const { link, time, faults, headEnd, executions } = await connected();
      faults.set({ kind, times: 3 });
      const sent = sendOff(link, osd('c1'));
      await passUntil(time, () => sent.outcome !== undefined);
      expect(sent.outcome).toMatchObject({ kind: 'done' });
      expect(faults.list()).toEqual([]);
      expect(await executions('c1')).toBe(1);
      expect(headEnd.air.carousel().broadcast).toBeLessThanOrEqual(3);
    },
  );

  it('blackhole: dead within 45 s, and the command is done in the next session', async () => {
    const { link, time, faults, executions } = await connected();
    faults.set({ kind: 'blackhole' });
    const sent = sendOff(link, osd('c1'));
    await until(() => faults.list().length === 0);
    time.advance(44_000);
    expect(link.state()).toBe('connected');
    time.advance(1_500);
    expect(link.state()).toBe('connecting');
    await passUntil(time, () => sent.outcome !== undefined);
    expect(sent.outcome).toMatchObject({ kind: 'done' });
    expect(await executions('c1')).toBe(1);
  });

  it('blackhole for a minute: a socket is taken and nothing said, until that is over', async () => {
    const { link, time, faults } = await connected();
    faults.set({ kind: 'blackhole', forSeconds: 60 });
    await passUntil(time, () => link.state() === 'connecting');
    expect(faults.list()).toHaveLength(1);
    await passUntil(time, () => link.state() === 'connected');
    expect(faults.list()).toEqual([]);
  });
});

describe('results', () => {
  it('dup_res: told twice, and once more in the next session, they change nothing', async () => {
    const { link, time, faults, executions } = await connected();
    faults.set({ kind: 'dup_res' });
    expect(await link.send(osd('c1'))).toMatchObject({ kind: 'done', dup: false });
    faults.set({ kind: 'drop_before_ack' });
    const sent = sendOff(link, osd('c2'));
    await reconnect(link, time);
    await passUntil(time, () => sent.outcome !== undefined);
    expect(sent.outcome).toMatchObject({ kind: 'done' });
    expect(await executions('c1')).toBe(1);
  });

  it('shuffle: out of order, each card has its own last set', async () => {
    const { link, time, faults, headEnd } = await connected();
    faults.set({ kind: 'shuffle', value: 10 });
    const numbers = cards(20);
    const order: string[] = [];
    const sent = numbers.map((card, n) => {
      const command = entitle(`c${n}`, 1, n % 2 ? [ESS] : [MAX], card);
      return link.send(command).then((outcome) => {
        order.push(card);
        return outcome;
      });
    });
    // Time stands still: no result is told because it waited too long for others.
    await passUntil(time, () => order.length === numbers.length, 0);
    expect(order).not.toEqual(numbers);
    expect((await Promise.all(sent)).every(({ kind }) => kind === 'done')).toBe(true);
    for (const [n, card] of numbers.entries()) {
      expect(headEnd.card(card)).toMatchObject({ set: [{ product: n % 2 ? 'ESS' : 'MAX' }] });
    }
  });

  it('late: STATUS finds it done after T2, and the late result is not news', async () => {
    const { link, time, faults, executions } = await connected();
    faults.set({ kind: 'late', value: 90_000 });
    let isAccepted = false;
    const onAccepted = () => {
      isAccepted = true;
    };
    const sent = sendOff(link, { ...osd('c1'), onAccepted });
    await until(() => isAccepted && faults.list().length === 0);
    await pass(time, RESULT_WAIT_MS);
    await until(() => sent.outcome !== undefined);
    expect(sent.outcome).toMatchObject({ kind: 'done', dup: true });
    await pass(time, 90_000);
    const next = sendOff(link, osd('c2'));
    await passUntil(time, () => next.outcome !== undefined);
    expect(next.outcome).toMatchObject({ kind: 'done' });
    expect(await executions('c1')).toBe(1);
  });

  it('late, after a reconnect: it comes in the new session', async () => {
    const { link, time, faults, executions } = await connected();
    faults.set({ kind: 'late', value: 20_000 });
    const sent = sendOff(link, osd('c1'));
    await until(() => faults.list().length === 0);
    faults.set({ kind: 'garbage' });
    await passUntil(time, () => sent.outcome !== undefined);
    expect(sent.outcome).toMatchObject({ kind: 'done' });
    await pass(time, 20_000);
    const next = sendOff(link, osd('c2'));
    await passUntil(time, () => next.outcome !== undefined);
    expect(next.outcome).toMatchObject({ kind: 'done' });
    expect(await executions('c1')).toBe(1);
  });
});

describe('a head-end under load', () => {
  it('load: the window is 1, sales go first, and what is refused may be sent again', async () => {
    const { link, time, faults, headEnd } = await connected({ latencyMs: 1_000 });
    faults.set({ kind: 'load', percent: 1e-9, forSeconds: 600 });
    await until(() => headEnd.status().window === 1);
    const done: string[] = [];
    const send = (cmdId: string, prio: 'SALE' | 'BULK', card: string) =>
      void link.send({ ...entitle(cmdId, 1, [ESS], card), prio }).then(() => done.push(cmdId));
    const first = sendOff(link, osd('c0'));
    await until(() => headEnd.status().sessions[0]?.inFlight === 1);
    send('bulk', 'BULK', '4101');
    send('sale', 'SALE', '4102');
    await passUntil(time, () => done.length === 2);
    expect(first.outcome).toMatchObject({ kind: 'done' });
    expect(done).toEqual(['sale', 'bulk']);
    faults.set({ kind: 'load', percent: 100 });
    expect(await link.send(osd('c1'))).toMatchObject({
      kind: 'retry',
      code: expect.stringMatching(/^(BUSY|BANDWIDTH)$/),
    });
    faults.heal('load');
    expect(headEnd.status().window).toBe(256);
    const again = sendOff(link, osd('c1'));
    await passUntil(time, () => again.outcome !== undefined);
    expect(again.outcome).toMatchObject({ kind: 'done' });
  });

  it('rate: one command a second, and a sale never waits for the bulk before it', async () => {
    const { link, time, faults, headEnd } = await connected();
    faults.set({ kind: 'rate', value: 1 });
    const bulk = cards(30).map((card, n) =>
      sendOff(link, { ...entitle(`b${n}`, 1, [ESS], card), prio: 'BULK' }),
    );
    await until(() => headEnd.status().waiting.BULK === 30);
    const sale = sendOff(link, entitle('s1', 1, [ESS]));
    await until(() => headEnd.status().waiting.SALE === 1);
    time.advance(1_000);
    await until(() => sale.outcome !== undefined);
    expect(bulk.filter(({ outcome }) => outcome)).toEqual([]);
    time.advance(5_000);
    expect(headEnd.status().waiting.BULK).toBe(25);
    faults.heal();
    await passUntil(time, () => bulk.every(({ outcome }) => outcome));
  });

  it('maintenance: nothing is taken, and everything is afterwards', async () => {
    const { link, faults, headEnd } = await connected();
    faults.set({ kind: 'maintenance' });
    expect(await link.send(osd('c1'))).toMatchObject({ kind: 'retry', code: 'MAINTENANCE' });
    expect(headEnd.commands()).toEqual([]);
    faults.heal();
    expect(await link.send(osd('c1'))).toMatchObject({ kind: 'done', dup: false });
  });

  it('seq_skip: the session is begun anew, and the command does not fail', async () => {
    const { link, time, faults, executions } = await connected();
    faults.set({ kind: 'seq_skip' });
    const sent = sendOff(link, osd('c1'));
    await passUntil(time, () => sent.outcome !== undefined);
    expect(sent.outcome).toMatchObject({ kind: 'done' });
    expect(await executions('c1')).toBe(1);
  });
});

describe('a wrong clock', () => {
  it.each([-300_000, 300_000])('skew %d ms: no rights are sent, and it is reported', async (ms) => {
    const { house, faults } = await connected();
    faults.set({ kind: 'skew', value: ms });
    const reports: unknown[] = [];
    const report: Logger['info'] = (event, fields) => void reports.push({ event, ...fields });
    const own = createFakeTime(NOW);
    const link = createVipControlLink({
      ...{ host: '127.0.0.1', port: house.headEnd.port, clientId: 'd2', casId: 'main' },
      ...{ epoch: () => 1, clock: own.clock, timers: own.timers, random: createFakeRandom() },
      logger: { info: report, warn: report, error: report },
    });
    closeLater(link.close);
    const sent = sendOff(link, entitle('c1', 1, [ESS]));
    await until(() => reports.length > 0);
    expect(reports[0]).toMatchObject({ event: 'vipcontrol.disconnected', code: 'CLOCK_SKEW' });
    expect(house.headEnd.commands()).toEqual([]);
    faults.heal();
    await passUntil(own, () => sent.outcome !== undefined);
    expect(sent.outcome).toMatchObject({ kind: 'done' });
  });

  it('leaves the air alone: what is taken meanwhile is on air at the right time', async () => {
    const { link, faults, headEnd, time } = await connected();
    faults.set({ kind: 'skew', value: 300_000 });
    expect(await link.send(entitle('c1', 1, [ESS]))).toMatchObject({ firstAirAt: NOW });
    faults.heal();
    time.advance(11_000);
    expect(headEnd.air.carousel().broadcast).toBeGreaterThanOrEqual(2);
  });
});

describe('a restart', () => {
  it('that loses nothing executes what was taken, once', async () => {
    const { link, headEnd, time, executions } = await connected({ latencyMs: 60_000 });
    const sent = sendOff(link, osd('c1'));
    await until(() => headEnd.commands().length === 1);
    await headEnd.restart({ lose: 'nothing' });
    await passUntil(time, () => sent.outcome !== undefined);
    expect(sent.outcome).toMatchObject({ kind: 'done' });
    expect(await executions('c1')).toBe(1);
  });

  it('that loses the queue is sent again what it does not know any more', async () => {
    const { link, headEnd, time, executions } = await connected();
    await link.send(entitle('c1', 1, [ESS]));
    headEnd.setLatency(60_000);
    const sent = sendOff(link, entitle('c2', 2, [MAX]));
    await until(() => headEnd.commands()[0]?.cmdId === 'c2');
    await headEnd.restart({ lose: 'queue' });
    expect(headEnd.commands()).toMatchObject([{ cmdId: 'c1' }]);
    expect(headEnd.card('4021')).toMatchObject({ rev: 1 });
    await passUntil(time, () => sent.outcome !== undefined);
    expect(headEnd.card('4021')).toMatchObject({ rev: 2 });
    expect(await executions('c2')).toBe(1);
  });

  it('from a copy of some time ago has the cards as they were then', async () => {
    const { link, headEnd, time } = await connected();
    await link.send(entitle('c1', 1, [ESS]));
    await pass(time, 60_000);
    const sinceMs = time.clock.now().getTime();
    await link.send(entitle('c2', 2, [MAX]));
    await link.send(entitle('c3', 1, [ESS], '4022'));
    await headEnd.restart({ lose: 'since', sinceMs });
    expect(headEnd.card('4021')).toMatchObject({ rev: 1, set: [{ product: 'ESS' }] });
    expect(headEnd.card('4022')).toBeUndefined();
    await reconnect(link, time);
    await until(() => link.state() === 'connected');
    expect(await link.send(entitle('c4', 2, [MAX]))).toMatchObject({ code: 'DONE' });
    expect(headEnd.card('4021')).toMatchObject({ rev: 2 });
  });

  it('is not noticed in homes, and the carousel goes on with what it repeats', async () => {
    const services = [{ code: 'NOVA', name: 'Nova', product: 'ESS' }];
    const { link, headEnd, time } = await connected({ services });
    headEnd.air.decoders.add({ stb: 'STB-1', card: '4021', service: 'NOVA' });
    await link.send(entitle('c1', 1, [ESS]));
    await headEnd.restart({ lose: 'nothing' });
    const view = headEnd.air.decoders.view('4021', time.clock.now());
    expect(view?.screen).toMatchObject({ kind: 'picture' });
    expect(headEnd.air.carousel()).toMatchObject({ repeating: 1 });
  });
});
