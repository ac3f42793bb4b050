/** The live stream of a page: everything once, and from then on what changes. */
import type { Response } from 'express';
import { after, every } from '../../src/platform/timers.ts';
import type { AirEvent } from '../head-end/air/types.ts';
import type { DarkCard, LivingEvent, Switches } from './api.ts';
import type { Road } from './road.ts';
import { createTeller, promptOf, type Seat, type SeatDeps, textsOf, tvOf } from './seat.ts';

export interface EventsDeps extends SeatDeps {
  road: Road;
  now(): Date;
  switches(): Switches;
  dark(): Promise<DarkCard[]>;
  /** Seconds from the last raise of the card's rights to ON AIR. */
  timeToPicture(card: string): number | null;
}

export interface Events {
  /** Serves `GET /events`. */
  open(response: Response, who: { phone: string; card: string; cards: readonly string[] }): void;
  /** Something changed on the air; the televisions are looked at. */
  air(event: AirEvent): void;
  /** A knob or switch was turned, or the time moved: all pages are told at once. */
  refresh(): void;
  /** Ends all streams. */
  close(): void;
}

/** How often inboxes and prompts are looked at while a page is open. */
const LOOK_EVERY_MS = 200;
const DARK_EVERY_MS = 2_000;
const HEARTBEAT_MS = 15_000;
const SEATS_MAX = 32;
/** A page that does not read is cut off before it costs memory. */
const UNREAD_BYTES_MAX = 1_048_576;
const NOTED_MAX = 2_000;

type Taken = Seat & { look(): void; lookAtTv(): Promise<void>; tellClock(): void; end(): void };

/** The streams of all open pages. */
export function createEvents(deps: EventsDeps): Events {
  const seats = new Set<Taken>();
  const noteOnce = createNoter(deps);
  return {
    open(response, who) {
      if (seats.size >= SEATS_MAX) {
        response.status(503).set('Retry-After', '5').end();
        return;
      }
      const seat = take({ ...deps, noteOnce }, response, who);
      seats.add(seat);
      response.once('close', () => {
        seats.delete(seat);
        seat.end();
      });
    },
    air(event) {
      for (const seat of seats) if (seat.card === event.card) void seat.lookAtTv();
    },
    refresh() {
      for (const seat of seats) {
        seat.look();
        seat.tellClock();
        void seat.lookAtTv();
      }
    },
    close() {
      for (const seat of seats) seat.end();
    },
  };
}

/** Notes a prompt or a text when it is first seen, however many pages show it. */
function createNoter({ road, now }: EventsDeps) {
  const noted = new Set<string>();
  return (id: string, step: 'prompted' | 'text', who: { phone: string; detail: string }): void => {
    if (noted.has(id)) return;
    noted.add(id);
    if (noted.size > NOTED_MAX) noted.delete([...noted][0] ?? '');
    road.note({ step, at: now(), msisdn: who.phone, detail: who.detail });
  };
}

type TakeDeps = EventsDeps & { noteOnce: ReturnType<typeof createNoter> };

function take(deps: TakeDeps, response: Response, who: Omit<Seat, 'send'>): Taken {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  const send = (event: LivingEvent) => {
    if (response.writableEnded) return;
    response.write(`data: ${JSON.stringify(event)}\n\n`);
    if (response.writableLength > UNREAD_BYTES_MAX) response.destroy();
  };
  const { phone, card } = who;
  const tellTexts = createTeller((texts: ReturnType<typeof textsOf>) =>
    send({ type: 'texts', texts }),
  );
  const tellPrompt = createTeller((prompt: ReturnType<typeof promptOf>) =>
    send({ type: 'prompt', prompt }),
  );
  const tellSwitches = createTeller((switches: Switches) => send({ type: 'switches', switches }));
  const tellDark = createTeller((dark: DarkCard[]) => send({ type: 'dark', dark }));
  const tellTv = createTeller((tv: Awaited<ReturnType<typeof tvOf>>) => {
    if (tv) send({ type: 'tv', tv });
  });
  const since = deps.now().toISOString();
  const look = () => {
    const texts = textsOf(deps, phone);
    for (const { id, at, direction, body } of texts) {
      if (direction === 'in' && at > since) deps.noteOnce(id, 'text', { phone, detail: body });
    }
    tellTexts(texts);
    const prompt = promptOf(deps, phone);
    if (prompt) {
      const detail = `${prompt.currency} ${prompt.amount}`;
      deps.noteOnce(prompt.id, 'prompted', { phone, detail });
    }
    tellPrompt(prompt);
    tellSwitches(deps.switches());
  };
  const lookAtTv = async () => tellTv(await tvOf(deps, card).catch(() => null));
  const lookAtDark = async () => tellDark(await deps.dark().catch(() => []));
  const endings: (() => void)[] = [];
  void tellAll(deps, who, send).then(() => {
    if (response.writableEnded) return;
    endings.push(
      every(LOOK_EVERY_MS, look),
      every(DARK_EVERY_MS, () => void lookAtDark()),
      every(DARK_EVERY_MS, () => void lookAtTv()),
      every(HEARTBEAT_MS, () => response.write(': here\n\n')),
      deps.road.follow((step, concerns) => {
        if (concerns(who)) send({ type: 'road', step, timeToPicture: deps.timeToPicture(card) });
      }),
    );
    look();
  });
  return {
    ...who,
    send,
    look,
    lookAtTv,
    tellClock: () => send({ type: 'clock', now: deps.now().toISOString() }),
    end() {
      for (const stop of endings.splice(0)) stop();
      // After what is being written: the page is told, and connects to whoever comes next.
      after(0, () => response.end());
    },
  };
}

async function tellAll(deps: EventsDeps, who: Omit<Seat, 'send'>, send: Seat['send']) {
  const { phone, card } = who;
  send({
    type: 'all',
    now: deps.now().toISOString(),
    tv: await tvOf(deps, card).catch(() => null),
    texts: textsOf(deps, phone),
    prompt: promptOf(deps, phone),
    switches: deps.switches(),
    road: deps.road.stepsOf(who),
    dark: await deps.dark().catch(() => []),
    timeToPicture: deps.timeToPicture(card),
  });
}
