/**
 * What every driver of a conditional-access system has to do, whatever it speaks. To check one of
 * your own, build a `CasWorld` for it and call `describeCasDriver`: docs/guides/cas-driver.md.
 */
import type { CasDriver } from '../../src/entitlement/cas/driver.ts';
import { dumpAll } from '../../src/entitlement/cas/dump.ts';
import { LOG_BEGINNING, readLog } from '../../src/entitlement/cas/log.ts';
import {
  type Command,
  type CommandOutcome,
  cardTarget,
} from '../../src/entitlement/vip-control/command.ts';
import {
  CARDS,
  type CasWorld,
  type MakeWorld,
  NOW,
  PRODUCTS,
  pass,
  passSeconds,
  type SystemOptions,
} from './world.ts';

const DAY_MS = 86_400_000;
const common = { prio: 'SALE', notAfter: new Date(NOW.getTime() + DAY_MS) } as const;

function entitle(cmdId: string, rev: number, products: string[], card = '4021'): Command {
  const to = new Date(NOW.getTime() + 30 * DAY_MS);
  const set = products.map((product) => ({ product, from: NOW, to }));
  return { ...common, op: 'ENTITLE', cmdId, target: cardTarget(card), rev, set };
}

/** Something that would be seen twice if it were executed twice. */
function message(cmdId: string): Command {
  const args = { text: 'Bonjour', durationSeconds: 20 };
  return { ...common, op: 'OSD', cmdId, target: cardTarget('4021'), args };
}

/** A world, and what tests do in it. */
async function enter(make: MakeWorld, options: Partial<SystemOptions> = {}) {
  const world = await make({ latencyMs: 0, window: 64, aheadMs: 0, ...options });
  worlds.push(world);
  const driver = world.open();
  const { time, system } = world;
  const comesTo = async (outcome: Promise<CommandOutcome>) => {
    let found: CommandOutcome | undefined;
    void outcome.then((one) => {
      found = one;
    });
    await pass(time, () => found !== undefined);
    return await outcome;
  };
  const isUp = (one: CasDriver = driver) => pass(time, () => one.state() === 'connected');
  const isTaken = (cmdId: string) => pass(time, () => system.hasTaken(cmdId));
  return { ...world, driver, comesTo, isUp, isTaken };
}

const worlds: CasWorld[] = [];

/** The list, for one driver. */
export function describeCasDriver(name: string, make: MakeWorld): void {
  describe(`the driver for ${name}`, () => {
    afterEach(async () => {
      for (const world of worlds.splice(0)) await world.close();
    });
    describe('an outcome', () => describeOutcomes(make));
    describe('a command is executed once', () => describeOnce(make));
    describe('the limits', () => describeLimits(make));
    describe('questions', () => describeQuestions(make));
    describe('a session', () => describeSessions(make));
    describe('processes', () => describeProcesses(make));
  });
}

