-- Postpaid billing: accounts, contracts, documents, payments, legal numbers. One table for each
-- row type of src/billing/postpaid/rows.ts; days are dates of the account's local calendar.
-- All that belongs to an account is found and ordered by (account_id, id): ids of one account
-- rise in the order of recording.

-- Who issues documents -------------------------------------------------------------------------

CREATE TABLE legal_entity (
  id                  bigint PRIMARY KEY,
  code                text NOT NULL UNIQUE,
  name                text NOT NULL,
  tax_number          text,
  -- The month in which its fiscal year starts. The year is named after the one it starts in.
  fiscal_month        smallint NOT NULL DEFAULT 1 CHECK (fiscal_month BETWEEN 1 AND 12),
  -- {year} and {number:digits} stand for the fiscal year and the number filled up with zeros.
  invoice_format      text NOT NULL DEFAULT 'INV-{year}-{number:6}',
  credit_note_format  text NOT NULL DEFAULT 'CN-{year}-{number:6}',
  CHECK (invoice_format LIKE '%{year}%' AND invoice_format ~ '\{number(:[0-9]{1,2})?\}'),
  CHECK (credit_note_format LIKE '%{year}%' AND credit_note_format ~ '\{number(:[0-9]{1,2})?\}'),
  CHECK (invoice_format <> credit_note_format)
);

-- The legal entity in whose name a site bills.
CREATE TABLE site_legal_entity (
  site_id          bigint PRIMARY KEY REFERENCES site (id),
  legal_entity_id  bigint NOT NULL REFERENCES legal_entity (id)
);

-- The account ----------------------------------------------------------------------------------

