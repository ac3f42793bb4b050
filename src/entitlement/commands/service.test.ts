import type { Pool } from 'pg';
import { createPool, transaction } from '../../platform/database/pool.ts';
import { silentLogger } from '../../platform/log.ts';
import { createTestDatabase, type TestDatabase } from '../../platform/test-database.ts';
import { outletOf, type TestLink } from '../dispatch/dispatch-harness.ts';
import type { Command, CommandOutcome } from '../vip-control/command.ts';
import { createFakeRandom, until } from '../vip-control/testing.ts';
import { type CasCommands, createCasCommands } from './service.ts';
import type { NewCasCommand } from './store.ts';

const START = new Date('2026-12-01T08:00:00Z');
const DONE: CommandOutcome = { kind: 'done', code: 'DONE', dup: false };
const REFUSED: CommandOutcome = { kind: 'rejected', code: 'UNKNOWN_STB', class: 'data' };

const card = (number: string, more: Partial<NewCasCommand> = {}): NewCasCommand =>
  ({
    op: 'CARD_REGISTER',
    args: { batch: 'B1' },
    casId: 'north',
    target: { kind: 'card', id: number },
    prio: 'BULK',
    actor: 'staff:1',
    reason: 'received',
    createdAt: START,
    notAfter: new Date('2026-12-02T08:00:00Z'),
    ...more,
  }) as NewCasCommand;

