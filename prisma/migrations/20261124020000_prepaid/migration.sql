-- Prepaid television in full: lines that can be given back, promotional credit, debts, pauses,
-- moved payments, scratch cards, promotions, commissions, and TV units by operator and country.

-- Catalogue ----------------------------------------------------------------------------------

-- What of the prepaid rules differs at this site; checked when it is read.
ALTER TABLE site ADD COLUMN rules jsonb NOT NULL DEFAULT '{}';

-- A null amount: not sold from then on.
ALTER TABLE price
  ALTER COLUMN amount DROP NOT NULL,
  DROP CONSTRAINT price_amount_check,
  ADD CONSTRAINT price_amount_check CHECK (amount >= 0),
  DROP CONSTRAINT price_term_check,
  ADD CONSTRAINT price_term_check CHECK (term IN ('day', 'week', 'month', 'quarter', 'pass24'));

-- An event's product may have any name: the catalogue says which products are events'.
ALTER TABLE event
  DROP CONSTRAINT event_product_check,
  DROP CONSTRAINT event_price_check,
  ADD CONSTRAINT event_price_check CHECK (price >= 0),
  DROP CONSTRAINT event_check,
  ADD CONSTRAINT event_check CHECK (starts_at < ends_at AND sale_from < sale_until);

-- What mobile operators take for one TV unit of a country, and what units are worth in credit.
CREATE TABLE unit_market (
  asset     text PRIMARY KEY CHECK (asset ~ '^TVU-[A-Z]{2}$'),
  -- The only currency whose accounts may hold these units.
  currency  text NOT NULL CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE TABLE unit_price (
  asset     text NOT NULL REFERENCES unit_market (asset),
  operator  text NOT NULL,
  from_at   timestamptz NOT NULL,
  price     bigint NOT NULL CHECK (price > 0),
  PRIMARY KEY (asset, operator, from_at)
);
COMMENT ON TABLE unit_price IS 'Purchase tariffs of TV units by operator: append-only';
CREATE TABLE unit_value (
  asset    text NOT NULL REFERENCES unit_market (asset),
  from_at  timestamptz NOT NULL,
  units    bigint NOT NULL CHECK (units > 0),
  value    bigint NOT NULL CHECK (value > 0),
  PRIMARY KEY (asset, from_at)
);
COMMENT ON TABLE unit_value IS 'What TV units give in credit: append-only';

-- Accounts and cards -------------------------------------------------------------------------

ALTER TABLE subscriber
  -- The wallet of promotional credit, opened with the first of it.
  ADD COLUMN promo_id     bigint REFERENCES account (id),
  -- Wallets of the units of other countries: account ids, as digits, by asset.
  ADD COLUMN other_units  jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(other_units) = 'object'),
  -- Has open debts: a payment then reads them.
  ADD COLUMN owes         boolean NOT NULL DEFAULT false;

-- Its subscription hangs on another's, or others hang on it: their cards are locked with it.
ALTER TABLE card ADD COLUMN is_linked boolean NOT NULL DEFAULT false;

-- coverage: when which product is paid or given, where that is more than the running term says.
-- older: what subscriptions before the present one still let the card see.
ALTER TABLE card_rights
  ADD COLUMN coverage  jsonb,
  ADD COLUMN older     jsonb;

-- Whose payment it is, for what may be asked about it later. Not checked, as in outbound.
ALTER TABLE inbox
  ADD COLUMN card_id        bigint,
  ADD COLUMN subscriber_id  bigint,
  ADD COLUMN payer_msisdn   text,
  ADD COLUMN means          text;

-- Subscriptions ------------------------------------------------------------------------------

