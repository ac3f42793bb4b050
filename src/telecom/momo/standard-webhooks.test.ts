import { signWebhook, verifyWebhook } from './standard-webhooks.ts';

/** The vector and the negative list of the public test suite (Standard Webhooks, JavaScript). */
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const ID = 'msg_p5jXN8AQM9LWM0D4loKWxJek';
const SENT_S = 1_614_265_330;
const BODY = Buffer.from('{"test": 2432232314}');
const SIGNATURE = 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=';

const HEADERS = {
  'webhook-id': ID,
  'webhook-timestamp': String(SENT_S),
  'webhook-signature': SIGNATURE,
};
const verify = (
  change: Partial<typeof HEADERS> = {},
  { secret = SECRET, bytes = BODY, nowS = SENT_S } = {},
) =>
  verifyWebhook({
    secret,
    headers: { ...HEADERS, ...change },
    bytes,
    now: new Date(nowS * 1000),
  });
const OTHER = signWebhook('whsec_c2VjcmV0', { id: ID, timestamp: SENT_S, bytes: BODY });

describe('a signature of Standard Webhooks', () => {
  it('is that of the public vector, with and without the prefix of the secret', () => {
    const message = { id: ID, timestamp: SENT_S, bytes: BODY };
    expect(signWebhook(SECRET, message)).toBe(SIGNATURE);
    expect(signWebhook(SECRET.slice('whsec_'.length), message)).toBe(SIGNATURE);
    expect(verify()).toEqual({ ok: true });
  });

  it('may stand among others, and for five minutes either way', () => {
    const among = `v1,Zm9v v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw ${SIGNATURE} ${OTHER}`;
    expect(verify({ 'webhook-signature': among })).toEqual({ ok: true });
    for (const nowS of [SENT_S - 300, SENT_S + 300]) {
      expect(verify({}, { nowS })).toEqual({ ok: true });
    }
  });

  it.each([
    ['missing_header', { 'webhook-id': '' }],
    ['missing_header', { 'webhook-timestamp': '' }],
    ['missing_header', { 'webhook-signature': '' }],
    ['bad_timestamp', { 'webhook-timestamp': 'hello' }],
    ['bad_timestamp', { 'webhook-timestamp': `${SENT_S}.5` }],
    ['bad_timestamp', { 'webhook-timestamp': `-${SENT_S}` }],
    ['bad_timestamp', { 'webhook-timestamp': '9'.repeat(40) }],
    ['too_old', { 'webhook-timestamp': String(SENT_S - 301) }],
    ['too_old', { 'webhook-timestamp': String(SENT_S + 301) }],
    ['bad_signature', { 'webhook-timestamp': String(SENT_S + 1) }],
    ['bad_signature', { 'webhook-id': 'msg_other' }],
    ['bad_signature', { 'webhook-signature': SIGNATURE.slice(0, -4) }],
    ['bad_signature', { 'webhook-signature': 'v1,' }],
    ['bad_signature', { 'webhook-signature': 'v1' }],
    ['bad_signature', { 'webhook-signature': SIGNATURE.replace('v1,', 'v2,') }],
    ['bad_signature', { 'webhook-signature': SIGNATURE.slice(3) }],
    ['bad_signature', { 'webhook-signature': OTHER }],
  ])('is refused as %s with %p', (error, change) => {
    expect(verify(change)).toEqual({ ok: false, error });
  });

  it('covers every byte of the body', () => {
    for (const bytes of [Buffer.alloc(0), Buffer.from(`${BODY} `), BODY.subarray(1)]) {
      expect(verify({}, { bytes })).toEqual({ ok: false, error: 'bad_signature' });
    }
  });

  it('of another secret, or of none, is refused', () => {
    for (const secret of ['whsec_c2VjcmV0', 'whsec_', '']) {
      expect(verify({}, { secret })).toEqual({ ok: false, error: 'bad_signature' });
    }
  });

  it('made without a secret is refused, also where none is configured', () => {
    const forged = signWebhook('', { id: ID, timestamp: SENT_S, bytes: BODY });
    expect(verify({ 'webhook-signature': forged }, { secret: '' }).ok).toBe(false);
  });
});
