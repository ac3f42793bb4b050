import { addStaff, createFirstAdministrator } from '../../../src/backoffice/bootstrap.ts';
import { totpCode } from '../../../src/backoffice/people/codes.ts';
import type { RoleName } from '../../../src/backoffice/people/permissions.ts';
import { createOffice, type Office, passwords } from './office.ts';

const PASSWORD = 'correct horse battery';
const MINUTE_MS = 60_000;

let office: Office;
beforeAll(async () => {
  office = await createOffice({ requireTotp: true });
});
afterAll(() => office.close());
// In each story nobody is there yet, and nobody has tried to get in.
beforeEach(() => office.forget('staff', 'staff_session', 'sign_in_try', 'api_key', 'audit'));

const deps = () => ({ pool: office.pool, ids: office.ids, clock: { now: office.now }, passwords });

async function account(login: string, roles: RoleName[] = ['cashier']): Promise<void> {
  const passwordHash = await passwords.hash(PASSWORD);
  await addStaff(deps(), {
    ...{ login, fullName: login, passwordHash, roles, sites: 'all', mustChange: false },
  });
}

const signIn = (login: string, password = PASSWORD, code?: string) =>
  office.call('post', '/sessions', { body: { login, password, ...(code ? { code } : {}) } });

/** Enrols the second factor; its secret. */
async function enrol(token: string): Promise<string> {
  const { body } = await office.call('post', '/me/totp', { token });
  const code = totpCode(body.secret, office.now());
  const done = await office.call('post', '/me/totp/confirmation', { token, body: { code } });
  expect(done.status).toBe(204);
  return body.secret;
}

describe('the first administrator', () => {
  it('is made once, from outside, and must change password and enrol before anything', async () => {
    const first = { login: 'boss', password: 'first password of all' };
    expect(await createFirstAdministrator(deps(), { login: 'boss', password: 'boss' })).toEqual({
      ok: false,
      error: 'weak_password',
    });
    expect(await createFirstAdministrator(deps(), first)).toEqual({ ok: true });
    const again = await createFirstAdministrator(deps(), { ...first, login: 'other' });
    expect(again).toEqual({ ok: false, error: 'not_first' });

    const { body } = await signIn('boss', first.password);
    const { token } = body;
    expect(body.pending).toBe('password');
    const staff = () => office.call('get', '/staff', { token });
    expect((await staff()).body.code).toBe('password_pending');
    const change = (to: string) =>
      office.call('post', '/me/password', { token, body: { old: first.password, new: to } });
    expect((await change('short')).body.code).toBe('weak_password');
    expect((await change(first.password)).body.code).toBe('weak_password');
    expect((await change(PASSWORD)).status).toBe(204);
    expect((await staff()).body.code).toBe('totp_pending');
    await enrol(token);
    expect((await staff()).status).toBe(200);
    const [line] = await office.rows("SELECT actor, route FROM audit WHERE object = 'staff'");
    expect(line).toEqual({ actor: 'system', route: 'bootstrap' });
  });
});

