/** Keeps what could not be settled, so that nothing received is ever only in memory or in a log. */
import type { Pool } from 'pg';
import type { Ids } from '../../platform/ports.ts';
import type { Command } from './commands.ts';

const ERROR_CHARACTERS_MAX = 500;

/** Postgres text can hold any character but NUL. */
const withoutNul = (text: string): string => text.replaceAll('\u0000', '\\0');

/**
 * Commits the command as a parked inbox row: its key, its bytes and why. A key that is there
 * already stays as it is. Returns the row's id. Rejects when the database is away.
 */
export async function park(
  pool: Pool,
  ids: Ids,
  command: Command,
  error: unknown,
): Promise<bigint> {
  const reason = withoutNul(error instanceof Error ? error.message : String(error));
  const { rows } = await pool.query(
    `INSERT INTO inbox (id, provider, receipt, kind, state, channel_id, received_at, raw, error)
     VALUES ($1, $2, $3, $4, 'parked', $5, $6, $7, $8)
     ON CONFLICT (provider, receipt) DO UPDATE SET receipt = EXCLUDED.receipt
     RETURNING id`,
    [
      await ids.take(),
      withoutNul(command.provider),
      withoutNul(command.receipt),
      command.kind,
      withoutNul(command.channelId),
      command.at,
      command.raw,
      reason.slice(0, ERROR_CHARACTERS_MAX),
    ],
  );
  return rows[0].id;
}
