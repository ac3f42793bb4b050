import { createServer } from 'node:net';
import { plain } from '../mobile-money/http.ts';
import {
  type Merchant,
  type Operator,
  openMerchant,
  openOperator,
  pushRequest,
  seededRandom,
} from '../mobile-money/merchant.fixture.ts';
import { createTextSimulator, type TextSimulator } from '../texts/server.ts';
import { converse, type Typed } from './conversation.ts';
import { chooseChannel, type Demo } from './demo-file.ts';
import { drawScreen } from './frame.ts';
import { type Gateway, openGateway } from './gateway.fixture.ts';
import { play } from './player.ts';
import { parseScript } from './script.ts';
import { createSurroundings } from './surroundings.ts';
import { createTelephone } from './telephone.ts';

const AMINA = '+254700000001';
const clock = { now: () => new Date('2026-11-23T09:00:00.000Z') };

let gateway: Gateway;
let merchant: Merchant;
let operator: Operator;
let texts: TextSimulator;
let printed: string[];
/** Requests that nobody awaits while the dialogue goes on. */
let underWay: Promise<unknown>[];

beforeEach(async () => {
  printed = [];
  underWay = [];
  [gateway, merchant] = await Promise.all([openGateway(), openMerchant()]);
  operator = await openOperator();
  texts = await createTextSimulator({
    clock,
    random: seededRandom(),
    username: 'vip',
    apiKey: 'key',
  });
  gateway.answerWith((text) => {
    if (text === '') return plain(200, 'CON VIP TV\n1 Pay');
    underWay.push(push());
    return plain(200, 'END A prompt comes');
  });
  // The text that follows a payment, or a payment that failed.
  merchant.answerWith(({ text }) => {
    const paid = text.includes('"ResultCode":0');
    underWay.push(sendText(paid ? 'Paid to 23/12' : 'Not paid'));
    return plain(200, '');
  });
});

afterEach(async () => {
  await Promise.all(underWay);
  await operator.idle();
  await Promise.all(underWay);
  await operator.stop();
  await Promise.all([texts.stop(), merchant.stop(), gateway.stop()]);
});

const push = () => operator.call('/mpesa/stkpush/v1/processrequest', pushRequest(merchant));

function sendText(message: string): Promise<Response> {
  return fetch(`${texts.url}/version1/messaging`, {
    method: 'POST',
    headers: { apiKey: 'key' },
    body: new URLSearchParams({ username: 'vip', to: AMINA, message }),
  });
}

const demo = (): Demo => ({
  format: 'vip-demo/1',
  gateway: gateway.url,
  ussd: [
    {
      channel: 'ke-ussd',
      provider: 'africastalking',
      country: 'KE',
      serviceCode: '*384*100#',
      networkCode: '63902',
      url: `${gateway.url}/ussd`,
    },
  ],
  mobileMoneySimulator: operator.url,
  textSimulator: texts.url,
  phones: [],
});

const surroundings = () => createSurroundings(demo(), AMINA);
const telephone = (name?: string) => {
  const channel = chooseChannel(demo(), name, AMINA);
  return channel && createTelephone({ channel, msisdn: AMINA, clock, random: seededRandom() });
};
const sleep = () => new Promise<void>((resolve) => setImmediate(resolve));
const print = (line: string) => void printed.push(line);

function playText(script: string) {
  const parsed = parseScript(script, 'test.dial');
  if (!parsed.ok) throw new Error(parsed.errors.join('\n'));
  return play(parsed.steps, {
    telephone: (_msisdn, name) => telephone(name),
    surroundings,
    defaultPhone: AMINA,
    print,
    sleep,
  });
}

