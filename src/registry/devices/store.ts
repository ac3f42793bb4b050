/**
 * Cards and decoders as things: their rows, what became of them, which is paired with which. A
 * state changes by a row of `device_event`, which the database checks against `device_step`.
 */
import type { Pool, PoolClient } from 'pg';
import type { DeviceList } from './manufacturer-file.ts';
import { faultOfUse, type UseFault } from './states.ts';

type Db = Pool | PoolClient;
export type DeviceKind = 'card' | 'stb';

export interface Device {
  kind: DeviceKind;
  /** The number of a card, the serial of a decoder. */
  name: string;
  siteId: bigint | null;
  fileId: bigint | null;
  state: string;
  /** Of a card: `physical` or `virtual`. */
  cardKind: string | null;
}

/** Who does what, when and why: what every event of an act says. */
export interface DeviceAct {
  act: string;
  at: Date;
  actor: string;
  /** How it came to us: `staff`, `partner`, `system`. */
  channel: string;
  reason: string;
  approvedBy?: string | undefined;
}

export interface DeviceChange extends DeviceAct {
  to: string;
  /** Where it is from now on; left out: where it was. */
  siteId?: bigint | null | undefined;
  detail?: Record<string, unknown>;
  commandId?: bigint | null | undefined;
}

interface Row {
  name: string;
  site_id: bigint | null;
  file_id: bigint | null;
  state: string;
  card_kind: string | null;
}

const deviceOf = (kind: DeviceKind, row: Row): Device => ({
  kind,
  name: row.name,
  siteId: row.site_id,
  fileId: row.file_id,
  state: row.state,
  cardKind: row.card_kind,
});

const SELECT: Record<DeviceKind, string> = {
  card: `SELECT number AS name, site_id, file_id, state, kind AS card_kind FROM viewing_card
          WHERE number = $1`,
  stb: `SELECT serial AS name, site_id, file_id, state, NULL AS card_kind FROM decoder
         WHERE serial = $1`,
};

/**
 * A device, locked, or null when it was never heard of. Whoever takes several takes cards before
 * decoders, each by name.
 */
export async function lockDevice(
  tx: PoolClient,
  kind: DeviceKind,
  name: string,
): Promise<Device | null> {
  const { rows } = await tx.query<Row>(`${SELECT[kind]} FOR UPDATE`, [name]);
  return rows[0] ? deviceOf(kind, rows[0]) : null;
}

/** Makes a device known that no file lists, at a site; locks it. */
export async function makeUnlisted(
  tx: PoolClient,
  kind: DeviceKind,
  name: string,
  siteId: bigint,
): Promise<Device> {
  const text =
    kind === 'card'
      ? `INSERT INTO viewing_card (number, site_id, kind, state)
         VALUES ($1, $2, 'physical', 'unlisted') ON CONFLICT DO NOTHING`
      : `INSERT INTO decoder (serial, site_id, state) VALUES ($1, $2, 'unlisted')
         ON CONFLICT DO NOTHING`;
  await tx.query(text, [name, siteId]);
  const made = await lockDevice(tx, kind, name);
  if (!made) throw new Error(`The ${kind} ${name} is not there`);
  return made;
}

