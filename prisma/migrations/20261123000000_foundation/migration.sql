-- The foundation: registry, catalogue, ledger, settlement, subscriptions, entitlement, messages.
-- Amounts are bigint minor units of an asset (an ISO 4217 code, or TVU-<country> for TV units).
-- A table whose comment says "append-only" can be written once and never changed: the application
-- role has no right to, and a trigger refuses it to everybody else.

-- Ids are handed to processes in blocks of 10,000 (platform/database/ids.ts).
CREATE SEQUENCE id_block AS bigint;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;

-- Registry -----------------------------------------------------------------------------------

CREATE TABLE site (
  id         bigint PRIMARY KEY,
  code       text NOT NULL UNIQUE,
  name       text NOT NULL,
  country    text NOT NULL CHECK (country ~ '^[A-Z]{2}$'),
  currency   text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  tvu_asset  text NOT NULL CHECK (tvu_asset ~ '^TVU-[A-Z]{2}$'),
  time_zone  text NOT NULL,
  language   text NOT NULL CHECK (language IN ('en', 'fr')),
  policy     jsonb NOT NULL
);

-- Ledger: accounts first, because a subscriber is born with three of them.
CREATE TABLE account (
  id      bigint PRIMARY KEY,
  owner   text NOT NULL,
  kind    text NOT NULL,
  asset   text NOT NULL,
  policy  text NOT NULL CHECK (policy IN ('exact', 'folded')),
  UNIQUE (owner, kind, asset),
  UNIQUE (id, asset)
);
COMMENT ON TABLE account IS 'Identity of a ledger account, never updated: append-only';

-- The balance of an exact account. Apart from account, so that no row which entries refer to is
-- ever updated; room is left in the page for in-place (HOT) updates.
CREATE TABLE balance (
  account_id  bigint PRIMARY KEY REFERENCES account (id),
  amount      bigint NOT NULL DEFAULT 0,
  floor       bigint NOT NULL DEFAULT 0,
  CHECK (amount >= floor)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0.05);

CREATE TABLE subscriber (
  id               bigint PRIMARY KEY,
  site_id          bigint NOT NULL REFERENCES site (id),
  full_name        text NOT NULL,
  contact_msisdn   text,
  language         text NOT NULL CHECK (language IN ('en', 'fr')),
  category         text NOT NULL DEFAULT 'residential',
  wallet_id        bigint NOT NULL REFERENCES account (id),
  tvu_wallet_id    bigint NOT NULL REFERENCES account (id),
  held_id          bigint NOT NULL REFERENCES account (id),
  created_at       timestamptz NOT NULL
);

CREATE TABLE phone (
  msisdn         text PRIMARY KEY CHECK (msisdn ~ '^\+[1-9][0-9]{6,14}$'),
  subscriber_id  bigint REFERENCES subscriber (id),
  language       text CHECK (language IN ('en', 'fr')),
  -- SHA-256 of the digits, as Safaricom sends it; personal data like the number itself.
  msisdn_hash    text NOT NULL UNIQUE CHECK (msisdn_hash ~ '^[0-9a-f]{64}$')
);
CREATE INDEX phone_subscriber ON phone (subscriber_id);

CREATE TABLE card (
  id             bigint PRIMARY KEY,
  number         text NOT NULL UNIQUE CHECK (number ~ '^[0-9]{11}$'),
  site_id        bigint NOT NULL REFERENCES site (id),
  subscriber_id  bigint NOT NULL REFERENCES subscriber (id),
  created_at     timestamptz NOT NULL
);
CREATE INDEX card_subscriber ON card (subscriber_id);

-- Cards a phone has paid for before, though they are not its own.
CREATE TABLE saved_card (
  msisdn   text NOT NULL,
  card_id  bigint NOT NULL REFERENCES card (id),
  PRIMARY KEY (msisdn, card_id)
);

