/** What a head-end decides about a command: pure functions of the card, the command, the time. */
import {
  type CommandEnvelope,
  EVENT_PRODUCT_PREFIX,
  parseOperation,
  type Revision,
  type WireOperation,
  type WireRight,
} from '../../src/entitlement/vip-control/messages.ts';
import type { ResultCode } from '../../src/entitlement/vip-control/results.ts';

export interface CardState extends Revision {
  card: string;
  /** In the one order and spelling of `canonicalSet`. */
  set: WireRight[];
  /** When the rights were last put on air, for the first time in that round. */
  firstAirAt: string;
}

export interface Admission {
  osdMax: number;
  /** Absent: every product is known. Pay-per-view events are never listed. */
  knownProducts?: ReadonlySet<string>;
  knownCard: (card: string) => boolean;
  now: Date;
}

export type Admitted = { ok: true; operation: WireOperation } | { ok: false; code: ResultCode };

export interface Execution {
  code: ResultCode;
  /** The state of the card after it, where that changed. */
  card?: CardState;
  /** How many EMMs went on air; 0 when nothing was broadcast. */
  emmCount: number;
}

const UTC_INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z$/;

/** Whether a command may be taken, or, when its turn has come, still be executed. */
export function admit(envelope: CommandEnvelope, admission: Admission): Admitted {
  const operation = parseOperation(envelope);
  if (!operation) return { ok: false, code: 'PROTOCOL' };
  const code = refusal(envelope, operation, admission);
  return code === undefined ? { ok: true, operation } : { ok: false, code };
}

function refusal(
  envelope: CommandEnvelope,
  operation: WireOperation,
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
 * Whether a set of rights of revision `next` may replace what the card has. `epochFloor` is the
 * highest epoch any client logged in with: whatever is older was decided on a lost database.
 */
export function judgeRevision(
  card: CardState | undefined,
  next: Revision & { set: readonly WireRight[] },
  epochFloor: number,
): RevisionVerdict {
  if (next.epoch < epochFloor) return 'stale';
  if (!card || next.epoch > card.epoch) return 'newer';
  if (next.epoch < card.epoch || next.rev < card.rev) return 'stale';
  if (next.rev > card.rev) return 'newer';
  return JSON.stringify(card.set) === JSON.stringify(next.set) ? 'same' : 'conflict';
}

/** What an admitted operation does to the card it names. */
export function execute(
  operation: WireOperation,
  target: { card: string; state: CardState | undefined; epochFloor: number },
  now: Date,
): Execution {
  const { card, state, epochFloor } = target;
  const firstAirAt = now.toISOString();
  if (operation.op === 'OSD') return { code: 'DONE', emmCount: 1 };
  if (operation.op === 'REFRESH') {
    if (!state) return { code: 'DONE_NOOP', emmCount: 0 };
    return { code: 'DONE', card: { ...state, firstAirAt }, emmCount: emmCountOf(state.set) };
  }
  const { epoch, rev } = operation;
  const set = canonicalSet(operation.args.set) ?? [];
  const verdict = judgeRevision(state, { epoch, rev, set }, epochFloor);
  if (verdict === 'stale') return { code: 'STALE_REV', emmCount: 0 };
  if (verdict === 'conflict') return { code: 'REV_CONFLICT', emmCount: 0 };
  if (verdict === 'same') return { code: 'DONE_NOOP', emmCount: emmCountOf(set) };
  return { code: 'DONE', card: { card, epoch, rev, set, firstAirAt }, emmCount: emmCountOf(set) };
}

/** One EMM a right; an empty set is broadcast too, as the one that takes the rights away. */
function emmCountOf(set: readonly WireRight[]): number {
  return Math.max(1, set.length);
}
