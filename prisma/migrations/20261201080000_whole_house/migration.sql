-- The number of a transaction, as rows keep it. In the database where it began it is Postgres' own.
-- In one that was filled from a backup it goes on above all that the rows brought with them, so
-- that what is folded and sealed up to a number stays so: a restore replaces both functions
-- (platform/database/backup/load.ts).
CREATE FUNCTION house_xid() RETURNS xid8 LANGUAGE sql STABLE
  RETURN pg_current_xact_id();
-- All transactions below it have ended.
CREATE FUNCTION house_xmin() RETURNS xid8 LANGUAGE sql STABLE
  RETURN pg_snapshot_xmin(pg_current_snapshot());

ALTER TABLE entry ALTER COLUMN xid SET DEFAULT house_xid();
ALTER TABLE journal ALTER COLUMN xid SET DEFAULT house_xid();
ALTER TABLE audit ALTER COLUMN xid SET DEFAULT house_xid();
ALTER TABLE command_log ALTER COLUMN xid SET DEFAULT house_xid()::text::bigint;

CREATE OR REPLACE FUNCTION entry_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE bad record;
BEGIN
  SELECT n.journal_id, n.asset, sum(n.amount) AS total INTO bad
    FROM new_entry n GROUP BY n.journal_id, n.asset HAVING sum(n.amount) <> 0 LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal % does not sum to zero in %: %', bad.journal_id, bad.asset, bad.total
      USING ERRCODE = 'check_violation';
  END IF;
  SELECT e.journal_id INTO bad FROM (SELECT DISTINCT journal_id FROM new_entry) n
    JOIN entry e ON e.journal_id = n.journal_id AND e.xid <> house_xid() LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'journal % is complete', bad.journal_id USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

-- What is ordered about a device goes to the system of its card: of a decoder, of the card in it,
-- else to the system of its site. Whoever orders it need not know.
CREATE FUNCTION device_command_takes_cas() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.cas_id := coalesce(
    CASE NEW.target_kind
      WHEN 'card' THEN (SELECT c.cas_id FROM card c WHERE c.number = NEW.target)
      WHEN 'stb' THEN coalesce(
        (SELECT c.cas_id FROM pairing p JOIN card c ON c.number = p.card
          WHERE p.stb = NEW.target AND p.to_at IS NULL ORDER BY p.id LIMIT 1),
        (SELECT a.id FROM decoder d JOIN site s ON s.id = d.site_id
           JOIN conditional_access a ON a.site_codes ? s.code
          WHERE d.serial = NEW.target ORDER BY a.id LIMIT 1))
    END, NEW.cas_id);
  RETURN NEW;
END $$;
CREATE TRIGGER device_command_takes_cas BEFORE INSERT ON cas_command
  FOR EACH ROW WHEN (NEW.campaign_id IS NULL) EXECUTE FUNCTION device_command_takes_cas();