/** False when the state does not follow the present one. The caller holds the device. */
export async function changeDevice(
  tx: PoolClient,
  { kind, name, state, siteId }: Device,
  change: DeviceChange,
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO device_event (kind, device, act, from_state, to_state, at, actor, channel, site_id,
                               reason, approved_by, detail, command_id)
     SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
      WHERE $4 = $5 OR EXISTS (SELECT FROM device_step s WHERE s.kind = $1
                                  AND s.from_state = $4 AND s.to_state = $5)`,
    [
      ...[kind, name, change.act, state, change.to, change.at, change.actor, change.channel],
      ...[change.siteId === undefined ? siteId : change.siteId, change.reason],
      ...[change.approvedBy ?? null, JSON.stringify(change.detail ?? {}), change.commandId ?? null],
    ],
  );
  return rowCount === 1;
}

/**
 * A card is sold: from stock into use. Answers why it may not be; a card that nobody ever listed
 * is fine where the site takes such.
 */
export async function takeIntoUse(
  tx: PoolClient,
  number: string,
  { siteId, listedOnly, at, by }: { siteId: bigint; listedOnly: boolean; at: Date; by: string },
): Promise<UseFault | null> {
  const found = await lockDevice(tx, 'card', number);
  if (!found) return listedOnly ? 'device_not_listed' : null;
  const fault = faultOfUse('card', found, listedOnly);
  const isElsewhere = found.siteId !== null && found.siteId !== siteId;
  if (fault || (found.state === 'in_use' && !isElsewhere)) return fault;
  // What is in use may change hands, and is then noted where it went.
  if (isElsewhere && found.state !== 'in_use') return 'device_other_site';
  const act = { act: 'sell', at, actor: by, channel: 'staff', reason: 'sold' };
  await changeDevice(tx, found, { ...act, to: 'in_use', siteId });
  return null;
}

export interface Pairing {
  id: bigint;
  card: string;
  stb: string;
  mode: 'strict' | 'list';
  from: Date;
  to: Date | null;
  by: string;
  endedBy: string | null;
}

const PAIRINGS = `
SELECT id, card, stb, mode, from_at AS "from", to_at AS "to", paired_by AS "by",
       unpaired_by AS "endedBy"
  FROM pairing`;

/** Pairings of a device that are open, the oldest first. */
export async function openPairings(db: Db, kind: DeviceKind, name: string): Promise<Pairing[]> {
  const { rows } = await db.query<Pairing>(
    `${PAIRINGS} WHERE ${kind === 'card' ? 'card' : 'stb'} = $1 AND to_at IS NULL ORDER BY id`,
    [name],
  );
  return rows;
}

/** Opens a pairing; what else of the card is open was ended before, unless both are lists. */
export async function openPairing(
  tx: PoolClient,
  { card, stb, mode, at, by }: Pick<Pairing, 'card' | 'stb' | 'mode' | 'by'> & { at: Date },
): Promise<void> {
  await tx.query(
    'INSERT INTO pairing (card, stb, mode, from_at, paired_by) VALUES ($1, $2, $3, $4, $5)',
    [card, stb, mode, at, by],
  );
}

/** Ends pairings. */
export async function endPairings(
  tx: PoolClient,
  pairings: readonly Pick<Pairing, 'id'>[],
  { at, by }: { at: Date; by: string },
): Promise<void> {
  await tx.query(
    `UPDATE pairing SET to_at = greatest(from_at, $2), unpaired_by = $3
      WHERE id = ANY ($1::bigint[])`,
    [pairings.map(({ id }) => id), at, by],
  );
}

/** Binds a card to an area; null frees it. */
export async function setArea(tx: PoolClient, number: string, area: string | null): Promise<void> {
  await tx.query('UPDATE viewing_card SET area = $2 WHERE number = $1', [number, area]);
}

/** Says whose a decoder is. */
export async function setOwnership(tx: PoolClient, serial: string, to: string): Promise<void> {
  await tx.query('UPDATE decoder SET ownership = $2 WHERE serial = $1', [serial, to]);
}

/** What an act of this key came to before; null: it was never done. */
export async function actBefore<T>(db: Db, key: string): Promise<T | null> {
  const { rows } = await db.query('SELECT outcome FROM device_act WHERE key = $1', [key]);
  return rows[0]?.outcome ?? null;
}

/** Keeps what an act came to; fails on `device_act_pkey` when another has done it meanwhile. */
export async function keepAct(
  tx: PoolClient,
  { key, at, outcome }: { key: string; at: Date; outcome: unknown },
): Promise<void> {
  await tx.query('INSERT INTO device_act (key, at, outcome) VALUES ($1, $2, $3)', [
    ...[key, at, JSON.stringify(outcome)],
  ]);
}

export interface ReceivedFile {
  id: bigint;
  decoders: number;
  cards: number;
}

/** The file of this content, if it was taken in. */
export async function fileBySha256(db: Db, sha256: string): Promise<ReceivedFile | null> {
  const { rows } = await db.query('SELECT id, decoders, cards FROM device_file WHERE sha256 = $1', [
    sha256,
  ]);
  return rows[0] ?? null;
}

/**
 * Devices of a list that another file has already, or whose chip or address another decoder has;
 * and those that are blacklisted. By kind and name.
 */
export async function unwelcome(
  tx: PoolClient,
  { decoders, cards }: Pick<DeviceList, 'decoders' | 'cards'>,
): Promise<{ kind: DeviceKind; name: string; isBlacklisted: boolean }[]> {
  const { rows } = await tx.query(
    `SELECT 'stb' AS kind, x.serial AS name, d.state = 'blacklisted' AS "isBlacklisted"
       FROM jsonb_to_recordset($1::jsonb) AS x (serial text, "chipId" text, mac text)
       JOIN decoder d
         ON (d.serial = x.serial AND (d.file_id IS NOT NULL OR d.state = 'blacklisted'))
         OR (d.chip_id = x."chipId" AND d.serial <> x.serial)
         OR (d.mac = x.mac AND d.serial <> x.serial)
     UNION
     SELECT 'card', number, state = 'blacklisted' FROM viewing_card
      WHERE number = ANY ($2::text[]) AND (file_id IS NOT NULL OR state = 'blacklisted')
      ORDER BY kind, name`,
    [JSON.stringify(decoders), cards.map(({ number }) => number)],
  );
  return rows;
}

/**
 * Writes a list: new devices in their first state, known ones as listed from now on. The same
 * cards and decoders in two files at once: the later waits, and then fails on their keys.
 */
export async function writeList(
  tx: PoolClient,
  list: DeviceList,
  { id, siteId, ...said }: { id: bigint; siteId: bigint; at: Date; actor: string; channel: string },
): Promise<void> {
  const { sha256, decoders, cards } = list;
  await tx.query(
    `INSERT INTO device_file (id, site_id, sha256, decoders, cards, received_at, received_by)
     VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [id, siteId, sha256, decoders.length, cards.length, said.at, said.actor],
  );
  const event = [id, siteId, said.at, said.actor, said.channel];
  await tx.query(WRITE_DECODERS, [JSON.stringify(decoders), ...event]);
  await tx.query(WRITE_CARDS, [JSON.stringify(cards), ...event]);
}

