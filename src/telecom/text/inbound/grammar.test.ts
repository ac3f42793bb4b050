import fc from 'fast-check';
import { BODY_CHARS_MAX, type Intent, keptBody, normalisedText, parseText } from './grammar.ts';

const CARD = '40210000010';
const OTHER = '40210000028';
const CODE = '1234567812345678';

const about = (kind: 'balance' | 'reset', card: string | null = null): Intent => ({ kind, card });
const pay = (what: object, card: string | null = null) => ({ kind: 'pay', what, card });
const USUAL = { kind: 'usual' };
const UNCLEAR = { kind: 'unclear' };
const amount = (digits: string) => ({ kind: 'amount', digits });
const term = (name: string) => ({ kind: 'term', term: name });

describe('the grammar of texts', () => {
  it.each<[string, object]>([
    ['BAL', about('balance')],
    ['bal', about('balance')],
    ['Balance.', about('balance')],
    ['DUE', about('balance')],
    ['Solde', about('balance')],
    ['SALIO', about('balance')],
    [`DUE ${CARD}`, about('balance', CARD)],
    [`solde, ${CARD}!`, about('balance', CARD)],
    [`${CARD} BAL`, about('balance', CARD)],
    [`bal${CARD}`, about('balance', CARD)],
    ['BAL 4021 0000 010', about('balance', CARD)],
    ['BAL 4021-000001-0', about('balance', CARD)],
    ['BAL 4021.0000.010', about('balance', CARD)],
    ['BAL 4O21OOOOO1O', about('balance', CARD)],
    ['BAL 402l00000l0', about('balance', CARD)],
    [`BAL ${CARD}12345`, about('balance', CARD)],
    ['What is my balance please', about('balance')],
    ['BAL 0010', about('balance', '0010')],
    ['BAL 40210000019', about('balance', '40210000019')],
    ['BAL 4021000001', about('balance', '4021000001')],
    [CARD, about('balance', CARD)],
    ['4021 0000 010', about('balance', CARD)],
    ['40210000019', about('balance', '40210000019')],
  ])('reads a question for the balance in %j', (body, intent) => {
    expect(parseText(body)).toEqual(intent);
  });

  it.each<[string, object]>([
    ['RESET', about('reset')],
    [`Reset ${CARD}`, about('reset', CARD)],
    [`E16 ${CARD}`, about('reset', CARD)],
    ['e19', about('reset')],
    ['E-32', about('reset')],
    ['E 16', about('reset')],
    ['E16-4', about('reset')],
    ['V03', about('reset')],
    [`v08 ${CARD}`, about('reset', CARD)],
    ['BLOC', about('reset')],
    ['Bloqué', about('reset')],
    ['TV bloquée', about('reset')],
    [`${CARD} is blocked`, about('reset', CARD)],
    ['OFF ON', about('reset')],
    [`on off ${CARD}`, about('reset', CARD)],
    ['HELP, my TV is blocked', about('reset')],
  ])('reads a blocked screen in %j', (body, intent) => {
    expect(parseText(body)).toEqual(intent);
  });

  it.each<[string, object]>([
    ['PAY', pay(USUAL)],
    ['Payer', pay(USUAL)],
    ['lipa', pay(USUAL)],
    [`LIPA 650 ${CARD}`, pay(amount('650'), CARD)],
    [`PAY ${CARD} 650`, pay(amount('650'), CARD)],
    [`650,${CARD},pay`, pay(amount('650'), CARD)],
    ['PAY 5000 4021 0000 010', pay(amount('5000'), CARD)],
    ['PAY KES650', pay(amount('650'))],
    ['PAY650', pay(amount('650'))],
    ['Payer 5000F', pay(amount('5000'))],
    ['PAY 650/=', pay(amount('650'))],
    [`PAY MONTH ${CARD}`, pay(term('month'), CARD)],
    ['payer mois', pay(term('month'))],
    ['PAY 1 MONTH', pay(term('month'))],
    ['LIPA WEEK', pay(term('week'))],
    ['PAYER SEMAINE', pay(term('week'))],
    ['PAY DAY', pay(term('day'))],
    [`JOUR PAYER ${CARD}`, pay(term('day'), CARD)],
    // No guess is made about money.
    ['PAY 3 DAYS', pay({ kind: 'term', term: '3d' })],
    ['PAY 10D', pay({ kind: 'term', term: '10d' })],
    ['PAY 10 JOURS 40210000019', pay({ kind: 'term', term: '10d' }, '40210000019')],
    ['PAY YEAR', pay({ kind: 'term', term: 'year' })],
    ['payer 1 an', pay({ kind: 'term', term: 'year' })],
    ['PAY 3 MONTHS', pay({ kind: 'term', term: 'quarter' })],
    ['PAY 12 MOIS', pay({ kind: 'term', term: 'year' })],
    ['PAY 2 MONTHS', pay(UNCLEAR)],
    ['PAY 10D 650', pay(UNCLEAR)],
    ['PAY 10D 20D', pay(UNCLEAR)],
    ['PAY DAY WEEK', pay(UNCLEAR)],
    ['PAY 650.50', pay(UNCLEAR)],
    ['PAY 1.000', pay(UNCLEAR)],
    ['PAY 1,000', pay(UNCLEAR)],
    ['PAY 1 000', pay(UNCLEAR)],
    // 650 4021 0000 could be a card as well.
    ['PAY 650 4021 0000 010', pay(UNCLEAR)],
    ['PAY 0', pay(UNCLEAR)],
    ['PAY 0010', pay(UNCLEAR)],
    ['PAY 650 40210000019', pay(amount('650'), '40210000019')],
    ['PAY 402100000', pay(USUAL, '402100000')],
  ])('reads a payment in %j', (body, intent) => {
    expect(parseText(body)).toEqual(intent);
  });

  it.each<[string, object]>([
    ['BUY DERBY', { kind: 'buy', codes: ['DERBY'], card: null }],
    ['BUY AN12', { kind: 'buy', codes: ['AN12'], card: null }],
    [`acheter f1 ${CARD}`, { kind: 'buy', codes: ['F1'], card: CARD }],
    ['BUY 1402', { kind: 'buy', codes: ['1402'], card: null }],
    ['BUY the derby', { kind: 'buy', codes: ['DERBY', 'THE'], card: null }],
    ['BUY', { kind: 'buy', codes: [], card: null }],
  ])('reads a purchase in %j', (body, intent) => {
    expect(parseText(body)).toEqual(intent);
  });

  it.each([
    ...['1', '1.', 'Yes', 'OUI!', 'back', '1 picture is back'].map((body) => [body, 'back']),
    ...['2', 'no', 'NON', 'black', 'Noir', '2 still black', 'no picture'].map((b) => [b, 'black']),
  ])('reads what the viewer sees in %j: %s', (body, answer) => {
    expect(parseText(body)).toEqual({ kind: 'picture', answer });
  });

  it.each([
    ...['HELP', 'aide', '?', ' ?? '].map((body) => [body, 'help']),
    ...['STOP', 'Arrêt', 'stop sms'].map((body) => [body, 'stop']),
    ...['OBJECT', 'Objection!', 'refus', 'Je refuse'].map((body) => [body, 'object']),
    ['START', 'start'],
    ...[CODE, '1234-5678-1234-5678', `${CODE} ${CARD}`, 'RECH'].map((body) => [body, 'recharge']),
    ...['', '!', 'hello', '1 2', 'yes no', '17', 'BAL PAY', 'V09', `BAL ${CARD} ${OTHER}`].map(
      (body) => [body, 'unknown'],
    ),
    ['Why does it always stop at night', 'unknown'],
    ['我的电视', 'unknown'],
  ])('reads %j as %s', (body, kind) => {
    expect(parseText(body)).toEqual({ kind });
  });

  it('does not mind order, case or punctuation', () => {
    const word = fc.constantFrom('BAL', 'RESET', 'E16', 'PAY', 'LIPA', 'BUY', 'HELP', 'STOP');
    const more = fc.constantFrom('MONTH', '650', CARD, OTHER, 'DERBY', 'TV');
    const words = fc
      .tuple(word, fc.uniqueArray(more, { maxLength: 4 }))
      .map(([first, rest]) => [first, ...rest]);
    const texts = words.chain((list) =>
      fc.tuple(
        fc.constant(list.join(' ')),
        fc.shuffledSubarray(list, { minLength: list.length, maxLength: list.length }),
        fc.infiniteStream(fc.constantFrom(' ', ' - ', '; ', '! ', ' /', ' #', '... ', ': ')),
        fc.boolean(),
      ),
    );
    fc.assert(
      fc.property(texts, ([plain, shuffled, marks, isLower]) => {
        const written = shuffled.map((each) => each + marks.next().value).join('');
        const body = isLower ? written.toLowerCase() : written;
        expect(parseText(body)).toEqual(parseText(plain));
      }),
    );
  });

  it('reads any text whatever, and keeps it in a form that can be kept', () => {
    const any = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'grapheme' }));
    fc.assert(
      fc.property(any, (body) => {
        parseText(body);
        expect(normalisedText(keptBody(body))).toBe(normalisedText(body.replaceAll('\0', '')));
        expect(keptBody(body)).not.toContain('\0');
      }),
    );
    expect(parseText('1'.repeat(100_000))).toEqual({ kind: 'unknown' });
    expect(parseText('1 '.repeat(100_000)).kind).toBeDefined();
  });
});

describe('a text as it is kept', () => {
  it('shows only the last four digits of what may be a scratch code', () => {
    for (const code of [CODE, '1234 5678 1234 5678', '1234-5678-1234-5678']) {
      expect(keptBody(code).replace(/[ -]/g, '')).toBe('************5678');
    }
    expect(keptBody(`RECH 123456781234567`)).toBe('RECH ***********4567');
    expect(keptBody('１２３４５６７８１２３４５６７８')).toMatch(/^\*{12}\S{4}$/);
  });

  it('shows cards and amounts, and ends where a text ends', () => {
    expect(keptBody(`PAY 650 ${CARD}`)).toBe(`PAY 650 ${CARD}`);
    expect(keptBody('x'.repeat(BODY_CHARS_MAX + 1))).toHaveLength(BODY_CHARS_MAX);
  });
});
