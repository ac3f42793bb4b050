import { createHouse, type House } from './house.ts';
import { RESELLER_PIN } from './town.ts';

const PIN_LOCK_MS = 31 * 60_000;
const SIX_MINUTES_S = 360;

let house: House;
beforeAll(async () => {
  house = await createHouse();
});
afterAll(() => house.close());
afterEach(() => house.settleDown());

describe('TV units', () => {
  const notify = (msisdn: string, units: number, channel = 'ke-tvu') =>
    house.money.sendTvu({ channel, msisdn, units });
  const abidjan = async (units: number) => {
    const customer = await house.customer({ site: 'ABJ', name: 'Mamadou Traore' });
    if (units > 0) await notify(customer.msisdn, units, 'ci-tvu');
    return { ...customer, phone: house.phone(customer.msisdn, 'ci-ussd') };
  };

  it('are bought by mobile money', async () => {
    const { msisdn } = await house.customer();
    await house.dial(house.phone(msisdn), '*384*100#', '4', '1', '100', '1');
    await house.textTo(msisdn, /^Paid KES 100: 100 TV units\. You have 100\./);
    expect(await house.wallet(msisdn)).toEqual({ credit: '0', units: '100' });
  });

  it('are sent by a reseller with his PIN, and both are told', async () => {
    const reseller = await house.reseller();
    const { msisdn } = await house.customer();
    await notify(reseller, 5_000);
    const phone = house.phone(reseller);
    const screen = await house.dial(
      phone,
      ...['*384*100#', '4', '3', msisdn.replace('+254', '0'), '300', RESELLER_PIN],
    );
    expect(screen).toMatch(/^Sent 300 TV units to \+254\d+\. You have 4700\./);
    await house.textTo(msisdn, /^You received 300 TV units from Duka la Mama\. You have 300\./);
    await house.textTo(reseller, /^Sent 300 TV units to /);
    expect(await house.wallet(msisdn)).toMatchObject({ units: '300' });
  });

  it('are sent once when the network repeats the hop with the PIN', async () => {
    const reseller = await house.reseller();
    const { msisdn } = await house.customer();
    await notify(reseller, 1_000);
    const phone = house.phone(reseller);
    await house.dial(phone, '*384*100#', '4', '3', msisdn, '300');
    const hop = {
      sessionId: phone.sessionId(),
      phoneNumber: reseller,
      serviceCode: '*384*100#',
      text: `4*3*${msisdn}*300*${RESELLER_PIN}`,
    };
    const answers = await Promise.all(Array.from({ length: 5 }, () => house.hop('ke-ussd', hop)));
    answers.push(await house.hop('ke-ussd', hop));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(answers[0]?.body).toMatch(/^END Sent 300 TV units/);
    expect(await house.wallet(msisdn)).toMatchObject({ units: '300' });
  });

  it('stay where they are for half an hour after three wrong PINs', async () => {
    const reseller = await house.reseller();
    const { msisdn } = await house.customer();
    await notify(reseller, 1_000);
    const sendWith = (pin: string) =>
      house.dial(house.phone(reseller), '*384*100#', '4', '3', msisdn, '300', pin);
    for (let tries = 0; tries < 3; tries += 1) {
      expect(await sendWith('0000')).toMatch(/^Wrong PIN\. Nothing was sent\./);
    }
    expect(await sendWith(RESELLER_PIN)).toMatch(/^PIN locked after too many wrong tries\./);
    expect(await house.wallet(msisdn)).toMatchObject({ units: '0' });
    house.clock.advance(PIN_LOCK_MS);
    expect(await sendWith(RESELLER_PIN)).toMatch(/^Sent 300 TV units/);
  });

  it('are refused to a phone nobody knows, and beyond the float', async () => {
    const reseller = await house.reseller();
    await notify(reseller, 100);
    const typed = ['*384*100#', '4', '3', house.stranger()];
    const unknown = await house.dial(house.phone(reseller), ...typed, '50', RESELLER_PIN);
    expect(unknown).toBe('Unknown phone number. Nothing was sent. Please check it.');
    const tooMany = await house.dial(house.phone(reseller), ...typed, '101');
    expect(tooMany).toMatch(/^You do not have so many\./);
  });

  it('that an operator sold are credited once, and a repeat is told the first answer', async () => {
    const { msisdn } = await house.customer();
    const sent = await notify(msisdn, 2_100);
    expect(sent).toMatchObject({ status: 200 });
    const { status, ref } = JSON.parse(sent?.answer ?? '{}');
    expect(status).toBe('accepted');
    await house.textTo(msisdn, /^You received 2100 TV units from Nairobi\. You have 2100\./);
    const repeat = await house.tvuNotice({ receipt: sent?.receipt ?? '', msisdn, units: 2_100 });
    expect(repeat).toMatchObject({
      status: 200,
      body: JSON.stringify({ status: 'duplicate', ref }),
    });
    const changed = await house.tvuNotice({ receipt: sent?.receipt ?? '', msisdn, units: 9_999 });
    expect(changed.status).toBe(409);
    expect(await house.wallet(msisdn)).toMatchObject({ units: '2100' });
    expect(await house.refused('receipt_differs')).toBe(1);
  });

  it('notified 20 times at once are credited once', async () => {
    const { msisdn } = await house.customer();
    const sent = await notify(msisdn, 50);
    const notice = { receipt: sent?.receipt ?? '', msisdn, units: 50 };
    const answers = await Promise.all(Array.from({ length: 20 }, () => house.tvuNotice(notice)));
    expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(await house.wallet(msisdn)).toMatchObject({ units: '50' });
  });

  it('for a phone nobody knows wait in suspense', async () => {
    const sent = await notify(house.stranger(), 70);
    expect(JSON.parse(sent?.answer ?? '{}')).toMatchObject({ status: 'suspense' });
    expect(
      await house.rows("SELECT amount, asset FROM suspense_item WHERE reason = 'unknown_phone'"),
    ).toEqual([{ amount: '70', asset: 'TVU-KE' }]);
  });

  it.each([
    ['a wrong signature', { secret: `whsec_${'A'.repeat(44)}` }, 'bad_signature'],
    ['another body than was signed', { tamper: true }, 'bad_signature'],
    ['an old timestamp', { ageS: SIX_MINUTES_S }, 'too_old'],
    ['a timestamp from the future', { ageS: -SIX_MINUTES_S }, 'too_old'],
    ['a timestamp that is none', { timestamp: 'soon' }, 'bad_timestamp'],
    ['no signature at all', { bare: true }, 'missing_header'],
  ])('with %s are refused, kept, and move nothing', async (_what, forgery, error) => {
    const { msisdn } = await house.customer();
    const before = await house.traces();
    const kept = await house.refused('wrong_signature');
    const notice = { receipt: 'TU8FORGED', msisdn, units: 2_100 };
    const answer = await house.tvuNotice(notice, forgery);
    expect(answer).toMatchObject({ status: 401, body: JSON.stringify({ error }) });
    expect(await house.refused('wrong_signature')).toBe(kept + 1);
    expect(await house.traces()).toEqual(before);
  });

  it.each([
    ['units that are no whole number', { units: 1.5 }],
    ['units as text', { units: '100' }],
    ['no units', { units: 0 }],
    ['fewer than none', { units: -5 }],
    ['more than there can be', { units: 1e30 }],
    ['a phone of nowhere', { msisdn: '0700000001' }],
    ['a NUL in its receipt', { receipt: 'TU\u00008' }],
    ['a receipt that is a list', { receipt: ['TU8', 'TU9'] }],
  ])('in a signed notice with %s are refused and kept', async (_what, change) => {
    const { msisdn } = await house.customer();
    const before = await house.traces();
    const kept = await house.refused('unreadable');
    const notice = { receipt: 'TU8ODD', msisdn, units: 10, ...change };
    expect(await house.tvuNotice(notice)).toMatchObject({ status: 400 });
    expect(await house.refused('unreadable')).toBe(kept + 1);
    expect(await house.traces()).toEqual(before);
  });

  it('signed by one country are worth nothing at the door of another', async () => {
    const { msisdn } = await house.customer();
    const before = await house.traces();
    const { secret } = house.tvuChannel('ke-tvu');
    const answer = await house.tvuNotice(
      { receipt: 'TU8CROSS', msisdn, units: 10 },
      { secret, channel: 'ci-tvu' },
    );
    expect(answer.status).toBe(401);
    expect(await house.traces()).toEqual(before);
  });

  it('turn into credit, rounded down', async () => {
    const { msisdn, phone } = await abidjan(700);
    const screen = await house.dial(phone, '*384*225#', '4', '2', '700');
    // Three units are worth 25: 700 are worth 5 833.33.
    expect(screen).toContain('5833 F');
    await house.dial(phone, '1');
    await house.textTo(msisdn, /700 .*5833 F/);
    expect(await house.wallet(msisdn)).toEqual({ credit: '5833', units: '0' });
  });

  it('turned into too little credit buy nothing and stay credit', async () => {
    const { msisdn, card, phone } = await abidjan(30);
    await house.dial(phone, '*384*225#', '4', '2', '30', '1');
    await house.textTo(msisdn, /30 .*250 F/);
    expect(await house.wallet(msisdn)).toEqual({ credit: '250', units: '0' });
    expect(await house.paidUntil(card)).toBeNull();
    // 250 F buy not even a day: the confirm screen offers no means at all.
    expect(await house.dial(phone, '*384*225#', '1', '3')).not.toMatch(/^[123] /m);
  });

  it('pay for a term: just as many are used as its price needs', async () => {
    const { msisdn, card, phone } = await abidjan(700);
    const screen = await house.dial(phone, '*384*225#', '1', '1');
    expect(screen).toMatch(/^2 /m);
    expect(screen).not.toMatch(/^1 /m);
    await house.dial(phone, '2');
    // 5 000 F are 200 times 25 F: 600 units.
    expect(await house.wallet(msisdn)).toEqual({ credit: '0', units: '100' });
    await house.textTo(msisdn, /ACCESS .*23\/12\/2026/);
    expect(await house.onAir(card)).toMatchObject([
      { product: 'ESS', to: '2026-12-24T00:00:00.000Z' },
    ]);
  });
});

