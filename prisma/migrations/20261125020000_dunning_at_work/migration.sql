-- Dunning at work: what it says to pictures, and whose policies hold.

-- Policies are the catalogue file's alone.
DROP TABLE dunning_policy;

-- unpaid: a debt; blocked: a decision that no picture is shown for a time.
ALTER TABLE card_rights
  DROP CONSTRAINT card_rights_suspended_check,
  ADD CONSTRAINT card_rights_suspended_check CHECK (suspended IN
    ('admin', 'fraud', 'dispute', 'vacation', 'incident', 'unpaid', 'blocked'));
ALTER TABLE card_suspension
  DROP CONSTRAINT card_suspension_reason_check,
  ADD CONSTRAINT card_suspension_reason_check CHECK (reason IN
    ('admin', 'fraud', 'dispute', 'vacation', 'incident', 'unpaid', 'blocked'));

-- Pictures that dunning holds, of whomever their cards are by now.
CREATE INDEX card_suspension_dunning ON card_suspension (card_id)
  WHERE resumed_at IS NULL AND suspended_by = 'dunning';
-- Lists of what was taken from whom, the newest first.
CREATE INDEX dunning_hold_from ON dunning_hold (from_at, id);