CREATE TABLE postpaid_account (
  id               bigint PRIMARY KEY,
  subscriber_id    bigint NOT NULL REFERENCES subscriber (id),
  opened_on        date NOT NULL,
  time_zone        text NOT NULL,
  currency         text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
  billing_day      smallint CHECK (billing_day BETWEEN 1 AND 31),
  auto_pay         boolean NOT NULL,
  auto_invoice     boolean NOT NULL,
  payment_method   boolean NOT NULL,
  parked           boolean NOT NULL,
  last_target      date,
  worked_through   date NOT NULL,
  -- When the billing run must look at it again: the midnight of its next day with work.
  due_at           timestamptz
) WITH (fillfactor = 70);
CREATE INDEX postpaid_account_due ON postpaid_account (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX postpaid_account_subscriber ON postpaid_account (subscriber_id);

CREATE TABLE billing_day_change (
  account_id  bigint NOT NULL REFERENCES postpaid_account (id),
  id          bigint NOT NULL,
  changed_on  date NOT NULL,
  before      smallint NOT NULL CHECK (before BETWEEN 1 AND 31),
  day         smallint NOT NULL CHECK (day BETWEEN 1 AND 31),
  PRIMARY KEY (account_id, id)
);
COMMENT ON TABLE billing_day_change IS 'append-only';

CREATE TABLE overdue_change (
  account_id      bigint NOT NULL REFERENCES postpaid_account (id),
  id              bigint NOT NULL,
  entered_on      date NOT NULL,
  state           text NOT NULL,
  blocks_changes  boolean NOT NULL,
  stops           boolean NOT NULL,
  PRIMARY KEY (account_id, id)
);
COMMENT ON TABLE overdue_change IS 'append-only';

-- Contracts ------------------------------------------------------------------------------------

CREATE TABLE contract (
  account_id    bigint NOT NULL REFERENCES postpaid_account (id),
  id            bigint NOT NULL,
  ref           text NOT NULL,
  -- The base of its bundle; null = it is a base.
  base_id       bigint,
  sold_on       date NOT NULL,
  starts_on     date NOT NULL,
  -- A contract of another account.
  continues_id  bigint,
  PRIMARY KEY (account_id, id),
  FOREIGN KEY (account_id, base_id) REFERENCES contract (account_id, id)
);
COMMENT ON TABLE contract IS 'append-only';

CREATE TABLE contract_event (
  account_id    bigint NOT NULL,
  id            bigint NOT NULL,
  contract_id   bigint NOT NULL,
  kind          text NOT NULL,
  recorded_on   date NOT NULL,
  effective_on  date NOT NULL,
  plan_code     text,
  phases_from   date,
  price         bigint,
  period        text,
  billing       text CHECK (billing IN ('in_advance', 'in_arrears')),
  day           smallint CHECK (day BETWEEN 1 AND 31),
  quantity      integer,
  PRIMARY KEY (account_id, id),
  FOREIGN KEY (account_id, contract_id) REFERENCES contract (account_id, id)
);
COMMENT ON TABLE contract_event IS 'append-only';

-- Documents ------------------------------------------------------------------------------------

CREATE TABLE invoice (
  account_id   bigint NOT NULL REFERENCES postpaid_account (id),
  id           bigint NOT NULL,
  issued_on    date NOT NULL,
  kind         text NOT NULL,
  status       text NOT NULL CHECK (status IN ('draft', 'committed', 'void')),
  written_off  boolean NOT NULL,
  target       date,
  PRIMARY KEY (account_id, id)
) WITH (fillfactor = 80);

CREATE TABLE invoice_line (
  account_id      bigint NOT NULL,
  id              bigint NOT NULL,
  invoice_id      bigint NOT NULL,
  contract_id     bigint,
  type            text NOT NULL,
  added_on        date NOT NULL,
  from_date       date NOT NULL,
  to_date         date,
  amount          bigint NOT NULL,
  plan_code       text,
  phase           text,
  price           bigint,
  period          text,
  period_days     integer,
  tax_code        text,
  linked_line_id  bigint,
  PRIMARY KEY (account_id, id),
  FOREIGN KEY (account_id, invoice_id) REFERENCES invoice (account_id, id),
  FOREIGN KEY (account_id, contract_id) REFERENCES contract (account_id, id),
  FOREIGN KEY (account_id, linked_line_id) REFERENCES invoice_line (account_id, id),
  CHECK (type NOT IN ('repair', 'item_adjustment') OR amount <= 0)
);
COMMENT ON TABLE invoice_line IS 'append-only';

-- Money ----------------------------------------------------------------------------------------

CREATE TABLE invoice_payment (
  account_id  bigint NOT NULL,
  id          bigint NOT NULL,
  invoice_id  bigint NOT NULL,
  begun_on    date NOT NULL,
  kind        text NOT NULL CHECK (kind IN ('automatic', 'manual', 'external')),
  key         text,
  PRIMARY KEY (account_id, id),
  FOREIGN KEY (account_id, invoice_id) REFERENCES invoice (account_id, id)
);
COMMENT ON TABLE invoice_payment IS 'append-only';

CREATE TABLE payment_attempt (
  account_id        bigint NOT NULL,
  id                bigint NOT NULL,
  payment_id        bigint NOT NULL,
  tried_on          date NOT NULL,
  asked             bigint NOT NULL,
  outcome           text NOT NULL
    CHECK (outcome IN ('approved', 'declined', 'pending', 'unknown', 'down')),
  paid              bigint NOT NULL CHECK (paid >= 0),
  settled_amount    bigint,
  settled_currency  text,
  decided_on        date,
  PRIMARY KEY (account_id, id),
  FOREIGN KEY (account_id, payment_id) REFERENCES invoice_payment (account_id, id),
  CHECK (paid = 0 OR outcome = 'approved')
) WITH (fillfactor = 80);
-- What is to be sent to a gateway, or asked there.
CREATE INDEX payment_attempt_open ON payment_attempt (id) WHERE outcome IN ('pending', 'unknown');

CREATE TABLE payment_return (
  account_id        bigint NOT NULL,
  id                bigint NOT NULL,
  payment_id        bigint NOT NULL,
  returned_on       date NOT NULL,
  type              text NOT NULL CHECK (type IN ('refund', 'chargeback', 'chargeback_reversal')),
  amount            bigint NOT NULL CHECK (amount >= 0),
  settled_amount    bigint NOT NULL CHECK (settled_amount >= 0),
  settled_currency  text NOT NULL,
  reverses_id       bigint,
  PRIMARY KEY (account_id, id),
  UNIQUE (account_id, reverses_id),
  FOREIGN KEY (account_id, payment_id) REFERENCES invoice_payment (account_id, id),
  FOREIGN KEY (account_id, reverses_id) REFERENCES payment_return (account_id, id),
  CHECK (type = 'chargeback_reversal' OR reverses_id IS NULL)
);
COMMENT ON TABLE payment_return IS 'append-only';

-- Keys inside the engine: a payment or a top-up of this name was made.
CREATE TABLE money_key (
  account_id  bigint NOT NULL REFERENCES postpaid_account (id),
  id          bigint NOT NULL,
  key         text NOT NULL,
  act         text NOT NULL,
  result_id   bigint NOT NULL,
  PRIMARY KEY (account_id, id),
  UNIQUE (account_id, act, key)
);
COMMENT ON TABLE money_key IS 'append-only';

-- Keys of callers: the act was done and answered like this. Whoever lost the answer asks again.
CREATE TABLE postpaid_act (
  account_id    bigint NOT NULL REFERENCES postpaid_account (id),
  key           text NOT NULL,
  content_hash  text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
  answer        jsonb NOT NULL,
  acted_at      timestamptz NOT NULL,
  PRIMARY KEY (account_id, key)
);
COMMENT ON TABLE postpaid_act IS 'append-only';

-- Legal numbers --------------------------------------------------------------------------------

CREATE TABLE number_counter (
  legal_entity_id  bigint NOT NULL REFERENCES legal_entity (id),
  series           text NOT NULL CHECK (series IN ('invoice', 'credit_note')),
  fiscal_year      integer NOT NULL,
  last             bigint NOT NULL CHECK (last > 0),
  PRIMARY KEY (legal_entity_id, series, fiscal_year)
) WITH (fillfactor = 50);

CREATE TABLE document_number (
  legal_entity_id  bigint NOT NULL REFERENCES legal_entity (id),
  series           text NOT NULL CHECK (series IN ('invoice', 'credit_note')),
  fiscal_year      integer NOT NULL,
  number           bigint NOT NULL CHECK (number > 0),
  -- As printed.
  text             text NOT NULL,
  issued_on        date NOT NULL,
  account_id       bigint NOT NULL,
  invoice_id       bigint NOT NULL,
  -- Null: the number of the document itself. Else a credit note over the adjustments of the
  -- document from the first to the last of these lines.
  first_line_id    bigint,
  last_line_id     bigint,
  PRIMARY KEY (legal_entity_id, series, fiscal_year, number),
  UNIQUE (legal_entity_id, text),
  FOREIGN KEY (account_id, invoice_id) REFERENCES invoice (account_id, id),
  FOREIGN KEY (account_id, first_line_id) REFERENCES invoice_line (account_id, id),
  FOREIGN KEY (account_id, last_line_id) REFERENCES invoice_line (account_id, id),
  CHECK ((first_line_id IS NULL) = (last_line_id IS NULL) AND first_line_id <= last_line_id)
);
CREATE UNIQUE INDEX document_number_own ON document_number (account_id, invoice_id)
  WHERE first_line_id IS NULL;
CREATE UNIQUE INDEX document_number_note ON document_number (account_id, first_line_id)
  WHERE first_line_id IS NOT NULL;
COMMENT ON TABLE document_number IS 'append-only';

-- Ledger ---------------------------------------------------------------------------------------

-- A journal books a message of the inbox or a fact of postpaid (an invoice, a line, an attempt,
-- a return): each fact once in each way.
ALTER TABLE journal
  ALTER COLUMN inbox_id DROP NOT NULL,
  ADD COLUMN fact_id bigint,
  ADD CONSTRAINT journal_source CHECK (num_nonnulls(inbox_id, fact_id) = 1);
CREATE UNIQUE INDEX journal_fact ON journal (fact_id, kind) WHERE fact_id IS NOT NULL;

-- What may change, and how ---------------------------------------------------------------------

-- An issued document keeps its lines, its day and its number; it can be voided or written off.
CREATE FUNCTION keep_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'invoice is never deleted' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.account_id, OLD.id, OLD.issued_on, OLD.kind)
       IS DISTINCT FROM (NEW.account_id, NEW.id, NEW.issued_on, NEW.kind)
     OR OLD.target IS DISTINCT FROM NEW.target
     OR (OLD.status = 'void' AND NEW.status <> 'void') OR (OLD.written_off > NEW.written_off)
     OR (OLD.status = 'committed' AND NEW.status = 'draft') THEN
    RAISE EXCEPTION 'invoice % is issued', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_invoice BEFORE UPDATE OR DELETE ON invoice
  FOR EACH ROW EXECUTE FUNCTION keep_invoice();
