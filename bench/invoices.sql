-- What invoices are measured against: one statement invoices $1 contracts that are due at $2, and
-- writes the rows that the product writes, under the same constraints and the same role. It knows
-- a contract by the month that its customer has always paid, at $4, with one tax inside: code $5,
-- parts per million $6. $3 is the first of its ids, $7 how many days later an invoice is due.
WITH due AS MATERIALIZED (
  SELECT a.id, a.subscriber_id, a.currency, a.time_zone,
         ($2::timestamptz AT TIME ZONE a.time_zone)::date AS day
    FROM postpaid_account a
   WHERE a.due_at <= $2
   ORDER BY a.due_at LIMIT $1
     FOR NO KEY UPDATE SKIP LOCKED
), bill AS MATERIALIZED (
  SELECT d.*, (d.day + interval '1 month')::date AS until, c.id AS contract_id,
         v.plan_code, o.site_id, g.legal_entity_id, r.id AS receivable, e.id AS deferred,
         p.id AS clearing, x.id AS payable, $4::bigint AS price,
         round($4::bigint * $6::numeric / (1000000 + $6::bigint))::bigint AS tax,
         $3::bigint + 6 * (row_number() OVER (ORDER BY d.id) - 1) AS first
    FROM due d
    JOIN contract c ON c.account_id = d.id
    JOIN contract_event v ON v.account_id = d.id AND v.contract_id = c.id AND v.kind = 'plan'
    JOIN subscriber o ON o.id = d.subscriber_id
    JOIN site_legal_entity g ON g.site_id = o.site_id
    JOIN account r ON r.owner = 'postpaid:' || d.id AND r.kind = 'receivable'
                  AND r.asset = d.currency
    JOIN account e ON e.owner = 'site:' || o.site_id || ':invoices'
                  AND e.kind = 'deferred_revenue' AND e.asset = d.currency
    JOIN account p ON p.owner = 'site:' || o.site_id AND p.kind = 'external_clearing'
                  AND p.asset = d.currency
    JOIN account x ON x.owner = 'site:' || o.site_id || ':' || $5::text
                  AND x.kind = 'tax_payable' AND x.asset = d.currency
), invoices AS (
  INSERT INTO invoice (account_id, id, issued_on, kind, status, written_off, target, created_at)
  SELECT id, first, day, 'run', 'committed', false, day, $2 FROM bill
), issues AS (
  INSERT INTO invoice_issue (account_id, invoice_id, issued_on, due_on)
  SELECT id, first, day, day + $7::integer FROM bill
), lines AS (
  INSERT INTO invoice_line (account_id, id, invoice_id, contract_id, type, added_on, from_date,
                            to_date, amount, plan_code, phase, price, period, period_days,
                            tax_code)
  SELECT id, first + 1, first, contract_id, 'recurring', day, day, until, price, plan_code,
         'evergreen', price, 'monthly', until - day, 'plan'
    FROM bill
), taxes AS (
  INSERT INTO invoice_tax (account_id, line_id, place, tax_code, ppm, on_taxes, base, amount)
  SELECT id, first + 1, 1, $5, $6, 'net', price - tax, tax FROM bill
), payments AS (
  INSERT INTO invoice_payment (account_id, id, invoice_id, begun_on, kind)
  SELECT id, first + 2, first, day, 'automatic' FROM bill
), attempts AS (
  INSERT INTO payment_attempt (account_id, id, payment_id, tried_on, asked, outcome, paid,
                               settled_amount, settled_currency, decided_on)
  SELECT id, first + 3, first + 2, day, price, 'approved', price, price, currency, day FROM bill
), journals AS (
  INSERT INTO journal (id, kind, site_id, fact_id, effective_at)
  SELECT first + 4, 'invoice', site_id, first, $2 FROM bill
  UNION ALL SELECT first + 5, 'payment', site_id, first + 3, $2 FROM bill
), entries AS (
  INSERT INTO entry (journal_id, line, account_id, asset, amount)
  SELECT first + 4, 1, receivable, currency, -price FROM bill
  UNION ALL SELECT first + 4, 2, deferred, currency, price - tax FROM bill
  UNION ALL SELECT first + 4, 3, payable, currency, tax FROM bill
  UNION ALL SELECT first + 5, 1, clearing, currency, -price FROM bill
  UNION ALL SELECT first + 5, 2, receivable, currency, price FROM bill
), counter AS (
  INSERT INTO number_counter AS c (legal_entity_id, series, fiscal_year, last)
  SELECT legal_entity_id, 'invoice', extract(year FROM day)::integer, count(*) FROM bill
   GROUP BY 1, 2, 3
  ON CONFLICT (legal_entity_id, series, fiscal_year) DO UPDATE SET last = c.last + EXCLUDED.last
  RETURNING legal_entity_id, last
), numbers AS (
  INSERT INTO document_number (legal_entity_id, series, fiscal_year, number, text, issued_on,
                               account_id, invoice_id)
  SELECT legal_entity_id, 'invoice', extract(year FROM day)::integer, number,
         'INV-' || extract(year FROM day) || '-' || lpad(number::text, 9, '0'), day, id, first
    FROM (SELECT b.*, c.last + 1 - row_number() OVER (ORDER BY b.first DESC) AS number
            FROM bill b JOIN counter c USING (legal_entity_id)) n
)
UPDATE postpaid_account a
   SET last_target = b.day, worked_through = b.day,
       due_at = b.until::timestamp AT TIME ZONE b.time_zone
  FROM bill b WHERE a.id = b.id
