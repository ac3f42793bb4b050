/** A head-end with a line-up, decoders in homes, and a client that gives it orders. */
import type { DecoderView, Service } from './air/types.ts';
import type { VipControlServerDeps } from './head-end.ts';
import { NOW, setUp } from './head-end-harness.ts';
import { logInTo } from './raw-client.ts';

const services: Service[] = [
  { code: 'NOVA', name: 'Nova', product: 'ESS' },
  { code: 'KINO', name: 'Kino', product: 'MAX' },
  { code: 'FINAL', name: 'The final', product: 'EVT:FINAL' },
  { code: 'TELE1', name: 'Télé 1', product: null },
];

/** Minutes after the start, as a date of the wire. */
export const inMinutes = (minutes: number) =>
  new Date(NOW.getTime() + minutes * 60_000).toISOString();

/** A right to a product for thirty days. */
export const right = (product: string, minutes = 30 * 1_440) => ({
  ...{ product, from: inMinutes(-60), to: inMinutes(minutes) },
});

/** Fields of a command under a revision. */
export const revised = (rev: number, args: object) => ({ epoch: 1, rev, args });

/** A head-end without latency; cards 1, 2 and 3 are in STB-1, STB-2 and STB-3. */
export async function openHomes(options: Partial<VipControlServerDeps> = {}) {
  const world = await setUp({ services, ...options });
  await world.link.close();
  const { house, time } = world;
  const settle = () => {
    for (const n of [1, 2, 3]) {
      house.headEnd.air.decoders.add({ stb: `STB-${n}`, card: `${n}`, service: 'NOVA' });
    }
  };
  settle();
  let client = await logInTo(house.headEnd.port);
  let ordered = 0;
  return {
    ...world,
    client: () => client,
    /** Gives an order, and says what came of it: a code. */
    async order(op: string, id: string, more: Record<string, unknown> = {}): Promise<unknown> {
      ordered += 1;
      return (await client.order(`c${ordered}`, op, id, more)).code;
    },
    /** The head-end goes down and comes up; homes lose what they had received. */
    async restart() {
      await world.restart();
      settle();
      client = await logInTo(house.headEnd.port);
    },
    view(card: string): DecoderView {
      const view = house.headEnd.air.decoders.view(card, time.clock.now());
      if (!view) throw new Error(`no decoder has ${card}`);
      return view;
    },
    /** What is seen, in a word: the programme, the code, or `off`. */
    sees(card: string): string {
      const screen = house.headEnd.air.decoders.view(card, time.clock.now())?.screen;
      if (screen?.kind === 'picture') return screen.service;
      return screen?.kind === 'blocked' ? screen.code : 'off';
    },
    turn: (card: string, knobs: object) =>
      house.headEnd.air.decoders.turn(card, knobs, time.clock.now()),
    card: (number: string) => house.headEnd.card(number),
    pass(minutes: number) {
      time.advance(minutes * 60_000);
      house.headEnd.air.advance(time.clock.now());
    },
  };
}
