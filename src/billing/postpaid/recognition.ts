/**
 * What is earned of documents. The net of a line with days is deferred when it is issued and earned
 * in equal parts day by day; what lowers the line takes from what is still deferred.
 */
import { dayOfInstant } from '../../platform/day.ts';
import { earnDays, type RecognitionTools } from '../ledger/recognition.ts';
import { deferringOwner } from './posting.ts';

/**
 * Purpose: for each asset, what of a site's documents must be deferred when all days before $2 are
 * earned: of a charge, what is left of its net less its share by days, rounded half-up from its
 * start, so that it is earned whole at its end. Plan: lines that end later, by their index.
 */
const WANTED = `
WITH charge AS (
  SELECT a.currency AS asset, l.from_date, l.to_date,
         l.amount - coalesce((SELECT sum(t.amount) FROM invoice_tax t
            WHERE (t.account_id, t.line_id) = (l.account_id, l.id)), 0) AS net,
         (SELECT coalesce(sum(r.amount - coalesce((SELECT sum(t.amount) FROM invoice_tax t
             WHERE (t.account_id, t.line_id) = (r.account_id, r.id)), 0)), 0)
            FROM invoice_line r
            JOIN invoice j ON (j.account_id, j.id) = (r.account_id, r.invoice_id)
           WHERE r.account_id = l.account_id AND r.linked_line_id = l.id
             AND j.status = 'committed') AS lowered
    FROM invoice_line l
    JOIN invoice i ON (i.account_id, i.id) = (l.account_id, l.invoice_id)
    JOIN postpaid_account a ON a.id = l.account_id
    JOIN subscriber s ON s.id = a.subscriber_id
   WHERE s.site_id = $1 AND i.status = 'committed'
     AND l.type IN ('fixed', 'recurring', 'external_charge')
     AND l.to_date > $2::date AND l.to_date > l.from_date
)
SELECT asset, sum(greatest(0, net + lowered - floor(
         net * greatest(0, $2::date - from_date) / (to_date - from_date) + 0.5))) AS amount
  FROM charge GROUP BY asset`;

/**
 * Earns all days before today of every site's calendar, in one journal a site and asset. A day is
 * done once; several processes may try. Returns how many journals it wrote.
 */
export async function recogniseRevenue(tools: RecognitionTools): Promise<number> {
  const { rows } = await tools.pool.query(
    `SELECT s.id, s.time_zone FROM site s WHERE EXISTS (SELECT FROM account a
        WHERE a.owner = 'site:' || s.id || ':invoices' AND a.kind = 'deferred_revenue')
      ORDER BY s.id`,
  );
  let written = 0;
  for (const { id: siteId, time_zone } of rows) {
    const before = dayOfInstant(tools.clock.now(), time_zone);
    const owner = deferringOwner(siteId);
    const deferral = { book: 'invoices', siteId, owner, before } as const;
    written += await earnDays(tools, { ...deferral, wanted: WANTED, values: [] });
  }
  return written;
}
