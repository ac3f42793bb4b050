import fc from 'fast-check';
import type { Route } from '../../../src/backoffice/api/route.ts';
import {
  permissionsOf,
  ROLE_NAMES,
  type RoleName,
} from '../../../src/backoffice/people/permissions.ts';
import { type Described, isDeclared } from './declared.ts';
import { furnish, type Named } from './fixtures.ts';
import { type Components, faultsOf, type Schema, valuesOf } from './json-schema.ts';
import { createOffice, type Office } from './office.ts';

/**
 * Goal: nothing that is sent makes the API fail, and everything it answers is what its own document
 * says. Method: requests made by the OpenAPI document, some of them spoilt, to every operation, as
 * somebody who may and as somebody who may not.
 */
const RUNS = 8;
/** These derive a key from a password, which takes its time. */
const SLOW = new Set(['/sessions', '/me/password', '/staff', '/staff/{staffId}/password-resets']);
const SLOW_RUNS = 3;
const TIME_LIMIT_MS = 40_000;

interface Parameter {
  name: string;
  in: 'path' | 'query' | 'header';
  required: boolean;
  schema: Schema;
}

interface Operation extends Described {
  operationId: string;
  parameters: Parameter[];
  requestBody?: { content: { 'application/json': { schema: Schema; example?: unknown } } };
  responses: Record<string, { description?: string; content?: Record<string, { schema: Schema }> }>;
}

let office: Office;
let named: Named;
const tokens = new Map<RoleName, string>();
let components: Components;
beforeAll(async () => {
  office = await createOffice();
  named = await furnish(office, 'NBO');
  await furnish(office, 'ABJ');
  for (const role of ROLE_NAMES) tokens.set(role, (await office.staff([role])).token);
  components = (office.document().components as { schemas: Components }).schemas;
});
afterAll(() => office.close());

interface Sent {
  role: RoleName;
  path: Record<string, unknown>;
  query: Record<string, unknown>;
  headers: Record<string, unknown>;
  body: unknown;
  raw: Uint8Array | null;
}

/** What no schema allows, and what some programs choke on. */
const hostile = fc.constantFrom<unknown>(
  '\u0000',
  '\ud800',
  'a'.repeat(5_000),
  "'; DROP TABLE staff; --",
  '%',
  '../..',
  -1,
  1e308,
  9_007_199_254_740_992,
  '9223372036854775808',
  '0'.repeat(40),
  [],
  {},
  null,
  true,
  JSON.parse('{"__proto__": {"x": 1}, "constructor": 1}'),
);

const often = <T>(weight: number, usual: fc.Arbitrary<T>): fc.Arbitrary<T | unknown> =>
  fc.oneof({ weight, arbitrary: usual }, { weight: 1, arbitrary: hostile });

function parametersOf({ parameters }: Operation, where: Parameter['in']) {
  const all = parameters.filter((one) => one.in === where);
  const values = all.map(({ name, schema }): [string, fc.Arbitrary<unknown>] => {
    const known = named[name];
    const made = valuesOf(schema, components);
    // A path with three names of nobody is answered at the door.
    const usual =
      where === 'path' && known
        ? fc.oneof({ weight: 4, arbitrary: fc.constant(known) }, made)
        : made;
    return [name, often(12, usual)];
  });
  const requiredKeys = all.filter(({ required }) => required).map(({ name }) => name);
  return fc.record(Object.fromEntries(values), { requiredKeys });
}

/** A body by the schema, the example, or either with one field spoilt. */
function bodiesOf({ requestBody }: Operation): fc.Arbitrary<unknown> {
  const json = requestBody?.content['application/json'];
  if (!json) return fc.constant(undefined);
  const whole = fc.oneof(valuesOf(json.schema, components), fc.constant(json.example));
  const spoilt = fc
    .tuple(whole, fc.string({ maxLength: 8 }), fc.nat(), hostile)
    .map(([body, extra, at, value]) => {
      const fields = Object.keys((body ?? {}) as object);
      const name = fields.length > 0 && at % 4 !== 0 ? fields[at % fields.length] : extra;
      return { ...(body as object), [name ?? extra]: value };
    });
  return fc.oneof(
    { weight: 5, arbitrary: whole },
    { weight: 4, arbitrary: spoilt },
    fc.jsonValue(),
  );
}

function requestsOf(route: Route, operation: Operation): fc.Arbitrary<Sent> {
  const able = ROLE_NAMES.filter(
    (role) =>
      route.access === 'public' ||
      route.access === 'signed_in' ||
      permissionsOf([role]).includes(route.access),
  );
  return fc.record({
    role: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...able) },
      fc.constantFrom(...ROLE_NAMES),
    ),
    path: parametersOf(operation, 'path'),
    query: parametersOf(operation, 'query'),
    headers: parametersOf(operation, 'header'),
    body: bodiesOf(operation),
    raw: fc.oneof({ weight: 11, arbitrary: fc.constant(null) }, fc.uint8Array({ maxLength: 40 })),
  });
}

