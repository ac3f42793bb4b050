/**
 * Dialogues as scripts: a telephone of paper, services that remember what they were asked to do,
 * and a store in memory. `|` stands for a new line, `END ` in front for a closed session.
 */

import { join } from 'node:path';
import type { Diagnosis } from '../../entitlement/picture/desk.ts';
import type { Logger } from '../../platform/ports.ts';
import { loadLanguages } from '../language.ts';
import { decodeTurn } from './decode.ts';
import { createDialogue, type Dialogue, type DialogueDeps } from './engine.ts';
import type {
  Act,
  BlockedView,
  CallerView,
  CardView,
  DialogueChannel,
  DialogueServices,
  EventView,
  MovableView,
  MoveView,
} from './services.ts';
import { createSessions, type SessionKeyValue } from './sessions.ts';

export const LANGUAGES = loadLanguages(join(process.cwd(), 'config/language'));

export const KENYA: DialogueChannel = {
  id: 'ke-384',
  siteId: 1n,
  country: 'KE',
  currency: 'KES',
  timeZone: 'Africa/Nairobi',
  defaultLanguage: 'en',
  serviceCode: '*384*100#',
  mobileMoney: true,
};

export const IVORY_COAST: DialogueChannel = {
  ...KENYA,
  id: 'ci-100',
  country: 'CI',
  currency: 'XOF',
  timeZone: 'Africa/Abidjan',
  defaultLanguage: 'fr',
};

/** A Monday, 12:00 in Nairobi. */
export const NOW = new Date('2026-11-23T09:00:00Z');
const MIDNIGHT_24_DECEMBER_NAIROBI = new Date('2026-12-23T21:00:00Z');

export const AMINA: CardView = {
  cardId: 11n,
  number: '12345084417',
  maskedName: 'AMINA D.',
  bouquetName: 'ESSENTIAL',
  paidUntil: new Date('2026-11-21T21:00:00Z'),
  usualTerm: 'month',
  terms: [
    { term: 'month', priceMinor: 65_000n },
    { term: 'week', priceMinor: 20_000n },
    { term: 'day', priceMinor: 4_050n },
  ],
};

export const MAMA: CardView = {
  ...AMINA,
  cardId: 12n,
  number: '12345029032',
  maskedName: 'MAMA K.',
  paidUntil: MIDNIGHT_24_DECEMBER_NAIROBI,
};

export const STRANGER: CardView = {
  ...AMINA,
  cardId: 13n,
  number: '12345037001',
  maskedName: 'JOHN O.',
  paidUntil: null,
  terms: [{ term: 'month', priceMinor: 65_000n }],
};

export const DERBY: EventView = {
  eventId: 5n,
  code: 'DERBY',
  title: 'GOR v AFC',
  startsAt: new Date('2026-11-24T13:00:00Z'),
  endsAt: new Date('2026-11-24T15:00:00Z'),
  priceMinor: 10_000n,
  onSale: true,
};

export const CALLER: CallerView = {
  subscriberId: 1n,
  language: 'en',
  cards: [AMINA],
  creditMinor: 0n,
  tvuUnits: 0n,
  isReseller: false,
};

export const NOBODY: CallerView = { ...CALLER, subscriberId: null, cards: [] };

export const MAIN =
  'VIP TV|1 Pay / renew|2 TV is blocked|3 Balance, expiry|4 TV units|5 Film / match' +
  '|7 Paid wrong card|0 Francais';
export const PRINCIPAL =
  'VIP TV|1 Payer / reabo|2 TV bloquee|3 Solde, echeance|4 Unites TV|5 Film / match' +
  '|7 Erreur de carte|0 English';
export const TERMS =
  'Card ..4417 AMINA D.|ESSENTIAL, ended 21/11/2026' +
  '|1 Month KES 650|2 Week KES 200|3 Day KES 40.50|4 Other amount|5 Other card|0 Back';
export const CONFIRM =
  'Pay KES 650 for card|..4417 AMINA D.|ESSENTIAL to 23/12/2026' +
  '|1 Yes, pay with mobile money|0 Cancel';
export const PROMPT =
  'END A prompt for KES 650 comes to your phone: enter your PIN to pay.' +
  ' The receipt comes by text.';
export const PICK =
  'Card number (11 digits, under the decoder) or pick:|1 ..4417 AMINA D.|2 ..9032 MAMA K.|0 Back';
