/** The OpenAPI 3.1 document, made of the declarations. */
import { z } from 'zod';
import { PERMISSIONS } from '../people/permissions.ts';
import { PROBLEMS, type ProblemCode } from './problems.ts';
import { type Route, routeName } from './route.ts';

type Json = Record<string, unknown>;

/** As problems are sent. */
export const problemSchema = z
  .strictObject({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    detail: z.string().optional(),
    fields: z
      .array(z.strictObject({ path: z.string(), code: z.string(), message: z.string() }))
      .optional(),
  })
  .meta({ id: 'Problem' });

const ABOUT = `Money is a decimal number in quotes with its currency; instants are RFC 3339 in UTC.
Calls that move money need an \`Idempotency-Key\`: repeated, they answer as the first time, for
90 days. Lists are paged by \`cursor\` and \`limit\`. Whatever is wrong is answered as
\`application/problem+json\` with a \`code\`.`;

/** The document; `publicUrl` is where the server is reached from outside. */
export function openApiOf(routes: readonly Route[], publicUrl: string, version: string): Json {
  const schemas: Json = {};
  const paths: Record<string, Json> = {};
  schemaOf(problemSchema, 'output', schemas);
  for (const route of routes) {
    paths[route.path] ??= {};
    (paths[route.path] as Json)[route.method] = operationOf(route, schemas);
  }
  return {
    openapi: '3.1.0',
    info: { title: 'VIP Billing', version, description: ABOUT },
    servers: [{ url: `${publicUrl}/api/v1` }],
    tags: [...new Set(routes.map(({ tag }) => tag))].map((name) => ({ name })),
    paths,
    components: {
      schemas,
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
    },
  };
}

function operationOf(route: Route, schemas: Json): Json {
  const { access, body, example, tag, summary } = route;
  const description =
    access === 'public' || access === 'signed_in'
      ? null
      : `Needs \`${access}\`: ${PERMISSIONS[access]}.`;
  return {
    operationId: operationId(route),
    tags: [tag],
    summary,
    ...(description ? { description } : {}),
    security: access === 'public' ? [] : [{ token: [] }],
    parameters: [
      ...parametersOf(route.params, 'path', schemas),
      ...parametersOf(route.query, 'query', schemas),
      ...headersOf(route),
    ],
    ...(body
      ? {
          requestBody: {
            required: true,
            content: {
              'application/json': {
                schema: schemaOf(body, 'input', schemas),
                ...(example === undefined ? {} : { example }),
              },
            },
          },
        }
      : {}),
    responses: responsesOf(route, schemas),
  };
}

/** `post_subscribers_subscriberId_top_ups` */
const operationId = (route: Route): string =>
  routeName(route).toLowerCase().replaceAll(/\W+/g, '_').replace(/_$/, '');

const BINARY = { type: 'string', format: 'binary' };
const FILE_HEADERS = {
  'Repr-Digest': {
    description: 'SHA-256 of a file (RFC 9530)',
    schema: { type: 'string', pattern: '^sha-256=:[A-Za-z0-9+/]{43}=:$' },
  },
};

function responsesOf(route: Route, schemas: Json): Json {
  const answers = Object.entries(route.answers).map(([status, schema]) => [
    status,
    {
      description: status === '304' ? 'Not modified' : 'Done',
      ...(route.file && status === '200' ? { headers: FILE_HEADERS } : {}),
      ...(schema
        ? {
            content: {
              'application/json': { schema: schemaOf(schema, 'output', schemas) },
              ...(route.file && status === '200' ? { [route.file]: { schema: BINARY } } : {}),
            },
          }
        : {}),
    },
  ]);
  const problems = {
    description: problemsOf(route)
      .map((code) => `\`${code}\` (${PROBLEMS[code].status}): ${PROBLEMS[code].title}`)
      .join('\n\n'),
    content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
  };
  return Object.fromEntries([...answers, ['default', problems]]);
}

/** Beside those of the frame, which every route may answer. */
function problemsOf(route: Route): ProblemCode[] {
  const codes: ProblemCode[] = [...(route.problems ?? [])];
  if (route.params) codes.push('not_found');
  if (route.access !== 'public') codes.push('sign_in_needed', 'forbidden');
  if (route.body) codes.push('invalid_body');
  if (route.paged) codes.push('invalid_query', 'invalid_cursor');
  if (route.idempotent) codes.push('idempotency_key_reused', 'idempotency_in_progress');
  if (route.etag === 'write') codes.push('precondition_failed', 'precondition_required');
  return [...new Set([...codes, 'rate_limited' as const])];
}

function parametersOf(schema: z.ZodType | undefined, where: 'path' | 'query', schemas: Json) {
  if (!schema) return [];
  const { properties = {}, required = [] } = schemaOf(schema, 'input', schemas) as {
    properties?: Record<string, Json>;
    required?: string[];
  };
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property;
    return {
      name,
      in: where,
      required: where === 'path' || required.includes(name),
      ...(description ? { description } : {}),
      schema: rest,
    };
  });
}

function headersOf({ idempotent, etag }: Route): Json[] {
  const header = (name: string, required: boolean, pattern: string) => ({
    name,
    in: 'header',
    required,
    schema: { type: 'string', pattern },
  });
  return [
    ...(idempotent ? [header('Idempotency-Key', true, '^[!-~]{8,128}$')] : []),
    ...(etag === 'write' ? [header('If-Match', true, '^"[A-Za-z0-9_-]+"$')] : []),
    ...(etag === 'read' ? [header('If-None-Match', false, '^"[A-Za-z0-9_-]+"$')] : []),
  ];
}

/** JSON Schema of a schema; the named ones inside move to `schemas`. */
function schemaOf(schema: z.ZodType, io: 'input' | 'output', schemas: Json): Json {
  const { $schema: _dialect, $defs, ...rest } = z.toJSONSchema(schema, { io }) as Json;
  for (const [name, definition] of Object.entries(($defs ?? {}) as Json)) {
    const moved = withComponentRefs(definition);
    const known = schemas[name];
    if (known && JSON.stringify(known) !== JSON.stringify(moved)) {
      throw new Error(`Two schemas are called ${name}`);
    }
    schemas[name] = moved;
  }
  const id = schema.meta()?.id;
  if (!id) return withComponentRefs(rest) as Json;
  schemas[id] ??= withoutId(withComponentRefs(rest) as Json);
  return { $ref: `#/components/schemas/${id}` };
}

const withoutId = ({ id: _id, ...rest }: Json): Json => rest;

function withComponentRefs(value: unknown): unknown {
  const text = JSON.stringify(value).replaceAll('"#/$defs/', '"#/components/schemas/');
  return JSON.parse(text);
}
