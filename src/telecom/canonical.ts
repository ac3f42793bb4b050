/**
 * The shapes every telecom provider is read into. A provider file turns bytes into one of these;
 * the rooms above know nothing of any provider. All of them are plain data: instants are ISO 8601
 * UTC strings, amounts are digits in the currency's ISO 4217 minor unit.
 */

export interface UssdTurn {
  type: 'ussd.turn';
  sessionId: string;
  /** E.164, or null when the number is not a valid one. */
  msisdn: string | null;
  /** `*384*123#` */
  serviceCode: string | null;
  phase: 'begin' | 'input' | 'end' | 'abort' | 'timeout';
  /** What was typed on this hop alone; null on begin, '' for an empty answer or a replay. */
  input: string | null;
  /** What was dialled behind the service code (`5*2`); only on begin. */
  dialled: string | null;
}

export interface UssdEnd {
  type: 'ussd.end';
  sessionId: string;
  msisdn: string | null;
  outcome: 'success' | 'incomplete' | 'failed' | 'aborted' | 'timeout';
}

export interface SmsIn {
  type: 'sms.in';
  id: string;
  from: string;
  to: string | null;
  text: string;
  receivedAt: string | null;
  /** True for an alphanumeric or unusable sender: neither answered nor acted on. */
  ignore: boolean;
}

/** Several texts in the answer of a poll; a single one stands alone. */
export interface SmsInList {
  type: 'sms.in';
  messages: SmsIn[];
}

export interface SmsDeliveryReport {
  type: 'sms.dlr';
  id: string;
  status: 'submitted' | 'sent' | 'delivered' | 'failed' | 'expired' | 'unknown';
  /** A final status is never overwritten by an interim one. */
  final: boolean;
  reason: string | null;
}

export interface SmsOptOut {
  type: 'sms.optout';
  msisdn: string | null;
  sender: string | null;
  change: 'optout';
}

export interface SmsSubscription {
  type: 'sms.subscription';
  msisdn: string | null;
  keyword: string | null;
  change: 'addition' | 'deletion';
}

/** Why a text was not taken for sending, in our words. */
export type SmsError =
  | 'unauthorized'
  | 'invalid_sender'
  | 'invalid_recipient'
  | 'insufficient_balance'
  | 'blocked'
  | 'rejected'
  | 'provider_error'
  | 'unknown';

export interface SmsResponse {
  type: 'sms.response';
  /** True when at least one message was taken. */
  accepted: boolean;
  messages: { msisdn: string | null; id: string | null; accepted: boolean; cost: string | null }[];
  error: SmsError | null;
}

/** Why money did not move, in our words, whatever the operator's. */
export type MoneyReason =
  | 'insufficient_funds'
  | 'payer_timeout'
  | 'payer_declined'
  | 'invalid_payer'
  | 'payer_limit_reached'
  | 'payer_account_blocked'
  | 'invalid_payee'
  | 'provider_unavailable'
  | 'provider_error'
  | 'wrong_pin'
  | 'duplicate'
  | 'amount_mismatch'
  | 'unknown';

export interface Money {
  type: 'money';
  style: 'notice' | 'validate' | 'push' | 'lookup' | 'status' | 'reversal' | 'payout';
  /** The operator's receipt, upper case; null when there is none. */
  txnId: string | null;
  /** The id of our own request that comes back. */
  requestId: string | null;
  outcome: 'requested' | 'paid' | 'failed' | 'pending' | 'unknown' | 'reversed' | 'refused';
  amountMinor: string | null;
  currency: string | null;
  /** True when the amount is not a plain amount; amountMinor is then null. */
  quarantine: boolean;
  accountRef: string | null;
  payerMsisdn: string | null;
  /** The 64 hex digits of a whole SHA-256 of the payer's 12-digit number, else null. */
  payerHash: string | null;
  occurredAt: string | null;
  reason: MoneyReason | null;
}

export interface MoneyList {
  type: 'money';
  payments: Money[];
}

export interface StatementRow {
  txnId: string;
  occurredAt: string | null;
  direction: 'in' | 'out' | 'charge';
  status: 'completed' | 'failed';
  /** Unsigned; null when it cannot be read. */
  amountMinor: string | null;
  accountRef: string | null;
  payerMsisdn: string | null;
}

export interface MoneyStatement {
  type: 'money.statement';
  currency: string;
  rows: StatementRow[];
  /** Lines under the header that are no transaction (totals). */
  ignored: number;
}

/** A message that cannot be acted on; nothing moves because of it. */
export interface Refused {
  refused: 'xml_doctype' | 'missing_field';
}

export type Canonical =
  | UssdTurn
  | UssdEnd
  | SmsIn
  | SmsInList
  | SmsDeliveryReport
  | SmsOptOut
  | SmsSubscription
  | SmsResponse
  | Money
  | MoneyList
  | MoneyStatement
  | Refused;

/** What is configured and known when a message arrives; nothing else is. */
export interface ReadContext {
  /** ISO 3166 alpha-2: how numbers without a country code are read. */
  country: string;
  /** ISO 4217: holds where the message names no currency. */
  currency: string;
  /** IANA zone of times written without zone or offset. */
  timeZone: string;
  /** The channel's USSD code, where the message does not carry it whole. */
  serviceCode?: string;
  /** The last cumulative USSD string of a known session; absent when none is known. */
  previous?: string;
  /** Amounts are whole numbers of 1/factor unit. */
  minorUnitFactor?: number;
  /** Our open order, for messages that carry no amount. */
  order?: {
    requestId?: string;
    notifToken?: string;
    amountMinor?: string;
    currency?: string;
  };
}

/** One message as it came over HTTP (or a file), before anything is believed. */
export interface RawMessage {
  method: string;
  path: string;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  /** The exact bytes as text; form, JSON, XML or CSV. Query fields of a GET stand in `query`. */
  body: string;
  query: Readonly<Record<string, string>>;
  /** HTTP status when the message is an answer to a request of ours. */
  status?: number;
}
