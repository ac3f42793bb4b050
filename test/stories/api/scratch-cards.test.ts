import type { RoleName } from '../../../src/backoffice/people/permissions.ts';
import { WRONG_CODES_MAX } from '../../../src/backoffice/resources/vouchers.ts';
import { hasLuhnDigit } from '../../../src/platform/luhn.ts';
import { createOffice, type Office } from './office.ts';

/** Goal: scratch cards are made by two above a limit, shown once, used once, blocked when lost. */
const LIMIT = 100_000n;
const kes = (amount: string) => ({ amount, currency: 'KES' });
const reason = 'for the shops in town';

let office: Office;
beforeAll(async () => {
  office = await createOffice({ approvalAbove: LIMIT });
});
afterAll(() => office.close());

let serial = 0;
async function act(role: RoleName, path: string, body?: object, token?: string) {
  const by = token ?? (await office.staff([role], ['NBO'])).token;
  serial += 1;
  const said = body === undefined ? {} : { body };
  return office.call('post', path, { token: by, key: `scratch-card-${serial}`, ...said });
}

async function look(path: string, role: RoleName = 'cashier') {
  const { token } = await office.staff([role], ['NBO']);
  return (await office.call('get', path, { token })).body;
}

const order = (name: string, size: number, more: object = {}) =>
  act('accountant', '/sites/NBO/voucher-batches', {
    ...{ name, value: kes('100.00'), size, expiresAt: '2028-01-01T00:00:00Z', reason, ...more },
  });

interface Printed {
  batchId: string;
  cards: { serial: string; code: string }[];
}

async function printed(name: string, size: number, more: object = {}): Promise<Printed> {
  const { batchId } = (await order(name, size, more)).body;
  const { body } = await act('accountant', `/voucher-batches/${batchId}/codes`);
  return { batchId, cards: body.cards };
}

const activate = (batchId: string) =>
  act('accountant', `/voucher-batches/${batchId}/activations`, { reason });
const stateOf = async (of: string) => (await look(`/vouchers/${of}`)).items[0];

async function redeem(code: string, token?: string, cardId?: bigint) {
  const card = cardId ?? (await office.customer('NBO')).cardId;
  return act('cashier', `/cards/${card}/vouchers`, { code }, token);
}

describe('a batch of scratch cards', () => {
  it('is of no more money than an act may be about', async () => {
    const { status, body } = await order('much', 5_000, { value: kes('999999999999999.00') });
    expect([status, body.fields]).toMatchObject([422, [{ code: 'too_large' }]]);
    const most = await order('most', 5_000, { value: kes('100000000000.00') });
    expect([most.status, most.body.amount]).toEqual([202, kes('500000000000000.00')]);
  });

  it('shows its codes once, and keeps none of them', async () => {
    const { batchId, cards } = await printed('once', 3);
    expect(new Set(cards.map(({ code }) => code)).size).toBe(3);
    for (const { code, serial: place } of cards) {
      expect([hasLuhnDigit(code), code.length, place.length]).toEqual([true, 14, 12]);
    }
    const again = await act('accountant', `/voucher-batches/${batchId}/codes`);
    expect([again.status, again.body.code]).toEqual([409, 'codes_shown']);
    const kept = await office.rows(`
      SELECT to_jsonb(v)::text AS text FROM voucher v
      UNION ALL SELECT to_jsonb(a)::text FROM audit a
      UNION ALL SELECT to_jsonb(k)::text FROM idempotency_key k`);
    const codes = cards.map(({ code }) => code);
    expect(kept.filter(({ text }) => codes.some((c) => String(text).includes(c)))).toEqual([]);
  });

  it('is asked for twice and made once; another one does not get its name', async () => {
    const { token } = await office.staff(['accountant'], ['NBO']);
    const body = { name: 'twice', value: kes('10.00'), size: 2, reason };
    const ask = (size: number) =>
      act(
        'accountant',
        '/sites/NBO/voucher-batches',
        { ...body, size, expiresAt: '2028-01-01T00:00:00Z' },
        token,
      );
    const [first, second, other] = [await ask(2), await ask(2), await ask(3)];
    expect([first.status, second.body]).toEqual([201, first.body]);
    expect([other.status, other.body.code]).toEqual([409, 'batch_taken']);
  });

  it('of more than one person may decide needs a second one', async () => {
    const asked = await order('large', 11);
    expect([asked.status, asked.body.state]).toEqual([202, 'asked']);
    const before = (await look('/voucher-batches')).items.map((one: { name: string }) => one.name);
    expect(before).not.toContain('large');
    const path = `/approvals/${asked.body.id}/approval`;
    expect((await act('supervisor', path, { reason })).body.state).toBe('done');
    const after = (await look('/voucher-batches')).items.map((one: { name: string }) => one.name);
    expect(after).toContain('large');
    expect((await act('cashier', '/sites/NBO/voucher-batches', {})).status).toBe(403);
  });
});