function describeOutcomes(make: MakeWorld): void {
  it('is done with revision and instant on air; what the system can do is known', async () => {
    const { driver, comesTo } = await enter(make);
    const outcome = await comesTo(driver.send(entitle('c1', 1, ['ESS'])));
    expect(outcome).toMatchObject({ kind: 'done', cardRev: { epoch: 1, rev: 1 } });
    const { firstAirAt } = outcome as Extract<CommandOutcome, { kind: 'done' }>;
    expect(firstAirAt?.getTime()).toBeGreaterThanOrEqual(NOW.getTime());
    expect(driver.capabilities()).toMatchObject({ maxWindow: 64, products: [...PRODUCTS] });
  });

  it('of what is so already is done, and of what was overtaken the card’s revision', async () => {
    const { driver, comesTo } = await enter(make);
    await comesTo(driver.send(entitle('c1', 2, ['ESS'])));
    const same = await comesTo(driver.send(entitle('c2', 2, ['ESS'])));
    expect(same).toMatchObject({ kind: 'done' });
    const cardRev = { epoch: 1, rev: 2 };
    const late = await comesTo(driver.send(entitle('c3', 1, ['MAX'])));
    expect(late).toEqual({ kind: 'rejected', code: 'STALE_REV', class: 'state', cardRev });
    const other = await comesTo(driver.send(entitle('c4', 2, ['MAX'])));
    expect(other).toEqual({ kind: 'rejected', code: 'REV_CONFLICT', class: 'state', cardRev });
  });

  it.each([
    ['UNKNOWN_CARD', 'data', entitle('c1', 1, ['ESS'], '9999')],
    ['UNKNOWN_PRODUCT', 'data', entitle('c1', 1, ['NONE'])],
    [
      'TEXT_TOO_LONG',
      'data',
      { ...message('c1'), args: { text: 'x'.repeat(500), durationSeconds: 20 } },
    ],
    ['EXPIRED', 'state', { ...message('c1'), notAfter: new Date(NOW.getTime() + 4_000) }],
  ])('of what cannot be is a refusal by its class: %s', async (code, itsClass, command) => {
    // An ahead clock makes the last one late there, and not here.
    const { driver, comesTo, system } = await enter(make, { aheadMs: 4_000 });
    const outcome = await comesTo(driver.send(command as Command));
    expect(outcome).toEqual({ kind: 'rejected', code, class: itsClass });
    expect(system.hasTaken('c1')).toBe(false);
  });

  it('is unknown when the deadline comes first, and whether it was sent is said', async () => {
    const { driver, comesTo, isUp, isTaken, time, line, system } = await enter(make, {
      latencyMs: 3_600_000,
    });
    await isUp();
    const notAfter = new Date(time.clock.now().getTime() + 20_000);
    const sent = driver.send({ ...message('c1'), notAfter });
    await isTaken('c1');
    line.mute('answers');
    time.advance(20_500);
    expect(await comesTo(sent)).toEqual({ kind: 'unknown', sent: true });
    time.advance(30_000);
    expect(driver.state()).toBe('connecting');
    const unsent = driver.send({
      ...message('c2'),
      notAfter: new Date(time.clock.now().getTime() + 1),
    });
    expect(await comesTo(unsent)).toEqual({ kind: 'unknown', sent: false });
    expect(system.hasTaken('c2')).toBe(false);
  });
}

function describeOnce(make: MakeWorld): void {
  it('when it is given again, under way or after its outcome', async () => {
    const { driver, comesTo, system } = await enter(make);
    const both = [driver.send(message('c1')), driver.send(message('c1'))];
    for (const outcome of both) expect(await comesTo(outcome)).toMatchObject({ kind: 'done' });
    expect(await comesTo(driver.send(message('c1')))).toMatchObject({ kind: 'done', dup: true });
    expect(await system.executions('c1')).toBe(1);
  });

  it('when the line fails before it was taken', async () => {
    const { driver, comesTo, isUp, line, system } = await enter(make);
    await isUp();
    line.mute('commands');
    const outcome = driver.send(message('c1'));
    await new Promise((later) => setImmediate(later));
    expect(system.hasTaken('c1')).toBe(false);
    line.cut();
    expect(await comesTo(outcome)).toMatchObject({ kind: 'done' });
    expect(await system.executions('c1')).toBe(1);
  });

  it('when the line fails after it was taken, before that is heard', async () => {
    const { driver, comesTo, isUp, isTaken, line, system } = await enter(make);
    await isUp();
    line.mute('answers');
    const outcome = driver.send(message('c1'));
    await isTaken('c1');
    line.cut();
    expect(await comesTo(outcome)).toMatchObject({ kind: 'done' });
    expect(await system.executions('c1')).toBe(1);
  });

  it('when the line fails after its acceptance, before its result is heard', async () => {
    const { driver, comesTo, isUp, line, system, time } = await enter(make, { latencyMs: 200 });
    await isUp();
    let accepted = 0;
    const onAccepted = () => {
      accepted += 1;
    };
    const outcome = driver.send({ ...message('c1'), onAccepted });
    await pass(time, () => accepted === 1);
    line.mute('answers');
    await pass(time, () => system.waiting() === 0);
    line.cut();
    expect(await comesTo(outcome)).toMatchObject({ kind: 'done', dup: true });
    expect(await system.executions('c1')).toBe(1);
    expect(accepted).toBe(1);
  });

  it('when the system restarts with it on its disk', async () => {
    const { driver, comesTo, isUp, isTaken, system } = await enter(make, { latencyMs: 1_000 });
    await isUp();
    const outcome = driver.send(message('c1'));
    await isTaken('c1');
    await system.restart();
    expect(await comesTo(outcome)).toMatchObject({ kind: 'done' });
    expect(await system.executions('c1')).toBe(1);
  });
}

