/** The gateway's face, the inboxes, and the control face for testers. */

import {
  field,
  json,
  jsonObject,
  plain,
  type Routes,
  type SimulatorAnswer,
  type SimulatorRequest,
} from '../mobile-money/http.ts';
import { partsOf } from './gsm7.ts';
import type { Inboxes } from './inboxes.ts';
import type { Reports } from './reports.ts';
import type { TextSimulator } from './server.ts';

/**
 * `status_500` and `hang` take nothing; `deliver_then_hang` delivers and never answers;
 * `status_200` delivers and answers 200 where the real gateway answers 201.
 */
export const TEXT_FAULTS = [
  'none',
  'status_500',
  'hang',
  'deliver_then_hang',
  'status_200',
] as const;
export type TextFault = (typeof TEXT_FAULTS)[number];

/** Ten-thousandths of a shilling a part. */
const PRICE_PER_PART = 8_000;
const RECIPIENTS_MAX = 1_000;
const DEFAULT_SENDER = 'AFRICASTKNG';

/** Per-recipient codes and their words (Africa's Talking, "Sending SMS"). */
const STATUS_WORDS: Record<number, string> = {
  100: 'Success',
  101: 'Success',
  102: 'Success',
  401: 'RiskHold',
  402: 'InvalidSenderId',
  403: 'InvalidPhoneNumber',
  404: 'UnsupportedNumberType',
  405: 'InsufficientBalance',
  406: 'UserInBlacklist',
  407: 'CouldNotRoute',
  500: 'InternalServerError',
  501: 'GatewayError',
  502: 'RejectedByGateway',
};

export interface TextRouteDeps {
  username: string;
  apiKey: string;
  senderIds: string[] | null;
  inboxes: Inboxes;
  reports: Reports;
  api: Omit<TextSimulator, 'url' | 'stop'>;
  fault(): TextFault;
  codeOf(msisdn: string): number | undefined;
}

/** `/version1/messaging` is also where the `africastalking` package sends premium texts. */
export function textRoutes(deps: TextRouteDeps): Routes {
  const { api } = deps;
  return {
    'POST /version1/messaging': (request) => sendTexts(deps, request),
    'GET /version1/messaging': (request) => fetchTexts(deps, request),
    'GET /inbox': () => json(200, { texts: api.allTexts() }),
    'GET /inbox/*': (request) => json(200, { texts: api.inbox(request.rest) }),
    'POST /control/fault': (request) => controlFault(deps, request),
    'POST /control/recipient': (request) => controlRecipient(deps, request),
    'POST /control/reports': (request) => controlReports(deps, request),
    'POST /control/incoming': (request) => controlIncoming(deps, request),
  };
}

async function sendTexts(deps: TextRouteDeps, request: SimulatorRequest): Promise<SimulatorAnswer> {
  const fault = deps.fault();
  if (fault === 'status_500') return plain(500, 'Internal Server Error');
  if (fault === 'hang') return never();
  const form = new URLSearchParams(request.body);
  if (!mayUse(deps, request, form.get('username'))) return unauthorized();
  const answer = accept(deps, form);
  if (fault === 'deliver_then_hang') return never();
  return fault === 'status_200' && answer.status === 201 ? { ...answer, status: 200 } : answer;
}

function accept(deps: TextRouteDeps, form: URLSearchParams): SimulatorAnswer {
  const numbers = (form.get('to') ?? '').split(',').filter((number) => number !== '');
  if (numbers.length === 0 || numbers.length > RECIPIENTS_MAX) {
    return plain(400, 'The request content was malformed: to');
  }
  const message = form.get('message');
  if (message === null) return plain(400, "Request is missing required form field 'message'");
  const from = form.get('from') ?? DEFAULT_SENDER;
  if (deps.senderIds !== null && form.has('from') && !deps.senderIds.includes(from)) {
    return json(201, { SMSMessageData: { Message: 'InvalidSenderId', Recipients: [] } });
  }
  const parts = partsOf(message);
  const recipients = numbers.map((number) =>
    acceptOne(deps, { from, to: number.trim(), text: message }, parts),
  );
  const sent = recipients.filter(({ statusCode }) => statusCode <= 102).length;
  const total = shillings(sent * parts * PRICE_PER_PART);
  const summary = `Sent to ${sent}/${numbers.length} Total Cost: KES ${total}`;
  return json(201, {
    SMSMessageData: {
      Message: `${summary} Message parts: ${parts}`,
      Recipients: recipients,
    },
  });
}

