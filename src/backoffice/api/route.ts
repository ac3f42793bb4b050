/**
 * How a route is declared. From the same declaration come the express route, the checks before its
 * handler, the OpenAPI document, and the tests that run over every route.
 */
import { hash } from 'node:crypto';
import type { Pool, PoolClient } from 'pg';
import { z } from 'zod';
import type { Permission } from '../people/permissions.ts';
import type { Principal } from '../people/principal.ts';
import type { Problem, ProblemCode } from './problems.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

export interface PageKey {
  at: Date;
  id: bigint;
}

/** What an audit line says beyond who, when and where. */
export interface Note {
  objectId?: string | bigint | null;
  siteId?: bigint | null;
  before?: unknown;
  after?: unknown;
  reason?: string | null;
}

export interface Call<P, Q, B> {
  principal: Principal;
  params: P;
  query: Q;
  body: B;
  now: Date;
  requestId: string;
  remote: string;
  agent: string;
  /** The transaction of the call where it writes `here`; the pool else. */
  db: Pool | PoolClient;
  /** Unique to the caller, route and idempotency key: what is done under it is done once. */
  receipt: string;
  /** Of a list: where it goes on, and one row more than is shown. */
  page: { after: PageKey | null; fetch: number };
  /** The answer of a list, from the rows fetched. */
  pageOf<R>(rows: readonly R[], keyOf: (row: R) => PageKey, view: (row: R) => unknown): Answer;
  /** The problem when If-Match does not name this representation; null when it does. */
  staleness(current: unknown): Problem | null;
  /** Adds to the audit line of the call. */
  note(note: Note): void;
}

export interface Answer {
  status: number;
  body?: unknown;
  headers?: Readonly<Record<string, string>>;
}

export interface RouteSpec<P extends z.ZodType, Q extends z.ZodType, B extends z.ZodType> {
  method: Method;
  /** From the API's root, with `{names}` of parameters. */
  path: string;
  tag: string;
  summary: string;
  /** `signed_in`: staff, whatever their roles. */
  access: Permission | 'signed_in' | 'public';
  /** May be called before the password is changed and the second factor enrolled. */
  whilePending?: true;
  params?: P;
  query?: Q;
  body?: B;
  /** How large its body may be; 64 KiB unless said. */
  bodyBytesMax?: number;
  /** A body that can be sent; checked against the schema by a test. */
  example?: z.input<B>;
  /** Fields of the body that are kept signed, not as they are: with the key and in the audit. */
  secrets?: readonly string[];
  answers: Readonly<Record<number, z.ZodType | null>>;
  /** The type of a file that may be answered with 200 instead of JSON. */
  file?: 'application/pdf';
  /** Problems of its own, beside those that every route may answer. */
  problems?: readonly ProblemCode[];
  /** It moves money: an Idempotency-Key is needed, and a repeat gets the first answer. */
  idempotent?: true;
  /** `read` answers with an ETag; `write` needs it in If-Match. */
  etag?: 'read' | 'write';
  paged?: true;
  /** `here`: in one transaction with the audit line. `itself`: by a room that commits by itself. */
  write?: { object: string; commits: 'here' | 'itself' | 'own_audit' };
  handler(call: Call<z.output<P>, z.output<Q>, z.output<B>>): Promise<Answer | Problem>;
}

export type Route = RouteSpec<z.ZodType, z.ZodType, z.ZodType>;

/** No parameters, no query, no body: what is not declared is refused. */
export const NOTHING = z.strictObject({});
type Nothing = typeof NOTHING;

/** Declares a route. */
export const route = <
  P extends z.ZodType = Nothing,
  Q extends z.ZodType = Nothing,
  B extends z.ZodType = Nothing,
>(
  spec: RouteSpec<P, Q, B>,
): Route => spec as unknown as Route;

/** `POST /subscribers/{subscriberId}/top-ups`: how a route is called in audit lines and keys. */
export const routeName = ({ method, path }: Pick<Route, 'method' | 'path'>): string =>
  `${method.toUpperCase()} ${path}`;

export const ok = (body: unknown): Answer => ({ status: 200, body });
export const created = (body: unknown, location?: string): Answer => ({
  status: 201,
  body,
  ...(location ? { headers: { Location: `/api/v1${location}` } } : {}),
});
export const accepted = (body: unknown, location: string): Answer => ({
  status: 202,
  body,
  headers: { Location: `/api/v1${location}` },
});
export const noContent: Answer = { status: 204 };

/** A file to be kept under a name, with its SHA-256 (RFC 9530). */
export const file = (type: NonNullable<Route['file']>, name: string, bytes: Buffer): Answer => ({
  status: 200,
  body: bytes,
  headers: {
    'Content-Type': type,
    'Content-Disposition': `attachment; filename="${name}"`,
    'Repr-Digest': `sha-256=:${hash('sha256', bytes, 'base64')}:`,
  },
});
