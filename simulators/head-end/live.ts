/** The head-end at a glance, told anew every second to whoever looks at its page. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { every } from '../../src/platform/timers.ts';
import type { AirEvent, Screen } from './air/types.ts';
import type { CardState } from './card-state.ts';
import { reply } from './http-answers.ts';
import type { ControlDeps } from './http-control.ts';

export interface Live {
  /** Streams what there is to see (server-sent events), at once and then every second. */
  open(request: IncomingMessage, response: ServerResponse): void;
  stop(): void;
}

const BEAT_MS = 1_000;
const STREAMS_MAX = 16;
const BROADCASTS_SHOWN = 8;
const COMMANDS_SHOWN = 15;
const FOREIGN_SHOWN = 20;
/** As the head-end calls whoever writes without a command. */
const CONSOLE = 'console';

/** Who changed a card last, and when, where that is kept. */
type Written = CardState & { writtenBy?: string; changedAt?: string };

type Broadcast = Omit<Extract<AirEvent, { type: 'broadcast' }>, 'type'>;

/** What a screen shows, in a word: `picture`, `off` or its code. */
export const shownCode = (screen: Screen): string =>
  screen.kind === 'blocked' ? screen.code : screen.kind;

/** Looks at a head-end while anybody looks at its page. */
export function createLive(deps: ControlDeps): Live {
  const streams = new Set<ServerResponse>();
  let broadcasts: Broadcast[] = [];
  let screenChanges = 0;
  const silence = deps.headEnd.onAirEvent((event) => {
    if (event.type === 'screen') screenChanges += 1;
    if (event.type !== 'broadcast') return;
    const { type: _, ...broadcast } = event;
    broadcasts = [broadcast, ...broadcasts].slice(0, BROADCASTS_SHOWN);
  });
  const text = () => `data: ${JSON.stringify({ ...glance(deps), broadcasts, screenChanges })}\n\n`;
  const cancelBeat = every(BEAT_MS, () => {
    if (streams.size === 0) return;
    const now = text();
    for (const response of streams) response.write(now);
  });
  return {
    open(request, response) {
      if (streams.size >= STREAMS_MAX) {
        reply(response, [503, { error: 'Too many look already.' }]);
        return;
      }
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      response.write(text());
      streams.add(response);
      response.on('error', () => undefined);
      request.on('close', () => streams.delete(response));
    },
    stop() {
      silence();
      cancelBeat();
      for (const response of streams) response.end();
    },
  };
}

function glance({ headEnd, clock }: ControlDeps): object {
  const now = clock.now();
  headEnd.air.advance(now);
  return {
    now: now.toISOString(),
    healthy: headEnd.isHealthy(),
    link: headEnd.isLinkUp(),
    status: headEnd.status(),
    air: headEnd.air.carousel(),
    faults: headEnd.faults.list(),
    screens: countScreens(headEnd.air.decoders.list()),
    foreign: foreignWrites(headEnd.cards()),
    commands: headEnd.commands({ limit: COMMANDS_SHOWN }).map((command) => {
      const { cmdId, op, card, atMs, result } = command;
      const airMs = result?.emm && Date.parse(result.emm.firstAirAt) - atMs;
      return { cmdId, op, card, at: new Date(atMs).toISOString(), code: result?.code, airMs };
    }),
  };
}

/** The cards that were last changed without a command, the latest first. */
function foreignWrites(cards: readonly Written[]): object[] {
  const written = cards.filter(({ writtenBy }) => writtenBy === CONSOLE);
  written.sort((a, b) => ((a.changedAt ?? '') < (b.changedAt ?? '') ? 1 : -1));
  return written.slice(0, FOREIGN_SHOWN).map(({ card, changedAt, set, suspended }) => {
    return { card, at: changedAt, products: set.map(({ product }) => product), suspended };
  });
}

function countScreens(decoders: readonly { screen: Screen }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { screen } of decoders) {
    const code = shownCode(screen);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}
