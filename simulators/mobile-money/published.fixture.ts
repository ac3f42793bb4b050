/** Bodies as Safaricom's portal publishes them (and one met in the field), to compare with. */

/** Portal page MpesaExpressSimulate. */
export const PUSH_ANSWER = {
  MerchantRequestID: '2654-4b64-97ff-b827b542881d3130',
  CheckoutRequestID: 'ws_CO_1007202409152617172396192',
  ResponseCode: '0',
  ResponseDescription: 'Success. Request accepted for processing',
  CustomerMessage: 'Success. Request accepted for processing',
};

/** Portal page MpesaExpressSimulate. */
export const PUSH_PAID = {
  Body: {
    stkCallback: {
      MerchantRequestID: '29115-34620561-1',
      CheckoutRequestID: 'ws_CO_191220191020363925',
      ResultCode: 0,
      ResultDesc: 'The service request is processed successfully.',
      CallbackMetadata: {
        Item: [
          { Name: 'Amount', Value: 1.0 },
          { Name: 'MpesaReceiptNumber', Value: 'NLJ7RT61SV' },
          { Name: 'TransactionDate', Value: 20191219102115 },
          { Name: 'PhoneNumber', Value: 254708374149 },
        ],
      },
    },
  },
};

/** Portal page MpesaExpressSimulate. */
export const PUSH_CANCELLED = {
  Body: {
    stkCallback: {
      MerchantRequestID: 'f1e2-4b95-a71d-b30d3cdbb7a7942864',
      CheckoutRequestID: 'ws_CO_21072024125243250722943992',
      ResultCode: 1032,
      ResultDesc: 'Request cancelled by user',
    },
  },
};

/** Portal page MpesaExpressSimulate. */
export const ERROR = {
  requestId: '1c5b-4ba8-815c-ac45c57a3db01495926',
  errorCode: '400.002.02',
  errorMessage: 'Bad Request - Invalid BusinessShortCode',
};

/** Portal page CustomerToBusiness; the validation is the same with a blank balance. */
export const C2B_MASKED = {
  TransactionType: 'Pay Bill',
  TransID: 'RKL51ZDR4F',
  TransTime: '20231121121325',
  TransAmount: '5.00',
  BusinessShortCode: '600966',
  BillRefNumber: 'Sample Transaction',
  InvoiceNumber: '',
  OrgAccountBalance: '25.00',
  ThirdPartyTransID: '',
  MSISDN: '2547 ***** 126',
  FirstName: 'NICHOLAS',
  MiddleName: '',
  LastName: '',
};

/** github.com/Byte-Barn/mpesakit, issue 103: SHA-256 of 254705912645. */
export const HASHED_MSISDN = '94c392c311d522da950619227b3361752a42042db7e1e699b26e628305c68a88';

/** Portal page CustomerToBusiness; the misspelt key is the real one. */
export const REGISTER_ANSWER = {
  OriginatorCoversationID: '6e86-45dd-91ac-fd5d4178ab523408729',
  ResponseCode: '0',
  ResponseDescription: 'Success',
};

/** Portal page PullTransaction. */
export const PULL_ANSWER = {
  ResponseRefID: '92713e02-970c-47ac-93f8-409058f2c58d',
  ResponseCode: '1000',
  ResponseMessage: 'Success',
  Response: [
    [
      {
        transactionId: 'LHG31AA5TX',
        trxDate: '2020-08-05T10:13:00Z',
        msisdn: 72200000,
        sender: '',
        transactiontype: 'c2b-pay-bill-debit',
        billreference: 'BC001',
        amount: '233.8',
        organizationname: 'Daraja Pull API Test',
      },
    ],
  ],
};

/** Field names and types of a body, in their order. */
export function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shapeOf);
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.entries(value).map(([name, inner]) => [name, shapeOf(inner)]);
}
