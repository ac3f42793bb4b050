import { africastalkingUssd } from './africastalking.ts';
import { safaricomUssd } from './safaricom.ts';

const CONTEXT = { country: 'KE', currency: 'KES', timeZone: 'Africa/Nairobi' };
const RAW = { method: 'POST', path: '/', headers: {}, body: '', query: {} };
const DIAL = { sessionId: 's1', serviceCode: '*384*1#', phoneNumber: '+254711000111', text: '' };

function turn(fields: Record<string, string>, previous?: string) {
  const context = previous === undefined ? CONTEXT : { ...CONTEXT, previous };
  const raw = { ...RAW, body: new URLSearchParams(fields).toString() };
  return africastalkingUssd.readers['ussd.turn']?.(raw, context);
}

describe("USSD over Africa's Talking", () => {
  it('reads a dial, a direct dial and the next hop', () => {
    const begin = { sessionId: 's1', msisdn: '+254711000111', serviceCode: '*384*1#' };
    expect(turn(DIAL)).toMatchObject({ ...begin, phase: 'begin', dialled: null });
    expect(turn({ ...DIAL, text: '5*2' })).toMatchObject({ phase: 'begin', dialled: '5*2' });
    expect(turn({ ...DIAL, text: '5*2' }, '5')).toMatchObject({ phase: 'input', input: '2' });
    const textless = { sessionId: 's1', phoneNumber: '0711000111', serviceCode: '384*1' };
    expect(turn(textless)).toMatchObject(begin);
  });

  it('serves a number it cannot read, but no message without session or number', () => {
    expect(turn({ ...DIAL, phoneNumber: '+999' })).toMatchObject({ msisdn: null, phase: 'begin' });
    expect(turn({ ...DIAL, sessionId: ' ' })).toEqual({ refused: 'missing_field' });
    expect(turn({ ...DIAL, phoneNumber: '' })).toEqual({ refused: 'missing_field' });
  });

  it('reads how a session ended, whatever else the event carries or lacks', () => {
    const end = (body: object) =>
      africastalkingUssd.readers['ussd.end']?.({ ...RAW, body: JSON.stringify(body) }, CONTEXT);
    const event = { sessionId: 's1', phoneNumber: '+254711000111', input: null, hopsCount: 3 };
    for (const [status, outcome] of [
      ['Success', 'success'],
      ['Incomplete', 'incomplete'],
      ['FAILED', 'failed'],
      ['constructor', 'incomplete'],
    ]) {
      const found = { type: 'ussd.end', sessionId: 's1', msisdn: '+254711000111', outcome };
      expect(end({ ...event, status })).toEqual(found);
    }
    expect(end({ status: 'Success' })).toEqual({ refused: 'missing_field' });
  });

  it('answers with CON to go on and END to close', () => {
    const text = '1. Pay';
    expect(africastalkingUssd.answerUssd({ text, close: false }).body).toBe('CON 1. Pay');
    expect(africastalkingUssd.answerUssd({ text, close: true }).body).toBe('END 1. Pay');
  });
});

describe('USSD from Safaricom', () => {
  const read = (query: Record<string, string>, over: object = {}) =>
    safaricomUssd.readers['ussd.turn']?.({ ...RAW, method: 'GET', query }, { ...CONTEXT, ...over });
  const QUERY = { ORIG: '254711000111', DEST: '167', SESSION_ID: 's1', USSD_PARAMS: '7*a*b*****' };

  it('reads the query, and the code from the channel or the short number', () => {
    expect(read(QUERY, { previous: '7*a*b' })).toMatchObject({ phase: 'input', input: '****' });
    expect(read(QUERY)).toMatchObject({ serviceCode: '*167#', dialled: '7*a*b*****' });
    expect(read(QUERY, { serviceCode: '*167*7#' })).toMatchObject({ serviceCode: '*167*7#' });
    expect(read({ ...QUERY, SESSION_ID: '' })).toEqual({ refused: 'missing_field' });
  });
});
