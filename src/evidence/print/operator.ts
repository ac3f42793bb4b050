/** Whose papers these are. */
import type { ClientBase, Pool } from 'pg';
import { readCatalogueFile } from '../../billing/catalogue/file/read.ts';
import { catalogueTextAt } from '../reports/store.ts';

/** The operator’s name by the catalogue in force at an instant; null where none had been. */
export async function operatorAt(db: Pool | ClientBase, at: Date): Promise<string | null> {
  const text = await catalogueTextAt(db, at);
  const read = text === null ? null : readCatalogueFile(text);
  return read?.ok ? read.catalogue.operator : null;
}
