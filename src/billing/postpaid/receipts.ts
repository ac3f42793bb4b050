/** Money that settlement took in for postpaid accounts, given to them. */
import type { Pool } from 'pg';
import { isConnectionLost } from '../../platform/database/pool.ts';
import type { Clock, Logger } from '../../platform/ports.ts';
import type { Action } from './actions.ts';
import type { PostpaidService } from './service.ts';

export interface ReceiptTools {
  pool: Pool;
  clock: Clock;
  logger: Logger;
  act: PostpaidService['act'];
}

interface Receipt {
  inbox_id: bigint;
  account_id: bigint;
  payment_id: bigint | null;
  invoice_id: bigint | null;
  amount: bigint;
}

const BATCH = 100;

/**
 * Gives accounts what waits for them, the oldest first, each once, wherever this is ended. One that
 * cannot be given stays and is logged; the others need not wait for it. Returns how many were
 * given. Throws when the database is lost.
 */
export async function applyReceipts(tools: ReceiptTools): Promise<number> {
  const { pool, logger } = tools;
  let given = 0;
  for (let after = 0n; ; ) {
    const { rows } = await pool.query<Receipt>(
      `SELECT inbox_id, account_id, payment_id, invoice_id, amount FROM postpaid_receipt
        WHERE applied_at IS NULL AND inbox_id > $1 ORDER BY inbox_id LIMIT $2`,
      [after, BATCH],
    );
    for (const receipt of rows) {
      after = receipt.inbox_id;
      try {
        await apply(tools, receipt);
        given += 1;
      } catch (error) {
        if (isConnectionLost(error)) throw error;
        logger.error('receipt.not_given', { inboxId: after, accountId: receipt.account_id, error });
      }
    }
    if (rows.length < BATCH) return given;
  }
}

/** The act is done once for its key, then the receipt is marked. */
async function apply(
  { pool, clock, act }: ReceiptTools,
  { inbox_id, account_id, payment_id, invoice_id, amount }: Receipt,
): Promise<void> {
  // The table has exactly one of the two.
  const whose = payment_id === null ? { invoiceId: invoice_id ?? 0n } : { paymentId: payment_id };
  const action: Action = { act: 'receive_payment', amount, ...whose };
  const answer = await act(account_id, `receipt:${inbox_id}`, action);
  if (!answer.ok || !answer.value.ok) throw new Error(`Receipt ${inbox_id} was refused`);
  await pool.query(
    'UPDATE postpaid_receipt SET applied_at = $2 WHERE inbox_id = $1 AND applied_at IS NULL',
    [inbox_id, clock.now()],
  );
}
