/**
 * The older SOAP form of customer payments: M-PESA G2 in Kenya, and telebirr in Ethiopia, which
 * run the same software. What is asked is told by the local name of the element in the body:
 * a query for a bill, a validation, a confirmation. (Huawei CPS, namespace c2bpayment.)
 */

import { textAt } from '../../../platform/json.ts';
import { elementFields, escapeXml, findElement, parseXml } from '../../../platform/xml.ts';
import type { Canonical, RawMessage, ReadContext } from '../../canonical.ts';
import { MISSING_FIELD, type Provider, type ProviderAnswer, type Reader } from '../../provider.ts';
import { readC2b } from './mpesa.ts';

const REQUESTS = [
  ['C2BPaymentQueryRequest', 'lookup'],
  ['C2BPaymentValidationRequest', 'validate'],
  ['C2BPaymentConfirmationRequest', 'notice'],
] as const;

/** The element decides, not the address: a validation must never pass for a payment. */
function readSoap(raw: RawMessage, context: ReadContext): Canonical {
  const parsed = parseXml(raw.body);
  if (!parsed.ok) {
    return parsed.error === 'doctype' ? { refused: 'xml_doctype' } : MISSING_FIELD;
  }
  for (const [name, style] of REQUESTS) {
    const element = findElement(parsed.root, name);
    if (element === null) continue;
    const fields = elementFields(element);
    if (style === 'lookup' && textAt(fields, 'BillRefNumber') === null) return MISSING_FIELD;
    return readC2b(fields, context, style);
  }
  return MISSING_FIELD;
}

const readers: Readonly<Record<string, Reader>> = {
  'money.lookup': readSoap,
  'money.validate': readSoap,
  'money.notice': readSoap,
};

export const mpesaSoap: Provider = { name: 'mpesa-soap', readers };

export const telebirr: Provider = { name: 'telebirr', readers };

const NAMESPACE = 'http://cps.huawei.com/cpsinterface/c2bpayment';

function answerSoap(content: string): ProviderAnswer {
  const body =
    '<?xml version="1.0" encoding="UTF-8"?>' +
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"' +
    ` xmlns:c2b="${NAMESPACE}"><soapenv:Header/><soapenv:Body>${content}</soapenv:Body>` +
    '</soapenv:Envelope>';
  return { status: 200, contentType: 'text/xml; charset=utf-8', body };
}

function elements(values: readonly (readonly [string, string])[]): string {
  return values.map(([name, value]) => `<${name}>${escapeXml(value)}</${name}>`).join('');
}

/** The bill that was asked about; `amount` in major units as decimal text. */
export interface SoapBill {
  utility: string;
  customer: string;
  amount: string;
}

/** Answer to a query: the bill, or that there is none. */
export function answerSoapQuery(
  query: { transId: string; billRef: string },
  bill: SoapBill | null,
): ProviderAnswer {
  const found = bill !== null;
  const content = elements([
    ['ResultCode', found ? '0' : '1'],
    ['ResultDesc', found ? 'Success' : 'Bill not found'],
    ['TransID', query.transId],
    ['BillRefNumber', query.billRef],
    ...(bill === null
      ? []
      : ([
          ['UtilityName', bill.utility],
          ['CustomerName', bill.customer],
          ['Amount', bill.amount],
        ] as const)),
  ]);
  return answerSoap(`<c2b:C2BPaymentQueryResult>${content}</c2b:C2BPaymentQueryResult>`);
}

/** Answer to a validation: whether the payment may go through, with our own id for it. */
export function answerSoapValidation(accepted: boolean, thirdPartyTransId: string): ProviderAnswer {
  const content = elements([
    ['ResultCode', accepted ? '0' : '1'],
    ['ResultDesc', accepted ? 'Service processing successful' : 'Rejected'],
    ['ThirdPartyTransID', thirdPartyTransId],
  ]);
  return answerSoap(`<c2b:C2BPaymentValidationResult>${content}</c2b:C2BPaymentValidationResult>`);
}

/** Answer to a confirmation: free text without effect. */
export function answerSoapConfirmation(transId: string): ProviderAnswer {
  const text = escapeXml(`C2B Payment Transaction ${transId} result received.`);
  return answerSoap(`<c2b:C2BPaymentConfirmationResult>${text}</c2b:C2BPaymentConfirmationResult>`);
}
