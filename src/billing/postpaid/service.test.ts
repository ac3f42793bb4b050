import type { Pool, PoolClient } from 'pg';
import { checkPostpaid, type PostpaidCheck } from './check.ts';
import { openTestPostpaid, type TestPostpaid } from './database-harness.ts';
import type { PostpaidService } from './service.ts';

/**
 * Goal: what the engine decides stands in Postgres once and whole, whoever works at the same time
 * and wherever they are stopped. Method: the real service over a database of each test's own.
 */
const SOUND: PostpaidCheck = {
  wrongReceivables: 0,
  wrongCredits: 0,
  unnumbered: 0,
  gaps: 0,
  wrongDeferred: 0,
  wrongTaxes: 0,
  unbalanced: 0,
  wrongReversals: 0,
};
const JANUARY_10 = new Date('2026-01-10T09:00:00Z');
const FEBRUARY_1 = new Date('2026-02-01T09:00:00Z');

/** Everything that a run could write, in one number each. */
const FOOTPRINT = `SELECT concat_ws(' ', (SELECT count(*) FROM invoice),
  (SELECT count(*) FROM invoice_line), (SELECT count(*) FROM document_number),
  (SELECT count(*) FROM payment_attempt), (SELECT count(*) FROM entry),
  (SELECT sum(last) FROM number_counter), (SELECT max(xmin::text::bigint) FROM postpaid_account))`;

let world: TestPostpaid;
beforeEach(async () => {
  world = await openTestPostpaid(JANUARY_10);
});
afterEach(() => world.close());

const footprint = async (): Promise<unknown> =>
  Object.values((await world.pool.query(FOOTPRINT)).rows[0] ?? {})[0];

/** An account with one contract, sold on 10 January: 22 of 31 days are charged at once. */
async function sold(service: PostpaidService, ref: string, autoPay = false): Promise<bigint> {
  const id = await world.account(service, { autoPay });
  const sale = { act: 'create_subscription', ref, plan: 'rooms' } as const;
  expect(await service.act(id, `sale-${ref}`, sale)).toMatchObject({ ok: true });
  return id;
}

/**
 * A pool whose nth statement from now on is cut off: it never arrives, but of a COMMIT only the
 * answer is lost.
 */
