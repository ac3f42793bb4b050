import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import type { Pool, PoolClient } from 'pg';
import { createWorld, openDoor, SOUND, type World } from '../../../test/stories/world.ts';
import { createPool } from '../../platform/database/pool.ts';
import { silentLogger } from '../../platform/log.ts';
import type { Outcome, Payment } from './commands.ts';
import { QUEUE_COMMANDS_MAX } from './service.ts';

/** Goal: what the door promises when databases, connections and other processes misbehave. */

let world: World;
beforeAll(async () => {
  world = await createWorld('2026-11-23T11:02:00Z');
});
afterAll(() => world.close());
afterEach(async () => {
  expect(await world.check()).toMatchObject(SOUND);
});

const otherDoor = (pool: Pool = world.pool) => openDoor(world, pool);

let serial = 0;
function payment(accountRef: string, change: Partial<Payment> = {}): Payment {
  serial += 1;
  return {
    kind: 'payment',
    provider: 'mpesa',
    receipt: `S${serial}`,
    channelId: 'ke-paybill',
    siteId: world.site('NBO').id,
    at: world.now(),
    raw: Buffer.from('{}'),
    // Buys less than a day, so that what is paid is the balance.
    amount: 100n,
    asset: 'KES',
    accountRef,
    payerMsisdn: null,
    payerHash: null,
    orderId: null,
    ...change,
  };
}

async function creditOf(number: string): Promise<bigint> {
  const { rows } = await world.pool.query(
    `SELECT b.amount FROM card c JOIN subscriber s ON s.id = c.subscriber_id
       JOIN balance b ON b.account_id = s.wallet_id WHERE c.number = $1`,
    [number],
  );
  return rows[0].amount;
}

const countOf = (outcomes: readonly Outcome[], first: boolean): number =>
  outcomes.filter((outcome) => outcome.kind === 'done' && outcome.first === first).length;

describe('closing', () => {
  it('answers everything that is in hand, and nothing after', async () => {
    const { number } = await world.customer();
    const door = await otherDoor();
    const asked = Array.from({ length: 150 }, () => door.settle(payment(number, { amount: 1n })));
    const closing = door.close();
    const late = await door.settle(payment(number));
    expect(late).toEqual({ kind: 'unavailable' });
    await closing;
    expect(door.waiting()).toBe(0);
    expect(countOf(await Promise.all(asked), true)).toBe(150);
    expect(await creditOf(number)).toBe(150n);
    await door.close();
  });
});

describe('the queue', () => {
  it('is bounded: what does not fit is told to come later, at once', async () => {
    const stuck = { connect: () => new Promise<never>(() => undefined) };
    const door = await otherDoor(stuck as unknown as Pool);
    for (let i = 0; i < QUEUE_COMMANDS_MAX + 64; i++) void door.settle(payment(''));
    expect(door.waiting()).toBe(QUEUE_COMMANDS_MAX);
    expect(await door.settle(payment(''))).toEqual({ kind: 'unavailable' });
  });
});

/** A line to Postgres that can be cut. */
async function openLine(to: { host: string; port: number }) {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    const behind = dial(to.port, to.host);
    for (const end of [socket, behind]) {
      sockets.add(end);
      end.on('error', () => undefined).on('close', () => sockets.delete(end));
    }
    socket.pipe(behind).pipe(socket);
  });
  const listen = (port: number) =>
    new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  await listen(0);
  const { port } = server.address() as { port: number };
  return {
    port,
    cut: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
    mend: () => listen(port),
  };
}

