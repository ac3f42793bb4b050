/**
 * What happens to every call before and after its handler, in this order: who is it, how often, may
 * they, what do they say; then the act with its audit line, and the answer as it was declared.
 */
import type { Pool } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Clock, Ids, Logger } from '../../platform/ports.ts';
import { type AuditLine, writeAudit } from '../people/audit.ts';
import type { Permission } from '../people/permissions.ts';
import type { Principal } from '../people/principal.ts';
import type { Vault } from '../people/vault.ts';
import { lineOf, plainOf } from './audit-line.ts';
import { etagOf, namesTag } from './canonical.ts';
import { readCursor, writeCursor } from './cursor.ts';
import {
  type Asked,
  claimKey,
  freeKey,
  KEY_SHAPE,
  keepAnswer,
  receiptOf,
  yieldKey,
} from './idempotency.ts';
import type { Limiter } from './limits.ts';
import { PROBLEMS, type Problem, problem, problemBody } from './problems.ts';
import { check } from './request.ts';
import {
  type Answer,
  type Call,
  NOTHING,
  type Note,
  type PageKey,
  type Route,
  routeName,
} from './route.ts';

export interface PipelineDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  /** What tokens, codes and idempotency keys live by: nobody moves it. */
  machineClock: Clock;
  /** The time that those named by these parameters live by; null: the house's. */
  timeOf?(params: Readonly<Record<string, unknown>>): Promise<Date | null>;
  logger: Logger;
  vault: Vault;
  limiter: Limiter;
  /** Whose token this is; null when it is nobody's. */
  authenticate(token: string, now: Date): Promise<Principal | null>;
}

/** A request, taken off the wire. */
export interface Asking {
  token: string | null;
  params: unknown;
  query: Record<string, unknown>;
  /** Read when everything before was in order. */
  body(): Promise<{ ok: true; value: unknown } | { ok: false; problem: Problem }>;
  idempotencyKey: string;
  ifMatch: string;
  ifNoneMatch: string;
  requestId: string;
  remote: string;
  agent: string;
}

type AnyCall = Call<unknown, unknown, unknown>;
type Result = Answer | Problem;

export const isProblem = (result: Result): result is Problem => 'problem' in result;

/** Nobody: the caller of a public route. */
const NOBODY: Principal = {
  key: 'nobody',
  kind: 'api_key',
  id: 0n,
  name: 'nobody',
  role: 'none',
  permissions: new Set(),
  sites: new Set(),
  sessionId: null,
  pending: null,
};

/** Answers a call, or says what is wrong with it. Rejects for bugs and lost infrastructure. */
export async function answerCall(
  deps: PipelineDeps,
  route: Route,
  asking: Asking,
): Promise<Answer> {
  const result = await work(deps, route, asking);
  return isProblem(result) ? problemAnswer(result) : result;
}

/** A problem as it is sent. */
export const problemAnswer = (given: Problem): Answer => ({
  status: PROBLEMS[given.problem].status,
  body: problemBody(given),
  headers: { 'Content-Type': 'application/problem+json', ...given.headers },
});

async function work(deps: PipelineDeps, route: Route, asking: Asking): Promise<Result> {
  const who = await letIn(deps, route, asking, deps.machineClock.now());
  if ('problem' in who) return who;
  const said = await understand(deps, route, asking);
  if ('problem' in said) return said;
  const now = await nowOf(deps, route, said.params);
  const call = callOf(deps, route, asking, { ...said, principal: who.principal, now });
  if (route.idempotent) return actOnce(deps, route, asking, call);
  if (!route.write || route.write.commits === 'own_audit') {
    return readAnswer(route, asking, await route.handler(call));
  }
  return route.write.commits === 'here'
    ? writeHere(deps, route, call)
    : writeElsewhere(deps, route, call);
}

/** Sessions, second factors, staff and keys live by the machine's time, all else by the house's. */
async function nowOf(deps: PipelineDeps, { access }: Route, params: unknown): Promise<Date> {
  if (/^(public$|signed_in$|staff\.|api_key\.)/.test(access)) return deps.machineClock.now();
  const own = await deps.timeOf?.(params as Record<string, unknown>);
  return own ?? deps.clock.now();
}

/** Who it is, how often they called, and whether they may. */
async function letIn(
  deps: PipelineDeps,
  { access, whilePending, idempotent }: Route,
  { token, remote }: Asking,
  now: Date,
): Promise<{ principal: Principal } | Problem> {
  if (access === 'public') {
    const counted = await deps.limiter.stranger(remote);
    return counted === 'fine' ? { principal: NOBODY } : limited(counted);
  }
  const principal = token === null ? null : await deps.authenticate(token, now);
  if (!principal) {
    const counted = await deps.limiter.stranger(remote);
    if (counted !== 'fine') return limited(counted);
    return problem('sign_in_needed', { headers: { 'WWW-Authenticate': 'Bearer' } });
  }
  const counted = await deps.limiter.caller(principal.key, idempotent === true);
  if (counted !== 'fine') return limited(counted);
  if (principal.pending && !whilePending) return problem(`${principal.pending}_pending`);
  return mayCall(principal, access) ? { principal } : problem('forbidden');
}

