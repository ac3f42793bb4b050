import {
  AMINA,
  CANCELLED,
  CONFIRM,
  MAIN,
  MAMA,
  NOBODY,
  PICK,
  PROMPT,
  phone,
  play,
  RICH,
  STRANGER,
  TERMS,
  TWO_CARDS,
  world,
} from '../script.fixture.ts';

describe('paying', () => {
  it('takes four screens to the prompt with one saved card', async () => {
    const on = world();
    const caller = phone(on);
    await play(caller, [
      ['dial', MAIN],
      ['1', TERMS],
      ['1', CONFIRM],
      ['1', PROMPT],
    ]);
    expect(on.acts).toEqual([
      { what: 'mobile money', key: expect.any(String), kind: 'term', cardId: 11n, term: 'month' },
    ]);
  });

  it('takes one screen more to pick one of two cards, and goes back to that list', async () => {
    const on = world(TWO_CARDS);
    await play(phone(on), [
      ['dial', MAIN],
      ['1', PICK],
      ['1', TERMS],
      ['0', PICK],
      ['3', `Choose from the list.|${PICK}`],
      ['0', MAIN],
      ['1', PICK],
      ['1', TERMS],
      ['1', CONFIRM],
      ['1', PROMPT],
    ]);
    expect(on.acts).toHaveLength(1);
  });

  it('lets the owner of one card type another', async () => {
    const on = world();
    await play(phone(on), [
      ['dial 1', TERMS],
      ['5', 'Card number (11 digits, under the decoder) or pick:|1 ..4417 AMINA D.|0 Back'],
      [
        '123 4503 7001',
        'Card ..7001 JOHN O.|ESSENTIAL, not paid yet|1 Month KES 650' +
          '|4 Other amount|5 Other card|0 Back',
      ],
      ['1', CONFIRM.replace('..4417 AMINA D.', '..7001 JOHN O.')],
      ['1', PROMPT],
    ]);
    expect(on.acts[0]).toMatchObject({ cardId: STRANGER.cardId });
  });

  it('lets a phone that nobody registered pay for any card', async () => {
    const on = world(NOBODY);
    const ask = 'Card number (11 digits, under the decoder)|0 Back';
    await play(phone(on), [
      ['dial', MAIN],
      ['1', ask],
      ['123-4508-4417', TERMS],
      ['1', CONFIRM],
      ['1', PROMPT],
    ]);
    expect(on.acts).toHaveLength(1);
  });

  it('tells a typo before any look-up, a wrong length, and an unknown card', async () => {
    const on = world(NOBODY);
    let asked = 0;
    const { card } = on.services;
    on.services.card = (channel, number, msisdn) => {
      asked += 1;
      return card(channel, number, msisdn);
    };
    const ask = 'Card number (11 digits, under the decoder)|0 Back';
    const caller = phone(on);
    await play(caller, [
      ['dial 1', ask],
      ['12345084418', `Check the number.|${ask}`],
      ['1234508441', `11 digits, please.|${ask}`],
      ['JOHN', `11 digits, please.|${ask}`],
    ]);
    expect(asked).toBe(0);
    await play(caller, [['12345000009', `Card not found.|${ask}`]]);
    expect(asked).toBe(1);
  });

  it('shows only means that are enough, and pays with each of them', async () => {
    const rich =
      'Pay KES 650 for card|..4417 AMINA D.|ESSENTIAL to 23/12/2026|1 Yes, pay with mobile money' +
      '|2 Pay with TVU (have 2100)|3 Pay with credit (have KES 700)|0 Cancel';
    const paid = 'END Paid. Card ..4417 to 23/12/2026. Keep the decoder ON 5 min. Ref 8K2Q7';
    for (const [answer, means] of [
      ['2', 'tvu'],
      ['3', 'credit'],
    ] as const) {
      const on = world(RICH);
      await play(phone(on), [
        ['dial 1*1', rich],
        [answer, paid],
      ]);
      expect(on.acts).toMatchObject([{ what: `wallet ${means}`, cardId: 11n, term: 'month' }]);
    }
    const poor = world({ ...RICH, creditMinor: 64_999n, tvuUnits: 1_299n });
    await play(phone(poor), [
      ['dial 1*1', CONFIRM],
      ['2', `Choose from the list.|${CONFIRM}`],
    ]);
    expect(poor.acts).toEqual([]);
  });

  it('shows other terms that are sold behind 6 to 9, as far as the screen has room', async () => {
    const year = { term: 'year', priceMinor: 650_000n } as const;
    const days = { term: '10d', priceMinor: 25_000n } as const;
    const quarter = { term: 'quarter', priceMinor: 180_000n } as const;
    const long = { ...AMINA, terms: [...AMINA.terms, year, days, quarter] };
    const on = world(undefined, [long]);
    const offered =
      'Card ..4417 AMINA D.|ESSENTIAL|1 Month KES 650|2 Week KES 200|3 Day KES 40.50' +
      '|6 1 year KES 6500|7 10 days KES 250|4 Other amount|5 Other card|0 Back';
    await play(phone(on), [
      ['dial 1', offered],
      ['8', offered],
      ['7', CONFIRM.replace('650', '250')],
      ['1', PROMPT],
    ]);
    expect(on.acts).toMatchObject([{ kind: 'term', cardId: 11n, term: '10d' }]);
  });

  it('shows the fee on a line of its own', async () => {
    const on = world();
    on.services.mobileMoneyFee = async () => 500n;
    const withFee = CONFIRM.replace('|1 Yes', '|Fee KES 5|1 Yes');
    await play(phone(on), [['dial 1*1', withFee]]);
  });

  it('takes any other amount, whole and in the currency of the country', async () => {
    const on = world();
    const ask = 'Card ..4417 AMINA D.|ESSENTIAL|Amount to pay, in KES:|0 Back';
    await play(phone(on), [
      ['dial 1', TERMS],
      ['4', ask],
      ['12.50', `Whole amount, please.|${ask}`],
      ['00', MAIN],
      ['1', TERMS],
      ['4', ask],
      ['0', TERMS],
      ['4', ask],
      [
        '100',
        'Pay KES 100 for card|..4417 AMINA D.|ESSENTIAL, ended 21/11/2026' +
          '|1 Yes, pay with mobile money|0 Cancel',
      ],
      ['1', PROMPT],
    ]);
    expect(on.acts).toMatchObject([{ kind: 'amount', cardId: 11n, amountMinor: 10_000n }]);
  });

  it('cancels with 0 and goes home with 00, and nothing moves', async () => {
    const on = world();
    await play(phone(on), [
      ['dial 1*1', CONFIRM],
      ['00', MAIN],
      ['1', TERMS],
      ['0', MAIN],
      ['1', TERMS],
      ['00', MAIN],
      ['1', TERMS],
      ['2', CONFIRM.replace('650', '200')],
      ['0', CANCELLED],
    ]);
    expect(on.acts).toEqual([]);
  });

  it('says a term that is no longer sold', async () => {
    const on = world();
    on.services.previewTerm = async () => null;
    await play(phone(on), [['dial 1*1', `Not sold now.|${TERMS}`]]);
  });

  it('says a refusal and that nothing was paid', async () => {
    const on = world();
    on.services.payByMobileMoney = async () => ({ ok: false, error: 'phone_not_supported' });
    await play(phone(on), [
      ['dial 1*1', CONFIRM],
      ['1', 'END Mobile money does not work with this phone number. Nothing was paid.'],
    ]);
  });
});

