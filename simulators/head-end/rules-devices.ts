/** Rules of cards and decoders as things: known, paired, in an area, banned, out of use. */
import type { WireOperation } from '../../src/entitlement/vip-control/operations.ts';
import type { ResultCode } from '../../src/entitlement/vip-control/results.ts';
import type { StateKind } from './air/types.ts';
import { blankCard, blankStb, type CardState, type StbState } from './card-state.ts';
import type { Execution, Order, World } from './rules.ts';

const DEVICE_OPERATIONS = [
  ...(['CARD_REGISTER', 'CARD_RETIRE', 'PAIR', 'UNPAIR', 'REGION', 'PIN_RESET'] as const),
  ...(['BLACKLIST', 'UNBLACKLIST', 'SWAP_STB'] as const),
] as const;
export type DeviceOperation = Extract<WireOperation, { op: (typeof DEVICE_OPERATIONS)[number] }>;
type Args<Op extends DeviceOperation['op']> = Extract<DeviceOperation, { op: Op }>['args'];

type Pin = 'maker' | 'given';

/** Decoders of one card, and cards of one decoder. */
const PAIRED_MAX = 32;
/** Beside the largest set, they fit a frame. */
const STBS_BYTES_MAX = 8_192;
const NOOP: Execution = { code: 'DONE_NOOP' };

/** Whether an operation is one of these. */
export function isDeviceOperation(operation: WireOperation): operation is DeviceOperation {
  return (DEVICE_OPERATIONS as readonly string[]).includes(operation.op);
}

/** What an operation does to the card or decoder it names. */
export function executeDevice(
  operation: DeviceOperation,
  { target }: Order,
  world: World,
): Execution {
  if (target.kind === 'stb') {
    const stb = world.stbs.get(target.id) ?? blankStb(target.id);
    return executeOnStb(operation, stb, world);
  }
  return executeOnCard(operation, world.cards.get(target.id) ?? blankCard(target.id), world);
}

function executeOnCard(operation: DeviceOperation, card: CardState, world: World): Execution {
  switch (operation.op) {
    case 'CARD_REGISTER':
      return registered(card, operation.args, (after) => ({ code: 'DONE', cards: [after] }));
    case 'CARD_RETIRE':
      return card.state === 'retired' ? NOOP : changed(retired(card), 'all');
    case 'PAIR':
      return pair(card, operation.args, world);
    case 'UNPAIR':
      return unpair(card, operation.args);
    case 'REGION': {
      const region = operation.args.area;
      return card.region === region ? NOOP : changed({ ...card, region }, 'region');
    }
    case 'PIN_RESET':
      // Broadcast also when it is the same: the subscriber may have chosen another since.
      return changed({ ...card, pin: operation.args.pin }, 'pin');
    case 'BLACKLIST':
      if (card.state === 'blacklisted') return NOOP;
      return changed(subRevised({ ...withoutRights(card), state: 'blacklisted' }), 'rights');
    case 'UNBLACKLIST': {
      if (card.state !== 'blacklisted') return NOOP;
      const state = card.replacedBy === undefined ? 'live' : 'replaced';
      return changed(subRevised({ ...card, state }), 'rights');
    }
    case 'SWAP_STB':
      return { code: 'NOT_ALLOWED' };
  }
}

function executeOnStb(operation: DeviceOperation, stb: StbState, world: World): Execution {
  switch (operation.op) {
    case 'CARD_REGISTER':
      return registered(stb, operation.args, (after) => ({ code: 'DONE', stbs: [after] }));
    case 'CARD_RETIRE':
      if (stb.state === 'retired') return NOOP;
      return withoutCards({ ...stb, state: 'retired' }, world);
    case 'PIN_RESET':
      return told(stb, { pin: operation.args.pin === null ? 'maker' : 'given' });
    case 'BLACKLIST':
      return stb.state === 'blacklisted' ? NOOP : denied({ ...stb, state: 'blacklisted' });
    case 'UNBLACKLIST': {
      if (stb.state !== 'blacklisted') return NOOP;
      const state = stb.replacedBy === undefined ? 'live' : 'replaced';
      return denied({ ...stb, state });
    }
    case 'SWAP_STB':
      return swapStb(stb, operation.args.newStb, world);
    default:
      return { code: 'NOT_ALLOWED' };
  }
}

/** Why a card can be given nothing to show, and no decoder; undefined: it is in use. */
export function outOfUse({ state }: CardState | StbState): ResultCode | undefined {
  if (state === 'blacklisted') return 'BLACKLISTED';
  if (state === 'retired') return 'UNKNOWN_CARD';
  return state === 'replaced' ? 'CARD_SUSPENDED' : undefined;
}

function changed(card: CardState, kind: StateKind): Execution {
  const air = [{ card: card.card, content: { kind }, repeat: 'profile' as const }];
  return { code: 'DONE', cards: [card], air };
}

/** What it may show is another without a revision; a decoder must take it for newer. */
export function subRevised(card: CardState): CardState {
  return { ...card, sub: card.sub + 1, firstAirAt: null };
}

function registered<T extends CardState | StbState>(
  device: T,
  { model }: Args<'CARD_REGISTER'>,
  done: (after: T) => Execution,
): Execution {
  const state = device.state === 'retired' ? 'live' : device.state;
  const isSame = device.isRegistered && state === device.state;
  if (isSame && (model === undefined || model === device.model)) return NOOP;
  return done({ ...device, state, isRegistered: true, ...(model === undefined ? {} : { model }) });
}

