import type { RawMessage } from '../../canonical.ts';
import { answerC2bAccepted, answerC2bRefused, answerReceived } from './mpesa-answers.ts';
import {
  answerSoapConfirmation,
  answerSoapQuery,
  answerSoapValidation,
  mpesaSoap,
} from './mpesa-soap.ts';

const CONTEXT = { country: 'ET', currency: 'ETB', timeZone: 'Africa/Addis_Ababa' };

function read(message: string, body: string) {
  const raw: RawMessage = { method: 'POST', path: '/', headers: {}, body, query: {} };
  return mpesaSoap.readers[message]?.(raw, CONTEXT);
}

const request = (name: string, fields: string) =>
  `<s:Envelope xmlns:s="e"><s:Body><c:${name} xmlns:c="c">${fields}</c:${name}></s:Body>` +
  '</s:Envelope>';

const FIELDS =
  '<TransType>12104</TransType><TransID>8kp45klddw</TransID><TransTime>20211125182823</TransTime>' +
  '<TransAmount>1.00</TransAmount><BillRefNumber>A &amp; B</BillRefNumber>' +
  '<MSISDN>251911000000</MSISDN><KYCInfo><KYCName>x</KYCName></KYCInfo>';

describe('customer payments over SOAP', () => {
  it('reads query, validation and confirmation by the element, not by the address', () => {
    const common = { txnId: '8KP45KLDDW', amountMinor: '100', accountRef: 'A & B' };
    for (const [name, style, outcome] of [
      ['C2BPaymentQueryRequest', 'lookup', 'requested'],
      ['C2BPaymentValidationRequest', 'validate', 'requested'],
      ['C2BPaymentConfirmationRequest', 'notice', 'paid'],
    ] as const) {
      const found = { ...common, style, outcome, payerMsisdn: '+251911000000' };
      expect(read('money.notice', request(name, FIELDS))).toMatchObject(found);
    }
  });

  it('refuses document types, broken documents and other elements', () => {
    const document = request('C2BPaymentConfirmationRequest', FIELDS);
    expect(read('money.notice', `<!DOCTYPE x>${document}`)).toEqual({ refused: 'xml_doctype' });
    const missing = { refused: 'missing_field' };
    expect(read('money.notice', document.slice(0, -5))).toEqual(missing);
    expect(read('money.notice', request('Other', FIELDS))).toEqual(missing);
    expect(read('money.notice', request('C2BPaymentConfirmationRequest', ''))).toEqual(missing);
  });

  it('escapes what it says', () => {
    const bill = { utility: 'Vision <TV>', customer: "O'Neil & Sons", amount: '5000.00' };
    const found = answerSoapQuery({ transId: '1', billRef: 'B' }, bill).body;
    expect(found).toContain('<UtilityName>Vision &lt;TV&gt;</UtilityName>');
    expect(found).toContain('<CustomerName>O&apos;Neil &amp; Sons</CustomerName>');
    const none = answerSoapQuery({ transId: '1', billRef: 'B' }, null).body;
    expect(none).toContain('<ResultCode>1</ResultCode>');
    expect(none).not.toContain('Amount');
    expect(answerSoapValidation(true, 'T1').body).toContain('<ResultCode>0</ResultCode>');
    expect(answerSoapConfirmation('<x>').body).toContain('Transaction &lt;x&gt; result received.');
  });
});

describe('answers to M-PESA', () => {
  it('accept, refuse and acknowledge in its words', () => {
    expect(answerC2bAccepted().body).toBe('{"ResultCode":"0","ResultDesc":"Accepted"}');
    expect(JSON.parse(answerC2bAccepted('T1').body)).toMatchObject({ ThirdPartyTransID: 'T1' });
    const refused = '{"ResultCode":"C2B00012","ResultDesc":"Rejected"}';
    expect(answerC2bRefused('unknown_account').body).toBe(refused);
    expect(answerReceived().body).toBe('{"ResultCode":0,"ResultDesc":"Success"}');
  });
});
