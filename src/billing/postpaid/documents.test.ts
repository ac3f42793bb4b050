import { createIds } from '../../platform/database/ids.ts';
import { parseDay } from '../../platform/day.ts';
import { silentLogger } from '../../platform/log.ts';
import type { AppliedTax } from '../catalogue/file/tax.ts';
import type { Action } from './actions.ts';
import { checkPostpaid } from './check.ts';
import { CATALOGUE, openTestPostpaid, TERMS, type TestPostpaid } from './database-harness.ts';
import type { MarketTerms } from './markets.ts';
import { recogniseRevenue } from './recognition.ts';
import { createPostpaidService, type PostpaidService } from './service.ts';
import { type DocumentQuery, findAccounts, findDocuments, readDocument } from './views.ts';

/**
 * Goal: what an issued document says of taxes and dates is frozen, its revenue is earned day by
 * day, and people read what was written. Method: one database; each story has its own account.
 */
const TAXES: readonly AppliedTax[] = [
  { code: 'EXC', ppm: 50_000n, on: ['net'] },
  { code: 'VAT', ppm: 180_000n, on: ['net', 'EXC'] },
];
const taxed = new Map(
  [...CATALOGUE].map(([code, plan]) => [code, { ...plan, taxCode: 'plan' }] as const),
);
const JANUARY_1 = new Date('2026-01-01T09:00:00Z');

let world: TestPostpaid;
let taxes = TAXES;
let service: PostpaidService;
beforeAll(async () => {
  world = await openTestPostpaid(JANUARY_1);
  const termsOf = (): MarketTerms => ({
    ...TERMS,
    catalogue: taxed,
    taxesOn: (code) => (code === 'plan' ? taxes : []),
  });
  const gateway = { charge: () => ({ outcome: 'pending' as const }) };
  const { pool, clock } = world;
  service = createPostpaidService({ pool, clock, logger: silentLogger, termsOf, gateway });
});
beforeEach(() => {
  world.clock.at = JANUARY_1;
  taxes = TAXES;
});
afterEach(async () => {
  const faults = Object.entries(await checkPostpaid(world.pool)).filter(([, count]) => count !== 0);
  expect(faults).toEqual([]);
});
afterAll(() => world.close());

const sale = { act: 'create_subscription', ref: 'lobby', plan: 'rooms' } as const;

async function act(accountId: bigint, action: Action): Promise<bigint> {
  const key = String(await world.ids.take());
  const answer = await service.act(accountId, key, action);
  if (!answer.ok || !answer.value.ok) throw new Error(JSON.stringify(answer, String));
  return answer.value.documentId ?? answer.value.paymentId ?? 0n;
}

const taxRows = async (accountId: bigint): Promise<string[]> => {
  const { rows } = await world.pool.query(
    `SELECT l.type, l.amount, t.tax_code, t.base, t.amount AS tax
       FROM invoice_line l JOIN invoice_tax t ON (t.account_id, t.line_id) = (l.account_id, l.id)
      WHERE l.account_id = $1 ORDER BY l.id, t.place`,
    [accountId],
  );
  return rows.map((row) => `${row.type} ${row.amount}: ${row.tax_code} ${row.tax} of ${row.base}`);
};

const recognise = () =>
  recogniseRevenue({
    pool: world.pool,
    ids: createIds(world.pool),
    clock: world.clock,
    logger: silentLogger,
  });
const earned = (): Promise<number> =>
  world.count('SELECT coalesce(sum(amount), 0) FROM recognition');