const mayCall = (principal: Principal, access: Permission | 'signed_in' | 'public'): boolean =>
  access === 'signed_in' || access === 'public'
    ? principal.kind === 'staff'
    : principal.permissions.has(access);

const limited = (counted: 'over' | 'away'): Problem =>
  counted === 'over'
    ? problem('rate_limited', { headers: { 'Retry-After': '60' } })
    : problem('unavailable', { headers: { 'Retry-After': '1' } });

interface Said {
  params: unknown;
  query: unknown;
  body: unknown;
  page: { after: PageKey | null; limit: number };
}

/** Path, query, cursor, body and the headers a route needs. */
async function understand(
  deps: PipelineDeps,
  route: Route,
  asking: Asking,
): Promise<Said | Problem> {
  const params = route.params ? check(route.params, asking.params, 'path') : null;
  if (params?.ok === false) return problem('not_found', { fields: params.fields });
  const query = check(route.query ?? NOTHING, asking.query, 'query');
  if (!query.ok) return problem('invalid_query', { fields: query.fields });
  const page = readPage(deps, route, asking, query.value);
  if ('problem' in page) return page;
  if (route.idempotent && !KEY_SHAPE.test(asking.idempotencyKey)) {
    return problem('idempotency_key_missing');
  }
  if (route.etag === 'write' && asking.ifMatch === '') return problem('precondition_required');
  const read = route.body ? await asking.body() : null;
  if (read?.ok === false) return read.problem;
  const body = route.body ? check(route.body, read?.value, '') : null;
  if (body?.ok === false) return problem('invalid_body', { fields: body.fields });
  return { params: params?.value ?? {}, query: query.value, body: body?.value ?? {}, page };
}

const EMPTY_PAGE = { after: null, limit: 0 };

function readPage(
  deps: PipelineDeps,
  route: Route,
  asking: Asking,
  query: unknown,
): { after: PageKey | null; limit: number } | Problem {
  if (!route.paged) return EMPTY_PAGE;
  const { cursor, limit } = query as { cursor?: string; limit: string };
  const after = cursor ? readCursor(deps.vault, listName(route, asking), cursor) : null;
  if (cursor && !after) return problem('invalid_cursor');
  return { after, limit: Number(limit) };
}

/** A cursor is good for one list with one set of filters. */
function listName(route: Route, { params, query }: Asking): string {
  const { cursor: _cursor, limit: _limit, ...filters } = query;
  return `${routeName(route)} ${etagOf({ params, filters })}`;
}

function callOf(
  deps: PipelineDeps,
  route: Route,
  asking: Asking,
  said: Said & { principal: Principal; now: Date },
): AnyCall & { notes: Note } {
  const { page, ...rest } = said;
  const notes: Note = {};
  const { requestId, remote, agent, idempotencyKey: key } = asking;
  const { vault } = deps;
  return {
    ...rest,
    ...{ requestId, remote, agent, notes },
    db: deps.pool,
    receipt: receiptOf(askedBy(deps, route, said, key)),
    page: { after: page.after, fetch: page.limit + 1 },
    pageOf(rows, keyOf, view) {
      const shown = rows.slice(0, page.limit);
      const last = rows.length > page.limit ? shown.at(-1) : undefined;
      const next = last ? writeCursor(vault, listName(route, asking), keyOf(last)) : null;
      return { status: 200, body: { items: shown.map(view), next } };
    },
    staleness: (current) =>
      namesTag(asking.ifMatch, etagOf(current)) ? null : problem('precondition_failed'),
    note: (note) => void Object.assign(notes, note),
  };
}

/** The answer with its tag, or 304 when the caller has it already. */
function readAnswer(route: Route, { ifNoneMatch }: Asking, result: Result): Result {
  if (isProblem(result) || route.etag !== 'read') return result;
  const tag = etagOf(result.body);
  const headers = { ...result.headers, ETag: tag };
  if (ifNoneMatch !== '' && namesTag(ifNoneMatch, tag)) return { status: 304, headers };
  return { ...result, headers };
}

/** Rolls the transaction back with its problem. */
class Refused extends Error {
  readonly given: Problem;
  constructor(given: Problem) {
    super(given.problem);
    this.given = given;
  }
}