describe('a film or match', () => {
  const purchases = (card: string) =>
    house.rows(
      `SELECT p.state, p.price FROM event_purchase p JOIN card c ON c.id = p.card_id
        WHERE c.number = $1`,
      [card],
    );
  const held = (card: string) =>
    house.rows(
      `SELECT b.amount FROM card c JOIN subscriber s ON s.id = c.subscriber_id
         JOIN balance b ON b.account_id = s.held_id WHERE c.number = $1`,
      [card],
    );
  const expectShown = async (card: string, code: string) => {
    expect(await house.onAir(card)).toMatchObject([{ product: `EVT:${code}` }]);
    await house.until(async () => {
      expect(await purchases(card)).toEqual([{ state: 'captured', price: '15000' }]);
    });
    expect(await held(card)).toEqual([{ amount: '0' }]);
  };

  it('bought with credit is held, and spent when it is on air', async () => {
    const code = await house.event();
    const { msisdn, card } = await house.customer();
    const amountMinor = 20_000n;
    await house.money.payBill({ msisdn, accountReference: msisdn, amountMinor });
    await house.textTo(msisdn, /^Received KES 200/);
    const phone = house.phone(msisdn);
    expect(await house.dial(phone, '*384*100#', '5', code, '1')).toMatch(/^Pay KES 150 for\n/);
    expect(await house.dial(phone, '3')).toMatch(/^Paid for card/);
    await house.textTo(msisdn, /^Paid KES 150\. Cup final/);
    await expectShown(card, code);
    expect(await house.wallet(msisdn)).toMatchObject({ credit: '5000' });
  });

  it('bought by mobile money is held, and spent when it is on air', async () => {
    const code = await house.event();
    const { msisdn, card } = await house.customer();
    await house.dial(house.phone(msisdn), '*384*100#', '5', code, '1', '1');
    await house.textTo(msisdn, /^Paid KES 150\. Cup final \d+ 23\/11 \d\d:\d\d on card/);
    await expectShown(card, code);
  });

  it('is not sold twice for one card: the second money is credit', async () => {
    const code = await house.event();
    const { msisdn, card } = await house.customer();
    const typed = ['*384*100#', '5', code, '1', '1'];
    await house.dial(house.phone(msisdn), ...typed);
    await house.textTo(msisdn, /^Paid KES 150/);
    await house.dial(house.phone(msisdn), ...typed);
    await house.textTo(msisdn, /^Received KES 150/);
    expect(await house.wallet(msisdn)).toMatchObject({ credit: '15000' });
    await expectShown(card, code);
  });
});
