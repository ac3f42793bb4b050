/** Columns of the ledger's rows with their types, for those who write them as sets. */

/** Every entry that is booked, whoever books it. */
export const ENTRY_COLUMNS = {
  journal_id: 'bigint',
  line: 'smallint',
  account_id: 'bigint',
  asset: 'text',
  amount: 'bigint',
} as const;
