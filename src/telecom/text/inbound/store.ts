/** Texts from subscribers, in Postgres: what came, what it was understood as, what is answered. */
import type { Pool, PoolClient } from 'pg';
import { transaction } from '../../../platform/database/pool.ts';
import { normalisedText } from './grammar.ts';

export interface Arrival {
  id: bigint;
  channelId: string;
  /** The gateway's name of the text, the same whenever it repeats it. */
  providerId: string;
  /** E.164; whatever the gateway calls the sender where it is no phone. */
  msisdn: string;
  /** As it may be kept. */
  body: string;
  at: Date;
}

/** A text that waits to be acted on. */
export interface OpenText {
  id: bigint;
  providerId: string;
  /** The phone has had its answers of this hour: whatever is done, nothing more is said. */
  isSilent: boolean;
}

export interface AnswerRow {
  id: bigint;
  siteId: bigint;
  msisdn: string;
  template: string;
  body: string;
  at: Date;
  notAfter: Date;
}

/** The same words again within this time are one wish. */
const REPEAT_MS_MAX = 60_000;
const HOUR_MS = 3_600_000;
const ANSWERS_PER_HOUR_MAX = 20;
/** Written for texts that nothing was done for. */
const IGNORED = 'ignored';
const SILENCED = 'silenced';
/** What a blocked card's text was understood as ends in the card, for the answer that follows. */
const RESET = 'reset:';

/** Keeps a text that is neither acted on nor answered; a repeat changes nothing. */
export async function keepIgnored(pool: Pool, arrival: Arrival): Promise<void> {
  await insert(pool, arrival, { intent: IGNORED, repeatsId: null });
}

/**
 * Keeps a text and says what is to be acted on: itself; the text that it repeats, should that have
 * been left in the middle; or nothing (null), when all is done already or the phone writes too
 * much. Texts of one phone wait for each other here, so that of two at once one is the first.
 * `isChoice`: STOP and START are acted on however much the phone writes.
 */
export async function keepText(
  pool: Pool,
  arrival: Arrival,
  isChoice: boolean,
): Promise<OpenText | null> {
  return transaction(pool, async (client) => {
    await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [
      `text_in ${arrival.msisdn}`,
    ]);
    const known = await findKnown(client, arrival);
    if (known) return stillOpen(known);
    const recent = await findRecent(client, arrival);
    const repeated = recent.find((row) => isRepeat(row, arrival));
    if (repeated) {
      await insert(client, arrival, { intent: null, repeatsId: repeated.id });
      return stillOpen(repeated);
    }
    const isFlood = recent.length >= ANSWERS_PER_HOUR_MAX;
    const intent = isFlood && !isChoice ? SILENCED : null;
    await insert(client, arrival, { intent, repeatsId: null });
    const { id, providerId } = arrival;
    return intent === null ? { id, providerId, isSilent: isFlood } : null;
  });
}

interface Row {
  id: bigint;
  provider_id: string;
  body: string;
  intent: string | null;
  received_at: Date;
  channel_id: string;
}

const stillOpen = ({ id, provider_id, intent }: Row): OpenText | null =>
  intent === null ? { id, providerId: provider_id, isSilent: false } : null;

const isRepeat = (row: Row, { body, channelId, at }: Arrival): boolean =>
  row.channel_id === channelId &&
  row.received_at.getTime() > at.getTime() - REPEAT_MS_MAX &&
  normalisedText(row.body) === normalisedText(body);

/** The text of this name, or the one that it was found to repeat. */
async function findKnown(client: PoolClient, arrival: Arrival): Promise<Row | undefined> {
  const { rows } = await client.query<Row>(
    `SELECT o.* FROM text_in t JOIN text_in o ON o.id = coalesce(t.repeats_id, t.id)
      WHERE t.channel_id = $1 AND t.provider_id = $2`,
    [arrival.channelId, arrival.providerId],
  );
  return rows[0];
}

/** The phone's texts of the last hour that got an answer or wait for one, latest first. */
async function findRecent(client: PoolClient, { msisdn, at }: Arrival): Promise<Row[]> {
  const { rows } = await client.query<Row>(
    `SELECT * FROM text_in
      WHERE msisdn = $1 AND received_at > $2 AND repeats_id IS NULL
        AND intent IS DISTINCT FROM $3
      ORDER BY received_at DESC LIMIT $4`,
    [msisdn, new Date(at.getTime() - HOUR_MS), SILENCED, ANSWERS_PER_HOUR_MAX],
  );
  return rows;
}

async function insert(
  db: Pool | PoolClient,
  { id, channelId, providerId, msisdn, body, at }: Arrival,
  { intent, repeatsId }: { intent: string | null; repeatsId: bigint | null },
): Promise<void> {
  await db.query(
    `INSERT INTO text_in (id, channel_id, provider_id, msisdn, body, received_at, intent,
                          repeats_id)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (channel_id, provider_id) DO NOTHING`,
    [id, channelId, providerId, msisdn, body, at, intent, repeatsId],
  );
}

/**
 * Writes what a text was understood as, and its answer where there is one, together; false when
 * somebody did so before, and nothing is written. Locks: the row of the text.
 */
export async function finishText(
  pool: Pool,
  id: bigint,
  intent: string,
  answer: AnswerRow | null,
): Promise<boolean> {
  return transaction(pool, async (client) => {
    const { rowCount } = await client.query(
      'UPDATE text_in SET intent = $2 WHERE id = $1 AND intent IS NULL',
      [id, intent],
    );
    if (rowCount === 0) return false;
    if (!answer) return true;
    await client.query(
      `INSERT INTO outbound (id, kind, template, site_id, target, body, state, created_at,
                             not_after, next_at)
       VALUES ($1, 'text', $2, $3, $4, $5, 'queued', $6, $7, $6)`,
      [
        answer.id,
        answer.template,
        answer.siteId,
        answer.msisdn,
        answer.body,
        answer.at,
        answer.notAfter,
      ],
    );
    return true;
  });
}

/** How a text about a blocked card is understood, for `lastReset` to find. */
export const resetIntent = (cardId: bigint): string => `${RESET}${cardId}`;

/** The card of the phone's last text about a blocked screen, since an instant; null without one. */
export async function lastReset(
  pool: Pool,
  msisdn: string,
  since: Date,
): Promise<{ cardId: bigint; number: string } | null> {
  const { rows } = await pool.query<{ id: bigint; number: string }>(
    `SELECT c.id, c.number
       FROM (SELECT intent FROM text_in
              WHERE msisdn = $1 AND received_at > $2 AND starts_with(intent, $3)
              ORDER BY received_at DESC, id DESC LIMIT 1) t
       JOIN card c ON c.id = substr(t.intent, length($3) + 1)::bigint`,
    [msisdn, since, RESET],
  );
  const [row] = rows;
  return row ? { cardId: row.id, number: row.number } : null;
}
