import { createHouse, type House } from './house.ts';
import type { Customer } from './town.ts';

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
/** The same words within this time are one wish. */
const ONE_WISH_MS = MINUTE_MS;

let house: House;
beforeAll(async () => {
  house = await createHouse();
});
afterAll(() => house.close());
afterEach(() => house.settleDown());

const manual = async (options: Parameters<House['customer']>[0] = {}) => {
  const customer = await house.customer({ name: 'Amina Diallo', ...options });
  house.money.setPhone(customer.msisdn, { behaviour: 'manual' });
  return customer;
};
const watching = async () => {
  const customer = await house.customer({ name: 'Amina Diallo' });
  const tv = house.tv(customer.card);
  await house.pay(customer);
  await tv.until('NOVA1');
  await house.onAir(customer.card);
  await house.textTo(customer.msisdn, /^Paid KES 650/);
  return { ...customer, tv };
};
const orders = ({ msisdn }: Customer) =>
  house.rows('SELECT state FROM payment_order WHERE msisdn = $1 ORDER BY id', [msisdn]);
const heard = ({ msisdn }: Customer, texts: number) =>
  house.until(() => {
    expect(house.inbox(msisdn)).toHaveLength(texts);
    return house.inbox(msisdn).at(-1) ?? '';
  });

describe('a text to the operator', () => {
  it('BAL is answered with card, end, prices and credit', async () => {
    const home = await house.customer();
    const last4 = home.card.slice(-4);
    await house.write(home.msisdn, 'BAL');
    expect(await heard(home, 1)).toBe(
      `Card ..${last4} ESSENTIAL: not paid yet. month KES 650, week KES 200, day KES 40. ` +
        'Credit KES 0. To pay, send PAY',
    );
    await house.pay(home);
    await heard(home, 2);
    await house.write(home.msisdn, `bal ${home.card}`);
    expect(await heard(home, 3)).toContain(`..${last4} ESSENTIAL: to 23/12/2026. month KES 650`);
  });

  it('BAL of a stranger’s card says its state and end, and no credit', async () => {
    const home = await house.customer();
    await house.pay(home, 66_000n);
    await house.textTo(home.msisdn, /^Paid/);
    const msisdn = house.stranger();
    await house.write(msisdn, `BAL ${home.card}`);
    const last4 = home.card.slice(-4);
    expect(await house.textTo(msisdn, /^Card/)).toBe(
      `Card ..${last4}: to 23/12/2026. To pay for it, send PAY and the card number.`,
    );
  });

  it('PAY MONTH brings a prompt, the PIN a receipt and the picture', async () => {
    const home = await manual();
    const tv = house.tv(home.card);
    expect(tv.shows()).toBe('V07');
    await house.write(home.msisdn, 'PAY MONTH');
    const last4 = home.card.slice(-4);
    expect(await heard(home, 1)).toMatch(
      new RegExp(`^A prompt for KES 650 comes to your phone, for card \\.\\.${last4}: enter`),
    );
    expect(await house.paidUntil(home.card)).toBeNull();
    await house.answerPrompt(home.msisdn, '1234');
    expect(await heard(home, 2)).toMatch(/^Paid KES 650\. ESSENTIAL card .* to 23\/12\/2026\./);
    await tv.until('NOVA1');
    expect(await orders(home)).toEqual([{ state: 'paid' }]);
  });

  it('PAY for another’s card, by its number, pays that one', async () => {
    const owner = await house.customer();
    const payer = await manual();
    await house.write(payer.msisdn, `PAY ${owner.card} WEEK`);
    await house.textTo(payer.msisdn, /^A prompt for KES 200 comes/);
    await house.answerPrompt(payer.msisdn, '1234');
    await house.textTo(owner.msisdn, /^KES 200 was paid for your card/);
    expect(await house.onAir(owner.card)).toHaveLength(1);
    expect(await house.paidUntil(payer.card)).toBeNull();
  });

  it('PAY that the phone declines moves nothing, and says so', async () => {
    const home = await manual();
    await house.write(home.msisdn, 'PAY DAY');
    await house.cancelPrompt(home.msisdn);
    await house.textTo(home.msisdn, /^Not paid: KES 40\. You declined the prompt\./);
    expect(await house.paidUntil(home.card)).toBeNull();
  });

  it('RESET sends the rights again, and "1" says that the picture is back', async () => {
    const home = await watching();
    home.tv.turn({ paired: false });
    expect(home.tv.shows()).toBe('V02');
    await house.write(home.msisdn, 'RESET');
    expect(await heard(home, 2)).toMatch(
      /^Card \.\.\d{4}: paid to 23\/12\/2026\. Rights re-sent .* Reply 1 if the picture is back/,
    );
    await home.tv.until('NOVA1');
    expect(house.commands(home.card, 'REFRESH')).toHaveLength(1);
    await house.write(home.msisdn, '1');
    expect(await heard(home, 3)).toBe('Thank you. Enjoy your programme.');
    const sql = `SELECT p.source, p.answer FROM picture_report p JOIN card c ON c.id = p.card_id
                  WHERE c.number = $1`;
    expect(await house.rows(sql, [home.card])).toEqual([{ source: 'text', answer: 'back' }]);
    expect(await house.entitlement.dark(0)).toEqual([]);
  });

  it('"2", twice in a day, makes staff look', async () => {
    const home = await watching();
    home.tv.turn({ signal: false });
    await house.write(home.msisdn, 'E16');
    await house.textTo(home.msisdn, /Rights re-sent/);
    await house.write(home.msisdn, '2');
    await house.textTo(home.msisdn, /^Please check: decoder ON/);
    expect(await house.entitlement.dark(0)).toEqual([]);
    house.clock.advance(ONE_WISH_MS);
    await house.write(home.msisdn, '2');
    await house.textTo(home.msisdn, /^We look into card/);
    expect(await house.entitlement.dark(0)).toMatchObject([
      { number: home.card, reasons: ['still_black'] },
    ]);
    house.clock.advance(ONE_WISH_MS);
    await house.write(home.msisdn, 'picture is back');
    await house.textTo(home.msisdn, /^Thank you\. Enjoy/);
    expect(await house.entitlement.dark(0)).toEqual([]);
  });

  it.each([
    { language: 'English', site: 'NBO', word: 'help', answer: /^VIP TV\. Send BAL: balance\./ },
    { language: 'French', site: 'ABJ', word: 'Aide', answer: /^VIP TV\. SOLDE: solde\. RESET:/ },
    { language: 'English', site: 'NBO', word: 'habari?!', answer: /^Sorry, not understood\. Send/ },
    { language: 'French', site: 'ABJ', word: 'Bonjour à vous', answer: /^Desole, pas compris\./ },
  ] as const)('$word is answered in $language with what can be written', async (told) => {
    const home = await house.customer({ site: told.site });
    const before = await house.traces();
    await house.write(home.msisdn, told.word);
    const code = told.site === 'NBO' ? '*384*100#' : '*384*225#';
    const answer = await heard(home, 1);
    expect(answer).toMatch(told.answer);
    expect(answer).toContain(code);
    expect(await house.traces()).toEqual(before);
  });

  it('says the same to French words, where phones get no prompt', async () => {
    const home = await house.customer({ site: 'ABJ' });
    await house.write(home.msisdn, 'PAYER MOIS');
    expect(await heard(home, 1)).toMatch(/^Pas de mobile money ici\. Pour payer 5000 F pour la/);
    expect(await orders(home)).toEqual([]);
  });
});

