/** Rules of what a card may show: everything that comes under a revision. */
import type {
  Revision,
  WireOperation,
  WireRight,
} from '../../src/entitlement/vip-control/operations.ts';
import type { ResultCode } from '../../src/entitlement/vip-control/results.ts';
import type { AirOrder, StateKind } from './air/types.ts';
import {
  blankCard,
  type CardState,
  canonicalSet,
  eventRight,
  fitsFrame,
  judgeRevision,
  sameRights,
} from './card-state.ts';
import type { Execution, Order, World } from './rules.ts';
import { outOfUse, pairingRefusal } from './rules-devices.ts';

export type RightsOperation = Extract<
  WireOperation,
  { op: 'ENTITLE' | 'CANCEL' | 'SUSPEND' | 'RESUME' | 'EVENT' | 'SWAP' }
>;
type Swap = Extract<WireOperation, { op: 'SWAP' }>;
type Rights = Pick<CardState, 'set' | 'suspended' | 'eventEnds'>;
type Refused = { refused: ResultCode };

/** How much longer than announced an event may be made to last. */
const EVENT_OVERRUN_MS = 15 * 60_000;

/** What an operation under a revision does to its card. */
export function executeRights(
  operation: RightsOperation,
  { target, now }: Order,
  world: World,
): Execution {
  if (operation.op === 'SWAP') return swap(operation, target.id, world);
  const state = world.cards.get(target.id) ?? blankCard(target.id);
  if (isStale(state, operation, world)) return { code: 'STALE_REV' };
  const next = nextRights(operation, state, now);
  if ('refused' in next) return { code: next.refused };
  const verdict = judgeRevision(state, { ...revisionIn(operation), ...next }, world.epochFloor);
  if (verdict === 'conflict') return { code: 'REV_CONFLICT' };
  // The same that still waits for its first broadcast is not done yet.
  if (verdict === 'same' && state.firstAirAt !== null) return { code: 'DONE_NOOP' };
  const revised = revise(state, operation, next);
  const isFullSet = operation.op === 'ENTITLE' && 'set' in operation.args;
  if (!isFullSet && state.firstAirAt !== null && sameRights(state, next)) {
    // On air as it is, it has no more than a later revision.
    return { code: 'DONE_NOOP', cards: [{ ...revised, firstAirAt: state.firstAirAt }] };
  }
  return { code: 'DONE', cards: [revised], air: [onProfile(target.id, 'rights')] };
}

/** An order to broadcast what is known of a card, by the profile. */
export function onProfile(card: string, kind: StateKind): AirOrder {
  return { card, content: { kind }, repeat: 'profile' };
}

function revisionIn({ epoch, rev }: Revision): Revision {
  return { epoch, rev };
}

function isStale(state: CardState, revision: Revision, { epochFloor }: World): boolean {
  const { set, suspended } = state;
  const kept = withSuspension(set, suspended);
  return judgeRevision(state, { ...revisionIn(revision), ...kept }, epochFloor) === 'stale';
}

function withSuspension(set: WireRight[], suspended: string | undefined): Rights {
  return { set, ...(suspended === undefined ? {} : { suspended }) };
}

/** The card with other rights, which wait to be broadcast. */
function revise(state: CardState, revision: Revision, rights: Rights): CardState {
  const { suspended: _, eventEnds: __, ...rest } = state;
  return { ...rest, ...revisionIn(revision), sub: 0, ...rights, firstAirAt: null };
}

function nextRights(
  operation: Exclude<RightsOperation, Swap>,
  state: CardState,
  now: Date,
): Rights | Refused {
  switch (operation.op) {
    case 'ENTITLE':
      return entitled(operation.args, state);
    case 'CANCEL': {
      const { products } = operation.args;
      const isKept = ({ product }: WireRight) => products !== '*' && !products.includes(product);
      return keeping(state, state.set.filter(isKept));
    }
    case 'SUSPEND':
      return { ...keeping(state, state.set), suspended: operation.args.reason };
    case 'RESUME': {
      const { suspended: _, ...resumed } = keeping(state, state.set);
      return granting(state, resumed);
    }
    case 'EVENT':
      return withEvent(operation.args, state, now);
  }
}

