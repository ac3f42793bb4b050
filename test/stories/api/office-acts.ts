/** What the stories do in the office: people, customers, payments, calls. */
import type { Server } from 'node:http';
import type { Pool } from 'pg';
import supertest from 'supertest';
import type { RoleName } from '../../../src/backoffice/people/permissions.ts';
import type { Principal } from '../../../src/backoffice/people/principal.ts';
import { openSession } from '../../../src/backoffice/people/sessions.ts';
import { insertStaff } from '../../../src/backoffice/people/staff-store.ts';
import { settleNow, type Wish } from '../../../src/backoffice/resources/act.ts';
import type { BackofficeDeps } from '../../../src/backoffice/service.ts';
import type { Site } from '../../../src/billing/catalogue/rules.ts';
import type { Outcome } from '../../../src/billing/settlement/commands.ts';
import type { Settlement } from '../../../src/billing/settlement/service.ts';
import { voucherHasher } from '../../../src/billing/settlement/voucher-codes.ts';
import { openCustomer } from '../../../src/billing/subscriptions/service.ts';
import { withLuhnDigit } from '../../../src/platform/luhn.ts';
import type { Ids } from '../../../src/platform/ports.ts';
import { isDeclared, operationsOf } from './declared.ts';
import type { CallOptions, Customer, Office, Paid, SiteCode } from './office.ts';

/** How codes of scratch cards are kept here. */
export const HASH = voucherHasher('a key of the tests, for codes of scratch cards');

export interface Parts {
  pool: Pool;
  ids: Ids;
  state: { now: Date; serial: number };
  site(code: string): Site;
  settlement: Settlement;
}

/** A hash that no password has. */
const NO_PASSWORD = `scrypt$2$1$1$${'A'.repeat(22)}$${'A'.repeat(43)}`;

export async function addStaff(
  { pool, ids, state, site }: Parts,
  roles: RoleName[],
  sites: SiteCode[] | 'all',
): Promise<{ token: string; id: bigint }> {
  state.serial += 1;
  const login = `staff-${state.serial}`;
  const id = await ids.take();
  await insertStaff(pool, {
    ...{ id, login, fullName: 'Staff', passwordHash: NO_PASSWORD },
    ...{ mustChange: false, roles, createdAt: state.now },
    sites: sites === 'all' ? 'all' : sites.map((code) => site(code).id),
  });
  const session = { id: await ids.take(), staffId: id, now: state.now };
  const { token } = await openSession(pool, { ...session, remote: '127.0.0.1', agent: 'test' });
  return { token, id };
}

const BOUQUETS = { NBO: 'ESSENTIAL', ABJ: 'ACCESS' };

export async function addCustomer(
  { pool, ids, state, site }: Parts,
  code: SiteCode,
  catalogue: BackofficeDeps['catalogue'],
): Promise<Customer> {
  state.serial += 1;
  const number = withLuhnDigit(`40210${String(state.serial).padStart(5, '0')}`);
  const phone = `${code === 'NBO' ? '+254700' : '+225070'}${String(100_000 + state.serial)}`;
  const bouquet = [...catalogue().bouquets.values()].find((b) => b.code === BOUQUETS[code]);
  const subscriberId = await openCustomer(pool, ids, {
    ...{ site: site(code), fullName: `Customer ${state.serial}`, msisdn: phone, at: state.now },
    language: site(code).language,
    cards: [{ number, bouquetId: bouquet?.id ?? 0n, term: 'month', autoRenew: false }],
  });
  const { rows } = await pool.query('SELECT id FROM card WHERE number = $1', [number]);
  return { subscriberId, cardId: rows[0].id, number, phone };
}

export async function addVoucher(
  { pool, ids, state }: Parts,
  asset: string,
  value: bigint,
): Promise<string> {
  state.serial += 1;
  const code = `7000${String(state.serial).padStart(8, '0')}`;
  const [batch, id] = [await ids.take(), await ids.take()];
  const [expiresAt, hash] = [new Date('2030-01-01T00:00:00Z'), HASH(code)];
  await pool.query(
    `WITH b AS (
       INSERT INTO voucher_batch (id, name, kind, asset, value, expires_at, created_at)
       VALUES ($1, $3, 'amount', $4, $5, $6, $7) RETURNING id)
     INSERT INTO voucher (id, batch_id, code_hash, state) SELECT $2, id, $8, 'ACTIVATED' FROM b`,
    [batch, id, `batch-${state.serial}`, asset, value, expiresAt, state.now, hash],
  );
  return code;
}

export function pay(
  { state, site, settlement }: Parts,
  code: SiteCode,
  payment: Paid,
): Promise<Outcome> {
  state.serial += 1;
  const { id: siteId, currency } = site(code);
  return settlement.settle({
    ...{ kind: 'payment', provider: 'mpesa', receipt: `R${state.serial}`, asset: currency },
    ...{ channelId: `paybill-${code}`, siteId, at: state.now, raw: Buffer.from('{}') },
    ...{ payerMsisdn: null, payerHash: null, orderId: null, ...payment },
  });
}

function call(
  server: Server,
  { method, path, token, body, key, ifMatch }: CallOptions & { method: string; path: string },
): supertest.Test {
  const verb = method as 'get' | 'post' | 'put' | 'patch' | 'delete';
  const test = supertest(server)[verb](`/api/v1${path}`);
  if (token !== undefined) test.set('Authorization', `Bearer ${token}`);
  if (key !== undefined) test.set('Idempotency-Key', key);
  if (ifMatch !== undefined) test.set('If-Match', ifMatch);
  if (body === undefined) return test;
  return test.set('Content-Type', 'application/json').send(JSON.stringify(body));
}

/** Calls the server; a problem that its route does not declare is an error. */
export function callerOf(server: Server, document: Office['document']): Office['call'] {
  let operationAt: ReturnType<typeof operationsOf> | null = null;
  return (method, path, given = {}) => {
    const verb = method.toLowerCase();
    return call(server, { method: verb, path, ...given }).expect(({ type, body }) => {
      const isProblem = type === 'application/problem+json';
      if (!isProblem) return;
      operationAt ??= operationsOf(document());
      const operation = operationAt(verb, path);
      if (!operation || isDeclared(operation, body.code)) return;
      throw new Error(`${verb} ${path} does not declare ${body.code}`);
    });
  };
}

const NOBODY: Principal = {
  ...{ key: 'test', kind: 'staff', id: 0n, name: 'test', role: 'none', permissions: new Set() },
  ...{ sites: 'all', sessionId: null, pending: null },
};

/** Something asked of settlement over the till of a site, under a receipt of its own. */
export function settleAt(parts: Parts, code: SiteCode, wish: Wish): Promise<Outcome> {
  const { state, settlement } = parts;
  state.serial += 1;
  const call = { receipt: `S${state.serial}`, now: state.now, principal: NOBODY };
  return settleNow({ settlement }, call, parts.site(code), wish);
}

/** Calls by people who are new each time: `act` writes, once; `look` reads, as an auditor. */
export function newcomersOf(office: () => Office) {
  let serial = 0;
  return {
    async act(role: RoleName, path: string, body: object, sites: SiteCode[] = ['NBO']) {
      const { token } = await office().staff([role], sites);
      serial += 1;
      return office().call('post', path, { token, key: `newcomer-${serial}`, body });
    },
    async look(path: string) {
      const { token } = await office().staff(['auditor']);
      return (await office().call('get', path, { token })).body;
    },
  };
}