CREATE TABLE reseller (
  id             bigint PRIMARY KEY,
  site_id        bigint NOT NULL REFERENCES site (id),
  name           text NOT NULL,
  msisdn         text NOT NULL UNIQUE,
  pin_hash       text NOT NULL,
  failed_pins    integer NOT NULL DEFAULT 0,
  locked_until   timestamptz,
  tvu_wallet_id  bigint NOT NULL REFERENCES account (id)
);

-- Catalogue ----------------------------------------------------------------------------------

CREATE TABLE bouquet (
  id           bigint PRIMARY KEY,
  site_id      bigint NOT NULL REFERENCES site (id),
  code         text NOT NULL,
  name         text NOT NULL,
  tax_percent  numeric(5, 2) NOT NULL CHECK (tax_percent >= 0),
  UNIQUE (site_id, code)
);

CREATE TABLE channel (
  id           bigint PRIMARY KEY,
  code         text NOT NULL UNIQUE,
  name         text NOT NULL,
  free_to_air  boolean NOT NULL DEFAULT false
);

CREATE TABLE bouquet_channel (
  bouquet_id  bigint NOT NULL REFERENCES bouquet (id),
  channel_id  bigint NOT NULL REFERENCES channel (id),
  PRIMARY KEY (bouquet_id, channel_id)
);

-- What the conditional-access system calls the bouquet's content.
CREATE TABLE bouquet_product (
  bouquet_id  bigint NOT NULL REFERENCES bouquet (id),
  product     text NOT NULL,
  PRIMARY KEY (bouquet_id, product)
);

CREATE TABLE price (
  bouquet_id  bigint NOT NULL REFERENCES bouquet (id),
  term        text NOT NULL CHECK (term IN ('day', 'week', 'month')),
  from_at     timestamptz NOT NULL,
  amount      bigint NOT NULL CHECK (amount > 0),
  PRIMARY KEY (bouquet_id, term, from_at)
);
COMMENT ON TABLE price IS 'Price versions; a new price is a new row: append-only';

CREATE TABLE event (
  id           bigint PRIMARY KEY,
  site_id      bigint NOT NULL REFERENCES site (id),
  code         text NOT NULL,
  title        text NOT NULL,
  -- In a namespace of its own, by which rights tell an event from a bouquet.
  product      text NOT NULL CHECK (product LIKE 'EVT:%'),
  starts_at    timestamptz NOT NULL,
  ends_at      timestamptz NOT NULL,
  sale_from    timestamptz NOT NULL,
  sale_until   timestamptz NOT NULL,
  price        bigint NOT NULL CHECK (price > 0),
  tax_percent  numeric(5, 2) NOT NULL CHECK (tax_percent >= 0),
  UNIQUE (site_id, code),
  CHECK (starts_at < ends_at AND sale_from < sale_until AND sale_until <= ends_at)
);

-- One TV unit costs `price` when bought; `value_units` units are worth `value_amount` of credit.
CREATE TABLE tvu_tariff (
  site_id       bigint NOT NULL REFERENCES site (id),
  from_at       timestamptz NOT NULL,
  price         bigint NOT NULL CHECK (price > 0),
  value_units   bigint NOT NULL CHECK (value_units > 0),
  value_amount  bigint NOT NULL CHECK (value_amount > 0),
  PRIMARY KEY (site_id, from_at)
);
COMMENT ON TABLE tvu_tariff IS 'Tariff versions of TV units: append-only';

-- Settlement: what came in ---------------------------------------------------------------------

CREATE TABLE inbox (
  id           bigint PRIMARY KEY,
  provider     text NOT NULL,
  receipt      text NOT NULL,
  kind         text NOT NULL,
  state        text NOT NULL CHECK (state IN ('settled', 'suspense', 'refused', 'parked')),
  channel_id   text NOT NULL,
  received_at  timestamptz NOT NULL,
  settled_at   timestamptz,
  outcome      jsonb,
  -- Why it is parked.
  error        text,
  raw          bytea NOT NULL,
  UNIQUE (provider, receipt)
);
CREATE INDEX inbox_parked ON inbox (received_at) WHERE state = 'parked';