function entitled(
  args: Extract<WireOperation, { op: 'ENTITLE' }>['args'],
  state: CardState,
): Rights | Refused {
  if ('set' in args) {
    const set = canonicalSet(args.set) ?? [];
    return granting(state, { ...withSuspension(set, args.suspended), ...endsOf(state, set) });
  }
  const gone = new Set([...args.remove, ...args.add.map(({ product }) => product)]);
  const kept = state.set.filter(({ product }) => !gone.has(product));
  const set = canonicalSet([...kept, ...args.add]) ?? [];
  if (!fitsFrame(set)) return { refused: 'NOT_ALLOWED' };
  const next = keeping(state, set);
  return args.add.length === 0 ? next : granting(state, next);
}

function withEvent(
  args: Extract<WireOperation, { op: 'EVENT' }>['args'],
  state: CardState,
  now: Date,
): Rights | Refused {
  const { product, from, to } = eventRight(args);
  const announced = state.eventEnds?.[product] ?? to;
  const endMs = Math.min(Date.parse(to), Date.parse(announced) + EVENT_OVERRUN_MS);
  if (endMs <= Math.max(now.getTime(), Date.parse(from))) return { refused: 'BAD_DATES' };
  if (state.suspended !== undefined) return { refused: 'CARD_SUSPENDED' };
  const others = state.set.filter((right) => right.product !== product);
  const set = canonicalSet([...others, { product, from, to: new Date(endMs).toISOString() }]) ?? [];
  if (!fitsFrame(set)) return { refused: 'NOT_ALLOWED' };
  const next = keeping(state, set);
  return granting(state, { ...next, eventEnds: { ...next.eventEnds, [product]: announced } });
}

/** The suspension as it is, and another set. */
function keeping(state: CardState, set: WireRight[]): Rights {
  return { ...withSuspension(set, state.suspended), ...endsOf(state, set) };
}

/** Announced ends of events, of those that are still in the set. */
function endsOf(
  { eventEnds = {} }: CardState,
  set: readonly WireRight[],
): Pick<Rights, 'eventEnds'> {
  const kept = Object.entries(eventEnds).filter(([event]) =>
    set.some(({ product }) => product === event),
  );
  return kept.length === 0 ? {} : { eventEnds: Object.fromEntries(kept) };
}

/** What gives a card something to show is refused where the card is out of use. */
function granting(state: CardState, next: Rights): Rights | Refused {
  const refused = next.set.length === 0 ? undefined : outOfUse(state);
  return refused === undefined ? next : { refused };
}

/** In one act the set and the decoders go to another card, and this one is replaced for ever. */
function swap(operation: Swap, card: string, world: World): Execution {
  const { newCard, newRev, suspended } = operation.args;
  const { epoch } = operation;
  const old = world.cards.get(card) ?? blankCard(card);
  const other = world.cards.get(newCard) ?? blankCard(newCard);
  const rights = withSuspension(canonicalSet(operation.args.set) ?? [], suspended);
  const verdicts = [
    judgeRevision(old, { ...revisionIn(operation), set: [] }, world.epochFloor),
    judgeRevision(other, { epoch, rev: newRev, ...rights }, world.epochFloor),
  ];
  if (verdicts.includes('stale')) return { code: 'STALE_REV' };
  if (verdicts.includes('conflict')) return { code: 'REV_CONFLICT' };
  if (old.state === 'replaced' && old.replacedBy === newCard && !verdicts.includes('newer')) {
    return { code: 'DONE_NOOP' };
  }
  const refused = swapRefusal(old, other, world);
  if (refused !== undefined) return { code: refused };
  const { stbs, isBound, isStrict, region } = old;
  const moved = { stbs, isBound, isStrict, region, state: 'live' } as const;
  const replaced = { stbs: [], isBound: true, isStrict: false, state: 'replaced' } as const;
  return {
    code: 'DONE',
    cards: [
      { ...revise(old, operation, { set: [] }), ...replaced, stbs: [], replacedBy: newCard },
      { ...revise(other, { epoch, rev: newRev }, rights), ...moved },
    ],
    air: [onProfile(card, 'all'), onProfile(newCard, 'all')],
  };
}

function swapRefusal(old: CardState, other: CardState, world: World): ResultCode | undefined {
  if (other.card === old.card) return 'NOT_ALLOWED';
  const refused = outOfUse(old) ?? outOfUse(other);
  if (refused !== undefined) return refused;
  const isFree = (stb: string) =>
    pairingRefusal({ card: other, stb, isStrict: old.isStrict, instead: old.card }, world);
  return old.stbs.map(isFree).find((code) => code !== undefined);
}
