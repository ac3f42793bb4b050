import { type Route, routeName } from '../../../src/backoffice/api/route.ts';
import {
  conflictsOf,
  type Permission,
  permissionsOf,
  ROLE_NAMES,
  type RoleName,
} from '../../../src/backoffice/people/permissions.ts';
import { furnish, type Named, pathOf } from './fixtures.ts';
import { createOffice, type Office } from './office.ts';

/**
 * Goal: who may call what is what the declarations say, for every role and every route, and another
 * site's data never come out. Method: every declared route is called by everybody.
 */
let office: Office;
let nairobi: Named;
let abidjan: Named;
beforeAll(async () => {
  office = await createOffice();
  nairobi = await furnish(office, 'NBO');
  abidjan = await furnish(office, 'ABJ');
});
afterAll(() => office.close());

const may = ({ access }: Route, role: RoleName): boolean =>
  access === 'public' || access === 'signed_in' || permissionsOf([role]).includes(access);

/** A body that is refused by everything that reads one: only who may call is asked for. */
const UNREADABLE = { nobody: 'reads this' };
const wantsBody = (route: Route) => route.body !== undefined;

/** Ends the session it is called with, or changes something though nothing is said. */
const ACTS_AT_ONCE = /^(delete|put)$/;

describe('every route', () => {
  it.each(ROLE_NAMES)('answers a %s if its permission is held, and only then', async (role) => {
    const wrong: string[] = [];
    const { token } = await office.staff([role]);
    for (const route of office.routes) {
      if (may(route, role) && ACTS_AT_ONCE.test(route.method)) continue;
      const path = pathOf(route, nairobi);
      const options = { token, ...(wantsBody(route) ? { body: UNREADABLE } : {}) };
      const { status, body } = await office.call(route.method, path, options);
      const isRefused = status === 401 || body.code === 'forbidden';
      if (isRefused === may(route, role) || status >= 500)
        wrong.push(`${routeName(route)} ${status}`);
    }
    expect(wrong).toEqual([]);
  });

  it('answers nobody without a token that is somebody’s, unless it is public', async () => {
    const over = await office.staff(['auditor']);
    await office.pool.query('UPDATE staff_session SET ended_at = now() WHERE staff_id = $1', [
      over.id,
    ]);
    const wrong: string[] = [];
    for (const route of office.routes.filter(({ access }) => access !== 'public')) {
      const path = pathOf(route, nairobi);
      for (const token of [undefined, `vips_${'x'.repeat(43)}`, 'vipk_0_0', over.token]) {
        const options = token === undefined ? {} : { token };
        const { status, headers } = await office.call(route.method, path, options);
        if (status !== 401 || headers['www-authenticate'] !== 'Bearer') {
          wrong.push(`${routeName(route)} ${token} ${status}`);
        }
      }
    }
    expect(wrong).toEqual([]);
  });

  it('changes nothing, when it is an auditor who calls', () => {
    const acts = office.routes.filter((route) => may(route, 'auditor') && route.method !== 'get');
    const kinds = new Set(acts.map(({ access }) => access));
    expect(kinds).toEqual(new Set(['public', 'signed_in']));
  });
});

describe('who may ask for a second person', () => {
  it('may not be one, whatever other roles are held', () => {
    const asks = office.routes.filter(({ answers }) => answers[202]?.meta()?.id === 'Approval');
    expect(asks.length).toBeGreaterThan(10);
    const alone = asks.filter(({ access }) => {
      return conflictsOf([access as Permission, 'approval.decide']).length === 0;
    });
    expect(alone.map(routeName)).toEqual([]);
  });
});

/** Everybody with the permission, who sees one site alone. */
async function insider(route: Route): Promise<string | null> {
  const role = ROLE_NAMES.find((one) => may(route, one) && route.access !== 'signed_in');
  return role ? (await office.staff([role], ['ABJ'])).token : null;
}

/** What a list shows of Nairobi to somebody of Abidjan. */
async function leaks(route: Route, token: string): Promise<string[]> {
  const { status, body } = await office.call('get', route.path, { token });
  const text = JSON.stringify(body);
  const secrets = Object.entries(nairobi).filter(([name, value]) => value !== abidjan[name]);
  const found = secrets.filter(([, value]) => text.includes(`"${value}"`)).map(([name]) => name);
  // What speaks of the whole house is not there for who sees a part of it.
  if (status !== 200 && status !== 404) found.push(String(status));
  if (/"(site|code)":"NBO"/.test(text)) found.push('site');
  const asked = await office.call('get', `${route.path}?site=NBO`, { token });
  if (asked.status === 200 && asked.body.items.length > 0) found.push('asked for');
  return found.map((name) => `${routeName(route)}: ${name}`);
}

describe('another site', () => {
  it('does not exist, whatever is asked of it', async () => {
    const routes = office.routes.filter(({ path, access }) => {
      return path.includes('{') && access !== 'public';
    });
    const wrong: string[] = [];
    let tried = 0;
    for (const route of routes) {
      const token = await insider(route);
      if (token === null) continue;
      tried += 1;
      const answer = await office.call(route.method, pathOf(route, nairobi), {
        ...{ token, key: `key-${tried}-nairobi`, ifMatch: '"x"' },
        ...(route.body ? { body: route.example } : {}),
      });
      const said = `${answer.status} ${answer.body.code}`;
      if (said !== '404 not_found') wrong.push(`${routeName(route)} ${said}`);
    }
    expect(wrong).toEqual([]);
    expect(tried).toBeGreaterThan(20);
  });

  it('has nothing in any list', async () => {
    const wrong: string[] = [];
    for (const route of office.routes) {
      const token = route.method === 'get' && !route.path.includes('{') && (await insider(route));
      if (token) wrong.push(...(await leaks(route, token)));
    }
    expect(wrong).toEqual([]);
    const { token } = await office.staff(['customer_care'], ['ABJ']);
    const own = await office.call('get', '/subscribers', { token });
    expect(JSON.stringify(own.body)).toContain(`"${abidjan.subscriberId}"`);
  });

  it('is seen by who sees all', async () => {
    const { token } = await office.staff(['auditor']);
    const { body } = await office.call('get', '/subscribers', { token });
    const sites = new Set(body.items.map(({ site }: { site: string }) => site));
    expect(sites).toEqual(new Set(['NBO', 'ABJ']));
  });
});
