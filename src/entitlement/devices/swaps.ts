/**
 * A card or decoder takes over from another, in one act here and one command there. Whenever this
 * process ends, either nothing has happened or the new card carries everything; the head-end does
 * `SWAP` as one act as well, so that there are never two live cards.
 */
import {
  lockForMove,
  moveSubscription,
  setDecoder,
  shareTrials,
} from '../../billing/subscriptions/move.ts';
import {
  type Device,
  endPairings,
  lockDevice,
  makeUnlisted,
  openPairing,
  openPairings,
} from '../../registry/devices/store.ts';
import { wireSet } from '../dispatch/rules.ts';
import { AIR_MARGIN_MS } from '../rights/rules.ts';
import { aboutCard, aboutDecoder, change, order, refuse, type Work } from './acting.ts';
import { makeKnown, mayUse, usableDecoder } from './pairings.ts';
import { type CardSet, leaseSets, moveSet, moveSuspension } from './swap-store.ts';

/** After this the sets go out by themselves: dispatch does not wait for ever. */
const SWAP_VALID_MS = 86_400_000;

export interface SwappedThings {
  old: string;
  new: string;
}

/** Everything that the old card carries and is, goes to the new one; the old one is dead. */
export async function swapCard(w: Work, { old: from, new: to }: SwappedThings): Promise<string> {
  const [oldCard, newCard] = await bothCards(w, from, to);
  const moved = await lockForMove(w.tx, w.deps.ids, { from, to, at: w.now });
  if (moved === 'not_in_use') refuse('card_not_in_use');
  if (moved === 'card_in_use') refuse('card_in_use');
  await moveSuspension(w.tx, w.deps.ids, moved, { at: w.now, by: w.by });
  const sets = await moveSet(w.tx, moved, w.now);
  await moveSubscription(w.tx, moved, { rightsRev: sets.newRev, at: w.now });
  await shareTrials(w.tx, from, to);
  const commandId = await orderSwap(w, { from, to }, sets);
  await leaseSets(w.tx, moved, { command: `cmd.${commandId}`, until: swapEnds(w) });
  if (newCard.cardKind === 'physical') await movePairings(w, from, to);
  else await pairAgain(w, to);
  w.deps.logger.info('card.swapped', { ...moved });
  await change(w, oldCard, { to: 'replaced', detail: { by: to }, commandId });
  const detail = { replaces: from };
  return await change(w, newCard, { to: 'in_use', siteId: oldCard.siteId, detail, commandId });
}

async function bothCards(w: Work, from: string, to: string): Promise<[Device, Device]> {
  if (from === to) refuse('card_in_use');
  const found = new Map<string, Device | null>();
  for (const number of [from, to].sort()) {
    found.set(number, await lockDevice(w.tx, 'card', number));
  }
  const old = found.get(from) ?? refuse('unknown_device');
  const next = found.get(to) ?? (await neverHeardOf(w, to, old.siteId));
  if (old.state === 'blacklisted') refuse('device_blacklisted');
  mayUse(w, next);
  await makeKnown(w, next);
  const casOf = (name: string) => w.deps.casOf({ kind: 'card', name });
  // One command of one head-end does it.
  const isOneCas = casOf(from) === casOf(to);
  if (next.cardKind !== old.cardKind || !isOneCas) refuse('device_incompatible');
  if (next.siteId !== old.siteId) refuse('device_other_site');
  return [old, next];
}

const neverHeardOf = async (w: Work, number: string, siteId: bigint | null): Promise<Device> =>
  siteId === null ? refuse('unknown_device') : await makeUnlisted(w.tx, 'card', number, siteId);

const swapEnds = (w: Work): Date => new Date(w.now.getTime() + SWAP_VALID_MS);

async function orderSwap(
  w: Work,
  { from, to }: { from: string; to: string },
  { oldRev, newRev, desired, suspended }: CardSet,
): Promise<bigint> {
  // As dispatch sends it, so that it finds it done.
  const set = wireSet(desired, AIR_MARGIN_MS).map((right) => ({
    product: right.product,
    from: right.from.toISOString(),
    to: right.to.toISOString(),
  }));
  return await order(w, {
    op: 'SWAP',
    target: aboutCard(from),
    rev: oldRev,
    args: { newCard: to, newRev, set, ...(suspended === null ? {} : { suspended }) },
    validMs: SWAP_VALID_MS,
  });
}

/** The decoders of the old card are the new one's; the head-end does it with the swap. */
async function movePairings(w: Work, from: string, to: string): Promise<void> {
  const said = { at: w.now, by: w.by };
  await endPairings(w.tx, await openPairings(w.tx, 'card', to), said);
  const open = await openPairings(w.tx, 'card', from);
  await endPairings(w.tx, open, said);
  for (const { stb, mode } of open) {
    await openPairing(w.tx, { card: to, stb, mode, ...said });
    await shareTrials(w.tx, to, stb);
  }
}

/** A virtual card stays in its own decoder, whatever the swap has brought it. */
async function pairAgain(w: Work, number: string): Promise<void> {
  const [own] = await openPairings(w.tx, 'card', number);
  if (!own) return;
  const args = { stb: own.stb, mode: 'strict' } as const;
  await order(w, { op: 'PAIR', args, target: aboutCard(number) });
  await setDecoder(w.tx, { card: number, decoder: own.stb });
}

/** All cards of the old decoder are paired with the new one; the old one is out. */
export async function swapDecoder(w: Work, { old: from, new: to }: SwappedThings): Promise<string> {
  if (from === to) refuse('already_paired');
  const pairings = await openPairings(w.tx, 'stb', from);
  for (const number of pairings.map(({ card }) => card).sort()) {
    const card = await lockDevice(w.tx, 'card', number);
    if (card?.cardKind === 'virtual') refuse('device_incompatible');
    if (card?.state === 'blacklisted') refuse('device_blacklisted');
  }
  const locked = new Map<string, Device | null>();
  for (const serial of [from, to].sort()) {
    locked.set(serial, await lockDevice(w.tx, 'stb', serial));
  }
  const old = locked.get(from) ?? refuse('unknown_device');
  if (old.state === 'blacklisted') refuse('device_blacklisted');
  if (pairings.length === 0) refuse('not_paired');
  const next = await usableDecoder(w, to, old.siteId);
  // Under the lock: somebody may have paired meanwhile, and is then asked to look again.
  const now = await openPairings(w.tx, 'stb', from);
  if (now.map(({ id }) => id).join() !== pairings.map(({ id }) => id).join()) {
    refuse('device_state');
  }
  const target = aboutDecoder(from);
  const commandId = await order(w, { op: 'SWAP_STB', args: { newStb: to }, target });
  await endPairings(w.tx, now, { at: w.now, by: w.by });
  for (const { card, mode } of now) {
    await openPairing(w.tx, { card, stb: to, mode, at: w.now, by: w.by });
    await setDecoder(w.tx, { card, decoder: to });
    await shareTrials(w.tx, card, to);
  }
  await shareTrials(w.tx, from, to);
  await change(w, old, { to: 'swapped_out', detail: { by: to }, commandId });
  return await change(w, next, { to: 'installed', detail: { replaces: from }, commandId });
}
