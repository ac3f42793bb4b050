/** Campaigns as they lie in the database: what was decided, and how far each has come. */
import type { ClientBase, Pool } from 'pg';
import type { Ids } from '../../platform/ports.ts';
import {
  type CampaignKind,
  type CampaignTarget,
  type Content,
  content,
  type Quiet,
  quiet,
  type Schedule,
  schedule,
  target,
} from './content.ts';

type Db = Pool | ClientBase;

export type CampaignState = 'draft' | 'running' | 'stopped' | 'finished';

export interface Campaign {
  id: bigint;
  siteId: bigint;
  name: string;
  content: Content;
  target: CampaignTarget;
  schedule: Schedule;
  quiet: Quiet | null;
  validSeconds: number;
  state: CampaignState;
  createdAt: Date;
  createdBy: string;
  startedAt: Date | null;
  startedBy: string | null;
  /** The second person; null: nobody was needed. */
  approvedBy: string | null;
  seed: string | null;
  stoppedAt: Date | null;
  stoppedBy: string | null;
  /** Number of the next occurrence, how many there were, and how many of these came too late. */
  nextN: number;
  occurrences: number;
  skipped: number;
  nextAt: Date | null;
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
const campaignOf = (row: any): Campaign => ({
  ...{ id: row.id, siteId: row.site_id, name: row.name, state: row.state },
  content: content.parse(row.content),
  target: target.parse(row.target),
  schedule: schedule.parse(row.schedule),
  quiet: row.quiet === null ? null : quiet.parse(row.quiet),
  ...{ validSeconds: row.valid_seconds, createdAt: row.created_at, createdBy: row.created_by },
  ...{ startedAt: row.started_at, startedBy: row.started_by, approvedBy: row.approved_by },
  ...{ seed: row.seed, stoppedAt: row.stopped_at, stoppedBy: row.stopped_by },
  ...{ nextN: row.next_n, occurrences: row.occurrences, skipped: row.skipped, nextAt: row.next_at },
});

export type NewCampaign = Pick<
  Campaign,
  'siteId' | 'name' | 'content' | 'target' | 'schedule' | 'quiet' | 'validSeconds'
> & { by: string; at: Date };

/** Writes a draft. */
export async function addCampaign(db: Db, ids: Ids, made: NewCampaign): Promise<Campaign> {
  const templateId = 'templateId' in made.content ? made.content.templateId : null;
  const { rows } = await db.query(
    `INSERT INTO campaign (id, site_id, name, kind, template_id, content, target, schedule, quiet,
                           valid_seconds, state, created_at, created_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 'draft', $11, $12) RETURNING *`,
    [
      ...[await ids.take(), made.siteId, made.name, made.content.kind, templateId],
      ...[made.content, made.target, made.schedule].map((part) => JSON.stringify(part)),
      ...[made.quiet === null ? null : JSON.stringify(made.quiet), made.validSeconds],
      ...[made.at, made.by],
    ],
  );
  return campaignOf(rows[0]);
}

/** One of them, if it is of one of `sites` (null: all). */
export async function campaignById(
  db: Db,
  id: bigint,
  sites: bigint[] | null,
): Promise<Campaign | null> {
  const { rows } = await db.query(
    'SELECT * FROM campaign WHERE id = $1 AND ($2::bigint[] IS NULL OR site_id = ANY ($2))',
    [id, sites],
  );
  return rows[0] ? campaignOf(rows[0]) : null;
}

/** The newest first. */
export async function findCampaigns(
  db: Db,
  o: {
    sites: bigint[] | null;
    state: CampaignState | null;
    kind: CampaignKind | null;
    after: { at: Date; id: bigint } | null;
    limit: number;
  },
): Promise<Campaign[]> {
  const { rows } = await db.query(
    `SELECT * FROM campaign
      WHERE ($1::bigint[] IS NULL OR site_id = ANY ($1)) AND ($2::text IS NULL OR state = $2)
        AND ($3::text IS NULL OR kind = $3)
        AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5::bigint))
      ORDER BY created_at DESC, id DESC LIMIT $6`,
    [o.sites, o.state, o.kind, o.after?.at ?? null, o.after?.id ?? null, o.limit],
  );
  return rows.map(campaignOf);
}

export interface Start {
  /** Under which it is started: once. */
  key: string;
  by: string;
  approvedBy: string | null;
  seed: string;
  at: Date;
}

/** Starts a draft; true also for who started it under the same key before. */
export async function startCampaign(db: Db, id: bigint, start: Start): Promise<boolean> {
  const { key, by, approvedBy, seed, at } = start;
  await db.query(
    `UPDATE campaign SET state = 'running', start_key = $2, started_by = $3, approved_by = $4,
            seed = $5, started_at = $6, next_at = $6
      WHERE id = $1 AND state = 'draft'`,
    [id, key, by, approvedBy, seed, at],
  );
  const { rows } = await db.query('SELECT start_key = $2 AS mine FROM campaign WHERE id = $1', [
    ...[id, key],
  ]);
  return rows[0]?.mine === true;
}

/** Locks a campaign that is to be looked at; null when it is not, or somebody else does. */
export async function lockDue(tx: ClientBase, id: bigint, now: Date): Promise<Campaign | null> {
  const { rows } = await tx.query(
    `SELECT * FROM campaign WHERE id = $1 AND state = 'running' AND next_at <= $2
        FOR NO KEY UPDATE SKIP LOCKED`,
    [id, now],
  );
  return rows[0] ? campaignOf(rows[0]) : null;
}

/** The campaigns that are to be looked at, the longest due first. Plan: `campaign_due`. */
export async function findDue(
  db: Db,
  now: Date,
  limit: number,
): Promise<{ id: bigint; siteId: bigint }[]> {
  const { rows } = await db.query(
    'SELECT id, site_id FROM campaign WHERE next_at <= $1 ORDER BY next_at, id LIMIT $2',
    [now, limit],
  );
  return rows.map(({ id, site_id }) => ({ id, siteId: site_id }));
}

/** Where it goes on; `nextAt` null: it has finished. The caller holds the row. */
export async function moveOn(
  tx: ClientBase,
  id: bigint,
  to: Pick<Campaign, 'nextN' | 'nextAt' | 'occurrences' | 'skipped'>,
): Promise<void> {
  await tx.query(
    `UPDATE campaign SET next_n = $2, next_at = $3, occurrences = $4, skipped = $5,
            state = CASE WHEN $3::timestamptz IS NULL THEN 'finished' ELSE state END
      WHERE id = $1`,
    [id, to.nextN, to.nextAt, to.occurrences, to.skipped],
  );
}

/** Locks a campaign that was started and not stopped: nothing is ordered for it meanwhile. */
export async function lockStarted(
  tx: ClientBase,
  id: bigint,
): Promise<'running' | 'finished' | null> {
  const { rows } = await tx.query(
    `SELECT state FROM campaign WHERE id = $1 AND state IN ('running', 'finished')
        FOR NO KEY UPDATE`,
    [id],
  );
  return rows[0]?.state ?? null;
}

/** Stops a campaign, and what of it is open. The caller holds the row. */
export async function stopCampaign(
  tx: ClientBase,
  id: bigint,
  { by, at }: { by: string; at: Date },
): Promise<void> {
  await tx.query(
    `UPDATE campaign SET state = 'stopped', stopped_at = $2, stopped_by = $3, next_at = NULL
      WHERE id = $1`,
    [id, at, by],
  );
  await tx.query(
    'UPDATE campaign_occurrence SET ended_at = $2 WHERE campaign_id = $1 AND ended_at IS NULL',
    [id, at],
  );
}