describe('balance', () => {
  it('shows every card with its end, then pages, and leads to paying', async () => {
    const cards = [AMINA, MAMA, STRANGER, AMINA, MAMA, STRANGER, AMINA];
    const lines =
      '..4417 ESSENTIAL ended 21/11/2026|..9032 ESSENTIAL to 23/12/2026' +
      '|..7001 ESSENTIAL not paid yet';
    const wallets = 'Credit KES 700|2100 TVU';
    const full = `${wallets}|${lines}|1 Pay / renew|98 More 0 Back 00 Home`;
    const end = `${wallets}|..4417 ESSENTIAL ended 21/11/2026|1 Pay / renew 0 Back`;
    await play(phone(world({ ...RICH, cards })), [
      ['dial', MAIN],
      ['3', full],
      ['98', full],
      ['98', end],
      ['98', `Choose from the list.|${end}`],
      ['0', full],
      ['0', full],
      ['0', MAIN],
      ['3', full],
      ['98', full],
      ['00', MAIN],
    ]);
  });

  it('has a way to pay and a word for a phone without cards', async () => {
    await play(phone(world(NOBODY)), [
      ['dial 3', 'Credit KES 0|0 TVU|No card saved for this phone.|1 Pay / renew 0 Back'],
      ['1', 'Card number (11 digits, under the decoder)|0 Back'],
    ]);
  });
});
