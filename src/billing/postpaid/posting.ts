/** Turns what acts have written into journals and entries of the ledger's accounts. */
import type { ClientBase, PoolClient } from 'pg';
import type { Ids } from '../../platform/ports.ts';
import { type AccountName, accountKey, NAMELESS_TAX, taxOwner } from '../ledger/chart.ts';
import { balancedEntries } from '../ledger/rules.ts';
import { ensureAccounts } from '../ledger/store.ts';
import type { IdSource } from './books.ts';
import { bookingsOf, type FactJournal, type Role, type RoleEntry } from './journals.ts';
import type { TaxParts } from './line-taxes.ts';
import type { Loaded } from './load.ts';

interface JournalRow {
  id: bigint;
  kind: string;
  site_id: bigint;
  fact_id: bigint;
  effective_at: Date;
  reverses: bigint | null;
}

interface EntryRow {
  journal_id: bigint;
  line: number;
  account_id: bigint;
  asset: string;
  amount: bigint;
}

/** As the tables of the ledger have them. */
export interface Postings {
  journals: JournalRow[];
  entries: EntryRow[];
}

export interface PostingTools {
  /** Of journals and of the ledger's accounts. */
  ids: Ids;
  at: Date;
  /** Of the lines that are issued. */
  taxes: TaxParts;
}

interface Booked {
  id: bigint;
  fact_id: bigint;
  kind: string;
  reverses: bigint | null;
  account_id: bigint;
  asset: string;
  amount: bigint;
}

/** The journals of all that these accounts have added and changed. */
export async function postingsOf(
  client: ClientBase,
  accounts: readonly Loaded[],
  tools: PostingTools,
): Promise<Postings> {
  const all = accounts.map((of) => ({ of, ...bookingsOf(of.book, of.before, tools.taxes) }));
  const facts = all.flatMap(({ journals, voided }) => [
    ...voided,
    ...journals.flatMap(({ reversesFact }) => (reversesFact === null ? [] : [reversesFact])),
  ]);
  const booked = facts.length > 0 ? await readBooked(client, facts) : [];
  const names = all.flatMap(({ of, journals }) =>
    journals.flatMap(({ entries }) => entries.map((entry) => nameOf(of, entry))),
  );
  const ledger = await accountsOf(client, names, tools.ids);
  const count = all.reduce((sum, { journals }) => sum + journals.length, booked.length);
  const ids = await tools.ids.lend(count);
  const postings: Postings = { journals: [], entries: [] };
  for (const { of, journals, voided } of all) {
    const context = { postings, of, ids, at: tools.at, booked, ledger };
    for (const journal of journals) post(context, journal);
    for (const factId of voided) negate(context, factId);
  }
  return postings;
}

interface Context {
  postings: Postings;
  of: Loaded;
  ids: IdSource;
  at: Date;
  booked: readonly Booked[];
  /** Ledger accounts by `accountKey`. */
  ledger: ReadonlyMap<string, bigint>;
}

/** Purpose: what stands of these facts in the ledger: journals that were not taken back. */
async function readBooked(client: ClientBase, facts: readonly bigint[]): Promise<Booked[]> {
  const { rows } = await client.query({
    name: 'postpaid-booked',
    text: `SELECT j.id, j.fact_id, j.kind, e.account_id, e.asset, e.amount
             FROM journal j JOIN entry e ON e.journal_id = j.id
            WHERE j.fact_id = ANY($1) AND j.reverses IS NULL
              AND NOT EXISTS (SELECT FROM journal r WHERE r.reverses = j.id)
            ORDER BY j.id, e.line`,
    values: [facts],
  });
  return rows;
}

/** Whose account a role is: what the customer owes and has is kept for each of them. */
const PERSONAL: ReadonlySet<Role> = new Set(['receivable', 'customer_credit']);

const nameOf = ({ siteId, book }: Loaded, { role, asset, taxCode }: RoleEntry): AccountName => ({
  owner: ownerOf(role, { siteId, accountId: book.account.id, taxCode }),
  kind: role,
  asset,
});

function ownerOf(
  role: Role,
  of: { siteId: bigint; accountId: bigint; taxCode: string | undefined },
): string {
  if (PERSONAL.has(role)) return `postpaid:${of.accountId}`;
  if (role === 'deferred_revenue') return deferringOwner(of.siteId);
  return taxOwner(of.siteId, of.taxCode ?? NAMELESS_TAX);
}

/** Who owns what a site was paid for by documents and has not earned: apart from prepaid terms. */
export const deferringOwner = (siteId: bigint): string => `site:${siteId}:invoices`;

/** The ledger's accounts of these names; those that do not stand yet are opened. */
async function accountsOf(
  client: ClientBase,
  names: readonly AccountName[],
  ids: Ids,
): Promise<Map<string, bigint>> {
  const wanted = new Map(names.map((name) => [accountKey(name), name]));
  if (wanted.size === 0) return new Map();
  const { rows } = await client.query({
    name: 'postpaid-ledger',
    text: `SELECT a.id, a.owner, a.kind, a.asset FROM account a
             JOIN jsonb_to_recordset($1::jsonb) AS x (owner text, kind text, asset text)
               ON x.owner = a.owner AND x.kind = a.kind AND x.asset = a.asset`,
    values: [JSON.stringify([...wanted.values()])],
  });
  const found = new Map<string, bigint>(rows.map((row) => [accountKey(row), row.id]));
  const missing = [...wanted].filter(([key]) => !found.has(key)).map(([, name]) => name);
  if (missing.length === 0) return found;
  const opened = await ensureAccounts(client as PoolClient, ids, missing);
  return new Map([...found, ...opened]);
}

function post(context: Context, journal: FactJournal): void {
  const { of, ledger, booked } = context;
  const entries = journal.entries.map((entry) => {
    const accountId = ledger.get(accountKey(nameOf(of, entry)));
    if (accountId === undefined) throw new Error(`No ledger account for ${entry.role}`);
    return { accountId, asset: entry.asset, amount: entry.amount };
  });
  const original = booked.find(({ fact_id }) => fact_id === journal.reversesFact);
  write(context, { ...journal, entries, reverses: original?.id ?? null });
}

/** Takes back every journal of a fact, each by one that names it. */
function negate(context: Context, factId: bigint): void {
  const lines = context.booked.filter(({ fact_id }) => fact_id === factId);
  for (const [id, entries] of Map.groupBy(lines, (line) => line.id)) {
    const kind = `void_${entries[0]?.kind}`;
    const negated = entries.map(({ account_id, asset, amount }) => ({
      accountId: account_id,
      asset,
      amount: -amount,
    }));
    write(context, { kind, factId, entries: negated, reverses: id });
  }
}

interface Ready {
  kind: string;
  factId: bigint;
  entries: readonly { accountId: bigint; asset: string; amount: bigint }[];
  reverses: bigint | null;
}

function write({ postings, of, ids, at }: Context, ready: Ready): void {
  const id = ids.next();
  postings.journals.push({
    id,
    kind: ready.kind,
    site_id: of.siteId,
    fact_id: ready.factId,
    effective_at: at,
    reverses: ready.reverses,
  });
  for (const [place, entry] of balancedEntries(ready.entries).entries()) {
    const { accountId, asset, amount } = entry;
    postings.entries.push({
      journal_id: id,
      line: place + 1,
      account_id: accountId,
      asset,
      amount,
    });
  }
}
