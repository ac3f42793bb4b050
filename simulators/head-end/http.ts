/**
 * The head-end's window for people and other simulators: JSON over HTTP on this machine, and the
 * events of the air as they happen.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Answer, NOT_FOUND, readJson, refuseForeign, reply } from './http-answers.ts';
import { CONTROLS, type ControlDeps } from './http-control.ts';
import { createEventStreams } from './http-events.ts';
import type { CardState } from './rules.ts';

export interface HeadEndHttp {
  port: number;
  stop(): Promise<void>;
}

const CARDS_PER_PAGE = 100;

/**
 * `GET /cards/<number>`, `/cards?page=<n>`, `/commands?card=<number>`, `/services`, `/decoders`,
 * `/decoders/<card>`, `/air`, `/healthz`, `/events?card=<number>`; `POST /control/…`. Rejects when
 * the port cannot be had; 0 takes any free one.
 */
export async function createHeadEndHttp(
  deps: ControlDeps & { host: string; port: number },
): Promise<HeadEndHttp> {
  const events = createEventStreams(deps.headEnd, deps.clock);
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? '/', 'http://head-end');
    if (request.method === 'POST' && url) {
      void runControl(deps, request, url.pathname).then((answer) => send(response, answer));
    } else if (request.method !== 'GET' || !url) {
      reply(response, NOT_FOUND);
    } else if (url.pathname === '/events') {
      events.open(request, response, url.searchParams.get('card'));
    } else {
      reply(response, look(deps, url));
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(deps.port, deps.host, resolve);
  }).catch((error: unknown) => {
    events.stop();
    throw error;
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise((done) => server.close(done));
      events.stop();
      server.closeAllConnections();
      await closed;
    },
  };
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
  const [, room = '', number] = /^\/([a-z]+)(?:\/([^/]+))?$/.exec(url.pathname) ?? [];
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
      return [200, { decoders: listDecoders(deps) }];
    case 'air':
      headEnd.air.advance(clock.now());
      return [200, headEnd.air.carousel()];
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

function listDecoders({ headEnd: { air }, clock }: ControlDeps): object[] {
  const now = clock.now();
  air.advance(now);
  return air.decoders.list().map(({ stb, card }) => {
    return { stb, card, screen: air.decoders.view(card, now)?.screen };
  });
}

function listCards({ headEnd, clock }: ControlDeps, url: URL): Answer {
  const page = Number(url.searchParams.get('page') ?? '1');
  if (!Number.isSafeInteger(page) || page < 1) return [400, { error: 'bad_page' }];
  const cards = headEnd.cards();
  const shown = cards.slice((page - 1) * CARDS_PER_PAGE, page * CARDS_PER_PAGE);
  const pages = Math.ceil(cards.length / CARDS_PER_PAGE);
  return [200, { page, pages, cards: shown.map((state) => describe(state, clock.now())) }];
}

/** A card with the rights that let it show a picture at this instant. */
function describe(state: CardState, now: Date): object {
  const nowMs = now.getTime();
  const rightsNow = state.set.filter(
    ({ from, to }) => Date.parse(from) <= nowMs && nowMs < Date.parse(to),
  );
  return { ...state, rightsNow: state.suspended === undefined ? rightsNow : [] };
}
