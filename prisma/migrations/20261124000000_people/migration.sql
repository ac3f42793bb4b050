-- People: staff and their sessions, keys of partners, approvals, what was done by whom, and the
-- answers kept for repeated calls of the API.

CREATE TABLE staff (
  id                   bigint PRIMARY KEY,
  -- Lower case, as it is typed at sign-in.
  login                text NOT NULL UNIQUE CHECK (login ~ '^[a-z0-9][a-z0-9._-]{1,39}$'),
  full_name            text NOT NULL,
  -- Parameters, salt and key: see people/passwords.ts.
  password_hash        text NOT NULL,
  -- The password was given by somebody else: it must be changed before anything else is done.
  must_change          boolean NOT NULL,
  -- Sealed with a key that is not in the database; null before enrolment has begun.
  totp_sealed          text,
  -- Null while enrolment is not confirmed by a first code.
  totp_since           timestamptz,
  -- The last time step whose code was taken: none is taken twice.
  totp_step            bigint NOT NULL DEFAULT 0,
  roles                jsonb NOT NULL CHECK (jsonb_typeof(roles) = 'array'),
  all_sites            boolean NOT NULL,
  -- Ids of sites, as digits.
  sites                jsonb NOT NULL CHECK (jsonb_typeof(sites) = 'array'),
  is_active            boolean NOT NULL DEFAULT true,
  created_at           timestamptz NOT NULL
);

CREATE TABLE staff_session (
  id          bigint PRIMARY KEY,
  staff_id    bigint NOT NULL REFERENCES staff (id),
  -- SHA-256 of the token: the token itself is known to its holder alone.
  token_hash  text NOT NULL UNIQUE CHECK (token_hash ~ '^[0-9a-f]{64}$'),
  created_at  timestamptz NOT NULL,
  seen_at     timestamptz NOT NULL,
  ends_at     timestamptz NOT NULL,
  ended_at    timestamptz,
  remote      text NOT NULL,
  agent       text NOT NULL
);
CREATE INDEX staff_session_staff ON staff_session (staff_id, created_at);

-- Failed sign-ins by login (known or not) and by address. Counted before the password is checked,
-- so that tries made at the same time do not share one.
CREATE TABLE sign_in_try (
  kind          text NOT NULL CHECK (kind IN ('login', 'address')),
  -- SHA-256 of the login or the address: a password typed as a login is not kept.
  key_hash      text NOT NULL,
  failed        integer NOT NULL,
  last_at       timestamptz NOT NULL,
  locked_until  timestamptz,
  PRIMARY KEY (kind, key_hash)
);

CREATE TABLE api_key (
  id           bigint PRIMARY KEY,
  -- Stands in the key itself, and in lists.
  prefix       text NOT NULL UNIQUE CHECK (prefix ~ '^[0-9a-f]{12}$'),
  secret_hash  text NOT NULL CHECK (secret_hash ~ '^[0-9a-f]{64}$'),
  name         text NOT NULL,
  permissions  jsonb NOT NULL CHECK (jsonb_typeof(permissions) = 'array'),
  all_sites    boolean NOT NULL,
  sites        jsonb NOT NULL CHECK (jsonb_typeof(sites) = 'array'),
  created_at   timestamptz NOT NULL,
  created_by   bigint NOT NULL REFERENCES staff (id),
  expires_at   timestamptz NOT NULL,
  last_used    timestamptz,
  revoked_at   timestamptz
);

-- An act that waits for a second person.
CREATE TABLE approval (
  id            bigint PRIMARY KEY,
  -- The call that asked: asked again, it is the same approval.
  request_key   text NOT NULL UNIQUE,
  act           text NOT NULL,
  -- What may decide it.
  permission    text NOT NULL,
  site_id       bigint NOT NULL REFERENCES site (id),
  subject       text NOT NULL,
  asset         text,
  amount        bigint,
  -- What the act is done with.
  input         jsonb NOT NULL,
  reason        text NOT NULL,
  state         text NOT NULL CHECK (state IN ('asked', 'approved', 'done', 'failed', 'refused')),
  asked_by      text NOT NULL,
  asked_at      timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  decided_by    text,
  decided_at    timestamptz,
  decision      text,
  outcome       jsonb,
  done_at       timestamptz,
  CHECK ((state = 'asked') = (decided_by IS NULL)),
  CHECK ((decided_by IS NULL) = (decided_at IS NULL)),
  -- Nobody decides what they asked for.
  CHECK (decided_by IS DISTINCT FROM asked_by)
);
CREATE INDEX approval_at ON approval (asked_at, id);
CREATE INDEX approval_open ON approval (decided_at) WHERE state = 'approved';

-- Every write by whom it was done. `asked` stands before an act that commits by itself (money,
-- rights), so that none is ever without a line here; its end follows under the same request.
CREATE TABLE audit (
  id          bigint PRIMARY KEY,
  at          timestamptz NOT NULL,
  request_id  text NOT NULL,
  actor       text NOT NULL,
  actor_name  text NOT NULL,
  remote      text NOT NULL,
  route       text NOT NULL,
  outcome     text NOT NULL CHECK (outcome IN ('asked', 'done', 'refused', 'failed')),
  -- Null: an object of no site, such as a member of staff.
  site_id     bigint REFERENCES site (id),
  object      text NOT NULL,
  object_id   text,
  before      jsonb,
  after       jsonb,
  reason      text
);
CREATE INDEX audit_at ON audit (at, id);
CREATE INDEX audit_object ON audit (object, object_id, at);
COMMENT ON TABLE audit IS 'append-only';

-- The answers to calls that carry a key: asked again, the same answer is given.
CREATE TABLE idempotency_key (
  id            bigint PRIMARY KEY,
  principal     text NOT NULL,
  route         text NOT NULL,
  key           text NOT NULL,
  -- What was asked: compared with a repeat, field by field.
  content       jsonb NOT NULL,
  state         text NOT NULL CHECK (state IN ('in_hand', 'done', 'free')),
  -- Of an attempt in hand: afterwards it is given up for dead, and the act may be asked again.
  lease_until   timestamptz NOT NULL,
  answer        jsonb,
  created_at    timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  UNIQUE (principal, route, key),
  CHECK ((state = 'done') = (answer IS NOT NULL))
);

-- When a suspension ends by itself.
CREATE TABLE suspension_end (
  suspension_id  bigint PRIMARY KEY REFERENCES card_suspension (id),
  resume_at      timestamptz NOT NULL,
  done_at        timestamptz
);
CREATE INDEX suspension_end_due ON suspension_end (resume_at) WHERE done_at IS NULL;

-- What staff look for and page through. Inbox and outbound are read by a span of time, for which a
-- block-range index is enough: it costs a payment nothing.
CREATE INDEX subscriber_site ON subscriber (site_id, created_at, id);
CREATE INDEX subscriber_name ON subscriber (lower(full_name) text_pattern_ops);
CREATE INDEX card_site ON card (site_id, created_at, id);
CREATE INDEX inbox_received ON inbox USING brin (received_at);
CREATE INDEX outbound_created ON outbound USING brin (created_at);

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON audit
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
