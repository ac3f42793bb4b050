/** Facts that few batches need, each read only when a command of the batch asks for it. */
import { createHash } from 'node:crypto';
import type { ClientBase, Pool } from 'pg';
import { parseLocalDate } from '../../platform/calendar.ts';
import type {
  CardFacts,
  CommissionFacts,
  DebtFacts,
  EventPurchaseFacts,
  InvoiceFacts,
  PromotionFacts,
  RareFacts,
  SubscriberFacts,
  TrialFacts,
  VoucherFacts,
} from './facts.ts';
import type { LoadTools } from './load-tools.ts';
import type { Needs } from './needs.ts';

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

/** Guards what has no row yet: trials of the same person, requests of the same payer. */
export async function lockNames(client: ClientBase, needs: Needs): Promise<void> {
  const names = [...needs.movePayers].map((payer) => `move:${payer}`);
  if (needs.trialCardIds.size > 0) names.push('trial');
  if (names.length === 0) return;
  const keys = names.map((name) => createHash('sha256').update(name).digest().readBigInt64BE());
  await client.query({
    name: 'settlement-lock-names',
    text: 'SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS k',
    values: [[...new Set(keys)].sort((a, b) => (a < b ? -1 : 1))],
  });
}

type LockedRows = Pick<
  RareFacts,
  'vouchers' | 'promotions' | 'promotionsUsed' | 'commissions' | 'movesAsked'
>;

/** Rows that rare commands name and change: locked before any wallet, each kind by id. */
export async function lockRows(
  client: ClientBase,
  needs: Needs,
  tools: LoadTools,
): Promise<LockedRows> {
  const vouchers = await lockVouchers(client, needs.voucherCodes, tools);
  const promotions = await lockPromotions(client, needs.promotionCodes);
  const commissions = await lockCommissions(client, needs.commissionIds);
  const promotionsUsed = await loadPromotionUses(client, promotions, needs.cardIds);
  const movesAsked = await loadMovesAsked(client, needs.movePayers);
  return { vouchers, promotions, promotionsUsed, commissions, movesAsked };
}

async function lockVouchers(
  client: ClientBase,
  codes: ReadonlySet<string>,
  { voucherHash }: LoadTools,
): Promise<Map<string, VoucherFacts>> {
  if (codes.size === 0) return new Map();
  const codeOf = new Map([...codes].map((code) => [voucherHash(code), code]));
  const { rows } = await client.query({
    name: 'settlement-vouchers',
    text: `SELECT v.id, v.code_hash, v.state, v.used_at, v.used_by, v.settled, b.kind, b.value,
                  b.asset, b.expires_at, b.bonus, b.bonus_days, b.bouquet_id, b.days
             FROM voucher v JOIN voucher_batch b ON b.id = v.batch_id
            WHERE v.code_hash = ANY($1::text[])
            ORDER BY v.id FOR NO KEY UPDATE OF v`,
    values: [[...codeOf.keys()]],
  });
  return new Map(
    rows.map((row) => {
      const code = codeOf.get(row.code_hash) ?? '';
      const used = row.used_at && { at: row.used_at, cardId: row.used_by, settled: row.settled };
      const voucher: VoucherFacts = {
        id: row.id,
        code,
        kind: row.kind,
        value: row.value,
        asset: row.asset,
        expiresAt: row.expires_at,
        state: row.state,
        bonus: row.bonus,
        bonusDays: row.bonus_days,
        bouquetId: row.bouquet_id,
        days: row.days,
        used,
      };
      return [code, voucher];
    }),
  );
}