export const ANSWERS = '|1 Picture is back|2 Still black|3 Other message|0 Back';
export const RESENT =
  'Card ..4417: paid to 23/12/2026. Rights re-sent 12:00. Keep decoder ON, channel 1.' +
  `${ANSWERS}`;
export const CHECK =
  'Please check: decoder ON, card in, signal cable tight at both ends, channel 1. Wait 2 min.' +
  '|1 Try again|0 Back';
export const ASK_CODE = 'Other message: type the code on the screen, V01 to V08 or E16.|0 Back';
export const CANCELLED = 'END Cancelled. Nothing was paid.';

export const TWO_CARDS = { ...CALLER, cards: [AMINA, MAMA] };
export const RICH = { ...CALLER, creditMinor: 70_000n, tvuUnits: 2_100n };
export const RESELLER = { ...CALLER, tvuUnits: 2_100n, isReseller: true };

/** A month that was paid for the card of Mama, and may go elsewhere. */
export const FOR_MAMA: MovableView = {
  paymentId: 77n,
  amountMinor: 65_000n,
  cardNumber: MAMA.number,
  maskedName: MAMA.maskedName,
};
export const MOVES_LATER: MoveView = {
  amountMinor: 63_000n,
  at: new Date('2026-11-23T09:30:00Z'),
  paidUntil: null,
};

export interface Done {
  what: string;
  key: string;
  [detail: string]: unknown;
}

export interface World {
  services: DialogueServices;
  /** Every act, in order; refreshes and reports too. */
  acts: Done[];
}

const NOT_PAID: Pick<BlockedView, 'diagnosis' | 'wrongCard'> = {
  diagnosis: { kind: 'not_paid', paidUntil: AMINA.paidUntil },
  wrongCard: null,
};
/** The picture of a card that is on air until midnight after 23 December. */
export const ON_AIR: Diagnosis = {
  kind: 'on_air',
  paidUntil: MIDNIGHT_24_DECEMBER_NAIROBI,
  since: new Date('2026-11-23T08:30:00Z'),
  refreshedAt: null,
};

/** Services that answer from literals. A unit of TV is worth 50 minor units. */
export function world(caller: CallerView = CALLER, cards = [AMINA, MAMA, STRANGER]): World {
  const acts: Done[] = [];
  const note = (what: string, { key }: Act, details: object) =>
    acts.push({ what, key, ...details });
  const services: DialogueServices = {
    caller: async () => caller,
    card: async (_channel, number) => cards.find((card) => card.number === number) ?? null,
    blocked: async (_channel, number) => {
      const card = cards.find((known) => known.number === number);
      const missing = (card?.terms ?? [])
        .filter(({ term }) => term !== 'week')
        .map(({ term, priceMinor }) => ({ term, amountMinor: priceMinor - caller.creditMinor }));
      const money = { creditMinor: caller.creditMinor, owedMinor: 65_000n };
      return card ? { card, ...money, missing, ...NOT_PAID } : null;
    },
    refresh: async ({ msisdn }, cardId) => {
      acts.push({ what: 'refresh', key: '', msisdn, cardId });
      return { kind: 'asked', at: NOW };
    },
    reportPicture: async (act, cardId, answer) => {
      note(`picture ${answer}`, act, { cardId });
      return { blackReports: acts.filter(({ what }) => what === 'picture black').length };
    },
    event: async (_channel, code) => (code === DERBY.code ? DERBY : null),
    events: async () => [DERBY],
    previewTerm: async () => MIDNIGHT_24_DECEMBER_NAIROBI,
    tvuQuote: async (_channel, units) => {
      const lots = units / 10n;
      return { creditMinor: lots * 500n, usedUnits: lots * 10n };
    },
    payByMobileMoney: async (act, purchase) => {
      note('mobile money', act, purchase);
      return { ok: true, value: { amountMinor: 65_000n } };
    },
    payFromWallet: async (act, purchase, means) => {
      note(`wallet ${means}`, act, purchase);
      const paidUntil = purchase.kind === 'term' ? MIDNIGHT_24_DECEMBER_NAIROBI : null;
      return { ok: true, value: { ref: '8K2Q7', paidUntil } };
    },
    convertTvu: async (act, units) => {
      note('convert', act, { units });
      const usedUnits = (units / 10n) * 10n;
      return { ok: true, value: { ref: 'C1', creditMinor: usedUnits * 50n, usedUnits } };
    },
    sendUnits: async (act, to, units, pin) => {
      note('send', act, { to, units });
      if (pin !== '4321') return { ok: false, error: 'wrong_pin' };
      return { ok: true, value: { ref: 'S1', unitsLeft: caller.tvuUnits - units } };
    },
    movable: async () => ({ payments: [FOR_MAMA], last: null }),
    quoteMove: async () => ({ ok: true, value: MOVES_LATER }),
    movePayment: async (act, paymentId, card) => {
      note('move', act, { paymentId, card });
      return { ok: true, value: { ...MOVES_LATER, ref: 'M1' } };
    },
    objectToMoves: async () => [],
    setLanguage: async (act, language) => {
      note('language', act, { language });
    },
  };
  return { services, acts };
}