-- Forged, broken or unprovable messages: nothing moved because of them, and they are kept.
CREATE TABLE refused_notice (
  id           bigint PRIMARY KEY,
  channel_id   text NOT NULL,
  reason       text NOT NULL,
  received_at  timestamptz NOT NULL,
  remote       text NOT NULL,
  raw          bytea NOT NULL
);
COMMENT ON TABLE refused_notice IS 'append-only';

-- Ledger -------------------------------------------------------------------------------------

CREATE TABLE journal (
  id            bigint PRIMARY KEY,
  kind          text NOT NULL,
  site_id       bigint NOT NULL REFERENCES site (id),
  inbox_id      bigint NOT NULL REFERENCES inbox (id),
  effective_at  timestamptz NOT NULL,
  booked_at     timestamptz NOT NULL DEFAULT now(),
  reverses      bigint UNIQUE REFERENCES journal (id)
);
CREATE INDEX journal_inbox ON journal (inbox_id);
COMMENT ON TABLE journal IS 'append-only';

CREATE TABLE entry (
  journal_id  bigint NOT NULL REFERENCES journal (id),
  line        smallint NOT NULL,
  account_id  bigint NOT NULL,
  asset       text NOT NULL,
  -- Credit positive (what we owe and earn), debit negative (what we own and spend).
  amount      bigint NOT NULL CHECK (amount <> 0),
  -- The transaction that wrote it. Folding looks only below every transaction still running,
  -- because ids are not the order of commits.
  xid         xid8 NOT NULL DEFAULT pg_current_xact_id(),
  PRIMARY KEY (journal_id, line),
  FOREIGN KEY (account_id, asset) REFERENCES account (id, asset)
);
CREATE INDEX entry_account ON entry (account_id, xid);
COMMENT ON TABLE entry IS 'append-only';

-- A journal's entries are written by one statement and sum to zero per asset; none can join later.
CREATE FUNCTION entry_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE bad record;
BEGIN
  SELECT n.journal_id, n.asset, sum(n.amount) AS total INTO bad
    FROM new_entry n GROUP BY n.journal_id, n.asset HAVING sum(n.amount) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal % does not sum to zero in %: %', bad.journal_id, bad.asset, bad.total
      USING ERRCODE = 'check_violation';
  END IF;
  SELECT e.journal_id INTO bad FROM (SELECT DISTINCT journal_id FROM new_entry) n
    JOIN entry e ON e.journal_id = n.journal_id AND e.xid <> pg_current_xact_id() LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal % is complete', bad.journal_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER entry_sums_to_zero AFTER INSERT ON entry
  REFERENCING NEW TABLE AS new_entry FOR EACH STATEMENT EXECUTE FUNCTION entry_sums_to_zero();

-- Folded accounts: balance = what was folded + entries written by transactions from `below` on.
CREATE TABLE fold (
  account_id  bigint PRIMARY KEY REFERENCES account (id),
  amount      bigint NOT NULL,
  below       xid8 NOT NULL
);

-- Wallets are lots, consumed by priority, then expiry, then age. `cost` is what TV units were
-- issued for, in the site's currency.
CREATE TABLE lot (
  id              bigint PRIMARY KEY,
  account_id      bigint NOT NULL REFERENCES account (id),
  journal_id      bigint NOT NULL REFERENCES journal (id),
  kind            text NOT NULL CHECK (kind IN ('paid', 'promo')),
  priority        smallint NOT NULL,
  expires_at      timestamptz,
  amount          bigint NOT NULL CHECK (amount > 0),
  remaining       bigint NOT NULL CHECK (remaining BETWEEN 0 AND amount),
  cost            bigint NOT NULL DEFAULT 0 CHECK (cost >= 0),
  cost_remaining  bigint NOT NULL DEFAULT 0 CHECK (cost_remaining BETWEEN 0 AND cost)
) WITH (fillfactor = 70);
CREATE INDEX lot_open ON lot (account_id) WHERE remaining > 0;