ALTER TABLE subscription
  -- A closed subscription whose card has another by now keeps the card under former_card_id, so
  -- that a card has one subscription at the most wherever the two are joined.
  ALTER COLUMN card_id DROP NOT NULL,
  ADD COLUMN former_card_id    bigint REFERENCES card (id),
  DROP CONSTRAINT subscription_term_check,
  ADD CONSTRAINT subscription_term_check
    CHECK (term IN ('day', 'week', 'month', 'quarter', 'pass24')),
  DROP CONSTRAINT subscription_waiting_term_check,
  ADD CONSTRAINT subscription_waiting_term_check
    CHECK (waiting_term IN ('day', 'week', 'month', 'quarter', 'pass24')),
  -- The term that renews by itself, where it is not `term`; tried at ends after auto_renew_since.
  ADD COLUMN renew_term        text
    CHECK (renew_term IN ('day', 'week', 'month', 'quarter', 'pass24')),
  ADD COLUMN auto_renew_since  timestamptz,
  ADD COLUMN closed_at         timestamptz,
  -- Paused now; it goes on by itself at pause_until.
  ADD COLUMN pause_from        timestamptz,
  ADD COLUMN pause_until       timestamptz,
  -- Days paused in the latest year in which a pause began.
  ADD COLUMN paused_year       smallint,
  ADD COLUMN paused_days       smallint,
  ADD COLUMN main_card_id      bigint REFERENCES card (id),
  ADD COLUMN is_main           boolean NOT NULL DEFAULT false,
  ADD COLUMN decoder           text,
  ADD COLUMN person            text,
  -- Who brought the subscriber; 2 payments stand for more.
  ADD COLUMN reseller          text,
  ADD COLUMN payments          smallint NOT NULL DEFAULT 0 CHECK (payments BETWEEN 0 AND 2),
  -- Local time of the first purchase of the run, ms since midnight.
  ADD COLUMN time_of_day       integer CHECK (time_of_day BETWEEN 0 AND 86400000),
  ADD CHECK ((card_id IS NULL) = (former_card_id IS NOT NULL)),
  ADD CHECK (former_card_id IS NULL OR closed_at IS NOT NULL),
  ADD CHECK ((pause_from IS NULL) = (pause_until IS NULL) AND pause_from < pause_until),
  ADD CHECK ((paused_year IS NULL) = (paused_days IS NULL));
CREATE INDEX subscription_former ON subscription (former_card_id)
  WHERE former_card_id IS NOT NULL;
CREATE INDEX subscription_paused ON subscription (pause_until) WHERE pause_until IS NOT NULL;
CREATE INDEX subscription_hangs_on ON subscription (main_card_id) WHERE main_card_id IS NOT NULL;

-- A line can be given back: what is unused of it returns to the lots it was paid with, and the
-- lines behind it move. What it is (whose, what, sold when, booked where) never changes.
DROP TRIGGER append_only ON term;
DROP TRIGGER append_only_truncate ON term;
COMMENT ON TABLE term IS 'A sold or given interval with its frozen price; it may shrink, or move';
ALTER TABLE term
  DROP CONSTRAINT term_kind_check,
  ADD CONSTRAINT term_kind_check CHECK (kind IN ('day', 'week', 'month', 'quarter', 'pass24',
    'days', 'trial', 'bonus', 'incident', 'addon', 'upgrade')),
  DROP CONSTRAINT term_check,
  ADD CONSTRAINT term_days CHECK (days IS NOT NULL
    OR kind IN ('day', 'week', 'month', 'quarter', 'pass24', 'addon', 'upgrade')),
  DROP CONSTRAINT term_check1,
  ADD CONSTRAINT term_tax CHECK (tax BETWEEN 0 AND price),
  DROP CONSTRAINT term_check2,
  ADD CONSTRAINT term_interval CHECK (from_at <= to_at),
  -- Free time: no money moved.
  ALTER COLUMN journal_id DROP NOT NULL,
  -- Null in lines of before: as they began, and by their end.
  ADD COLUMN sold_at      timestamptz,
  ADD COLUMN base_date    date,
  ADD COLUMN anchor_day   smallint CHECK (anchor_day BETWEEN 1 AND 31),
  ADD COLUMN time_of_day  integer CHECK (time_of_day BETWEEN 0 AND 86400000),
  -- The pieces of lots that paid for it, in the order of consumption. Each describes its lot,
  -- because one that came and went in one act has no row.
  ADD COLUMN parts        jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(parts) = 'array'),
  ADD COLUMN paid_by      text NOT NULL DEFAULT 'wallet'
    CHECK (paid_by IN ('wallet', 'loan', 'voucher', 'nobody')),
  -- The wallet that paid, where it was not the card's owner's.
  ADD COLUMN payer_id     bigint REFERENCES account (id),
  -- Times without service inside it: pauses that are over.
  ADD COLUMN breaks       jsonb NOT NULL DEFAULT '[]' CHECK (jsonb_typeof(breaks) = 'array'),
  -- The term that an upgrade or an add-on runs beside.
  ADD COLUMN beside       bigint REFERENCES term (id),
  ADD COLUMN reference    text,
  ADD COLUMN state        text NOT NULL DEFAULT 'sold' CHECK (state IN ('sold', 'void'));
CREATE INDEX term_payer ON term (payer_id) WHERE payer_id IS NOT NULL;

