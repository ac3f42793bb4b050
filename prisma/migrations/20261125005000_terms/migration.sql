-- Terms of a year and of 2 to 999 days, and what a sold line bears of each tax.

-- Names of terms: `10d` is ten days.
CREATE FUNCTION is_term(name text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN name ~ '^(day|week|month|quarter|year|pass24|[2-9]d|[1-9][0-9]{1,2}d)$';

ALTER TABLE price
  DROP CONSTRAINT price_term_check,
  ADD CONSTRAINT price_term_check CHECK (is_term(term));

ALTER TABLE subscription
  DROP CONSTRAINT subscription_term_check,
  ADD CONSTRAINT subscription_term_check CHECK (is_term(term)),
  DROP CONSTRAINT subscription_waiting_term_check,
  ADD CONSTRAINT subscription_waiting_term_check CHECK (is_term(waiting_term)),
  DROP CONSTRAINT subscription_renew_term_check,
  ADD CONSTRAINT subscription_renew_term_check CHECK (is_term(renew_term));

ALTER TABLE promotion
  DROP CONSTRAINT promotion_term_check,
  ADD CONSTRAINT promotion_term_check CHECK (is_term(term));

ALTER TABLE term
  DROP CONSTRAINT term_kind_check,
  ADD CONSTRAINT term_kind_check CHECK (is_term(kind)
    OR kind IN ('days', 'trial', 'bonus', 'incident', 'addon', 'upgrade')),
  DROP CONSTRAINT term_days,
  ADD CONSTRAINT term_days
    CHECK (days IS NOT NULL OR is_term(kind) OR kind IN ('addon', 'upgrade')),
  -- What `tax` is made of: each tax with the rate of the sale, in the order in which they are
  -- applied, so that what is kept later is taxed as it was sold.
  ADD COLUMN taxes jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(taxes) = 'array');

-- Few among the accounts of all subscribers.
CREATE INDEX account_tax ON account (owner) WHERE kind = 'tax_payable';

-- Lines of before have the one tax of their bouquet, which had no code.
UPDATE term t
   SET taxes = jsonb_build_array(jsonb_build_object('code', 'TAX',
         'ppm', (b.tax_percent * 10000)::bigint::text, 'on', jsonb_build_array('net'),
         'amount', t.tax::text))
  FROM bouquet b
 WHERE b.id = t.bouquet_id AND b.tax_percent > 0 AND t.price > 0;
