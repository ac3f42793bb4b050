import { createOffice, type Office } from './office.ts';

/** Goal: what stands in front of every route: limits, the document, its page. */
describe('the door', () => {
  let office: Office;
  beforeAll(async () => {
    const limits = { perMinute: 5, moneyPerMinute: 1, strangersPerMinute: 8 };
    office = await createOffice({ limits });
  });
  afterAll(() => office.close());

  it('lets a caller call so often, and pay less often, with nobody else in their way', async () => {
    const [busy, calm] = [await office.staff(['cashier']), await office.staff(['cashier'])];
    const me = (token: string) => office.call('get', '/me', { token });
    for (let i = 0; i < 5; i += 1) expect((await me(busy.token)).status).toBe(200);
    const over = await me(busy.token);
    expect([over.status, over.body.code, over.headers['retry-after']]).toEqual([
      429,
      'rate_limited',
      '60',
    ]);
    const pay = (key: string) =>
      office.call('post', '/cards/1/terms', { token: calm.token, key, body: { term: 'day' } });
    expect((await pay('first-key')).status).toBe(404);
    expect((await pay('second-key')).status).toBe(429);
    expect((await me(calm.token)).status).toBe(200);
  });

  it('slows down an address that tries tokens', async () => {
    const statuses: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      const { status } = await office.call('get', '/me', { token: `vips_${'x'.repeat(43)}` });
      statuses.push(status);
    }
    expect(new Set(statuses)).toEqual(new Set([401, 429]));
  });

  it('gives every answer an id, the caller’s own where there is one, and no cache', async () => {
    const { token } = await office.staff(['cashier']);
    const { headers } = await office.call('get', '/me', { token });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{24}$/);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
    expect(headers.etag).toBeUndefined();
    const given = await office.call('get', '/me', { token }).set('X-Request-Id', 'till-7-0001');
    expect(given.headers['x-request-id']).toBe('till-7-0001');
  });

  it('shows the document as a page that loads nothing from elsewhere', async () => {
    const page = await office.call('get', '/docs/');
    const sources = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, to]) => to);
    expect(sources).toHaveLength(4);
    for (const source of sources) {
      const file = await office.call('get', `/docs/${source}`);
      expect([source, file.status]).toEqual([source, 200]);
    }
    expect(page.headers['content-security-policy']).toContain("script-src 'self';");
    expect((await office.call('get', '/docs')).headers.location).toBe('/api/v1/docs/');
    for (const path of ['/docs/package.json', '/docs/..%2f..%2fpackage.json']) {
      expect((await office.call('get', path)).status).toBe(404);
    }
  });

  it('has a document in which every reference leads somewhere', async () => {
    const { body } = await office.call('get', '/openapi.json');
    expect(body).toEqual(office.document());
    expect(body.openapi).toBe('3.1.0');
    expect(body.servers).toEqual([{ url: 'https://billing.example/api/v1' }]);
    const names = new Set(Object.keys(body.components.schemas));
    const text = JSON.stringify(body);
    const wanted = [...text.matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(([, name]) => name);
    expect(new Set(wanted)).toEqual(names);
    const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id);
    expect(ids).toHaveLength(office.routes.length);
    expect(new Set(ids).size).toBe(ids.length);
  });
});
