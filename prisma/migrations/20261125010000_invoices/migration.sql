-- What an issued document says beyond its lines: when it is due, which taxes it holds; what of it
-- was earned; and money from outside on its way to an account.

-- The newest first, over all accounts: ids rise within one account only.
ALTER TABLE invoice ADD COLUMN created_at timestamptz;
UPDATE invoice SET created_at = issued_on;
ALTER TABLE invoice ALTER COLUMN created_at SET NOT NULL;
CREATE INDEX invoice_newest ON invoice (created_at, id);

-- For whom its prices are: the category of its subscriber when it was opened. What was sold keeps
-- its price when the subscriber becomes something else.
ALTER TABLE postpaid_account ADD COLUMN category text;
UPDATE postpaid_account a SET category = s.category FROM subscriber s WHERE s.id = a.subscriber_id;
ALTER TABLE postpaid_account ALTER COLUMN category SET NOT NULL;

-- Written when a draft is committed, or with a document that never was a draft.
CREATE TABLE invoice_issue (
  account_id  bigint NOT NULL,
  invoice_id  bigint NOT NULL,
  issued_on   date NOT NULL,
  -- Null: there is nothing to pay on it.
  due_on      date CHECK (due_on >= issued_on),
  PRIMARY KEY (account_id, invoice_id),
  FOREIGN KEY (account_id, invoice_id) REFERENCES invoice (account_id, id)
);
COMMENT ON TABLE invoice_issue IS 'append-only';

-- The taxes inside the amount of a line, frozen when it is issued; what they leave is net.
CREATE TABLE invoice_tax (
  account_id  bigint NOT NULL,
  line_id     bigint NOT NULL,
  -- In the order in which they are applied, from 1.
  place       smallint NOT NULL CHECK (place > 0),
  tax_code    text NOT NULL,
  -- Parts per million.
  ppm         bigint NOT NULL CHECK (ppm >= 0),
  -- What it is a percentage of, with commas between: `net`, taxes before it.
  on_taxes    text NOT NULL,
  base        bigint NOT NULL,
  amount      bigint NOT NULL,
  PRIMARY KEY (account_id, line_id, place),
  FOREIGN KEY (account_id, line_id) REFERENCES invoice_line (account_id, id)
);
COMMENT ON TABLE invoice_tax IS 'append-only';

-- Lines whose days are to come are found by their end.
CREATE INDEX invoice_line_days ON invoice_line (to_date)
  WHERE type IN ('fixed', 'recurring', 'external_charge');

-- What a site earned of its documents: all days before `before_on`, beyond what it had earned.
CREATE TABLE recognition (
  id         bigint PRIMARY KEY,
  site_id    bigint NOT NULL REFERENCES site (id),
  asset      text NOT NULL,
  before_on  date NOT NULL,
  amount     bigint NOT NULL,
  UNIQUE (site_id, asset, before_on)
);
COMMENT ON TABLE recognition IS 'append-only';

-- Money that settlement took in for a postpaid account, until the account has it.
CREATE TABLE postpaid_receipt (
  inbox_id    bigint PRIMARY KEY REFERENCES inbox (id),
  account_id  bigint NOT NULL REFERENCES postpaid_account (id),
  -- The payment of ours that it answers; else the invoice whose number the payer wrote.
  payment_id  bigint,
  invoice_id  bigint,
  amount      bigint NOT NULL CHECK (amount > 0),
  applied_at  timestamptz,
  CHECK (num_nonnulls(payment_id, invoice_id) = 1),
  FOREIGN KEY (account_id, payment_id) REFERENCES invoice_payment (account_id, id),
  FOREIGN KEY (account_id, invoice_id) REFERENCES invoice (account_id, id)
);
CREATE INDEX postpaid_receipt_open ON postpaid_receipt (inbox_id) WHERE applied_at IS NULL;

-- Tries that did not reach a gateway: the last of them are repeated.
CREATE INDEX payment_attempt_down ON payment_attempt (id) WHERE outcome = 'down';

-- A number as payers type it: letters and digits alone.
CREATE INDEX document_number_typed
  ON document_number (regexp_replace(upper(text), '[^A-Z0-9]', '', 'g'));

-- Money is applied once, and nothing else of a receipt changes.
CREATE FUNCTION keep_receipt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'UPDATE' OR OLD.applied_at IS NOT NULL OR NEW.applied_at IS NULL
     OR (OLD.inbox_id, OLD.account_id, OLD.amount)
        IS DISTINCT FROM (NEW.inbox_id, NEW.account_id, NEW.amount)
     OR (OLD.payment_id, OLD.invoice_id) IS DISTINCT FROM (NEW.payment_id, NEW.invoice_id) THEN
    RAISE EXCEPTION 'postpaid_receipt % is kept', OLD.inbox_id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_receipt BEFORE UPDATE OR DELETE ON postpaid_receipt
  FOR EACH ROW EXECUTE FUNCTION keep_receipt();
CREATE TRIGGER keep_receipt_truncate BEFORE TRUNCATE ON postpaid_receipt
  FOR EACH STATEMENT EXECUTE FUNCTION keep_receipt();

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['invoice_issue', 'invoice_tax', 'recognition']
  LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I
      FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
  END LOOP;
END $$;
