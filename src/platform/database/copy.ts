/**
 * `COPY … TO STDOUT`: rows as the lines of text that Postgres itself writes, and reads again.
 *
 * Backups, whose clients have no time-out, copy with pg-copy-streams; a client of a pool has one.
 * When it passes, that stream fails on what still comes, where nobody can catch it, and the process
 * ends; here the caller is told, and what still comes is passed over.
 */
import type { ClientBase, Connection, Submittable } from 'pg';

/** Of a line; the text of the row ends one byte before. */
const NEWLINE_BYTES = 1;

/** What `pg` calls of a query of our own (pg/lib/client.js). */
interface CopyQuery extends Submittable {
  callback: (error: Error | null) => void;
  handleCopyData(message: { chunk: Buffer }): void;
  handleCommandComplete(): void;
  handleReadyForQuery(): void;
  handleError(error: Error): void;
}

/**
 * Runs `COPY (select) TO STDOUT` and hands over each row as it comes: the bytes of its line without
 * the line's end, good only during the call. The lines depend on `readPlainly`. Rejects with the
 * first error, the database's or that of `onRow`; no row is handed over after it.
 */
export function copyOut(
  client: ClientBase,
  select: string,
  onRow: (row: Buffer) => void,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | null = null;
    const query: CopyQuery = {
      callback: () => undefined,
      submit: (connection: Connection) => connection.query(`COPY (${select}) TO STDOUT`),
      handleCopyData({ chunk }) {
        if (failure) return;
        try {
          onRow(chunk.subarray(0, chunk.length - NEWLINE_BYTES));
        } catch (error) {
          failure = error as Error;
        }
      },
      handleCommandComplete: () => undefined,
      handleReadyForQuery() {
        query.callback(null);
        if (failure) reject(failure);
        else resolve();
      },
      handleError(error) {
        query.callback(error);
        reject(failure ?? error);
      },
    };
    client.query(query);
  });
}

/**
 * For the rest of the transaction, values are written as on every other server: instants in UTC and
 * ISO 8601, bytes as hexadecimal digits.
 */
export async function readPlainly(client: ClientBase): Promise<void> {
  await client.query(
    `SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL bytea_output = 'hex'`,
  );
}
