/**
 * People in the head-end's own room, and others with a door to it: they change what it knows behind
 * our back. What they did is kept, so that it can be accounted for (`account.ts`).
 */
import type { ConsoleWrite } from '../simulators/head-end/console.ts';
import { createVipControlLink } from '../src/entitlement/vip-control/link.ts';
import { silentLogger } from '../src/platform/log.ts';
import { withLuhnDigit } from '../src/platform/luhn.ts';
import { systemClock, systemRandom } from '../src/platform/system.ts';
import { sleep } from '../src/platform/timers.ts';
import type { Customer } from './customers.ts';
import type { Town } from './town.ts';
import type { Activated, Disagreement } from './troubles.ts';

/** A product that somebody gave a card at the console; `mark` is its reason, and its own. */
export interface Activation {
  whose: Activated;
  card: string;
  product: string;
  mark: string;
}

export interface Meddled {
  activations: readonly Activation[];
  /** Cards about which the head-end disagrees, by how. */
  disagreements: ReadonlyMap<string, Exclude<Disagreement, 'unknown_product'>>;
}

export interface Meddling {
  activate(whose: Activated): Promise<void>;
  disagree(trouble: { what: Disagreement; forMs: number }): Promise<void>;
  meddled(): Meddled;
  /** Makes cards known again, and lifts bans: what only people at the head-end can. */
  mend(): Promise<void>;
}

export interface MeddlingParts {
  town: Pick<Town, 'headEnd' | 'controlPort'>;
  /** Who pays all the time, and who never does. */
  payers: readonly Customer[];
  idlers: readonly Customer[];
  /** Cards that we have paired with a decoder. */
  paired: ReadonlySet<string>;
  /** Asks again when a busy machine was too slow. */
  surely(ask: () => Promise<void>): Promise<void>;
}

/** No card of `customers.ts` with the small bouquet may show it. */
export const FOREIGN_PRODUCT = 'PREM';
const GLASS = { by: 'night shift' };
const DAY_MS = 86_400_000;
const ACTIVATED_DAYS = 30;
/** A later revision by so much: more than a card is raised by in a run. */
const AHEAD = 100_000;
const ANSWER_MS_MAX = 20_000;
/** After which a write is in the head-end's journal, whoever is killed then. */
const SETTLE_MS = 500;

/** Nobody has done anything yet. */
export function createMeddling({ town, payers, idlers, paired, surely }: MeddlingParts): Meddling {
  const { headEnd } = town;
  const activations: Activation[] = [];
  const disagreements = new Map<string, Exclude<Disagreement, 'unknown_product'>>();
  const busy = new Set<string>();
  const take = (from: readonly Customer[], is: (one: Customer) => boolean): string | null => {
    const card = from.find((one) => is(one) && !busy.has(one.card))?.card ?? null;
    if (card !== null) busy.add(card);
    return card;
  };
  const write = async (change: Omit<ConsoleWrite, 'by'>): Promise<void> => {
    await surely(() => headEnd.writeByConsole({ ...GLASS, ...change }));
    await sleep(SETTLE_MS);
  };
  return {
    async activate(whose) {
      const n = activations.length;
      const stranger = withLuhnDigit(`4022${String(n).padStart(6, '0')}`);
      const isSmall = ({ products }: Customer) => !products.includes(FOREIGN_PRODUCT);
      const card =
        whose === 'stranger' ? stranger : take(whose === 'payer' ? payers : idlers, isSmall);
      if (card === null) return;
      const mark = `activation ${n}`;
      const now = Date.now();
      const [from, to] = [now, now + ACTIVATED_DAYS * DAY_MS].map((ms) =>
        new Date(ms).toISOString(),
      );
      const product = FOREIGN_PRODUCT;
      const set = (await headEnd.card(card))?.set ?? [];
      await write({ card, why: mark, set: [...set, { product, from: from ?? '', to: to ?? '' }] });
      activations.push({ whose, card, product, mark });
    },
    async disagree({ what, forMs }) {
      if (what === 'unknown_product') {
        await surely(() => headEnd.setGoneProducts([FOREIGN_PRODUCT]));
        await sleep(forMs);
        await surely(() => headEnd.setGoneProducts([]));
        return;
      }
      const card = take(payers, (one) => paired.has(one.card) === (what === 'unpaired'));
      if (card === null) return;
      disagreements.set(card, what);
      if (what === 'stale_rev') await getAhead(town, card);
      else await write({ card, why: what, ...CHANGES[what] });
    },
    meddled: () => ({ activations, disagreements }),
    async mend() {
      for (const [card, what] of disagreements) {
        if (what !== 'unknown_card' && what !== 'blacklisted') continue;
        await surely(() =>
          headEnd.writeByConsole({ ...GLASS, card, why: 'mended', state: 'live' }),
        );
      }
    },
  };
}

const CHANGES = {
  unknown_card: { state: 'retired' },
  blacklisted: { state: 'blacklisted' },
  unpaired: { stbs: [] },
} as const satisfies Record<string, Partial<ConsoleWrite>>;

/** Another client gives the card what it has, under a revision that is not ours to give yet. */
async function getAhead(
  { headEnd, controlPort }: MeddlingParts['town'],
  card: string,
): Promise<void> {
  const now = await headEnd.card(card);
  const link = createVipControlLink({
    ...{ host: '127.0.0.1', port: controlPort, clientId: 'another-manager', casId: 'vip-control' },
    ...{ clock: systemClock, random: systemRandom, logger: silentLogger },
    epoch: () => now?.epoch || 1,
  });
  try {
    const outcome = await link.send({
      ...{ op: 'ENTITLE', rev: (now?.rev ?? 0) + AHEAD, target: { kind: 'card', id: card } },
      cmdId: `another.${card}`,
      set: (now?.set ?? []).map(({ product, from, to }) => {
        return { product, from: new Date(from), to: new Date(to) };
      }),
      ...{ prio: 'SALE', notAfter: new Date(Date.now() + ANSWER_MS_MAX) },
    });
    // Refused or unanswered, the card is as it was, or the log of the head-end says otherwise.
    if (outcome.kind === 'done') await sleep(SETTLE_MS);
  } finally {
    await link.close();
  }
}