function acceptOne(
  deps: TextRouteDeps,
  text: { from: string; to: string; text: string },
  parts: number,
) {
  const valid = /^\+\d{7,15}$/.test(text.to);
  const statusCode = valid ? (deps.codeOf(text.to) ?? 102) : 403;
  const status = STATUS_WORDS[statusCode] ?? 'InternalServerError';
  if (statusCode > 102) {
    return { cost: '0', messageId: 'None', number: text.to, status, statusCode };
  }
  const delivered = deps.inboxes.deliver(text);
  deps.reports.schedule(delivered);
  const cost = `KES ${shillings(parts * PRICE_PER_PART)}`;
  return { cost, messageId: delivered.id, number: text.to, status, statusCode };
}

function fetchTexts(deps: TextRouteDeps, request: SimulatorRequest): SimulatorAnswer {
  if (!mayUse(deps, request, request.query.get('username'))) return unauthorized();
  const lastReceivedId = Number(request.query.get('lastReceivedId') ?? '0');
  const messages = deps.inboxes.incomingAfter(lastReceivedId);
  return json(200, { SMSMessageData: { Messages: messages } });
}

function mayUse(deps: TextRouteDeps, request: SimulatorRequest, username: string | null) {
  return request.headers.apikey === deps.apiKey && username === deps.username;
}

function unauthorized(): SimulatorAnswer {
  const answer = plain(401, 'The supplied authentication is invalid');
  return {
    ...answer,
    headers: { ...answer.headers, 'www-authenticate': 'Basic realm="api",charset=UTF-8' },
  };
}

/** A request that stays open until the caller or `stop` closes it. */
function never(): Promise<SimulatorAnswer> {
  return new Promise(() => {});
}

function shillings(tenThousandths: number): string {
  return (tenThousandths / 10_000).toFixed(4);
}

function controlFault({ api }: TextRouteDeps, request: SimulatorRequest): SimulatorAnswer {
  const wanted = jsonObject(request.body)?.fault;
  const fault = TEXT_FAULTS.find((name) => name === wanted);
  if (fault === undefined) {
    return json(400, { error: `fault is one of ${TEXT_FAULTS.join(', ')}` });
  }
  api.setFault(fault);
  return json(200, { done: true });
}

function controlRecipient({ api }: TextRouteDeps, request: SimulatorRequest): SimulatorAnswer {
  const body = jsonObject(request.body) ?? {};
  const code = Number(body.code);
  if (STATUS_WORDS[code] === undefined || field(body, 'msisdn') === '') {
    return json(400, { error: 'msisdn, and code: one of the gateway’s status codes' });
  }
  api.setRecipientCode(field(body, 'msisdn'), code);
  return json(200, { done: true });
}

function controlReports({ api }: TextRouteDeps, request: SimulatorRequest): SimulatorAnswer {
  const body = jsonObject(request.body) ?? {};
  const order = (['interim_first', 'final_first'] as const).find((name) => name === body.order);
  api.setReportRules({
    ...(order === undefined ? {} : { order }),
    ...(body.finalStatus === undefined ? {} : { finalStatus: field(body, 'finalStatus') }),
    ...(body.failureReason === undefined
      ? {}
      : { failureReason: field(body, 'failureReason') || null }),
  });
  return json(200, { done: true });
}

async function controlIncoming(
  { api }: TextRouteDeps,
  request: SimulatorRequest,
): Promise<SimulatorAnswer> {
  const body = jsonObject(request.body) ?? {};
  const [from, to] = [field(body, 'from'), field(body, 'to')];
  if (from === '' || to === '') return json(400, { error: 'from, to and text are needed' });
  return json(200, { status: await api.sendFromPhone({ from, to, text: field(body, 'text') }) });
}