describe('signing in', () => {
  it('needs the code once the second factor is enrolled, and takes no code twice', async () => {
    await account('amina');
    const first = await signIn('amina');
    expect([first.status, first.body.pending]).toEqual([201, 'totp']);
    const secret = await enrol(first.body.token);
    const again = await office.call('post', '/me/totp', { token: first.body.token });
    expect(again.body.code).toBe('totp_enrolled');

    expect((await signIn('amina')).body.code).toBe('code_needed');
    const used = totpCode(secret, office.now());
    expect((await signIn('amina', PASSWORD, used)).body.code).toBe('wrong_credentials');
    office.later(MINUTE_MS);
    const code = totpCode(secret, office.now());
    const both = await Promise.all([
      signIn('amina', PASSWORD, code),
      signIn('amina', PASSWORD, code),
    ]);
    expect(both.map(({ status }) => status).sort()).toEqual([201, 401]);
    const [row] = await office.rows('SELECT totp_sealed FROM staff');
    expect(String(row?.totp_sealed)).not.toContain(secret);
  });

  it('tells nobody whether it was the login, the password or the account', async () => {
    await account('amina');
    await account('closed');
    await office.pool.query("UPDATE staff SET is_active = false WHERE login = 'closed'");
    const answers = await Promise.all([
      signIn('nobody'),
      signIn('amina', 'wrong'),
      signIn('closed'),
    ]);
    const [first] = answers;
    for (const { status, body } of answers) expect([status, body]).toEqual([401, first?.body]);
    expect(first?.body.code).toBe('wrong_credentials');
  });

  it('is locked after five failures, longer each time, whoever has the login', async () => {
    await account('amina');
    for (const login of ['amina', 'nobody']) {
      for (let i = 0; i < 5; i += 1) await signIn(login, 'wrong');
      const { status, body, headers } = await signIn(login);
      expect([status, body.code, headers['retry-after']]).toEqual([429, 'locked_out', '30']);
    }
    office.later(30_000);
    await signIn('amina', 'wrong');
    expect((await signIn('amina')).headers['retry-after']).toBe('60');
    office.later(60_000);
    expect((await signIn('amina')).status).toBe(201);
    expect((await signIn('amina', 'wrong')).status).toBe(401);
  });

  it('tried many times at once is tried five times', async () => {
    await account('amina');
    const answers = await Promise.all(Array.from({ length: 12 }, () => signIn('amina', 'wrong')));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
  });

  it('of everybody is slowed down for an address that fails all the time', async () => {
    await account('amina');
    await office.pool.query(
      `INSERT INTO sign_in_try (kind, key_hash, failed, last_at)
       SELECT 'address', encode(sha256('127.0.0.1'::bytea), 'hex'), 29, $1`,
      [office.now()],
    );
    await signIn('one', 'wrong');
    expect((await signIn('amina')).body.code).toBe('locked_out');
  });
});

describe('a session', () => {
  const me = (token: string) => office.call('get', '/me', { token });

  it('is kept as a hash, ends when idle, at its end, and when its owner signs out', async () => {
    await account('amina');
    const { body } = await signIn('amina');
    const [row] = await office.rows('SELECT token_hash FROM staff_session');
    expect(String(row?.token_hash)).not.toContain(body.token);
    office.later(29 * MINUTE_MS);
    expect((await me(body.token)).status).toBe(200);
    office.later(30 * MINUTE_MS);
    expect((await me(body.token)).status).toBe(401);

    const long = (await signIn('amina')).body.token;
    for (let i = 0; i < 35; i += 1) {
      office.later(20 * MINUTE_MS);
      expect((await me(long)).status).toBe(200);
    }
    office.later(20 * MINUTE_MS);
    expect((await me(long)).status).toBe(401);

    const out = (await signIn('amina')).body.token;
    expect((await office.call('delete', '/me/session', { token: out })).status).toBe(204);
    expect((await me(out)).status).toBe(401);
  });

  it('can be listed and ended, one’s own alone', async () => {
    const mine = await office.staff(['cashier']);
    const other = await office.staff(['cashier']);
    await office.pool.query('UPDATE staff SET totp_since = $1', [office.now()]);
    const list = async (token: string) =>
      (await office.call('get', '/me/sessions', { token })).body.items;
    const [own] = await list(mine.token);
    expect(own.isCurrent).toBe(true);
    const end = (token: string) => office.call('delete', `/me/sessions/${own.id}`, { token });
    expect((await end(other.token)).status).toBe(404);
    expect((await end(mine.token)).status).toBe(204);
    expect((await me(mine.token)).status).toBe(401);
  });

  it('does not help to guess the password', async () => {
    await account('amina');
    const { token } = (await signIn('amina')).body;
    const guess = (old: string) =>
      office.call('post', '/me/password', {
        token,
        body: { old, new: 'another staple, quite long' },
      });
    for (let i = 0; i < 5; i += 1)
      expect((await guess('wrong')).body.code).toBe('wrong_credentials');
    expect((await guess(PASSWORD)).body.code).toBe('locked_out');
    office.later(MINUTE_MS);
    expect((await guess(PASSWORD)).status).toBe(204);
    const lines = await office.rows("SELECT outcome FROM audit WHERE route = 'POST /me/password'");
    expect(lines).toEqual([{ outcome: 'done' }]);
  });

  it('ends with a new password elsewhere, and with the account', async () => {
    await account('amina');
    const [one, two] = [(await signIn('amina')).body.token, (await signIn('amina')).body.token];
    const body = { old: PASSWORD, new: 'another staple, quite long' };
    await office.call('post', '/me/password', { token: one, body });
    expect([(await me(one)).status, (await me(two)).status]).toEqual([200, 401]);
    await office.pool.query('UPDATE staff SET is_active = false');
    expect((await me(one)).status).toBe(401);
  });
});

