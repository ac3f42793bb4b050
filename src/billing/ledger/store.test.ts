import type { Pool, PoolClient } from 'pg';
import { createIds } from '../../platform/database/ids.ts';
import { createPool } from '../../platform/database/pool.ts';
import { silentLogger } from '../../platform/log.ts';
import type { Ids } from '../../platform/ports.ts';
import { createTestDatabase, type TestDatabase } from '../../platform/test-database.ts';
import { type AccountName, accountKey } from './chart.ts';
import { checkBooks } from './check.ts';
import { balanceOf, ensureAccounts, foldAccounts } from './store.ts';

/** Goal: what the database itself promises about the ledger, whoever writes to it. */
const REFUSED_BY_TRIGGER = { code: '23001' };
const REFUSED_BY_PRIVILEGE = { code: '42501' };
const REFUSED_BY_CHECK = { code: '23514' };

const WALLET: AccountName = { owner: 'subscriber:1', kind: 'wallet_paid', asset: 'KES' };
const CLEARING: AccountName = { owner: 'channel:x', kind: 'provider_clearing', asset: 'KES' };
const TAX: AccountName = { owner: 'site:1', kind: 'tax_payable', asset: 'KES' };
const UNITS: AccountName = { owner: 'site:1', kind: 'tvu_issued', asset: 'TVU-KE' };

let database: TestDatabase;
let owner: Pool;
let app: Pool;
let ids: Ids;
let wallet: bigint;
let clearing: bigint;
let tax: bigint;
let units: bigint;

beforeAll(async () => {
  database = await createTestDatabase();
  const logger = silentLogger;
  owner = createPool({ url: database.ownerUrl, max: 2, name: 'owner', logger });
  app = createPool({ url: database.appUrl, max: 8, name: 'app', logger });
  ids = createIds(app);
  const accounts = await ensureAccounts(app, ids, [WALLET, CLEARING, TAX, UNITS]);
  const idOf = (name: AccountName) => accounts.get(accountKey(name)) ?? 0n;
  [wallet, clearing, tax, units] = [idOf(WALLET), idOf(CLEARING), idOf(TAX), idOf(UNITS)];
  await app.query(
    `INSERT INTO site (id, code, name, country, currency, tvu_asset, time_zone, language)
     VALUES (1, 'NBO', 'Nairobi', 'KE', 'KES', 'TVU-KE', 'Africa/Nairobi', 'en')`,
  );
  await app.query(
    `INSERT INTO inbox (id, provider, receipt, kind, state, channel_id, received_at, raw)
     VALUES (1, 'p', 'r', 'test', 'settled', 'x', now(), '')`,
  );
});

afterAll(async () => {
  await app.end();
  await owner.end();
  await database.drop();
});

interface Line {
  accountId: bigint;
  amount: bigint;
  asset?: string;
}

/** Writes a journal as settlement does: its entries in one statement. */
async function post(db: Pool | PoolClient, lines: readonly Line[]): Promise<bigint> {
  const id = await ids.take();
  await db.query(
    `WITH made AS (INSERT INTO journal (id, kind, site_id, inbox_id, effective_at)
       VALUES ($1, 'test', 1, 1, now()))
     INSERT INTO entry (journal_id, line, account_id, asset, amount)
     SELECT $1, * FROM unnest($2::smallint[], $3::bigint[], $4::text[], $5::bigint[])`,
    [
      id,
      lines.map((_line, i) => i + 1),
      lines.map((line) => line.accountId),
      lines.map((line) => line.asset ?? 'KES'),
      lines.map((line) => line.amount),
    ],
  );
  return id;
}

const move = (db: Pool | PoolClient, amount: bigint): Promise<bigint> =>
  post(db, [
    { accountId: clearing, amount: -amount },
    { accountId: tax, amount },
  ]);

