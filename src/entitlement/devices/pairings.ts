/** Which card is bound to which decoder. */
import { setDecoder, shareTrials } from '../../billing/subscriptions/move.ts';
import { faultOfUse } from '../../registry/devices/states.ts';
import {
  type Device,
  endPairings,
  lockDevice,
  makeUnlisted,
  openPairing,
  openPairings,
  type Pairing,
} from '../../registry/devices/store.ts';
import { aboutCard, change, known, order, refuse, type Work } from './acting.ts';
import { isListing, registerUnlisted } from './registration.ts';

const SOLD_FROM: readonly string[] = ['unlisted', 'imported', 'in_stock', 'consigned'];

/** Whether a device may be put to use where it is; refuses the act when not. */
export function mayUse(w: Work, device: Device): void {
  const listedOnly = device.siteId !== null && w.deps.listedOnly(device.siteId);
  const fault = faultOfUse(device.kind, device, listedOnly);
  if (fault) refuse(fault);
}

/** The head-end knows a device before it is used, where it knows any. */
export async function makeKnown(w: Work, { name, fileId }: Device): Promise<void> {
  if (fileId !== null || !(await isListing(w.tx))) return;
  await registerUnlisted(w.tx, w.deps, w, [name]);
}

/** A decoder that may be used with a card of this site; one never heard of becomes known. */
export async function usableDecoder(w: Work, serial: string, siteId: bigint | null) {
  const found = await lockDevice(w.tx, 'stb', serial);
  if (!found && siteId === null) refuse('unknown_device');
  const decoder = found ?? (await makeUnlisted(w.tx, 'stb', serial, siteId ?? 0n));
  mayUse(w, decoder);
  await makeKnown(w, decoder);
  // What belongs to one area is not carried to another unnoticed.
  if (decoder.siteId !== siteId) refuse('device_other_site');
  return decoder;
}

/** Binds a card to a decoder: `strict` to it alone, `list` to it as well. */
export async function pair(
  w: Work,
  { card: number, stb: serial, mode }: { card: string; stb: string; mode: Pairing['mode'] },
): Promise<string> {
  const card = await known(w, 'card', number);
  mayUse(w, card);
  await makeKnown(w, card);
  if (card.cardKind === 'virtual') refuse('device_incompatible');
  const open = await openPairings(w.tx, 'card', number);
  const same = open.find(({ stb }) => stb === serial);
  if (same && same.mode === mode && (mode === 'list' || open.length === 1)) {
    refuse('already_paired');
  }
  const decoder = await usableDecoder(w, serial, card.siteId);
  // Two cards share a decoder only where neither is bound to it alone.
  const others = (await openPairings(w.tx, 'stb', serial)).filter((one) => one.card !== number);
  if (others.some((one) => mode === 'strict' || one.mode === 'strict')) refuse('already_paired');
  const ending = mode === 'strict' ? open : open.filter(({ stb }) => stb === serial);
  await leave(w, ending, serial);
  await openPairing(w.tx, { card: number, stb: serial, mode, at: w.now, by: w.by });
  const target = aboutCard(number);
  const commandId = await order(w, { op: 'PAIR', args: { stb: serial, mode }, target });
  await change(w, decoder, { to: 'installed', detail: { card: number, mode }, commandId });
  await shareTrials(w.tx, number, serial);
  await setDecoder(w.tx, { card: number, decoder: serial });
  const to = SOLD_FROM.includes(card.state) ? 'paired' : card.state;
  return await change(w, card, { to, detail: { stb: serial, mode }, commandId });
}

/** Frees a card from one decoder, or from all. */
export async function unpair(
  w: Work,
  { card: number, stb }: { card: string; stb: string | null },
): Promise<string> {
  const card = await known(w, 'card', number);
  if (card.cardKind === 'virtual') refuse('device_incompatible');
  const open = await openPairings(w.tx, 'card', number);
  const ending = stb === null ? open : open.filter((one) => one.stb === stb);
  if (ending.length === 0) refuse('not_paired');
  const target = aboutCard(number);
  const commandId = await order(w, { op: 'UNPAIR', args: stb === null ? {} : { stb }, target });
  await leave(w, ending, null);
  const isFree = ending.length === open.length;
  const to = isFree && card.state === 'paired' ? 'in_stock' : card.state;
  return await change(w, card, { to, detail: { stbs: ending.map((one) => one.stb) }, commandId });
}

/** Ends pairings; a decoder that no card is left in is back with us, unless it is `kept`. */
async function leave(w: Work, ending: readonly Pairing[], kept: string | null): Promise<void> {
  await endPairings(w.tx, ending, { at: w.now, by: w.by });
  const serials = [...new Set(ending.map(({ stb }) => stb))].filter((stb) => stb !== kept);
  for (const serial of serials.sort()) {
    const decoder = await known(w, 'stb', serial);
    const isEmpty = (await openPairings(w.tx, 'stb', serial)).length === 0;
    const to = isEmpty && decoder.state === 'installed' ? 'recovered' : decoder.state;
    const cards = ending.filter(({ stb }) => stb === serial).map(({ card }) => card);
    await change(w, decoder, { to, detail: { left: cards } });
  }
}