describe('a scratch card', () => {
  it('is not active, then unused, then used by a card at an instant', async () => {
    const { batchId, cards } = await printed('life', 2);
    const [card] = cards;
    const { serial: place, code } = card ?? { serial: '', code: '' };
    expect((await stateOf(place)).state).toBe('not_active');
    expect((await redeem(code)).body.code).toBe('voucher_not_active');
    expect((await activate(batchId)).body).toEqual({ cards: 2 });
    expect((await stateOf(place.slice(-6))).usedBy).toBeNull();
    expect((await stateOf(place)).state).toBe('unused');
    const customer = await office.customer('NBO');
    expect((await redeem(code, undefined, customer.cardId)).status).toBe(201);
    const used = await stateOf(place);
    expect([used.state, used.usedAt, used.usedBy.number]).toEqual([
      ...['used', office.now().toISOString(), customer.number],
    ]);
  });

  it('gives days of a plan where its batch says so', async () => {
    const { batchId, cards } = await printed('days', 1, { days: 7, bouquet: 'ESSENTIAL' });
    await activate(batchId);
    expect((await redeem(cards[0]?.code ?? '')).body.paidUntil).not.toBeNull();
  });

  it('is expired when its time is over, and blocked when its box is lost', async () => {
    const { batchId, cards } = await printed('lost', 3);
    const [first, second, third] = cards.map((one) => one.serial);
    await activate(batchId);
    await redeem(cards[0]?.code ?? '');
    const lost = { fromSerial: first, toSerial: second, reason: 'stolen' };
    const blocked = await act('customer_care', `/voucher-batches/${batchId}/blocks`, lost);
    expect(blocked.body).toEqual({ cards: 1 });
    expect((await redeem(cards[1]?.code ?? '')).body.code).toBe('voucher_blocked');
    const states = await Promise.all([first, second, third].map((one) => stateOf(String(one))));
    expect(states.map(({ state }) => state)).toEqual(['used', 'blocked', 'unused']);
    expect((await activate(batchId)).body).toEqual({ cards: 0 });
    const short = await printed('short', 1, { expiresAt: '2026-11-23T11:03:00Z' });
    await activate(short.batchId);
    office.later(120_000);
    expect((await stateOf(short.cards[0]?.serial ?? '')).state).toBe('expired');
    expect((await redeem(short.cards[0]?.code ?? '')).body.code).toBe('voucher_expired');
  });

  it('is not found by trying: after some wrong codes none is tried for an hour', async () => {
    const { batchId, cards } = await printed('guessed', 1);
    await activate(batchId);
    const { token } = await office.staff(['cashier'], ['NBO']);
    for (let i = 0; i < WRONG_CODES_MAX; i += 1) {
      const guess = await redeem(`9999 9999 99${10 + i}`, token);
      expect(guess.body.code).toBe('voucher_unknown');
    }
    const locked = await redeem(cards[0]?.code ?? '', token);
    expect([locked.status, locked.body.code]).toEqual([429, 'wrong_codes']);
    expect((await redeem(cards[0]?.code ?? '')).status).toBe(201);
  });
});