function describeLimits(make: MakeWorld): void {
  it('of the window are kept when it is full, and when it shrinks; nothing is lost', async () => {
    const { driver, comesTo, isUp, system, time } = await enter(make, { window: 4, latencyMs: 20 });
    await isUp();
    let most = 0;
    const all = Array.from({ length: 20 }, (_, n) => driver.send(message(`c${n}`)));
    const ten = Promise.all(all.slice(0, 10)).then(() => true);
    let isHalf = false;
    void ten.then(() => {
      isHalf = true;
    });
    await pass(time, () => {
      most = Math.max(most, system.waiting());
      return isHalf;
    });
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
    system.narrow(1);
    for (const outcome of all) expect(await comesTo(outcome)).toMatchObject({ kind: 'done' });
  });

  it('of a busy system refuse a command, which may be repeated and is done then', async () => {
    const { driver, comesTo, isUp, system } = await enter(make);
    await isUp();
    system.setBusy(true);
    expect(await comesTo(driver.send(message('c1')))).toMatchObject({ kind: 'retry' });
    expect(system.hasTaken('c1')).toBe(false);
    system.setBusy(false);
    expect(await comesTo(driver.send(message('c1')))).toMatchObject({ kind: 'done' });
    expect(await system.executions('c1')).toBe(1);
  });

  it('let sales go before everything else', async () => {
    const { driver, comesTo, isUp, system } = await enter(make, { window: 1, latencyMs: 50 });
    await isUp();
    const first = driver.send(message('c0'));
    const bulk = ['c1', 'c2', 'c3'].map((id) => driver.send({ ...message(id), prio: 'BULK' }));
    const sale = driver.send(entitle('sale', 1, ['ESS']));
    await comesTo(first);
    await comesTo(sale);
    expect(await system.executions('c2')).toBe(0);
    for (const outcome of bulk) expect(await comesTo(outcome)).toMatchObject({ kind: 'done' });
  });

  it('of a deadline are kept there as well: what comes too late is not executed', async () => {
    const { driver, comesTo, isUp, system, time } = await enter(make, { latencyMs: 2_000 });
    await isUp();
    const notAfter = new Date(time.clock.now().getTime() + 1_000);
    const outcome = driver.send({ ...message('c1'), notAfter });
    expect((await comesTo(outcome)).kind).not.toBe('done');
    await pass(time, () => system.waiting() === 0);
    expect(await system.executions('c1')).toBe(0);
  });
}

function describeQuestions(make: MakeWorld): void {
  it('about a card, all cards page by page, and what changed since', async () => {
    const { driver, comesTo } = await enter(make);
    for (const card of CARDS) await comesTo(driver.send(entitle(`c${card}`, 1, ['ESS'], card)));
    const about = await driver.ask({ op: 'QUERY_CARD', args: { card: '4023' } });
    const known = { card: '4023', epoch: 1, rev: 1, set: [{ product: 'ESS' }] };
    expect(about).toMatchObject({ op: 'QUERY_CARD', card: known });
    const nobody = await driver.ask({ op: 'QUERY_CARD', args: { card: '9999' } });
    expect(nobody).toEqual({ op: 'QUERY_CARD', card: null });

    const inTwos: Pick<CasDriver, 'ask'> = {
      ask: (query) =>
        driver.ask(query.op === 'DUMP' ? { ...query, args: { ...query.args, limit: 2 } } : query),
    };
    const pages: string[][] = [];
    const onPage = (page: readonly { card: string }[]) =>
      void pages.push(page.map(({ card }) => card));
    const dump = await dumpAll(inTwos, {}, onPage);
    expect(dump).toMatchObject({ ok: true, cards: CARDS.length });
    expect(pages).toEqual([['4021', '4022'], ['4023', '4024'], ['4025']]);
    await comesTo(driver.send(entitle('c5', 2, ['MAX'], '4022')));
    pages.length = 0;
    const since = dump.ok ? dump.change : 0;
    expect(await dumpAll(driver, { since }, onPage)).toMatchObject({ ok: true, cards: 1 });
    expect(pages).toEqual([['4022']]);
  });

  it('about the log, whose chain and signature hold, also from where one was', async () => {
    const { driver, comesTo, system } = await enter(make);
    await comesTo(driver.send(entitle('c1', 2, ['ESS'])));
    await comesTo(driver.send(entitle('c2', 1, ['MAX'])));
    const publicKey = system.logKey();
    const lines: unknown[] = [];
    const read = await readLog(driver, { mark: LOG_BEGINNING, publicKey }, (some) => {
      lines.push(...some.map(({ cmdId, code }) => [cmdId, code]));
    });
    expect(lines).toEqual([
      ['c1', 'DONE'],
      ['c2', 'STALE_REV'],
    ]);
    if (!read.ok) throw new Error(read.error);
    await comesTo(driver.send(message('c3')));
    const more = await readLog(driver, { mark: read.mark, publicKey }, () => undefined);
    expect(more).toMatchObject({ ok: true, lines: 1, mark: { n: 3 } });
  });

  it('without a session, or whose session ends, are answered AWAY', async () => {
    const { driver, isUp, line, time } = await enter(make);
    const ask = () => driver.ask({ op: 'QUERY_CARD', args: { card: '4021' } });
    const away = { op: 'REFUSED', code: 'AWAY' };
    expect(await ask()).toEqual(away);
    await isUp();
    line.mute('answers');
    const lost = ask();
    line.cut();
    expect(await lost).toEqual(away);
    await isUp();
    await pass(time, () => driver.state() === 'connected');
    expect(await ask()).toEqual({ op: 'QUERY_CARD', card: null });
  });
}