CREATE TABLE suspense_item (
  inbox_id      bigint PRIMARY KEY REFERENCES inbox (id),
  site_id       bigint NOT NULL REFERENCES site (id),
  asset         text NOT NULL,
  amount        bigint NOT NULL CHECK (amount > 0),
  reason        text NOT NULL,
  account_ref   text,
  payer_msisdn  text,
  payer_hash    text,
  state         text NOT NULL CHECK (state IN ('open', 'claimed', 'returned')),
  created_at    timestamptz NOT NULL
);
CREATE INDEX suspense_open ON suspense_item (site_id, created_at) WHERE state = 'open';

-- Our own requests for money (a prompt pushed to a phone).
CREATE TABLE payment_order (
  id                   bigint PRIMARY KEY,
  ref                  text NOT NULL UNIQUE CHECK (ref ~ '^[0-9A-Z]{6,12}$'),
  -- Stands in the callback address, so that a callback matches before the push is answered.
  request_token        text NOT NULL UNIQUE,
  -- (channel, session, screen): a screen confirmed twice is one order.
  key                  text NOT NULL UNIQUE,
  channel_id           text NOT NULL,
  site_id              bigint NOT NULL REFERENCES site (id),
  msisdn               text NOT NULL,
  asset                text NOT NULL,
  amount               bigint NOT NULL CHECK (amount > 0),
  purpose              jsonb NOT NULL,
  state                text NOT NULL
    CHECK (state IN ('open', 'prompted', 'unproven', 'paid', 'failed', 'expired')),
  checkout_request_id  text,
  failure              text,
  callback             bytea,
  polls                integer NOT NULL DEFAULT 0,
  next_poll_at         timestamptz,
  created_at           timestamptz NOT NULL,
  inbox_id             bigint REFERENCES inbox (id)
);
CREATE INDEX payment_order_poll ON payment_order (next_poll_at) WHERE next_poll_at IS NOT NULL;
CREATE INDEX payment_order_checkout ON payment_order (checkout_request_id)
  WHERE checkout_request_id IS NOT NULL;

-- Subscriptions ------------------------------------------------------------------------------

CREATE TABLE subscription (
  id             bigint PRIMARY KEY,
  card_id        bigint NOT NULL UNIQUE REFERENCES card (id),
  bouquet_id     bigint NOT NULL REFERENCES bouquet (id),
  -- The term a payment buys when it says nothing else.
  term           text NOT NULL CHECK (term IN ('day', 'week', 'month')),
  auto_renew     boolean NOT NULL DEFAULT false,
  -- A renewal that found too little money: the next top-up fires it.
  waiting_term   text CHECK (waiting_term IN ('day', 'week', 'month')),
  run_from       timestamptz,
  paid_until     timestamptz,
  -- The local date that the next term counts from while it extends the run.
  base_date      date,
  -- Day of the month that directly following months keep; null when the last term was no month.
  anchor_day     smallint CHECK (anchor_day BETWEEN 1 AND 31),
  -- Apart from paid_until, so that a payment without renewal changes no indexed column (HOT).
  renew_at       timestamptz GENERATED ALWAYS AS (CASE WHEN auto_renew THEN paid_until END) STORED,
  CHECK ((paid_until IS NULL) = (run_from IS NULL) AND (paid_until IS NULL) = (base_date IS NULL))
) WITH (fillfactor = 60);
CREATE INDEX subscription_due ON subscription (renew_at) WHERE renew_at IS NOT NULL;

CREATE TABLE term (
  id               bigint PRIMARY KEY,
  subscription_id  bigint NOT NULL REFERENCES subscription (id),
  bouquet_id       bigint NOT NULL REFERENCES bouquet (id),
  kind             text NOT NULL CHECK (kind IN ('day', 'week', 'month', 'days')),
  days             integer CHECK ((kind = 'days') = (days IS NOT NULL)),
  from_at          timestamptz NOT NULL,
  to_at            timestamptz NOT NULL,
  asset            text NOT NULL,
  price            bigint NOT NULL CHECK (price >= 0),
  tax              bigint NOT NULL CHECK (tax BETWEEN 0 AND price),
  journal_id       bigint NOT NULL REFERENCES journal (id),
  CHECK (from_at < to_at)
);
CREATE INDEX term_subscription ON term (subscription_id, from_at);
COMMENT ON TABLE term IS 'A sold interval with its frozen price: append-only';

