/** What a head-end decides about a command: pure functions of the card, the command, the time. */
import {
  type CommandEnvelope,
  EVENT_PRODUCT_PREFIX,
  parseOperation,
} from '../../src/entitlement/vip-control/messages.ts';
import type {
  RefreshScope,
  Revision,
  WireOperation,
  WireRight,
} from '../../src/entitlement/vip-control/operations.ts';
import type { ResultCode } from '../../src/entitlement/vip-control/results.ts';
import type { EmmContent, Insertion } from './air/types.ts';

export interface CardState extends Revision {
  card: string;
  /** In the one order and spelling of `canonicalSet`. */
  set: WireRight[];
  /** Why the card shows none of its set. */
  suspended?: string;
  /** When this revision was first broadcast; null: it waits for room. */
  firstAirAt: string | null;
}

/** How many boosted refreshes a card may have; one more is `RATE_LIMITED`. */
export interface RefreshLimit {
  perHour: number;
  perDay: number;
}

export interface Admission {
  osdMax: number;
  /** Absent: every product is known. Pay-per-view events are never listed. */
  knownProducts?: ReadonlySet<string>;
  knownCard: (card: string) => boolean;
  now: Date;
}

/** What this head-end does; other operations are not among its capabilities. */
export type ServedOperation =
  | Extract<WireOperation, { op: 'REFRESH' | 'OSD' }>
  | (Revision & { op: 'ENTITLE'; args: Pick<CardState, 'set' | 'suspended'> });
export const SERVED: readonly WireOperation['op'][] = ['ENTITLE', 'REFRESH', 'OSD'];

export type Admitted = { ok: true; operation: ServedOperation } | { ok: false; code: ResultCode };

export interface Execution {
  code: ResultCode;
  /** The state of the card after it, where that changed. */
  card?: CardState;
  /** What is to be broadcast; absent: nothing. */
  air?: Pick<Insertion, 'content' | 'repeat'>;
}

export interface ExecutionTarget {
  cmdId: string;
  card: string;
  state: CardState | undefined;
  epochFloor: number;
  /** Whether the limit of the card leaves room for one more boosted refresh. */
  mayBoost: boolean;
}

const UTC_INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;

/** Whether a command may be taken, or, when its turn has come, still be executed. */
export function admit(envelope: CommandEnvelope, admission: Admission): Admitted {
  const operation = served(envelope);
  if (!operation) return { ok: false, code: 'PROTOCOL' };
  const code = refusal(envelope, operation, admission);
  return code === undefined ? { ok: true, operation } : { ok: false, code };
}

/** The operation of a command, where it is one that is served. */
export function served(envelope: CommandEnvelope): ServedOperation | undefined {
  const operation = parseOperation(envelope);
  if (operation?.op === 'OSD' || operation?.op === 'REFRESH') return operation;
  if (operation?.op !== 'ENTITLE' || !('set' in operation.args)) return undefined;
  const { epoch, rev, args } = operation;
  const { set, suspended } = args;
  return { op: 'ENTITLE', epoch, rev, args: { set, ...(suspended ? { suspended } : {}) } };
}

function refusal(
  envelope: CommandEnvelope,
  operation: ServedOperation,
  admission: Admission,
): ResultCode | undefined {
  if (!admission.knownCard(envelope.target.id)) return 'UNKNOWN_CARD';
  if (Date.parse(envelope.notAfter) <= admission.now.getTime()) return 'EXPIRED';
  if (operation.op === 'OSD') {
    // Counted as a viewer counts: an emoji or an accented letter is one character.
    return [...operation.args.text].length > admission.osdMax ? 'TEXT_TOO_LONG' : undefined;
  }
  if (operation.op === 'REFRESH') return undefined;
  const { set } = operation.args;
  if (!set.every(({ product }) => isKnownProduct(product, admission))) return 'UNKNOWN_PRODUCT';
  return canonicalSet(set) === undefined ? 'BAD_DATES' : undefined;
}

function isKnownProduct(product: string, { knownProducts }: Admission): boolean {
  if (product.startsWith(EVENT_PRODUCT_PREFIX)) return product.length > EVENT_PRODUCT_PREFIX.length;
  return knownProducts === undefined || knownProducts.has(product);
}

