import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { createTestDatabase, type TestDatabase } from '../src/platform/test-database.ts';

/**
 * Goal: the Prisma schema, from which the client is made, is the database that the migrations make.
 * Method: both are written as lines of text, a table and column each, and compared.
 */
const FOLDER = 'prisma/schema';
/** The runner's own record of what it has done. */
const NOT_MODELLED = new Set(['_prisma_migrations']);

interface Table {
  name: string;
  columns: string[];
  keys: string[];
}

const SCALARS: Record<string, string> = {
  BigInt: 'bigint',
  String: 'text',
  Int: 'integer',
  Boolean: 'boolean',
  Json: 'jsonb',
  Bytes: 'bytea',
};
const NATIVE: Record<string, string> = {
  SmallInt: 'smallint',
  Timestamptz: 'timestamp with time zone',
  Date: 'date',
};

/** `@db.Decimal(5, 2)` says it all; `@db.SmallInt` and the like have their name in Postgres. */
function typeOf(type: string, attributes: string): string {
  const unsupported = /^Unsupported\("(\w+)"\)/.exec(type)?.[1];
  if (unsupported) return unsupported;
  const [, native, precision = ''] = /@db\.(\w+)(\([^)]*\))?/.exec(attributes) ?? [];
  if (native === 'Decimal') return `numeric${precision.replace(' ', '')}`;
  return (native ? NATIVE[native] : SCALARS[type]) ?? `${type} ${attributes}`;
}

interface Field {
  name: string;
  column: string;
  type: string;
  /** `[]` or nothing. */
  list: string;
  isOptional: boolean;
  attributes: string;
}

/** The fields of a model that are columns: relations are not. */
function fieldsOf(model: string, models: ReadonlySet<string>): Field[] {
  const lines = model.matchAll(/^\s+(\w+)\s+(Unsupported\("\w+"\)|\w+)(\?)?(\[\])? *(.*)$/gm);
  return [...lines]
    .filter(([, , type = '']) => !models.has(type))
    .map(([, name = '', type = '', optional, list = '', attributes = '']) => {
      const column = /@map\("(\w+)"\)/.exec(attributes)?.[1] ?? name;
      return { name, column, type, list, isOptional: optional !== undefined, attributes };
    });
}

function tableOf(model: string, models: ReadonlySet<string>): Table {
  const fields = fieldsOf(model, models);
  const columnOf = (name: string) => fields.find((field) => field.name === name)?.column ?? name;
  const columns = fields.map(
    ({ column, type, list, isOptional, attributes }) =>
      `${column} ${typeOf(type, attributes)}${list}${isOptional ? '' : ' NOT NULL'}`,
  );
  const keys = fields.flatMap(({ column, attributes }) => [
    ...(/@id\b/.test(attributes) ? [`PRIMARY KEY (${column})`] : []),
    ...(/@unique\b/.test(attributes) ? [`UNIQUE (${column})`] : []),
  ]);
  for (const [, kind, list = ''] of model.matchAll(/@@(id|unique)\(\[([^\]]+)\]/g)) {
    const named = list.split(',').map((name) => columnOf(name.trim()));
    keys.push(`${kind === 'id' ? 'PRIMARY KEY' : 'UNIQUE'} (${named.join(', ')})`);
  }
  const name = /@@map\("(\w+)"\)/.exec(model)?.[1] ?? '';
  return { name, columns: columns.sort(), keys: keys.sort() };
}

function modelled(texts: readonly string[]): Table[] {
  const models = texts.flatMap((text) => text.match(/^model \w+ \{[\s\S]*?^\}/gm) ?? []);
  const names = new Set(models.map((model) => model.split(' ')[1] ?? ''));
  return models.map((model) => tableOf(model, names)).sort(byName);
}

const byName = (a: Table, b: Table): number => (a.name < b.name ? -1 : 1);

async function inDatabase(url: string): Promise<Table[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<Table>(
      `SELECT c.relname AS name,
              (SELECT array_agg(a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
                                || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END)
                 FROM pg_attribute a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS columns,
              (SELECT array_agg(pg_get_constraintdef(k.oid))
                 FROM pg_constraint k
                WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u')) AS keys
         FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
          AND NOT c.relispartition`,
    );
    return rows
      .filter((row) => !NOT_MODELLED.has(row.name))
      .map(({ name, columns, keys }) => ({ name, columns: columns.sort(), keys: keys.sort() }))
      .sort(byName);
  } finally {
    await client.end();
  }
}

describe('the Prisma schema', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('has every table, column, type and key of the database, and no others', async () => {
    const files = readdirSync(FOLDER).filter((name) => name.endsWith('.prisma'));
    const schema = modelled(files.map((name) => readFileSync(join(FOLDER, name), 'utf8')));
    expect(schema.length).toBeGreaterThan(20);
    expect(schema).toEqual(await inDatabase(database.ownerUrl));
  });

  it('is read with its names, types, lists and keys', () => {
    const text = `model Price {
  bouquetId BigInt    @map("bouquet_id")
  term      String    @unique
  tax       Decimal?  @db.Decimal(5, 2)
  xid       Unsupported("xid8")
  soldOn    DateTime? @db.Date
  bouquet   Bouquet   @relation(fields: [bouquetId], references: [id])
  sales     Bouquet[]

  @@id([bouquetId, term])
  @@map("price")
}
model Bouquet {
  id BigInt @id
  @@map("bouquet")
}`;
    expect(modelled([text])).toEqual([
      { name: 'bouquet', columns: ['id bigint NOT NULL'], keys: ['PRIMARY KEY (id)'] },
      {
        name: 'price',
        columns: [
          'bouquet_id bigint NOT NULL',
          'soldOn date',
          'tax numeric(5,2)',
          'term text NOT NULL',
          'xid xid8 NOT NULL',
        ],
        keys: ['PRIMARY KEY (bouquet_id, term)', 'UNIQUE (term)'],
      },
    ]);
  });
});
