import { africastalkingMessages } from './africastalking-messages.ts';

const CONTEXT = { country: 'KE', currency: 'KES', timeZone: 'Africa/Nairobi' };

function read(message: string, body: Record<string, string> | string, status?: number) {
  const text = typeof body === 'string' ? body : new URLSearchParams(body).toString();
  const raw = { method: 'POST', path: '/', headers: {}, body: text, query: {} };
  const answer = status === undefined ? raw : { ...raw, status };
  return africastalkingMessages.readers[message]?.(answer, CONTEXT);
}

const TEXT = { id: 'x1', from: '+254791541111', to: '21512', text: ' PAY  1020 ', date: '' };

describe("texts over Africa's Talking", () => {
  it('keeps a text whole, and reads dates as they come', () => {
    for (const [date, receivedAt] of [
      ['2017-05-03T06:04:45Z', '2017-05-03T06:04:45.000Z'],
      ['2017-05-03 06:04:45', '2017-05-03T03:04:45.000Z'],
      ['2017-05-03T06:04', null],
      ['', null],
    ] as const) {
      const found = { text: ' PAY  1020 ', from: '+254791541111', receivedAt, ignore: false };
      expect(read('sms.in', { ...TEXT, date })).toMatchObject(found);
    }
    expect(read('sms.in', 'id=1&from=+254791541111&text=')).toMatchObject({
      ...{ id: '1', from: '+254791541111', text: '', to: null, ignore: false },
    });
  });

  it('ignores senders that are no telephone', () => {
    for (const from of ['MTN', '21512', '+254711XXXYYY']) {
      expect(read('sms.in', { ...TEXT, from })).toMatchObject({ from, ignore: true });
    }
  });

  it('refuses what it cannot act on', () => {
    const missing = { refused: 'missing_field' };
    const { id, from, text } = TEXT;
    expect(read('sms.in', { id, from })).toEqual(missing);
    expect(read('sms.in', { id, text })).toEqual(missing);
    expect(read('sms.in', { from, text })).toEqual(missing);
    expect(read('sms.dlr', { id })).toEqual(missing);
    expect(read('sms.optout', { senderId: 'X' })).toEqual(missing);
    expect(read('sms.subscription', { phoneNumber: from, updateType: 'x' })).toEqual(missing);
  });

  it.each([
    ['Success', 'delivered', true],
    ['Sent', 'sent', false],
    ['submitted', 'submitted', false],
    ['Buffered', 'submitted', false],
    ['Rejected', 'failed', true],
    ['FAILED', 'failed', true],
    ['AbsentSubscriber', 'failed', true],
    ['Expired', 'expired', true],
    ['Borked', 'unknown', false],
  ])('reads the report %s as %s', (word, status, final) => {
    expect(read('sms.dlr', { id: 'x', status: word, failureReason: '' })).toEqual({
      ...{ type: 'sms.dlr', id: 'x', status, final, reason: null },
    });
  });

  it('reads opt-outs and subscriptions in any case', () => {
    const optout = { msisdn: '+254720123123', sender: '220225', change: 'optout' };
    expect(read('sms.optout', { senderid: '220225', phonenumber: '254720123123' })).toEqual({
      type: 'sms.optout',
      ...optout,
    });
    const fields = { phoneNumber: '+254720123123', keyword: 'tv', updateType: 'addition' };
    const added = { keyword: 'tv', change: 'addition' };
    expect(read('sms.subscription', fields)).toMatchObject(added);
  });
});

describe('answers to a send', () => {
  const answer = (Message: string, ...Recipients: object[]) =>
    JSON.stringify({ SMSMessageData: { Message, Recipients } });

  it('count as taken when one recipient was', () => {
    const good = { number: '+254700072929', messageId: 'a', statusCode: 101, cost: 'KES 0.8' };
    const bad = { number: 'x', messageId: 'None', statusCode: 403, cost: '0' };
    expect(read('sms.response', answer('Sent', good, bad), 201)).toEqual({
      type: 'sms.response',
      accepted: true,
      messages: [
        { msisdn: '+254700072929', id: 'a', accepted: true, cost: 'KES 0.8' },
        { msisdn: null, id: null, accepted: false, cost: '0' },
      ],
      error: null,
    });
    const terse = { status: 'Success', messageId: '1002' };
    expect(read('sms.response', answer('', terse), 200)).toMatchObject({ accepted: true });
  });

  it('are refusals in spite of a good status, and for bad ones', () => {
    const refused = { accepted: false, messages: [] };
    expect(read('sms.response', answer('InvalidSenderId'), 201)).toMatchObject({
      ...refused,
      error: 'invalid_sender',
    });
    expect(read('sms.response', 'The supplied authentication is invalid', 401)).toMatchObject({
      ...refused,
      error: 'unauthorized',
    });
    expect(read('sms.response', '<html>', 502)).toMatchObject({ error: 'provider_error' });
    expect(read('sms.response', '<html>', 200)).toMatchObject({ ...refused, error: 'unknown' });
    const poor = { number: '+254700072929', statusCode: '405', status: 'InsufficientBalance' };
    expect(read('sms.response', answer('', poor), 201)).toMatchObject({
      accepted: false,
      messages: [{ msisdn: '+254700072929', accepted: false }],
      error: 'insufficient_balance',
    });
  });

  it('of a poll give the texts they carry', () => {
    const poll = (...Messages: object[]) => JSON.stringify({ SMSMessageData: { Messages } });
    const text = { id: 15071, from: '+254711000111', to: '28901', text: 'Hello' };
    expect(read('sms.response', poll(text), 200)).toMatchObject({ type: 'sms.in', id: '15071' });
    expect(read('sms.response', poll(text, { ...text, id: 2 }, { id: 3 }), 200)).toMatchObject({
      type: 'sms.in',
      messages: [{ id: '15071' }, { id: '2' }],
    });
    expect(read('sms.response', poll(), 200)).toEqual({ type: 'sms.in', messages: [] });
  });
});
