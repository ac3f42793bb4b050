/** What M-PESA wants to hear from us. (Safaricom Daraja, CustomerToBusiness and BillManager.) */

import type { ProviderAnswer } from '../../provider.ts';

/** Why a payment is refused before it is made; afterwards it cannot be. */
export type C2bRefusal =
  | 'invalid_msisdn'
  | 'unknown_account'
  | 'invalid_amount'
  | 'invalid_kyc'
  | 'invalid_shortcode'
  | 'other';

const REFUSAL_CODES: Readonly<Record<C2bRefusal, string>> = {
  invalid_msisdn: 'C2B00011',
  unknown_account: 'C2B00012',
  invalid_amount: 'C2B00013',
  invalid_kyc: 'C2B00014',
  invalid_shortcode: 'C2B00015',
  other: 'C2B00016',
};

function json(body: object): ProviderAnswer {
  return { status: 200, contentType: 'application/json', body: JSON.stringify(body) };
}

/** The payment may go through; an id of ours comes back in its confirmation. */
export function answerC2bAccepted(thirdPartyTransId?: string): ProviderAnswer {
  const accepted = { ResultCode: '0', ResultDesc: 'Accepted' };
  return json(
    thirdPartyTransId === undefined
      ? accepted
      : { ...accepted, ThirdPartyTransID: thirdPartyTransId },
  );
}

/** The payment must not go through. */
export function answerC2bRefused(refusal: C2bRefusal): ProviderAnswer {
  return json({ ResultCode: REFUSAL_CODES[refusal], ResultDesc: 'Rejected' });
}

/** A confirmation, a push callback or a result was taken down. */
export function answerReceived(): ProviderAnswer {
  return json({ ResultCode: 0, ResultDesc: 'Success' });
}

/** A payment pushed by Bill Manager was taken down. */
export function answerBillManager(): ProviderAnswer {
  return json({ resmsg: 'Success', rescode: '200' });
}
