import { type Merchant, NOW, openMerchant, openOperator } from './merchant.fixture.ts';
import { signTvuNotice } from './sign-tvu.ts';

describe('signTvuNotice', () => {
  it('gives the published signature of the Standard Webhooks test vector', () => {
    const signature = signTvuNotice({
      secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
      timestamp: 1614265330,
      body: '{"test": 2432232314}',
    });
    expect(signature).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });
});

describe('a TVU notice', () => {
  let merchant: Merchant;
  const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

  beforeEach(async () => {
    merchant = await openMerchant();
  });
  afterEach(() => merchant.stop());

  it('is signed over the exact body and noted in the books', async () => {
    const tvu = [{ channel: 'ke-tvu', url: `${merchant.url}/tvu`, secret }];
    const operator = await openOperator({ tvu });
    merchant.answerWith(() => ({ status: 200, headers: {}, body: '{"status":"accepted"}' }));
    const order = { channel: 'ke-tvu', msisdn: '254700000001', units: 2100 };
    const sent = await fetch(`${operator.url}/control/tvu`, {
      method: 'POST',
      body: JSON.stringify(order),
    }).then((response) => response.json());
    const [heard] = merchant.heard;
    const timestamp = Date.parse(NOW) / 1000;
    expect(heard?.headers).toMatchObject({
      'webhook-timestamp': String(timestamp),
      'webhook-signature': signTvuNotice({
        secret,
        id: String(heard?.headers['webhook-id']),
        timestamp,
        body: heard?.text ?? '',
      }),
    });
    expect(heard?.body).toEqual({
      type: 'tvu.credited',
      data: {
        receipt: operator.tvuNotices()[0]?.receipt,
        msisdn: '+254700000001',
        units: 2100,
        occurredAt: NOW,
      },
    });
    expect(sent).toMatchObject({ status: 200, answer: '{"status":"accepted"}' });
    expect(operator.tvuNotices()).toMatchObject([{ units: 2100, confirmed: true }]);
    expect(await operator.sendTvu({ ...order, channel: 'none' })).toBeNull();
    await operator.stop();
  });
});
