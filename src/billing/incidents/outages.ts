/**
 * Outages: opened and closed by whoever sees them, and the free days that follow. The days are
 * given page after page of the site's cards; a process may end anywhere, and any process goes on.
 */
import { createHash } from 'node:crypto';
import type { ClientBase, Pool } from 'pg';
import { localDate } from '../../platform/calendar.ts';
import type { Ids, Logger } from '../../platform/ports.ts';
import { type Catalogue, rulesOf, type Site } from '../catalogue/rules.ts';
import type { Settlement } from '../settlement/service.ts';
import { cardsInReach, givenLately, limitsOf } from './reach.ts';
import { type IncidentCard, type IncidentPreview, outageDays, previewIncident } from './rules.ts';

type Db = Pool | ClientBase;

export interface Outage {
  id: bigint;
  siteId: bigint;
  /** What was dark; null: all. */
  product: string | null;
  /** A transmitter or a region, for people to read. */
  region: string | null;
  reason: string;
  from: Date;
  to: Date | null;
  state: 'open' | 'closed' | 'giving' | 'given';
  openedBy: string;
  openedAt: Date;
  closedBy: string | null;
  /** Days for each card, once it is decided; and what they cost as it was shown. */
  days: number | null;
  cost: bigint | null;
}

/** Under which a card has its free days: once for each outage. */
export const incidentOf = ({ id }: Pick<Outage, 'id'>): string => `outage:${id}`;

const COLUMNS = `id, site_id, product, region, reason, from_at, to_at, state, opened_by, opened_at,
  closed_by, days, cost`;

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
const outageOf = (row: any): Outage => ({
  id: row.id,
  siteId: row.site_id,
  product: row.product,
  region: row.region,
  reason: row.reason,
  from: row.from_at,
  to: row.to_at,
  state: row.state,
  openedBy: row.opened_by,
  openedAt: row.opened_at,
  closedBy: row.closed_by,
  days: row.days,
  cost: row.cost,
});

export type NewOutage = Pick<Outage, 'siteId' | 'product' | 'region' | 'reason' | 'from'> & {
  by: string;
  at: Date;
};

/** Writes a new outage, which is open. */
export async function openOutage(db: Db, ids: Ids, outage: NewOutage): Promise<Outage> {
  const { siteId, product, region, reason, from, by, at } = outage;
  const { rows } = await db.query(
    `INSERT INTO outage (id, site_id, product, region, reason, from_at, state, opened_by, opened_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'open', $7, $8) RETURNING ${COLUMNS}`,
    [await ids.take(), siteId, product, region, reason, from, by, at],
  );
  return outageOf(rows[0]);
}

/** Says when it ended; null when it is closed already, or `to` lies before its beginning. */
export async function closeOutage(
  db: Db,
  id: bigint,
  { to, by, at }: { to: Date; by: string; at: Date },
): Promise<Outage | null> {
  const { rows } = await db.query(
    `UPDATE outage SET state = 'closed', to_at = $2, closed_by = $3, closed_at = $4
      WHERE id = $1 AND state = 'open' AND from_at < $2 RETURNING ${COLUMNS}`,
    [id, to, by, at],
  );
  return rows[0] ? outageOf(rows[0]) : null;
}

/** One of them, if it is of one of `sites` (null: all). */
export async function outageById(
  db: Db,
  id: bigint,
  sites: bigint[] | null,
): Promise<Outage | null> {
  const { rows } = await db.query(
    `SELECT ${COLUMNS} FROM outage
      WHERE id = $1 AND ($2::bigint[] IS NULL OR site_id = ANY ($2))`,
    [id, sites],
  );
  return rows[0] ? outageOf(rows[0]) : null;
}

/** The newest first. */
export async function findOutages(
  db: Db,
  o: {
    sites: bigint[] | null;
    state: string | null;
    after: { at: Date; id: bigint } | null;
    limit: number;
  },
): Promise<Outage[]> {
  const { rows } = await db.query(
    `SELECT ${COLUMNS} FROM outage
      WHERE ($1::bigint[] IS NULL OR site_id = ANY ($1)) AND ($2::text IS NULL OR state = $2)
        AND ($3::timestamptz IS NULL OR (opened_at, id) < ($3, $4::bigint))
      ORDER BY opened_at DESC, id DESC LIMIT $5`,
    [o.sites, o.state, o.after?.at ?? null, o.after?.id ?? null, o.limit],
  );
  return rows.map(outageOf);
}

/** Days that a closed outage gives by the rule of its site, within its limit; 0: too short. */
export function daysOf({ from, to }: Pick<Outage, 'from' | 'to'>, site: Site): number {
  const { outage: rule, daysPerIncident } = rulesOf(site).incident;
  const days = to === null ? 0 : outageDays({ from, to }, rule);
  return daysPerIncident === null ? days : Math.min(days, daysPerIncident);
}

/** Cards looked at in one step, and given to in one command: their rights are locked together. */
const PAGE_CARDS = 500;
const COMMAND_CARDS = 50;
/** A site of more cards than this is given to in parts, by product. */
export const OUTAGE_CARDS_MAX = 500_000;

interface Asking {
  site: Site;
  catalogue: Catalogue;
  at: Date;
  days: number;
}

const cardsBehind = (
  db: Db,
  outage: Outage,
  { catalogue, at }: Pick<Asking, 'catalogue' | 'at'>,
  after: bigint,
): Promise<IncidentCard[]> => {
  const { siteId, from, to } = outage;
  const during = { from, to: to ?? at };
  const options = { at, limit: PAGE_CARDS, incident: incidentOf(outage), during, catalogue };
  return cardsInReach(db, { siteId, subscriberId: null, cardIds: null, after }, options);
};