/** The event of each device that a file brought; `name` is the column that names it. */
const received = (kind: DeviceKind, name: string) => `
INSERT INTO device_event (kind, device, act, from_state, to_state, at, actor, channel, site_id,
                          reason, detail)
SELECT '${kind}', ${name}, 'receive', '', state, $4, $5, $6, $3, 'file of the manufacturer',
       jsonb_build_object('file', $2::bigint::text)
  FROM written ORDER BY ${name}`;

/**
 * Purpose: decoders of a file. One that is known without a file keeps its state.
 * Locks: the known ones, by serial. Plan: primary key.
 */
const WRITE_DECODERS = `
WITH x AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb)
      AS x (serial text, model text, "chipId" text, mac text, batch text)
), written AS (
  INSERT INTO decoder AS d (serial, site_id, file_id, batch, model, chip_id, mac, state)
  SELECT serial, $3, $2, batch, model, "chipId", mac, 'received' FROM x ORDER BY serial
  ON CONFLICT (serial) DO UPDATE
     SET file_id = $2, batch = EXCLUDED.batch, model = EXCLUDED.model,
         chip_id = EXCLUDED.chip_id, mac = EXCLUDED.mac
   WHERE d.file_id IS NULL
  RETURNING serial, state
)
${received('stb', 'serial')}`;

/** The same for cards. */
const WRITE_CARDS = `
WITH x AS (
  SELECT * FROM jsonb_to_recordset($1::jsonb) AS x (number text, kind text, batch text)
), written AS (
  INSERT INTO viewing_card AS v (number, site_id, file_id, batch, kind, state)
  SELECT number, $3, $2, batch, kind, 'imported' FROM x ORDER BY number
  ON CONFLICT (number) DO UPDATE
     SET file_id = $2, batch = EXCLUDED.batch, kind = EXCLUDED.kind
   WHERE v.file_id IS NULL
  RETURNING number, state
)
${received('card', 'number')}`;

/** The virtual cards of a list are paired with their decoders, for life. */
export async function writeVirtualPairings(
  tx: PoolClient,
  { cards }: Pick<DeviceList, 'cards'>,
  { at, by }: { at: Date; by: string },
): Promise<void> {
  const virtual = cards.filter(({ kind }) => kind === 'virtual');
  if (virtual.length === 0) return;
  await tx.query(
    `INSERT INTO pairing (card, stb, mode, from_at, paired_by)
     SELECT number, stb, 'strict', $2, $3
       FROM jsonb_to_recordset($1::jsonb) AS x (number text, stb text) ORDER BY number`,
    [JSON.stringify(virtual), at, by],
  );
}