describe('an issued document', () => {
  it('keeps its taxes, and what lowers it gives back those that it had', async () => {
    const id = await world.account(service);
    const invoiceId = await act(id, sale);
    // 30000 is 24213 net, 5 % on it, 18 % on both.
    expect(await taxRows(id)).toEqual([
      'recurring 30000: EXC 1211 of 24213',
      'recurring 30000: VAT 4576 of 25424',
    ]);
    taxes = [];
    const lineId = (await service.read(id)).rows.lines[0]?.id ?? 0n;
    await act(id, { act: 'adjust_item', lineId, amount: 10_001n });
    await act(id, { act: 'adjust_item', lineId, amount: 'remaining' });
    const { rows } = await world.pool.query(
      'SELECT tax_code, sum(base) AS base, sum(amount) AS amount FROM invoice_tax' +
        ' WHERE account_id = $1 GROUP BY 1 ORDER BY 1',
      [id],
    );
    expect(rows).toEqual([
      { tax_code: 'EXC', base: '0', amount: '0' },
      { tax_code: 'VAT', base: '0', amount: '0' },
    ]);
    const document = await readDocument(world.pool, id, invoiceId);
    expect(document).toMatchObject({
      kind: 'run',
      status: 'committed',
      issuedOn: parseDay('2026-01-01'),
      dueOn: parseDay('2026-01-15'),
      total: 0n,
      taxTotal: 0n,
      balance: 0n,
      creditNotes: [expect.stringMatching(/^CN-2026-/), expect.stringMatching(/^CN-2026-/)],
    });
    expect(document?.lines.map(({ type, amount, tax }) => [type, amount, tax])).toEqual([
      ['recurring', 30_000n, 5_787n],
      ['item_adjustment', -10_001n, -1_929n],
      ['item_adjustment', -19_999n, -3_858n],
    ]);
  });

  it('that was a draft is issued, numbered and due from the day of its commitment', async () => {
    const id = await world.account(service);
    const from = parseDay('2026-01-01');
    const charge = { act: 'external_charge', amount: 700n, from, to: null, draft: true } as const;
    const invoiceId = await act(id, { ...charge, taxCode: 'plan' });
    expect(await taxRows(id)).toEqual([]);
    expect(await readDocument(world.pool, id, invoiceId)).toMatchObject({
      number: null,
      status: 'draft',
      dueOn: null,
      balance: 0n,
    });
    world.clock.at = new Date('2027-01-02T09:00:00Z');
    await act(id, { act: 'commit_invoice', invoiceId });
    expect(await readDocument(world.pool, id, invoiceId)).toMatchObject({
      number: expect.stringMatching(/^INV-2027-/),
      issuedOn: parseDay('2027-01-02'),
      dueOn: parseDay('2027-01-16'),
      balance: 700n,
      taxTotal: 135n,
    });
    expect(await taxRows(id)).toHaveLength(2);
  });

  it('is found by its number as people type it, by its state, and page by page', async () => {
    const id = await world.account(service);
    const none = { sites: null, subscriberId: null, status: null, number: null, after: null };
    const all: DocumentQuery = { ...none, accountId: id, limit: 10 };
    const from = parseDay('2026-01-01');
    const charge = { act: 'external_charge', amount: 700n, from, to: null, draft: false } as const;
    const first = await act(id, charge);
    world.clock.at = new Date('2026-01-01T10:00:00Z');
    const second = await act(id, charge);
    await act(id, { act: 'external_payment', invoiceId: first, amount: 'balance' });
    const found = await findDocuments(world.pool, all);
    expect(found.map((one) => one.id)).toEqual([second, first]);
    const idsOf = async (query: Partial<DocumentQuery>) =>
      (await findDocuments(world.pool, { ...all, ...query })).map((one) => one.id);
    expect(await idsOf({ status: 'open' })).toEqual([second]);
    expect(await idsOf({ status: 'paid' })).toEqual([first]);
    expect(await idsOf({ sites: [] })).toEqual([]);
    const last = found[0] ?? { createdAt: JANUARY_1, id: 0n };
    expect(await idsOf({ after: { at: last.createdAt, id: last.id } })).toEqual([first]);
    const typed = found[1]?.number?.toLowerCase().replaceAll('-', ' ') ?? '';
    expect(await idsOf({ accountId: null, number: typed })).toEqual([first]);
    const payments = (await readDocument(world.pool, id, first))?.payments;
    expect(payments).toMatchObject([
      { kind: 'external', paid: 700n, returned: 0n, attempts: [{ outcome: 'approved' }] },
    ]);
    const accounts = await findAccounts(world.pool, {
      ...{ sites: [world.site.id], id, subscriberId: null, after: null, limit: 5 },
    });
    expect(accounts).toMatchObject([{ id, balance: 700n, category: 'residential' }]);
  });
});

describe('revenue', () => {
  it('is earned day by day, once a day, and whole at the end of the line', async () => {
    await recognise();
    const before = await earned();
    const id = await world.account(service);
    await act(id, { act: 'disable_auto_invoice' });
    await act(id, sale);
    await act(id, { act: 'generate_invoice', target: parseDay('2026-01-01') });
    const at = async (day: string): Promise<number> => {
      world.clock.at = new Date(`${day}T09:00:00Z`);
      await Promise.all([recognise(), recognise()]);
      await recognise();
      return (await earned()) - before;
    };
    // Of accounts of other stories nothing is deferred. 24213 over 31 days.
    expect(await at('2026-01-02')).toBe(781);
    expect(await at('2026-01-11')).toBe(7_811);
    const lineId = (await service.read(id)).rows.lines[0]?.id ?? 0n;
    await act(id, { act: 'adjust_item', lineId, amount: 24_000n });
    // What is left of it, 4843, was earned before.
    expect(await at('2026-01-12')).toBe(4_843);
    expect(await at('2026-02-01')).toBe(4_843);
    world.clock.at = new Date('2026-01-20T09:00:00Z');
    expect(await recognise()).toBe(0);
  });

  it('of a void document is taken back', async () => {
    world.clock.at = new Date('2026-03-01T09:00:00Z');
    await recognise();
    const before = await earned();
    const id = await world.account(service);
    const from = parseDay('2026-03-01');
    const days = { from, to: from + 10, draft: false };
    const invoiceId = await act(id, { act: 'external_charge', amount: 1_000n, ...days });
    world.clock.at = new Date('2026-03-06T09:00:00Z');
    await recognise();
    expect((await earned()) - before).toBe(500);
    await act(id, { act: 'void_invoice', invoiceId });
    world.clock.at = new Date('2026-03-07T09:00:00Z');
    await recognise();
    expect((await earned()) - before).toBe(0);
  });
});

describe('a preview', () => {
  it('is what the act makes, with the work of today, and leaves no trace', async () => {
    const id = await world.account(service);
    await act(id, sale);
    world.clock.at = new Date('2026-02-11T09:00:00Z');
    const change: Action = {
      act: 'change_plan',
      ref: 'lobby',
      plan: 'suites',
      policy: 'immediate',
    };
    const before = await service.read(id);
    const preview = await service.preview(id, change);
    expect(await service.read(id)).toEqual(before);
    const invoiceId = await act(id, change);
    const document = await readDocument(world.pool, id, invoiceId);
    expect(preview).toMatchObject({ ok: true, total: document?.total });
    const words = (lines: readonly { type: string; from: number; amount: bigint }[] = []) =>
      lines.map(({ type, from, amount }) => `${type} ${from} ${amount}`);
    expect(words(preview.ok ? preview.lines : [])).toEqual(words(document?.lines));
    expect(await service.preview(id, { ...sale, ref: 'bar', plan: 'none' })).toEqual({
      ok: false,
      error: 'plan_not_sold',
    });
  });
});