CREATE TRIGGER keep_invoice_truncate BEFORE TRUNCATE ON invoice
  FOR EACH STATEMENT EXECUTE FUNCTION keep_invoice();

-- An outcome that is known stays; one that is open becomes known.
CREATE FUNCTION keep_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' THEN
    RAISE EXCEPTION 'payment_attempt is never deleted' USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.account_id, OLD.id, OLD.payment_id, OLD.tried_on, OLD.asked)
       IS DISTINCT FROM (NEW.account_id, NEW.id, NEW.payment_id, NEW.tried_on, NEW.asked)
     OR (OLD.outcome IN ('approved', 'declined') AND NEW IS DISTINCT FROM OLD) THEN
    RAISE EXCEPTION 'payment attempt % is decided', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_attempt BEFORE UPDATE OR DELETE ON payment_attempt
  FOR EACH ROW EXECUTE FUNCTION keep_attempt();
CREATE TRIGGER keep_attempt_truncate BEFORE TRUNCATE ON payment_attempt
  FOR EACH STATEMENT EXECUTE FUNCTION keep_attempt();

CREATE FUNCTION keep_counter() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' OR NEW.last <= OLD.last
     OR (OLD.legal_entity_id, OLD.series, OLD.fiscal_year)
        IS DISTINCT FROM (NEW.legal_entity_id, NEW.series, NEW.fiscal_year) THEN
    RAISE EXCEPTION 'a number is never given twice' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_counter BEFORE UPDATE OR DELETE ON number_counter
  FOR EACH ROW EXECUTE FUNCTION keep_counter();
CREATE TRIGGER keep_counter_truncate BEFORE TRUNCATE ON number_counter
  FOR EACH STATEMENT EXECUTE FUNCTION keep_counter();

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['billing_day_change', 'overdue_change', 'contract', 'contract_event',
    'invoice_line', 'invoice_payment', 'payment_return', 'money_key', 'postpaid_act',
    'document_number']
  LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I
      FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
  END LOOP;
END $$;
