/**
 * What is earned of prepaid lines. The net of a line is deferred when it is sold and earned in
 * equal parts by the dates it counts, those of `lines.ts`: a date is earned when it is over, the
 * days of a pause are none of it, and what is given back is not earned.
 */
import { dayOfInstant } from '../../platform/day.ts';
import { rulesOf, type Site } from '../catalogue/rules.ts';
import { earnDays, type RecognitionTools } from '../ledger/recognition.ts';

/**
 * Purpose: by asset, what of a site's lines must be deferred when all dates before $2 are over: of
 * each, its net less the share of its dates that are over, rounded half-up, so that it is earned
 * whole at its end. Of a line that is paused now, the dates since are not over. A line without a
 * date is earned at its end. Plan: lines that end later, by `term_end`; and those of paused
 * subscriptions, which may have had their end already.
 */
const WANTED = `
WITH paused AS (
  SELECT s.id, s.pause_from,
         greatest(0, least((s.pause_until AT TIME ZONE $4::text)::date, $2::date)
                     - (s.pause_from AT TIME ZONE $4)::date) AS days
    FROM subscription s WHERE s.pause_until IS NOT NULL
), line AS (
  SELECT t.*, coalesce(p.days, 0) AS paused
    FROM term t LEFT JOIN paused p ON p.id = t.subscription_id AND t.to_at > p.pause_from
   WHERE t.to_at > $2::timestamp AT TIME ZONE $4
  UNION ALL
  SELECT t.*, p.days
    FROM paused p JOIN term t ON t.subscription_id = p.id AND t.to_at > p.pause_from
   WHERE t.to_at <= $2::timestamp AT TIME ZONE $4
), dated AS (
  -- The dates on which it counts first and no more; an instant before: is midnight its own date?
  SELECT l.asset, l.price - l.tax AS net, l.paused,
         CASE WHEN l.beside IS NULL AND $5 THEN (l.from_at AT TIME ZONE $4)::date
              WHEN l.beside IS NULL AND coalesce(l.sold_at, l.from_at) = l.from_at
              THEN (l.from_at AT TIME ZONE $4)::date + 1
              ELSE ((l.from_at - interval '1 us') AT TIME ZONE $4)::date + 1 END AS from_on,
         ((l.to_at - interval '1 us') AT TIME ZONE $4)::date + 1 AS to_on,
         CASE WHEN l.breaks = '[]' THEN 0 ELSE
           (SELECT sum(((b->>'to')::timestamptz AT TIME ZONE $4)::date
                       - ((b->>'from')::timestamptz AT TIME ZONE $4)::date)
              FROM jsonb_array_elements(l.breaks) b) END AS broken
    FROM line l JOIN bouquet o ON o.id = l.bouquet_id
   WHERE o.site_id = $1 AND l.state = 'sold' AND l.price > 0
), counted AS (
  -- Lines of one price and one date are alike: so each line's dates are worked out once.
  SELECT asset, net, greatest(0, to_on - from_on - broken) AS all_days,
         to_on + paused - $2::date AS left_days, count(*) AS lines
    FROM dated GROUP BY 1, 2, 3, 4
)
SELECT asset, sum(lines * CASE WHEN left_days <= 0 THEN 0 WHEN all_days = 0 THEN net
         ELSE net - floor(net * (all_days - least(all_days, left_days))::numeric / all_days + 0.5)
         END) AS amount
  FROM counted GROUP BY asset`;

/**
 * Earns all dates of prepaid lines before today, by the calendar of each of these sites, in one
 * journal a site and asset. A day is done once; several processes may try. Returns how many
 * journals it wrote.
 */
export async function earnTerms(
  tools: RecognitionTools,
  sites: Iterable<Pick<Site, 'id' | 'timeZone' | 'rules'>>,
): Promise<number> {
  let written = 0;
  for (const site of sites) {
    const { id: siteId, timeZone } = site;
    const before = dayOfInstant(tools.clock.now(), timeZone);
    // Where the rest of the first day is not free, that day counts.
    const firstDayCounts = rulesOf(site).termEnd !== 'rest_of_day_free';
    const values = [timeZone, firstDayCounts];
    const deferral = { book: 'terms', siteId, owner: `site:${siteId}`, before } as const;
    written += await earnDays(tools, { ...deferral, wanted: WANTED, values });
  }
  return written;
}
