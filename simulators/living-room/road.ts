/** What happened on the road of each payment lately, for whom it may concern. */
import type { RoadStep } from './api.ts';

export interface Happened extends Omit<RoadStep, 'id' | 'at'> {
  at: Date;
  /** The phone it belongs to, where that is known; E.164. */
  msisdn?: string;
  /** What M-PESA says in its place. */
  payerHash?: string;
  /** When what is sent or on air was raised. */
  since?: Date;
}

export interface Concerned {
  phone: string;
  cards: readonly string[];
}

export interface Road {
  note(happened: Happened): void;
  /** The last steps of a phone and its cards, oldest first. */
  stepsOf(concerned: Concerned): RoadStep[];
  /** Calls `fn` at each step from now on; returns how to end that. */
  follow(fn: (step: RoadStep, concerns: (concerned: Concerned) => boolean) => void): () => void;
}

const STEPS_KEPT_MAX = 2_000;
const STEPS_SHOWN_MAX = 60;

type Kept = RoadStep & { msisdn?: string };

/** A road on which nothing has happened yet. */
export function createRoad(): Road {
  const kept: Kept[] = [];
  const followers = new Set<Parameters<Road['follow']>[0]>();
  let lastId = 0;
  return {
    note({ at, since: _since, payerHash: _hash, ...happened }) {
      lastId += 1;
      const step: Kept = { id: lastId, at: at.toISOString(), ...happened };
      kept.push(step);
      if (kept.length > STEPS_KEPT_MAX) kept.shift();
      for (const tell of followers) {
        tell(told(step), (concerned) => concerns(step, concerned));
      }
    },
    stepsOf: (concerned) =>
      kept
        .filter((step) => concerns(step, concerned))
        .slice(-STEPS_SHOWN_MAX)
        .map(told),
    follow(fn) {
      followers.add(fn);
      return () => void followers.delete(fn);
    },
  };
}

function concerns(step: Kept, { phone, cards }: Concerned): boolean {
  return step.msisdn === phone || (step.card !== undefined && cards.includes(step.card));
}

/** As the page sees it. */
function told({ msisdn: _kept, ...step }: Kept): RoadStep {
  return step;
}