describe('accounts', () => {
  it('are made once, also by several processes at once, exact ones with a balance', async () => {
    const names: AccountName[] = ['a', 'b', 'c'].map((name) => ({ ...WALLET, owner: name }));
    const found = await Promise.all([
      ensureAccounts(app, createIds(app), names),
      ensureAccounts(app, createIds(app), [...names].reverse()),
      ensureAccounts(app, createIds(app), names),
    ]);
    expect(found[1]).toEqual(found[0]);
    expect(found[2]).toEqual(found[0]);
    const { rows } = await app.query('SELECT count(*)::int AS n FROM balance WHERE amount = 0');
    expect(rows).toEqual([{ n: 4 }]);
    expect(await balanceOf(app, found[0]?.get('a|wallet_paid|KES') ?? 0n)).toBe(0n);
  });
});

describe('what was written', () => {
  const appendOnly = async (): Promise<string[]> => {
    const { rows } = await owner.query(
      `SELECT tgrelid::regclass::text AS name FROM pg_trigger WHERE tgname = 'append_only'
        ORDER BY 1`,
    );
    return rows.map((row) => row.name);
  };
  const columnOf = async (table: string): Promise<string> => {
    const { rows } = await owner.query(
      `SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum = 1`,
      [table],
    );
    return rows[0].attname;
  };

  it('is append-only in the tables that say so', async () => {
    const { rows } = await owner.query(
      `SELECT c.relname AS name FROM pg_class c
         JOIN pg_description d ON d.objoid = c.oid AND d.objsubid = 0
        WHERE d.description LIKE '%append-only%' ORDER BY 1`,
    );
    expect(rows.map((row) => row.name)).toEqual(await appendOnly());
    expect(await appendOnly()).toEqual(
      expect.arrayContaining([
        'account',
        'catalogue_version',
        'entry',
        'hold_part',
        'journal',
        'trial',
      ]),
    );
  });

  it('cannot be changed by the product: it has no right to', async () => {
    for (const table of await appendOnly()) {
      const column = await columnOf(table);
      const acts = [
        `UPDATE ${table} SET ${column} = ${column}`,
        `DELETE FROM ${table}`,
        `TRUNCATE ${table} CASCADE`,
      ];
      for (const act of acts) {
        await expect(app.query(act)).rejects.toMatchObject(REFUSED_BY_PRIVILEGE);
      }
    }
  });

  it('cannot be changed by its owner either: a trigger refuses', async () => {
    await move(app, 1n);
    for (const table of ['account', 'journal', 'entry']) {
      const column = await columnOf(table);
      for (const act of [`UPDATE ${table} SET ${column} = ${column}`, `DELETE FROM ${table}`]) {
        await expect(owner.query(act)).rejects.toMatchObject(REFUSED_BY_TRIGGER);
      }
    }
    for (const table of await appendOnly()) {
      await expect(owner.query(`TRUNCATE ${table} CASCADE`)).rejects.toMatchObject(
        REFUSED_BY_TRIGGER,
      );
      const { rows } = await owner.query(
        `SELECT tgtype & 24 AS acts FROM pg_trigger
          WHERE tgrelid = $1::regclass AND tgname = 'append_only' AND tgenabled = 'O'`,
        [table],
      );
      // Bits of pg_trigger.tgtype: 8 is DELETE, 16 is UPDATE.
      expect(rows).toEqual([{ acts: 24 }]);
    }
  });
});

