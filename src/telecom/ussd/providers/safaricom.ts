/**
 * USSD straight from Safaricom: GET with `ORIG`, `DEST`, `SESSION_ID` and a cumulative
 * `USSD_PARAMS` whose first value is what was dialled behind the code. (As spoken by
 * praekelt/vumi, transports/safaricom.)
 */

import { field, rawText, textAt } from '../../../platform/json.ts';
import { toE164 } from '../../../platform/phone.ts';
import type { RawMessage, ReadContext, Refused } from '../../canonical.ts';
import {
  MISSING_FIELD,
  messageFields,
  type UssdRequest,
  wholeServiceCode,
} from '../../provider.ts';
import { cumulativeUssd } from './cumulative.ts';

function readUssd(raw: RawMessage, context: ReadContext): UssdRequest | Refused {
  const fields = messageFields(raw);
  const sessionId = textAt(fields, 'SESSION_ID');
  const phone = textAt(fields, 'ORIG');
  if (sessionId === null || phone === null) return MISSING_FIELD;
  return {
    sessionId,
    msisdn: toE164(phone, context.country),
    serviceCode: wholeServiceCode(textAt(fields, 'DEST'), context.serviceCode),
    cumulative: rawText(field(fields, 'USSD_PARAMS')) ?? '',
  };
}

export const safaricomUssd = cumulativeUssd('safaricom', readUssd);
