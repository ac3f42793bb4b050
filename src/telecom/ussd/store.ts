/** What the dialogue reads: callers and cards, many at once in one query. */
import type { Pool } from 'pg';
import type { Category } from '../../billing/catalogue/file/types.ts';
import type { TermName } from '../../billing/catalogue/rules.ts';
import type { Run } from '../../billing/subscriptions/rules.ts';
import { parseLocalDate } from '../../platform/calendar.ts';
import { createBatchedRead } from '../../platform/database/batched-read.ts';
import { maskedName } from '../../registry/rules.ts';

export interface CardRecord extends Run {
  id: bigint;
  number: string;
  siteId: bigint;
  bouquetId: bigint;
  maskedName: string;
  /** Of its owner: whose prices hold. */
  category: Category;
  /** The conditional-access system it belongs to. */
  casId: string;
  usualTerm: TermName;
}

export interface CallerRecord {
  subscriberId: bigint | null;
  siteId: bigint | null;
  language: 'en' | 'fr' | null;
  credit: bigint;
  /** Of the wallet; for a reseller, of the float. */
  units: bigint;
  reseller: { id: bigint; siteId: bigint } | null;
  cards: CardRecord[];
}

export interface DialogueStore {
  caller(msisdn: string): Promise<CallerRecord | undefined>;
  cardByNumber(number: string): Promise<CardRecord | undefined>;
  cardById(id: bigint): Promise<CardRecord | undefined>;
}

const KEYS_MAX = 256;
const LANES = 2;
/** Cards a phone is offered; a menu page is short. */
const CARDS_PER_CALLER_MAX = 20;

const CARD = `c.id, c.number, c.site_id, o.full_name, o.category, c.cas_id, s.bouquet_id, s.term,
  s.run_from, s.paid_until, s.base_date::text AS base_date, s.anchor_day`;

export function createDialogueStore(pool: Pool): DialogueStore {
  const options = { keysMax: KEYS_MAX, lanes: LANES };
  return {
    caller: createBatchedRead({ load: (phones) => loadCallers(pool, phones), ...options }),
    cardByNumber: createBatchedRead({
      load: async (numbers: readonly string[]) => {
        const cards = await loadCards(pool, 'dialogue-cards-by-number', 'c.number', numbers);
        return new Map(cards.map((card) => [card.number, card]));
      },
      ...options,
    }),
    cardById: createBatchedRead({
      load: async (ids: readonly bigint[]) => {
        const cards = await loadCards(pool, 'dialogue-cards-by-id', 'c.id', ids);
        return new Map(cards.map((card) => [card.id, card]));
      },
      ...options,
    }),
  };
}

async function loadCards(
  pool: Pool,
  name: string,
  column: 'c.number' | 'c.id',
  keys: readonly (string | bigint)[],
): Promise<CardRecord[]> {
  const type = column === 'c.id' ? 'bigint[]' : 'text[]';
  const { rows } = await pool.query({
    name,
    text: `SELECT ${CARD} FROM card c
             JOIN subscriber o ON o.id = c.subscriber_id
             JOIN subscription s ON s.card_id = c.id
            WHERE ${column} = ANY($1::${type})`,
    values: [keys],
  });
  return rows.map(cardOf);
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
const cardOf = (row: any): CardRecord => ({
  id: row.id,
  number: row.number,
  siteId: row.site_id,
  bouquetId: row.bouquet_id,
  maskedName: maskedName(row.full_name),
  category: row.category,
  casId: row.cas_id,
  usualTerm: row.term,
  runFrom: row.run_from,
  paidUntil: row.paid_until,
  baseDate: row.base_date === null ? null : parseLocalDate(row.base_date),
  anchorDay: row.anchor_day,
});

/**
 * Callers with their own cards and those they saved. Two statements for any number of phones; both
 * walk primary keys and card_subscriber.
 */
async function loadCallers(
  pool: Pool,
  phones: readonly string[],
): Promise<Map<string, CallerRecord>> {
  const [people, cards] = await Promise.all([
    pool.query({
      name: 'dialogue-callers',
      text: `SELECT k.msisdn, p.subscriber_id, s.site_id,
                    coalesce(p.language, s.language) AS language,
                    w.amount AS credit, coalesce(rb.amount, t.amount) AS units,
                    r.id AS reseller_id, r.site_id AS reseller_site_id
               FROM unnest($1::text[]) AS k (msisdn)
               LEFT JOIN phone p ON p.msisdn = k.msisdn
               LEFT JOIN subscriber s ON s.id = p.subscriber_id
               LEFT JOIN balance w ON w.account_id = s.wallet_id
               LEFT JOIN balance t ON t.account_id = s.tvu_wallet_id
               LEFT JOIN reseller r ON r.msisdn = k.msisdn
               LEFT JOIN balance rb ON rb.account_id = r.tvu_wallet_id`,
      values: [phones],
    }),
    pool.query({
      name: 'dialogue-caller-cards',
      text: `SELECT own.msisdn, own.saved, ${CARD}
               FROM (SELECT p.msisdn, c.id AS card_id, false AS saved
                       FROM phone p JOIN card c ON c.subscriber_id = p.subscriber_id
                      WHERE p.msisdn = ANY($1::text[])
                     UNION ALL
                     SELECT v.msisdn, v.card_id, true FROM saved_card v
                      WHERE v.msisdn = ANY($1::text[])) own
               JOIN card c ON c.id = own.card_id
               JOIN subscriber o ON o.id = c.subscriber_id
               JOIN subscription s ON s.card_id = c.id
              ORDER BY own.saved, c.id`,
      values: [phones],
    }),
  ]);
  const callers = new Map<string, CallerRecord>();
  for (const row of people.rows) {
    callers.set(row.msisdn, {
      subscriberId: row.subscriber_id,
      siteId: row.site_id,
      language: row.language,
      credit: row.credit ?? 0n,
      units: row.units ?? 0n,
      reseller: row.reseller_id && { id: row.reseller_id, siteId: row.reseller_site_id },
      cards: [],
    });
  }
  for (const row of cards.rows) {
    const of = callers.get(row.msisdn)?.cards;
    if (of && of.length < CARDS_PER_CALLER_MAX) of.push(cardOf(row));
  }
  return callers;
}
