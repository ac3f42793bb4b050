/** What every telephone has received, and what telephones have sent. */

import type { Clock, Random } from '../../src/platform/ports.ts';

const TEXTS_PER_PHONE_MAX = 200;
const PHONES_MAX = 200_000;
const RECENT_TEXTS_MAX = 500;
const INCOMING_MAX = 10_000;
const FIRST_INCOMING_ID = 15_071;

export interface InboxText {
  /** The gateway's message id. */
  id: string;
  /** ISO 8601, UTC. */
  at: string;
  from: string;
  to: string;
  text: string;
}

export interface IncomingText {
  from: string;
  /** Short code or long number it is sent to. */
  to: string;
  text: string;
}

/** As a poll answers it: the id is a number there and a string in callbacks. */
export interface IncomingMessage extends IncomingText {
  id: number;
  linkId: string;
  date: string;
}

export interface Inboxes {
  deliver(text: Pick<InboxText, 'from' | 'to' | 'text'>): InboxText;
  of(msisdn: string): InboxText[];
  all(): InboxText[];
  receive(text: IncomingText): IncomingMessage;
  incomingAfter(id: number): IncomingMessage[];
}

/** Keeps the newest 200 texts of a phone; the oldest phones are forgotten first. */
export function createInboxes({ clock, random }: { clock: Clock; random: Random }): Inboxes {
  const phones = new Map<string, InboxText[]>();
  const recent: InboxText[] = [];
  const incoming: IncomingMessage[] = [];
  let incomingId = FIRST_INCOMING_ID;
  return {
    deliver(text) {
      const at = clock.now().toISOString();
      const delivered = { id: `ATXid_${random.hex(16)}`, at, ...text };
      const key = digits(text.to);
      const oldest = phones.keys().next().value;
      if (phones.size >= PHONES_MAX && !phones.has(key) && oldest !== undefined) {
        phones.delete(oldest);
      }
      const texts = phones.get(key) ?? [];
      phones.set(key, texts);
      addBounded(texts, delivered, TEXTS_PER_PHONE_MAX);
      addBounded(recent, delivered, RECENT_TEXTS_MAX);
      return delivered;
    },
    of: (msisdn) => (phones.get(digits(msisdn)) ?? []).toReversed(),
    all: () => recent.toReversed(),
    receive(text) {
      const message = {
        linkId: `SampleLinkId${random.hex(4)}`,
        text: text.text,
        to: text.to,
        id: incomingId++,
        date: clock.now().toISOString(),
        from: text.from,
      };
      addBounded(incoming, message, INCOMING_MAX);
      return message;
    },
    incomingAfter: (id) => incoming.filter((message) => message.id > id),
  };
}

function addBounded<T>(list: T[], item: T, max: number): void {
  list.push(item);
  if (list.length > max) list.shift();
}

/** A number as a key: without `+` and blanks. */
export function digits(msisdn: string): string {
  return msisdn.replace(/\D/g, '');
}
