/** What happens on air, as it happens, as server-sent events (WHATWG HTML, 9.2). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../src/platform/ports.ts';
import { every } from '../../src/platform/timers.ts';
import type { AirEvent } from './air/types.ts';
import { type Answer, reply } from './http-answers.ts';
import type { VipControlServer } from './server.ts';

export interface EventStreams {
  /** Streams the events of one card, or of all; first the screen of each decoder as it is. */
  open(request: IncomingMessage, response: ServerResponse, card: string | null): void;
  stop(): void;
}

const STREAMS_MAX = 64;
/** A reader that lets more than this pile up is cut off; it may come again. */
const BUFFER_BYTES_MAX = 4_194_304;
const HEARTBEAT_MS = 15_000;
const TOO_MANY: Answer = [503, { error: 'Too many listeners.' }];

interface Stream {
  card: string | null;
  response: ServerResponse;
}

/** Streams of a head-end's events; `stop` ends them all. */
export function createEventStreams(headEnd: VipControlServer, clock: Clock): EventStreams {
  const streams = new Set<Stream>();
  const silence = headEnd.onAirEvent((event) => {
    const text = asText(event);
    for (const stream of streams) {
      if (stream.card === null || stream.card === event.card) write(stream, text);
    }
  });
  const cancelHeartbeat = every(HEARTBEAT_MS, () => {
    for (const stream of streams) write(stream, ':\n\n');
  });
  return {
    open(request, response, card) {
      if (streams.size >= STREAMS_MAX) {
        reply(response, TOO_MANY);
        return;
      }
      const stream = { card, response };
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(':\n\n');
      for (const event of screens(headEnd, card, clock.now())) response.write(asText(event));
      streams.add(stream);
      response.on('error', () => undefined);
      request.on('close', () => streams.delete(stream));
    },
    stop() {
      silence();
      cancelHeartbeat();
      for (const { response } of streams) response.end();
    },
  };
}

function write({ response }: Stream, text: string): void {
  response.write(text);
  if (response.writableLength > BUFFER_BYTES_MAX) response.destroy();
}

function asText(event: AirEvent): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

function* screens({ air }: VipControlServer, card: string | null, now: Date): Generator<AirEvent> {
  const cards = card === null ? air.decoders.list().map((decoder) => decoder.card) : [card];
  for (const number of cards) {
    const view = air.decoders.view(number, now);
    if (view) yield { type: 'screen', card: number, at: now.toISOString(), screen: view.screen };
  }
}
