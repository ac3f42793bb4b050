/**
 * Goal: pgbench's function and the settlement do the same work, so that their speeds compare.
 * Method: the same payments into two databases, one by each; then all rows of all tables are
 * compared, with generated ids, transaction ids and references written as ordinals.
 */
import pg from 'pg';
import type { Payment } from '../src/billing/settlement/commands.ts';
import { createTestDatabase, type TestDatabase } from '../src/platform/test-database.ts';
import { furnish, type House, openHouse } from './house.ts';
import { paymentOf, receiptOf } from './payments.ts';
import { createSettleFunction, pgbenchScript } from './pgbench.ts';
import { cardNumberOf } from './seed.ts';

const CUSTOMERS = 4;
const DAY_MS = 86_400_000;

/** Which customer pays, when (days after 31 October noon), under which receipt. */
const PAYMENTS: readonly [what: string, n: number, afterDays: number, receipt: number][] = [
  ['a first month, from the last of October', 0, 0, 1],
  ['a first month of the other bouquet', 1, 5, 2],
  ['the same receipt again', 0, 0, 1],
  ['a month on a running one: to the last of December', 0, 3, 3],
  ['and another', 0, 4, 4],
  ['a month after the run has ended', 1, 100, 5],
  ['that receipt again, late', 1, 200, 5],
];
const START_MS = Date.parse('2026-10-31T12:00:00.000Z');

interface Side {
  database: TestDatabase;
  house: House;
}

async function openSide(): Promise<Side> {
  const database = await createTestDatabase();
  const house = await openHouse(database);
  await furnish(house, CUSTOMERS);
  await createSettleFunction(house);
  return { database, house };
}

const closeSide = async ({ house, database }: Side): Promise<void> => {
  await house.close();
  await database.drop();
};

function payments({ house }: Side): Payment[] {
  return PAYMENTS.map(([, n, afterDays, receipt]) => {
    const at = new Date(START_MS + afterDays * DAY_MS);
    return paymentOf(house.site.id, receiptOf('UAA', receipt), n, at);
  });
}

/** A piece of a lot that a line was paid with. */
interface Part {
  lot: string;
  account: string;
  journal: string;
}

type Dump = Record<string, unknown[]>;

/** Columns whose values are made up: ids, and what is counted by the transaction. */
const ID = /(^|_)id$|^reverses$/;
const KEPT_IDS = new Set(['channel_id', 'provider_id']);

/** Every row of every table, as plain values in a stable order. */
async function dump({ house }: Side): Promise<Dump> {
  const { rows: tables } = await house.owner.query(
    `SELECT relname AS name FROM pg_class
      WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
        AND relname <> '_prisma_migrations' ORDER BY relname`,
  );
  const raw: Record<string, Record<string, unknown>[]> = {};
  const refs = new Map<string, string>();
  for (const { name } of tables) {
    // Ids rise in the order of the writes, which is what the ordinals stand for.
    const { rows } = await house.owner.query(`SELECT * FROM ${name} ORDER BY 1, 2`);
    raw[name] = rows;
    for (const { outcome } of rows) {
      if (outcome) refs.set(outcome.settled.ref, `<ref ${refs.size + 1}>`);
    }
  }
  const ordinals = new Map<string, number>();
  const ordinal = (id: string): string => {
    if (!ordinals.has(id)) ordinals.set(id, ordinals.size + 1);
    return `#${ordinals.get(id)}`;
  };
  const withOrdinals = ({ lot, account, journal, ...part }: Part) => ({
    ...part,
    ids: [lot, account, journal].map(ordinal),
  });
  const plain = (column: string, value: unknown): unknown => {
    if (value === null) return null;
    if (column === 'xid' || column === 'booked_at') return '<made up>';
    if (ID.test(column) && !KEPT_IDS.has(column)) return ordinal(String(value));
    if (value instanceof Buffer) return value.toString();
    if (column === 'parts') return (value as Part[]).map(withOrdinals);
    let text = JSON.stringify(value);
    for (const [ref, name] of refs) text = text.replaceAll(ref, name);
    return JSON.parse(text);
  };
  return Object.fromEntries(
    Object.entries(raw).map(([table, rows]) => [
      table,
      rows.map((row) =>
        Object.fromEntries(Object.entries(row).map(([key, value]) => [key, plain(key, value)])),
      ),
    ]),
  );
}

describe('the function that pgbench calls', () => {
  let ours: Side;
  let theirs: Side;

  beforeAll(async () => {
    [ours, theirs] = await Promise.all([openSide(), openSide()]);
  });
  afterAll(() => Promise.all([ours, theirs].map(closeSide)));

  it('leaves the same rows as the settlement, in every table', async () => {
    const settlement = ours.house.openSettlement();
    const answers: string[] = [];
    for (const payment of payments(ours)) {
      const outcome = await settlement.settle(payment);
      answers.push(outcome.kind === 'done' ? outcome.settled.ref : outcome.kind);
    }
    await settlement.close();
    const app = new pg.Client({ connectionString: theirs.database.appUrl });
    await app.connect();
    const said: string[] = [];
    for (const { receipt, accountRef, amount, raw, at } of payments(theirs)) {
      const { rows } = await app.query('SELECT bench_settle($1, $2, $3, $4, $5) AS ref', [
        receipt,
        accountRef,
        amount.toString(),
        raw,
        at,
      ]);
      said.push(rows[0].ref);
    }
    await app.end();

    const [our, their] = [await dump(ours), await dump(theirs)];
    expect(our.inbox).toHaveLength(5);
    expect(our.outbound).toHaveLength(10);
    expect(their).toEqual(our);
    const firstOf = (refs: string[]) => refs.map((ref) => refs.indexOf(ref));
    expect(firstOf(said)).toEqual(firstOf(answers));
  });

  it('refuses what is not measured: another amount, a receipt with another', async () => {
    const call = (receipt: string, n: number, amount: number) =>
      theirs.house.owner.query("SELECT bench_settle($1, $2, $3, '', now())", [
        receipt,
        cardNumberOf(n),
        amount,
      ]);
    await expect(call('UAB0000001', 2, 64_900)).rejects.toThrow('not the exact month');
    await expect(call(receiptOf('UAA', 1), 0, 64_900)).rejects.toThrow('another amount');
  });

  it('is called with cards that exist', async () => {
    const script = pgbenchScript(CUSTOMERS);
    const formula = /\\set card (.*)/.exec(script)?.[1] ?? '';
    for (let n = 0; n < CUSTOMERS; n++) {
      const sql = formula.replaceAll(':c', String(4_020_000_000 + n));
      const { rows } = await theirs.house.owner.query(`SELECT (${sql})::text AS card`);
      expect(rows[0].card).toBe(cardNumberOf(n));
    }
  });
});
