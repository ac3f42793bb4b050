-- Time that can be moved: of single subscribers, and of a whole demo.

-- It stands still until it is moved on; the automatic work of its subscribers is done by it alone.
CREATE TABLE test_clock (
  id       bigint PRIMARY KEY,
  site_id  bigint NOT NULL REFERENCES site (id),
  at       timestamptz NOT NULL,
  made_by  text NOT NULL
);

CREATE FUNCTION keep_clock() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR NEW.at < OLD.at
     OR (NEW.id, NEW.site_id, NEW.made_by) IS DISTINCT FROM (OLD.id, OLD.site_id, OLD.made_by) THEN
    RAISE EXCEPTION 'a clock only goes on';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_clock BEFORE UPDATE OR DELETE ON test_clock
  FOR EACH ROW EXECUTE FUNCTION keep_clock();

ALTER TABLE subscriber ADD COLUMN test_clock_id bigint REFERENCES test_clock (id);
-- Read once by everything that looks for due work: it is empty wherever no clock is in use.
CREATE INDEX subscriber_test_clock ON subscriber (test_clock_id, id)
  WHERE test_clock_id IS NOT NULL;

-- How far a demo's time is ahead of the machine's; one row at the most.
CREATE TABLE demo_clock (
  id        smallint PRIMARY KEY CHECK (id = 1),
  ahead_ms  bigint NOT NULL CHECK (ahead_ms >= 0)
);
CREATE TRIGGER keep_clock BEFORE DELETE ON demo_clock
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
