-- The record of a customer: where bills go, where the decoder stands, how else to reach them.

ALTER TABLE subscriber
  ADD COLUMN billing_address      text CHECK (btrim(billing_address) <> ''),
  -- Where the decoder stands; seldom far from, and not always, where bills go.
  ADD COLUMN installation_address text CHECK (btrim(installation_address) <> ''),
  -- Of the installation, in degrees (WGS 84): a home without a street has a place all the same.
  ADD COLUMN latitude             numeric(9, 6) CHECK (latitude BETWEEN -90 AND 90),
  ADD COLUMN longitude            numeric(9, 6) CHECK (longitude BETWEEN -180 AND 180),
  -- E.164. Not in `phone`: nobody pays or dials a code from it, and a household shares it.
  ADD COLUMN landline             text CHECK (landline ~ '^\+[1-9][0-9]{6,14}$'),
  ADD COLUMN email                text CHECK (length(email) <= 254
                                              AND email ~ '^[^[:space:]@]+@[^[:space:]@]+$'),
  ADD CONSTRAINT subscriber_position_is_whole CHECK ((latitude IS NULL) = (longitude IS NULL));
