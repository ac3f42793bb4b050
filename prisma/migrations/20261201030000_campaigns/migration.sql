-- Messages on screen that somebody decides: templates, groups of cards, campaigns.

-- What a conditional-access system said last of what it can show.
CREATE TABLE cas_capabilities (
  cas_id    text PRIMARY KEY REFERENCES conditional_access (id),
  -- Characters of the longest message on screen, and of the longest mail; null: it takes none.
  osd_max   integer NOT NULL CHECK (osd_max >= 0),
  mail_max  integer CHECK (mail_max >= 0),
  -- How it shows fingerprints; null: it has not said.
  fp_modes  jsonb,
  supports  jsonb NOT NULL,
  said_at   timestamptz NOT NULL
);

-- Each change of a template is a further version; what was shown can be read for ever.
CREATE TABLE message_template (
  id          bigint PRIMARY KEY,
  site_id     bigint NOT NULL REFERENCES site (id),
  name        text NOT NULL CHECK (name <> ''),
  version     integer NOT NULL CHECK (version > 0),
  -- {"en": {"subject": null, "body": "…"}, …}
  texts       jsonb NOT NULL CHECK (jsonb_typeof(texts) = 'object'),
  -- From this version on the name is used by no new campaign.
  is_retired  boolean NOT NULL,
  created_at  timestamptz NOT NULL,
  created_by  text NOT NULL,
  UNIQUE (site_id, name, version)
);
CREATE INDEX message_template_at ON message_template (created_at, id);
COMMENT ON TABLE message_template IS 'append-only';

-- Whom to speak to, under a name. The cards are looked up whenever it is used.
CREATE TABLE card_group (
  id          bigint PRIMARY KEY,
  site_id     bigint NOT NULL REFERENCES site (id),
  name        text NOT NULL CHECK (name <> ''),
  filter      jsonb NOT NULL CHECK (jsonb_typeof(filter) = 'object'),
  created_at  timestamptz NOT NULL,
  created_by  text NOT NULL,
  UNIQUE (site_id, name)
);
CREATE INDEX card_group_at ON card_group (created_at, id);
COMMENT ON TABLE card_group IS 'append-only';

CREATE TABLE campaign (
  id             bigint PRIMARY KEY,
  site_id        bigint NOT NULL REFERENCES site (id),
  name           text NOT NULL CHECK (name <> ''),
  kind           text NOT NULL
                   CHECK (kind IN ('osd', 'forced', 'mail', 'fingerprint', 'force_tune')),
  template_id    bigint REFERENCES message_template (id),
  content        jsonb NOT NULL,
  target         jsonb NOT NULL,
  schedule       jsonb NOT NULL,
  quiet          jsonb,
  -- How long after its time something may still be shown.
  valid_seconds  integer NOT NULL CHECK (valid_seconds > 0),
  state          text NOT NULL CHECK (state IN ('draft', 'running', 'stopped', 'finished')),
  created_at     timestamptz NOT NULL,
  created_by     text NOT NULL,
  -- The call that started it: asked again, it is the same start.
  start_key      text,
  started_at     timestamptz,
  started_by     text,
  -- The second person; null: nobody was needed.
  approved_by    text,
  -- What is left to chance follows from it.
  seed           text,
  stopped_at     timestamptz,
  stopped_by     text,
  -- The next occurrence, and how many there were.
  next_n         integer NOT NULL DEFAULT 0,
  occurrences    integer NOT NULL DEFAULT 0,
  -- Of these, how many nobody came to in time.
  skipped        integer NOT NULL DEFAULT 0,
  -- When to look at it; null: never.
  next_at        timestamptz,
  CHECK ((kind IN ('osd', 'forced', 'mail')) = (template_id IS NOT NULL)),
  CHECK ((state = 'draft') = (started_at IS NULL)),
  CHECK ((state = 'running') = (next_at IS NOT NULL)),
  CHECK (approved_by IS NULL OR approved_by <> started_by)
);
CREATE INDEX campaign_at ON campaign (created_at, id);
CREATE INDEX campaign_due ON campaign (next_at) WHERE next_at IS NOT NULL;

