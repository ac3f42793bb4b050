/** Allots legal numbers in Postgres. */
import type { ClientBase } from 'pg';
import { dayOfInstant, formatDay } from '../../platform/day.ts';
import { bigintAsDigits } from '../../platform/json.ts';
import type { Loaded } from './load.ts';
import { fiscalYear, type Numbered, numberedOf, numberText } from './numbers.ts';

/**
 * Purpose: the next numbers of each (legal entity, series, fiscal year), without a gap. Locks: the
 * counter rows, in the order of their keys, last of all and until the COMMIT that follows, so that
 * a number that is rolled back was never given. Cost: one round trip for any number of documents.
 */
const ALLOT = `
WITH document AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS x (place integer, legal_entity_id bigint,
         series text, fiscal_year integer, issued_on date, account_id bigint, invoice_id bigint,
         first_line_id bigint, last_line_id bigint, before text, digits integer, after text)
), counter AS (
  INSERT INTO number_counter AS c (legal_entity_id, series, fiscal_year, last)
  SELECT legal_entity_id, series, fiscal_year, count(*) FROM document
   GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
  ON CONFLICT (legal_entity_id, series, fiscal_year)
     DO UPDATE SET last = c.last + EXCLUDED.last
  RETURNING legal_entity_id, series, fiscal_year, last
), allotted AS (
  SELECT d.*, c.last + 1 - row_number() OVER (
           PARTITION BY legal_entity_id, series, fiscal_year ORDER BY d.place DESC) AS number
    FROM document d JOIN counter c USING (legal_entity_id, series, fiscal_year)
)
INSERT INTO document_number (legal_entity_id, series, fiscal_year, number, text, issued_on,
                             account_id, invoice_id, first_line_id, last_line_id)
SELECT legal_entity_id, series, fiscal_year, number,
       before || lpad(number::text, greatest(digits, length(number::text)), '0') || after,
       issued_on, account_id, invoice_id, first_line_id, last_line_id
  FROM allotted`;

/** Numbers all that these accounts have issued. Throws when a site bills in nobody's name. */
export async function allotNumbers(
  client: ClientBase,
  accounts: readonly Loaded[],
  at: Date,
): Promise<void> {
  const documents = accounts.flatMap((of) =>
    numberedOf(of.book, of.before, dayOfInstant(at, of.book.account.timeZone)).map((one) =>
      documentRow(of, one),
    ),
  );
  if (documents.length === 0) return;
  const placed = documents.map((row, place) => ({ place, ...row }));
  const values = [JSON.stringify(placed, bigintAsDigits)];
  await client.query({ name: 'postpaid-numbers', text: ALLOT, values });
}

function documentRow({ entity, siteId }: Loaded, numbered: Numbered) {
  if (!entity) throw new Error(`Site ${siteId} has no legal entity to bill for`);
  const { series, on, accountId, invoiceId, lines } = numbered;
  const year = fiscalYear(on, entity.fiscalMonth);
  return {
    legal_entity_id: entity.id,
    series,
    fiscal_year: year,
    issued_on: formatDay(on),
    account_id: accountId,
    invoice_id: invoiceId,
    first_line_id: lines?.first ?? null,
    last_line_id: lines?.last ?? null,
    ...numberText(entity.formats[series], year),
  };
}
