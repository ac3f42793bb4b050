/** The customers' homes: decoders that are switched off and on, and what they show at last. */
import { demoServices } from '../simulators/demo/air.ts';
import type { AirEvent, DecoderView } from '../simulators/head-end/air/types.ts';
import type { CardNow, HeadEndClient } from '../simulators/head-end/client.ts';
import { sleep } from '../src/platform/timers.ts';

export interface Homes {
  /** Everybody has a decoder that is on; again after the head-end's process was killed. */
  furnish(): Promise<void>;
  turn(card: string, isOn: boolean): Promise<void>;
  /** Waits until each decoder holds and shows what its card has; else what is wrong. */
  settle(): Promise<{ faults: string[]; alike: number; pictures: number }>;
  /** Messages that were on a screen, and came again after they had gone. */
  messages(): { shown: number; faults: string[] };
  close(): void;
}

/** A change is repeated every minute at the latest, and the slow cycle takes five. */
const SETTLE_MS_MAX = 360_000;
const SETTLE_POLL_MS = 2_000;
const FAULTS_MAX = 20;
const SERVICE = demoServices().find(({ product }) => product !== null);

/** The decoder in the home of a card. */
export const decoderOf = (card: string): string => `STB-${card}`;

/** The homes of these cards; listens to the air until it is closed, and is patient so long. */
export function createHomes(
  headEnd: HeadEndClient,
  cards: readonly string[],
  settleMsMax = SETTLE_MS_MAX,
): Homes {
  const watch = createWatch();
  const stopListening = headEnd.events(null, watch.hear);
  return {
    async furnish() {
      if (!SERVICE) throw new Error('no service that is to be paid for');
      watch.forget();
      const service = SERVICE.code;
      await headEnd.addDecoders(cards.map((card) => ({ stb: decoderOf(card), card, service })));
    },
    async turn(card, isOn) {
      await headEnd.turn(card, { power: isOn });
    },
    async settle() {
      const deadlineMs = performance.now() + settleMsMax;
      for (;;) {
        const seen = await look(headEnd, cards);
        if (seen.faults.length === 0 || performance.now() > deadlineMs) return seen;
        await sleep(SETTLE_POLL_MS);
      }
    },
    messages: watch.messages,
    close: stopListening,
  };
}

async function look(headEnd: HeadEndClient, cards: readonly string[]) {
  const faults: string[] = [];
  let pictures = 0;
  for (const number of cards) {
    const [card, decoder] = await Promise.all([headEnd.card(number), headEnd.decoder(number)]);
    const fault = decoder ? homeFault(card, decoder) : 'has no decoder';
    if (fault !== undefined) faults.push(`card ${number}: ${fault}`);
    if (decoder?.screen.kind === 'picture') pictures += 1;
  }
  return { faults: faults.slice(0, FAULTS_MAX), alike: cards.length - faults.length, pictures };
}

function homeFault(card: CardNow | undefined, { stored, screen }: DecoderView): string | undefined {
  const has = card && { epoch: card.epoch, rev: card.rev };
  if (stored?.epoch !== has?.epoch || stored?.rev !== has?.rev) {
    return `the home holds ${stored?.epoch}.${stored?.rev}, the head-end ${has?.epoch}.${has?.rev}`;
  }
  const isPaid = card?.rightsNow.some(({ product }) => product === SERVICE?.product) ?? false;
  if ((screen.kind === 'picture') === isPaid) return undefined;
  return isPaid ? `paid, and the screen shows ${JSON.stringify(screen)}` : 'a picture, not paid';
}

/** By card, the messages on its screen by now, and those that have gone. */
interface Seen {
  current: string | null;
  gone: Set<string>;
}

function createWatch() {
  const byCard = new Map<string, Seen>();
  const faults: string[] = [];
  let shown = 0;
  return {
    /** The decoders are other ones from here on. */
    forget: () => byCard.clear(),
    messages: () => ({ shown, faults: faults.slice(0, FAULTS_MAX) }),
    hear(event: AirEvent) {
      if (event.type !== 'screen') return;
      const seen = byCard.get(event.card) ?? { current: null, gone: new Set() };
      byCard.set(event.card, seen);
      const osd = event.screen.kind === 'off' ? null : event.screen.osd;
      const now = osd?.id ?? null;
      if (now === seen.current) return;
      // Only what left the screen empty has gone: what lay below another comes up again.
      if (now === null && seen.current !== null) seen.gone.add(seen.current);
      seen.current = now;
      if (now === null) return;
      shown += 1;
      if (seen.gone.has(now)) faults.push(`card ${event.card}: message ${now} was shown again`);
    },
  };
}
