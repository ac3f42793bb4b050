-- What a phone paid last, so that it can say which payment went to the wrong card.
CREATE INDEX inbox_payer ON inbox (payer_msisdn, received_at) WHERE payer_msisdn IS NOT NULL;
-- Moves that an owner may object to, or has just objected to.
CREATE INDEX payment_move_objection ON payment_move (due_at) WHERE state IN ('pending', 'objected');
