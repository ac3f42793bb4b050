-- What the settlement is measured against: one payment, one function call, one transaction. It
-- writes the rows that the product writes for the month of a card, under the same constraints, and
-- answers a repeated receipt with its first reference. It knows that one case alone, and is made
-- lean where it can be: the ids of the system accounts are constants, and the wallet is the only
-- balance it locks.
CREATE SEQUENCE bench_id AS bigint START 5000000000 CACHE 1000;
CREATE SEQUENCE bench_receipt AS bigint CACHE 1000;
-- What the product has in memory: the one tax and the products of each bouquet, and its prices.
CREATE TABLE bench_price (
  bouquet_id bigint, term text, price bigint, tax_code text, tax_ppm bigint, products text[],
  PRIMARY KEY (bouquet_id, term));

CREATE FUNCTION bench_settle(p_receipt text, p_card text, p_amount bigint, p_raw bytea,
                             p_at timestamptz)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  f        record;
  known    jsonb;
  content  text := p_amount || ' KES';
  inbox    bigint;
  paid     bigint;
  spent    bigint;
  bought   bigint;
  ref      text;
  tax      bigint;
  extends  boolean;
  base     date;
  anchor   integer;
  first    date;
  last     date;
  begins   timestamptz;
  until    timestamptz;
  starts   timestamptz;
  time     integer;
  figures  text;
