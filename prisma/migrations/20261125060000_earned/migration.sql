-- Prepaid lines are earned day by day as lines of documents are: each kind in a row of its own.

ALTER TABLE recognition
  -- `invoices`: of documents, account `site:<id>:invoices`; `terms`: of prepaid lines, `site:<id>`.
  ADD COLUMN book text NOT NULL DEFAULT 'invoices' CHECK (book IN ('invoices', 'terms')),
  DROP CONSTRAINT recognition_site_id_asset_before_on_key,
  ADD UNIQUE (site_id, book, asset, before_on);
ALTER TABLE recognition ALTER COLUMN book DROP DEFAULT;
