-- As what somebody acted: the roles of staff at that moment, `partner`, `system`.

-- Lines from before today say that it was not written down; no row is touched for that.
ALTER TABLE audit ADD COLUMN role text NOT NULL DEFAULT 'not recorded' CHECK (role <> '');
ALTER TABLE audit ALTER role DROP DEFAULT;