/**
 * A set of rights in one order and one spelling, so that equal sets are equal text; `undefined`
 * when a date is not a UTC instant of the calendar or a right ends before it begins.
 */
export function canonicalSet(set: readonly WireRight[]): WireRight[] | undefined {
  const byText = new Map<string, WireRight>();
  for (const { product, from, to } of set) {
    const start = parseInstant(from);
    const end = parseInstant(to);
    if (!start || !end || end <= start) return undefined;
    const right = { product, from: start.toISOString(), to: end.toISOString() };
    byText.set(JSON.stringify(right), right);
  }
  return [...byText].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, right]) => right);
}

function parseInstant(text: string): Date | undefined {
  if (!UTC_INSTANT.test(text)) return undefined;
  const instant = new Date(text);
  if (Number.isNaN(instant.getTime())) return undefined;
  // The 30th of February is read as a day in March: only what reads back the same is a date.
  return instant.toISOString().slice(0, 19) === text.slice(0, 19) ? instant : undefined;
}

export type RevisionVerdict = 'newer' | 'same' | 'conflict' | 'stale';

/**
 * Whether what a card may show as of revision `next` may replace what it has. `epochFloor` is the
 * highest epoch any client logged in with: whatever is older was decided on a lost database.
 */
export function judgeRevision(
  card: CardState | undefined,
  next: Revision & Pick<CardState, 'set' | 'suspended'>,
  epochFloor: number,
): RevisionVerdict {
  if (next.epoch < epochFloor) return 'stale';
  if (!card || next.epoch > card.epoch) return 'newer';
  if (next.epoch < card.epoch || next.rev < card.rev) return 'stale';
  if (next.rev > card.rev) return 'newer';
  const isSame =
    card.suspended === next.suspended && JSON.stringify(card.set) === JSON.stringify(next.set);
  return isSame ? 'same' : 'conflict';
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

/** What an admitted operation does to the card it names, and what is broadcast of it. */
export function execute(operation: ServedOperation, target: ExecutionTarget): Execution {
  if (operation.op === 'OSD') {
    const message = { id: target.cmdId, ...operation.args };
    return { code: 'DONE', air: { content: { kind: 'message', message }, repeat: 'profile' } };
  }
  if (operation.op === 'REFRESH') return refresh(operation.args, target);
  return entitle(operation, target);
}

function refresh(
  { scope, boostSeconds }: Extract<WireOperation, { op: 'REFRESH' }>['args'],
  { state, mayBoost }: ExecutionTarget,
): Execution {
  const kind = refreshedKind(scope, state !== undefined);
  if (kind === undefined) return { code: 'DONE_NOOP' };
  if (boostSeconds > 0 && !mayBoost) return { code: 'RATE_LIMITED' };
  return { code: 'DONE', air: { content: { kind }, repeat: { boostSeconds } } };
}

/** What there is to broadcast of a card: its pairing always, rights only where it ever had some. */
function refreshedKind(
  scope: RefreshScope,
  hasRights: boolean,
): Exclude<EmmContent['kind'], 'message'> | undefined {
  if (hasRights) return scope;
  return scope === 'rights' ? undefined : 'pairing';
}

function entitle(
  { epoch, rev, args }: Extract<ServedOperation, { op: 'ENTITLE' }>,
  { card, state, epochFloor }: ExecutionTarget,
): Execution {
  const suspended = args.suspended === undefined ? {} : { suspended: args.suspended };
  const next = { epoch, rev, set: canonicalSet(args.set) ?? [], ...suspended };
  const verdict = judgeRevision(state, next, epochFloor);
  if (verdict === 'stale') return { code: 'STALE_REV' };
  if (verdict === 'conflict') return { code: 'REV_CONFLICT' };
  // The same that still waits for its first broadcast is not done yet: a restart came between.
  if (verdict === 'same' && state?.firstAirAt !== null) return { code: 'DONE_NOOP' };
  return {
    code: 'DONE',
    card: { card, ...next, firstAirAt: null },
    air: { content: { kind: 'rights' }, repeat: 'profile' },
  };
}
