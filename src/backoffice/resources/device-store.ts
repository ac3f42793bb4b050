/** Cards and decoders as staff see them, and what became of each: reads alone. */
import type { Db } from '../people/staff-store.ts';

export type Kind = 'card' | 'stb';

export interface DeviceRecord {
  id: bigint;
  name: string;
  siteId: bigint | null;
  state: string;
  batch: string | null;
  /** Cards or decoders that it is paired with. */
  paired: string[];
  /** Of a card: `physical` or `virtual`; of a decoder: its model. */
  sort: string | null;
  /** Of a card. */
  area: string | null;
  cardId: bigint | null;
  subscriberId: bigint | null;
  /** Of a decoder. */
  chipId: string | null;
  mac: string | null;
  ownership: string | null;
}

/**
 * A card in use is `paired`, `active`, `expired` or `suspended` by what it carries now: `$1`.
 * Plan: a range of the list's own key, the rest by key.
 */
const CARDS = `
SELECT v.id, v.number AS name, v.site_id AS "siteId", v.batch, v.kind AS sort, v.area,
       c.id AS "cardId", c.subscriber_id AS "subscriberId", NULL AS "chipId", NULL AS mac,
       NULL AS ownership,
       CASE WHEN v.state <> 'in_use' THEN v.state
            WHEN r.suspended IS NOT NULL THEN 'suspended'
            WHEN s.paid_until > $1 THEN 'active'
            WHEN s.paid_until IS NOT NULL THEN 'expired'
            ELSE 'in_use' END AS state,
       coalesce((SELECT array_agg(p.stb ORDER BY p.id) FROM pairing p
                  WHERE p.card = v.number AND p.to_at IS NULL), '{}') AS paired
  FROM viewing_card v
  LEFT JOIN card c ON c.number = v.number
  LEFT JOIN card_rights r ON r.card_id = c.id
  LEFT JOIN subscription s ON s.card_id = c.id AND s.closed_at IS NULL
 WHERE ($2::bigint[] IS NULL OR v.site_id = ANY ($2))`;

const DECODERS = `
SELECT v.id, v.serial AS name, v.site_id AS "siteId", v.batch, v.model AS sort, NULL AS area,
       NULL::bigint AS "cardId", NULL::bigint AS "subscriberId", v.chip_id AS "chipId", v.mac,
       v.ownership, v.state,
       coalesce((SELECT array_agg(p.card ORDER BY p.id) FROM pairing p
                  WHERE p.stb = v.serial AND p.to_at IS NULL), '{}') AS paired
  FROM decoder v
 WHERE $1::timestamptz IS NOT NULL AND ($2::bigint[] IS NULL OR v.site_id = ANY ($2))`;

const OF = { card: CARDS, stb: DECODERS } as const;
const NAME = { card: 'v.number', stb: 'v.serial' } as const;

export interface Seen {
  now: Date;
  /** Null: all. */
  sites: bigint[] | null;
}

/** One device, if it is at one of the sites. */
export async function deviceByName(
  db: Db,
  kind: Kind,
  name: string,
  { now, sites }: Seen,
): Promise<DeviceRecord | null> {
  const { rows } = await db.query<DeviceRecord>(`${OF[kind]} AND ${NAME[kind]} = $3`, [
    ...[now, sites, name],
  ]);
  return rows[0] ?? null;
}

/** Devices, the first known first. `state`: as the device itself has it. */
export async function findDevices(
  db: Db,
  kind: Kind,
  { now, sites, ...o }: Seen & { state: string | null; after: bigint | null; limit: number },
): Promise<DeviceRecord[]> {
  const { rows } = await db.query<DeviceRecord>(
    `${OF[kind]} AND ($3::text IS NULL OR v.state = $3) AND ($4::bigint IS NULL OR v.id > $4)
      ORDER BY v.id LIMIT $5`,
    [now, sites, o.state, o.after, o.limit],
  );
  return rows;
}

export interface HistoryRecord {
  at: Date;
  /** `event`: of the device itself. `command`: what the head-end was told. */
  source: 'event' | 'command';
  what: string;
  actor: string;
  channel: string | null;
  siteId: bigint | null;
  reason: string;
  approvedBy: string | null;
  from: string | null;
  to: string;
  detail: Record<string, unknown>;
}

/** What became of a device, the newest first. Plan: `device_event_device`; `cas_command_target`. */
export async function historyOf(
  db: Db,
  kind: Kind,
  name: string,
  limit: number,
): Promise<HistoryRecord[]> {
  const { rows } = await db.query<HistoryRecord>(
    `(SELECT at, 'event' AS source, act AS what, actor, channel, site_id AS "siteId", reason,
             approved_by AS "approvedBy", nullif(from_state, '') AS "from", to_state AS "to", detail
        FROM device_event WHERE kind = $1 AND device = $2 ORDER BY id DESC LIMIT $3)
     UNION ALL
     (SELECT created_at, 'command', op, actor, NULL, NULL, reason, approved_by, NULL, state,
             jsonb_strip_nulls(jsonb_build_object('code', code, 'onAirAt', first_air_at,
                                                  'endedAt', done_at))
        FROM cas_command WHERE target_kind = $1 AND target = $2 ORDER BY id DESC LIMIT $3)
      ORDER BY 1 DESC, 2 DESC LIMIT $3`,
    [kind, name, limit],
  );
  return rows;
}
