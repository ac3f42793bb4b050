import { type Route, routeName } from '../../../src/backoffice/api/route.ts';
import {
  permissionsOf,
  ROLE_NAMES,
  type RoleName,
} from '../../../src/backoffice/people/permissions.ts';
import { furnish, furnishPostpaid, type Named, pathOf } from './fixtures.ts';
import { ACTS_AGAIN, prepareMoney } from './money-fixtures.ts';
import { createOffice, type Office } from './office.ts';

/**
 * Goal: what is declared once holds everywhere: keys act once, lists page, tags guard.
 * Method: the routes that declare it, each called through what the declaration promises.
 */
let office: Office;
let named: Named;
beforeAll(async () => {
  office = await createOffice();
  await furnish(office, 'ABJ');
  named = await furnish(office, 'NBO');
});
afterAll(() => office.close());

async function tokenFor({ access }: Route): Promise<string> {
  const has = (role: RoleName) =>
    access === 'public' || access === 'signed_in' || permissionsOf([role]).includes(access);
  const role = ROLE_NAMES.find(has);
  if (!role) throw new Error(`Nobody holds ${access}`);
  return (await office.staff([role])).token;
}

const declared = (what: (route: Route) => unknown): [string, Route][] => {
  if (!office) throw new Error('Not open yet');
  return office.routes.filter(what).map((route) => [routeName(route), route]);
};

let serial = 0;
/** Parameters of somebody new, with money or an invoice, so that what is done can be done. */
async function fresh({ path }: Route): Promise<Named> {
  const customer = await office.customer('NBO');
  const whose = { ...named, subscriberId: String(customer.subscriberId) };
  if (path.includes('{accountId}')) {
    return { ...whose, ...(await furnishPostpaid(office, 'NBO', customer.subscriberId)) };
  }
  await office.pay('NBO', { amount: 100_000n, accountRef: customer.phone });
  const [payment] = await office.rows(
    `SELECT id FROM inbox WHERE channel_id = 'paybill-NBO' AND state = 'settled'
      ORDER BY id DESC LIMIT 1`,
  );
  const { cardId, phone } = customer;
  return { ...whose, cardId: String(cardId), phone, paymentId: String(payment?.id) };
}

const journals = async () => (await office.rows('SELECT count(*) AS n FROM journal'))[0]?.n;

/** All routes in one go, also where others work beside. */
const TIME_LIMIT_MS = 80_000;

/** Acts on cards and decoders have keys too, but no money moves: `devices.test.ts`. */
const OF_THINGS = /^\/(viewing-cards|decoders)\/|\/blacklistings$/;

