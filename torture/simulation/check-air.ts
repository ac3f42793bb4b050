/** What was paid for, what we ask for, what the head-end has, and what decoders have heard. */
import type { Pool } from 'pg';
import { canonicalSet } from '../../simulators/head-end/card-state.ts';
import type { VipControlServer } from '../../simulators/head-end/server.ts';
import { AIR_MARGIN_MS, offAirAt } from '../../src/entitlement/rights/rules.ts';
import type { Base } from './base.ts';

interface AirEvidence {
  pool: Pool;
  base: Base;
  headEnd: VipControlServer;
  now: Date;
}

interface Right {
  product: string;
  from: string;
  to: string;
}

interface CardRow {
  card: string;
  desiredRev: number;
  ackedRev: number;
  desired: Right[];
  suspended: string | null;
  /** Bouquets and events whose time is sold and runs now. */
  bouquets: bigint[];
  events: string[];
}

/** Compares every card, and every decoder that is on. */
export async function airFaults(
  evidence: AirEvidence,
): Promise<{ faults: string[]; checks: number }> {
  const { pool, now } = evidence;
  const { rows } = await pool.query<CardRow>(
    `SELECT c.number AS card, r.desired_rev AS "desiredRev", r.acked_rev AS "ackedRev", r.desired,
            r.suspended,
            ARRAY(SELECT t.bouquet_id FROM term t JOIN subscription s ON s.id = t.subscription_id
                   WHERE s.card_id = c.id AND t.state = 'sold'
                     AND t.from_at <= $1 AND t.to_at > $1) AS bouquets,
            ARRAY(SELECT e.product FROM event_purchase p JOIN event e ON e.id = p.event_id
                   WHERE p.card_id = c.id AND p.state IN ('held', 'captured')
                     AND e.sale_from <= $1 AND p.ends_at > $1) AS events
       FROM card c LEFT JOIN card_rights r ON r.card_id = c.id`,
    [now],
  );
  const { rows: cas } = await pool.query<{ epoch: number }>('SELECT epoch FROM conditional_access');
  const epoch = cas[0]?.epoch ?? 0;
  const faults = rows.flatMap((row) => [
    ...paidFaults(row, evidence),
    ...headEndFaults(row, evidence, epoch),
    ...decoderFaults(row, evidence),
  ]);
  return { faults, checks: 3 * rows.length };
}

/** Lit by what is paid, and dark by what is not: the products of this instant. */
function paidFaults({ card, desired, bouquets, events }: CardRow, { base, now }: AirEvidence) {
  const paid = new Set([
    ...bouquets.flatMap((id) => base.catalogue.current().bouquets.get(id)?.products ?? []),
    ...events,
  ]);
  const runs = ({ from, to }: Right) =>
    Date.parse(from) <= now.getTime() && Date.parse(to) > now.getTime();
  const asked = new Set((desired ?? []).filter(runs).map(({ product }) => product));
  return [
    ...[...paid]
      .filter((product) => !asked.has(product))
      .map((product) => `card ${card}: ${product} is paid for and not asked for`),
    ...[...asked]
      .filter((product) => !paid.has(product))
      .map((product) => `card ${card}: ${product} is asked for and not paid for`),
  ];
}

function headEndFaults(row: CardRow, { headEnd }: AirEvidence, epoch: number): string[] {
  const { card, desiredRev, ackedRev, desired, suspended } = row;
  const onAir = headEnd.card(card);
  if (!desiredRev) return onAir ? [`card ${card}: on air, though we never asked for it`] : [];
  if (ackedRev !== desiredRev) return [`card ${card}: ${ackedRev} of ${desiredRev} acknowledged`];
  if (!onAir) return [`card ${card}: acknowledged, but the head-end does not know it`];
  const faults: string[] = [];
  if (onAir.epoch !== epoch || onAir.rev !== desiredRev) {
    faults.push(`card ${card}: on air ${onAir.epoch}.${onAir.rev}, ours ${epoch}.${desiredRev}`);
  }
  if ((onAir.suspended ?? null) !== suspended) {
    faults.push(`card ${card}: suspended on air ${onAir.suspended}, ours ${suspended}`);
  }
  // Of a suspended card nothing is shown; when it goes on, its set is sent anew.
  if (suspended !== null) return faults;
  const ours = desired.map(({ product, from, to }) => ({
    ...{ product, from },
    to: offAirAt({ product, to: new Date(to) }, AIR_MARGIN_MS).toISOString(),
  }));
  if (JSON.stringify(canonicalSet(ours)) !== JSON.stringify(onAir.set)) {
    faults.push(`card ${card}: other rights on air than ours`);
  }
  return faults;
}

/** Who is on has heard what the head-end has. */
function decoderFaults({ card }: CardRow, { headEnd, now }: AirEvidence): string[] {
  const decoder = headEnd.air.decoders.view(card, now);
  const onAir = headEnd.card(card);
  if (!decoder?.power || !onAir) return [];
  const { stored } = decoder;
  if (stored?.epoch === onAir.epoch && stored.rev === onAir.rev) return [];
  return [`card ${card}: its decoder has revision ${stored?.rev}, on air is ${onAir.rev}`];
}