function failingPool(pool: Pool, failAt: number): { pool: Pool; statements(): number } {
  let count = 0;
  const wrap = (client: PoolClient): PoolClient =>
    new Proxy(client, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name);
        if (typeof value !== 'function') return value;
        if (name !== 'query') return value.bind(target);
        return (...args: unknown[]) => {
          count += 1;
          if (count !== failAt) return value.apply(target, args);
          const cut = Object.assign(new Error('cut off'), { code: 'ECONNRESET' });
          const arrives = args[0] === 'COMMIT' ? value.apply(target, args) : Promise.resolve();
          return arrives.then(() => Promise.reject(cut));
        };
      },
    });
  const wrapped = new Proxy(pool, {
    get(target, name) {
      if (name === 'connect') return async () => wrap(await target.connect());
      const value: unknown = Reflect.get(target, name);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  return { pool: wrapped, statements: () => count };
}

describe('an account in the database', () => {
  it('is read back as the engine left it', async () => {
    const service = world.service();
    const id = await sold(service, 'lobby');
    const book = await service.read(id);
    expect(book.rows.contracts.map(({ ref }) => ref)).toEqual(['lobby']);
    expect(book.rows.lines.map(({ amount, type }) => [type, amount])).toEqual([
      ['recurring', 21_290n],
    ]);
    expect(await checkPostpaid(world.pool)).toEqual(SOUND);
  });

  it('takes 200 payments at once, each once', async () => {
    const services = [world.service(), world.service()] as const;
    const id = await sold(services[0], 'lobby');
    const invoiceId = (await services[0].read(id)).rows.invoices[0]?.id ?? 0n;
    const pay = (n: number) =>
      services[n % 2 === 0 ? 0 : 1].act(id, `pay-${n}`, {
        act: 'pay_invoice',
        invoiceId,
        amount: 100n,
      });
    const answers = await Promise.all(Array.from({ length: 200 }, (_, n) => pay(n)));
    expect(answers.every((answer) => answer.ok && answer.value.ok)).toBe(true);
    const { rows } = await services[0].read(id);
    expect(rows.attempts).toHaveLength(200);
    const rising = rows.attempts.map((row) => row.id);
    expect(rising).toEqual([...rising].sort((a, b) => (a < b ? -1 : 1)));
    expect(
      await world.count(
        'SELECT -sum(amount) FROM entry JOIN account a ON a.id = account_id' +
          " WHERE a.kind = 'receivable'",
      ),
    ).toBe(21_290 - 20_000);
    expect(await checkPostpaid(world.pool)).toEqual(SOUND);
  });

  it('tells after each commit which accounts changed', async () => {
    const told: bigint[][] = [];
    const onChanged = (ids: readonly bigint[]) => void told.push([...ids]);
    const service = world.service({ onChanged });
    const id = await sold(service, 'lobby');
    world.clock.at = FEBRUARY_1;
    await service.billingRun(FEBRUARY_1);
    expect(told).toEqual([[id], [id]]);
  });

  it('answers a repeated key as the first time, and refuses it for another act', async () => {
    const service = world.service();
    const id = await world.account(service);
    const credit = { act: 'grant_credit', amount: 500n } as const;
    const answers = await Promise.all([1, 2, 3].map(() => service.act(id, 'gift', credit)));
    expect(new Set(answers.map((answer) => JSON.stringify(answer, String))).size).toBe(1);
    expect((await service.read(id)).rows.invoices).toHaveLength(1);
    const other = await service.act(id, 'gift', { ...credit, amount: 600n });
    expect(other).toEqual({ ok: false, error: 'key_used' });
  });

  it('does an act once, wherever the connection is cut, and learns what became of it', async () => {
    const id = await world.account(world.service());
    let cuts = 0;
    for (let failAt = 1; failAt < 100; failAt += 1) {
      const { pool, statements } = failingPool(world.pool, failAt);
      const credit = { act: 'grant_credit', amount: BigInt(failAt) } as const;
      const answer = await world.service({ pool }).act(id, `gift-${failAt}`, credit);
      expect(answer).toMatchObject({ ok: true, value: { ok: true } });
      const { rows } = await world.service().read(id);
      expect(rows.invoices).toHaveLength(failAt);
      if (statements() < failAt) break;
      cuts += 1;
    }
    expect(cuts).toBeGreaterThan(5);
    expect(await checkPostpaid(world.pool)).toEqual(SOUND);
  });

  it('cannot be changed behind the back of the engine', async () => {
    await sold(world.service(), 'lobby');
    const refused = async (sql: string): Promise<string> =>
      world.pool.query(sql).then(
        () => 'done',
        (error: { code?: string }) => String(error.code),
      );
    const denied = '42501';
    expect(await refused('DELETE FROM invoice')).toBe(denied);
    expect(await refused('UPDATE invoice_line SET amount = 1')).toBe(denied);
    expect(await refused('UPDATE document_number SET number = 9')).toBe(denied);
    expect(await refused("UPDATE invoice SET status = 'draft'")).toBe('23001');
    expect(await refused('UPDATE number_counter SET last = last - 1')).toBe('23001');
    expect(await refused("UPDATE invoice SET issued_on = '2020-01-01'")).toBe('23001');
  });
});

describe('the ledger of postpaid', () => {
  it('agrees with the documents through all that can happen to money', async () => {
    const service = world.service();
    const id = await sold(service, 'lobby', true);
    const done = async (key: string, action: Parameters<PostpaidService['act']>[2]) => {
      const answer = await service.act(id, key, action);
      expect(answer).toMatchObject({ ok: true, value: { ok: true } });
      expect(await checkPostpaid(world.pool)).toEqual(SOUND);
      return answer.ok && answer.value.ok ? (answer.value.documentId ?? 0n) : 0n;
    };
    const paymentId = (await service.read(id)).rows.payments[0]?.id ?? 0n;
    const lineId = (await service.read(id)).rows.lines[0]?.id ?? 0n;
    const refund = { act: 'refund', paymentId, amount: 290n } as const;
    await done('refund', { ...refund, adjustments: [{ lineId, amount: 290n }] });
    await done('up', { act: 'change_plan', ref: 'lobby', plan: 'suites', policy: 'immediate' });
    await done('down', { act: 'change_plan', ref: 'lobby', plan: 'rooms', policy: 'immediate' });
    await done('fee', {
      act: 'external_charge',
      amount: 700n,
      from: 20_463,
      to: null,
      draft: false,
    });
    const draft = { amount: 900n, from: 20_463, to: null, draft: true };
    const drafted = await done('draft', { act: 'external_charge', ...draft });
    await done('commit', { act: 'commit_invoice', invoiceId: drafted });
    await done('by hand', { act: 'disable_auto_pay' });
    const late = { act: 'external_charge', amount: 50_000n, from: 20_463, to: null } as const;
    const owed = await done('late', { ...late, draft: false });
    await done('cash', { act: 'external_payment', invoiceId: owed, amount: 10_000n });
    await done('loss', { act: 'write_off', invoiceId: owed });
    const wrong = await done('wrong', { ...late, draft: false });
    await done('void', { act: 'void_invoice', invoiceId: wrong });
    await done('top-up', { act: 'top_up', amount: 5_000n, key: 'till-1' });
    const gift = await done('gift', { act: 'grant_credit', amount: 2_000n });
    await done('no gift', { act: 'delete_credit', invoiceId: gift });
    await done('back', { act: 'chargeback', paymentId, amount: 20_000n });
    await done('again', { act: 'chargeback_reversed', paymentId });
    expect(await world.count('SELECT count(*) FROM journal WHERE reverses IS NOT NULL')).toBe(2);
    expect(await world.count('SELECT sum(amount) FROM entry')).toBe(0);
  });
});

describe('legal numbers', () => {
  it('follow each other without a gap; a draft has none, a void keeps its own', async () => {
    const service = world.service();
    const id = await world.account(service);
    const charge = { act: 'external_charge', amount: 700n, from: 20_463, to: null } as const;
    const made = async (key: string, draft: boolean): Promise<bigint> => {
      const answer = await service.act(id, key, { ...charge, draft });
      return answer.ok && answer.value.ok ? (answer.value.documentId ?? 0n) : 0n;
    };
    const first = await made('1', false);
    await made('draft', true);
    await service.act(id, 'void', { act: 'void_invoice', invoiceId: first });
    await made('2', false);
    const lineId = (await service.read(id)).rows.lines.at(-1)?.id ?? 0n;
    await service.act(id, 'less', { act: 'adjust_item', lineId, amount: 100n });
    world.clock.at = new Date('2027-01-02T09:00:00Z');
    await made('3', false);
    const { rows } = await world.pool.query(
      'SELECT text FROM document_number ORDER BY issued_on, series DESC, number',
    );
    expect(rows.map(({ text }) => text)).toEqual([
      'INV-2026-000001',
      'INV-2026-000002',
      'CN-2026-000001',
      'INV-2027-000001',
    ]);
    expect(await checkPostpaid(world.pool)).toEqual(SOUND);
  });
});

describe('the billing run', () => {
  const ACCOUNTS = 24;
  const openAll = async (service: PostpaidService): Promise<void> => {
    for (let n = 0; n < ACCOUNTS; n += 1) await sold(service, `room-${n}`, n % 2 === 0);
  };
  const invoices = () => world.count("SELECT count(*) FROM invoice WHERE issued_on = '2026-02-01'");

  it('bills every account once, though two processes run at once, and then nothing', async () => {
    await openAll(world.service());
    world.clock.at = FEBRUARY_1;
    const processes = [world.service({ batchSize: 5 }), world.service({ batchSize: 3 })];
    const reports = await Promise.all(processes.map((one) => one.billingRun(FEBRUARY_1)));
    expect(reports.flatMap(({ failed }) => failed)).toEqual([]);
    expect(reports.reduce((sum, { accounts }) => sum + accounts, 0)).toBe(ACCOUNTS);
    expect(await invoices()).toBe(ACCOUNTS);
    const before = await footprint();
    expect(await world.service().billingRun(FEBRUARY_1)).toEqual({ accounts: 0, failed: [] });
    expect(await footprint()).toBe(before);
    expect(await checkPostpaid(world.pool)).toEqual(SOUND);
  });

  it.each([5, 100])('in batches of %i can be cut off anywhere and goes on', async (batchSize) => {
    await openAll(world.service());
    world.clock.at = FEBRUARY_1;
    let cuts = 0;
    for (let failAt = 1; failAt < 1_000; failAt += 1) {
      const { pool, statements } = failingPool(world.pool, failAt);
      const run = world.service({ pool, batchSize, lanes: 1 }).billingRun(FEBRUARY_1);
      const ended = await run.then(
        ({ failed }) => (failed.length > 0 ? 'failed' : 'done'),
        () => 'cut off',
      );
      expect(await checkPostpaid(world.pool)).toEqual(SOUND);
      if (ended === 'done' && statements() < failAt) break;
      cuts += 1;
    }
    // BEGIN, claim, lock, rows, ids, ledger accounts, save, numbers, COMMIT.
    expect(cuts).toBeGreaterThanOrEqual(9);
    expect(await invoices()).toBe(ACCOUNTS);
    const before = await footprint();
    await world.service().billingRun(FEBRUARY_1);
    expect(await footprint()).toBe(before);
  });

  it('bills the others when the work of one account fails', async () => {
    const service = world.service();
    const broken = await sold(service, 'broken', true);
    await sold(service, 'sound', true);
    world.clock.at = FEBRUARY_1;
    const gateway = {
      charge: ({ accountId }: { accountId: bigint }) => {
        if (accountId === broken) throw new Error('No such mandate');
        return { outcome: 'approved' } as const;
      },
    };
    const report = await world.service({ gateway }).billingRun(FEBRUARY_1);
    expect(report).toEqual({ accounts: 1, failed: [broken] });
    expect(await invoices()).toBe(1);
    expect(await service.billingRun(FEBRUARY_1)).toEqual({ accounts: 1, failed: [] });
    expect(await invoices()).toBe(2);
  });

  it('finds the one account of a batch that the database refuses', async () => {
    const service = world.service();
    const broken = await sold(service, 'broken', true);
    await sold(service, 'sound', true);
    world.clock.at = FEBRUARY_1;
    const gateway = {
      charge: ({ accountId, amount }: { accountId: bigint; amount: bigint }) => {
        const settledAmount = accountId === broken ? -amount : amount;
        return { outcome: 'approved', settledAmount } as const;
      },
    };
    const report = await world.service({ gateway }).billingRun(FEBRUARY_1);
    expect(report).toEqual({ accounts: 1, failed: [broken] });
    expect(await checkPostpaid(world.pool)).toEqual(SOUND);
  });
});
