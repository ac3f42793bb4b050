import { openCarriage } from '../../src/entitlement/cas/carriage.ts';
import { declareSystems, noteCapabilities } from '../../src/entitlement/cas/store.ts';
import { type CasSystem, ONLY_SYSTEM } from '../../src/entitlement/cas/systems.ts';
import {
  type ComparisonDeps,
  createComparison,
} from '../../src/entitlement/dispatch/comparison.ts';
import {
  createLog,
  dispatcherOf,
  type TestLink,
} from '../../src/entitlement/dispatch/dispatch-harness.ts';
import type { DispatcherDeps } from '../../src/entitlement/dispatch/service.ts';
import { tryLateCards } from '../../src/entitlement/dispatch/store.ts';
import { createOutlet } from '../../src/entitlement/sending/outlet.ts';
import type { Command, CommandOutcome } from '../../src/entitlement/vip-control/command.ts';
import { type CardRecord, dumpDigest } from '../../src/entitlement/vip-control/queries.ts';
import { until } from '../../src/entitlement/vip-control/testing.ts';
import {
  closeWorkItem,
  findWorkItems,
  workItemById,
} from '../../src/entitlement/work-items/store.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { createWorld, type World } from './world.ts';

/** Goal: each card is told to its own system, once, in its words, and nothing is forgotten. */
const START = '2026-11-23T11:02:00Z';
const MONTH = 65_000n;
const DONE: CommandOutcome = { kind: 'done', code: 'DONE', dup: false };
const BUSY: CommandOutcome = { kind: 'retry', code: 'BUSY' };
const UNKNOWN_CARD: CommandOutcome = { kind: 'rejected', code: 'UNKNOWN_CARD', class: 'data' };

const address = { transport: 'tcp', host: '127.0.0.1', port: 7700 } as const;
const main: CasSystem = { ...ONLY_SYSTEM, address };
const satellite: CasSystem = {
  ...{ ...main, id: 'satellite', name: 'Satellite' },
  ...{ sites: ['ABJ'], cardPrefixes: ['409'], products: new Map([['ESS', '0101']]) },
  hasEvents: false,
};

/** A system that answers as it is told; by default it does everything at once. */
function system(
  answer: (command: Command) => CommandOutcome | Promise<CommandOutcome> = () => DONE,
) {
  const sent: Command[] = [];
  const link: TestLink = {
    state: () => 'connected',
    capabilities: () => ({ osdMax: 160, maxWindow: 64, supports: ['DUMP'] }),
    async send(command) {
      sent.push(command);
      return answer(command);
    },
  };
  return { link, sent };
}

let world: World;
beforeAll(async () => {
  world = await createWorld(START);
});
afterEach(async () => {
  await world.pool.query(
    `UPDATE card_rights SET next_at = NULL, lease_until = NULL, lease_by = NULL, failure = NULL,
            acked_rev = desired_rev, reair_at = NULL`,
  );
  await declareSystems(world.pool, [main]);
  await world.check();
});
afterAll(() => world.close());

const later = (seconds: number) =>
  world.moveTo(new Date(world.now().getTime() + seconds * 1000).toISOString());
const dispatcher = (link: TestLink, more: Partial<DispatcherDeps> = {}) =>
  dispatcherOf({ pool: world.pool, settlement: world.settlement, now: world.now, link }, more);
const paid = async () => {
  const { number } = await world.customer();
  await world.pay({ amount: MONTH, accountRef: number });
  return number;
};
const state = async (number: string) => {
  const [row] = await world.rows(
    `SELECT r.* FROM card_rights r JOIN card c ON c.id = r.card_id WHERE c.number = $1`,
    [number],
  );
  return row;
};

