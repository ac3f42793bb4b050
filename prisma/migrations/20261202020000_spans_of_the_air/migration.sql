-- What was on the air when, by all that a card showed instead of product by product: a card then
-- has one span at a time, so that cards of any products are counted by adding up.

-- All that a card showed from then to the end, which is exclusive; one that never was has its end
-- where it begins. `shown`: products, sorted, a space between them. Two words are no products and
-- stand alone: `!suspended`, and `!seen` from the first instant that the card showed anything.
-- `since`: since when it had each of the products without a break.
CREATE TABLE air_span (
  card     text NOT NULL,
  shown    text NOT NULL COLLATE "C",
  from_at  timestamptz NOT NULL,
  to_at    timestamptz NOT NULL,
  since    timestamptz[] NOT NULL,
  PRIMARY KEY (card, shown, from_at),
  CHECK (from_at <= to_at),
  CHECK (cardinality(string_to_array(shown, ' ')) = cardinality(since))
) WITH (fillfactor = 80);

WITH interval AS (
  SELECT card, product, from_at, to_at FROM air_interval
   WHERE from_at < to_at AND product NOT IN ('*', '!off')
), edge AS (
  SELECT card, at, lead(at) OVER (PARTITION BY card ORDER BY at) AS next_at
    FROM (SELECT card, from_at AS at FROM interval
           UNION SELECT card, to_at FROM interval) AS edges
)
INSERT INTO air_span (card, shown, from_at, to_at, since)
SELECT e.card, string_agg(i.product, ' ' ORDER BY i.product COLLATE "C"), e.at, e.next_at,
       array_agg(i.from_at ORDER BY i.product COLLATE "C")
  FROM edge e
  JOIN interval i ON i.card = e.card AND i.from_at <= e.at AND i.to_at >= e.next_at
 GROUP BY e.card, e.at, e.next_at;

INSERT INTO air_span (card, shown, from_at, to_at, since)
SELECT card, '!seen', min(from_at), 'infinity', ARRAY[min(from_at)]
  FROM air_span GROUP BY card;

CREATE INDEX air_span_from ON air_span (from_at) INCLUDE (to_at, shown);
CREATE INDEX air_span_to ON air_span (to_at) INCLUDE (from_at, shown);

DROP TABLE air_interval, air_day;

-- How many of them began and ended on a day (UTC).
CREATE TABLE air_day (
  shown  text NOT NULL COLLATE "C",
  day    date NOT NULL,
  began  bigint NOT NULL,
  ended  bigint NOT NULL,
  PRIMARY KEY (shown, day)
);
INSERT INTO air_day (shown, day, began, ended)
SELECT shown, (at AT TIME ZONE 'UTC')::date, sum(began), sum(ended)
  FROM (SELECT shown, from_at AS at, 1 AS began, 0 AS ended FROM air_span
         UNION ALL SELECT shown, to_at, 0, 1 FROM air_span) AS edges
 WHERE isfinite(at)
 GROUP BY 1, 2;
