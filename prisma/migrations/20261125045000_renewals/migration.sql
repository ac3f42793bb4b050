-- What is due is read page by page, by instant and id, however many are due at one midnight.
DROP INDEX subscription_due;
CREATE INDEX subscription_due ON subscription (renew_at, id) WHERE renew_at IS NOT NULL;
DROP INDEX lot_expiry;
CREATE INDEX lot_expiry ON lot (expires_at, id) WHERE remaining > 0 AND expires_at IS NOT NULL;