describe('a journal', () => {
  const refused = (lines: readonly Line[]) =>
    expect(post(app, lines)).rejects.toMatchObject(REFUSED_BY_CHECK);

  it('that does not sum to zero in each asset is refused', async () => {
    await refused([{ accountId: tax, amount: 5n }]);
    await refused([
      { accountId: clearing, amount: -5n },
      { accountId: tax, amount: 4n },
    ]);
    await refused([
      { accountId: clearing, amount: -5n },
      { accountId: units, amount: 5n, asset: 'TVU-KE' },
    ]);
  });

  it('has no lines of zero, and none in the asset of another account', async () => {
    await refused([
      { accountId: clearing, amount: 0n },
      { accountId: tax, amount: 0n },
    ]);
    const crossed = post(app, [
      { accountId: clearing, amount: -5n, asset: 'TVU-KE' },
      { accountId: units, amount: 5n, asset: 'TVU-KE' },
    ]);
    await expect(crossed).rejects.toMatchObject({ code: '23503' });
  });

  it('cannot be joined later by a line of its own', async () => {
    const id = await move(app, 9n);
    const late = app.query(
      `INSERT INTO entry (journal_id, line, account_id, asset, amount)
       VALUES ($1, 3, $2, 'KES', 5)`,
      [id, tax],
    );
    await expect(late).rejects.toMatchObject(REFUSED_BY_CHECK);
  });

  it('cannot be joined later by lines that balance among themselves', async () => {
    const id = await move(app, 9n);
    const late = app.query(
      `INSERT INTO entry (journal_id, line, account_id, asset, amount)
       VALUES ($1, 3, $2, 'KES', 5), ($1, 4, $3, 'KES', -5)`,
      [id, tax, clearing],
    );
    await expect(late).rejects.toMatchObject(REFUSED_BY_CHECK);
  });

  it('is reversed once at the most', async () => {
    const id = await move(app, 3n);
    const reverse = async () => {
      return app.query(
        `INSERT INTO journal (id, kind, site_id, inbox_id, effective_at, reverses)
         VALUES ($1, 'test', 1, 1, now(), $2)`,
        [await ids.take(), id],
      );
    };
    await reverse();
    await expect(reverse()).rejects.toMatchObject({ code: '23505' });
  });
});

describe('a balance', () => {
  it('never goes below its floor', async () => {
    const set = (amount: bigint) =>
      app.query('UPDATE balance SET amount = $2 WHERE account_id = $1', [wallet, amount]);
    await set(0n);
    await expect(set(-1n)).rejects.toMatchObject(REFUSED_BY_CHECK);
  });

  it('of a shared account is its fold and what came later', async () => {
    const before = await balanceOf(app, tax);
    await move(app, 100n);
    expect(await balanceOf(app, tax)).toBe(before + 100n);
    await foldAccounts(app);
    expect(await balanceOf(app, tax)).toBe(before + 100n);
    await move(app, 11n);
    expect(await balanceOf(app, tax)).toBe(before + 111n);
    // Nothing is folded past a transaction that still runs, be it another test's.
    let folded = 0;
    while (folded === 0) folded = await foldAccounts(app);
    expect(folded).toBe(2);
    expect(await foldAccounts(app)).toBe(0);
    expect(await balanceOf(app, tax)).toBe(before + 111n);
  });

  it('keeps an entry that commits after a fold, though its transaction is older', async () => {
    await foldAccounts(app);
    const before = await balanceOf(app, tax);
    const slow = await app.connect();
    try {
      await slow.query('BEGIN');
      await move(slow, 5n);
      await move(app, 7n);
      expect(await balanceOf(app, tax)).toBe(before + 7n);
      await foldAccounts(app);
      expect(await balanceOf(app, tax)).toBe(before + 7n);
      await slow.query('COMMIT');
    } finally {
      slow.release();
    }
    expect(await balanceOf(app, tax)).toBe(before + 12n);
    await foldAccounts(app);
    expect(await balanceOf(app, tax)).toBe(before + 12n);
    expect(await checkBooks(app)).toMatchObject({ wrongFolds: 0, unbalancedJournals: 0 });
  });

  it('forgets an entry that is rolled back', async () => {
    const before = await balanceOf(app, tax);
    const slow = await app.connect();
    try {
      await slow.query('BEGIN');
      await move(slow, 5n);
      await foldAccounts(app);
      await slow.query('ROLLBACK');
    } finally {
      slow.release();
    }
    await foldAccounts(app);
    expect(await balanceOf(app, tax)).toBe(before);
  });

  it('is the same however many processes fold while money moves', async () => {
    const before = await balanceOf(app, tax);
    await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 4 === 0 ? foldAccounts(app) : move(app, 1n))),
    );
    expect(await balanceOf(app, tax)).toBe(before + 30n);
    await foldAccounts(app);
    expect(await balanceOf(app, tax)).toBe(before + 30n);
    expect(await balanceOf(app, clearing)).toBe(-(await balanceOf(app, tax)));
    expect(await checkBooks(app)).toMatchObject({ wrongFolds: 0, wrongBalances: 0, wrongLots: 0 });
  });
});
