/** One open page: what its person sees, and what has changed since it was told. */

import type { DecoderView } from '../head-end/air/types.ts';
import type { HeadEndClient } from '../head-end/client.ts';
import type { MobileMoneySimulator } from '../mobile-money/server.ts';
import type { TextSimulator } from '../texts/server.ts';
import type { InboxText, LivingEvent, Prompt, TvView } from './api.ts';
import type { Concerned } from './road.ts';

export interface SeatDeps {
  money: Pick<MobileMoneySimulator, 'prompts'>;
  texts: Pick<TextSimulator, 'inbox'>;
  headEnd: Pick<HeadEndClient, 'decoder'>;
  /** Texts that the phone has sent, oldest first. */
  sentBy(phone: string): readonly InboxText[];
  currencyOf(phone: string): { currency: string; exponent: number };
}

export interface Seat extends Concerned {
  /** The card whose decoder stands in the room. */
  card: string;
  send(event: LivingEvent): void;
}

const TEXTS_SHOWN_MAX = 50;

/** The telephone's inbox and outbox, newest first. */
export function textsOf({ texts, sentBy }: SeatDeps, phone: string): InboxText[] {
  const received = texts
    .inbox(phone)
    .map(({ id, at, text }) => ({ id, at, direction: 'in' as const, body: text }));
  return [...received, ...sentBy(phone)]
    .sort((a, b) => (a.at < b.at ? 1 : a.at > b.at ? -1 : 0))
    .slice(0, TEXTS_SHOWN_MAX);
}

/** The prompt now showing on the telephone. */
export function promptOf({ money, currencyOf }: SeatDeps, phone: string): Prompt | null {
  const [prompt] = money.prompts(phone);
  if (!prompt) return null;
  const { currency, exponent } = currencyOf(phone);
  const minor = prompt.amountMinor.toString().padStart(exponent + 1, '0');
  const whole = exponent === 0 ? minor : minor.slice(0, -exponent);
  const cents = exponent === 0 ? '' : minor.slice(-exponent);
  return {
    id: prompt.checkoutRequestId,
    amount: Number(cents) === 0 ? whole : `${whole}.${cents}`,
    currency,
    merchant: prompt.payee,
    reference: prompt.accountReference,
  };
}

/** What stands in the room; null when the card has no decoder here. */
export async function tvOf({ headEnd }: SeatDeps, card: string): Promise<TvView | null> {
  const view = await headEnd.decoder(card);
  return view ? tvView(view) : null;
}

function tvView(view: DecoderView): TvView {
  const { card, power, signal, cardIn, paired, service, screen, stored } = view;
  const receivedAt = stored?.receivedAt ?? null;
  return { card, power, signal, cardIn, paired, service, screen, receivedAt };
}

/** Sends a value to the seat when it is another one than the last. */
export function createTeller<T>(tell: (value: T) => void): (value: T) => void {
  let last: string | undefined;
  return (value) => {
    const now = JSON.stringify(value);
    if (now === last) return;
    last = now;
    tell(value);
  };
}
