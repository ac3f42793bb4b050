/** Whether a command may be taken, or, when its turn has come, still be executed. */
import {
  type CommandEnvelope,
  EVENT_PRODUCT_PREFIX,
  parseOperation,
} from '../../src/entitlement/vip-control/messages.ts';
import type {
  OperationName,
  Target,
  WireOperation,
  WireRight,
} from '../../src/entitlement/vip-control/operations.ts';
import type { ResultCode } from '../../src/entitlement/vip-control/results.ts';
import type { Service } from './air/types.ts';
import { canonicalSet, eventRight, fitsFrame } from './card-state.ts';
import type { World } from './rules.ts';

export interface Admission {
  osdMax: number;
  mailMax: number;
  /** Absent: every product is known. Pay-per-view events are never listed. */
  knownProducts?: ReadonlySet<string>;
  /** Products that were taken out of the line-up since. */
  goneProducts?: ReadonlySet<string>;
  /** Absent: every area is known. */
  knownRegions?: ReadonlySet<string>;
  knownCard: (card: string) => boolean;
  /** The line-up; where there is none, every programme is known. */
  services: readonly Service[];
  /** Only registered cards and decoders are known, even before the first was registered. */
  isListed: boolean;
  world: World & { registered: { cards: boolean; stbs: boolean } };
  now: Date;
}

export type Admitted = { ok: true; operation: WireOperation } | { ok: false; code: ResultCode };

type Kinds = readonly Target['kind'][];
const CARD: Kinds = ['card'];
const DEVICE: Kinds = ['card', 'stb'];
const ANYBODY: Kinds = ['card', 'stb', 'region', 'all'];
const TARGETS: Readonly<Record<OperationName, Kinds>> = {
  ...{ ENTITLE: CARD, CANCEL: CARD, SUSPEND: CARD, RESUME: CARD, EVENT: CARD, SWAP: CARD },
  ...{ REFRESH: CARD, PAIR: CARD, UNPAIR: CARD, REGION: CARD, PIN_RESET: DEVICE },
  ...{ CARD_REGISTER: DEVICE, CARD_RETIRE: DEVICE, BLACKLIST: DEVICE, UNBLACKLIST: DEVICE },
  SWAP_STB: ['stb'],
  ...{ OSD: ANYBODY, MAIL: ANYBODY, FINGERPRINT: ANYBODY, FORCE_TUNE: ANYBODY },
};
/** What everybody sees, and what lifts a ban, needs a second person. */
const APPROVED_TO_ALL: readonly OperationName[] = ['OSD', 'FORCE_TUNE'];
const PRODUCT_CHARS_MAX = 200;
/** A line of the log with this fits a frame. */
const ARGS_BYTES_MAX = 48_000;

/** The operation of a command, or why it is refused. */
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
  if (!TARGETS[operation.op].includes(envelope.target.kind)) return 'NOT_ALLOWED';
  if (isTooMuch(envelope.args)) return 'NOT_ALLOWED';
  const stranger = unknownTo(operation, envelope.target, admission);
  if (stranger !== undefined) return stranger;
  if (Date.parse(envelope.notAfter) <= admission.now.getTime()) return 'EXPIRED';
  if (needsApproval(operation, envelope.target) && !isApproved(envelope)) {
    return 'SECOND_PERSON_REQUIRED';
  }
  return tooLong(operation, admission) ?? badRights(operation, admission);
}

/** Whether the arguments of a command are more than a line of the log can hold. */
export function isTooMuch(args: object): boolean {
  return Buffer.byteLength(JSON.stringify(args)) > ARGS_BYTES_MAX;
}

function needsApproval({ op }: WireOperation, { kind }: Target): boolean {
  return op === 'UNBLACKLIST' || (kind === 'all' && APPROVED_TO_ALL.includes(op));
}

