/** The express router made of the declarations; every way out of it is JSON, or a declared file. */

import { type ErrorRequestHandler, type Request, type Response, Router } from 'express';
import { isConnectionLost } from '../../platform/database/pool.ts';
import { remoteOf } from '../../platform/http/remote.ts';
import type { Logger, Random } from '../../platform/ports.ts';
import { type Asking, answerCall, type PipelineDeps, problemAnswer } from './pipeline.ts';
import { problem } from './problems.ts';
import { acceptsJson, bearerToken, givenRequestId, header, readJson } from './request.ts';
import type { Answer, Route } from './route.ts';

export interface RouterDeps extends PipelineDeps {
  random: Random;
  trustedHops: number;
}

const REQUEST_ID_BYTES = 12;
/** Nothing of an answer is kept by anybody, run by a browser, or shown in a frame. */
const HEADERS = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
} as const;

/** Serves the routes. Throws when an answer is not what its route declares: a bug. */
export function createRouter(routes: readonly Route[], deps: RouterDeps): Router {
  const router = Router({ caseSensitive: true });
  router.use((req, res, next) => {
    res.locals.requestId = givenRequestId(req) ?? deps.random.hex(REQUEST_ID_BYTES);
    res.set({ ...HEADERS, 'X-Request-Id': res.locals.requestId });
    if (acceptsJson(req)) next();
    else send(res, problemAnswer(problem('not_acceptable')));
  });
  for (const route of routes) {
    router[route.method](expressPath(route.path), async (req, res) => {
      const answer = await answerCall(
        deps,
        route,
        askingOf(req, res, { hops: deps.trustedHops, bytesMax: route.bodyBytesMax }),
      );
      send(res, checked(route, answer));
    });
  }
  for (const [path, methods] of methodsByPath(routes)) {
    router.all(path, (_req, res) => {
      const headers = { Allow: methods.join(', ') };
      send(res, problemAnswer(problem('method_not_allowed', { headers })));
    });
  }
  router.use((_req, res) => send(res, problemAnswer(problem('not_found'))));
  router.use(onError(deps.logger));
  return router;
}

/** `/cards/{cardId}` as express writes it. */
const expressPath = (path: string): string => path.replaceAll(/\{(\w+)\}/g, ':$1');

function methodsByPath(routes: readonly Route[]): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const { path, method } of routes) {
    const known = found.get(expressPath(path)) ?? [];
    found.set(expressPath(path), [...known, method.toUpperCase()]);
  }
  return found;
}

function askingOf(
  req: Request,
  res: Response,
  { hops, bytesMax }: { hops: number; bytesMax: number | undefined },
): Asking {
  return {
    token: bearerToken(req),
    params: { ...req.params },
    query: { ...req.query },
    body: () => readJson(req, bytesMax),
    idempotencyKey: header(req, 'idempotency-key'),
    ifMatch: header(req, 'if-match'),
    ifNoneMatch: header(req, 'if-none-match'),
    requestId: res.locals.requestId,
    remote: remoteOf(req, hops),
    agent: header(req, 'user-agent'),
  };
}

/** Only what is declared goes out: a field more, or one that is missing, is a bug. */
function checked(route: Route, answer: Answer): Answer {
  const schema = route.answers[answer.status];
  const type = answer.headers?.['Content-Type'];
  if (Buffer.isBuffer(answer.body) && type !== route.file) throw new Error(`${type}, undeclared`);
  if (!schema || type) return answer;
  return { ...answer, body: schema.parse(answer.body) };
}

function send(res: Response, { status, body, headers }: Answer): void {
  res.status(status).set(headers ?? {});
  if (body === undefined) return void res.end();
  // Not `res.send`: it would add a tag to what is declared to have none.
  const bytes = Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
  res
    .type(headers?.['Content-Type'] ?? 'application/json')
    .set('Content-Length', `${bytes.length}`);
  res.end(bytes);
}

const onError =
  (logger: Logger): ErrorRequestHandler =>
  (error, req, res, next) => {
    if (res.headersSent) return next(error);
    const status = (error as { status?: number }).status ?? 500;
    // A path that is no text: express says 400.
    if (status < 500) return send(res, problemAnswer(problem('malformed_request')));
    const { requestId } = res.locals;
    logger.error('api.failed', { requestId, method: req.method, path: req.route?.path, error });
    const isAway = isConnectionLost(error);
    const headers = { 'Retry-After': '1' };
    send(res, problemAnswer(isAway ? problem('unavailable', { headers }) : problem('internal')));
  };
