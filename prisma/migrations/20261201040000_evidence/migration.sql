-- Evidence: what was asked of the head-ends and what came of it, and seals over what was written.

-- Why the wanted set of a card was raised: `PAYMENT:mpesa/UAA1B2C3D4`, `SUSPEND:staff:7`.
ALTER TABLE card_rights ADD COLUMN raised_for text;

-- Command log --------------------------------------------------------------------------------

CREATE SEQUENCE command_log_id AS bigint CACHE 100;

-- One row for every sending that ended. A month a partition, by the clock of the product.
CREATE TABLE command_log (
  id           bigint NOT NULL DEFAULT nextval('command_log_id'),
  -- When its end was known here.
  at           timestamptz NOT NULL,
  cas          text NOT NULL,
  cmd_id       text NOT NULL,
  op           text NOT NULL,
  target_kind  text NOT NULL,
  target_id    text NOT NULL,
  -- Null where the target is no card, or the sender knows its number alone.
  card_id      bigint,
  -- The decoder, where the command names one.
  stb          text,
  epoch        integer,
  rev          integer,
  -- What was asked for, as it lay on the wire; of rights the full set.
  args         jsonb NOT NULL,
  -- Seconds by which the rights in `args` end later than sold; those of an event 900 at most.
  margin_s     integer,
  prio         text NOT NULL,
  actor        text,
  reason       text,
  approved_by  text,
  sent_at      timestamptz NOT NULL,
  accepted_at  timestamptz,
  on_air_at    timestamptz,
  -- done: executed. rejected: for good. retry: not taken. unknown: sent, and nobody answered.
  result       text NOT NULL CHECK (result IN ('done', 'rejected', 'retry', 'unknown')),
  -- In the head-end's words; NO_ANSWER when it said none.
  code         text NOT NULL,
  -- Which try of the same thing it was, from 1.
  attempt      integer NOT NULL,
  -- The transaction that wrote it, as a number: seals look only below every one still running.
  xid          bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
  PRIMARY KEY (xid, id, at)
) PARTITION BY RANGE (at);
CREATE INDEX command_log_target ON command_log (target_id, at);
CREATE INDEX command_log_at ON command_log USING brin (at);
COMMENT ON TABLE command_log IS 'append-only';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON command_log
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON command_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Rows of a month for which nobody made a partition: nothing is ever refused for that.
CREATE TABLE command_log_default PARTITION OF command_log DEFAULT;
COMMENT ON TABLE command_log_default IS 'append-only';
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON command_log_default
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Makes the partition of the month of `p_day` (UTC); false when it is there, or when rows of that
-- month already lie in the default partition. Made apart and then attached: neither writers nor
-- readers of other months wait for it.
CREATE FUNCTION make_command_log_month(p_day date) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
  begins  timestamptz := date_trunc('month', p_day::timestamp) AT TIME ZONE 'UTC';
  ends    timestamptz := (date_trunc('month', p_day::timestamp) + interval '1 month')
                         AT TIME ZONE 'UTC';
  name    text := 'command_log_' || to_char(p_day, 'YYYY_MM');
  reader  name;
