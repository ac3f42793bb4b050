/** What is found out about a device, and what follows: blacklisted, lost, faulty, retired, … */
import type { PoolClient } from 'pg';
import {
  type Device,
  type DeviceKind,
  endPairings,
  lockDevice,
  makeUnlisted,
  openPairings,
  setArea,
  setOwnership,
} from '../../registry/devices/store.ts';
import { resumeWithin, suspendWithin } from '../picture/suspension.ts';
import { aboutCard, change, known, order, refuse, type Work } from './acting.ts';
import { DEVICE_SUSPENSION } from './suspended.ts';

/** States that staff declare; all others come with an act of their own. */
export const DECLARED_CARD_STATES = [
  ...(['in_stock', 'consigned', 'in_use', 'faulty', 'lost', 'stolen', 'quarantine'] as const),
  'retired',
] as const;
export const DECLARED_DECODER_STATES = [
  ...(['in_stock', 'in_transit', 'consigned', 'reserved', 'dormant', 'recovered'] as const),
  ...(['repair', 'missing', 'stolen', 'quarantine', 'scrapped'] as const),
] as const;

export interface Declared {
  kind: DeviceKind;
  name: string;
  state: string;
  /** Where it is from now on; null: where it was. */
  siteId: bigint | null;
  /** Of a decoder. */
  ownership: string | null;
}

const DARK: readonly string[] = ['faulty', 'lost', 'stolen'];
/** A decoder with us is in nobody's use. */
const BACK: readonly string[] = ['in_stock', 'recovered', 'repair'];
const ENDED: readonly string[] = ['retired', 'scrapped'];

/** Says what state a device is in; the head-end is told what follows from it. */
export async function declare(w: Work, said: Declared): Promise<string> {
  const { kind, name, state, ownership } = said;
  const device = await known(w, kind, name);
  if (kind === 'card') await followCard(w, device, state);
  const isBack = kind === 'stb' && BACK.includes(state);
  if (isBack && (await openPairings(w.tx, kind, name)).length > 0) refuse('still_paired');
  const siteId = said.siteId ?? device.siteId;
  const isEnded = ENDED.includes(state);
  if (isEnded) {
    await endPairings(w.tx, await openPairings(w.tx, kind, name), { at: w.now, by: w.by });
  }
  const retire = { op: 'CARD_RETIRE', args: { reason: w.reason }, prio: 'BULK' } as const;
  const commandId = isEnded ? await order(w, { ...retire, target: { kind, id: name } }) : null;
  if (kind === 'stb' && ownership !== null) await setOwnership(w.tx, name, ownership);
  const detail = ownership === null ? {} : { ownership };
  return await change(w, device, { to: state, siteId, commandId, detail });
}

/** A card that carries something is dark while it is away, and is not put back into stock. */
async function followCard(w: Work, { name, state: before }: Device, state: string): Promise<void> {
  const cardId = await carrying(w.tx, name);
  if (state === 'in_use' && cardId === null) refuse('card_not_in_use');
  if (cardId === null) return;
  const by = DEVICE_SUSPENSION;
  if (DARK.includes(state)) {
    const id = await w.deps.ids.take();
    await suspendWithin(w.tx, { id, cardId, reason: 'admin', by, now: w.now });
  } else if (state === 'in_use') {
    await resumeWithin(w.tx, { cardId, by: w.by, onlyIfBy: by, now: w.now });
  } else if (before === 'in_use' || state === 'retired' || state === 'in_stock') {
    refuse('card_in_use');
  }
}

/** The card of this number, if it has an open subscription. */
async function carrying(tx: PoolClient, number: string): Promise<bigint | null> {
  const { rows } = await tx.query(
    `SELECT c.id FROM card c JOIN subscription s ON s.card_id = c.id AND s.closed_at IS NULL
      WHERE c.number = $1`,
    [number],
  );
  return rows[0]?.id ?? null;
}

export interface Blacklisted {
  kind: DeviceKind;
  name: string;
  evidence: string | null;
  /** Where it was found; one that nobody ever heard of belongs there. */
  siteId: bigint;
}

/** Never again, until two people lift it: no receipt, no sale, no pairing, no swap. */
export async function blacklist(w: Work, said: Blacklisted): Promise<string> {
  const { kind, name, evidence, siteId } = said;
  const found = await lockDevice(w.tx, kind, name);
  const device = found ?? (await makeUnlisted(w.tx, kind, name, siteId));
  if (device.state === 'blacklisted') refuse('already_blacklisted');
  const args = { reason: w.reason, ...(evidence === null ? {} : { evidence }) };
  const commandId = await order(w, { op: 'BLACKLIST', args, target: { kind, id: name } });
  if (kind === 'card') {
    await w.tx.query('UPDATE card SET is_blocked = true WHERE number = $1', [name]);
    await w.tx.query(
      `UPDATE subscription s SET auto_renew = false, waiting_term = NULL
         FROM card c WHERE c.number = $1 AND s.card_id = c.id`,
      [name],
    );
  }
  const detail = evidence === null ? {} : { evidence };
  return await change(w, device, { to: 'blacklisted', detail, commandId });
}

/** Takes a device off the blacklist, into quarantine; what it carries is sent anew. */
export async function lift(
  w: Work,
  { kind, name }: { kind: DeviceKind; name: string },
): Promise<string> {
  const device = await known(w, kind, name);
  if (device.state !== 'blacklisted') refuse('not_blacklisted');
  const args = { reason: w.reason };
  const commandId = await order(w, { op: 'UNBLACKLIST', args, target: { kind, id: name } });
  if (kind === 'card') {
    await w.tx.query('UPDATE card SET is_blocked = false WHERE number = $1', [name]);
    await w.tx.query(
      `UPDATE card_rights r
          SET desired_rev = desired_rev + 1, raised_at = $2, next_at = $2, attempts = 0,
              failure = NULL
         FROM card c WHERE c.number = $1 AND r.card_id = c.id`,
      [name, w.now],
    );
  }
  return await change(w, device, { to: 'quarantine', commandId });
}

/** Binds a card to an area; null frees it. */
export async function lockRegion(
  w: Work,
  { card: number, area }: { card: string; area: string | null },
): Promise<string> {
  const card = await known(w, 'card', number);
  if (card.state === 'blacklisted') refuse('device_blacklisted');
  const commandId = await order(w, { op: 'REGION', args: { area }, target: aboutCard(number) });
  await setArea(w.tx, number, area);
  return await change(w, card, { detail: { area }, commandId });
}

/** The PIN of the maker again, after somebody has seen who asks; `identity` says how. */
export async function resetPin(
  w: Work,
  { card: number, identity }: { card: string; identity: string },
): Promise<string> {
  const card = await known(w, 'card', number);
  if (card.state === 'blacklisted') refuse('device_blacklisted');
  const commandId = await order(w, { op: 'PIN_RESET', args: {}, target: aboutCard(number) });
  return await change(w, card, { detail: { identity }, commandId });
}
