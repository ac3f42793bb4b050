import { createOffice, type Office } from './office.ts';

/** Goal: time is moved over the API in a demo and nowhere else, and only by who may. */
let office: Office;
let token: string;
beforeAll(async () => {
  office = await createOffice({ hasClocks: true });
  token = (await office.staff(['administrator', 'customer_care'])).token;
});
afterAll(() => office.close());

const post = (path: string, body: unknown, key?: string) =>
  office.call('post', path, { token, body, ...(key === undefined ? {} : { key }) });

async function clockAt(at: string, site = 'NBO'): Promise<string> {
  const { status, body } = await post('/test-clocks', { site, at });
  expect([status, body.at]).toEqual([201, new Date(at).toISOString()]);
  return body.id;
}

describe('the API of a house with a clock that nobody may move', () => {
  it('has no such routes, and its document does not name them', async () => {
    const plain = await createOffice();
    try {
      const admin = await plain.staff(['administrator']);
      const { status } = await plain.call('get', '/demo/clock', admin);
      expect(status).toBe(404);
      expect((await plain.call('post', '/test-clocks', { ...admin, body: {} })).status).toBe(404);
      expect(Object.keys(plain.document().paths as object).filter(isOfTime)).toEqual([]);
      expect(Object.keys(office.document().paths as object).filter(isOfTime)).toHaveLength(5);
    } finally {
      await plain.close();
    }
  });
});

const isOfTime = (path: string) => /clock/.test(path);

describe('the clock of the house', () => {
  it('goes on by a duration or to an instant, never back and no more than a year', async () => {
    const before = (await office.call('get', '/demo/clock', { token })).body;
    const moved = await post('/demo/clock', { advance: 'PT3H' });
    expect(moved.status).toBe(200);
    expect(Date.parse(moved.body.now) - Date.parse(before.now)).toBe(3 * 3_600_000);
    const to = new Date(Date.parse(moved.body.now) + 60_000).toISOString();
    expect((await post('/demo/clock', { to })).body.now).toBe(to);
    for (const wrong of [{ to }, { advance: 'PT0S' }, { advance: '-P1D' }, { advance: 'P2Y' }]) {
      const { status, body } = await post('/demo/clock', wrong);
      expect([wrong, status, body.code]).toEqual([wrong, 422, 'clock_backwards']);
    }
    for (const wrong of [{}, { advance: 'P1D', to }, { advance: 'tomorrow' }]) {
      const { status, body } = await post('/demo/clock', wrong);
      expect([wrong, status, body.code]).toEqual([wrong, 422, 'invalid_body']);
    }
    const { token: cashier } = await office.staff(['cashier']);
    const options = { token: cashier, body: { advance: 'P1D' } };
    expect((await office.call('post', '/demo/clock', options)).status).toBe(403);
    const { token: ofOneSite } = await office.staff(['customer_care'], ['NBO']);
    const own = { ...options, token: ofOneSite };
    expect((await office.call('post', '/demo/clock', own)).status).toBe(403);
  });

  it('moved on by months, forgets no key of a call that was made just now', async () => {
    const { subscriberId } = await office.customer('NBO');
    const { token: cashier } = await office.staff(['cashier']);
    const topUp = (amount: string) =>
      office.call('post', `/subscribers/${subscriberId}/top-ups`, {
        ...{ token: cashier, key: 'before-the-move' },
        body: { amount: { amount, currency: 'KES' } },
      });
    expect((await topUp('5.00')).status).toBe(201);
    expect((await post('/demo/clock', { advance: 'P6M' })).status).toBe(200);
    await office.finishDue();
    expect((await topUp('6.00')).body.code).toBe('idempotency_key_reused');
  });
});

describe('a subscriber with a test clock', () => {
  it('is sold to, paid for and looked at by the clock’s time', async () => {
    const { subscriberId, cardId } = await office.customer('NBO');
    const clock = await clockAt('2027-01-01T09:00:00Z');
    const attached = await post(`/subscribers/${subscriberId}/test-clock`, { testClockId: clock });
    expect(attached.body.subscribers).toEqual([String(subscriberId)]);
    const { token: cashier } = await office.staff(['cashier']);
    const sell = (path: string, body: unknown, key: string) =>
      office.call('post', path, { token: cashier, body, key });
    const amount = { amount: '1300.00', currency: 'KES' };
    const topUp = `/subscribers/${subscriberId}/top-ups`;
    expect((await sell(topUp, { amount }, 'clock-top-up-1')).status).toBe(201);
    const sold = await sell(`/cards/${cardId}/terms`, { term: 'month' }, 'clock-term-001');
    expect([sold.status, sold.body.paidUntil]).toEqual([201, '2027-02-01T21:00:00.000Z']);
    const renews = { term: 'month' };
    const auto = await post(`/cards/${cardId}/auto-renewals`, renews, 'clock-renewal-1');
    expect([auto.status, auto.body.code]).toEqual([201, null]);

    const done = await post(`/test-clocks/${clock}/advances`, { advance: 'P3M' });
    expect([done.status, done.body.isThere]).toEqual([200, true]);
    expect(done.body.clock.at).toBe('2027-04-01T09:00:00.000Z');
    const card = String(cardId);
    expect(done.body.acts).toMatchObject([
      { at: '2027-02-01T21:00:00.000Z', kind: 'renew', card, outcome: 'settled', code: null },
      { at: '2027-03-01T21:00:00.000Z', kind: 'renew', card, outcome: 'refused' },
    ]);
    expect(done.body.messages.map((one: { template: string }) => one.template)).toContain(
      'reminder',
    );
    expect(
      (await post(`/subscribers/${subscriberId}/test-clock`, { testClockId: clock })).body,
    ).toMatchObject({ code: 'not_fresh' });
  });

  it('is of a site: others neither see the clock nor move it', async () => {
    const clock = await clockAt('2027-01-01T09:00:00Z');
    const { token: elsewhere } = await office.staff(['customer_care'], ['ABJ']);
    const path = `/test-clocks/${clock}`;
    expect((await office.call('get', path, { token: elsewhere })).status).toBe(404);
    const move = { token: elsewhere, body: { advance: 'P1D' } };
    expect((await office.call('post', `${path}/advances`, move)).status).toBe(404);
    const { subscriberId } = await office.customer('ABJ');
    const attach = { token, body: { testClockId: clock } };
    const there = `/subscribers/${subscriberId}/test-clock`;
    expect((await office.call('post', there, attach)).body.code).toBe('not_fresh');
    expect((await office.call('get', path, { token })).body.subscribers).toEqual([]);
  });
});
