/** Lines of subscriptions, and the lots that paid for them: for the acts that give value back. */
import type { ClientBase, Pool } from 'pg';
import { parseLocalDate } from '../../platform/calendar.ts';
import type { CardFacts, LineFacts, LinePart } from './facts.ts';
import type { SoldTax } from './taxes.ts';

/** Before the locks: the wallets that paid for lines of these cards, whoever owns them. */
export async function lineAccounts(
  client: ClientBase,
  cardIds: ReadonlySet<bigint>,
): Promise<Set<bigint>> {
  if (cardIds.size === 0) return new Set();
  const { rows } = await client.query({
    name: 'settlement-line-accounts',
    text: `SELECT DISTINCT (p->>'account')::bigint AS id
             FROM subscription s JOIN term t ON t.subscription_id = s.id
             CROSS JOIN LATERAL jsonb_array_elements(t.parts) AS p
            WHERE s.card_id = ANY($1::bigint[]) AND t.state = 'sold'`,
    values: [[...cardIds]],
  });
  return new Set(rows.map((row) => row.id));
}

export interface LoadedLines {
  bySubscription: Map<bigint, LineFacts[]>;
  /** Of their parts. */
  lotIds: Set<bigint>;
  accounts: Set<bigint>;
}

/** All lines of the present subscriptions of these cards that are not void. */
export async function loadLines(
  client: ClientBase,
  cardIds: ReadonlySet<bigint>,
  cards: ReadonlyMap<bigint, CardFacts>,
): Promise<LoadedLines> {
  const loaded: LoadedLines = {
    bySubscription: new Map(),
    lotIds: new Set(),
    accounts: new Set(),
  };
  const ids = [...cardIds].flatMap((id) => cards.get(id)?.subscription?.id ?? []);
  if (ids.length === 0) return loaded;
  for (const id of ids) loaded.bySubscription.set(id, []);
  for (const line of await readLines(client, ids)) {
    loaded.bySubscription.get(line.subscriptionId)?.push(line);
    for (const { lotId, accountId } of line.parts) {
      loaded.lotIds.add(lotId);
      loaded.accounts.add(accountId);
    }
  }
  return loaded;
}

/** The lines of these subscriptions that are not void, by id. */
export async function readLines(
  client: ClientBase | Pool,
  subscriptionIds: readonly bigint[],
): Promise<LineFacts[]> {
  const { rows } = await client.query({
    name: 'settlement-lines',
    // What lines of before do not say follows from how lines were sold then.
    text: `SELECT t.id, t.subscription_id, t.bouquet_id, t.kind, t.days, t.from_at, t.to_at,
                  t.asset, t.price, t.taxes, t.journal_id,
                  coalesce(t.sold_at, t.from_at) AS sold_at,
                  coalesce(t.base_date, (t.to_at AT TIME ZONE z.time_zone)::date - 1)::text
                    AS base_date,
                  t.anchor_day, coalesce(t.time_of_day, 0) AS time_of_day, t.parts, t.paid_by,
                  t.breaks, t.beside, t.reference
             FROM term t
             JOIN bouquet b ON b.id = t.bouquet_id
             JOIN site z ON z.id = b.site_id
            WHERE t.subscription_id = ANY($1::bigint[]) AND t.state = 'sold'
            ORDER BY t.id`,
    values: [subscriptionIds],
  });
  return rows.map(lineOf);
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
const lineOf = (row: any): LineFacts => ({
  id: row.id,
  subscriptionId: row.subscription_id,
  bouquetId: row.bouquet_id,
  kind: row.kind,
  days: row.days,
  from: row.from_at,
  to: row.to_at,
  asset: row.asset,
  price: row.price,
  taxes: readTaxes(row.taxes),
  journalId: row.journal_id,
  soldAt: row.sold_at,
  baseDate: parseLocalDate(row.base_date),
  anchorDay: row.anchor_day,
  timeOfDay: row.time_of_day,
  parts: row.parts.map(readPart),
  paidBy: row.paid_by,
  breaks: row.breaks.map(({ from, to }: StoredBreak) => ({
    from: new Date(from),
    to: new Date(to),
  })),
  beside: row.beside,
  reference: row.reference,
  state: 'sold',
});

/** A tax as it is stored: rate and amount as digits. */
type StoredTax = { code: string; ppm: string; on: string[]; amount: string };

/** Taxes as they were stored. */
export const readTaxes = (stored: readonly StoredTax[]): SoldTax[] =>
  stored.map(({ ppm, amount, ...tax }) => ({ ...tax, ppm: BigInt(ppm), amount: BigInt(amount) }));

/** Taxes as they are to be stored. */
export const taxRows = (taxes: readonly SoldTax[]): StoredTax[] =>
  taxes.map(({ code, ppm, on, amount }) => ({
    code,
    ppm: ppm.toString(),
    on: [...on],
    amount: amount.toString(),
  }));

interface StoredBreak {
  from: string;
  to: string;
}

/** A part as it is stored: ids and amounts as digits. */
interface StoredPart {
  lot: string;
  account: string;
  journal: string;
  kind: 'paid' | 'promo';
  priority: number;
  expires: string | null;
  amount: string;
}

const readPart = (stored: StoredPart): LinePart => ({
  lotId: BigInt(stored.lot),
  accountId: BigInt(stored.account),
  lotJournalId: BigInt(stored.journal),
  kind: stored.kind,
  priority: stored.priority,
  expiresAt: stored.expires === null ? null : new Date(stored.expires),
  amount: BigInt(stored.amount),
});

/** A part as it is to be stored. */
export const partRow = (part: LinePart): StoredPart => ({
  lot: part.lotId.toString(),
  account: part.accountId.toString(),
  journal: part.lotJournalId.toString(),
  kind: part.kind,
  priority: part.priority,
  expires: part.expiresAt?.toISOString() ?? null,
  amount: part.amount.toString(),
});
