import { createHouse, type House } from './house.ts';

const PROMPT_LASTS_MS = 61_000;

describe('paying by a prompt that a dialogue asked for', () => {
  let house: House;
  beforeAll(async () => {
    house = await createHouse();
  });
  afterAll(() => house.close());
  afterEach(() => house.settleDown());

  const orderOf = async (msisdn: string) => {
    const sql = 'SELECT state, failure FROM payment_order WHERE msisdn = $1 ORDER BY id';
    return house.rows(sql, [msisdn]);
  };
  /** Asks for a month over the menu; the phone answers its prompt by hand. */
  const askForMonth = async () => {
    const customer = await house.customer({ name: 'Amina Diallo' });
    house.money.setPhone(customer.msisdn, { behaviour: 'manual' });
    await house.dial(house.phone(customer.msisdn), '*384*100#', '1', '1', '1');
    return customer;
  };

  it('buys the month, puts the card on air and texts the receipt', async () => {
    const { msisdn, card } = await house.customer({ name: 'Amina Diallo' });
    const phone = house.phone(msisdn);
    const last4 = card.slice(-4);
    expect(await house.dial(phone, '*384*100#')).toMatch(/^VIP TV\n1 Pay/);
    expect(await house.dial(phone, '1')).toMatch(new RegExp(`^Card \\.\\.${last4} AMINA D\\.`));
    expect(await house.dial(phone, '1')).toMatch(/^Pay KES 650 for card/);
    expect(await house.dial(phone, '1')).toMatch(/^A prompt for KES 650 comes/);
    expect(phone.ended()).toBe(true);
    const text = await house.textTo(msisdn, /^Paid KES 650\./);
    expect(text).toContain(`ESSENTIAL card ..${last4} to 23/12/2026.`);
    expect(await house.paidUntil(card)).toBe('2026-12-23T21:00:00.000Z');
    expect(await house.onAir(card)).toMatchObject([
      { product: 'ESS', to: '2026-12-23T21:00:00.000Z' },
    ]);
    expect(await orderOf(msisdn)).toEqual([{ state: 'paid', failure: null }]);
    expect(house.inbox(msisdn)).toHaveLength(1);
  });

  it('extends a card that is paid by the month that follows', async () => {
    const { msisdn, card } = await house.customer();
    for (const until of ['2026-12-23', '2027-01-23']) {
      await house.dial(house.phone(msisdn), '*384*100#', '1', '1', '1');
      await house.textTo(msisdn, new RegExp(`to ${until.split('-').reverse().join('/')}\\.`));
      expect(await house.paidUntil(card)).toBe(`${until}T21:00:00.000Z`);
    }
    expect(await house.onAir(card)).toMatchObject([{ to: '2027-01-23T21:00:00.000Z' }]);
  });

  it.each([
    { why: 'the PIN was wrong', pin: '9999', says: /^Not paid: KES 650\. Wrong mobile money PIN/ },
    { why: 'it was declined', pin: null, says: /^Not paid: KES 650\. You declined the prompt/ },
  ])('books nothing and says so when $why', async ({ pin, says }) => {
    const before = await house.traces();
    const { msisdn, card } = await askForMonth();
    if (pin === null) await house.cancelPrompt(msisdn);
    else await house.answerPrompt(msisdn, pin);
    await house.textTo(msisdn, says);
    expect(await orderOf(msisdn)).toMatchObject([{ state: 'failed' }]);
    expect(await house.paidUntil(card)).toBeNull();
    expect(await house.traces()).toEqual(before);
  });

  it('books nothing and says so when nobody answered the prompt', async () => {
    const before = await house.traces();
    const { msisdn } = await askForMonth();
    await house.promptOn(msisdn);
    house.clock.advance(PROMPT_LASTS_MS);
    await house.textTo(msisdn, /^Not paid: KES 650\. The prompt was not answered in time/);
    expect(await orderOf(msisdn)).toMatchObject([{ state: 'failed', failure: 'payer_timeout' }]);
    expect(await house.traces()).toEqual(before);
  });

  it('books nothing and says so when there is too little mobile money', async () => {
    const before = await house.traces();
    const { msisdn } = await askForMonth();
    house.money.setPhone(msisdn, { balanceMinor: 64_999n });
    await house.answerPrompt(msisdn, '1234');
    await house.textTo(msisdn, /^Not paid: KES 650\. Not enough mobile money\. Top up/);
    expect(await house.traces()).toEqual(before);
  });

  it('says so once when the bad news is told three times at once', async () => {
    const { msisdn } = await askForMonth();
    house.money.setFaults({ repeat: 3, parallel: true }, msisdn);
    await house.cancelPrompt(msisdn);
    await house.textTo(msisdn, /You declined the prompt/);
    await house.texts.idle();
    expect(house.inbox(msisdn)).toHaveLength(1);
  });

  it('pays the first of two prompts; the second, which the operator refuses, is told', async () => {
    const { msisdn, card } = await askForMonth();
    await house.promptOn(msisdn);
    await house.dial(house.phone(msisdn), '*384*100#', '1', '2', '1');
    await house.textTo(msisdn, /^Not paid: KES 200\. Mobile money had an error/);
    await house.answerPrompt(msisdn, '1234');
    await house.textTo(msisdn, /^Paid KES 650\./);
    expect(await house.paidUntil(card)).toBe('2026-12-23T21:00:00.000Z');
    expect(await orderOf(msisdn)).toMatchObject([{ state: 'paid' }, { state: 'failed' }]);
  });

  it('pays any other amount, which becomes days when it buys no month', async () => {
    const { msisdn, card } = await house.customer();
    const screen = await house.dial(house.phone(msisdn), '*384*100#', '1', '4', '100');
    expect(screen).toMatch(/^Pay KES 100 for card/);
    const phone = house.phone(msisdn);
    await house.dial(phone, '*384*100#', '1', '4', '100', '1');
    // 650.00 / 30 = 21.666… a day: 100.00 buys 4 days for 86.67, and 13.33 stay.
    await house.textTo(msisdn, /^Paid KES 100: 4 day\(s\)\. .* to 27\/11\/2026\./);
    expect(await house.wallet(msisdn)).toMatchObject({ credit: '1333' });
    expect(await house.onAir(card)).toMatchObject([{ to: '2026-11-27T21:00:00.000Z' }]);
  });

  it('asks nothing of the operator when the confirm screen is cancelled', async () => {
    const { msisdn } = await house.customer();
    const screen = await house.dial(house.phone(msisdn), '*384*100#', '1', '1', '0');
    expect(screen).toBe('Cancelled. Nothing was paid.');
    expect(await orderOf(msisdn)).toEqual([]);
  });
});