function withoutRights(card: CardState): CardState {
  const { suspended: _, eventEnds: __, ...rest } = card;
  return { ...rest, set: [] };
}

function retired(card: CardState): CardState {
  const emptied = { stbs: [], isBound: true, isStrict: false, region: null, pin: null };
  return subRevised({ ...withoutRights(card), ...emptied, state: 'retired' });
}

interface Pairing {
  card: CardState;
  stb: string;
  isStrict: boolean;
  /** The card whose place it takes. */
  instead?: string;
}

/** Why a card may not be paired with a decoder; undefined: it may. */
export function pairingRefusal(
  { card, stb, isStrict, instead }: Pairing,
  world: World,
): ResultCode | undefined {
  const decoder = world.stbs.get(stb) ?? blankStb(stb);
  if (decoder.state === 'blacklisted') return 'BLACKLISTED';
  if (decoder.state !== 'live') return 'UNKNOWN_STB';
  const isMismatch = card.model !== undefined && decoder.model !== undefined;
  if (isMismatch && card.model !== decoder.model) return 'INCOMPATIBLE';
  const others = [...(world.cardsOf.get(stb) ?? [])]
    .filter((number) => number !== card.card && number !== instead)
    .flatMap((number) => world.cards.get(number) ?? [])
    .filter(({ state }) => state === 'live');
  // Two cards share a decoder only where neither wants it alone.
  if (others.some((other) => isStrict || other.isStrict)) return 'ALREADY_PAIRED';
  return others.length >= PAIRED_MAX ? 'NOT_ALLOWED' : undefined;
}

function pair(card: CardState, { stb, mode }: Args<'PAIR'>, world: World): Execution {
  const isStrict = mode === 'strict';
  const refused = outOfUse(card) ?? pairingRefusal({ card, stb, isStrict }, world);
  if (refused !== undefined) return { code: refused };
  const stbs = isStrict ? [stb] : [...new Set([...card.stbs, stb])].sort();
  if (stbs.length > PAIRED_MAX) return { code: 'NOT_ALLOWED' };
  return repaired(card, { stbs, isStrict });
}

function unpair(card: CardState, { stb }: Args<'UNPAIR'>): Execution {
  if (stb === undefined) return repaired(card, { stbs: [], isStrict: false });
  if (!card.stbs.includes(stb)) return NOOP;
  const stbs = card.stbs.filter((one) => one !== stb);
  return repaired(card, { stbs, isStrict: card.isStrict && stbs.length > 0 });
}

function repaired(card: CardState, pairing: Pick<CardState, 'stbs' | 'isStrict'>): Execution {
  const isSame =
    card.isBound && card.isStrict === pairing.isStrict && `${card.stbs}` === `${pairing.stbs}`;
  if (isSame) return NOOP;
  if (Buffer.byteLength(JSON.stringify(pairing.stbs)) > STBS_BYTES_MAX) {
    return { code: 'NOT_ALLOWED' };
  }
  return changed({ ...card, ...pairing, isBound: true }, 'pairing');
}

function denied(stb: StbState): Execution {
  return { ...told(stb, { isDenied: stb.state === 'blacklisted' }), stbs: [stb] };
}

function told({ stb }: StbState, what: { isDenied: boolean } | { pin: Pin }): Execution {
  const content = { kind: 'stb', ...what } as const;
  return { code: 'DONE', air: [{ card: stb, group: 'stb', content, repeat: 'profile' }] };
}

function withoutCards(stb: StbState, world: World): Execution {
  const moves = cardsIn(stb.stb, world).map((card) => unpair(card, { stb: stb.stb }));
  return together([stb], moves);
}

/** All cards in a decoder are paired with another, and it is replaced for ever. */
function swapStb(old: StbState, newStb: string, world: World): Execution {
  if (old.replacedBy === newStb) return NOOP;
  const cards = cardsIn(old.stb, world);
  if (cards.length === 0) return { code: 'NOT_PAIRED' };
  if (newStb === old.stb) return { code: 'NOT_ALLOWED' };
  const moving = new Set(cards.map(({ card }) => card));
  const elsewhere = { ...world, cardsOf: new Map([[newStb, others(newStb, moving, world)]]) };
  for (const card of cards) {
    const refused = pairingRefusal({ card, stb: newStb, isStrict: card.isStrict }, elsewhere);
    if (refused !== undefined) return { code: refused };
  }
  const moves = cards.map((card) => {
    const stbs = [...new Set(card.stbs.map((stb) => (stb === old.stb ? newStb : stb)))].sort();
    return repaired(card, { stbs, isStrict: card.isStrict });
  });
  const refused = moves.find(({ code }) => code === 'NOT_ALLOWED');
  return refused ?? together([{ ...old, state: 'replaced', replacedBy: newStb }], moves);
}

function others(stb: string, moving: ReadonlySet<string>, { cardsOf }: World): Set<string> {
  return new Set([...(cardsOf.get(stb) ?? [])].filter((card) => !moving.has(card)));
}

function cardsIn(stb: string, { cards, cardsOf }: World): CardState[] {
  return [...(cardsOf.get(stb) ?? [])].flatMap((card) => cards.get(card) ?? []);
}

/** Several changes as one. */
function together(stbs: StbState[], moves: readonly Execution[]): Execution {
  const air = moves.flatMap((move) => move.air ?? []);
  const cards = moves.flatMap((move) => move.cards ?? []);
  return { code: 'DONE', stbs, cards, ...(air.length === 0 ? {} : { air }) };
}
