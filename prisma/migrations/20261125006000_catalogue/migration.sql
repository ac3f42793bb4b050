-- The catalogue file is the catalogue: each publication of it is kept whole, the newest holds.
-- Rows remain only where other rows point at them: sites, bouquets, events, promotions.

CREATE TABLE catalogue_version (
  id            bigint PRIMARY KEY,
  -- The file as it was written: YAML.
  text          text NOT NULL,
  -- Of its UTF-8, in lower-case hex.
  sha256        text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
  published_at  timestamptz NOT NULL,
  -- A member of staff (`staff:7`), or who ran the command.
  published_by  text NOT NULL,
  note          text NOT NULL
);
CREATE INDEX catalogue_version_at ON catalogue_version (published_at, id);
COMMENT ON TABLE catalogue_version IS 'append-only';
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON catalogue_version
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON catalogue_version
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What only said again what the file says.
DROP TABLE price, bouquet_product, bouquet_channel, channel, tvu_tariff;
DROP TABLE unit_price, unit_value, unit_market;
ALTER TABLE bouquet DROP COLUMN tax_percent;
ALTER TABLE site DROP COLUMN policy, DROP COLUMN rules;

-- A catalogue is of all sites: so is the approval of a new one.
ALTER TABLE approval ALTER COLUMN site_id DROP NOT NULL;
