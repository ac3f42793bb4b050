-- Until when the list of payments that an operator keeps has been compared with ours.
CREATE TABLE money_sweep (
  channel_id   text PRIMARY KEY,
  swept_until  timestamptz NOT NULL
);
