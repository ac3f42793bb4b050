/** The televisions of a house: what somebody in front of them sees and does. */
import type { Knobs, Screen } from '../../../simulators/head-end/air/types.ts';
import type { VipControlServer } from '../../../simulators/head-end/server.ts';
import type { Clock } from '../../../src/platform/ports.ts';
import { eventually } from './eventually.ts';

export interface Television {
  power(isOn: boolean): void;
  turn(knobs: Partial<Knobs>): void;
  /** What it shows now: the programme, the code of what hides it, or `off`. */
  shows(): string;
  /** The message that lies over it now. */
  osd(): string | null;
  /** The messages that came up since somebody sat down before it; one that came twice, twice. */
  messages(): string[];
  /** Waits until it shows this. */
  until(shows: string): Promise<void>;
  /** Waits for a message like this to come up. */
  untilOsd(like: RegExp): Promise<string>;
}

const FIRST_PROGRAMME = 'NOVA1';

/** Televisions by card, each put up when it is first asked for. */
export function furnishWithTelevisions(
  { air, onAirEvent }: VipControlServer,
  clock: Clock,
): (card: string) => Television {
  const messages = new Map<string, { lastId: string | null; texts: string[] }>();
  onAirEvent((event) => {
    const kept = event.type === 'screen' && messages.get(event.card);
    if (!kept) return;
    const osd = event.screen.kind === 'off' ? null : event.screen.osd;
    if (osd && osd.id !== kept.lastId) kept.texts.push(osd.text);
    kept.lastId = osd?.id ?? null;
  });
  const screen = (card: string): Screen => {
    air.advance(clock.now());
    const view = air.decoders.view(card, clock.now());
    if (!view) throw new Error(`No television with ${card}`);
    return view.screen;
  };
  const shows = (card: string): string => {
    const seen = screen(card);
    if (seen.kind === 'off') return 'off';
    return seen.kind === 'picture' ? seen.service : seen.code;
  };
  const putUp = (card: string) => {
    messages.set(card, { lastId: null, texts: [] });
    air.decoders.add({ stb: `STB-${card}`, card, service: FIRST_PROGRAMME });
  };
  return (card) => {
    if (!messages.has(card)) putUp(card);
    const texts = messages.get(card)?.texts ?? [];
    const turn = (knobs: Partial<Knobs>) => void air.decoders.turn(card, knobs, clock.now());
    return {
      turn,
      power: (power) => turn({ power }),
      shows: () => shows(card),
      osd: () => {
        const seen = screen(card);
        return seen.kind === 'off' ? null : (seen.osd?.text ?? null);
      },
      messages: () => [...texts],
      until: (wanted) => eventually(() => expect(shows(card)).toBe(wanted)),
      untilOsd: (like) =>
        eventually(() => {
          air.advance(clock.now());
          const found = texts.find((text) => like.test(text));
          if (found !== undefined) return found;
          throw new Error(`No message like ${like} among: ${texts.join(' | ')}`);
        }),
    };
  };
}
