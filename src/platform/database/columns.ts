/**
 * Rows as parameters of a statement, an array a column: what Postgres reads with less work than
 * JSON, and JSON is made with more.
 */

export type ColumnType =
  | 'bigint'
  | 'integer'
  | 'smallint'
  | 'text'
  | 'boolean'
  | 'date'
  | 'timestamptz'
  | 'jsonb';

/** The columns of a set by name, in the order in which they are selected. */
export type Columns = Readonly<Record<string, ColumnType>>;

/** A row by the names of its columns; what is left out is null. */
export type Row = object;

/**
 * A set as something to select from, as `x`: its first column is parameter `first`, counted from
 * 1, and the others follow. By way of text, so that no plan depends on how many rows there are and
 * one is kept for all.
 */
export function selectable(columns: Columns, first: number): string {
  const arrays = Object.values(columns).map((type, at) => `$${first + at}::text::${type}[]`);
  return `unnest(${arrays.join(', ')}) AS x (${Object.keys(columns).join(', ')})`;
}

/** Places several sets one behind the other; each is selectable by its name. */
export function placed<Name extends string>(
  sets: Readonly<Record<Name, Columns>>,
): Record<Name, string> {
  const from: Partial<Record<Name, string>> = {};
  let first = 1;
  for (const name of Object.keys(sets) as Name[]) {
    from[name] = selectable(sets[name], first);
    first += Object.keys(sets[name]).length;
  }
  return from as Record<Name, string>;
}

/** The parameters of a set: array literals, in the order of its columns. */
export const parametersOf = (columns: Columns, rows: readonly Row[]): string[] =>
  Object.entries(columns).map(([name, type]) => {
    const write = WRITERS[type];
    const values = rows.map((row) => {
      const value = (row as Readonly<Record<string, unknown>>)[name];
      return value === null || value === undefined ? 'NULL' : write(value);
    });
    return `{${values.join(',')}}`;
  });

const quoted = (text: string): string =>
  `"${text.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;

/** Instants as ISO text: no sign in it means anything to an array. */
const instant = (value: unknown): string =>
  value instanceof Date ? value.toISOString() : quoted(String(value));

const WRITERS: Readonly<Record<ColumnType, (value: unknown) => string>> = {
  bigint: String,
  integer: String,
  smallint: String,
  boolean: String,
  date: String,
  text: (value) => quoted(String(value)),
  timestamptz: instant,
  jsonb: (value) => quoted(JSON.stringify(value)),
};
