/** Promotions as rows: settlement counts what is left of their budgets there. */
import type { PoolClient } from 'pg';
import { midnight, parseLocalDate } from '../../platform/calendar.ts';
import type { Ids } from '../../platform/ports.ts';
import type { OperatorCatalogue, PromotionTerms, SiteTerms } from './file/types.ts';

interface Row {
  code: string;
  site: string;
  bouquet: string;
  term: string;
  bonusDays: number;
  budget: bigint;
  from: Date;
  to: Date;
}

/** The budget of a country is divided among its sites; what does not divide goes to the first. */
function rowsOf(promotion: PromotionTerms, sites: readonly SiteTerms[]): Row[] {
  const { code, product: bouquet, term, bonusDays, from, until } = promotion;
  return [...promotion.budget].flatMap(([country, whole]) => {
    const own = sites.filter((site) => site.country === country);
    const share = own.length === 0 ? 0n : whole / BigInt(own.length);
    return own.map(({ code: site, timeZone }, i): Row => {
      const rest = i === 0 ? whole - share * BigInt(own.length) : 0n;
      const start = (date: string) => midnight(parseLocalDate(date), timeZone);
      const budget = share + rest;
      return { code, site, bouquet, term, bonusDays, budget, from: start(from), to: start(until) };
    });
  });
}

const UPSERT = `
  INSERT INTO promotion (id, site_id, code, bouquet_id, term, bonus_days, budget, budget_left,
                         from_at, to_at)
  SELECT $1, s.id, $3, b.id, $5, $6, $7, $7, $8, $9
    FROM site s JOIN bouquet b ON b.site_id = s.id AND b.code = $4
   WHERE s.code = $2
  ON CONFLICT (site_id, code) DO UPDATE
     SET bouquet_id = EXCLUDED.bouquet_id, term = EXCLUDED.term, bonus_days = EXCLUDED.bonus_days,
         budget = EXCLUDED.budget, from_at = EXCLUDED.from_at, to_at = EXCLUDED.to_at,
         budget_left = greatest(0, promotion.budget_left + EXCLUDED.budget - promotion.budget)`;

/** What the file no longer has ends now; what had not begun is as if it had never been. */
const END = `
  UPDATE promotion p SET to_at = greatest(p.from_at + interval '1 millisecond', $3),
                         budget = CASE WHEN p.from_at < $3 THEN p.budget ELSE 0 END,
                         budget_left = CASE WHEN p.from_at < $3 THEN p.budget_left ELSE 0 END
    FROM site s
   WHERE s.id = p.site_id AND p.to_at > $3
     AND (p.code, s.code) NOT IN (SELECT * FROM unnest($1::text[], $2::text[]))`;

/** Writes the promotions of a file, and ends those that it no longer has. */
export async function writePromotions(
  client: PoolClient,
  ids: Ids,
  file: OperatorCatalogue,
  at: Date,
): Promise<void> {
  const sites = [...file.sites.values()];
  const rows = [...file.promotions.values()].flatMap((one) => rowsOf(one, sites));
  for (const { code, site, bouquet, term, bonusDays, budget, from, to } of rows) {
    const values = [await ids.take(), site, code, bouquet, term, bonusDays, budget, from, to];
    await client.query(UPSERT, values);
  }
  await client.query(END, [rows.map(({ code }) => code), rows.map(({ site }) => site), at]);
}