describe('a card', () => {
  const casOf = async (number: string) => {
    const [row] = await world.rows('SELECT cas_id FROM card WHERE number = $1', [number]);
    return row?.cas_id;
  };

  it('belongs to the system of its site, else to the one that serves the rest', async () => {
    await declareSystems(world.pool, [main, satellite]);
    expect(await casOf((await world.customer()).number)).toBe('vip-control');
    expect(await casOf((await world.customer({ siteCode: 'ABJ' })).number)).toBe('satellite');
  });

  it('belongs before that to the system of the longest beginning of its number', async () => {
    const narrow = { ...satellite, id: 'narrow', sites: [], cardPrefixes: ['40210'] };
    const wide = { ...satellite, id: 'wide', sites: [], cardPrefixes: ['402'] };
    await declareSystems(world.pool, [main, wide, narrow]);
    expect(await casOf((await world.customer()).number)).toBe('narrow');
    await declareSystems(world.pool, [main, wide]);
    expect(await casOf((await world.customer({ siteCode: 'ABJ' })).number)).toBe('wide');
  });

  it('is sent to its own system alone, under the names that system has for products', async () => {
    await declareSystems(world.pool, [main, { ...satellite, cardPrefixes: ['402'] }]);
    const far = await paid();
    await declareSystems(world.pool, [main]);
    const near = await paid();
    const [ours, theirs] = [system(), system()];
    const outlet = createOutlet({
      ...{ driver: theirs.link, clock: { now: world.now }, logger: silentLogger },
      ...{ casId: 'satellite', productName: (name) => satellite.products?.get(name) ?? name },
    });
    const cas = { id: 'satellite', epoch: () => 1 };
    await Promise.all([
      dispatcher(ours.link).runUntilIdle(),
      dispatcher(theirs.link, { outlet, cas, processId: 'two' }).runUntilIdle(),
    ]);
    expect(ours.sent).toMatchObject([{ target: { id: near }, set: [{ product: 'ESS' }] }]);
    expect(theirs.sent).toMatchObject([
      { cmdId: `satellite.1.${far}.1`, target: { id: far }, set: [{ product: '0101' }] },
    ]);
  });
});

describe('a claim', () => {
  it('changes nothing once its lease has run out and another process has the card', async () => {
    const number = await paid();
    const paused = Promise.withResolvers<CommandOutcome>();
    const first = system(() => paused.promise);
    const slow = dispatcher(first.link, { processId: 'paused' });
    const run = slow.runUntilIdle();
    await until(() => first.sent.length === 1);
    later(11);
    const second = system(() => ({ ...DONE, firstAirAt: world.now() }));
    await dispatcher(second.link, { processId: 'awake' }).runUntilIdle();
    const before = await state(number);
    expect(before).toMatchObject({ acked_rev: 1, lease_token: '2', next_at: null });

    later(5);
    paused.resolve({ kind: 'rejected', code: 'UNKNOWN_CARD', class: 'data' });
    await run;
    expect(await state(number)).toEqual(before);
    expect(await findWorkItems(world.pool, open())).toEqual([]);
  });

  it('that is late says nothing of a card on air either', async () => {
    const number = await paid();
    const paused = Promise.withResolvers<CommandOutcome>();
    const first = system(() => paused.promise);
    const run = dispatcher(first.link, { processId: 'paused' }).runUntilIdle();
    await until(() => first.sent.length === 1);
    later(11);
    const other = Promise.withResolvers<CommandOutcome>();
    const second = system(() => other.promise);
    const awake = dispatcher(second.link, { processId: 'awake' }).runUntilIdle();
    await until(() => second.sent.length === 1);
    paused.resolve(DONE);
    await run;
    expect(await state(number)).toMatchObject({ acked_rev: 0, lease_by: 'awake' });
    other.resolve(DONE);
    await awake;
    expect(await state(number)).toMatchObject({ acked_rev: 1, lease_by: null });
  });
});

const open = () => ({ sites: null, cardId: null, isOpen: true, after: null, limit: 100 });

