/** How long it took from the notice of a payment to ON AIR, by card. */
import type { Happened } from './road.ts';

export interface Times {
  /** Hears each step on the road of a payment. */
  note(happened: Happened): void;
  /** Seconds of the last payment for a card; null before the first. */
  of(card: string): number | null;
}

/** Payments whose rights may still be on their way. */
const PAYMENTS_MAX = 200;

/**
 * Measures what was paid for here: rights that go on air for another reason (those the demo is
 * furnished with, a suspension) say nothing of the time from a payment to its picture.
 */
export function createTimes(): Times {
  const paid = new Set<number>();
  const raised = new Map<string, number>();
  const seconds = new Map<string, number>();
  return {
    note({ step, at, card, since }) {
      const sinceMs = since?.getTime();
      if (step === 'settled' && sinceMs !== undefined) {
        paid.add(sinceMs);
        if (paid.size > PAYMENTS_MAX) paid.delete([...paid][0] ?? 0);
      }
      if (card === undefined) return;
      if (step === 'sent' && sinceMs !== undefined && paid.has(sinceMs)) raised.set(card, sinceMs);
      const fromMs = raised.get(card);
      if (step !== 'on_air' || fromMs === undefined) return;
      raised.delete(card);
      seconds.set(card, Math.max(0, at.getTime() - fromMs) / 1000);
    },
    of: (card) => seconds.get(card) ?? null,
  };
}
