/**
 * Goal: what Postgres reads out of the parameters is what was put in, whatever is in a text.
 * Method: rows made by chance go through a real Postgres and come back.
 */
import fc from 'fast-check';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../test-database.ts';
import { type Columns, parametersOf, placed, selectable } from './columns.ts';

const COLUMNS: Columns = {
  id: 'bigint',
  note: 'text',
  open: 'boolean',
  at: 'timestamptz',
  kept: 'jsonb',
};
// Postgres keeps no NUL in a text, and no lone half of a surrogate pair.
const text = fc.string({ unit: 'grapheme' }).map((value) => value.replaceAll('\0', ''));
const row = fc.record({
  id: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  note: fc.option(fc.oneof(text, fc.constantFrom('NULL', '', '{}', '"', '\\', 'a,b', ' '))),
  open: fc.option(fc.boolean()),
  at: fc.option(
    fc.date({ min: new Date('1900-01-01'), max: new Date('2200-01-01'), noInvalidDate: true }),
  ),
  kept: fc.option(fc.dictionary(text, fc.oneof(text, fc.integer(), fc.array(text)))),
});

describe('rows as arrays', () => {
  let database: TestDatabase;
  let client: pg.Client;
  beforeAll(async () => {
    database = await createTestDatabase();
    client = new pg.Client({ connectionString: database.appUrl });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  it('come out of Postgres as they went in, in their order', async () => {
    const sql = `SELECT id, note, open, at, kept FROM ${selectable(COLUMNS, 1)}`;
    await fc.assert(
      fc.asyncProperty(fc.array(row, { maxLength: 5 }), async (rows) => {
        const { rows: found } = await client.query(sql, parametersOf(COLUMNS, rows));
        const plain = rows.map(({ kept, id, ...rest }) => ({ id: String(id), ...rest, kept }));
        expect(found).toEqual(JSON.parse(JSON.stringify(plain), revive));
      }),
      { numRuns: 60 },
    );
  });

  it('stand one set behind the other', () => {
    expect(placed({ some: { id: 'bigint', note: 'text' }, more: { n: 'integer' } })).toEqual({
      some: 'unnest($1::text::bigint[], $2::text::text[]) AS x (id, note)',
      more: 'unnest($3::text::integer[]) AS x (n)',
    });
  });

  it('have null where a row says nothing', () => {
    expect(parametersOf({ id: 'bigint', note: 'text' }, [{ id: 1n }])).toEqual(['{1}', '{NULL}']);
  });

  it('are none of an empty set', () => {
    expect(parametersOf({ id: 'bigint' }, [])).toEqual(['{}']);
  });
});

const revive = (key: string, value: unknown): unknown =>
  key === 'at' && typeof value === 'string' ? new Date(value) : value;