/** Who of these cards would have the days, and at what cost. */
async function chosenOf(
  db: Db,
  outage: Outage,
  { site, at, days }: Asking,
  cards: readonly IncidentCard[],
): Promise<IncidentPreview> {
  const { siteId, product, from, to, reason, openedBy: by } = outage;
  const products = product === null ? null : [product];
  const ask = {
    ...{ incident: incidentOf(outage), reason, days, by, on: localDate(at, site.timeZone) },
    scope: { kind: 'outage', siteIds: [siteId], products, from, to: to ?? at } as const,
  };
  const given = await givenLately(db, site, cards, at);
  return previewIncident(ask, { cards, given, limits: limitsOf(site) });
}

/** What the days of an outage would come to now; null: more cards than `OUTAGE_CARDS_MAX`. */
export async function previewOutage(
  db: Db,
  outage: Outage,
  asking: Asking,
): Promise<IncidentPreview | null> {
  const cards: IncidentCard[] = [];
  for (;;) {
    const page = await cardsBehind(db, outage, asking, cards.at(-1)?.cardId ?? 0n);
    cards.push(...page);
    if (cards.length > OUTAGE_CARDS_MAX) return null;
    if (page.length < PAGE_CARDS) return chosenOf(db, outage, asking, cards);
  }
}

/**
 * It is decided: from now on the days are given, once for each `key`. False when it was decided
 * under another key, or is open.
 */
export async function beginGiving(
  db: Db,
  id: bigint,
  o: { key: string; days: number; cost: bigint; at: Date },
): Promise<boolean> {
  await db.query(
    `UPDATE outage SET state = 'giving', given_key = $2, days = $3, cost = $4, given_at = $5
      WHERE id = $1 AND state = 'closed'`,
    [id, o.key, o.days, o.cost, o.at],
  );
  const { rows } = await db.query('SELECT given_key = $2 AS mine FROM outage WHERE id = $1', [
    id,
    o.key,
  ]);
  return rows[0]?.mine === true;
}

export interface GivingDeps {
  pool: Pool;
  settlement: Pick<Settlement, 'settle'>;
  catalogue(): Catalogue;
  logger: Logger;
  /** Where the acts of a site are kept under. */
  channelOf(site: Site): string;
}

/**
 * Gives the days of one outage to the next `pages` pages of cards. True when it has come to its
 * end. What was given before the process ended is not given again: a card has days of one incident
 * once. Two that give at once do no harm for the same reason.
 */
export async function giveSome(
  deps: GivingDeps,
  id: bigint,
  at: Date,
  pages: number,
): Promise<boolean> {
  const catalogue = deps.catalogue();
  for (let page = 0; page < pages; page += 1) {
    const { rows } = await deps.pool.query(
      `SELECT ${COLUMNS}, last_card FROM outage WHERE id = $1 AND state = 'giving'`,
      [id],
    );
    const [row] = rows;
    const outage = row && outageOf(row);
    const site = outage && catalogue.sites.get(outage.siteId);
    if (!outage || !site) return true;
    const cards = await cardsBehind(deps.pool, outage, { catalogue, at }, row.last_card);
    const asking = { site, catalogue, at, days: outage.days ?? 0 };
    const { cards: chosen } = await chosenOf(deps.pool, outage, asking, cards);
    const ids = chosen.map(({ cardId }) => cardId);
    if (!(await giveTo(deps, outage, asking, ids))) return false;
    const last = cards.at(-1)?.cardId ?? row.last_card;
    await deps.pool.query(
      `UPDATE outage SET last_card = $2, state = $4
        WHERE id = $1 AND state = 'giving' AND last_card = $3`,
      [id, last, row.last_card, cards.length < PAGE_CARDS ? 'given' : 'giving'],
    );
    if (cards.length < PAGE_CARDS) return true;
  }
  return false;
}

/** False when settlement is away: the same cards are tried again later. */
async function giveTo(
  { settlement, channelOf, logger }: GivingDeps,
  outage: Outage,
  { site, at, days }: Asking,
  cardIds: readonly bigint[],
): Promise<boolean> {
  const incident = incidentOf(outage);
  for (let from = 0; from < cardIds.length; from += COMMAND_CARDS) {
    const some = cardIds.slice(from, from + COMMAND_CARDS);
    const outcome = await settlement.settle({
      ...{ kind: 'incident', provider: 'outage', channelId: channelOf(site), siteId: site.id, at },
      receipt: `${outage.id}:${createHash('sha256').update(some.join()).digest('base64url')}`,
      ...{ incident, days, cardIds: some, raw: Buffer.alloc(0) },
    });
    if (outcome.kind === 'unavailable') return false;
    // Kept for staff to look at; the other cards need not wait for it.
    if (outcome.kind === 'parked') logger.error('outage.parked', { outageId: outage.id });
  }
  return true;
}

/** The others wait until these have come to their end. */
const OUTAGES_AT_ONCE_MAX = 20;

/** A step of every outage whose days are being given. The oldest decision first. */
export async function giveDue(deps: GivingDeps, at: Date, pages: number): Promise<void> {
  const { rows } = await deps.pool.query(
    `SELECT id FROM outage WHERE state = 'giving' ORDER BY given_at, id LIMIT $1`,
    [OUTAGES_AT_ONCE_MAX],
  );
  for (const { id } of rows) await giveSome(deps, id, at, pages);
}
