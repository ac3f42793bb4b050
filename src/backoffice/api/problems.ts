/**
 * Every problem the API answers (RFC 9457), in one catalogue: status, title, and what to do. The
 * refusals of billing are among them, with the codes they have everywhere else.
 */
import { REFUSALS } from '../../billing/errors.ts';
import { POSTPAID_PROBLEMS } from './postpaid-problems.ts';

interface Entry {
  status: number;
  title: string;
}

/** Those that are not refusals of billing. */
export const OWN_PROBLEMS = {
  malformed_request: { status: 400, title: 'The request cannot be read.' },
  invalid_query: { status: 400, title: 'A parameter of the query is wrong or unknown.' },
  invalid_cursor: {
    status: 400,
    title: 'The cursor was not given by this list, or not for these filters.',
  },
  idempotency_key_missing: {
    status: 400,
    title: 'A call that moves money needs an Idempotency-Key of 8 to 128 printable characters.',
  },
  sign_in_needed: { status: 401, title: 'The token is missing, unknown, ended or revoked.' },
  wrong_credentials: { status: 401, title: 'Login, password or code is wrong.' },
  code_needed: { status: 401, title: 'The account has a second factor: send its code as well.' },
  forbidden: { status: 403, title: 'The permission for this is not held.' },
  password_pending: { status: 403, title: 'The password must be changed first.' },
  totp_pending: { status: 403, title: 'The second factor must be enrolled first.' },
  own_request: { status: 403, title: 'Nobody decides what they asked for.' },
  own_account: { status: 403, title: 'Nobody changes their own roles, sites or state.' },
  outside_own_sites: { status: 403, title: 'Nobody gives sites that they do not see.' },
  not_found: { status: 404, title: 'There is no such thing, or not at your sites.' },
  method_not_allowed: { status: 405, title: 'The path exists, but not with this method.' },
  not_acceptable: { status: 406, title: 'Only application/json is answered.' },
  request_timeout: { status: 408, title: 'The body did not come in time.' },
  idempotency_in_progress: {
    status: 409,
    title: 'The first call with this key is still under way: ask again.',
  },
  phone_taken: { status: 409, title: 'The phone belongs to another subscriber.' },
  card_taken: { status: 409, title: 'The card number is known already.' },
  login_taken: { status: 409, title: 'Somebody has this login.' },
  work_item_closed: { status: 409, title: 'The work is closed already.' },
  reconciliation_waiting: {
    status: 409,
    title: 'A comparison of that system waits or is under way: ask again when it has ended.',
  },
  outage_closed: { status: 409, title: 'The outage is closed already.' },
  outage_not_closed: {
    status: 409,
    title: 'The outage is open still, or its free days are decided already.',
  },
  outage_too_short: { status: 409, title: 'By the rule of the site this outage gives no days.' },
  template_changed: {
    status: 409,
    title: 'Another version of the template was written at the same time: ask again.',
  },
  template_retired: { status: 409, title: 'The template is used no more.' },
  group_taken: { status: 409, title: 'Another group of cards has this name.' },
  campaign_not_draft: { status: 409, title: 'The campaign was started before.' },
  campaign_not_running: {
    status: 409,
    title: 'The campaign does not run, and nothing of it waits.',
  },
  not_shown_everywhere: {
    status: 409,
    title: 'A conditional-access system cannot show it to some: fields say which, and why.',
  },
  no_cas: { status: 409, title: 'No conditional-access system is known here yet.' },
  batch_taken: { status: 409, title: 'Another batch of scratch cards has this name.' },
  codes_shown: {
    status: 409,
    title: 'The codes were shown before: block the batch, make another.',
  },
  no_voucher_key: { status: 409, title: 'No key for the codes of scratch cards is set here.' },
  nobody_to_give_to: {
    status: 409,
    title: 'None of the cards has a paid term that runs.',
  },
  device_blacklisted: { status: 409, title: 'The device is blacklisted.' },
  device_not_listed: {
    status: 409,
    title: 'No file of a manufacturer lists the device, and the site takes no others.',
  },
  device_state: { status: 409, title: 'The device is not in a state from which this can be done.' },
  device_other_site: { status: 409, title: 'The two devices belong to different sites.' },
  device_incompatible: { status: 409, title: 'The one device cannot stand for the other.' },
  already_paired: {
    status: 409,
    title: 'The two are paired already, or the decoder with another card.',
  },
  still_paired: { status: 409, title: 'A card is paired with the decoder: end that first.' },
  not_paired: { status: 409, title: 'The device is not paired so.' },
  card_in_use: { status: 409, title: 'The card carries a subscription.' },
  card_not_in_use: { status: 409, title: 'The card carries no subscription.' },
  already_blacklisted: { status: 409, title: 'The device is blacklisted already.' },
  not_blacklisted: { status: 409, title: 'The device is not blacklisted.' },
  device_file_refused: {
    status: 422,
    title: 'The file cannot be taken in: nothing of it was.',
  },
  already_suspended: { status: 409, title: 'The card is suspended already.' },
  not_suspended: { status: 409, title: 'The card is not suspended.' },
  already_lifted: { status: 409, title: 'The flag is lifted already.' },
  nothing_owed: { status: 409, title: 'Nothing is owed that could be promised.' },
  promise_running: { status: 409, title: 'An earlier promise still runs.' },
  too_many_promises: {
    status: 409,
    title: 'No further promise is taken for this debt.',
  },
  refresh_not_possible: {
    status: 409,
    title: 'Nothing to broadcast: not on air yet, over, or suspended.',
  },
  too_late: {
    status: 409,
    title: 'What happened then is not known wholly yet: ask for an earlier instant.',
  },
  clock_busy: { status: 409, title: 'The test clock is being moved: ask again.' },
  not_fresh: {
    status: 409,
    title:
      'Something of the subscriber has a date already, they are at another site than the clock, ' +
      'or it has all it may have.',
  },
  amount_grown: {
    status: 409,
    title: 'More would be given up now than when it was asked for: ask again.',
  },
  approval_closed: { status: 409, title: 'It is decided or over already.' },
  catalogue_in_use: {
    status: 409,
    title: 'The catalogue takes away or recodes what was sold.',
  },
  catalogue_changed: {
    status: 409,
    title: 'Another catalogue has been published since this one was asked for.',
  },
  catalogue_past: {
    status: 409,
    title: 'Prices of days that have come would change: allowPast says that this is meant.',
  },
  totp_enrolled: { status: 409, title: 'The second factor is enrolled already.' },
  totp_not_begun: { status: 409, title: 'No enrolment was begun.' },
  precondition_failed: {
    status: 412,
    title: 'Somebody has changed it since: read it again.',
  },
  body_too_large: {
    status: 413,
    title: 'The body is larger than is taken here: 64 KiB, unless the route says more.',
  },
  unsupported_media_type: { status: 415, title: 'The body must be application/json.' },
  invalid_body: { status: 422, title: 'A field of the body is wrong, missing or unknown.' },
  idempotency_key_reused: { status: 422, title: 'The key was used for something else.' },
  days_limit: { status: 422, title: 'More days than the site gives for one incident.' },
  outage_order: {
    status: 422,
    title: 'It does not end after it began, or begins in time to come.',
  },
  too_many_cards: {
    status: 422,
    title: 'More cards than one call may give to: name them in parts.',
  },
  clock_backwards: { status: 422, title: 'A clock only goes on, and by a year at the most.' },
  wrong_currency: { status: 422, title: 'The site has another currency.' },
  weak_password: { status: 422, title: 'The new password cannot be taken.' },
  role_conflict: { status: 422, title: 'Nobody may hold these permissions together.' },
  precondition_required: { status: 428, title: 'Say in If-Match which state you change.' },
  rate_limited: { status: 429, title: 'Too many calls: wait as long as Retry-After says.' },
  locked_out: { status: 429, title: 'Too many failed sign-ins: wait as long as Retry-After says.' },
  wrong_codes: { status: 429, title: 'Too many wrong codes: wait as long as Retry-After says.' },
  refresh_limited: { status: 429, title: 'The card was refreshed too often.' },
  ...POSTPAID_PROBLEMS,
  internal: { status: 500, title: 'A fault of ours; it is in the log under the request id.' },
  unavailable: { status: 503, title: 'Not possible at this moment: ask again with the same key.' },
} as const satisfies Record<string, Entry>;