const inText = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed();

async function send(route: Route, sent: Sent) {
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    return encodeURIComponent(inText(sent.path[name])) || '%20';
  });
  const query = new URLSearchParams(
    Object.entries(sent.query).map(([name, value]): [string, string] => [name, inText(value)]),
  );
  const headers = new Headers({ Authorization: `Bearer ${tokens.get(sent.role)}` });
  for (const [name, value] of Object.entries(sent.headers)) {
    headers.set(
      name,
      inText(value)
        .replaceAll(/[^\x20-\x7e]/g, '?')
        .slice(0, 500),
    );
  }
  const hasBody = route.body !== undefined;
  if (hasBody) headers.set('Content-Type', 'application/json');
  const body = sent.raw ?? JSON.stringify(sent.body) ?? '';
  return fetch(`${office.url}${path}?${query}`, {
    method: route.method.toUpperCase(),
    headers,
    ...(hasBody ? { body: body as string } : {}),
  });
}

/** What is wrong with an answer, by the document. */
async function wrongWith(answer: Response, operation: Operation): Promise<string[]> {
  const { status } = answer;
  const text = await answer.text();
  if (status >= 500) return [`status ${status}: ${text}`];
  const declared = operation.responses[String(status)];
  const type = answer.headers.get('content-type') ?? '';
  if (status === 304 || (declared && !declared.content)) return text === '' ? [] : ['a body'];
  const content = (declared ?? operation.responses.default)?.content ?? {};
  const { schema } = content[type.split(';')[0] ?? ''] ?? {};
  if (!schema) return [`status ${status} as ${type}`];
  if (schema.format === 'binary') return text.startsWith('%PDF-') ? [] : ['no PDF'];
  return [
    ...undeclaredIn(text, operation, declared),
    ...faultsOf(schema, JSON.parse(text), components),
  ];
}

function undeclaredIn(text: string, operation: Operation, declared: unknown): string[] {
  const { code } = JSON.parse(text);
  return declared || isDeclared(operation, code) ? [] : [`undeclared: ${code}`];
}

describe('whatever is sent', () => {
  it(
    'is answered, and as the document says',
    async () => {
      const paths = office.document().paths as Record<string, Record<string, Operation>>;
      let calls = 0;
      let done = 0;
      for (const route of office.routes) {
        // It would end the sessions that all others are called with.
        if (route.path === '/me/session') continue;
        const operation = paths[route.path]?.[route.method] as Operation;
        await fc.assert(
          fc.asyncProperty(requestsOf(route, operation), async (sent) => {
            const answer = await send(route, sent);
            calls += 1;
            if (answer.status < 300) done += 1;
            expect(await wrongWith(answer, operation)).toEqual([]);
          }),
          { numRuns: SLOW.has(route.path) ? SLOW_RUNS : RUNS, endOnFailure: true },
        );
      }
      expect(office.errors).toEqual([]);
      // A fuzz that never gets in tests the door alone.
      expect(done / calls).toBeGreaterThan(0.15);
    },
    2 * TIME_LIMIT_MS,
  );

  it('is refused when it is too large, of another type, or no text', async () => {
    const { token } = await office.staff(['cashier']);
    const path = `/subscribers/${named.subscriberId}/top-ups`;
    const post = async (type: string, body: string | Uint8Array<ArrayBuffer>) => {
      const headers = { Authorization: `Bearer ${token}`, 'Idempotency-Key': 'key-refused' };
      const answer = await fetch(office.url + path, {
        method: 'POST',
        headers: { ...headers, 'Content-Type': type },
        body,
      });
      const { code } = (await answer.json()) as { code: string };
      return [answer.status, code];
    };
    const big = JSON.stringify({ amount: 'x'.repeat(70_000) });
    expect(await post('application/json', big)).toEqual([413, 'body_too_large']);
    expect(await post('text/plain', '{}')).toEqual([415, 'unsupported_media_type']);
    expect(await post('application/json', '{')).toEqual([400, 'malformed_request']);
    const bytes = new Uint8Array([0x22, 0xff, 0x22]);
    expect(await post('application/json', bytes)).toEqual([400, 'malformed_request']);
    expect(await post('application/json', '['.repeat(30_000))).toEqual([400, 'malformed_request']);
    const accept = await office.call('get', '/sites', { token }).set('Accept', 'text/html');
    expect([accept.status, accept.body.code]).toEqual([406, 'not_acceptable']);
    const method = await office.call('put', '/sites', { token });
    expect([method.status, method.headers.allow]).toEqual([405, 'GET']);
    const nowhere = await office.call('get', '/nowhere', { token });
    expect([nowhere.status, nowhere.body.code]).toEqual([404, 'not_found']);
  });
});
