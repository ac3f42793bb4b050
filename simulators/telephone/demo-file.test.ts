import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chooseChannel, readDemo } from './demo-file.ts';

const ussd = (channel: string, country: string) => ({
  channel,
  provider: 'africastalking',
  country,
  serviceCode: '*384*100#',
  networkCode: '63902',
  url: 'http://127.0.0.1:8080/hooks/ussd/token',
});

const DEMO = {
  format: 'vip-demo/1',
  gateway: 'http://127.0.0.1:8080',
  ussd: [ussd('ke-ussd', 'KE'), ussd('ci-ussd', 'CI')],
  paybill: { channel: 'ke-paybill' },
  mobileMoneySimulator: 'http://127.0.0.1:9101',
  textSimulator: 'http://127.0.0.1:9102',
  phones: [{ msisdn: '+254700000001', name: 'AMINA DIALLO', cards: [], pin: '1234' }],
};

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'demo-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const readText = (text: string) => {
  writeFileSync(join(folder, 'demo.json'), text);
  return readDemo(folder);
};

describe('readDemo', () => {
  it('reads what the product writes, and overlooks what it does not need', () => {
    expect(readText(JSON.stringify(DEMO))).toMatchObject({
      ok: true,
      demo: { phones: [{ msisdn: '+254700000001', note: '' }] },
    });
  });

  it.each([
    ['{', /is not JSON/],
    [JSON.stringify({ ...DEMO, format: 'vip-demo/2' }), /cannot be used: format: /],
    [JSON.stringify({ ...DEMO, gateway: 'here' }), /cannot be used: gateway: /],
  ])('says in a sentence what is wrong', (text, sentence) => {
    expect(readText(text)).toEqual({ ok: false, sentence: expect.stringMatching(sentence) });
  });

  it('says what to do when there is no file', () => {
    const sentence = expect.stringMatching(/^There is no .*start the demonstration first/);
    expect(readDemo(folder)).toEqual({ ok: false, sentence });
  });
});

describe('chooseChannel', () => {
  it('goes by name, then by the country of the phone, then takes the first', () => {
    const read = readText(JSON.stringify(DEMO));
    if (!read.ok) throw new Error(read.sentence);
    const chosen = (name: string | undefined, phone: string) =>
      chooseChannel(read.demo, name, phone)?.channel;
    expect(chosen('ci-ussd', '+254700000001')).toBe('ci-ussd');
    expect(chosen(undefined, '+2250700000001')).toBe('ci-ussd');
    expect(chosen(undefined, '+4915112345678')).toBe('ke-ussd');
    expect(chosen('other', '+254700000001')).toBeUndefined();
  });
});
