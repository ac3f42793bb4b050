import fc from 'fast-check';
import { withLuhnDigit } from '../../platform/luhn.ts';
import { cardNumber, readReference } from './reference.ts';

const CARD = withLuhnDigit('4021000001');
const nothing = { card: null, msisdn: null, order: null, document: null };

describe('what a payer writes as the account', () => {
  it.each([
    CARD,
    ` ${CARD} `,
    CARD.replace(/(\d{4})(\d{4})(\d{3})/, '$1 $2 $3'),
    CARD.replace(/(\d{4})(\d{4})(\d{3})/, '$1-$2-$3'),
    CARD.replace(/(\d{3})(\d{4})(\d{4})/, '$1.$2_$3'),
    CARD.replaceAll('0', 'O'),
    CARD.replaceAll('0', 'o').replaceAll('1', 'l'),
    CARD.replaceAll('1', 'I'),
    // What is printed on the card goes on behind the number.
    `${CARD}12345`,
  ])('as %p is the card', (written) => {
    expect(readReference(written, 'KE')).toEqual({ ...nothing, card: CARD });
  });

  it.each([
    ['0700000001', 'KE', '+254700000001'],
    ['+254 700 000 001', 'KE', '+254700000001'],
    ['254700000001', 'KE', '+254700000001'],
    ['0700000003', 'CI', '+2250700000003'],
    ['+2250700000003', 'KE', '+2250700000003'],
  ])('as %p in %s is the phone %s', (written, country, msisdn) => {
    expect(readReference(written, country)).toEqual({ ...nothing, msisdn });
  });

  it.each([
    ['V0001AB', 'V0001AB'],
    ['v0001ab', 'V0001AB'],
    ['V 0001-AB', 'V0001AB'],
  ])('as %p is our order %s', (written, order) => {
    expect(readReference(written, 'KE')).toEqual({ ...nothing, order });
  });

  it.each([
    null,
    '',
    ' ',
    'JOHN',
    'V1',
    '123',
    `${CARD}\u0000`,
    '４０２１００００１０',
    '9'.repeat(500),
  ])('as %p is nothing that we know', (written) => {
    expect(readReference(written, 'KE')).toEqual(nothing);
  });

  it.each([
    ['INV-2026-000123', 'INV2026000123'],
    ['inv 2026 000123', 'INV2026000123'],
    ['000123/2026/CI', '0001232026CI'],
    ['VIP TV JANUARY 2027', 'VIPTVJANUARY2027'],
    [CARD.slice(0, 10), CARD.slice(0, 10)],
  ])('as %p may be the number %s of an invoice', (written, document) => {
    expect(readReference(written, 'KE')).toEqual({ ...nothing, document });
  });

  it('never is two things, and never throws', () => {
    const text = fc.oneof(fc.string({ maxLength: 40 }), fc.stringMatching(/^[\dOIlV +.-]{0,20}$/));
    fc.assert(
      fc.property(text, fc.constantFrom('KE', 'CI', 'XX', ''), (written, country) => {
        const read = readReference(written, country);
        expect(Object.values(read).filter((value) => value !== null).length).toBeLessThan(2);
      }),
    );
  });
});

describe('a card number', () => {
  it('with one slip of the finger is no card', () => {
    fc.assert(
      fc.property(fc.nat({ max: 10 }), fc.integer({ min: 1, max: 9 }), (i, by) => {
        const slipped = (Number(CARD[i]) + by) % 10;
        expect(cardNumber(CARD.slice(0, i) + slipped + CARD.slice(i + 1))).toBeNull();
      }),
    );
  });
});