type OwnCode = keyof typeof OWN_PROBLEMS;
export type ProblemCode = OwnCode | keyof typeof REFUSALS;

const REFUSED = Object.fromEntries(
  Object.entries(REFUSALS).map(([code, { httpStatus, sentence }]): [string, Entry] => [
    code,
    { status: httpStatus, title: sentence },
  ]),
);

/** Code to status and title, ours and billing's. */
export const PROBLEMS: Readonly<Record<ProblemCode, Entry>> = {
  ...REFUSED,
  ...OWN_PROBLEMS,
} as Record<ProblemCode, Entry>;

/** Where the problem is explained, from the root of the server. */
export const PROBLEM_PATH = '/api/v1/problems/';

export interface FieldFault {
  /** `amount.currency`, or `query.limit`, `path.cardId`. */
  path: string;
  code: string;
  message: string;
}

export interface Problem {
  problem: ProblemCode;
  detail?: string;
  fields?: readonly FieldFault[];
  headers?: Readonly<Record<string, string>>;
  /** The answer for ever to a call with this idempotency key: a refusal of billing. */
  isKept?: true;
}

/** A problem as a handler returns it. */
export const problem = (code: ProblemCode, more: Omit<Problem, 'problem'> = {}): Problem => ({
  problem: code,
  ...more,
});

/** A body with one wrong field. */
export const invalidField = (path: string, code: string, message: string): Problem =>
  problem('invalid_body', { fields: [{ path, code, message }] });

/** As it is sent: `application/problem+json`. */
export function problemBody({ problem: code, detail, fields }: Problem) {
  const { status, title } = PROBLEMS[code];
  return {
    type: `${PROBLEM_PATH}${code}`,
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    ...(fields === undefined ? {} : { fields: [...fields] }),
  };
}
