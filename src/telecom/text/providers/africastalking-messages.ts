/**
 * Texts over Africa's Talking: incoming messages, delivery reports, opt-outs and subscriptions
 * arrive as forms; answers to our own calls are JSON. (developers.africastalking.com, SMS.)
 */

import { toInstant } from '../../../platform/instant.ts';
import {
  type Fields,
  field,
  fieldsAt,
  fieldsOf,
  listAt,
  rawText,
  textAt,
} from '../../../platform/json.ts';
import { toE164 } from '../../../platform/phone.ts';
import type {
  Canonical,
  RawMessage,
  ReadContext,
  Refused,
  SmsDeliveryReport,
  SmsError,
  SmsIn,
  SmsResponse,
} from '../../canonical.ts';
import { isRefused, MISSING_FIELD, messageFields, type Provider } from '../../provider.ts';

/** One incoming text, from a callback or from the answer of a poll. */
function readText(fields: Fields, context: ReadContext): SmsIn | Refused {
  const id = textAt(fields, 'id');
  const from = textAt(fields, 'from');
  const text = rawText(field(fields, 'text'));
  if (id === null || from === null || text === null) return MISSING_FIELD;
  const msisdn = toE164(from, context.country);
  return {
    type: 'sms.in',
    id,
    from: msisdn ?? from,
    to: textAt(fields, 'to'),
    text,
    receivedAt: toInstant(textAt(fields, 'date'), context.timeZone),
    ignore: msisdn === null,
  };
}

type Report = Pick<SmsDeliveryReport, 'status' | 'final'>;

/** Sent, Submitted and Buffered are on the way; reports may overtake each other. */
const REPORTS: ReadonlyMap<string, Report> = new Map<string, Report>([
  ['submitted', { status: 'submitted', final: false }],
  ['buffered', { status: 'submitted', final: false }],
  ['sent', { status: 'sent', final: false }],
  ['success', { status: 'delivered', final: true }],
  ['delivered', { status: 'delivered', final: true }],
  ['failed', { status: 'failed', final: true }],
  ['rejected', { status: 'failed', final: true }],
  ['absentsubscriber', { status: 'failed', final: true }],
  ['expired', { status: 'expired', final: true }],
]);

function readReport(raw: RawMessage): SmsDeliveryReport | Refused {
  const fields = messageFields(raw);
  const id = textAt(fields, 'id');
  const status = textAt(fields, 'status');
  if (id === null || status === null) return MISSING_FIELD;
  const report = REPORTS.get(status.toLowerCase()) ?? { status: 'unknown', final: false };
  return { type: 'sms.dlr', id, ...report, reason: textAt(fields, 'failureReason') };
}

/** Per-recipient codes 100 Processed, 101 Sent and 102 Queued are the only good ones. */
const ACCEPTED_CODES = new Set(['100', '101', '102']);
const ACCEPTED_STATUSES = new Set(['success', 'sent', 'queued', 'processed']);

const ERRORS: ReadonlyMap<string, SmsError> = new Map<string, SmsError>([
  ['402', 'invalid_sender'],
  ['invalidsenderid', 'invalid_sender'],
  ['403', 'invalid_recipient'],
  ['invalidphonenumber', 'invalid_recipient'],
  ['404', 'invalid_recipient'],
  ['unsupportednumbertype', 'invalid_recipient'],
  ['405', 'insufficient_balance'],
  ['insufficientbalance', 'insufficient_balance'],
  ['insufficientcredit', 'insufficient_balance'],
  ['406', 'blocked'],
  ['userinblacklist', 'blocked'],
  ['donotdisturbrejection', 'blocked'],
  ['401', 'rejected'],
  ['riskhold', 'rejected'],
  ['407', 'rejected'],
  ['couldnotroute', 'rejected'],
  ['502', 'rejected'],
  ['rejectedbygateway', 'rejected'],
  ['500', 'provider_error'],
  ['internalservererror', 'provider_error'],
  ['501', 'provider_error'],
  ['gatewayerror', 'provider_error'],
]);

/** The answer of a send (`Recipients`) or of a poll for incoming texts (`Messages`). */
function readAnswer(raw: RawMessage, context: ReadContext): Canonical {
  const status = raw.status ?? 200;
  const data = fieldsAt(messageFields(raw), 'SMSMessageData');
  if (status < 200 || status > 299) return refusedSend(httpError(status));
  if (field(data, 'Messages') !== undefined) return readPoll(data, context);
  const recipients = listAt(data, 'Recipients').map(fieldsOf);
  const messages = recipients.map((recipient) => readRecipient(recipient, context));
  if (messages.some((message) => message.accepted)) {
    return { type: 'sms.response', accepted: true, messages, error: null };
  }
  const first = recipients[0];
  const word = first === undefined ? textAt(data, 'Message') : textAt(first, 'status');
  const code = first === undefined ? null : textAt(first, 'statusCode');
  const error = ERRORS.get(code ?? '') ?? ERRORS.get(word?.toLowerCase() ?? '') ?? 'unknown';
  return { ...refusedSend(error), messages };
}

function refusedSend(error: SmsError): SmsResponse {
  return { type: 'sms.response', accepted: false, messages: [], error };
}

function httpError(status: number): SmsError {
  if (status === 401 || status === 403) return 'unauthorized';
  return status >= 500 ? 'provider_error' : 'rejected';
}

function readRecipient(recipient: Fields, context: ReadContext): SmsResponse['messages'][number] {
  const code = textAt(recipient, 'statusCode');
  const status = textAt(recipient, 'status')?.toLowerCase() ?? '';
  const id = textAt(recipient, 'messageId');
  return {
    msisdn: toE164(textAt(recipient, 'number'), context.country),
    // Where there is no id, Africa's Talking writes the word.
    id: id === 'None' ? null : id,
    accepted: code === null ? ACCEPTED_STATUSES.has(status) : ACCEPTED_CODES.has(code),
    cost: textAt(recipient, 'cost'),
  };
}

function readPoll(data: Fields, context: ReadContext): Canonical {
  const read = listAt(data, 'Messages').map((item) => readText(fieldsOf(item), context));
  const [only] = read;
  if (read.length === 1 && only !== undefined) return only;
  const messages = read.filter((message): message is SmsIn => !isRefused(message));
  if (messages.length === 0 && read.length > 0) return MISSING_FIELD;
  return { type: 'sms.in', messages };
}

function readOptOut(raw: RawMessage, context: ReadContext): Canonical {
  const fields = messageFields(raw);
  const phone = textAt(fields, 'phoneNumber');
  if (phone === null) return MISSING_FIELD;
  const msisdn = toE164(phone, context.country);
  return { type: 'sms.optout', msisdn, sender: textAt(fields, 'senderId'), change: 'optout' };
}

function readSubscription(raw: RawMessage, context: ReadContext): Canonical {
  const fields = messageFields(raw);
  const phone = textAt(fields, 'phoneNumber');
  const change = textAt(fields, 'updateType')?.toLowerCase();
  if (phone === null || (change !== 'addition' && change !== 'deletion')) return MISSING_FIELD;
  const msisdn = toE164(phone, context.country);
  return { type: 'sms.subscription', msisdn, keyword: textAt(fields, 'keyword'), change };
}

export const africastalkingMessages: Provider = {
  name: 'africastalking',
  readers: {
    'sms.in': (raw, context) => readText(messageFields(raw), context),
    'sms.dlr': readReport,
    'sms.response': readAnswer,
    'sms.optout': readOptOut,
    'sms.subscription': readSubscription,
  },
};
