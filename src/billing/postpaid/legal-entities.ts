/** In whose name sites bill. */
import type { Pool } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Ids } from '../../platform/ports.ts';
import { numberText } from './numbers.ts';

export interface LegalEntityFile {
  code: string;
  name: string;
  taxNumber: string | null;
  /** The month in which its fiscal year starts, 1 to 12; the year is named after that month's. */
  fiscalMonth: number;
  /** Each with `{year}` and `{number}` or `{number:digits}`. */
  invoiceFormat: string;
  creditNoteFormat: string;
  /** The sites that it bills for. */
  siteIds: readonly bigint[];
}

/**
 * Writes a legal entity and gives it its sites; one of that code is changed. Numbers that were
 * given stay as they are. Throws when a format has no place for the number.
 */
export async function writeLegalEntity(
  pool: Pool,
  ids: Ids,
  entity: LegalEntityFile,
): Promise<bigint> {
  numberText(entity.invoiceFormat, 0);
  numberText(entity.creditNoteFormat, 0);
  const id = await ids.take();
  return await transaction(pool, async (client) => {
    const { rows } = await client.query(
      `INSERT INTO legal_entity (id, code, name, tax_number, fiscal_month, invoice_format,
                                 credit_note_format)
       VALUES ($1, $2, $3, $4, $5, $6, $7)
       ON CONFLICT (code) DO UPDATE
          SET name = EXCLUDED.name, tax_number = EXCLUDED.tax_number,
              fiscal_month = EXCLUDED.fiscal_month, invoice_format = EXCLUDED.invoice_format,
              credit_note_format = EXCLUDED.credit_note_format
       RETURNING id`,
      [
        id,
        entity.code,
        entity.name,
        entity.taxNumber,
        entity.fiscalMonth,
        entity.invoiceFormat,
        entity.creditNoteFormat,
      ],
    );
    await client.query(
      `INSERT INTO site_legal_entity (site_id, legal_entity_id)
       SELECT site_id, $2 FROM unnest($1::bigint[]) AS site_id
       ON CONFLICT (site_id) DO UPDATE SET legal_entity_id = EXCLUDED.legal_entity_id`,
      [entity.siteIds, rows[0].id],
    );
    return rows[0].id;
  });
}