describe('the queue of commands', () => {
  let database: TestDatabase;
  let pool: Pool;
  let commands: CasCommands;
  let now: Date;
  let sent: Command[];
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool({ url: database.appUrl, max: 4, name: 'commands', logger: silentLogger });
    commands = createCasCommands({ pool, clock: { now: () => now } });
  });
  afterAll(async () => {
    await pool.end();
    await database.drop();
  });
  beforeEach(() => {
    now = START;
    sent = [];
  });
  afterEach(() =>
    pool.query(
      `UPDATE cas_command SET state = 'withdrawn', done_at = now(), next_at = NULL
        WHERE state = 'waiting'`,
    ),
  );

  const order = (...list: NewCasCommand[]) => transaction(pool, (tx) => commands.enqueue(tx, list));
  const answering = (...answers: (CommandOutcome | Promise<CommandOutcome>)[]) => ({
    state: () => 'connected' as const,
    capabilities: () => ({ osdMax: 160, maxWindow: 256, supports: [] }),
    async send(command: Command) {
      sent.push(command);
      return (answers.length > 1 ? answers.shift() : answers[0]) ?? DONE;
    },
  });
  const sender = (link: TestLink, casId = 'north') =>
    commands.sender({
      casId,
      // What the pace of an outlet would hold back is not the matter here.
      outlet: { ...outletOf(link, () => now), room: () => 100 },
      clock: { now: () => now },
      random: createFakeRandom(),
      logger: silentLogger,
    });
  const later = (seconds: number) => {
    now = new Date(now.getTime() + seconds * 1000);
  };
  const rowOf = async (id: bigint | undefined) =>
    (await pool.query('SELECT * FROM cas_command WHERE id = $1', [id])).rows[0];
  const targets = () => sent.map(({ target }) => target.id);

  it('sends a command with all that was ordered, and keeps what became of it', async () => {
    const swap = card('40210044171', {
      op: 'SWAP',
      args: { newCard: '40210044189', newRev: 4, set: [] },
      rev: 7,
      prio: 'SALE',
      approvedBy: 'staff:2',
    } as Partial<NewCasCommand>);
    const [id] = await order(swap);
    const firstAirAt = new Date('2026-12-01T08:00:02Z');
    await sender(answering({ ...DONE, firstAirAt })).runUntilIdle();
    expect(sent).toMatchObject([
      {
        op: 'SWAP',
        rev: 7,
        cmdId: `cmd.${id}`,
        target: { kind: 'card', id: '40210044171' },
        args: { newCard: '40210044189', newRev: 4, set: [] },
        prio: 'SALE',
        notAfter: swap.notAfter,
        actor: 'staff:1',
        reason: 'received',
        approvedBy: 'staff:2',
      },
    ]);
    expect(await rowOf(id)).toMatchObject({
      state: 'done',
      code: 'DONE',
      first_air_at: firstAirAt,
      done_at: now,
      next_at: null,
      lease_until: null,
      subjects: ['card:40210044171', 'card:40210044189'],
    });
  });

  it('is not there when the transaction that ordered it was not', async () => {
    await expect(
      transaction(pool, async (tx) => {
        await commands.enqueue(tx, [card('1')]);
        throw new Error('no');
      }),
    ).rejects.toThrow('no');
    await sender(answering(DONE)).runUntilIdle();
    expect(sent).toEqual([]);
  });

  it('sends what is about one device one at a time, in the order it was ordered', async () => {
    const answer = Promise.withResolvers<CommandOutcome>();
    await order(
      card('1'),
      card('2'),
      card('D7', { target: { kind: 'stb', id: 'D7' } }),
      card('1', { op: 'PAIR', args: { stb: 'D7' }, prio: 'SALE' } as Partial<NewCasCommand>),
      card('9', { op: 'UNPAIR', args: { stb: 'D7' }, prio: 'SALE' } as Partial<NewCasCommand>),
    );
    const first = sender(answering(answer.promise, DONE));
    const running = first.runUntilIdle();
    await until(() => sent.length === 3);
    await sender(answering(DONE)).runUntilIdle();
    expect(sent.map(({ op, target }) => `${op} ${target.id}`)).toEqual([
      'CARD_REGISTER 1',
      'CARD_REGISTER 2',
      'CARD_REGISTER D7',
    ]);
    answer.resolve(DONE);
    await running;
    expect(sent.slice(3).map(({ op, target }) => `${op} ${target.id}`)).toEqual([
      'PAIR 1',
      'UNPAIR 9',
    ]);
  });

  it('sends sales before all that waited longer', async () => {
    await order(card('1'), card('2', { prio: 'SALE' }), card('3', { prio: 'MESSAGE' }));
    const one = commands.sender({
      casId: 'north',
      outlet: outletOf(answering(DONE), () => now),
      clock: { now: () => now },
      random: createFakeRandom(),
      logger: silentLogger,
      inFlightMax: 1,
    });
    await one.runUntilIdle();
    expect(targets()).toEqual(['2', '3', '1']);
  });

  it('sends to its own head-end alone', async () => {
    await order(card('1'), card('2', { casId: 'south' }));
    await sender(answering(DONE), 'south').runUntilIdle();
    expect(targets()).toEqual(['2']);
  });

  it('sends again under the same name after a doubt, and what follows waits', async () => {
    const [id] = await order(card('1'), card('1', { op: 'REGION', args: { area: 'N' } } as never));
    const link = answering({ kind: 'unknown', sent: true }, DONE);
    await sender(link).runUntilIdle();
    expect(await rowOf(id)).toMatchObject({ state: 'waiting', code: 'NO_ANSWER', attempts: 1 });
    later(1);
    await sender(link).runUntilIdle();
    expect(sent.map(({ op }) => op)).toEqual(['CARD_REGISTER', 'CARD_REGISTER', 'REGION']);
    expect(sent[1]?.cmdId).toBe(sent[0]?.cmdId);
  });

  it('keeps a refusal with its code, and lets what follows go', async () => {
    const [id] = await order(card('1'), card('1', { op: 'REGION', args: { area: 'N' } } as never));
    await sender(answering(REFUSED, DONE)).runUntilIdle();
    expect(await rowOf(id)).toMatchObject({ state: 'rejected', code: 'UNKNOWN_STB', done_at: now });
    expect(sent).toHaveLength(2);
  });

  it('never sends what is too late', async () => {
    const [id] = await order(card('1'));
    later(86_400);
    await sender(answering(DONE)).runUntilIdle();
    expect(sent).toEqual([]);
    expect(await rowOf(id)).toMatchObject({ state: 'expired', done_at: now });
  });

  it('withdraws what waits, and says so when it was done all the same', async () => {
    const answer = Promise.withResolvers<CommandOutcome>();
    const [id, other] = await order(card('1', { campaignId: 5n }), card('1', { campaignId: 6n }));
    const running = sender(answering(answer.promise, DONE)).runUntilIdle();
    await until(() => sent.length === 1);
    const withdrawn = await transaction(pool, (tx) => commands.withdraw(tx, { campaignId: 5n }));
    expect(withdrawn).toBe(1);
    expect(await rowOf(id)).toMatchObject({ state: 'withdrawn', done_at: now });
    answer.resolve(DONE);
    await running;
    expect(await rowOf(id)).toMatchObject({ state: 'done' });
    await transaction(pool, (tx) => commands.withdraw(tx, { ids: [other ?? 0n] }));
    expect(await rowOf(other)).toMatchObject({ state: 'done' });
  });

  it('is sent by another process when one died, and the first answer still counts', async () => {
    const answer = Promise.withResolvers<CommandOutcome>();
    const [id] = await order(card('1'));
    const running = sender(answering(answer.promise)).runUntilIdle();
    await until(() => sent.length === 1);
    const other = sender(answering({ kind: 'retry', code: 'BUSY' }));
    await other.runUntilIdle();
    expect(sent).toHaveLength(1);
    later(20);
    await other.runUntilIdle();
    expect(sent).toHaveLength(2);
    answer.resolve(DONE);
    await running;
    expect(await rowOf(id)).toMatchObject({ state: 'done', attempts: 2 });
  });

  it('can neither be changed nor taken back to life', async () => {
    const [id] = await order(card('1'));
    const change = (set: string) => pool.query(`UPDATE cas_command SET ${set} WHERE id = $1`, [id]);
    await expect(change(`target = '2'`)).rejects.toThrow('was ordered');
    await sender(answering(REFUSED)).runUntilIdle();
    await expect(change(`state = 'waiting', next_at = now(), done_at = NULL`)).rejects.toThrow(
      'has ended',
    );
  });
});
