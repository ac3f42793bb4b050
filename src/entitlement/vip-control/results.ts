/** The result codes of VIP Control and what each class means for whoever sent the command. */

export type ResultClass =
  /** Close the command. */
  | 'ok'
  /** Try the same command again later. */
  | 'transient'
  /** The session is out of step; the link heals it, the command is not to blame. */
  | 'sequence'
  /** The card does not allow it now: work for a person, with the exact sentence. */
  | 'state'
  /** The command is wrong for ever: money goes to credit, not lost. */
  | 'data'
  /** Not permitted to this caller. */
  | 'authority'
  /** The two sides do not understand each other: page the person on call. */
  | 'fatal';

const CLASS_OF_CODE = {
  DONE: 'ok',
  DONE_NOOP: 'ok',
  DUPLICATE: 'ok',
  BUSY: 'transient',
  BANDWIDTH: 'transient',
  MAINTENANCE: 'transient',
  INTERNAL: 'transient',
  SEQ_GAP: 'sequence',
  SEQ_DUP: 'sequence',
  NOT_LOGGED_IN: 'sequence',
  WINDOW_FULL: 'sequence',
  /** The answer to STATUS about a cmdId that was never taken. */
  UNKNOWN_COMMAND: 'sequence',
  STALE_REV: 'state',
  /** The same (epoch, rev) came before with another set of rights. */
  REV_CONFLICT: 'state',
  /** `notAfter` had passed before the command could be executed. */
  EXPIRED: 'state',
  /** The card was refreshed too often. */
  RATE_LIMITED: 'state',
  CARD_SUSPENDED: 'state',
  NOT_PAIRED: 'state',
  BLACKLISTED: 'state',
  ALREADY_PAIRED: 'state',
  UNKNOWN_CARD: 'data',
  UNKNOWN_STB: 'data',
  UNKNOWN_PRODUCT: 'data',
  BAD_DATES: 'data',
  TEXT_TOO_LONG: 'data',
  INCOMPATIBLE: 'data',
  WRONG_REGION: 'data',
  NOT_ALLOWED: 'authority',
  SECOND_PERSON_REQUIRED: 'authority',
  PROTOCOL: 'fatal',
  UNRECOVERABLE: 'fatal',
} as const satisfies Record<string, ResultClass>;

export type ResultCode = keyof typeof CLASS_OF_CODE;

/** Every code there is, for tests and reference pages. */
export const RESULT_CODES = Object.keys(CLASS_OF_CODE) as ResultCode[];

/** The class of a code; one we have never heard of is `fatal`, so that somebody looks. */
export function classOf(code: string): ResultClass {
  return Object.hasOwn(CLASS_OF_CODE, code) ? CLASS_OF_CODE[code as ResultCode] : 'fatal';
}