describe('a call that moves money', () => {
  const itOfEach = (title: string, test: (route: Route) => Promise<void>) =>
    it(
      title,
      async () => {
        const routes = declared(({ idempotent, path }) => idempotent && !OF_THINGS.test(path));
        expect(routes.length).toBeGreaterThanOrEqual(45);
        for (const [, route] of routes) await test(route);
      },
      TIME_LIMIT_MS,
    );
  const prepared = async (route: Route) => {
    serial += 1;
    const token = await tokenFor(route);
    const money = await prepareMoney(office, route, await fresh(route));
    const path = pathOf(route, money.named);
    const key = `key-${serial}-abcdef`;
    const send = (o: { key?: string; body?: unknown; token?: string } = {}) =>
      office.call(route.method, path, { token, key, body: money.body, ...o });
    return { send, ...money };
  };
  type Answer = Awaited<ReturnType<Awaited<ReturnType<typeof prepared>>['send']>>;
  const is = (route: Route, { status, body, headers }: Answer, wanted: unknown[]) => {
    const isAgain = headers['idempotent-replayed'] === 'true';
    const said = [status, body.code ?? null, isAgain ? 'again' : 'new'];
    expect([routeName(route), ...said]).toEqual([routeName(route), ...wanted]);
  };
  const endKeys = () =>
    office.pool.query('UPDATE idempotency_key SET expires_at = $1', [office.now()]);

  itOfEach(
    'needs a key, acts once for it, and for something else only after 90 days',
    async (route) => {
      const { send, other } = await prepared(route);
      const key = ['', 'short', 'with blank', 'x'.repeat(129)][serial % 4] ?? '';
      is(route, await send({ key }), [400, 'idempotency_key_missing', 'new']);
      const first = await send();
      is(route, first, [201, null, 'new']);
      const before = await journals();
      office.later(1_000);
      const second = await send();
      is(route, second, [201, null, 'again']);
      expect(second.body).toEqual(first.body);
      const another = await send({ body: other });
      is(route, another, [422, 'idempotency_key_reused', 'new']);
      expect(another.body.fields[0].path).toMatch(/^body\./);
      expect(await journals()).toBe(before);

      const { settles } = office.fault;
      await endKeys();
      is(route, await send(), [201, null, 'new']);
      expect(await journals()).toBe(before);
      await endKeys();
      await send({ body: other });
      expect([routeName(route), office.fault.settles]).toEqual([routeName(route), settles + 2]);
      const isMore = (await journals()) !== before;
      expect([routeName(route), isMore]).toEqual([routeName(route), ACTS_AGAIN.test(route.path)]);
    },
  );

  itOfEach(
    'asked many times at once acts once; another caller has keys of their own',
    async (route) => {
      const { send } = await prepared(route);
      const before = office.fault.settles;
      const answers = await Promise.all(Array.from({ length: 4 }, () => send()));
      const done = answers.filter(({ status }) => status < 300);
      expect(done.length).toBeGreaterThanOrEqual(1);
      for (const { status, headers } of answers) {
        if (status >= 300) expect([status, headers['retry-after']]).toEqual([409, '2']);
      }
      expect(office.fault.settles - before).toBe(1);
      const { headers } = await send({ token: await tokenFor(route) });
      expect(headers['idempotent-replayed']).toBeUndefined();
      expect([routeName(route), office.fault.settles]).toEqual([routeName(route), before + 2]);
    },
  );

  itOfEach(
    'whose process ends between the books and the answer is not done twice',
    async (route) => {
      const { send } = await prepared(route);
      office.fault.afterSettle = () => {
        throw new Error('killed');
      };
      is(route, await send(), [500, 'internal', 'new']);
      office.fault.afterSettle = null;
      const before = await journals();
      is(route, await send(), [201, null, 'new']);
      expect(await journals()).toBe(before);
      is(route, await send(), [201, null, 'again']);
    },
  );
});

