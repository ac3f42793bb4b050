/** Payments that claims, moves and reversals name: locked, and read with what became of them. */
import type { ClientBase } from 'pg';
import type { BookedPayment, MoveFacts, PaymentPlace } from './facts.ts';

/** Payments and paid top-ups by `provider|receipt`, as booked. Locks their inbox rows by id. */
export async function loadOriginals(
  client: ClientBase,
  originals: readonly { provider: string; receipt: string }[],
): Promise<Map<string, BookedPayment>> {
  const found = new Map<string, BookedPayment>();
  if (originals.length === 0) return found;
  const locked = await client.query({
    name: 'settlement-lock-originals',
    text: `SELECT i.id FROM inbox i
            WHERE (i.provider, i.receipt) IN (SELECT * FROM unnest($1::text[], $2::text[]))
            ORDER BY i.id FOR NO KEY UPDATE`,
    values: [originals.map((o) => o.provider), originals.map((o) => o.receipt)],
  });
  const ids = locked.rows.map((row) => row.id);
  if (ids.length === 0) return found;
  const moves = await loadMovesOf(client, ids);
  const places = await loadPlaces(client, ids);
  const { rows } = await client.query({
    name: 'settlement-originals',
    text: `SELECT i.id AS inbox_id, i.provider, i.receipt, i.state, i.received_at, i.card_id,
                  i.subscriber_id, i.payer_msisdn, i.means,
                  j.id AS journal_id, j.site_id, e.account_id, e.asset, e.amount,
                  a.kind, a.owner = 'subscriber:' || i.subscriber_id AS is_owners,
                  EXISTS (SELECT FROM journal r WHERE r.reverses = j.id) AS reversed,
                  EXISTS (SELECT FROM suspense_item s
                           WHERE s.inbox_id = i.id AND s.state = 'open') AS suspense_open
             FROM inbox i
             JOIN journal j ON j.inbox_id = i.id
              AND (j.kind = 'payment' OR (j.kind = 'top_up' AND i.subscriber_id IS NOT NULL))
             JOIN entry e ON e.journal_id = j.id
             JOIN account a ON a.id = e.account_id
            WHERE i.id = ANY($1::bigint[])
            ORDER BY e.journal_id, e.line`,
    values: [ids],
  });
  for (const row of rows) {
    const key = `${row.provider}|${row.receipt}`;
    const known = found.get(key) ?? {
      ...bookedOf(row),
      places: places.get(row.inbox_id) ?? [],
      move: moves.get(row.inbox_id) ?? null,
    };
    const entry = { accountId: row.account_id, asset: row.asset, amount: row.amount };
    found.set(key, withEntry({ ...known, entries: [...known.entries, entry] }, row));
  }
  return found;
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
const bookedOf = (row: any): BookedPayment => ({
  inboxId: row.inbox_id,
  state: row.state,
  journalId: row.journal_id,
  alreadyReversed: row.reversed,
  entries: [],
  suspenseOpen: row.suspense_open,
  siteId: row.site_id,
  at: row.received_at,
  asset: row.asset,
  amount: row.amount,
  payerMsisdn: row.payer_msisdn,
  means: row.means,
  places: [],
  move: null,
});

/** The clearing account says what came; the wallet, whether all of it became credit. */
// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
function withEntry(payment: BookedPayment, row: any): BookedPayment {
  if (row.kind === 'provider_clearing') {
    return { ...payment, asset: row.asset, amount: -BigInt(row.amount) };
  }
  const { inboxId: paymentId, journalId, entries } = payment;
  const brought = entries.find((entry) => entry.amount < 0n);
  const isCredit =
    row.kind === 'wallet_paid' && row.is_owners && brought && -brought.amount === row.amount;
  if (!isCredit) return payment;
  const { subscriber_id: subscriberId, card_id: cardId, amount } = row;
  const first = { paymentId, journalId, subscriberId, cardId, amount };
  return { ...payment, places: [first, ...payment.places] };
}

async function loadMovesOf(
  client: ClientBase,
  paymentIds: readonly bigint[],
): Promise<Map<bigint, MoveFacts>> {
  const { rows } = await client.query({
    name: 'settlement-moves-of',
    text: `SELECT id, payment_id, to_card_id, payer, asked_at, due_at, state FROM payment_move
            WHERE payment_id = ANY($1::bigint[])`,
    values: [paymentIds],
  });
  return new Map(
    rows.map((row) => [
      row.payment_id,
      {
        id: row.id,
        paymentId: row.payment_id,
        toCardId: row.to_card_id,
        payer: row.payer,
        askedAt: row.asked_at,
        dueAt: row.due_at,
        state: row.state,
      },
    ]),
  );
}

async function loadPlaces(
  client: ClientBase,
  paymentIds: readonly bigint[],
): Promise<Map<bigint, PaymentPlace[]>> {
  const places = new Map<bigint, PaymentPlace[]>();
  const { rows } = await client.query({
    name: 'settlement-places',
    text: `SELECT payment_id, journal_id, subscriber_id, card_id, amount FROM payment_place
            WHERE payment_id = ANY($1::bigint[]) ORDER BY id`,
    values: [paymentIds],
  });
  for (const row of rows) {
    const place: PaymentPlace = {
      paymentId: row.payment_id,
      journalId: row.journal_id,
      subscriberId: row.subscriber_id,
      cardId: row.card_id,
      amount: row.amount,
    };
    places.set(place.paymentId, [...(places.get(place.paymentId) ?? []), place]);
  }
  return places;
}

/** Cards of others for which these subscribers' wallets have paid. */
export async function payersCards(
  client: ClientBase,
  subscriberIds: ReadonlySet<bigint>,
): Promise<bigint[]> {
  const { rows } = await client.query({
    name: 'settlement-payers-cards',
    text: `SELECT DISTINCT s.card_id AS id
             FROM subscriber o
             JOIN term t ON t.payer_id = o.wallet_id AND t.state = 'sold'
             JOIN subscription s ON s.id = t.subscription_id AND s.card_id IS NOT NULL
            WHERE o.id = ANY($1::bigint[])`,
    values: [[...subscriberIds]],
  });
  return rows.map((row) => row.id);
}