function unknownTo(
  operation: WireOperation,
  { kind, id }: Target,
  admission: Admission,
): ResultCode | undefined {
  const isNew = operation.op === 'CARD_REGISTER';
  const cards = kind === 'card' ? [id] : [];
  const stbs = kind === 'stb' ? [id] : [];
  if (operation.op === 'SWAP') cards.push(operation.args.newCard);
  if (operation.op === 'SWAP_STB') stbs.push(operation.args.newStb);
  if (operation.op === 'PAIR') stbs.push(operation.args.stb);
  if (!cards.every((card) => admission.knownCard(card))) return 'UNKNOWN_CARD';
  const { world, isListed } = admission;
  const isIn = (list: World['cards'] | World['stbs']) => (number: string) =>
    list.get(number)?.isRegistered === true;
  if ((isListed || world.registered.cards) && !isNew && !cards.every(isIn(world.cards))) {
    return 'UNKNOWN_CARD';
  }
  if ((isListed || world.registered.stbs) && !isNew && !stbs.every(isIn(world.stbs))) {
    return 'UNKNOWN_STB';
  }
  return unknownPlace(operation, { kind, id }, admission);
}

/** Programmes and areas that are not there, or not together. */
function unknownPlace(
  operation: WireOperation,
  { kind, id }: Target,
  { services, knownRegions }: Admission,
): ResultCode | undefined {
  const areas = kind === 'region' ? [id] : [];
  if (operation.op === 'REGION' && operation.args.area !== null) areas.push(operation.args.area);
  if (knownRegions && !areas.every((area) => knownRegions.has(area))) return 'WRONG_REGION';
  const isOfProgramme = operation.op === 'FORCE_TUNE' || operation.op === 'FINGERPRINT';
  const code = isOfProgramme ? operation.args.service : undefined;
  if (code === undefined || services.length === 0) return undefined;
  const service = services.find((one) => one.code === code);
  if (!service) return 'UNKNOWN_PRODUCT';
  const isElsewhere = service.regions && !areas.every((area) => service.regions?.includes(area));
  return isElsewhere ? 'WRONG_REGION' : undefined;
}

function tooLong(operation: WireOperation, { osdMax, mailMax }: Admission): ResultCode | undefined {
  // Counted as a viewer counts: an emoji or an accented letter is one character.
  const count = (text: string) => [...text].length;
  if (operation.op === 'OSD' && count(operation.args.text) > osdMax) return 'TEXT_TOO_LONG';
  if (operation.op !== 'MAIL') return undefined;
  const { subject, body } = operation.args;
  return count(subject) + count(body) > mailMax ? 'TEXT_TOO_LONG' : undefined;
}

function badRights(operation: WireOperation, admission: Admission): ResultCode | undefined {
  const granted = grantedBy(operation);
  if (granted.length === 0) return undefined;
  if (!granted.every(({ product }) => isKnownProduct(product, admission))) return 'UNKNOWN_PRODUCT';
  const set = canonicalSet(granted);
  if (!set) return 'BAD_DATES';
  return fitsFrame(set) ? undefined : 'NOT_ALLOWED';
}

/** The rights that a command gives, as they lie on the wire. */
function grantedBy(operation: WireOperation): readonly WireRight[] {
  if (operation.op === 'ENTITLE') {
    return 'set' in operation.args ? operation.args.set : operation.args.add;
  }
  if (operation.op === 'SWAP') return operation.args.set;
  return operation.op === 'EVENT' ? [eventRight(operation.args)] : [];
}

function isKnownProduct(product: string, { knownProducts, goneProducts }: Admission): boolean {
  if (product.length > PRODUCT_CHARS_MAX || goneProducts?.has(product)) return false;
  if (product.startsWith(EVENT_PRODUCT_PREFIX)) return product.length > EVENT_PRODUCT_PREFIX.length;
  return knownProducts === undefined || knownProducts.has(product);
}

/** The second person is another than the first. */
function isApproved({ actor, approvedBy }: CommandEnvelope): boolean {
  return approvedBy !== undefined && approvedBy !== actor;
}
