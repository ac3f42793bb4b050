import type { RoleName } from '../../../src/backoffice/people/permissions.ts';
import { createOffice, type Office } from './office.ts';

/** Goal: staff keep a customer's whole record, and each change says who made it, as what. */
let office: Office;
beforeAll(async () => {
  office = await createOffice();
});
afterAll(() => office.close());

const staff = async (...roles: RoleName[]) => (await office.staff(roles, ['NBO', 'ABJ'])).token;
const record = {
  billingAddress: 'P.O. Box 1, 00100 Nairobi',
  installationAddress: 'Kilimani, House 12',
  position: { latitude: '-1.29', longitude: '36.78213' },
  landline: '020 0000001',
  email: 'amina@example.com',
};
const kept = {
  ...record,
  position: { latitude: '-1.290000', longitude: '36.782130' },
  landline: '+254200000001',
};
const nothing = {
  ...{ billingAddress: null, installationAddress: null, position: null },
  ...{ landline: null, email: null },
};

async function audited(route: string) {
  const token = await staff('administrator');
  const { body } = await office.call('get', '/audit?object=subscriber&limit=200', { token });
  const lines: { route: string; outcome: string }[] = body.items;
  return lines.find((line) => line.route === route && line.outcome === 'done');
}

describe('the record of a customer', () => {
  it('is written when they are opened, and read as it is kept', async () => {
    const token = await staff('sales', 'customer_care');
    const cards = [{ number: '40219999915', bouquet: 'ESSENTIAL' }];
    const body = { site: 'NBO', fullName: 'Amina Diallo', cards, ...record };
    const made = await office.call('post', '/subscribers', { token, body });
    expect([made.status, made.body]).toMatchObject([201, kept]);
    const read = await office.call('get', `/subscribers/${made.body.id}`, { token });
    expect(read.body).toEqual(made.body);
    expect(await audited('POST /subscribers')).toMatchObject({
      ...{ role: 'customer_care, sales', objectId: made.body.id, after: kept },
    });
  });

  it('is changed in part, with what it was, who changed it and in which role', async () => {
    const { subscriberId } = await office.customer('ABJ');
    const token = await staff('customer_care');
    const path = `/subscribers/${subscriberId}`;
    const change = (body: object) => office.call('patch', path, { token, ifMatch: '*', body });
    const { body: before } = await office.call('get', path, { token });
    expect(before).toMatchObject(nothing);
    const first = await change({ ...record, landline: '27 20 00 00 01', reason: 'a letter' });
    expect(first.body).toEqual({ ...before, ...kept, landline: '+2252720000001' });
    expect(await audited('PATCH /subscribers/{subscriberId}')).toMatchObject({
      ...{ role: 'customer_care', reason: 'a letter', objectId: String(subscriberId) },
      before: nothing,
      after: { ...kept, landline: '+2252720000001' },
    });
    const second = await change({ email: null, position: null });
    expect(second.body).toEqual({ ...first.body, email: null, position: null });
    expect((await office.call('get', path, { token })).body).toEqual(second.body);
  });

  it.each([
    ['landline', { landline: '12' }],
    ['landline', { landline: 'ask the neighbour' }],
    ['email', { email: 'amina at example.com' }],
    ['billingAddress', { billingAddress: '   ' }],
    ['installationAddress', { installationAddress: 'x'.repeat(301) }],
    ['position.latitude', { position: { latitude: '90.000001', longitude: '36' } }],
    ['position.longitude', { position: { latitude: '1', longitude: '-180.5' } }],
    ['position.longitude', { position: { latitude: '1' } }],
    ['position.latitude', { position: { latitude: 1.5, longitude: '36' } }],
  ])('names what is wrong with it: %s of %j', async (path, body) => {
    const { subscriberId } = await office.customer('NBO');
    const token = await staff('customer_care');
    const asked = { token, ifMatch: '*', body };
    const refused = await office.call('patch', `/subscribers/${subscriberId}`, asked);
    expect([refused.status, refused.body.code]).toEqual([422, 'invalid_body']);
    expect(refused.body.fields.map((one: { path: string }) => one.path)).toEqual([path]);
  });

  it.each([
    'latitude = 1',
    'latitude = 91, longitude = 0',
    'latitude = 0, longitude = -181',
    "landline = '0200000001'",
    "email = 'a b@c'",
    "billing_address = '  '",
  ])('is refused by the database as well: %s', async (change) => {
    const { subscriberId } = await office.customer('NBO');
    const sql = `UPDATE subscriber SET ${change} WHERE id = $1`;
    await expect(office.pool.query(sql, [subscriberId])).rejects.toThrow('violates check');
  });
});

describe('the role in a line of the audit', () => {
  it('is what somebody was at that moment', async () => {
    const { id, token } = await office.staff(['sales'], ['NBO']);
    const { subscriberId } = await office.customer('NBO');
    const asked = { token, ifMatch: '*', body: { language: 'fr' } };
    await office.call('patch', `/subscribers/${subscriberId}`, asked);
    await office.pool.query(`UPDATE staff SET roles = '["cashier"]' WHERE id = $1`, [id]);
    const lines = await office.rows(
      `SELECT role FROM audit WHERE actor = 'staff:${id}' AND object = 'subscriber'`,
    );
    expect(lines).toEqual([{ role: 'sales' }]);
  });

  it('is `partner` of a key', async () => {
    const administrator = await office.staff(['administrator'], ['NBO']);
    const body = {
      ...{ name: 'Duka', permissions: ['wallet.top_up'], sites: ['NBO'] },
      expiresAt: '2026-11-25T00:00:00Z',
    };
    const made = await office.call('post', '/api-keys', { token: administrator.token, body });
    const { subscriberId } = await office.customer('NBO');
    const topUp = { token: made.body.token, key: 'role-of-a-key', body: {} };
    const amount = { amount: '10.00', currency: 'KES' };
    const path = `/subscribers/${subscriberId}/top-ups`;
    const done = await office.call('post', path, { ...topUp, body: { amount } });
    expect(done.status).toBe(201);
    const lines = await office.rows(
      `SELECT DISTINCT role FROM audit WHERE actor = 'key:${made.body.key.id}'`,
    );
    expect(lines).toEqual([{ role: 'partner' }]);
  });
});