describe('work for a person', () => {
  it('is opened once by a refusal, with what to do, and ends when the card is on air', async () => {
    const number = await paid();
    let answer: CommandOutcome = UNKNOWN_CARD;
    const dispatch = dispatcher(system(() => answer).link);
    await dispatch.runUntilIdle();
    later(400);
    await dispatch.runUntilIdle();
    const items = await findWorkItems(world.pool, open());
    expect(items).toMatchObject([{ number, code: 'UNKNOWN_CARD', casId: 'vip-control' }]);
    expect(items[0]?.sentence).toMatch(/does not know this card/);
    answer = DONE;
    later(400);
    await dispatch.runUntilIdle();
    expect(await findWorkItems(world.pool, open())).toEqual([]);
    const [item] = await findWorkItems(world.pool, { ...open(), isOpen: false });
    expect(item).toMatchObject({ closedBy: 'on_air', closedAt: world.now() });
  });

  it('is opened by a day without success; the card is tried once a day from then on', async () => {
    const number = await paid();
    const logger = createLog();
    const onEnded = jest.fn();
    const { link, sent } = system(() => BUSY);
    const dispatch = dispatcher(link, { logger, metrics: { onDispatched() {}, onEnded } });
    for (const seconds of [0, ...Array.from({ length: 17 }, () => 80), 86_300 - 17 * 80]) {
      later(seconds);
      await dispatch.runUntilIdle();
    }
    expect([sent.length, onEnded.mock.calls.length]).toEqual([19, 0]);
    later(101);
    await dispatch.runUntilIdle();
    expect(logger.events).toContain('dispatch.retries_ended');
    expect(await findWorkItems(world.pool, open())).toMatchObject([{ number, code: 'BUSY' }]);
    const dueAt = Date.parse(String((await state(number))?.next_at));
    expect(dueAt - world.now().getTime()).toBe(86_400_000);
    later(86_400);
    await dispatch.runUntilIdle();
    expect([sent.length, onEnded.mock.calls.length]).toEqual([21, 2]);
    // The next log-in of the system is a reason to try at once.
    expect(await tryLateCards(world.pool, ONLY_SYSTEM.id, world.now())).toBe(1);
    expect(await tryLateCards(world.pool, ONLY_SYSTEM.id, world.now())).toBe(0);
    await dispatcher(system().link).runUntilIdle();
    expect(await findWorkItems(world.pool, open())).toEqual([]);
  });
});

describe('work that a person has closed', () => {
  it('has its card tried at once', async () => {
    const number = await paid();
    const dispatch = dispatcher(system(() => UNKNOWN_CARD).link);
    await dispatch.runUntilIdle();
    const [item] = await findWorkItems(world.pool, open());
    expect(item).toMatchObject({ number });
    const id = item?.id ?? 0n;
    const close = { by: 'staff:1', at: world.now() };
    expect(await closeWorkItem(world.pool, id, close)).toBe(true);
    expect(await closeWorkItem(world.pool, id, close)).toBe(false);
    const mended = system();
    await dispatcher(mended.link).runUntilIdle();
    expect(mended.sent).toMatchObject([{ target: { id: number } }]);
    expect(await workItemById(world.pool, id, null)).toMatchObject({ closedBy: 'staff:1' });
  });
});

describe('what machines have raised', () => {
  it('waits for everybody who pays, though there is much of it and it came first', async () => {
    const numbers: string[] = [];
    for (let n = 0; n < 30; n += 1) numbers.push(await paid());
    await world.pool.query('UPDATE card_rights SET is_bulk = true WHERE next_at IS NOT NULL');
    const waiting: PromiseWithResolvers<CommandOutcome>[] = [];
    const { link, sent } = system(() => {
      const answer = Promise.withResolvers<CommandOutcome>();
      waiting.push(answer);
      return answer.promise;
    });
    const run = dispatcher(link).runUntilIdle();
    await until(() => sent.length === 2);
    expect(sent.map(({ prio }) => prio)).toEqual(['BULK', 'BULK']);
    const sale = await paid();
    later(1);
    for (const answer of waiting.splice(0)) answer.resolve(DONE);
    await until(() => sent.length > 2);
    expect(sent[2]).toMatchObject({ prio: 'SALE', target: { id: sale } });
    const answering = async () => {
      for (;;) {
        for (const answer of waiting.splice(0)) answer.resolve(DONE);
        if (sent.length === 31 && waiting.length === 0) return;
        await new Promise((next) => setImmediate(next));
      }
    };
    await Promise.all([run, answering()]);
  });

  it('is a renewal, until its owner pays as well', async () => {
    const { number } = await world.customer({ autoRenew: true });
    await world.pay({ amount: MONTH, accountRef: number });
    await dispatcher(system().link).runUntilIdle();
    const { card_id: cardId } = (await state(number)) ?? {};
    await world.act({
      kind: 'top_up',
      subscriberId: await ownerOf(number),
      amount: 2n * MONTH,
      credit: 'paid',
      expiresAt: null,
      note: 'desk',
    } as never);
    const [{ paid_until: end } = {}] = await world.rows(
      'SELECT paid_until FROM subscription WHERE card_id = $1',
      [cardId],
    );
    world.moveTo(String(end));
    await world.act({
      kind: 'renew',
      cardId: BigInt(String(cardId)),
      channelId: 'scheduler',
      provider: 'vip',
    } as never);
    expect(await state(number)).toMatchObject({ desired_rev: 2, is_bulk: true });
    await world.pay({ amount: MONTH, accountRef: number });
    expect(await state(number)).toMatchObject({ desired_rev: 3, is_bulk: false });
  });
});