async function lockPromotions(
  client: ClientBase,
  keys: ReadonlySet<string>,
): Promise<Map<string, PromotionFacts>> {
  if (keys.size === 0) return new Map();
  const parts = [...keys].map((key) => {
    const bar = key.indexOf('|');
    return [key.slice(0, bar), key.slice(bar + 1)];
  });
  const { rows } = await client.query({
    name: 'settlement-promotions',
    text: `SELECT id, site_id, code, bouquet_id, term, bonus_days, budget_left, from_at, to_at
             FROM promotion
            WHERE (site_id, code) IN (SELECT * FROM unnest($1::bigint[], $2::text[]))
            ORDER BY id FOR NO KEY UPDATE`,
    values: [parts.map(([siteId]) => siteId), parts.map(([, code]) => code)],
  });
  return new Map(
    rows.map((row) => [
      `${row.site_id}|${row.code}`,
      {
        id: row.id,
        siteId: row.site_id,
        code: row.code,
        bouquetId: row.bouquet_id,
        term: row.term,
        bonusDays: row.bonus_days,
        budgetLeft: row.budget_left,
        from: row.from_at,
        to: row.to_at,
      },
    ]),
  );
}

async function loadPromotionUses(
  client: ClientBase,
  promotions: ReadonlyMap<string, PromotionFacts>,
  cardIds: ReadonlySet<bigint>,
): Promise<Set<string>> {
  if (promotions.size === 0) return new Set();
  const { rows } = await client.query({
    name: 'settlement-promotion-uses',
    text: `SELECT promotion_id, card_id FROM promotion_use
            WHERE promotion_id = ANY($1::bigint[]) AND card_id = ANY($2::bigint[])`,
    values: [[...promotions.values()].map(({ id }) => id), [...cardIds]],
  });
  return new Set(rows.map((row) => `${row.promotion_id}/${row.card_id}`));
}

async function lockCommissions(
  client: ClientBase,
  ids: ReadonlySet<bigint>,
): Promise<Map<bigint, CommissionFacts>> {
  if (ids.size === 0) return new Map();
  const { rows } = await client.query({
    name: 'settlement-commissions',
    text: `SELECT id, subscription_id, site_id, reseller, asset, amount, due_at, state
             FROM commission WHERE id = ANY($1::bigint[]) ORDER BY id FOR NO KEY UPDATE`,
    values: [[...ids]],
  });
  return new Map(
    rows.map((row) => [
      row.id,
      {
        id: row.id,
        subscriptionId: row.subscription_id,
        siteId: row.site_id,
        reseller: row.reseller,
        asset: row.asset,
        amount: row.amount,
        dueAt: row.due_at,
        state: row.state,
      },
    ]),
  );
}

/** Counted in a calendar month: the newest of a payer are enough. */
const MOVES_ASKED_MAX = 1_000;

async function loadMovesAsked(
  client: ClientBase,
  payers: ReadonlySet<string>,
): Promise<Map<string, Date[]>> {
  const asked = new Map<string, Date[]>();
  if (payers.size === 0) return asked;
  const { rows } = await client.query({
    name: 'settlement-moves-asked',
    text: `SELECT p.payer, m.asked_at
             FROM unnest($1::text[]) AS p (payer)
             CROSS JOIN LATERAL (SELECT asked_at FROM payment_move m WHERE m.payer = p.payer
                                  ORDER BY asked_at DESC LIMIT $2) AS m`,
    values: [[...payers], MOVES_ASKED_MAX],
  });
  for (const row of rows) asked.set(row.payer, [...(asked.get(row.payer) ?? []), row.asked_at]);
  return asked;
}

/** Open debts of those who owe; behind the locks, which guard them. */
export async function loadDebts(
  client: ClientBase,
  subscribers: ReadonlyMap<bigint, SubscriberFacts>,
): Promise<Map<bigint, DebtFacts[]>> {
  const debts = new Map<bigint, DebtFacts[]>();
  const ids = [...subscribers.values()].filter((one) => one.owes).map((one) => one.id);
  if (ids.length === 0) return debts;
  const { rows } = await client.query({
    name: 'settlement-debts',
    text: `SELECT id, subscriber_id, kind, asset, amount, fee, remaining, line_id FROM debt
            WHERE subscriber_id = ANY($1::bigint[]) AND remaining > 0 ORDER BY id`,
    values: [ids],
  });
  for (const row of rows) {
    const { id, subscriber_id: subscriberId, kind, asset, amount, fee, remaining } = row;
    const debt = { id, subscriberId, kind, asset, amount, fee, remaining, lineId: row.line_id };
    debts.set(subscriberId, [...(debts.get(subscriberId) ?? []), debt]);
  }
  return debts;
}