BEGIN
  IF to_regclass(name) IS NOT NULL
     OR EXISTS (SELECT FROM command_log_default WHERE at >= begins AND at < ends) THEN
    RETURN false;
  END IF;
  EXECUTE format('CREATE TABLE %I (LIKE command_log INCLUDING ALL)', name);
  EXECUTE format('COMMENT ON TABLE %I IS ''append-only''', name);
  EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', name);
  EXECUTE format('ALTER TABLE command_log ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                 name, begins, ends);
  -- Who seals reads a month by itself.
  FOR reader IN SELECT grantee::regrole::name FROM pg_class, aclexplode(relacl)
                 WHERE pg_class.oid = 'command_log'::regclass AND privilege_type = 'SELECT'
                   AND grantee <> 0
  LOOP
    EXECUTE format('GRANT SELECT ON %I TO %I', name, reader);
  END LOOP;
  RETURN true;
EXCEPTION WHEN duplicate_table OR lock_not_available THEN
  RETURN false;
END $$;

SELECT make_command_log_month((now() AT TIME ZONE 'UTC' + make_interval(months => n))::date)
  FROM generate_series(0, 3) AS n;

-- Seals ----------------------------------------------------------------------------------------

-- So that what is not sealed yet is found, in an order that late commits cannot change. Rows from
-- before today have the transaction that added the column.
ALTER TABLE journal ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX journal_xid ON journal (xid, id);
ALTER TABLE audit ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX audit_xid ON audit (xid, id);

-- A block of a chain: the rows after those of the block before, in the order of (xid, id).
CREATE TABLE seal_block (
  -- The table whose rows are sealed.
  chain      text NOT NULL,
  -- From 1, without gaps.
  no         bigint NOT NULL,
  rows       integer NOT NULL CHECK (rows > 0),
  -- Where it ends.
  to_xid     xid8 NOT NULL,
  to_id      bigint NOT NULL,
  -- Of each row: its id (8 bytes, most significant first), and SHA-256 of its canonical text.
  ids        bytea NOT NULL CHECK (length(ids) = 8 * rows),
  digests    bytea NOT NULL CHECK (length(digests) = 32 * rows),
  -- SHA-256 over the head before and this block.
  head       bytea NOT NULL CHECK (length(head) = 32),
  sealed_at  timestamptz NOT NULL,
  PRIMARY KEY (chain, no)
);
ALTER TABLE seal_block ALTER ids SET STORAGE EXTERNAL, ALTER digests SET STORAGE EXTERNAL;
COMMENT ON TABLE seal_block IS 'append-only';

-- Months that were exported and taken out of the command log, and where their chains ended.
CREATE TABLE command_log_archive (
  chain        text PRIMARY KEY,
  rows         bigint NOT NULL,
  blocks       bigint NOT NULL,
  head         bytea NOT NULL,
  -- SHA-256 of the exported file.
  file_digest  bytea NOT NULL,
  archived_at  timestamptz NOT NULL,
  archived_by  text NOT NULL
);
COMMENT ON TABLE command_log_archive IS 'append-only';

-- What was on the air when ---------------------------------------------------------------------

-- Made from the command log, in its order, and can be made from it again. Only what lies before
-- `air_progress.at` is final.
CREATE TABLE air_progress (
  id   smallint PRIMARY KEY CHECK (id = 1),
  -- The last row of the command log that was read.
  xid  bigint NOT NULL,
  row  bigint NOT NULL,
  -- Whatever came to its end here by then has been read.
  at   timestamptz NOT NULL
);
INSERT INTO air_progress VALUES (1, 0, 0, '-infinity');

-- The last set of rights of each card that counted.
CREATE TABLE air_card (
  card   text PRIMARY KEY,
  epoch  integer NOT NULL,
  rev    integer NOT NULL,
  at     timestamptz NOT NULL
) WITH (fillfactor = 80);

-- When a card had a product. Three are none: `*` any product at all, `!suspended`, and `!off`:
-- neither, after it once had any. From and to the end, which is exclusive; one that never was has
-- its end where it begins.
CREATE TABLE air_interval (
  card     text NOT NULL,
  product  text NOT NULL,
  from_at  timestamptz NOT NULL,
  to_at    timestamptz NOT NULL,
  PRIMARY KEY (card, product, from_at),
  CHECK (from_at <= to_at)
) WITH (fillfactor = 80);
CREATE INDEX air_interval_from ON air_interval (product, from_at) INCLUDE (to_at, card)
  WHERE from_at < to_at;
CREATE INDEX air_interval_to ON air_interval (product, to_at) WHERE from_at < to_at;

-- How many of them began and ended on a day (UTC).
CREATE TABLE air_day (
  product  text NOT NULL,
  day      date NOT NULL,
  began    bigint NOT NULL,
  ended    bigint NOT NULL,
  PRIMARY KEY (product, day)
);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['seal_block', 'command_log_archive'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I
      FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
  END LOOP;
END $$;
