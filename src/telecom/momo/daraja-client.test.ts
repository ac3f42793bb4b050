import {
  AMINA,
  type Merchant,
  NOW,
  type Operator,
  openMerchant,
  openOperator,
} from '../../../simulators/mobile-money/merchant.fixture.ts';
import { silentLogger } from '../../platform/log.ts';
import { type MoneyChannel, readChannels } from '../channels.ts';
import { createDarajaClient, type DarajaClient, type PushRequest } from './daraja-client.ts';

let merchant: Merchant;
let operator: Operator;
let now: string;
beforeEach(async () => {
  now = NOW;
  merchant = await openMerchant();
  operator = await openOperator({ validationTimeoutMs: 100 });
});
afterEach(async () => {
  await operator.stop();
  await merchant.stop();
});

function clientOf(change: Partial<MoneyChannel> = {}, url = operator.url): DarajaClient {
  const channel = {
    id: 'ke-paybill',
    kind: 'money',
    provider: 'mpesa',
    site: 'NBO',
    token: '0'.repeat(32),
    shortCode: '600100',
    consumerKey: 'key',
    consumerSecret: 'secret',
    passkey: 'simulated-passkey',
    baseUrl: url,
    publicUrl: 'https://tv.example',
    ...change,
  };
  const read = readChannels({ channels: [channel] });
  if (!read.ok) throw new Error(read.faults.join());
  const clock = { now: () => new Date(now) };
  return createDarajaClient(channel as MoneyChannel, { clock, logger: silentLogger });
}

const pushOf = (change: Partial<PushRequest> = {}): PushRequest => ({
  msisdn: `+${AMINA}`,
  amount: 65_000n,
  accountReference: 'V0001AB',
  description: 'VIP TV',
  callbackUrl: `${merchant.url}/push`,
  ...change,
});

/** The request as the operator took it. */
async function pushed(client: DarajaClient, change: Partial<PushRequest> = {}): Promise<string> {
  const answer = await client.push(pushOf(change));
  if (answer.kind !== 'accepted') throw new Error(`Not accepted: ${answer.kind}`);
  return answer.checkoutRequestId;
}

describe('a prompt', () => {
  it('reaches the phone with our reference, and is paid in whole shillings', async () => {
    operator.setPhone(AMINA, { behaviour: 'manual' });
    await pushed(clientOf());
    expect(operator.prompts()).toMatchObject([
      { msisdn: AMINA, amountMinor: 65_000n, accountReference: 'V0001AB' },
    ]);
  });

  it('asked about is pending, then paid', async () => {
    operator.setPhone(AMINA, { behaviour: 'manual' });
    const client = clientOf();
    const id = await pushed(client);
    expect(await client.query(id)).toEqual({ kind: 'pending' });
    await operator.answerPrompt(id, { answer: 'accept', pin: '1234' });
    expect(await client.query(id)).toEqual({ kind: 'paid' });
  });

  it.each([
    ['cancel', 'payer_declined'],
    ['wrong_pin', 'wrong_pin'],
  ] as const)('that ends in %s has failed for that reason', async (behaviour, reason) => {
    operator.setPhone(AMINA, { behaviour });
    const client = clientOf();
    const id = await pushed(client);
    await operator.idle();
    expect(await client.query(id)).toMatchObject({ kind: 'failed', money: { reason } });
  });

  it('is refused in the operator’s words when the passkey is wrong', async () => {
    const answer = await clientOf({ passkey: 'guess' }).push(pushOf());
    expect(answer).toMatchObject({ kind: 'refused', code: expect.any(String) });
    expect(operator.prompts()).toEqual([]);
  });

  it('that nobody knows is neither paid nor failed', async () => {
    expect((await clientOf().query('ws_CO_nobody')).kind).toBe('unknown');
  });
});

describe('the payments of the last days', () => {
  it('are pulled with receipt, amount and account', async () => {
    const client = clientOf();
    await pushed(client);
    await operator.idle();
    const at = Date.parse(now);
    const found = await client.pull(new Date(at - 60_000), new Date(at + 60_000));
    expect(found).toMatchObject([
      { amountMinor: '65000', accountRef: 'V0001AB', txnId: operator.books()[0]?.receipt },
    ]);
    expect(await client.pull(new Date(at - 7_200_000), new Date(at - 3_600_000))).toEqual([]);
  });
});

describe('an operator that', () => {
  it('is away leaves everything unknown', async () => {
    const client = clientOf({}, 'http://127.0.0.1:9');
    expect(await client.push(pushOf())).toEqual({ kind: 'unknown' });
    expect(await client.query('x')).toEqual({ kind: 'unknown' });
    expect(await client.pull(new Date(now), new Date(now))).toBeNull();
  });

  it('refuses key and secret leaves everything unknown, and pushes nothing', async () => {
    const client = clientOf({ consumerSecret: 'guess' });
    expect(await client.push(pushOf())).toEqual({ kind: 'unknown' });
    expect(operator.prompts()).toEqual([]);
  });

  it('has let a token end is asked for another one', async () => {
    const client = clientOf();
    operator.setPhone(AMINA, { behaviour: 'manual' });
    await pushed(client);
    now = '2026-11-23T10:00:00.000Z';
    operator.setClock(now);
    operator.setPhone('254700000002', { behaviour: 'manual' });
    const id = await pushed(client, { msisdn: '+254700000002' });
    expect(await client.query(id)).toEqual({ kind: 'pending' });
  });
});
