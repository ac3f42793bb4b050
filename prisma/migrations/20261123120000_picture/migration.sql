-- From rights to the picture: what is re-aired, refreshed, suspended, reminded of and answered.

-- raised_at: when the wanted set was raised; time to picture counts from it.
-- reair_at: when the rights are broadcast once more by themselves; reairs: how often they were.
ALTER TABLE card_rights
  ADD COLUMN raised_at  timestamptz,
  ADD COLUMN suspended  text
    CHECK (suspended IN ('admin', 'fraud', 'dispute', 'vacation', 'incident')),
  ADD COLUMN reair_at   timestamptz,
  ADD COLUMN reairs     integer NOT NULL DEFAULT 0;
CREATE INDEX card_rights_reair ON card_rights (reair_at) WHERE reair_at IS NOT NULL;

-- A card that shows nothing though it is paid for, and since when; open while resumed_at is null.
CREATE TABLE card_suspension (
  id            bigint PRIMARY KEY,
  card_id       bigint NOT NULL REFERENCES card (id),
  reason        text NOT NULL
    CHECK (reason IN ('admin', 'fraud', 'dispute', 'vacation', 'incident')),
  suspended_at  timestamptz NOT NULL,
  suspended_by  text NOT NULL,
  resumed_at    timestamptz,
  resumed_by    text,
  CHECK ((resumed_at IS NULL) = (resumed_by IS NULL))
);
CREATE UNIQUE INDEX card_suspension_open ON card_suspension (card_id) WHERE resumed_at IS NULL;

-- Somebody asked for the rights of a card to be broadcast afresh.
CREATE TABLE card_refresh (
  id          bigint PRIMARY KEY,
  card_id     bigint NOT NULL REFERENCES card (id),
  asked_at    timestamptz NOT NULL,
  source      text NOT NULL CHECK (source IN ('ussd', 'text', 'staff')),
  -- The phone that asked; null for staff.
  msisdn      text,
  state       text NOT NULL CHECK (state IN ('queued', 'on_air', 'failed')),
  on_air_at   timestamptz,
  failure     text,
  next_at     timestamptz,
  attempts    integer NOT NULL DEFAULT 0,
  lease_until timestamptz
);
CREATE INDEX card_refresh_card ON card_refresh (card_id, asked_at);
CREATE INDEX card_refresh_due ON card_refresh (next_at) WHERE next_at IS NOT NULL;
-- For the list of cards that are paid but dark.
CREATE INDEX card_refresh_asked ON card_refresh (asked_at);

-- What a viewer said about the screen; the only word that ever comes back from a decoder.
CREATE TABLE picture_report (
  id       bigint PRIMARY KEY,
  card_id  bigint NOT NULL REFERENCES card (id),
  at       timestamptz NOT NULL,
  source   text NOT NULL CHECK (source IN ('ussd', 'text', 'staff')),
  msisdn   text,
  answer   text NOT NULL CHECK (answer IN ('back', 'black')),
  -- The screen or text it was said with: said again, it counts once.
  act_key  text NOT NULL UNIQUE
);
CREATE INDEX picture_report_card ON picture_report (card_id, at);
CREATE INDEX picture_report_at ON picture_report (at);
COMMENT ON TABLE picture_report IS 'append-only';

-- Reminders that were decided, written or not: none is decided twice.
CREATE TABLE reminder (
  card_id     bigint NOT NULL REFERENCES card (id),
  paid_until  timestamptz NOT NULL,
  step        text NOT NULL CHECK (step IN ('d3', 'd1', 'd0')),
  decided_at  timestamptz NOT NULL,
  -- `sent`, or why nothing was said.
  decision    text NOT NULL,
  PRIMARY KEY (card_id, paid_until, step)
);
COMMENT ON TABLE reminder IS 'append-only';

-- Phones that sent STOP (or START again): reminders alone, never receipts.
CREATE TABLE reminder_choice (
  msisdn   text PRIMARY KEY,
  wanted   boolean NOT NULL,
  at       timestamptz NOT NULL
);

-- A reminder is sent only while the card is paid until that very instant: a payment overtakes it.
ALTER TABLE outbound
  ADD COLUMN card_id           bigint REFERENCES card (id),
  ADD COLUMN while_paid_until  timestamptz,
  DROP CONSTRAINT outbound_state_check,
  ADD CONSTRAINT outbound_state_check
    CHECK (state IN ('queued', 'sent', 'delivered', 'failed', 'expired', 'overtaken')),
  ADD CHECK (while_paid_until IS NULL OR card_id IS NOT NULL);

-- What one phone was reminded of today.
CREATE INDEX outbound_reminder ON outbound (target, created_at) WHERE while_paid_until IS NOT NULL;

-- Terms that end on a day: subscriptions of that day are found by them, because an index on their
-- own paid_until would cost each payment its update in place (HOT).
CREATE INDEX term_end ON term (to_at);

-- What a phone paid last, and for whose card: somebody says that the television is still dark.
CREATE INDEX payment_order_phone ON payment_order (msisdn, created_at);
CREATE INDEX outbound_paid_for_other ON outbound (target, created_at)
  WHERE template = 'text.receipt.other_card.payer';

-- Texts from subscribers, as they came.
CREATE TABLE text_in (
  id           bigint PRIMARY KEY,
  channel_id   text NOT NULL,
  provider_id  text NOT NULL,
  msisdn       text NOT NULL,
  body         text NOT NULL,
  received_at  timestamptz NOT NULL,
  -- What it was understood as; null until it was acted on.
  intent       text,
  -- The earlier text that says the same: nothing was done for this one.
  repeats_id   bigint REFERENCES text_in (id),
  UNIQUE (channel_id, provider_id)
);
CREATE INDEX text_in_sender ON text_in (msisdn, received_at);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['picture_report', 'reminder'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I
      FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
  END LOOP;
END $$;