/** Trials that the decoders and persons of these cards have had. */
export async function loadTrials(
  client: ClientBase,
  cardIds: ReadonlySet<bigint>,
  cards: ReadonlyMap<bigint, CardFacts>,
): Promise<TrialFacts[]> {
  const asked = [...cardIds].flatMap((id) => cards.get(id) ?? []);
  if (asked.length === 0) return [];
  const { rows } = await client.query({
    name: 'settlement-trials',
    text: `SELECT decoder, person, granted_on::text AS granted_on FROM trial
            WHERE decoder = ANY($1::text[]) OR person = ANY($2::text[])`,
    values: [
      asked.map((card) => card.subscription?.decoder ?? card.number),
      asked.flatMap((card) => card.subscription?.person ?? []),
    ],
  });
  return rows.map(({ decoder, person, granted_on: on }) => ({
    decoder,
    person,
    on: parseLocalDate(on),
  }));
}

/** Counted by the day: the newest entries of an account are enough. */
const TRANSFERS_MAX = 1_000;

/** When units were last sent from these accounts. */
export async function loadUnitTransfers(
  client: ClientBase,
  accountIds: readonly bigint[],
): Promise<Map<bigint, Date[]>> {
  const sent = new Map<bigint, Date[]>();
  if (accountIds.length === 0) return sent;
  const { rows } = await client.query({
    name: 'settlement-unit-transfers',
    text: `SELECT a.id, j.effective_at
             FROM unnest($1::bigint[]) AS a (id)
             CROSS JOIN LATERAL (SELECT journal_id FROM entry e
                                  WHERE e.account_id = a.id AND e.amount < 0
                                  ORDER BY e.xid DESC LIMIT $2) AS e
             JOIN journal j ON j.id = e.journal_id AND j.kind = 'tvu_transfer'`,
    values: [accountIds, TRANSFERS_MAX],
  });
  for (const row of rows) sent.set(row.id, [...(sent.get(row.id) ?? []), row.effective_at]);
  return sent;
}

/** Invoices whose numbers payers wrote, in the name of whoever bills for the site. */
export async function loadInvoices(
  client: Pool | ClientBase,
  documents: ReadonlySet<string>,
): Promise<Map<string, InvoiceFacts>> {
  if (documents.size === 0) return new Map();
  const written = [...documents].map((key) => key.split('|'));
  const { rows } = await client.query({
    name: 'settlement-invoices',
    text: `SELECT x.site_id, x.typed, i.id, i.account_id, a.currency,
                    s.site_id AS billed_at
             FROM unnest($1::bigint[], $2::text[]) AS x (site_id, typed)
             JOIN site_legal_entity l ON l.site_id = x.site_id
             JOIN document_number n
               ON regexp_replace(upper(n.text), '[^A-Z0-9]', '', 'g') = x.typed
              AND n.legal_entity_id = l.legal_entity_id AND n.first_line_id IS NULL
             JOIN invoice i ON (i.account_id, i.id) = (n.account_id, n.invoice_id)
             JOIN postpaid_account a ON a.id = i.account_id
             JOIN subscriber s ON s.id = a.subscriber_id
            WHERE i.status = 'committed' AND i.kind <> 'credit'`,
    values: [written.map(([siteId]) => siteId), written.map(([, typed]) => typed)],
  });
  return new Map(
    rows.map(({ id, account_id: accountId, billed_at: siteId, currency: asset, ...asked }) => [
      `${asked.site_id}|${asked.typed}`,
      { id, accountId, siteId, asset },
    ]),
  );
}