CREATE FUNCTION keep_sale() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'term is never deleted' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.id, OLD.subscription_id, OLD.bouquet_id, OLD.kind, OLD.asset)
       IS DISTINCT FROM (NEW.id, NEW.subscription_id, NEW.bouquet_id, NEW.kind, NEW.asset)
     OR OLD.journal_id IS DISTINCT FROM NEW.journal_id OR NEW.price > OLD.price
     OR (OLD.state = 'void' AND NEW.state <> 'void') THEN
    RAISE EXCEPTION 'term % is sold: it can only shrink or move', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_sale BEFORE UPDATE OR DELETE ON term
  FOR EACH ROW EXECUTE FUNCTION keep_sale();
CREATE TRIGGER keep_sale_truncate BEFORE TRUNCATE ON term
  FOR EACH STATEMENT EXECUTE FUNCTION keep_sale();

-- Money that is owed, moved, earned by others -------------------------------------------------

-- A loan, or a payment that was taken back after use.
CREATE TABLE debt (
  id             bigint PRIMARY KEY,
  subscriber_id  bigint NOT NULL REFERENCES subscriber (id),
  kind           text NOT NULL CHECK (kind IN ('loan', 'reversal')),
  asset          text NOT NULL,
  amount         bigint NOT NULL CHECK (amount > 0),
  fee            bigint NOT NULL CHECK (fee BETWEEN 0 AND amount),
  remaining      bigint NOT NULL CHECK (remaining BETWEEN 0 AND amount),
  -- The line that a loan paid.
  line_id        bigint REFERENCES term (id)
);
CREATE INDEX debt_open ON debt (subscriber_id) WHERE remaining > 0;
CREATE UNIQUE INDEX debt_one_loan ON debt (subscriber_id) WHERE kind = 'loan' AND remaining > 0;

-- A payment that its payer wants on another card: once for each payment, for ever.
CREATE TABLE payment_move (
  id          bigint PRIMARY KEY,
  payment_id  bigint NOT NULL UNIQUE REFERENCES inbox (id),
  to_card_id  bigint NOT NULL REFERENCES card (id),
  payer       text NOT NULL,
  asked_at    timestamptz NOT NULL,
  due_at      timestamptz NOT NULL,
  state       text NOT NULL CHECK (state IN ('pending', 'done', 'objected', 'lapsed')),
  CHECK (asked_at <= due_at)
);
CREATE INDEX payment_move_due ON payment_move (due_at) WHERE state = 'pending';
CREATE INDEX payment_move_payer ON payment_move (payer, asked_at);

-- Where the money of a payment went after a claim or a move, in the order of time.
CREATE TABLE payment_place (
  id             bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  payment_id     bigint NOT NULL REFERENCES inbox (id),
  journal_id     bigint NOT NULL REFERENCES journal (id),
  subscriber_id  bigint NOT NULL REFERENCES subscriber (id),
  card_id        bigint REFERENCES card (id),
  amount         bigint NOT NULL CHECK (amount > 0),
  UNIQUE (payment_id, journal_id)
);
COMMENT ON TABLE payment_place IS 'append-only';

CREATE TABLE commission (
  id               bigint PRIMARY KEY,
  subscription_id  bigint NOT NULL REFERENCES subscription (id),
  site_id          bigint NOT NULL REFERENCES site (id),
  reseller         text NOT NULL,
  asset            text NOT NULL,
  amount           bigint NOT NULL CHECK (amount > 0),
  -- Taken back then, if no second payment has come.
  due_at           timestamptz NOT NULL,
  state            text NOT NULL CHECK (state IN ('open', 'kept', 'taken_back'))
);
CREATE INDEX commission_due ON commission (due_at) WHERE state = 'open';
CREATE INDEX commission_open ON commission (subscription_id) WHERE state = 'open';

-- Free time ----------------------------------------------------------------------------------

CREATE TABLE trial (
  id               bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  subscription_id  bigint NOT NULL REFERENCES subscription (id),
  -- The decoder's number, or the card's where it is not known.
  decoder          text NOT NULL,
  person           text,
  -- Local date of the grant.
  granted_on       date NOT NULL
);
CREATE INDEX trial_decoder ON trial (decoder);
CREATE INDEX trial_person ON trial (person) WHERE person IS NOT NULL;
COMMENT ON TABLE trial IS 'append-only';

