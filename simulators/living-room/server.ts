/**
 * The living room: a page with a telephone and a television, for whoever wants to see the product
 * in a minute. It is served by the demo alone. What the telephone does goes to the real gateway in
 * the mobile network's words; what the television shows comes from the head-end's decoder.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import express, { type NextFunction, type Request, type Response, Router } from 'express';
import { hashMsisdn } from '../../src/platform/phone.ts';
import type { Clock } from '../../src/platform/ports.ts';
import type { ProductParts } from '../../src/product.ts';
import { hookPath } from '../../src/telecom/channels.ts';
import type { AirEvent, Service } from '../head-end/air/types.ts';
import type { HeadEndClient } from '../head-end/client.ts';
import type { MobileMoneySimulator } from '../mobile-money/server.ts';
import type { TextSimulator } from '../texts/server.ts';
import { createActs } from './acts.ts';
import type { HouseView, InboxText, PhoneView, Switches } from './api.ts';
import { createEvents, type Events } from './events.ts';
import { createRoad, type Happened, type Road } from './road.ts';
import { createTimes } from './times.ts';

export interface LivingRoomDeps {
  money: MobileMoneySimulator;
  texts: TextSimulator;
  headEnd: HeadEndClient;
  clock: Clock;
  /** There once it is furnished. */
  product(): ProductParts;
  services: readonly Service[];
}

/** The room with its people. */
export interface Furnished extends LivingRoomDeps {
  phoneOf(msisdn: string): PhoneView | undefined;
  phones(): readonly PhoneView[];
  /** Notes a step that is not the product's. */
  note(happened: Happened): void;
}

export interface LivingRoom {
  /** Serves `/living-room`. */
  routes: Router;
  /** Who may sit here. */
  seat(phones: readonly PhoneView[]): void;
  /** A step on the road of a payment. */
  note(happened: Happened): void;
  /** Ends all live streams, so that the house can close. */
  close(): void;
}

const PAGE = join(import.meta.dirname, '../../dist/living-room');
const BODY_BYTES_MAX = 16 * 1024;
const TEXTS_KEPT_MAX = 200;
const DARK_AFTER_SECONDS = 15;
/** The page needs nothing from anywhere; React sets styles on elements. */
const POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
  "frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/** The room, empty until its routes are mounted. */
export function createLivingRoom(given: LivingRoomDeps): LivingRoom {
  let phones: readonly PhoneView[] = [];
  const road = createRoad();
  const times = createTimes();
  const note = (happened: Happened) => {
    times.note(happened);
    const { msisdn = payerOf(phones, happened.payerHash), ...rest } = happened;
    road.note({ ...rest, ...(msisdn === undefined ? {} : { msisdn }) });
  };
  const phoneOf = (msisdn: string) => phones.find((phone) => phone.msisdn === msisdn);
  const deps: Furnished = { ...given, note, phones: () => phones, phoneOf };
  const outbox = createOutbox(deps.clock);
  const switches: Switches = { vipControl: true, operator: 'normal' };
  const events = createEvents({
    ...deps,
    road,
    now: () => deps.clock.now(),
    switches: () => switches,
    dark: () => darkCards(deps),
    timeToPicture: times.of,
    sentBy: outbox.of,
    currencyOf: (phone) => {
      const currency = phoneOf(phone)?.currency ?? 'KES';
      return { currency, exponent: currency === 'XOF' ? 0 : 2 };
    },
  });
  const watched = watchAir(deps, events, road, note);
  const acts = createActs(deps, { switches, wrote: outbox.add, changed: events.refresh });
  return {
    routes: routesOf(deps, events, acts),
    seat(people) {
      phones = people;
    },
    note,
    close() {
      watched();
      events.close();
    },
  };
}

/** The phone that M-PESA names by its hash alone. */
function payerOf(phones: readonly PhoneView[], hash: string | undefined): string | undefined {
  if (hash === undefined) return undefined;
  return phones.find(({ msisdn }) => hashMsisdn(msisdn) === hash)?.msisdn;
}

function routesOf(deps: Furnished, events: Events, acts: ReturnType<typeof createActs>): Router {
  const routes = Router();
  const hold = createHands(deps);
  routes.use(sameHouseOnly);
  routes.get('/house', (_request, response) => {
    const house: HouseView = {
      now: deps.clock.now().toISOString(),
      phones: [...deps.phones()],
      services: deps.services.map(({ code, name, product }) => {
        return { code, name, free: product === null };
      }),
    };
    response.json(house);
  });
  routes.get('/events', (request, response) => {
    const phone = String(request.query.phone ?? '');
    const cards = deps.phoneOf(phone)?.cards ?? [];
    const card = String(request.query.card ?? cards[0] ?? '');
    hold(phone, response);
    events.open(response, { phone, card, cards: cards.includes(card) ? cards : [card] });
  });
  routes.post(
    ['/gateway/:channel', '/gateway/:channel/end'],
    express.text({ type: () => true, limit: BODY_BYTES_MAX }),
    (request, response, next) => {
      relay(deps, request, response).catch(next);
    },
  );
  routes.post('/:act', express.json({ limit: BODY_BYTES_MAX }), (request, response, next) => {
    const act = Object.hasOwn(acts, request.params.act) ? acts[request.params.act] : undefined;
    if (!act) {
      response.status(404).json({ ok: false, error: 'No such act' });
      return;
    }
    act(request.body)
      .then((done) => response.status(done.ok ? 200 : done.status).json(done))
      .catch(next);
  });
  routes.use(
    express.static(PAGE, {
      index: 'index.html',
      setHeaders: (response) => response.setHeader('Content-Security-Policy', POLICY),
    }),
  );
  routes.get('/', (_request, response) => {
    const sentence = existsSync(PAGE) ? 'Not found' : 'The page is not built: npm run pages';
    response.status(404).type('text').send(sentence);
  });
  return routes;
}