describe('a database that is away', () => {
  it('makes payments unavailable, and nothing is lost or doubled when it is back', async () => {
    const { number } = await world.customer();
    const url = new URL(appUrl());
    const line = await openLine({ host: url.hostname, port: Number(url.port) });
    url.port = String(line.port);
    const pool = createPool({ url: url.href, max: 2, name: 'line', logger: silentLogger });
    const door = await otherDoor(pool);
    const paid = payment(number);
    expect((await door.settle(payment(number))).kind).toBe('done');
    await line.cut();
    const away = await Promise.all([door.settle(paid), door.settle(payment(number))]);
    expect(away).toEqual([{ kind: 'unavailable' }, { kind: 'unavailable' }]);
    await line.mend();
    expect(await door.settle(paid)).toMatchObject({ kind: 'done', first: true });
    expect(await creditOf(number)).toBe(200n);
    await door.close();
    await pool.end();
    await line.cut();
  });

  it('that ends a connection in the middle of a batch does so unnoticed', async () => {
    const { number } = await world.customer();
    const pool = createPool({ url: appUrl(), max: 2, name: 'victim', logger: silentLogger });
    const door = await otherDoor(pool);
    const holder = await world.pool.connect();
    try {
      await holder.query('BEGIN');
      await holder.query('SELECT 1 FROM balance FOR UPDATE');
      const answer = door.settle(payment(number));
      const ended = () =>
        world.pool.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE application_name = 'victim' AND wait_event_type = 'Lock'`,
        );
      while ((await ended()).rowCount === 0);
      await holder.query('ROLLBACK');
      expect(await answer).toMatchObject({ kind: 'done', first: true });
    } finally {
      holder.release();
    }
    expect(await creditOf(number)).toBe(100n);
    await door.close();
    await pool.end();
  });
});

/** Calls `instead` once, in place of the next COMMIT; it may let it through. */
function poolThatLosesACommit(instead: (commit: () => Promise<unknown>) => Promise<never>) {
  let left = 1;
  const wrap = (client: PoolClient): PoolClient =>
    new Proxy(client, {
      get(target, name) {
        const member = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        if (name !== 'query') return member.bind(target);
        return (first: unknown, ...rest: unknown[]) => {
          const run = () => member.call(target, first, ...rest);
          if (first !== 'COMMIT' || left === 0) return run();
          left -= 1;
          return instead(run);
        };
      },
    });
  const connect = async () => wrap(await world.pool.connect());
  const query = world.pool.query.bind(world.pool);
  return { connect, query } as unknown as Pool;
}

const reset = () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });

describe('a COMMIT whose answer is lost', () => {
  it('after it took effect is found again, and answered as done', async () => {
    const { number } = await world.customer();
    const pool = poolThatLosesACommit(async (commit) => {
      await commit();
      throw reset();
    });
    const door = await otherDoor(pool);
    const outcome = await door.settle(payment(number));
    expect(outcome).toMatchObject({ kind: 'done', settled: { state: 'settled', credit: '100' } });
    expect(await creditOf(number)).toBe(100n);
    await door.close();
  });

  it('before it took effect is settled again, once', async () => {
    const { number } = await world.customer();
    const pool = poolThatLosesACommit(() => Promise.reject(reset()));
    const door = await otherDoor(pool);
    expect(await door.settle(payment(number))).toMatchObject({ kind: 'done', first: true });
    expect(await creditOf(number)).toBe(100n);
    await door.close();
  });
});

describe('two processes', () => {
  it('that get the same receipts at once credit each of them once', async () => {
    const { number } = await world.customer();
    const doors = [await otherDoor(), await otherDoor()];
    const receipts = Array.from({ length: 60 }, () => payment(number, { amount: 1n }));
    const outcomes = await Promise.all(
      doors.flatMap((door, i) =>
        (i === 0 ? receipts : [...receipts].reverse()).map((one) => door.settle(one)),
      ),
    );
    expect([countOf(outcomes, true), countOf(outcomes, false)]).toEqual([60, 60]);
    expect(await creditOf(number)).toBe(60n);
    await Promise.all(doors.map((door) => door.close()));
  });

  it('under load on the same cards in any order never stand in each other’s way', async () => {
    const customers = await Promise.all(Array.from({ length: 10 }, () => world.customer()));
    const doors = [await otherDoor(), await otherDoor()];
    const numbers = customers.map((customer) => customer.number);
    const outcomes = await Promise.all(
      Array.from({ length: 800 }, (_, i) => {
        const number = numbers[(i * 7919 + (i >> 3)) % 10] ?? '';
        return doors[i % 2]?.settle(payment(number, { amount: 3n })) as Promise<Outcome>;
      }),
    );
    expect(countOf(outcomes, true)).toBe(800);
    const credits = await Promise.all(numbers.map(creditOf));
    expect(credits.reduce((sum, credit) => sum + credit, 0n)).toBe(2_400n);
    await Promise.all(doors.map((door) => door.close()));
  });
});

describe('a key that comes again', () => {
  const convert = { kind: 'convert_tvu', provider: 'vip', receipt: 'CONVERT-1' } as const;

  it('with another content is told so, for commands of every kind', async () => {
    const { msisdn, number } = await world.customer();
    await world.act({ kind: 'tvu_notice', msisdn, units: 20n });
    const first = await world.act({ ...convert, msisdn, units: 10n });
    expect(first).toMatchObject({ kind: 'done', first: true, settled: { credit: '1000' } });
    expect(await world.act({ ...convert, msisdn, units: 10n })).toEqual({ ...first, first: false });
    expect((await world.act({ ...convert, msisdn, units: 11n })).kind).toBe('receipt_differs');
    expect(await creditOf(number)).toBe(1_000n);
  });

  it('in one batch with another content is told so, and counts once', async () => {
    const { number } = await world.customer();
    const [one, other] = [payment(number), payment(number)];
    const outcomes = await Promise.all([
      world.settlement.settle(one),
      world.settlement.settle({ ...other, receipt: one.receipt, amount: 99n }),
      world.settlement.settle(one),
    ]);
    expect(outcomes.map((outcome) => outcome.kind)).toEqual(['done', 'receipt_differs', 'done']);
    expect(await creditOf(number)).toBe(100n);
  });

  it('behind another content in one batch still gets its first answer', async () => {
    const { number } = await world.customer();
    const paid = payment(number);
    const first = await world.settlement.settle(paid);
    // Two lanes share what waits: the first two of these four are one batch.
    const outcomes = await Promise.all(
      [{ ...paid, amount: 99n }, paid, payment(number), payment(number)].map((one) =>
        world.settlement.settle(one),
      ),
    );
    expect(outcomes[0]?.kind).toBe('receipt_differs');
    expect(outcomes[1]).toEqual({ ...first, first: false });
  });
});

/** The database of this world, as the product connects. */
function appUrl(): string {
  return world.pool.options.connectionString ?? '';
}