CREATE TABLE promotion (
  id           bigint PRIMARY KEY,
  site_id      bigint NOT NULL REFERENCES site (id),
  code         text NOT NULL,
  bouquet_id   bigint NOT NULL REFERENCES bouquet (id),
  term         text NOT NULL CHECK (term IN ('day', 'week', 'month', 'quarter', 'pass24')),
  bonus_days   integer NOT NULL CHECK (bonus_days > 0),
  budget       bigint NOT NULL CHECK (budget >= 0),
  budget_left  bigint NOT NULL CHECK (budget_left BETWEEN 0 AND budget),
  from_at      timestamptz NOT NULL,
  to_at        timestamptz NOT NULL CHECK (from_at < to_at),
  UNIQUE (site_id, code)
);
CREATE TABLE promotion_use (
  promotion_id  bigint NOT NULL REFERENCES promotion (id),
  card_id       bigint NOT NULL REFERENCES card (id),
  used_at       timestamptz NOT NULL,
  PRIMARY KEY (promotion_id, card_id)
);
COMMENT ON TABLE promotion_use IS 'Once for each card: append-only';

-- Scratch cards ------------------------------------------------------------------------------

-- What is the same for all cards of a batch.
CREATE TABLE voucher_batch (
  id          bigint PRIMARY KEY,
  name        text NOT NULL UNIQUE,
  kind        text NOT NULL CHECK (kind IN ('amount', 'days')),
  asset       text NOT NULL,
  value       bigint NOT NULL CHECK (value > 0),
  expires_at  timestamptz NOT NULL,
  bonus       bigint NOT NULL DEFAULT 0 CHECK (bonus >= 0),
  bonus_days  integer CHECK (bonus_days >= 0),
  -- Null: the plan of the card it is used for.
  bouquet_id  bigint REFERENCES bouquet (id),
  days        integer CHECK (days > 0),
  created_at  timestamptz NOT NULL,
  CHECK ((kind = 'days') = (days IS NOT NULL))
);
COMMENT ON TABLE voucher_batch IS 'append-only';

CREATE TABLE voucher (
  id        bigint PRIMARY KEY,
  batch_id  bigint NOT NULL REFERENCES voucher_batch (id),
  -- HMAC-SHA-256 of the code with a key that is not in the database; the code is never kept.
  code_hash text NOT NULL UNIQUE CHECK (code_hash ~ '^[0-9a-f]{64}$'),
  state     text NOT NULL CHECK (state IN ('GENERATED', 'EXPORTED', 'IN_STOCK', 'IN_TRANSIT',
              'CONSIGNED', 'ACTIVATED', 'BLOCKED', 'USED')),
  -- When, for which card and with what answer it was used.
  used_at   timestamptz,
  used_by   bigint REFERENCES card (id),
  inbox_id  bigint REFERENCES inbox (id),
  settled   jsonb,
  CHECK (used_at IS NULL OR state = 'USED'),
  CHECK ((used_at IS NULL) = (used_by IS NULL) AND (used_at IS NULL) = (settled IS NULL)
    AND (used_at IS NULL) = (inbox_id IS NULL))
);
CREATE INDEX voucher_batch_state ON voucher (batch_id, state);

-- What is used stays used, and what it is never changes.
CREATE FUNCTION keep_voucher() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'voucher is never deleted' USING ERRCODE = 'restrict_violation';
  END IF;
  IF OLD.state = 'USED' OR (OLD.id, OLD.batch_id, OLD.code_hash)
       IS DISTINCT FROM (NEW.id, NEW.batch_id, NEW.code_hash) THEN
    RAISE EXCEPTION 'voucher % is used, or another', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_voucher BEFORE UPDATE OR DELETE ON voucher
  FOR EACH ROW EXECUTE FUNCTION keep_voucher();
CREATE TRIGGER keep_voucher_truncate BEFORE TRUNCATE ON voucher
  FOR EACH STATEMENT EXECUTE FUNCTION keep_voucher();

-- What is due --------------------------------------------------------------------------------

CREATE INDEX lot_expiry ON lot (expires_at) WHERE remaining > 0 AND expires_at IS NOT NULL;
CREATE INDEX event_purchase_ends ON event_purchase (ends_at) WHERE state = 'held';

ALTER TABLE event_purchase
  DROP CONSTRAINT event_purchase_price_check,
  ADD CONSTRAINT event_purchase_price_check CHECK (price >= 0);

-- Append-only, for everybody -------------------------------------------------------------------

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['unit_price', 'unit_value', 'payment_place', 'trial', 'promotion_use',
    'voucher_batch']
  LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I
      FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
  END LOOP;
END $$;
