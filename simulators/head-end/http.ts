/**
 * The head-end's window for people and other simulators: JSON over HTTP on this machine, and the
 * events of the air as they happen.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CardState } from './card-state.ts';
import { FAULTS } from './faults/kinds.ts';
import { type Answer, NOT_FOUND, readJson, refuseForeign, reply } from './http-answers.ts';
import { CONTROLS, type ControlDeps } from './http-control.ts';
import { createEventStreams } from './http-events.ts';
import { openPage } from './http-page.ts';
import { createLive, shownCode } from './live.ts';

export interface HeadEndHttp {
  port: number;
  stop(): Promise<void>;
}

const CARDS_PER_PAGE = 100;
const DECODERS_PER_PAGE = 100;
const ROWS_PER_PAGE_MAX = 1_000;

/**
 * `GET /` (a page for people) and its `/live`, `/cards/<number>`, `/cards?page=<n>`,
 * `/commands?card=<number>`, `/services`, `/decoders/<card>`, `/decoders`, or of these
 * `?page=<n>&size=<n>&shows=<code>&card=<digits>`, `/air`, `/faults`, `/healthz`,
 * `/events?card=<number>`; `POST /control/…`. Rejects when the port cannot be had; 0 takes any
 * free one.
 */
export async function createHeadEndHttp(
  deps: ControlDeps & { host: string; port: number },
): Promise<HeadEndHttp> {
  const events = createEventStreams(deps.headEnd, deps.clock);
  const page = openPage();
  const live = createLive(deps);
  const show = (url: URL, request: IncomingMessage, response: ServerResponse): void => {
    const { pathname } = url;
    if (pathname.startsWith('/reports/')) {
      void report(deps, url).then((answer) => reply(response, answer));
    } else if (pathname === '/events') {
      events.open(request, response, url.searchParams.get('card'));
    } else if (pathname === '/live') {
      live.open(request, response);
    } else if (!page.serve(pathname, response)) {
      reply(response, look(deps, url));
    }
  };
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? '/', 'http://head-end');
    if (url?.pathname === '/vcp') {
      void deps.headEnd.vcp(request, response);
    } else if (request.method === 'POST' && url) {
      void runControl(deps, request, url.pathname).then((answer) => send(response, answer));
    } else if (request.method === 'GET' && url) {
      show(url, request, response);
    } else {
      reply(response, NOT_FOUND);
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(deps.port, deps.host, resolve);
  }).catch((error: unknown) => {
    events.stop();
    live.stop();
    throw error;
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise((done) => server.close(done));
      events.stop();
      live.stop();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function report({ headEnd }: ControlDeps, url: URL): Promise<Answer> {
  const name = url.pathname.slice('/reports/'.length);
  return await headEnd
    .report(name, url.searchParams)
    .catch((error: unknown) => [500, { error: String(error) }]);
}

async function runControl(
  deps: ControlDeps,
  request: IncomingMessage,
  path: string,
): Promise<Answer> {
  const name = /^\/control\/([a-z]+)$/.exec(path)?.[1] ?? '';
  const control = Object.hasOwn(CONTROLS, name) ? CONTROLS[name] : undefined;
  if (!control) return NOT_FOUND;
  const refusal = refuseForeign(request);
  if (refusal) return refusal;
  try {
    const body = await readJson(request, control.form);
    return body.ok ? await control.run(deps, body.value) : body.answer;
  } catch (error) {
    return [500, { error: String(error) }];
  }
}

/** A body that was not read to its end is not waited for. */
function send(response: ServerResponse, answer: Answer): void {
  if (answer[0] === 413) response.setHeader('connection', 'close');
  reply(response, answer);
}

function look(deps: ControlDeps, url: URL): Answer {
  const { headEnd, clock } = deps;
  const [, room = '', number] = /^\/([a-z-]+)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
  if (number !== undefined) return lookAt(deps, room, number);
  const card = url.searchParams.get('card');
  switch (room) {
    case 'cards':
      return listCards(deps, url);
    case 'commands':
      return [200, { commands: headEnd.commands(card === null ? {} : { card }) }];
    case 'services':
      return [200, { services: headEnd.services }];
    case 'decoders':
      return listDecoders(deps, url);
    case 'faults':
      return [200, { faults: headEnd.faults.list(), kinds: FAULTS }];
    case 'air':
      headEnd.air.advance(clock.now());
      return [200, headEnd.air.carousel()];
    case 'log-key':
      return [200, { algorithm: 'Ed25519', publicKey: headEnd.logKey }];
    case 'healthz': {
      const healthy = headEnd.isHealthy();
      return [healthy ? 200 : 503, { healthy, link: headEnd.isLinkUp() }];
    }
    default:
      return NOT_FOUND;
  }
}

function lookAt({ headEnd, clock }: ControlDeps, room: string, number: string): Answer {
  const now = clock.now();
  if (room === 'cards') {
    const state = headEnd.card(number);
    return state ? [200, describe(state, now)] : NOT_FOUND;
  }
  if (room !== 'decoders') return NOT_FOUND;
  headEnd.air.advance(now);
  const view = headEnd.air.decoders.view(number, now);
  return view ? [200, view] : NOT_FOUND;
}

/** All of them, or a page of those whose card has the digits and whose screen shows the code. */
function listDecoders({ headEnd: { air }, clock }: ControlDeps, { searchParams }: URL): Answer {
  air.advance(clock.now());
  const all = air.decoders.list();
  const page = searchParams.get('page');
  if (page === null) return [200, { decoders: all }];
  const shows = searchParams.get('shows');
  const digits = searchParams.get('card') ?? '';
  const found = all.filter(
    ({ card, screen }) => card.includes(digits) && (!shows || shownCode(screen) === shows),
  );
  const size = Number(searchParams.get('size') ?? DECODERS_PER_PAGE);
  return paged(found, page, size, (decoders) => ({ decoders }));
}

function listCards({ headEnd, clock }: ControlDeps, url: URL): Answer {
  const now = clock.now();
  return paged(headEnd.cards(), url.searchParams.get('page') ?? '1', CARDS_PER_PAGE, (cards) => {
    return { cards: cards.map((state) => describe(state, now)) };
  });
}

function paged<T>(
  all: readonly T[],
  wanted: string,
  size: number,
  show: (some: readonly T[]) => object,
): Answer {
  const page = Number(wanted);
  const isPage = Number.isSafeInteger(page) && page >= 1;
  const isSize = Number.isSafeInteger(size) && size >= 1 && size <= ROWS_PER_PAGE_MAX;
  if (!isPage || !isSize) return [400, { error: 'bad_page' }];
  const some = all.slice((page - 1) * size, page * size);
  return [200, { page, pages: Math.ceil(all.length / size), ...show(some) }];
}

/** A card with the rights that let it show a picture at this instant. */
function describe(state: CardState, now: Date): object {
  const nowMs = now.getTime();
  const rightsNow = state.set.filter(
    ({ from, to }) => Date.parse(from) <= nowMs && nowMs < Date.parse(to),
  );
  // Whoever looks in from outside is not told a PIN.
  const pin = state.pin === null ? 'maker' : 'given';
  return { ...state, pin, rightsNow: state.suspended === undefined ? rightsNow : [] };
}