/** The act and its audit line in one transaction. */
async function writeHere(
  deps: PipelineDeps,
  route: Route,
  call: AnyCall & { notes: Note },
): Promise<Result> {
  try {
    return await transaction(deps.pool, async (client) => {
      const result = await route.handler({ ...call, db: client });
      if (isProblem(result)) throw new Refused(result);
      await writeAudit(client, deps.ids, lineOf(route, call, 'done'));
      return tagged(route, result);
    });
  } catch (error) {
    if (error instanceof Refused) return error.given;
    throw error;
  }
}

const ASKED_FOR = 202;

/** With the tag of what was changed, where two may change it; what is asked for changes nothing. */
const tagged = ({ etag }: Route, answer: Answer): Answer =>
  etag && answer.status !== ASKED_FOR
    ? { ...answer, headers: { ...answer.headers, ETag: etagOf(answer.body) } }
    : answer;

/** The act commits by itself: a line before it, and one after it. */
async function writeElsewhere(
  deps: PipelineDeps,
  route: Route,
  call: AnyCall & { notes: Note },
): Promise<Result> {
  call.note(aboutParams(call));
  await writeAudit(deps.pool, deps.ids, lineOf(route, call, 'asked'));
  const result = await route.handler(call);
  await writeAudit(deps.pool, deps.ids, lineOf(route, call, endOf(result)));
  return isProblem(result) ? result : tagged(route, result);
}

/** What a key is taken for. */
const askedBy = (
  { vault }: Pick<PipelineDeps, 'vault'>,
  route: Route,
  { principal, params, body }: Pick<AnyCall, 'principal' | 'params' | 'body'>,
  key: string,
): Asked => ({
  principal: principal.key,
  route: routeName(route),
  key,
  content: plainOf({ path: params, body: withoutSecrets(vault, route, body) }),
});

/** Two that differ stay different; what they were cannot be tried out without the vault's key. */
function withoutSecrets(vault: Vault, { secrets = [] }: Route, body: unknown): unknown {
  const hidden = { ...(body as Record<string, unknown>) };
  for (const name of secrets) {
    if (hidden[name] !== undefined) hidden[name] = `signed:${vault.sign(String(hidden[name]))}`;
  }
  return hidden;
}

/** As `writeElsewhere`, under a key that acts once. */
async function actOnce(
  deps: PipelineDeps,
  route: Route,
  asking: Asking,
  call: AnyCall & { notes: Note },
): Promise<Result> {
  const { pool, ids } = deps;
  const asked = askedBy(deps, route, call, asking.idempotencyKey);
  call.note({ ...aboutParams(call), after: asked.content });
  const claim = await transaction(pool, async (client) => {
    const taken = await claimKey(client, ids, asked, deps.machineClock.now());
    if (taken.kind === 'mine') await writeAudit(client, ids, lineOf(route, call, 'asked'));
    return taken;
  });
  if (claim.kind !== 'mine') return answerAgain(claim);
  let result: Result;
  try {
    result = await route.handler(call);
  } catch (error) {
    await yieldKey(pool, claim.id, deps.machineClock.now()).catch(() => undefined);
    throw error;
  }
  await transaction(pool, async (client) => {
    await writeAudit(client, ids, lineOf(route, call, endOf(result)));
    if (!isProblem(result) || result.isKept) return keepAnswer(client, claim.id, kept(result));
    if (PROBLEMS[result.problem].status >= 500) {
      return yieldKey(client, claim.id, deps.machineClock.now());
    }
    return freeKey(client, claim.id);
  });
  return result;
}

function answerAgain(
  claim: Exclude<Awaited<ReturnType<typeof claimKey>>, { kind: 'mine' }>,
): Result {
  if (claim.kind === 'answered') {
    const { status, body, headers } = claim.answer;
    return { status, body, headers: { ...headers, 'Idempotent-Replayed': 'true' } };
  }
  if (claim.kind === 'differs') {
    const fields = claim.fields.map((path) => ({
      path,
      code: 'differs',
      message: 'Not what it was when the key was used first',
    }));
    return problem('idempotency_key_reused', { fields });
  }
  const headers = { 'Retry-After': String(claim.retryAfterS) };
  return problem('idempotency_in_progress', { headers });
}

function kept(result: Result) {
  const { status, body, headers } = isProblem(result) ? problemAnswer(result) : result;
  return { status, body, headers: { ...headers } };
}

const endOf = (result: Result): AuditLine['outcome'] => {
  if (!isProblem(result)) return 'done';
  return PROBLEMS[result.problem].status >= 500 ? 'failed' : 'refused';
};

/** Until the handler says more, the object is what the path names. */
function aboutParams({ params }: AnyCall): Note {
  const [first] = Object.values(params as Record<string, unknown>);
  return { objectId: first === undefined ? null : String(first) };
}