BEGIN
  SELECT i.outcome INTO known FROM inbox i WHERE i.provider = 'mpesa' AND i.receipt = p_receipt;
  IF FOUND THEN
    IF known->>'content' <> content THEN
      RAISE EXCEPTION 'receipt % came with another amount', p_receipt;
    END IF;
    RETURN known->'settled'->>'ref';
  END IF;

  SELECT c.id AS card_id, c.site_id, o.id AS subscriber_id, t.currency,
         t.time_zone, o.contact_msisdn, o.wallet_id,
         b.amount AS credit, r.desired_rev, s.id AS subscription_id, s.bouquet_id, s.run_from,
         s.paid_until, s.base_date, s.anchor_day, s.time_of_day, q.name AS bouquet, k.price,
         k.tax_code, k.tax_ppm, k.products
    INTO f
    FROM card c
    JOIN subscriber o ON o.id = c.subscriber_id
    JOIN site t ON t.id = c.site_id
    JOIN balance b ON b.account_id = o.wallet_id
    JOIN card_rights r ON r.card_id = c.id
    JOIN subscription s ON s.card_id = c.id
    JOIN bouquet q ON q.id = s.bouquet_id
    JOIN bench_price k ON k.bouquet_id = q.id AND k.term = s.term
   WHERE c.number = p_card
     FOR NO KEY UPDATE OF b, r, s;
  IF f.price IS DISTINCT FROM p_amount OR f.credit <> 0 THEN
    RAISE EXCEPTION 'not the exact month of an empty wallet';
  END IF;

  extends := coalesce(p_at < f.paid_until, false);
  base := CASE WHEN extends THEN f.base_date ELSE (p_at AT TIME ZONE f.time_zone)::date END;
  anchor := coalesce(CASE WHEN extends THEN f.anchor_day END, extract(day FROM base));
  first := date_trunc('month', base) + interval '1 month';
  last := least(first + anchor - 1, (first + interval '1 month')::date - 1);
  until := (last + 1)::timestamp AT TIME ZONE f.time_zone;
  begins := CASE WHEN extends THEN f.paid_until ELSE p_at END;
  starts := CASE WHEN extends THEN f.run_from ELSE p_at END;
  time := coalesce(CASE WHEN extends THEN f.time_of_day END,
                   extract(epoch FROM (starts AT TIME ZONE f.time_zone)::time) * 1000);
  tax := round(p_amount * f.tax_ppm::numeric / (1000000 + f.tax_ppm));
  inbox := nextval('bench_id');
  paid := nextval('bench_id');
  spent := nextval('bench_id');
  bought := nextval('bench_id');
  ref := right(upper(to_hex(inbox)), 5);
  figures := f.currency || ' ' || p_amount / 100;

  INSERT INTO inbox (id, provider, receipt, kind, state, channel_id, received_at, settled_at,
                     outcome, raw, card_id, subscriber_id)
  VALUES (inbox, 'mpesa', p_receipt, 'payment', 'settled', 'ke-paybill', p_at, p_at,
          jsonb_build_object('content', content, 'settled', jsonb_build_object(
            'state', 'settled', 'ref', ref, 'code', NULL, 'credit', '0', 'units', NULL,
            'paidUntil', to_char(until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))),
          p_raw, f.card_id, f.subscriber_id);
  INSERT INTO journal (id, kind, site_id, inbox_id, effective_at)
  VALUES (paid, 'payment', f.site_id, inbox, p_at), (bought, 'purchase', f.site_id, inbox, p_at);
  INSERT INTO entry (journal_id, line, account_id, asset, amount)
  VALUES (paid, 1, :clearing, f.currency, -p_amount),
         (paid, 2, f.wallet_id, f.currency, p_amount),
         (bought, 1, f.wallet_id, f.currency, -p_amount),
         (bought, 2, :deferred, f.currency, p_amount - tax),
         (bought, 3, :tax, f.currency, tax);
  INSERT INTO term (id, subscription_id, bouquet_id, kind, from_at, to_at, asset, price, tax,
                    journal_id, sold_at, base_date, anchor_day, time_of_day, parts, taxes)
  VALUES (nextval('bench_id'), f.subscription_id, f.bouquet_id, 'month', begins, until,
          f.currency, p_amount, tax, bought, p_at, last, anchor, time,
          jsonb_build_array(jsonb_build_object('lot', spent::text, 'account', f.wallet_id::text,
            'journal', paid::text, 'kind', 'paid', 'priority', 20, 'expires', NULL,
            'amount', p_amount::text)),
          jsonb_build_array(jsonb_build_object('code', f.tax_code, 'ppm', f.tax_ppm::text,
            'on', '{net}'::text[], 'amount', tax::text)));
  UPDATE subscription s
     SET waiting_term = NULL, run_from = starts, paid_until = until,
         base_date = last, anchor_day = anchor, time_of_day = time
   WHERE s.id = f.subscription_id;
  UPDATE card_rights r
     SET desired_rev = f.desired_rev + 1, next_at = p_at, raised_at = p_at, attempts = 0,
         failure = NULL, raised_for = 'PAYMENT:mpesa/' || p_receipt,
         desired = (SELECT jsonb_agg(jsonb_build_object('product', p,
                             'from', to_char(starts AT TIME ZONE 'UTC',
                                             'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
                             'to', to_char(until AT TIME ZONE 'UTC',
                                           'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'))
                             ORDER BY p)
                      FROM unnest(f.products) AS p)
   WHERE r.card_id = f.card_id;
  INSERT INTO outbound (id, kind, template, site_id, target, body, state, created_at, not_after,
                        next_at, inbox_id)
  VALUES (nextval('bench_id'), 'osd', 'osd.receipt.term', f.site_id, p_card,
          format('Paid %s. %s to %s. Thank you. Ref %s', figures, f.bouquet,
                 to_char(last, 'DD/MM/YYYY'), ref),
          'queued', p_at, p_at + interval '10 minutes', p_at, inbox),
         (nextval('bench_id'), 'text', 'text.receipt.term', f.site_id, f.contact_msisdn,
          format('Paid %s. %s card ..%s to %s. Keep the decoder ON 5 min. Ref %s', figures,
                 f.bouquet, right(p_card, 4), to_char(last, 'DD/MM/YYYY'), ref),
          'queued', p_at, p_at + interval '7 days', p_at, inbox);
  RETURN ref;
END $$;