-- What was decided never changes; a campaign that has ended has ended, but of one that is ordered
-- to its end what waits can still be stopped.
CREATE FUNCTION keep_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF OLD.state = 'stopped' OR (OLD.state = 'finished' AND NEW.state <> 'stopped') THEN
    RAISE EXCEPTION 'campaign % has ended', OLD.id USING ERRCODE = 'restrict_violation';
  END IF;
  IF (OLD.id, OLD.site_id, OLD.name, OLD.kind, OLD.template_id, OLD.content, OLD.target,
      OLD.schedule, OLD.quiet, OLD.valid_seconds, OLD.created_at, OLD.created_by)
     IS DISTINCT FROM
     (NEW.id, NEW.site_id, NEW.name, NEW.kind, NEW.template_id, NEW.content, NEW.target,
      NEW.schedule, NEW.quiet, NEW.valid_seconds, NEW.created_at, NEW.created_by)
     OR (OLD.started_at IS NOT NULL AND
         (OLD.start_key, OLD.started_at, OLD.started_by, OLD.approved_by, OLD.seed)
         IS DISTINCT FROM
         (NEW.start_key, NEW.started_at, NEW.started_by, NEW.approved_by, NEW.seed)) THEN
    RAISE EXCEPTION 'campaign % was decided otherwise', OLD.id
      USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER keep_campaign BEFORE UPDATE ON campaign
  FOR EACH ROW EXECUTE FUNCTION keep_campaign();

-- One showing at one conditional-access system: its commands are ordered page after page, in the
-- order of cards, as fast as that system takes them.
CREATE TABLE campaign_occurrence (
  campaign_id  bigint NOT NULL REFERENCES campaign (id),
  n            integer NOT NULL CHECK (n >= 0),
  cas_id       text NOT NULL REFERENCES conditional_access (id),
  due_at       timestamptz NOT NULL,
  not_after    timestamptz NOT NULL,
  -- The last card that was come to.
  last_card    bigint NOT NULL DEFAULT 0,
  commands     integer NOT NULL DEFAULT 0,
  -- Cards to which nothing was sent, by reason.
  left_out     jsonb NOT NULL DEFAULT '{}',
  ended_at     timestamptz,
  PRIMARY KEY (campaign_id, n, cas_id)
);
-- One showing after the other.
CREATE UNIQUE INDEX campaign_occurrence_open ON campaign_occurrence (campaign_id, cas_id)
  WHERE ended_at IS NULL;

-- What was ordered for whom: for each showing and target one command, whoever orders them.
CREATE TABLE campaign_message (
  campaign_id  bigint NOT NULL,
  n            integer NOT NULL,
  cas_id       text NOT NULL,
  -- The number of a card; of a broadcast `*`.
  reached      text NOT NULL,
  command_id   bigint NOT NULL UNIQUE REFERENCES cas_command (id),
  PRIMARY KEY (campaign_id, n, reached, cas_id),
  FOREIGN KEY (campaign_id, n, cas_id) REFERENCES campaign_occurrence (campaign_id, n, cas_id)
);
CREATE INDEX campaign_message_at ON campaign_message (campaign_id, command_id);
COMMENT ON TABLE campaign_message IS 'append-only';
-- What of campaigns waits, which bounds how much more is ordered.
CREATE INDEX cas_command_campaign_waiting ON cas_command (cas_id)
  WHERE state = 'waiting' AND campaign_id IS NOT NULL;

-- Steps through the cards of a site.
CREATE INDEX card_site_id ON card (site_id, id);

DO $$
DECLARE t text;
BEGIN
  FOREACH t IN ARRAY ARRAY['message_template', 'card_group', 'campaign_message'] LOOP
    EXECUTE format('CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %I
      FOR EACH ROW EXECUTE FUNCTION refuse_change()', t);
    EXECUTE format('CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %I
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', t);
  END LOOP;
END $$;