CREATE TABLE event_purchase (
  id             bigint PRIMARY KEY,
  event_id       bigint NOT NULL REFERENCES event (id),
  card_id        bigint NOT NULL REFERENCES card (id),
  subscriber_id  bigint NOT NULL REFERENCES subscriber (id),
  asset          text NOT NULL,
  -- Held until the rights are on air; goes back at the event's end if they never were.
  price          bigint NOT NULL CHECK (price > 0),
  tax            bigint NOT NULL CHECK (tax BETWEEN 0 AND price),
  state          text NOT NULL CHECK (state IN ('held', 'captured', 'released')),
  ends_at        timestamptz NOT NULL,
  rights_rev     integer NOT NULL,
  journal_id     bigint NOT NULL REFERENCES journal (id),
  UNIQUE (event_id, card_id)
);
CREATE INDEX event_purchase_held ON event_purchase (card_id) WHERE state = 'held';

-- Which lots a hold took its money from, so that a release gives it back to them.
CREATE TABLE hold_part (
  event_purchase_id  bigint NOT NULL REFERENCES event_purchase (id),
  lot_id             bigint NOT NULL REFERENCES lot (id),
  amount             bigint NOT NULL CHECK (amount > 0),
  PRIMARY KEY (event_purchase_id, lot_id)
);
COMMENT ON TABLE hold_part IS 'append-only';

-- Entitlement --------------------------------------------------------------------------------

CREATE TABLE conditional_access (
  id     text PRIMARY KEY,
  -- Raised after a restore, so that revisions issued since the backup do not make ours look stale.
  epoch  integer NOT NULL DEFAULT 1
);

-- The rights of a card: one state row. Dispatch sends the set as it stands when it sends.
CREATE TABLE card_rights (
  card_id      bigint PRIMARY KEY REFERENCES card (id),
  desired_rev  integer NOT NULL DEFAULT 0,
  desired      jsonb NOT NULL DEFAULT '[]',
  acked_rev    integer NOT NULL DEFAULT 0,
  on_air_at    timestamptz,
  next_at      timestamptz,
  attempts     integer NOT NULL DEFAULT 0,
  lease_until  timestamptz,
  lease_by     text,
  failure      text,
  CHECK (acked_rev <= desired_rev)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 2000, autovacuum_vacuum_scale_factor = 0.05);
CREATE INDEX card_rights_due ON card_rights (next_at) WHERE next_at IS NOT NULL;

-- Messages -----------------------------------------------------------------------------------

CREATE TABLE outbound (
  id           bigint PRIMARY KEY,
  kind         text NOT NULL CHECK (kind IN ('text', 'osd')),
  template     text NOT NULL,
  site_id      bigint NOT NULL REFERENCES site (id),
  target       text NOT NULL,
  body         text NOT NULL,
  state        text NOT NULL
    CHECK (state IN ('queued', 'sent', 'delivered', 'failed', 'expired')),
  created_at   timestamptz NOT NULL,
  not_after    timestamptz NOT NULL,
  next_at      timestamptz,
  attempts     integer NOT NULL DEFAULT 0,
  lease_until  timestamptz,
  provider_id  text,
  failure      text,
  -- What it is about. Not checked: inbox rows are never deleted, and two checks a payment in an
  -- index that grows with the years are not worth it.
  inbox_id     bigint
) WITH (fillfactor = 60);
CREATE INDEX outbound_due ON outbound (kind, next_at) WHERE next_at IS NOT NULL;
CREATE INDEX outbound_provider ON outbound (provider_id) WHERE provider_id IS NOT NULL;

-- Append-only, for everybody -------------------------------------------------------------------

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['account', 'price', 'tvu_tariff', 'refused_notice', 'journal', 'entry',
    'term', 'hold_part']
  LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I
      FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
  END LOOP;
END $$;
