import { createHash } from 'node:crypto';
import { withLuhnDigit } from '../../../src/platform/luhn.ts';
import { type Customer, createOffice, type Office } from './office.ts';

let office: Office;
const tokens = new Map<string, string>();
beforeAll(async () => {
  office = await createOffice();
  for (const role of ['stock', 'customer_care', 'supervisor', 'sales', 'auditor'] as const) {
    tokens.set(role, (await office.staff([role])).token);
  }
});
afterAll(() => office.close());

let serial = 0;
const post = (role: string, path: string, body: object, key?: string) => {
  serial += 1;
  const token = tokens.get(role) ?? '';
  return office.call('post', path, { token, body, key: key ?? `device-key-${serial}` });
};
const get = async (path: string) =>
  (await office.call('get', path, { token: tokens.get('auditor') ?? '' })).body;
const fresh = () => {
  serial += 1;
  return withLuhnDigit(`4066${String(serial).padStart(6, '0')}`);
};
const reason = 'asked at the counter';
const file = (lines: string[]) => {
  const text = `stb_serial,model,chip_id,mac,card_number,batch\n${lines.join('\n')}\n`;
  return { site: 'NBO', text, sha256: createHash('sha256').update(text).digest('hex') };
};
const customer = (): Promise<Customer> => office.customer('NBO');

describe('the file of a manufacturer', () => {
  it('is taken in by who keeps the stock, and shows where everything is', async () => {
    const number = fresh();
    const given = file([`STB-A1,ZX10,,,${number},B7`]);
    const first = await post('stock', '/device-files', given);
    expect([first.status, first.body.isNew, first.body.cards]).toEqual([201, true, 1]);
    expect((await post('stock', '/device-files', given)).body.isNew).toBe(false);
    expect(await get(`/viewing-cards/${number}`)).toMatchObject({
      ...{ number, state: 'imported', site: 'NBO', batch: 'B7', decoders: [] },
    });
    const listed = await get('/decoders?site=NBO&state=received');
    expect(listed.items).toMatchObject([{ serial: 'STB-A1', model: 'ZX10', state: 'received' }]);
    expect((await get('/decoders/STB-A1/history')).items).toMatchObject([
      { source: 'event', what: 'receive', from: null, to: 'received', site: 'NBO' },
      { source: 'command', what: 'CARD_REGISTER', to: 'waiting' },
    ]);
  });

  it('is refused with the line of each fault', async () => {
    const { status, body } = await post('stock', '/device-files', file(['x,ZX10,,,123,B7']));
    expect([status, body.code]).toEqual([422, 'device_file_refused']);
    expect(body.fields).toMatchObject([
      { path: 'text:2', code: 'serial_shape', message: 'x' },
      { path: 'text:2', code: 'card_length', message: '123' },
    ]);
  });
});

describe('an act on a device', () => {
  it('is done once for its key, and is in the history with who asked for it', async () => {
    const { number } = await customer();
    const path = `/viewing-cards/${number}/pairings`;
    const said = { stb: 'STB-K1', reason };
    const first = await post('customer_care', path, said, 'the-same-key');
    expect([first.status, first.body]).toEqual([201, { state: 'in_use' }]);
    const again = await post('customer_care', path, said, 'the-same-key');
    expect([again.status, again.headers['idempotent-replayed']]).toEqual([201, 'true']);
    const other = await post('customer_care', path, said);
    expect([other.status, other.body.code]).toEqual([409, 'already_paired']);
    await office.pool.query('UPDATE idempotency_key SET expires_at = $1', [office.now()]);
    expect((await post('customer_care', path, said, 'the-same-key')).status).toBe(201);
    const steps = (await get(`/viewing-cards/${number}/history`)).items;
    expect(steps).toHaveLength(3);
    expect(steps[0]).toMatchObject({ what: 'pair', reason, channel: 'staff', site: 'NBO' });
    expect(await get('/decoders/STB-K1')).toMatchObject({ state: 'installed', cards: [number] });
  });

  it('leads from the old card to the new one at the counter', async () => {
    const { number, subscriberId } = await customer();
    await office.pay('NBO', { amount: 65_000n, accountRef: number });
    const newCard = fresh();
    const path = `/viewing-cards/${number}/swaps`;
    expect((await post('customer_care', path, { newCard, reason })).status).toBe(201);
    expect(await get(`/viewing-cards/${number}`)).toMatchObject({ state: 'replaced' });
    expect(await get(`/viewing-cards/${newCard}`)).toMatchObject({
      ...{ state: 'active', subscriberId: String(subscriberId) },
    });
  });

  it('resets a PIN for who was identified, and makes a lost card dark', async () => {
    const { number } = await customer();
    const path = `/viewing-cards/${number}`;
    const without = await post('customer_care', `${path}/pin-resets`, { reason });
    expect([without.status, without.body.code]).toEqual([422, 'invalid_body']);
    const said = { reason, identity: 'passport seen' };
    expect((await post('customer_care', `${path}/pin-resets`, said)).status).toBe(201);
    expect((await post('customer_care', `${path}/areas`, { area: 'KE-30', reason })).status).toBe(
      201,
    );
    expect(await get(path)).toMatchObject({ area: 'KE-30', state: 'in_use' });
    expect((await post('stock', `${path}/states`, { state: 'lost', reason })).status).toBe(201);
    expect(await get(path)).toMatchObject({ state: 'lost' });
  });
});

describe('the blacklist', () => {
  it('is entered by one person, and left by two', async () => {
    const { number, subscriberId } = await customer();
    const other = fresh();
    const black = (named: object) =>
      post('stock', '/sites/NBO/blacklistings', { ...named, reason, evidence: 'report 7' });
    expect((await black({ number })).body).toEqual({ state: 'blacklisted' });
    expect((await black({ number })).body.code).toBe('already_blacklisted');
    expect((await black({ stb: 'STB-BAD1' })).status).toBe(201);
    expect((await black({ number: other })).status).toBe(201);
    const sold = await post('sales', `/subscribers/${subscriberId}/cards`, {
      ...{ number: other, bouquet: 'ESSENTIAL' },
    });
    expect([sold.status, sold.body.code]).toEqual([409, 'device_blacklisted']);

    const asked = await post('stock', `/viewing-cards/${number}/liftings`, { reason });
    expect([asked.status, asked.body.act]).toEqual([202, 'device.lifting']);
    expect((await get(`/viewing-cards/${number}`)).state).toBe('blacklisted');
    const decision = `/approvals/${asked.body.id}/approval`;
    expect((await post('stock', decision, { reason })).status).toBe(403);
    const decided = await post('supervisor', decision, { reason });
    expect([decided.status, decided.body.state]).toEqual([200, 'done']);
    expect((await get(`/viewing-cards/${number}`)).state).toBe('quarantine');
    const [command] = await office.rows(
      `SELECT actor, approved_by FROM cas_command WHERE op = 'UNBLACKLIST' AND target = $1`,
      [number],
    );
    expect(command?.approved_by).toMatch(/^staff:/);
    expect(command?.approved_by).not.toBe(command?.actor);
  });
});