describe('a list', () => {
  const PAGES_MAX = 20;
  const walk = async (path: string, token: string, limit: number): Promise<string[]> => {
    const seen: string[] = [];
    let next: string | null = '';
    for (let page = 0; next !== null && page < PAGES_MAX; page += 1) {
      const cursor: string = next === '' ? '' : `&cursor=${next}`;
      const { status, body } = await office.call('get', `${path}?limit=${limit}${cursor}`, {
        token,
      });
      expect([path, status]).toEqual([path, 200]);
      expect(body.items.length).toBeLessThanOrEqual(limit);
      if (body.next) expect(body.items).toHaveLength(limit);
      seen.push(...body.items.map((item: object) => JSON.stringify(item)));
      next = body.next;
    }
    return seen;
  };

  it('is the same walked by ones and at once, each row once', async () => {
    for (let i = 0; i < 3; i += 1) await office.customer('NBO');
    const lists = declared(({ paged }) => paged);
    expect(lists.length).toBeGreaterThanOrEqual(10);
    for (const [name, route] of lists) {
      const token = await tokenFor(route);
      const path = pathOf(route, named);
      const all = await walk(path, token, 13);
      const byTwos = await walk(path, token, 2);
      expect([name, byTwos]).toEqual([name, all.slice(0, byTwos.length)]);
      expect(new Set(all).size).toBe(all.length);
      if (all.length < 40) expect([name, byTwos.length]).toEqual([name, all.length]);
    }
  });

  it('refuses a limit that is none, a cursor that is forged, and one of another list', async () => {
    const lists = declared(({ paged }) => paged);
    const subscribers = lists.find(([name]) => name === 'GET /subscribers')?.[1] as Route;
    const token = (await office.staff(['auditor'])).token;
    const { body } = await office.call('get', '/subscribers?limit=1', { token });
    const cursor: string = body.next;
    expect(subscribers.paged).toBe(true);
    for (const [name, route] of lists) {
      const path = pathOf(route, named);
      const own = await tokenFor(route);
      const ask = async (query: string) => {
        const answer = await office.call('get', `${path}?${query}`, { token: own });
        return [name, answer.status, answer.body.code];
      };
      for (const limit of ['0', '201', '-1', '1.5', 'x']) {
        expect(await ask(`limit=${limit}`)).toEqual([name, 400, 'invalid_query']);
      }
      expect(await ask('cursor=zzz.1.AAAA')).toEqual([name, 400, 'invalid_cursor']);
      expect(await ask(`cursor=${cursor}&nobody=1`)).toEqual([name, 400, 'invalid_query']);
      if (name === 'GET /subscribers') {
        expect(await ask(`cursor=${cursor}&name=a`)).toEqual([name, 400, 'invalid_cursor']);
      } else {
        expect(await ask(`cursor=${cursor}`)).toEqual([name, 400, 'invalid_cursor']);
      }
    }
  });
});

describe('what two may change', () => {
  it('is changed only by who names the state they saw', async () => {
    // What waits for a second person has changed nothing yet.
    const writes = declared(({ etag, answers }) => etag === 'write' && !answers[202]);
    expect(writes.length).toBeGreaterThanOrEqual(2);
    for (const [name, route] of writes) {
      const path = pathOf(route, await fresh(route));
      const token = await tokenFor(route);
      const reader = (await office.staff(['auditor'])).token;
      const read = await office.call('get', path, { token: reader });
      const change = (ifMatch: string) =>
        office.call(route.method, path, { token, ifMatch, body: route.example });
      const missing = await office.call(route.method, path, { token, body: route.example });
      expect([name, missing.status, missing.body.code]).toEqual([
        name,
        428,
        'precondition_required',
      ]);
      expect((await change('"stale"')).body.code).toBe('precondition_failed');
      const done = await change(read.headers.etag as string);
      expect([name, done.status]).toEqual([name, 200]);
      expect(done.headers.etag).not.toBe(read.headers.etag);
      expect((await change(read.headers.etag as string)).status).toBe(412);
      const after = await office.call('get', path, { token: reader });
      expect(after.headers.etag).toBe(done.headers.etag);
      expect(after.body).toEqual(done.body);
    }
  });

  it('is not sent again to who has it', async () => {
    for (const [name, route] of declared(({ etag }) => etag === 'read')) {
      const token = await tokenFor(route);
      const path = pathOf(route, named);
      const { headers } = await office.call('get', path, { token });
      const again = await office
        .call('get', path, { token })
        .set('If-None-Match', headers.etag as string);
      expect([name, again.status, again.text]).toEqual([name, 304, '']);
    }
  });
});

describe('every declaration', () => {
  it('has a path of its own', () => {
    const names = office.routes.map(routeName);
    expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
  });

  it('has an example that its body takes', () => {
    for (const [name, { body, example }] of declared((route) => route.body)) {
      expect([name, body?.safeParse(example).success]).toEqual([name, true]);
    }
  });

  it('has a line in the audit when it writes', () => {
    const silent = declared(({ method, write }) => method !== 'get' && !write);
    expect(silent.map(([name]) => name)).toEqual([]);
  });
});
