import { dayOfInstant, parseDay } from '../../platform/day.ts';
import { openTestPostpaid, type TestPostpaid } from '../postpaid/database-harness.ts';
import type { PostpaidService } from '../postpaid/service.ts';
import { type Contracts, createContracts } from './contracts.ts';
import { createDebts } from './debts.ts';

/**
 * Goal: days without a picture are never paid for, whatever was billed ahead, and nothing else is
 * given back. Method: postpaid accounts in Postgres, one room at 30,000 a month, Abidjan (UTC).
 */
let world: TestPostpaid;
let postpaid: PostpaidService;
let contracts: Contracts;
beforeAll(async () => {
  world = await openTestPostpaid(new Date('2026-01-10T09:00:00Z'));
  postpaid = world.service();
  const settle = () => Promise.reject(new Error('Nothing is settled here'));
  contracts = createContracts({ ...world, postpaid, settlement: { settle } });
});
afterAll(() => world.close());
beforeEach(() => at('2026-01-10'));

const at = (date: string) => {
  world.clock.at = new Date(`${date}T09:00:00Z`);
};
const today = () => dayOfInstant(world.clock.at, 'UTC');
const stop = (id: bigint, date: string) => {
  at(date);
  return contracts.stop(id, today());
};
const goOn = (id: bigint, date: string) => {
  at(date);
  return contracts.goOn(id, today());
};

/** A hotel that is billed from 1 January: the whole month at once. */
async function hotel(): Promise<{ accountId: bigint; id: bigint }> {
  at('2026-01-01');
  const accountId = await world.account(postpaid);
  const sale = { act: 'create_subscription', ref: 'lobby', plan: 'rooms' } as const;
  await postpaid.act(accountId, 'sale', sale);
  const { rows } = await world.pool.query(
    'SELECT subscriber_id FROM postpaid_account WHERE id = $1',
    [accountId],
  );
  return { accountId, id: rows[0].subscriber_id };
}

/** What was charged in all by a day, and given back of it. */
async function charged(accountId: bigint, date: string): Promise<bigint> {
  at(date);
  const { rows } = await postpaid.bringUpToDate(accountId);
  const own = rows.lines.filter(({ type }) => type === 'recurring' || type === 'repair');
  return own.reduce((sum, { amount }) => sum + amount, 0n);
}

describe('a stop', () => {
  it('gives nothing back while it lasts, and charges nothing more', async () => {
    const { accountId, id } = await hotel();
    await stop(id, '2026-01-20');
    expect(await charged(accountId, '2026-01-20')).toBe(30_000n);
    expect(await charged(accountId, '2026-03-15')).toBe(30_000n);
  });

  it.each([
    // Of January's 31 days, 5 without; February is whole.
    ['in the month that is billed', '2026-01-20', '2026-01-25', 30_000n - 4_839n + 30_000n],
    ['on the first day of the next', '2026-01-20', '2026-02-01', 30_000n - 11_613n + 30_000n],
    // 12 of January, and 9 of February's 28.
    ['in the next', '2026-01-20', '2026-02-10', 30_000n - 11_613n + 20_357n],
    ['on its own day', '2026-01-20', '2026-01-20', 60_000n],
  ])('that ends %s costs its days alone', async (_when, from, to, expected) => {
    const { accountId, id } = await hotel();
    await stop(id, from);
    await goOn(id, to);
    expect(await charged(accountId, '2026-02-10')).toBe(expected);
  });

  it('done twice is one, and so is its end; a second one is another', async () => {
    const { accountId, id } = await hotel();
    await stop(id, '2026-01-12');
    await stop(id, '2026-01-13');
    await goOn(id, '2026-01-14');
    await goOn(id, '2026-01-15');
    expect(await charged(accountId, '2026-01-15')).toBe(30_000n - 1_935n);
    await stop(id, '2026-01-20');
    await goOn(id, '2026-01-25');
    expect(await charged(accountId, '2026-01-25')).toBe(30_000n - 1_935n - 4_839n);
    expect(await charged(accountId, '2026-02-01')).toBe(60_000n - 1_935n - 4_839n);
  });

  it('leaves alone what somebody else has stopped', async () => {
    const { accountId, id } = await hotel();
    at('2026-01-12');
    const block = { act: 'block_billing', ref: 'lobby', effective: today() } as const;
    await postpaid.act(accountId, 'court', block);
    await stop(id, '2026-01-15');
    await goOn(id, '2026-01-20');
    const { rows } = await postpaid.read(accountId);
    expect(rows.events.filter(({ kind }) => /block/.test(kind))).toHaveLength(1);
  });
});

describe('the end', () => {
  it('of a contract that was stopped costs nothing from the stop on', async () => {
    const { accountId, id } = await hotel();
    await stop(id, '2026-01-20');
    at('2026-02-20');
    await contracts.end(id);
    await contracts.end(id);
    expect(await charged(accountId, '2026-05-01')).toBe(30_000n - 11_613n);
  });
});

describe('what is open', () => {
  const debts = () => createDebts(world);
  const owing = async (id: bigint) => (await debts().openInvoicesOf([id])).get(id);
  const isDebtor = async (id: bigint) => {
    const ids = await debts().debtors({ siteId: world.site.id, after: id - 1n, limit: 1 });
    return ids[0] === id;
  };

  it('is on the invoices that postpaid counts as open, with the day they are due', async () => {
    const { accountId, id } = await hotel();
    const invoiceId = (await postpaid.read(accountId)).rows.invoices[0]?.id ?? 0n;
    const open = { id: invoiceId, issuedOn: parseDay('2026-01-01'), dueOn: parseDay('2026-01-15') };
    expect(await owing(id)).toEqual([{ ...open, open: 30_000n }]);
    const pay = { act: 'pay_invoice', invoiceId } as const;
    const paid = await postpaid.act(accountId, 'part', { ...pay, amount: 10_000n });
    expect(await owing(id)).toEqual([{ ...open, open: 20_000n }]);
    expect(await isDebtor(id)).toBe(true);
    await postpaid.act(accountId, 'rest', { ...pay, amount: 'balance' });
    expect([await owing(id), await isDebtor(id)]).toEqual([[], false]);
    const paymentId = (paid.ok && paid.value.ok && paid.value.paymentId) || 0n;
    await postpaid.act(accountId, 'back', { act: 'chargeback', paymentId, amount: 10_000n });
    expect(await owing(id)).toEqual([{ ...open, open: 10_000n }]);
    await postpaid.act(accountId, 'off', { act: 'write_off', invoiceId });
    expect([await owing(id), await isDebtor(id)]).toEqual([[], false]);
  });
});
