-- What renewals are measured against: one statement renews $1 subscriptions that are due at $2, and
-- writes the rows that the product writes, under the same constraints and the same role. It knows
-- the paid-up month of a card alone, and no key. $3 is the first of its ids, $4 what the product
-- has in memory: the month's price, one tax and products of each bouquet.
WITH due AS MATERIALIZED (
  SELECT s.id, s.bouquet_id, s.card_id, s.run_from, s.paid_until AS begins, s.anchor_day,
         s.time_of_day, s.renew_at,
         ((date_trunc('month', s.base_date) + interval '1 month')::date
           + least(s.anchor_day, extract(day FROM date_trunc('month', s.base_date)
               + interval '2 months' - interval '1 day')::integer) - 1) AS last
    FROM subscription s
   WHERE s.renew_at <= $2
   ORDER BY s.renew_at, s.id LIMIT $1
     FOR NO KEY UPDATE SKIP LOCKED
), renewal AS MATERIALIZED (
  SELECT d.*, $3::bigint + 3 * (row_number() OVER (ORDER BY d.id) - 1) AS inbox_id,
         (d.last + 1)::timestamp AT TIME ZONE t.time_zone AS until, c.site_id, t.currency,
         o.wallet_id, l.id AS lot_id, l.journal_id AS lot_journal, l.kind AS lot_kind, l.priority,
         m.price, round(m.price * m.tax_ppm::numeric / (1000000 + m.tax_ppm)) AS tax, m.tax_code,
         m.tax_ppm, m.products, w.amount - m.price AS credit
    FROM due d
    JOIN card c ON c.id = d.card_id
    JOIN subscriber o ON o.id = c.subscriber_id
    JOIN site t ON t.id = c.site_id
    JOIN balance w ON w.account_id = o.wallet_id
    JOIN lot l ON l.account_id = o.wallet_id AND l.remaining > 0
    JOIN jsonb_to_recordset($4::jsonb) AS m (bouquet_id bigint, price bigint, tax_code text,
         tax_ppm bigint, products text[]) ON m.bouquet_id = d.bouquet_id
), inboxes AS (
  INSERT INTO inbox (id, provider, receipt, kind, state, channel_id, received_at, settled_at,
                     outcome, raw)
  SELECT inbox_id, 'vip', 'renew:' || id || ':' ||
           to_char(renew_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
         'renew', 'settled', 'scheduler', $2, $2,
         jsonb_build_object('content', 'renew', 'settled', jsonb_build_object(
           'state', 'settled', 'ref', right(upper(to_hex(inbox_id)), 5), 'code', NULL,
           'credit', credit::text, 'units', NULL,
           'paidUntil', to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))), ''
    FROM renewal
), journals AS (
  INSERT INTO journal (id, kind, site_id, inbox_id, effective_at)
  SELECT inbox_id + 1, 'purchase', site_id, inbox_id, $2 FROM renewal
), entries AS (
  INSERT INTO entry (journal_id, line, account_id, asset, amount)
  SELECT inbox_id + 1, 1, wallet_id, currency, -price FROM renewal
  UNION ALL SELECT inbox_id + 1, 2, :deferred, currency, price - tax FROM renewal
  UNION ALL SELECT inbox_id + 1, 3, :tax, currency, tax FROM renewal
), terms AS (
  INSERT INTO term (id, subscription_id, bouquet_id, kind, from_at, to_at, asset, price, tax,
                    journal_id, sold_at, base_date, anchor_day, time_of_day, parts,
                    taxes)
  SELECT inbox_id + 2, id, bouquet_id, 'month', begins, until, currency, price, tax,
         inbox_id + 1, begins - interval '1 millisecond', last, anchor_day, time_of_day,
         jsonb_build_array(jsonb_build_object('lot', lot_id::text, 'account', wallet_id::text,
           'journal', lot_journal::text, 'kind', lot_kind, 'priority', priority,
           'expires', NULL, 'amount', price::text)),
         jsonb_build_array(jsonb_build_object('code', tax_code, 'ppm', tax_ppm::text,
           'on', '{net}'::text[], 'amount', tax::text))
    FROM renewal
), lots AS (
  UPDATE lot l SET remaining = l.remaining - r.price FROM renewal r WHERE l.id = r.lot_id
), balances AS (
  UPDATE balance b SET amount = r.credit FROM renewal r WHERE b.account_id = r.wallet_id
), rights AS (
  UPDATE card_rights g
     SET desired_rev = g.desired_rev + 1, next_at = $2, raised_at = $2, attempts = 0,
         failure = NULL,
         desired = (SELECT jsonb_agg(jsonb_build_object('product', p,
                      'from', to_char(r.run_from AT TIME ZONE 'UTC',
                                      'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                      'to', to_char(r.until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
                      ORDER BY p)
                      FROM unnest(r.products) AS p)
    FROM renewal r WHERE g.card_id = r.card_id
)
UPDATE subscription s
   SET paid_until = r.until, base_date = r.last FROM renewal r WHERE s.id = r.id
