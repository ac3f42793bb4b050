/** Showings of a campaign: how far each has come, and what became of its commands. */
import type { ClientBase, Pool } from 'pg';
import type { Occurrence } from './schedule.ts';

type Db = Pool | ClientBase;

/** Cards by the reason why nothing was sent to them. */
export type LeftOut = Readonly<Record<string, number>>;

export interface Showing extends Occurrence {
  casId: string;
  lastCard: bigint;
  commands: number;
  leftOut: LeftOut;
  endedAt: Date | null;
}

// biome-ignore lint/suspicious/noExplicitAny: a row as the driver gives it
const showingOf = (row: any): Showing => ({
  ...{ n: row.n, casId: row.cas_id, dueAt: row.due_at, notAfter: row.not_after },
  ...{ lastCard: row.last_card, commands: row.commands, leftOut: row.left_out },
  endedAt: row.ended_at,
});

/** Begins one at every system there is. */
export async function beginShowing(
  tx: ClientBase,
  campaignId: bigint,
  { n, dueAt, notAfter }: Occurrence,
): Promise<Showing[]> {
  const { rows } = await tx.query(
    `INSERT INTO campaign_occurrence (campaign_id, n, cas_id, due_at, not_after)
     SELECT $1, $2, id, $3, $4 FROM conditional_access ORDER BY id RETURNING *`,
    [campaignId, n, dueAt, notAfter],
  );
  return rows.map(showingOf);
}

/** What is not over of the showing in hand, by system. */
export async function openShowings(tx: ClientBase, campaignId: bigint): Promise<Showing[]> {
  const { rows } = await tx.query(
    `SELECT * FROM campaign_occurrence WHERE campaign_id = $1 AND ended_at IS NULL
      ORDER BY cas_id`,
    [campaignId],
  );
  return rows.map(showingOf);
}

/** Keeps how far one has come. */
export async function keepShowing(
  tx: ClientBase,
  campaignId: bigint,
  { n, casId, lastCard, commands, leftOut, endedAt }: Showing,
): Promise<void> {
  await tx.query(
    `UPDATE campaign_occurrence SET last_card = $4, commands = $5, left_out = $6, ended_at = $7
      WHERE campaign_id = $1 AND n = $2 AND cas_id = $3`,
    [campaignId, n, casId, lastCard, commands, JSON.stringify(leftOut), endedAt],
  );
}

/** Keeps for whom each command was ordered; the same one twice in a showing is an error. */
export async function keepMessages(
  tx: ClientBase,
  campaignId: bigint,
  { n, casId }: Pick<Showing, 'n' | 'casId'>,
  messages: readonly { reached: string; commandId: bigint }[],
): Promise<void> {
  await tx.query(
    `INSERT INTO campaign_message (campaign_id, n, cas_id, reached, command_id)
     SELECT $1, $2, $3, reached, command_id
       FROM unnest($4::text[], $5::bigint[]) AS x (reached, command_id)`,
    [
      ...[campaignId, n, casId],
      ...[messages.map(({ reached }) => reached), messages.map(({ commandId }) => commandId)],
    ],
  );
}

/** Commands of a showing at all systems together. */
export async function commandsOf(tx: ClientBase, campaignId: bigint, n: number): Promise<number> {
  const { rows } = await tx.query(
    'SELECT sum(commands) AS n FROM campaign_occurrence WHERE campaign_id = $1 AND n = $2',
    [campaignId, n],
  );
  return Number(rows[0]?.n ?? 0);
}

/** Of all campaigns together: commands that wait, by system. */
export async function waitingByCas(db: Db): Promise<Map<string, number>> {
  const { rows } = await db.query(
    `SELECT a.id, (SELECT count(*) FROM cas_command c
                    WHERE c.cas_id = a.id AND state = 'waiting' AND campaign_id IS NOT NULL) AS n
       FROM conditional_access a ORDER BY a.id`,
  );
  return new Map(rows.map(({ id, n }) => [id, Number(n)]));
}

export interface Progress {
  /** Commands that were ordered. */
  commands: number;
  waiting: number;
  onAir: number;
  refused: { code: string; commands: number }[];
  /** Nobody could send them in time. */
  expired: number;
  /** Stopped before they were sent. */
  withdrawn: number;
  leftOut: LeftOut;
}

/** What became of everything of a campaign until now. Plan: `cas_command_campaign`. */
export async function progressOf(db: Db, campaignId: bigint): Promise<Progress> {
  const ordered = await db.query(
    `SELECT state, CASE WHEN state = 'rejected' THEN code END AS code, count(*) AS n
       FROM cas_command WHERE campaign_id = $1 GROUP BY 1, 2 ORDER BY 1, 2`,
    [campaignId],
  );
  const left = await db.query(
    `SELECT why, sum(cards::integer) AS n
       FROM campaign_occurrence, jsonb_each_text(left_out) AS x (why, cards)
      WHERE campaign_id = $1 GROUP BY why ORDER BY why`,
    [campaignId],
  );
  const of = (state: string) =>
    ordered.rows.filter((row) => row.state === state).reduce((sum, row) => sum + Number(row.n), 0);
  return {
    commands: ordered.rows.reduce((sum, row) => sum + Number(row.n), 0),
    ...{ waiting: of('waiting'), onAir: of('done'), expired: of('expired') },
    withdrawn: of('withdrawn'),
    refused: ordered.rows
      .filter(({ state }) => state === 'rejected')
      .map(({ code, n }) => ({ code: code ?? 'UNKNOWN', commands: Number(n) })),
    leftOut: Object.fromEntries(left.rows.map(({ why, n }) => [why, Number(n)])),
  };
}

export interface Reached {
  commandId: bigint;
  n: number;
  casId: string;
  /** The number of a card; of a broadcast `*`. */
  reached: string;
  state: string;
  code: string | null;
  orderedAt: Date;
  firstAirAt: Date | null;
}

/** For whom commands were ordered, the newest first. Plan: `campaign_message_at`. */
export async function findReached(
  db: Db,
  campaignId: bigint,
  o: { state: string | null; after: bigint | null; limit: number },
): Promise<Reached[]> {
  const { rows } = await db.query(
    `SELECT m.command_id, m.n, m.cas_id, m.reached, c.state, c.code, c.created_at, c.first_air_at
       FROM campaign_message m JOIN cas_command c ON c.id = m.command_id
      WHERE m.campaign_id = $1 AND ($2::text IS NULL OR c.state = $2)
        AND ($3::bigint IS NULL OR m.command_id < $3)
      ORDER BY m.command_id DESC LIMIT $4`,
    [campaignId, o.state, o.after, o.limit],
  );
  return rows.map((row) => ({
    ...{ commandId: row.command_id, n: row.n, casId: row.cas_id, reached: row.reached },
    ...{ state: row.state, code: row.code, orderedAt: row.created_at },
    firstAirAt: row.first_air_at,
  }));
}