describe('a scripted dialogue', () => {
  it('dials, pays by the prompt and waits for the text', async () => {
    await sendText('Paid to 23/11');
    const played = await playText(`
      dial *384*100#
      expect "1 Pay"
      send 1
      expect end
      prompt accept 1234
      wait text /paid to 23.12/i 5s`);
    expect(played).toEqual({ passed: 6, failed: 0 });
    expect(printed).toContain('     CON VIP TV / 1 Pay');
    expect(printed).toContain('     Pay KES 650 to VIP TV, account 40210000017?');
    expect(printed.at(-1)).toBe('     text from AFRICASTKNG: Paid to 23/12');
    // Afterwards the phone answers prompts by itself again.
    await push();
    await operator.idle();
    expect(operator.books()).toHaveLength(2);
  });

  it.each(['cancel', 'wrong'])('moves no money after: prompt %s', async (answer) => {
    const played = await playText(`
      dial *384*100*1#
      prompt ${answer}
      wait text "Not paid" 5s`);
    expect([played.failed, operator.books()]).toEqual([0, []]);
  });

  it('stops at the first failed step and tells what was expected and seen', async () => {
    const played = await playText('dial *384*100#\nexpect /balance/\nsend 1');
    expect(played).toEqual({ passed: 1, failed: 1 });
    expect(printed.slice(-3)).toEqual([
      'FAIL 2: expect /balance/',
      '     expected: /balance/',
      '     seen:     VIP TV / 1 Pay',
    ]);
  });

  it.each([
    ['expect end', 'expected: the end of the session', 'dial *384*100#\n'],
    ['send 1', 'seen:     no_session: dial first', ''],
    ['abort', 'expected: an open session', ''],
    ['channel ci-ussd', 'expected: a channel ci-ussd', ''],
    ['prompt cancel', 'expected: a mobile-money prompt', ''],
    ['wait text /paid/ 1s', 'expected: a text with /paid/', ''],
  ])('fails at "%s" with a clear sentence', async (step, sentence, before) => {
    expect((await playText(`${before}wait 1ms\n${step}`)).failed).toBe(1);
    expect(printed.join('\n')).toContain(sentence);
  });
});

describe('the telephone in a terminal', () => {
  function talk(...typed: (string | Typed)[]) {
    const phone = telephone();
    if (phone === null) throw new Error('no channel');
    const ask = async (question: string): Promise<Typed> => {
      print(question);
      const next = typed.shift() ?? { kind: 'closed' };
      return typeof next === 'string' ? { kind: 'line', line: next } : next;
    };
    const terminal = { ask, print };
    const serviceCode = '*384*100#';
    return converse({
      telephone: phone,
      surroundings: surroundings(),
      terminal,
      serviceCode,
      sleep,
    });
  }

  it('shows the screens, the prompt and then the text', async () => {
    await talk('', '1', '1234', ':quit');
    const shown = printed.join('\n');
    expect(shown).toContain('│ 1 Pay ');
    expect(shown).toContain('Pay KES 650 to VIP TV, account 40210000017?\nPIN (Enter cancels): ');
    expect(printed).toContain('[09:00:00Z text from AFRICASTKNG] Paid to 23/12');
    expect(operator.books()).toHaveLength(1);
  });

  it('cancels the prompt on an empty PIN', async () => {
    await talk('*384*100*1#', '', ':quit');
    expect(printed.join('\n')).toContain('Not paid');
    expect(operator.books()).toEqual([]);
  });

  it('hangs up on Ctrl-C, and quits on the next', async () => {
    await talk('', { kind: 'interrupt' }, { kind: 'interrupt' }, 'never asked for');
    expect(printed.filter((line) => line === '(hung up)')).toHaveLength(1);
    expect(printed.at(-1)).toBe('Dial [*384*100#]: ');
  });

  it('knows :texts, :repeat and nothing else', async () => {
    await talk(':texts', ':dance', '', ':repeat', ':quit');
    expect(printed).toContain('(no texts)');
    expect(printed).toContain('Commands are :repeat, :texts and :quit.');
    expect(gateway.heard.filter(({ path }) => path === '/ussd')).toHaveLength(2);
  });
});

describe('what surrounds the telephone', () => {
  it('is missed loudly when a simulator is away', async () => {
    const port = await freePort();
    const away = { ...demo(), mobileMoneySimulator: `http://127.0.0.1:${port}` };
    await expect(createSurroundings(away, AMINA).openPrompt()).rejects.toThrow();
  });
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

describe('drawScreen', () => {
  it('breaks lines at blanks, and words only when they must', () => {
    const long = 'Enter the number of the viewing card';
    expect(drawScreen(`${long}\n${'x'.repeat(33)}`).slice(1, -1)).toEqual([
      '│ Enter the number of the viewing  │',
      '│ card                             │',
      `│ ${'x'.repeat(32)} │`,
      '│ x                                │',
    ]);
  });
});
