/** The tables of the product as the database itself describes them. */
import type pg from 'pg';

export interface Table {
  name: string;
  /** Those that hold what was written, not what the database computes. */
  columns: string[];
}

export const CONNECT_LIMIT_MS = 10_000;

/** All tables but the list of migrations, by name; a partitioned one once, as a whole. */
export async function readTables(client: pg.Client): Promise<Table[]> {
  const { rows } = await client.query<Table>(`
    SELECT c.relname AS name,
           array_agg(a.attname::text ORDER BY a.attnum)
             FILTER (WHERE a.attgenerated = '') AS columns
      FROM pg_class c
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')
       AND NOT c.relispartition AND c.relname <> '_prisma_migrations'
     GROUP BY c.relname ORDER BY c.relname`);
  return rows;
}
