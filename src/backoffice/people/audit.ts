/** Who did what: one line a write, in the same transaction, never changed afterwards. */
import type { Ids } from '../../platform/ports.ts';
import type { Db } from './staff-store.ts';

export interface AuditLine {
  at: Date;
  requestId: string;
  /** `staff:<id>`, `key:<id>` or `system`. */
  actor: string;
  actorName: string;
  /** As what they acted: roles of staff at that moment, `partner`, `system`. */
  role: string;
  remote: string;
  route: string;
  /** `asked` stands before an act that commits by itself. */
  outcome: 'asked' | 'done' | 'refused' | 'failed';
  siteId: bigint | null;
  object: string;
  objectId: string | null;
  before: unknown;
  after: unknown;
  reason: string | null;
}

export interface KeptAudit extends AuditLine {
  id: bigint;
}

const json = (value: unknown): string | null =>
  value === null || value === undefined ? null : JSON.stringify(value);

/** Writes a line. Secrets must not be in `before` and `after`. */
export async function writeAudit(db: Db, ids: Ids, line: AuditLine): Promise<void> {
  await db.query(
    `INSERT INTO audit (id, at, request_id, actor, actor_name, remote, route, outcome, site_id,
                        object, object_id, before, after, reason, role)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`,
    [
      await ids.take(),
      line.at,
      line.requestId,
      line.actor,
      line.actorName,
      line.remote,
      line.route,
      line.outcome,
      line.siteId,
      line.object,
      line.objectId,
      json(line.before),
      json(line.after),
      line.reason,
      line.role,
    ],
  );
}

export interface AuditFilter {
  /** Null: all sites and what belongs to none. */
  sites: bigint[] | null;
  actor: string | null;
  object: string | null;
  objectId: string | null;
  after: { at: Date; id: bigint } | null;
  limit: number;
}

/** Lines, the newest first. */
export async function listAudit(db: Db, filter: AuditFilter): Promise<KeptAudit[]> {
  const { rows } = await db.query(
    `SELECT * FROM audit
      WHERE ($1::bigint[] IS NULL OR site_id = ANY ($1))
        AND ($2::text IS NULL OR actor = $2)
        AND ($3::text IS NULL OR object = $3)
        AND ($4::text IS NULL OR object_id = $4)
        AND ($5::timestamptz IS NULL OR (at, id) < ($5, $6::bigint))
      ORDER BY at DESC, id DESC LIMIT $7`,
    [
      filter.sites,
      filter.actor,
      filter.object,
      filter.objectId,
      filter.after?.at ?? null,
      filter.after?.id ?? null,
      filter.limit,
    ],
  );
  return rows.map((row) => ({
    id: row.id,
    at: row.at,
    requestId: row.request_id,
    actor: row.actor,
    actorName: row.actor_name,
    role: row.role,
    remote: row.remote,
    route: row.route,
    outcome: row.outcome,
    siteId: row.site_id,
    object: row.object,
    objectId: row.object_id,
    before: row.before,
    after: row.after,
    reason: row.reason,
  }));
}
