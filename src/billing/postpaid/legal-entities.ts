/** In whose name sites bill. */
import type { Pool, PoolClient } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Ids } from '../../platform/ports.ts';
import type { LegalEntityTerms } from '../catalogue/file/types.ts';
import { numberText } from './numbers.ts';

/** As the catalogue file has it, with the ids of the sites that it bills for. */
export interface LegalEntityOfSites extends Omit<LegalEntityTerms, 'sites'> {
  siteIds: readonly bigint[];
}

/** Does anybody issue documents for a site? */
export async function hasLegalEntity(pool: Pool, siteId: bigint): Promise<boolean> {
  const { rows } = await pool.query('SELECT FROM site_legal_entity WHERE site_id = $1', [siteId]);
  return rows.length > 0;
}

/**
 * Writes a legal entity and gives it its sites; one of that code is changed. Numbers that were
 * given stay as they are. Throws when a format has no place for the number.
 */
export const writeLegalEntity = (
  pool: Pool,
  ids: Ids,
  entity: LegalEntityOfSites,
): Promise<bigint> => transaction(pool, (client) => writeLegalEntityIn(client, ids, entity));

/** `writeLegalEntity` in a transaction of the caller. */
export async function writeLegalEntityIn(
  client: PoolClient,
  ids: Ids,
  entity: LegalEntityOfSites,
): Promise<bigint> {
  numberText(entity.invoiceFormat, 0);
  numberText(entity.creditNoteFormat, 0);
  const { code, name, taxNumber, fiscalMonth, invoiceFormat, creditNoteFormat } = entity;
  const { rows } = await client.query(
    `INSERT INTO legal_entity (id, code, name, tax_number, fiscal_month, invoice_format,
                               credit_note_format)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (code) DO UPDATE
        SET name = EXCLUDED.name, tax_number = EXCLUDED.tax_number,
            fiscal_month = EXCLUDED.fiscal_month, invoice_format = EXCLUDED.invoice_format,
            credit_note_format = EXCLUDED.credit_note_format
     RETURNING id`,
    [await ids.take(), code, name, taxNumber, fiscalMonth, invoiceFormat, creditNoteFormat],
  );
  await client.query(
    `INSERT INTO site_legal_entity (site_id, legal_entity_id)
     SELECT site_id, $2 FROM unnest($1::bigint[]) AS site_id
     ON CONFLICT (site_id) DO UPDATE SET legal_entity_id = EXCLUDED.legal_entity_id`,
    [entity.siteIds, rows[0].id],
  );
  return rows[0].id;
}
