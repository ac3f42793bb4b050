/**
 * What the living-room page and its server say to each other. Instants are ISO 8601 in the time
 * of the house, which can be moved on. Every POST answers 200 with `{ok: true}`, or 4xx/5xx with
 * `{ok: false, error}`.
 *
 *   GET  /living-room/house                      HouseView
 *   GET  /living-room/events?phone=+254…&card=…  server-sent events, each a LivingEvent
 *   POST /living-room/gateway/<channel>[/end]    a turn as Africa's Talking posts it, form-encoded
 *                                                (sessionId phoneNumber serviceCode networkCode
 *                                                text), handed on byte for byte to the gateway;
 *                                                its answer comes back as it is: CON … or END …
 *   POST /living-room/text      {phone, body}                     a text to the operator
 *   POST /living-room/prompt    {id, answer: 'accept'|'cancel', pin?}
 *   POST /living-room/tv        {card, power?, signal?, cardIn?, service?, paired?}
 *   POST /living-room/switches  Partial<Switches>
 *   POST /living-room/later     {minutes}                          the whole house moves on
 *   POST /living-room/suspend   {card, suspended: boolean}         as the operator's staff would
 *   POST /living-room/units     {phone, units}                     the operator sells TV units
 */

export interface HouseView {
  now: string;
  phones: PhoneView[];
  /** The programmes a decoder can be tuned to. */
  services: { code: string; name: string; free: boolean }[];
}

export interface PhoneView {
  msisdn: string;
  name: string;
  /** What is special about this person, in English or French. */
  note: string;
  language: 'en' | 'fr';
  /** Channel of the USSD code, and what is dialled. */
  channel: string;
  serviceCode: string;
  networkCode: string;
  /** Where texts to the operator go. */
  textCode: string;
  /** Absent where there is no mobile money. */
  currency: string;
  mobileMoney: boolean;
  /** The PIN of mobile money, shown so that anybody can play. */
  pin: string;
  cards: string[];
}

export type TvScreen =
  | { kind: 'off' }
  | { kind: 'picture'; service: string; osd: Osd | null }
  | { kind: 'blocked'; code: string; why?: string; osd: Osd | null };

export interface Osd {
  id: string;
  text: string;
  durationSeconds: number;
  forced: boolean;
}

export interface TvView {
  card: string;
  power: boolean;
  signal: boolean;
  cardIn: boolean;
  paired: boolean;
  /** Tuned to. */
  service: string;
  screen: TvScreen;
  /** When the decoder last received rights; null: never. */
  receivedAt: string | null;
}

export interface InboxText {
  id: string;
  at: string;
  /** `in`: to the subscriber; `out`: from them. */
  direction: 'in' | 'out';
  body: string;
}

export interface Prompt {
  id: string;
  amount: string;
  currency: string;
  /** Who asks for the money. */
  merchant: string;
  reference: string;
}

export interface Switches {
  /** false: VIP Control is down; what is on air stays there. */
  vipControl: boolean;
  /** What the mobile-money operator does with its notices. */
  operator: 'normal' | 'repeats' | 'delays' | 'silent';
}

/** The stages of the road, in the order in which they come. */
export type RoadStepName =
  | 'dialled'
  | 'prompted'
  | 'answered'
  | 'notice'
  | 'settled'
  | 'sent'
  | 'accepted'
  | 'on_air'
  | 'received'
  | 'picture'
  | 'text';

export interface RoadStep {
  /** Unique and rising. */
  id: number;
  at: string;
  step: RoadStepName;
  card?: string;
  /** A word or a figure: the text typed, the receipt, the reference. */
  detail?: string;
}

/** A card that is paid and not on air, or complained about. */
export interface DarkCard {
  card: string;
  /** Paid or raised at. */
  since: string;
  seconds: number;
  why: string;
}

export type LivingEvent =
  /** The first one, and after each reconnect: all there is. */
  | {
      type: 'all';
      now: string;
      tv: TvView | null;
      texts: InboxText[];
      prompt: Prompt | null;
      switches: Switches;
      road: RoadStep[];
      dark: DarkCard[];
      /** Seconds from the last payment to ON AIR. */
      timeToPicture: number | null;
    }
  | { type: 'tv'; tv: TvView }
  | { type: 'texts'; texts: InboxText[] }
  | { type: 'prompt'; prompt: Prompt | null }
  | { type: 'switches'; switches: Switches }
  | { type: 'road'; step: RoadStep; timeToPicture: number | null }
  | { type: 'dark'; dark: DarkCard[] }
  | { type: 'clock'; now: string };
