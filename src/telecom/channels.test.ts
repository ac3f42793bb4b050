import { callbackBase, hookPath, readChannels, tokenMatches } from './channels.ts';

const TOKEN = '0123456789abcdef0123456789abcdef';
const MONEY = {
  id: 'ke-paybill',
  kind: 'money',
  provider: 'mpesa',
  site: 'NBO',
  token: TOKEN,
  shortCode: '600100',
  consumerKey: 'key',
  consumerSecret: 'secret',
  passkey: 'passkey',
  baseUrl: 'http://127.0.0.1:9000',
  publicUrl: 'https://tv.example',
};
const TVU = {
  id: 'ci-tvu',
  kind: 'tvu',
  provider: 'tvu-notice',
  site: 'ABJ',
  token: TOKEN,
  secret: `whsec_${'A'.repeat(32)}`,
};

function faultsOf(...channels: object[]): string[] {
  const read = readChannels({ channels });
  return read.ok ? [] : read.faults;
}

function channelsOf(...channels: object[]) {
  const read = readChannels({ channels });
  if (!read.ok) throw new Error(read.faults.join());
  return read.channels;
}

describe('a providers’ file', () => {
  it('is read into channels, found by id and by kind', () => {
    const channels = channelsOf(MONEY, TVU);
    expect(channels.find('ci-tvu')?.site).toBe('ABJ');
    expect(channels.find('nobody')).toBeNull();
    expect(channels.find('constructor')).toBeNull();
    expect(channels.ofKind('money').map((channel) => channel.id)).toEqual(['ke-paybill']);
    expect(channels.ofKind('ussd')).toEqual([]);
  });

  it.each<[string, object]>([
    ['channels.0.id', { ...MONEY, id: 'KE Paybill' }],
    ['channels.0.token', { ...MONEY, token: 'short' }],
    ['channels.0.token', { ...MONEY, token: TOKEN.toUpperCase() }],
    ['channels.0.shortCode', { ...MONEY, shortCode: '60 0100' }],
    ['channels.0.baseUrl', { ...MONEY, baseUrl: 'sandbox' }],
    ['channels.0.kind', { ...MONEY, kind: 'fax' }],
    ['channels.0.provider', { ...MONEY, provider: 'bank' }],
    ['channels.0', { ...MONEY, pasKey: 'typing slip' }],
    ['channels.0.secret', { ...TVU, secret: 'whsec_' }],
    ['channels.0.secret', { ...TVU, secret: '' }],
    ['channels.0.secret', { ...TVU, secret: 'A'.repeat(64) }],
  ])('with a fault at %s is refused and says where', (place, channel) => {
    const faults = faultsOf(channel);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.startsWith(`${place}: `)).toBe(true);
  });

  it('with two channels of one id is refused', () => {
    expect(faultsOf(MONEY, MONEY)).toEqual(['channels: two channels have the same id']);
  });

  it.each(['mpesa', 'safaricom', 'exe', 'exec', 'cmd', 'sql', 'query', 'SQL'])(
    'with %s in a callback address is refused, as Daraja would',
    (word) => {
      const fault = ['channels.ke-paybill: the callback address holds a word Daraja forbids'];
      expect(faultsOf({ ...MONEY, publicUrl: `https://${word}.example` })).toEqual(fault);
    },
  );

  it('that is nothing of the kind is refused', () => {
    for (const data of [null, undefined, [], 'x', { channels: {} }, { chanels: [] }]) {
      expect(readChannels(data).ok).toBe(false);
    }
  });
});

describe('a channel', () => {
  const money = channelsOf(MONEY).ofKind('money')[0];
  if (!money) throw new Error('No channel');

  it('has an address that only its provider knows', () => {
    expect(hookPath(money)).toBe(`/hooks/ke-paybill/${TOKEN}`);
    expect(callbackBase(money)).toBe(`https://tv.example/hooks/ke-paybill/${TOKEN}`);
  });

  it('knows its token, and no other', () => {
    expect(tokenMatches(money, TOKEN)).toBe(true);
    for (const other of ['', TOKEN.slice(1), `${TOKEN}0`, `f${TOKEN.slice(1)}`, 'é'.repeat(16)]) {
      expect(tokenMatches(money, other)).toBe(false);
    }
  });
});