/**
 * A telephone somebody holds waits for its person when a prompt comes; all others accept by
 * themselves.
 */
function createHands({ money }: LivingRoomDeps) {
  const held = new Map<string, number>();
  return (phone: string, response: Response): void => {
    held.set(phone, (held.get(phone) ?? 0) + 1);
    money.setPhone(phone, { behaviour: 'manual' });
    response.once('close', () => {
      const left = (held.get(phone) ?? 1) - 1;
      held.set(phone, left);
      if (left === 0) money.setPhone(phone, { behaviour: 'accept' });
    });
  };
}

/** The mobile network's part: a turn of the telephone goes to the gateway as it is, and back. */
async function relay(deps: Furnished, request: Request, response: Response): Promise<void> {
  const { channels, url } = deps.product();
  const channel = channels.find(String(request.params.channel));
  if (channel?.kind !== 'ussd') {
    response.status(404).type('text').send('No such channel');
    return;
  }
  const body = typeof request.body === 'string' ? request.body : '';
  const isEnd = request.path.endsWith('/end');
  const fields = new URLSearchParams(body);
  if (!isEnd && (fields.get('text') ?? '') === '') {
    const msisdn = fields.get('phoneNumber') ?? '';
    const detail = fields.get('serviceCode') ?? '';
    deps.note({ step: 'dialled', at: deps.clock.now(), msisdn, detail });
  }
  const answer = await fetch(`${url}${hookPath(channel)}${isEnd ? '/end' : ''}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body,
  });
  response
    .status(answer.status)
    .type('text/plain')
    .send(await answer.text());
}

/** A page of another site that somebody has open must not be able to press our buttons. */
function sameHouseOnly(request: Request, response: Response, next: NextFunction): void {
  const host = request.headers.host ?? '';
  const origin = request.headers.origin;
  const isHere = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host);
  if (isHere && (origin === undefined || origin === `http://${host}`)) next();
  else response.status(403).type('text').send('Only from this machine and this page');
}

async function darkCards({ product, clock }: LivingRoomDeps) {
  const { entitlement } = product();
  const now = clock.now();
  const found = (await entitlement?.dark(DARK_AFTER_SECONDS)) ?? [];
  return found.map(({ number, since, reasons }) => ({
    card: number,
    since: since.toISOString(),
    seconds: Math.max(0, Math.round((now.getTime() - since.getTime()) / 1000)),
    why: reasons.join(', '),
  }));
}

/** Decoders tell what they receive and show; of the repeats only the first is worth a word. */
function watchAir(
  { headEnd }: LivingRoomDeps,
  events: Events,
  road: Road,
  note: (happened: Happened) => void,
): () => void {
  const awaited = new Set<string>();
  const dark = new Set<string>();
  const unfollow = road.follow(({ step, card }) => {
    if (step === 'sent' && card !== undefined) awaited.add(card);
  });
  const stop = headEnd.events(null, (event: AirEvent) => {
    const { card, at: instant } = event;
    const at = new Date(instant);
    if (event.type === 'received' && event.content !== 'message' && awaited.delete(card)) {
      note({ step: 'received', at, card });
    }
    if (event.type === 'screen') {
      const isPicture = event.screen.kind === 'picture';
      if (isPicture && dark.delete(card)) note({ step: 'picture', at, card });
      if (!isPicture) dark.add(card);
    }
    if (event.type !== 'broadcast') events.air(event);
  });
  return () => {
    unfollow();
    stop();
  };
}

/** What telephones have sent; the text gateway keeps only what they receive. */
function createOutbox(clock: Clock) {
  const sent = new Map<string, InboxText[]>();
  let lastId = 0;
  return {
    add(phone: string, body: string): void {
      lastId += 1;
      const texts = sent.get(phone) ?? [];
      sent.set(phone, texts);
      texts.push({ id: `out-${lastId}`, at: clock.now().toISOString(), direction: 'out', body });
      if (texts.length > TEXTS_KEPT_MAX) texts.shift();
    },
    of: (phone: string): readonly InboxText[] => sent.get(phone) ?? [],
  };
}