describe('the same text', () => {
  it('acts once when it comes twice within a minute', async () => {
    const home = await manual();
    await house.write(home.msisdn, 'PAY MONTH');
    house.clock.advance(ONE_WISH_MS - 10 * SECOND_MS);
    await house.write(home.msisdn, 'pay  month!');
    await house.answerPrompt(home.msisdn, '1234');
    await house.textTo(home.msisdn, /^Paid KES 650/);
    expect(await orders(home)).toEqual([{ state: 'paid' }]);
    expect(await heard(home, 2)).toMatch(/^Paid/);
    house.clock.advance(ONE_WISH_MS);
    await house.write(home.msisdn, 'PAY MONTH');
    await house.answerPrompt(home.msisdn, '1234');
    await heard(home, 4);
    expect(await orders(home)).toEqual([{ state: 'paid' }, { state: 'paid' }]);
    expect(await house.paidUntil(home.card)).toBe('2027-01-23T21:00:00.000Z');
  });

  it('acts once when it comes several times at once', async () => {
    const home = await manual();
    const words = ['PAY WEEK', 'Pay week', 'pay week.', 'PAY WEEK'];
    await Promise.all(words.map((text) => house.write(home.msisdn, text)));
    await house.answerPrompt(home.msisdn, '1234');
    await house.textTo(home.msisdn, /^Paid KES 200/);
    expect(await orders(home)).toEqual([{ state: 'paid' }]);
    expect(house.inbox(home.msisdn)).toHaveLength(2);
  });

  it('acts once when the gateway repeats it, an hour later too', async () => {
    const home = await manual();
    const form = {
      id: 'repeated-by-the-gateway',
      from: home.msisdn,
      to: '40210',
      text: 'PAY MONTH',
      date: '2026-11-23 14:02:00',
      linkId: 'SampleLinkId123',
      networkCode: '63902',
    };
    expect(await house.hop('ke-text', form, '/in')).toMatchObject({ status: 200 });
    await house.answerPrompt(home.msisdn, '1234');
    await house.textTo(home.msisdn, /^Paid KES 650/);
    // What is still on its way would be too late an hour on.
    await house.onAir(home.card);
    house.clock.advance(60 * MINUTE_MS);
    expect(await house.hop('ke-text', form, '/in')).toMatchObject({ status: 200 });
    expect(await orders(home)).toEqual([{ state: 'paid' }]);
    expect(house.inbox(home.msisdn)).toHaveLength(2);
  });
});

/** Told last: the clock goes to the end of the month. */
describe('STOP', () => {
  const remind = async () => {
    await house.product.jobs?.runNow('remind');
  };

  it('ends reminders by text alone; START brings them back', async () => {
    const home = await watching();
    const other = await watching();
    await house.write(home.msisdn, 'stop');
    expect(await heard(home, 2)).toMatch(/^No more reminders\. Receipts and answers still come\./);
    await house.passTo('2026-12-22T08:00:00Z');
    await remind();
    await house.textTo(other.msisdn, /the last day is tomorrow/);
    await home.tv.untilOsd(/^Last day: tomorrow/);
    await house.write(home.msisdn, 'BAL');
    await house.textTo(home.msisdn, /ESSENTIAL: to 23\/12\/2026/);
    await house.write(home.msisdn, 'START');
    expect(await heard(home, 4)).toMatch(/^Reminders come again/);
    await house.passTo('2026-12-23T08:00:00Z');
    await remind();
    await house.textTo(home.msisdn, /the last day is today/);
    await house.write(home.msisdn, 'STOP');
    await heard(home, 6);
    await house.pay(home);
    expect(await heard(home, 7)).toMatch(/^Paid KES 650\. ESSENTIAL card .* to 23\/01\/2027/);
  });
});