function describeSessions(make: MakeWorld): void {
  it('that nobody answers any more is dead after 45 s, and the next one goes on', async () => {
    const { driver, comesTo, isUp, line, system, time } = await enter(make);
    await isUp();
    let connections = 0;
    driver.onConnected(() => {
      connections += 1;
    });
    line.mute('answers');
    line.mute('commands');
    const outcome = driver.send(message('c1'));
    await passSeconds(time, 45);
    expect(driver.state()).toBe('connecting');
    line.cut();
    expect(await comesTo(outcome)).toMatchObject({ kind: 'done' });
    expect(await system.executions('c1')).toBe(1);
    expect(connections).toBe(1);
  });

  it('is not begun with a system whose clock is over a minute away', async () => {
    const { driver, time, system, comesTo } = await enter(make, { aheadMs: 61_000 });
    const notAfter = new Date(NOW.getTime() + 3_000);
    const outcome = driver.send({ ...message('c1'), notAfter });
    expect(await comesTo(outcome)).toEqual({ kind: 'unknown', sent: false });
    expect(driver.state()).toBe('connecting');
    expect(time.clock.now().getTime()).toBeGreaterThanOrEqual(notAfter.getTime());
    expect(system.hasTaken('c1')).toBe(false);
  });

  it('that is closed resolves all that is pending, and takes nothing more', async () => {
    const { driver, isUp, isTaken } = await enter(make, { window: 1, latencyMs: 60_000 });
    await isUp();
    const underWay = driver.send(message('c1'));
    const waiting = driver.send(message('c2'));
    await isTaken('c1');
    await driver.close();
    expect(driver.state()).toBe('closed');
    expect(await underWay).toEqual({ kind: 'unknown', sent: true });
    expect(await waiting).toEqual({ kind: 'unknown', sent: false });
    expect(await driver.send(message('c3'))).toEqual({ kind: 'unknown', sent: false });
    const nobody = await driver.ask({ op: 'QUERY_CARD', args: { card: '4021' } });
    expect(nobody).toEqual({ op: 'REFUSED', code: 'AWAY' });
  });
}

function describeProcesses(make: MakeWorld): void {
  it('of one name: the session is the newer’s, and the older gives way', async () => {
    const { driver, open, comesTo, isUp, time } = await enter(make);
    await isUp();
    const newer = open();
    expect(await comesTo(newer.send(message('c1')))).toMatchObject({ kind: 'done' });
    // Over HTTP the older hears of it when it asks next.
    await passSeconds(time, 20, () => driver.state() === 'connecting');
    await passSeconds(time, 10);
    expect(driver.state()).toBe('connecting');
    expect(await comesTo(newer.send(message('c2')))).toMatchObject({ kind: 'done' });
    await newer.close();
    expect(await comesTo(driver.send(message('c3')))).toMatchObject({ kind: 'done' });
  });

  it('of a restored database make those before it stale', async () => {
    const { open, driver, comesTo } = await enter(make);
    await comesTo(driver.send(entitle('c1', 57, ['MAX'])));
    await driver.close();
    const restored = open({ epoch: 2 });
    const won = await comesTo(restored.send(entitle('c2', 3, ['ESS'])));
    expect(won).toMatchObject({ kind: 'done', cardRev: { epoch: 2, rev: 3 } });
    await restored.close();
    const outdated = open({ epoch: 1 });
    const lost = await comesTo(outdated.send(entitle('c3', 58, ['MAX'])));
    expect(lost).toMatchObject({ kind: 'rejected', code: 'STALE_REV' });
  });
}