const ownerOf = async (number: string): Promise<bigint> => {
  const [row] = await world.rows('SELECT subscriber_id FROM card WHERE number = $1', [number]);
  return BigInt(String(row?.subscriber_id));
};

describe('what a system says that it carries', () => {
  it('is known to every process that sells', async () => {
    const { pool, now } = world;
    const caps = { osdMax: 160, maxWindow: 16, supports: [] };
    await noteCapabilities(pool, 'vip-control', { ...caps, products: ['ESS'] }, now());
    const deps = { pool, logger: silentLogger, systems: [main] };
    const said = await openCarriage(deps);
    said.stop();
    await noteCapabilities(pool, 'vip-control', caps, now());
    const silent = await openCarriage(deps);
    silent.stop();
    const carried = (name: string) => [said, silent].map((it) => it.carries('vip-control', name));
    expect(carried('ESS')).toEqual([true, true]);
    expect(carried('PREM')).toEqual([false, true]);
  });
});

describe('after a log-in', () => {
  /** What a system holds, as a dump says it. */
  const dumping = (cards: readonly Pick<CardRecord, 'card' | 'rev'>[], change: number) => {
    const asked: unknown[] = [];
    const records = cards.map(
      ({ card, rev }, i): CardRecord => ({
        ...{ card, epoch: 1, rev, set: [], state: 'live', stbs: [], region: null, change: i },
        ...{ changedAt: START, writtenBy: 'test', lastAirAt: null },
      }),
    );
    const driver: ComparisonDeps['driver'] = {
      capabilities: system().link.capabilities,
      ask: async (query) => {
        asked.push(query);
        const page = { op: 'DUMP', cards: records, next: null, change } as const;
        return { ...page, digest: dumpDigest(records) } as never;
      },
    };
    return { driver, asked };
  };
  const comparison = (driver: ComparisonDeps['driver']) =>
    createComparison({
      ...{ pool: world.pool, clock: { now: world.now }, logger: silentLogger, driver },
      cas: { id: 'vip-control', epoch: () => 1 },
    });
  const onAir = async () => {
    const number = await paid();
    await dispatcher(system(() => ({ ...DONE, firstAirAt: world.now() })).link).runUntilIdle();
    return number;
  };

  it('what the head-end has lost or holds under another revision is sent again', async () => {
    await world.pool.query('UPDATE card_rights SET acked_rev = 0, desired_rev = 0');
    const [kept, behind, lost] = [await onAir(), await onAir(), await onAir()].sort();
    later(5);
    const held = [
      { card: String(kept), rev: 1 },
      { card: String(behind), rev: 0 },
    ];
    expect(await comparison(dumping(held, 7).driver)()).toBe(2);
    expect(await state(String(kept))).toMatchObject({ desired_rev: 1, next_at: null });
    const healed = system();
    await dispatcher(healed.link).runUntilIdle();
    expect(healed.sent.map(({ target, cmdId }) => [target.id, cmdId]).sort()).toEqual([
      [behind, `vip-control.1.${behind}.2`],
      [lost, `vip-control.1.${lost}.2`],
    ]);
  });

  it('only what has changed since the last time is asked for, unless that is lost', async () => {
    await world.pool.query('UPDATE card_rights SET acked_rev = 0, desired_rev = 0');
    const number = await onAir();
    later(5);
    const held = [{ card: number, rev: 1 }];
    expect(await comparison(dumping(held, 9).driver)()).toBe(0);
    later(5);
    const quiet = dumping([], 9);
    expect(await comparison(quiet.driver)()).toBe(0);
    expect(quiet.asked).toMatchObject([{ args: { since: 9 } }]);
    later(5);
    const forgetful = dumping([], 3);
    expect(await comparison(forgetful.driver)()).toBe(1);
    expect(forgetful.asked).toMatchObject([{ args: { since: 9 } }, { args: { since: 0 } }]);
  });

  it('a line that comes and goes asks once a minute', async () => {
    const { driver, asked } = dumping([], 9);
    const compare = comparison(driver);
    await compare();
    const first = asked.length;
    later(30);
    await compare();
    expect(asked).toHaveLength(first);
    later(31);
    await compare();
    expect(asked.length).toBeGreaterThan(first);
  });
});
