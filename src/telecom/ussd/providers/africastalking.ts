/**
 * USSD over Africa's Talking: form posts with a cumulative `text`, answered with `CON` or `END`;
 * after the session an event tells how it ended. (developers.africastalking.com, USSD.)
 */

import { field, rawText, textAt } from '../../../platform/json.ts';
import { toE164 } from '../../../platform/phone.ts';
import type { RawMessage, ReadContext, Refused, UssdEnd } from '../../canonical.ts';
import {
  MISSING_FIELD,
  messageFields,
  type UssdRequest,
  wholeServiceCode,
} from '../../provider.ts';
import { cumulativeUssd } from './cumulative.ts';

const OUTCOMES: Readonly<Record<string, UssdEnd['outcome']>> = {
  success: 'success',
  incomplete: 'incomplete',
  failed: 'failed',
  aborted: 'aborted',
  timeout: 'timeout',
};

function readUssd(raw: RawMessage, context: ReadContext): UssdRequest | Refused {
  const fields = messageFields(raw);
  const sessionId = textAt(fields, 'sessionId');
  const phone = textAt(fields, 'phoneNumber');
  if (sessionId === null || phone === null) return MISSING_FIELD;
  return {
    sessionId,
    msisdn: toE164(phone, context.country),
    serviceCode: wholeServiceCode(textAt(fields, 'serviceCode'), context.serviceCode),
    cumulative: rawText(field(fields, 'text')) ?? '',
  };
}

/** End-of-session event; a status that is not documented counts as incomplete. */
function readEnd(raw: RawMessage, context: ReadContext): UssdEnd | Refused {
  const fields = messageFields(raw);
  const sessionId = textAt(fields, 'sessionId');
  if (sessionId === null) return MISSING_FIELD;
  const status = textAt(fields, 'status')?.toLowerCase() ?? '';
  return {
    type: 'ussd.end',
    sessionId,
    msisdn: toE164(textAt(fields, 'phoneNumber'), context.country),
    outcome: Object.hasOwn(OUTCOMES, status) ? (OUTCOMES[status] ?? 'incomplete') : 'incomplete',
  };
}

export const africastalkingUssd = cumulativeUssd('africastalking', readUssd, {
  'ussd.end': readEnd,
});
