/** What a provider reports about a text it has taken. */

import type { Pool } from 'pg';
import type { Logger } from '../../platform/ports.ts';
import type { SmsDeliveryReport } from '../canonical.ts';
import type { ProviderAnswer } from '../provider.ts';

/** Providers only look at the status. */
const TAKEN: ProviderAnswer = { status: 200, contentType: 'text/plain', body: '' };

/**
 * Purpose: the last word about a sent text; the first last word stands.
 * Locks: the row of the text.
 * Plan: `outbound_provider`.
 */
const APPLY = `
WITH found AS (
  SELECT id, state FROM outbound WHERE provider_id = $1 AND kind = 'text'
), changed AS (
  UPDATE outbound o SET state = $2, failure = $3
    FROM found WHERE o.id = found.id AND o.state = 'sent'
)
SELECT count(*)::integer AS known FROM found`;

/**
 * Writes a delivery report to the text it is about and says how to answer the provider. Reports
 * overtake each other, so an interim one changes nothing: the text is `sent` already. An unknown
 * id is logged and answered like the others, as a repeat would not make it known. Throws only when
 * the database is lost; the caller then answers 503.
 */
export async function applyDeliveryReport(
  { pool, logger }: { pool: Pool; logger: Logger },
  report: SmsDeliveryReport,
): Promise<ProviderAnswer> {
  const { id, status, final, reason } = report;
  if (status === 'unknown') logger.warn('text.report_not_understood', { providerId: id });
  if (!final) return TAKEN;
  const { rows } = await pool.query<{ known: number }>({
    name: 'text-delivery-report',
    text: APPLY,
    values: [id, status, status === 'delivered' ? null : (reason ?? status)],
  });
  if (rows[0]?.known === 0) logger.warn('text.report_unknown_id', { providerId: id, status });
  return TAKEN;
}
