/**
 * The control face: the customer's hand and the tester's, no part of Daraja. Amounts are whole or
 * decimal shillings in requests (`650`, `"5.00"`) and minor units as digits in answers.
 */

import { minorOf } from './daraja.ts';
import { NO_FAULTS } from './delivery.ts';
import { field, json, jsonObject, type Routes, type SimulatorAnswer } from './http.ts';
import type { PayBill, PromptAnswer } from './payments.ts';
import { BEHAVIOURS, type Behaviour } from './phones.ts';
import type { MobileMoneySimulator, PhoneChange } from './server.ts';

export type ControlApi = Omit<MobileMoneySimulator, 'url' | 'stop'>;

type Body = Record<string, unknown>;
type Act = (body: Body) => SimulatorAnswer | Promise<SimulatorAnswer>;

const MSISDN_FORMS = ['hashed', 'plain', 'masked'] as const;

/** Every function of the simulator, over HTTP under `/control/`. */
export function controlRoutes(api: ControlApi): Routes {
  const posted = (act: Act) => (request: { body: string }) => {
    const body = jsonObject(request.body || '{}');
    return body === null ? refused('the body is no JSON object') : act(body);
  };
  return {
    'GET /control/books': () => json(200, { entries: api.books() }),
    'GET /control/tvu': () => json(200, { notices: api.tvuNotices() }),
    'GET /control/unanswered': () => json(200, { callbacks: api.unanswered() }),
    'GET /control/prompts': (request) =>
      json(200, { prompts: api.prompts(request.query.get('msisdn') ?? undefined) }),
    'POST /control/prompts/answer': posted((body) => answerPrompt(api, body)),
    'POST /control/phones': posted((body) => setPhone(api, body)),
    'POST /control/pay-bill': posted((body) => payBill(api, body)),
    'POST /control/faults': posted((body) => setFaults(api, body)),
    'POST /control/settings': posted((body) => setSettings(api, body)),
    'POST /control/resend-unanswered': posted(async () =>
      json(200, { answered: await api.resendUnanswered() }),
    ),
    'POST /control/tvu': posted((body) => sendTvu(api, body)),
  };
}

function refused(error: string): SimulatorAnswer {
  return json(400, { error });
}

async function answerPrompt(api: ControlApi, body: Body): Promise<SimulatorAnswer> {
  const answer = promptAnswer(body);
  if (answer === null) return refused('answer is accept (with a pin), cancel or ignore');
  const done = await api.answerPrompt(field(body, 'checkoutRequestId'), answer);
  return done ? json(200, { done }) : json(404, { error: 'no such prompt is open' });
}

function promptAnswer(body: Body): PromptAnswer | null {
  const answer = field(body, 'answer');
  if (answer === 'accept') return { answer, pin: field(body, 'pin') };
  return answer === 'cancel' || answer === 'ignore' ? { answer } : null;
}

function setPhone(api: ControlApi, body: Body): SimulatorAnswer {
  const change: PhoneChange = {};
  const behaviour = BEHAVIOURS.find((name) => name === body.behaviour);
  if (body.behaviour !== undefined && behaviour === undefined) {
    return refused(`behaviour is one of ${BEHAVIOURS.join(', ')}`);
  }
  if (behaviour !== undefined) change.behaviour = behaviour satisfies Behaviour;
  if (body.pin !== undefined) change.pin = field(body, 'pin');
  if (body.name !== undefined) change.name = field(body, 'name');
  if (body.balance !== undefined) {
    const balanceMinor = minorOf(field(body, 'balance'));
    if (balanceMinor === null) return refused('balance is an amount in shillings');
    change.balanceMinor = balanceMinor;
  }
  const msisdn = field(body, 'msisdn');
  if (msisdn === '') return refused('msisdn is missing');
  api.setPhone(msisdn, change);
  return json(200, { done: true });
}

async function payBill(api: ControlApi, body: Body): Promise<SimulatorAnswer> {
  const amountMinor = minorOf(field(body, 'amount'));
  if (amountMinor === null || amountMinor === 0n) return refused('amount is in shillings');
  const payment: PayBill = {
    msisdn: field(body, 'msisdn'),
    accountReference: field(body, 'accountReference'),
    amountMinor,
  };
  if (payment.msisdn === '') return refused('msisdn is missing');
  return json(200, await api.payBill(payment));
}

function setFaults(api: ControlApi, body: Body): SimulatorAnswer {
  const wrong = body.wrongAmount === undefined ? null : minorOf(field(body, 'wrongAmount'));
  const numbers = { repeat: body.repeat ?? 1, delayMs: body.delayMs ?? 0 };
  if (body.wrongAmount !== undefined && wrong === null) return refused('wrongAmount: shillings');
  if (!Object.values(numbers).every((value) => Number.isInteger(value))) {
    return refused('repeat and delayMs are whole numbers');
  }
  const faults = {
    ...NO_FAULTS,
    repeat: Number(numbers.repeat),
    delayMs: Number(numbers.delayMs),
    parallel: body.parallel === true,
    beforeAnswer: body.beforeAnswer === true,
    drop: body.drop === true,
    wrongAmountMinor: wrong,
    valuelessBalance: body.valuelessBalance === true,
  };
  api.setFaults(faults, body.msisdn === undefined ? undefined : field(body, 'msisdn'));
  return json(200, { done: true });
}

function setSettings(api: ControlApi, body: Body): SimulatorAnswer {
  const form = MSISDN_FORMS.find((name) => name === body.msisdnForm);
  if (body.msisdnForm !== undefined && form === undefined) {
    return refused(`msisdnForm is one of ${MSISDN_FORMS.join(', ')}`);
  }
  api.setSettings({
    ...(form === undefined ? {} : { msisdnForm: form }),
    ...(typeof body.alsoConfirm === 'boolean' ? { alsoConfirm: body.alsoConfirm } : {}),
  });
  return json(200, { done: true });
}

async function sendTvu(api: ControlApi, body: Body): Promise<SimulatorAnswer> {
  const units = Number(body.units);
  if (!Number.isSafeInteger(units) || units <= 0) return refused('units is a whole number');
  const msisdn = field(body, 'msisdn');
  const sent = await api.sendTvu({ channel: field(body, 'channel'), msisdn, units });
  return sent === null ? json(404, { error: 'no such TVU channel' }) : json(200, sent);
}
