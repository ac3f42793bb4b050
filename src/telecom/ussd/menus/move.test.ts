import {
  AMINA,
  CALLER,
  CANCELLED,
  FOR_MAMA,
  MAIN,
  MAMA,
  MOVES_LATER,
  phone,
  play,
  STRANGER,
  TWO_CARDS,
  world,
} from '../script.fixture.ts';
import type { Refusal } from '../services.ts';

const PAYMENTS = 'Paid for the wrong card? Pick the payment:|1 KES 650 ..9032 MAMA K.|0 Back';
const RIGHT_CARD = 'Right card for KES 650: number (11 digits) or pick:|1 ..4417 AMINA D.|0 Back';
const CONFIRM =
  'KES 630 from card ..9032 to|..4417 AMINA D.|ESSENTIAL, at 12:30 if its owner does not object' +
  '|1 Yes|0 Cancel';
const MOVING =
  'END Taken on: KES 630 goes to card ..4417 at 12:30 if the other owner does not object.' +
  ' A text will come. Ref M1';

describe('a payment for the wrong card', () => {
  it('is picked, given its card, and moved behind a yes alone', async () => {
    const on = world(TWO_CARDS);
    await play(phone(on), [
      ['dial', MAIN],
      ['7', PAYMENTS],
      ['9', `Choose from the list.|${PAYMENTS}`],
      ['1', RIGHT_CARD],
      ['0', PAYMENTS],
      ['1', RIGHT_CARD],
      ['1', CONFIRM],
      ['0', CANCELLED],
    ]);
    expect(on.acts).toEqual([]);
    await play(phone(on), [
      ['dial 7*1*1*1', CONFIRM],
      ['1', MOVING],
    ]);
    expect(on.acts).toMatchObject([{ what: 'move', paymentId: 77n, card: AMINA.number }]);
  });

  it('moves at once where nobody is to be asked, and says until when it is paid', async () => {
    const on = world(CALLER);
    const value = { ...MOVES_LATER, at: null, paidUntil: MAMA.paidUntil };
    on.services.quoteMove = async () => ({ ok: true, value });
    on.services.movePayment = async () => ({ ok: true, value: { ...value, ref: 'M2' } });
    await play(phone(on), [
      [
        'dial 7*1*1',
        'KES 630 from card ..9032 to|..4417 AMINA D.|ESSENTIAL to 23/12/2026, at once' +
          '|1 Yes|0 Cancel',
      ],
      [
        '1',
        'END Moved: KES 630 now on card ..4417. Keep the decoder ON 5 min.' +
          ' The receipt comes by text. Ref M2',
      ],
    ]);
  });

  it('goes to any card by its number, not to one that is unknown or the same', async () => {
    const [name, number] = [STRANGER.maskedName, STRANGER.number];
    await play(phone(world(CALLER)), [
      ['dial 7*1', RIGHT_CARD],
      ['5', `Choose from the list.|${RIGHT_CARD}`],
      ['123', `11 digits, please.|${RIGHT_CARD}`],
      ['12345084418', `Check the number.|${RIGHT_CARD}`],
      ['12345000009', `Card not found.|${RIGHT_CARD}`],
      [MAMA.number, `This is the card you paid for.|${RIGHT_CARD}`],
      [number, CONFIRM.replace('4417 AMINA D.', `${number.slice(-4)} ${name}`)],
    ]);
  });

  it.each([
    ['late', 'KES 650 for card ..9032: a payment can be moved for 48 hours only. Please call us.'],
    ['agent', 'KES 650 for card ..9032 was sold by an agent: only the agent or we can help.'],
    [
      'asked',
      'KES 650 for card ..9032 was moved already, or is being moved.' +
        ' Please call us if that is wrong.',
    ],
  ] as const)('that cannot move says why: %s', async (why, said) => {
    const on = world();
    const last = { ...FOR_MAMA, why, windowHours: 48 };
    on.services.movable = async () => ({ payments: [], last });
    await play(phone(on), [
      ['dial 7', `${said}|0 Back`],
      ['0', MAIN],
    ]);
  });

  it('is not known to a phone that paid nothing', async () => {
    const on = world();
    on.services.movable = async () => ({ payments: [], last: null });
    const none = 'No payment of this phone for a card in the last days.|0 Back';
    await play(phone(on), [['dial 7', none]]);
  });

  it.each<[Refusal, string]>([
    ['nothing_to_move', 'This payment is used up. Nothing was moved.'],
    [
      'move_limit',
      'This phone has moved as many payments as a month allows.' +
        ' Nothing was moved. Please call us.',
    ],
    ['move_window_over', 'This payment was made too long ago. Nothing was moved. Please call us.'],
    ['product_not_on_cas', 'This cannot be shown by your card. Nothing was paid.'],
  ])('that is refused says why, before and behind the yes: %s', async (error, said) => {
    const on = world();
    on.services.movePayment = async () => ({ ok: false, error });
    await play(phone(on), [
      ['dial 7*1*1', CONFIRM],
      ['1', `END ${said}`],
    ]);
    on.services.quoteMove = async () => ({ ok: false, error });
    await play(phone(on), [
      ['dial 7*1*1', `${said}|0 Back`],
      ['0', RIGHT_CARD],
    ]);
  });

  it('is taken up again where a session was cut', async () => {
    const on = world();
    const cut = phone(on);
    await play(cut, [['dial 7*1*1', CONFIRM]]);
    await play(phone(on, { store: cut.store }), [
      ['dial', 'Continue moving your payment to the right card?|1 Yes|2 No'],
      ['1', CONFIRM],
      ['1', MOVING],
    ]);
  });
});