/** A world whose card stands as said. */
export function pictured(facts: Partial<BlockedView>, caller = CALLER): World {
  const on = world(caller);
  const { blocked } = on.services;
  on.services.blocked = async (...asked) => {
    const view = await blocked(...asked);
    return view && { ...view, ...facts };
  };
  return on;
}

export const standing = (diagnosis: Diagnosis, caller = CALLER) => pictured({ diagnosis }, caller);
export const onAir = (caller = CALLER) => standing(ON_AIR, caller);

export interface Memory extends SessionKeyValue {
  records: Map<string, string>;
  /** Calls of each kind since the last reset by the test. */
  reads: number;
  writes: number;
}

export function memory(): Memory {
  const records = new Map<string, string>();
  return {
    records,
    reads: 0,
    writes: 0,
    async get(key) {
      this.reads += 1;
      return records.get(key);
    },
    async set(key, value) {
      this.writes += 1;
      records.set(key, value);
    },
    async del(key) {
      records.delete(key);
    },
  };
}

export interface Logged {
  event: string;
  fields: unknown;
}

export interface Phone {
  dialogue: Dialogue;
  store: Memory;
  log: Logged[];
  /** Sends a cumulative string in the current session; `|` for new lines, `END ` when closed. */
  request(cumulative: string): Promise<string>;
  /** A new session; what is dialled behind the code. */
  dial(extras?: string): Promise<string>;
  /** One more answer. Every request goes out twice, as impatient gateways do. */
  send(input: string): Promise<string>;
  /** Everything sent so far in this session. */
  sent(): string;
}

export interface PhoneOptions extends Partial<DialogueDeps> {
  channel?: DialogueChannel;
  msisdn?: string | null;
  store?: Memory;
}

/** A telephone on a dialogue over the given world. */
export function phone(on: World, options: PhoneOptions = {}): Phone {
  const store = options.store ?? memory();
  const log: Logged[] = [];
  const write = (event: string, fields?: unknown) => log.push({ event, fields });
  const logger: Logger = { info: write, warn: write, error: write };
  const { channel = KENYA, msisdn = '+254712345678' } = options;
  const dialogue = createDialogue({
    services: on.services,
    sessions: createSessions(store),
    clock: { now: () => NOW },
    logger,
    languages: LANGUAGES,
    within: (_ms, work) => work,
    decodeTurn,
    ...options,
  });
  let session = 0;
  let cumulative = '';

  const request = async (text: string) => {
    const sessionId = `S${session}`;
    const serviceCode = channel.serviceCode;
    const asked = { sessionId, msisdn, serviceCode, cumulative: text };
    const reply = await dialogue.handle(channel, asked);
    return (reply.close ? 'END ' : '') + reply.text.replaceAll('\n', '|');
  };
  const twice = async (text: string) => {
    const first = await request(text);
    const actsBefore = on.acts.length;
    const second = await request(text);
    if (second !== first) throw new Error(`a replay shows ${second} instead of ${first}`);
    if (on.acts.length !== actsBefore) throw new Error('a replay acted');
    return first;
  };

  return {
    dialogue,
    store,
    log,
    request,
    dial: (extras = '') => {
      session += 1;
      cumulative = extras;
      return twice(extras);
    },
    send: (input) => {
      cumulative = cumulative === '' ? input : `${cumulative}*${input}`;
      return twice(cumulative);
    },
    sent: () => cumulative,
  };
}

/** Plays `typed → shown` rows; the first row's `dial` opens a session, `dial 1*1` with extras. */
export async function play(on: Phone, rows: readonly (readonly [string, string])[]): Promise<void> {
  for (const [typed, shown] of rows) {
    const [word, extras = ''] = typed.split(' ');
    const seen = word === 'dial' ? await on.dial(extras) : await on.send(typed);
    expect(`${typed} → ${seen}`).toBe(`${typed} → ${shown}`);
  }
}