describe('an administrator', () => {
  let token: string;
  beforeEach(async () => {
    token = (await office.staff(['administrator'], ['NBO'])).token;
    await office.pool.query('UPDATE staff SET totp_since = $1', [office.now()]);
  });
  const add = (roles: string[], sites: string[] | null, login = 'wanjiru') =>
    office.call('post', '/staff', { token, body: { login, fullName: 'W', roles, sites } });

  it('opens an account whose password is told once and changed at once', async () => {
    const made = await add(['cashier'], ['NBO']);
    expect(made.status).toBe(201);
    const { oneTimePassword, staff } = made.body;
    expect(staff).toMatchObject({ login: 'wanjiru', roles: ['cashier'], sites: ['NBO'] });
    const { body } = await signIn('wanjiru', oneTimePassword);
    expect(body.pending).toBe('password');
    expect((await add(['cashier'], ['NBO'])).body.code).toBe('login_taken');
    const lines = await office.rows("SELECT after FROM audit WHERE route = 'POST /staff'");
    expect(lines).toHaveLength(1);
    expect(JSON.stringify(lines)).not.toContain(oneTimePassword);
  });

  it('gives no duties kept apart, no sites not their own, nothing to themselves', async () => {
    const both = await add(['cashier', 'supervisor'], ['NBO']);
    expect(both.body.code).toBe('role_conflict');
    expect(both.body.fields[0].message).toContain('cash');
    for (const sites of [['ABJ'], ['NBO', 'ABJ'], null, ['NOWHERE']]) {
      expect((await add(['cashier'], sites)).body.code).toBe('outside_own_sites');
    }
    const { body } = await office.call('get', '/me', { token });
    const change = { reason: 'promotion', roles: ['administrator'] };
    const own = { token, ifMatch: '*', body: change };
    const refused = await office.call('patch', `/staff/${body.id}`, own);
    expect(refused.body.code).toBe('own_account');
  });

  it('closes an account, and with it all of its sessions', async () => {
    const cashier = await office.staff(['cashier'], ['NBO']);
    const path = `/staff/${cashier.id}`;
    const body = { isActive: false, reason: 'has left' };
    const closed = await office.call('patch', path, { token, ifMatch: '*', body });
    expect([closed.status, closed.body.isActive]).toEqual([200, false]);
    expect((await office.call('get', '/me', { token: cashier.token })).status).toBe(401);
    const [line] = await office.rows("SELECT * FROM audit WHERE object = 'staff'");
    expect(line).toMatchObject({
      ...{ outcome: 'done', object_id: String(cashier.id), reason: 'has left' },
      before: { isActive: true },
      after: { isActive: false },
    });
  });

  it('gives a partner a key that works until it is revoked or over', async () => {
    const body = {
      ...{ name: 'Duka', permissions: ['card.read'], sites: ['NBO'] },
      expiresAt: '2026-11-25T00:00:00Z',
    };
    const made = await office.call('post', '/api-keys', { token, body });
    const key: string = made.body.token;
    const cards = () => office.call('get', '/cards', { token: key });
    const { cardId } = await office.customer('ABJ');
    expect((await cards()).status).toBe(200);
    expect((await office.call('get', `/cards/${cardId}`, { token: key })).status).toBe(404);
    expect((await office.call('get', '/subscribers', { token: key })).status).toBe(403);
    expect((await office.call('get', '/me/sessions', { token: key })).status).toBe(403);
    expect((await office.call('get', '/cards', { token: `${key.slice(0, -1)}!` })).status).toBe(
      401,
    );
    const [row] = await office.rows('SELECT secret_hash, last_used FROM api_key');
    expect(row?.last_used).toEqual(office.now());
    expect(key).not.toContain(row?.secret_hash);
    office.later(2 * 86_400_000);
    expect((await cards()).status).toBe(401);
    office.later(-2 * 86_400_000);
    const path = `/api-keys/${made.body.key.id}`;
    expect((await office.call('delete', path, { token })).status).toBe(204);
    expect((await cards()).status).toBe(401);
  });
});

describe('the audit', () => {
  it('can be written and never changed, by whomever', async () => {
    await account('amina');
    for (const sql of ["UPDATE audit SET actor = 'nobody'", 'DELETE FROM audit']) {
      await expect(office.pool.query(sql)).rejects.toThrow('permission denied');
    }
  });
});
