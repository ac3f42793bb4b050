/** What a head-end decides about a command: pure functions of the command, its cards, the time. */
import type {
  RefreshScope,
  Target,
  WireOperation,
} from '../../src/entitlement/vip-control/operations.ts';
import type { ResultCode } from '../../src/entitlement/vip-control/results.ts';
import type { AirOrder, StateKind } from './air/types.ts';
import { type CardState, hasRights, type StbState } from './card-state.ts';
import { executeDevice, isDeviceOperation } from './rules-devices.ts';
import { executeMessage, isMessageOperation } from './rules-messages.ts';
import { executeRights } from './rules-rights.ts';

/** How many boosted refreshes a card may have; one more is `RATE_LIMITED`. */
export interface RefreshLimit {
  perHour: number;
  perDay: number;
}

/** What the head-end knows, for looking at. */
export interface World {
  cards: ReadonlyMap<string, CardState>;
  stbs: ReadonlyMap<string, StbState>;
  /** The cards that are paired with each decoder. */
  cardsOf: ReadonlyMap<string, ReadonlySet<string>>;
  epochFloor: number;
}

/** A command whose turn has come. */
export interface Order {
  cmdId: string;
  target: Target;
  /** Whether the limit of the card leaves room for one more boosted refresh. */
  mayBoost: boolean;
  now: Date;
}

export interface Execution {
  code: ResultCode;
  /** States after it, where they changed; who changed them, and when, is for the caller to add. */
  cards?: readonly CardState[];
  stbs?: readonly StbState[];
  /** What is to be broadcast; absent: nothing. */
  air?: readonly AirOrder[];
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Whether a boosted refresh more is allowed after those at `earlierMs`. */
export function isBoostAllowed(
  earlierMs: readonly number[],
  limit: RefreshLimit,
  now: Date,
): boolean {
  const since = (ms: number) => earlierMs.filter((at) => at > now.getTime() - ms).length;
  return since(HOUR_MS) < limit.perHour && since(DAY_MS) < limit.perDay;
}

/** What an admitted operation does, and what is broadcast of it. */
export function execute(operation: WireOperation, order: Order, world: World): Execution {
  if (operation.op === 'REFRESH') return refresh(operation.args, order, world);
  if (isMessageOperation(operation)) return executeMessage(operation, order);
  if (isDeviceOperation(operation)) return executeDevice(operation, order, world);
  return executeRights(operation, order, world);
}

function refresh(
  { scope, boostSeconds }: Extract<WireOperation, { op: 'REFRESH' }>['args'],
  { target, mayBoost }: Order,
  { cards }: World,
): Execution {
  const card = target.id;
  const state = cards.get(card);
  const kind = refreshedKind(scope, state !== undefined && hasRights(state));
  if (kind === undefined) return { code: 'DONE_NOOP' };
  if (boostSeconds > 0 && !mayBoost) return { code: 'RATE_LIMITED' };
  return { code: 'DONE', air: [{ card, content: { kind }, repeat: { boostSeconds } }] };
}

/** What there is to broadcast of a card: its pairing always, rights only where it ever had some. */
function refreshedKind(scope: RefreshScope, isGranted: boolean): StateKind | undefined {
  if (isGranted) return scope;
  return scope === 'rights' ? undefined : 'pairing';
}
