/** The head-end's window for people and other simulators: read-only JSON over HTTP. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../../src/platform/ports.ts';
import type { CardState } from './rules.ts';
import type { VipControlServer } from './server.ts';

export interface HeadEndHttp {
  port: number;
  stop(): Promise<void>;
}

const CARDS_PER_PAGE = 100;

/**
 * `GET /cards/<number>`, `/cards?page=<n>`, `/commands?card=<number>`, `/healthz`. Rejects when
 * the port cannot be had; 0 takes any free one.
 */
export async function createHeadEndHttp(deps: {
  headEnd: VipControlServer;
  host: string;
  port: number;
  clock: Clock;
}): Promise<HeadEndHttp> {
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? '/', 'http://head-end');
    const readable = request.method === 'GET' && url;
    const [status, body] = readable ? answer(deps.headEnd, url, deps.clock.now()) : notFound();
    reply(response, status, body);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(deps.port, deps.host, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise((done) => server.close(done));
      server.closeAllConnections();
      await closed;
    },
  };
}

type Answer = [status: number, body: object];

function answer(headEnd: VipControlServer, url: URL, now: Date): Answer {
  const cardNumber = /^\/cards\/([^/]+)$/.exec(url.pathname)?.[1];
  if (cardNumber !== undefined) {
    const state = headEnd.card(cardNumber);
    return state ? [200, describe(state, now)] : notFound();
  }
  if (url.pathname === '/cards') return listCards(headEnd, url, now);
  if (url.pathname === '/commands') {
    const card = url.searchParams.get('card');
    return [200, { commands: headEnd.commands(card === null ? {} : { card }) }];
  }
  if (url.pathname === '/healthz') {
    const healthy = headEnd.isHealthy();
    return [healthy ? 200 : 503, { healthy }];
  }
  return notFound();
}

function listCards(headEnd: VipControlServer, url: URL, now: Date): Answer {
  const page = Number(url.searchParams.get('page') ?? '1');
  if (!Number.isSafeInteger(page) || page < 1) return [400, { error: 'bad_page' }];
  const cards = headEnd.cards();
  const shown = cards.slice((page - 1) * CARDS_PER_PAGE, page * CARDS_PER_PAGE);
  const pages = Math.ceil(cards.length / CARDS_PER_PAGE);
  return [200, { page, pages, cards: shown.map((state) => describe(state, now)) }];
}

/** A card with the rights that let it show a picture at this instant. */
function describe(state: CardState, now: Date): object {
  const nowMs = now.getTime();
  const rightsNow = state.set.filter(
    ({ from, to }) => Date.parse(from) <= nowMs && nowMs < Date.parse(to),
  );
  return { ...state, rightsNow };
}

function notFound(): Answer {
  return [404, { error: 'not_found' }];
}

function reply(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}
