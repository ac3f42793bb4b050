import type { HouseView, PhoneView } from '../api.ts';
import { hashOf, placeOf, seatOf } from './place.ts';

const person = (msisdn: string, cards: string[]) => ({ msisdn, cards }) as PhoneView;
const house = {
  phones: [person('+254700000001', ['11']), person('+254700000003', ['31', '32'])],
} as HouseView;

describe('the place in the address', () => {
  it('is read back as it was written', () => {
    const place = { phone: '+254700000003', card: '32', language: 'fr' } as const;
    expect(placeOf(hashOf(place))).toEqual(place);
  });

  it('takes a plus sign as people type it, and nothing that it does not know', () => {
    expect(placeOf('#phone=+254700000001&lang=de')).toEqual({
      phone: '+254700000001',
      card: null,
      language: null,
    });
    expect(placeOf('')).toEqual({ phone: null, card: null, language: null });
  });

  it('seats whoever is named, with the card that is named', () => {
    const seat = seatOf(house, { phone: '+254700000003', card: '32', language: null });
    expect([seat.phone.msisdn, seat.card]).toEqual(['+254700000003', '32']);
  });

  it('seats the first person with the first card where a name means nothing', () => {
    const seat = seatOf(house, { phone: '+1', card: '32', language: null });
    expect([seat.phone.msisdn, seat.card]).toEqual(['+254700000001', '11']);
    expect(seatOf({ ...house, phones: [person('+2', [])] }, placeOf('')).card).toBeNull();
  });
});
