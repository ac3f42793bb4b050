/** Who sits in the living room: kept in the address, so that a link or a reload finds back. */
import type { HouseView, PhoneView } from '../api.ts';
import type { Language } from './words/words.ts';

export interface Place {
  phone: string | null;
  card: string | null;
  language: Language | null;
}

/** Reads `#phone=+254…&card=…&lang=fr`; whatever is not understood counts as absent. */
export function placeOf(hash: string): Place {
  // In an address a plus sign may stand for itself; a form would read it as a blank.
  const fields = new URLSearchParams(hash.replace(/^#/, '').replaceAll('+', '%2B'));
  const language = fields.get('lang');
  return {
    phone: fields.get('phone'),
    card: fields.get('card'),
    language: language === 'en' || language === 'fr' ? language : null,
  };
}

/** The other way round. */
export function hashOf({ phone, card, language }: Place): string {
  const fields = new URLSearchParams();
  if (phone !== null) fields.set('phone', phone);
  if (card !== null) fields.set('card', card);
  if (language !== null) fields.set('lang', language);
  return `#${fields}`;
}

/** The person and card of a place, where the house has them; else the first. */
export function seatOf(house: HouseView, place: Place): { phone: PhoneView; card: string | null } {
  const phone = house.phones.find(({ msisdn }) => msisdn === place.phone) ?? house.phones[0];
  if (phone === undefined) throw new Error('The house has no phones');
  const card = phone.cards.find((number) => number === place.card) ?? phone.cards[0] ?? null;
  return { phone, card };
}
