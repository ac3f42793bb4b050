-- Dunning: what changes its course, what was done, and what was taken away. The state itself is a
-- function of debts and date, and is kept nowhere.

CREATE TABLE dunning_policy (
  site_id    bigint NOT NULL REFERENCES site (id),
  -- Empty: for every category that has none of its own.
  category   text NOT NULL DEFAULT '',
  -- Cycles that begin on this local date or later follow it.
  from_on    date NOT NULL,
  policy     jsonb NOT NULL CHECK (jsonb_typeof(policy) = 'object'),
  PRIMARY KEY (site_id, category, from_on)
);
COMMENT ON TABLE dunning_policy IS 'append-only';

-- do_not_cut: nothing is taken away while it runs. block: no picture while it runs.
CREATE TABLE dunning_flag (
  id             bigint PRIMARY KEY,
  subscriber_id  bigint NOT NULL REFERENCES subscriber (id),
  kind           text NOT NULL CHECK (kind IN ('do_not_cut', 'block')),
  reason         text NOT NULL CHECK (reason <> ''),
  from_on        date NOT NULL,
  -- Exclusive; null: until it is lifted.
  until_on       date,
  set_by         text NOT NULL,
  set_at         timestamptz NOT NULL,
  -- The first day without, where that was decided later.
  lifted_on      date,
  lifted_by      text,
  CHECK (from_on < until_on),
  CHECK ((lifted_on IS NULL) = (lifted_by IS NULL))
);
CREATE INDEX dunning_flag_subscriber ON dunning_flag (subscriber_id);
-- Blocks that run or come: their subscribers are looked at whether they owe or not.
CREATE INDEX dunning_flag_block ON dunning_flag (subscriber_id)
  WHERE kind = 'block' AND lifted_on IS NULL;

CREATE TABLE dunning_promise (
  id             bigint PRIMARY KEY,
  subscriber_id  bigint NOT NULL REFERENCES subscriber (id),
  made_on        date NOT NULL,
  -- Inclusive.
  due_on         date NOT NULL,
  amount         bigint NOT NULL CHECK (amount > 0),
  -- What was owed when it was made: kept when `amount` of that is gone.
  owed           bigint NOT NULL,
  made_by        text NOT NULL,
  made_at        timestamptz NOT NULL,
  CHECK (made_on <= due_on),
  CHECK (amount <= owed)
);
CREATE INDEX dunning_promise_subscriber ON dunning_promise (subscriber_id, made_on);
COMMENT ON TABLE dunning_promise IS 'append-only';

-- Steps taken: each once a cycle and round, for ever.
CREATE TABLE dunning_step (
  subscriber_id  bigint NOT NULL REFERENCES subscriber (id),
  -- The local date from which the debt counted.
  cycle          date NOT NULL,
  step           text NOT NULL,
  round          integer NOT NULL CHECK (round >= 0),
  due_on         date NOT NULL,
  taken_at       timestamptz NOT NULL,
  -- A harder step held already: recorded and said, with no other effect.
  is_skipped     boolean NOT NULL,
  owed           bigint NOT NULL,
  PRIMARY KEY (subscriber_id, cycle, step, round)
);
COMMENT ON TABLE dunning_step IS 'append-only';

-- Which messages are dunning's: those still queued are withdrawn when their reason is gone.
CREATE TABLE dunning_message (
  outbound_id    bigint PRIMARY KEY REFERENCES outbound (id),
  subscriber_id  bigint NOT NULL REFERENCES subscriber (id)
);
CREATE INDEX dunning_message_subscriber ON dunning_message (subscriber_id);
COMMENT ON TABLE dunning_message IS 'append-only';

-- What was taken away, and when it came back: days stopped or ended are never billed.
CREATE TABLE dunning_hold (
  id             bigint PRIMARY KEY,
  subscriber_id  bigint NOT NULL REFERENCES subscriber (id),
  level          text NOT NULL CHECK (level IN ('walled', 'stopped', 'ended')),
  because        text NOT NULL,
  from_on        date NOT NULL,
  from_at        timestamptz NOT NULL,
  -- Exclusive; null while it holds.
  to_on          date,
  to_at          timestamptz,
  CHECK ((to_on IS NULL) = (to_at IS NULL)),
  CHECK (from_on <= to_on)
);
CREATE UNIQUE INDEX dunning_hold_open ON dunning_hold (subscriber_id) WHERE to_at IS NULL;
CREATE INDEX dunning_hold_subscriber ON dunning_hold (subscriber_id, from_on);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['dunning_policy', 'dunning_promise', 'dunning_step', 'dunning_message']
  LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I
      FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
  END LOOP;
END $$;
