/** Facts that few batches need: pay-per-view and reversals. */
import type { ClientBase } from 'pg';
import type { BookedPayment, CardFacts, EventPurchaseFacts } from './facts.ts';

/** Purchases to be spent or given back, with the lots their money came from. */
export async function loadEventPurchases(client: ClientBase, ids: ReadonlySet<bigint>) {
  const found = new Map<bigint, EventPurchaseFacts>();
  if (ids.size === 0) return found;
  const { rows } = await client.query({
    name: 'settlement-event-purchases',
    text: `SELECT p.id, p.event_id, p.card_id, p.subscriber_id, p.asset, p.price, p.tax, p.state,
                  h.lot_id, h.amount
             FROM event_purchase p JOIN hold_part h ON h.event_purchase_id = p.id
            WHERE p.id = ANY($1::bigint[])
            ORDER BY p.id FOR NO KEY UPDATE OF p`,
    values: [[...ids]],
  });
  for (const row of rows) {
    const part = { lotId: row.lot_id, amount: row.amount };
    const known = found.get(row.id);
    found.set(row.id, {
      id: row.id,
      eventId: row.event_id,
      cardId: row.card_id,
      subscriberId: row.subscriber_id,
      asset: row.asset,
      price: row.price,
      tax: row.tax,
      state: row.state,
      parts: known ? [...known.parts, part] : [part],
    });
  }
  return found;
}

/** `<eventId>/<cardId>` of the events that these cards have bought before. */
export async function loadEventsBought(
  client: ClientBase,
  wanted: boolean,
  cards: ReadonlyMap<bigint, CardFacts>,
): Promise<Set<string>> {
  if (!wanted || cards.size === 0) return new Set();
  const { rows } = await client.query({
    name: 'settlement-events-bought',
    text: 'SELECT event_id, card_id FROM event_purchase WHERE card_id = ANY($1::bigint[])',
    values: [[...cards.keys()]],
  });
  return new Set(rows.map((row) => `${row.event_id}/${row.card_id}`));
}

/** Phones of ours whose number has one of these hashes: a payer whose number is hidden. */
export async function loadHashedPhones(client: ClientBase, hashes: ReadonlySet<string>) {
  if (hashes.size === 0) return new Map<string, string>();
  const { rows } = await client.query({
    name: 'settlement-hashed-phones',
    text: 'SELECT msisdn, msisdn_hash FROM phone WHERE msisdn_hash = ANY($1::text[])',
    values: [[...hashes]],
  });
  return new Map<string, string>(rows.map((row) => [row.msisdn_hash, row.msisdn]));
}

/** The payments that reversals name, by `provider|receipt`, as they were booked. */
export async function loadOriginals(
  client: ClientBase,
  originals: readonly { provider: string; receipt: string }[],
) {
  const found = new Map<string, BookedPayment>();
  if (originals.length === 0) return found;
  const { rows } = await client.query({
    name: 'settlement-originals',
    text: `SELECT i.id AS inbox_id, i.provider, i.receipt, i.state, j.id AS journal_id,
                  e.account_id, e.asset, e.amount,
                  EXISTS (SELECT FROM journal r WHERE r.reverses = j.id) AS reversed,
                  EXISTS (SELECT FROM suspense_item s
                           WHERE s.inbox_id = i.id AND s.state = 'open') AS suspense_open
             FROM unnest($1::text[], $2::text[]) AS k (provider, receipt)
             JOIN inbox i ON i.provider = k.provider AND i.receipt = k.receipt
             JOIN journal j ON j.inbox_id = i.id AND j.kind = 'payment'
             JOIN entry e ON e.journal_id = j.id
            ORDER BY e.journal_id, e.line`,
    values: [originals.map((o) => o.provider), originals.map((o) => o.receipt)],
  });
  for (const row of rows) {
    const key = `${row.provider}|${row.receipt}`;
    const entry = { accountId: row.account_id, asset: row.asset, amount: row.amount };
    const known = found.get(key);
    found.set(key, {
      inboxId: row.inbox_id,
      state: row.state,
      journalId: row.journal_id,
      alreadyReversed: row.reversed,
      suspenseOpen: row.suspense_open,
      entries: known ? [...known.entries, entry] : [entry],
    });
  }
  return found;
}
