import { createHouse, type House } from './house.ts';

const SIX_MINUTES_MS = 360_000;

let house: House;
beforeAll(async () => {
  house = await createHouse();
});
afterAll(() => house.close());
afterEach(() => house.settleDown());

describe('a dialogue over HTTP', () => {
  const credit = async (msisdn: string, amountMinor: bigint) => {
    await house.money.payBill({ msisdn, accountReference: msisdn, amountMinor });
    await house.textTo(msisdn, /^Received KES/);
  };

  it('shows cards, credit and units', async () => {
    const { msisdn, cards } = await house.customer({ cards: 2 });
    await credit(msisdn, 12_350n);
    await house.money.sendTvu({ channel: 'ke-tvu', msisdn, units: 7 });
    const screen = await house.dial(house.phone(msisdn), '*384*100#', '3');
    expect(screen).toContain('Credit KES 123.50\n7 TVU');
    for (const card of cards)
      expect(screen).toContain(`..${card.slice(-4)} ESSENTIAL not paid yet`);
  });

  it('remembers the language that a phone chose, in the next session and in texts', async () => {
    const { msisdn } = await house.customer();
    expect(await house.dial(house.phone(msisdn), '*384*100#', '0')).toMatch(/^VIP TV\n1 Payer/);
    expect(await house.dial(house.phone(msisdn), '*384*100#')).toMatch(/^VIP TV\n1 Payer/);
    await house.dial(house.phone(msisdn), '*384*100#', '1', '2', '1');
    const text = await house.textTo(msisdn, /KES 200/);
    expect(text).not.toMatch(/Paid|Keep the decoder/);
  });

  it('takes up a session that was cut on the way to paying', async () => {
    const { msisdn, card } = await house.customer();
    const cut = house.phone(msisdn);
    const screen = await house.dial(cut, '*384*100#', '1', '1');
    await cut.abort();
    const phone = house.phone(msisdn);
    expect(await house.dial(phone, '*384*100#')).toMatch(
      new RegExp(`^Continue paying card \\.\\.${card.slice(-4)}\\?`),
    );
    expect(await house.dial(phone, '1')).toBe(screen);
    await house.dial(phone, '1');
    await house.textTo(msisdn, /^Paid KES 650/);
    expect(await house.dial(house.phone(msisdn), '*384*100#')).toMatch(/^VIP TV/);
  });

  it('says the same to a hop that the network repeats, and asks for one prompt only', async () => {
    const { msisdn, card } = await house.customer();
    house.money.setPhone(msisdn, { behaviour: 'manual' });
    const phone = house.phone(msisdn);
    const confirm = await house.dial(phone, '*384*100#', '1', '1');
    const again = await phone.repeat();
    expect(again).toEqual({ ok: true, screen: confirm, ended: false });
    const hop = {
      sessionId: phone.sessionId(),
      phoneNumber: msisdn,
      serviceCode: '*384*100#',
      text: '1*1*1',
    };
    const answers = await Promise.all(Array.from({ length: 5 }, () => house.hop('ke-ussd', hop)));
    answers.push(await house.hop('ke-ussd', hop));
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    await house.answerPrompt(msisdn, '1234');
    await house.textTo(msisdn, /^Paid KES 650/);
    expect(await house.paidUntil(card)).toBe('2026-12-23T21:00:00.000Z');
    expect(await house.rows('SELECT 1 FROM payment_order WHERE msisdn = $1', [msisdn])).toEqual([
      { '?column?': 1 },
    ]);
  });

  it('pays from credit once, however often the confirmed screen comes', async () => {
    const { msisdn, card } = await house.customer();
    await credit(msisdn, 130_000n);
    const phone = house.phone(msisdn);
    expect(await house.dial(phone, '*384*100#', '1', '1')).toContain('3 Pay with credit');
    const hop = {
      sessionId: phone.sessionId(),
      phoneNumber: msisdn,
      serviceCode: '*384*100#',
      text: '1*1*3',
    };
    const answers = await Promise.all(Array.from({ length: 5 }, () => house.hop('ke-ussd', hop)));
    expect(answers[0]?.body).toMatch(/^END Paid\. Card \.\.\d{4} to 23\/12\/2026\./);
    expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
    expect(await house.wallet(msisdn)).toMatchObject({ credit: '65000' });
    expect(await house.onAir(card)).toMatchObject([{ to: '2026-12-23T21:00:00.000Z' }]);
  });

  it('goes straight to the confirm screen for what was dialled behind the code', async () => {
    const { msisdn } = await house.customer();
    const phone = house.phone(msisdn);
    expect(await house.dial(phone, '*384*100*1*1#')).toMatch(/^Pay KES 650 for card/);
    await house.dial(phone, '1');
    await house.textTo(msisdn, /^Paid KES 650/);
  });

  it('moves no money for a yes that was dialled behind the code', async () => {
    const { msisdn } = await house.customer();
    const phone = house.phone(msisdn);
    expect(await house.dial(phone, '*384*100*1*1*1#')).toMatch(/^Pay KES 650 for card/);
    expect(phone.ended()).toBe(false);
  });

  it('speaks with the network itself, which sends GET, as with the gateway', async () => {
    const { msisdn } = await house.customer();
    const phone = house.phone(msisdn, 'ke-direct');
    expect(await house.dial(phone, '*483*100*1#')).toMatch(/^Card \.\./);
    await house.dial(phone, '1', '1');
    await house.textTo(msisdn, /^Paid KES 650/);
  });

  it('lets a phone pay for another’s card, tells both, and offers the card again', async () => {
    const owner = await house.customer({ name: 'Grace Achieng' });
    const payer = await house.customer();
    const last4 = owner.card.slice(-4);
    const phone = house.phone(payer.msisdn);
    expect(await house.dial(phone, '*384*100#', '1', '5', owner.card)).toMatch(
      new RegExp(`^Card \\.\\.${last4} GRACE A\\.`),
    );
    await house.dial(phone, '1', '1');
    await house.textTo(
      payer.msisdn,
      new RegExp(`^Paid KES 650 for card \\.\\.${last4} GRACE A\\.: ESSENTIAL to 23/12/2026`),
    );
    await house.textTo(
      owner.msisdn,
      new RegExp(`^KES 650 was paid for your card \\.\\.${last4}: ESSENTIAL to 23/12/2026`),
    );
    await house.onAir(owner.card);
    const list = await house.dial(house.phone(payer.msisdn), '*384*100#', '1');
    expect(list).toContain(`..${payer.card.slice(-4)}`);
    expect(list).toContain(`..${last4} GRACE A.`);
  });

  it('lets a phone that nobody registered pay for a card', async () => {
    const owner = await house.customer();
    const msisdn = house.stranger();
    await house.dial(house.phone(msisdn), '*384*100#', '1', owner.card, '1', '1');
    await house.textTo(owner.msisdn, /650/);
    await house.onAir(owner.card);
    const screen = await house.dial(house.phone(msisdn), '*384*100#', '1');
    expect(screen).toContain(owner.card.slice(-4));
  });

  it('forgets a cut session in time', async () => {
    const { msisdn } = await house.customer();
    const cut = house.phone(msisdn);
    await house.dial(cut, '*384*100#', '1', '1');
    house.clock.advance(SIX_MINUTES_MS);
    expect(await cut.send('1')).toMatchObject({ ok: false, error: 'session_expired' });
  });
});

describe('a receipt', () => {
  const textOf = async (msisdn: string) => {
    const sql = "SELECT state, provider_id FROM outbound WHERE target = $1 AND kind = 'text'";
    const [row] = await house.rows(sql, [msisdn]);
    return row ?? {};
  };
  const inState = (msisdn: string, state: string) =>
    house.until(async () => {
      const text = await textOf(msisdn);
      expect(text.state).toBe(state);
      return String(text.provider_id);
    });
  const report = (id: string, status: string, extra = {}) =>
    house.hop('ke-text', { id, status, phoneNumber: '+254700000001', ...extra }, '/report');

  it('is queued, then sent, then delivered; what comes later changes nothing', async () => {
    const { msisdn, card } = await house.customer();
    house.texts.setDeliveryReportUrl(null);
    house.texts.setFault('status_500');
    await house.money.payBill({ msisdn, accountReference: card, amountMinor: 65_000n });
    await inState(msisdn, 'queued');
    await house.onAir(card);
    house.texts.setFault('none');
    house.clock.advance(60_000);
    const id = await inState(msisdn, 'sent');
    expect(await report(id, 'Buffered')).toMatchObject({ status: 200 });
    expect(await textOf(msisdn)).toMatchObject({ state: 'sent' });
    expect(await report(id, 'Success')).toMatchObject({ status: 200 });
    expect(await textOf(msisdn)).toMatchObject({ state: 'delivered' });
    await report(id, 'Failed', { failureReason: 'DeliveryFailure' });
    expect(await textOf(msisdn)).toMatchObject({ state: 'delivered' });
    house.texts.setDeliveryReportUrl(house.hook('ke-text', '/report'));
    expect(house.inbox(msisdn)).toHaveLength(1);
  });

  it.each(['interim_first', 'final_first'] as const)(
    'is delivered by the gateway’s own reports: %s',
    async (order) => {
      house.texts.setReportRules({ order });
      const { msisdn, card } = await house.customer();
      await house.money.payBill({ msisdn, accountReference: card, amountMinor: 65_000n });
      await inState(msisdn, 'delivered');
    },
  );

  it('that a phone refused is failed with the reason', async () => {
    house.texts.setReportRules({ finalStatus: 'Failed', failureReason: 'UserInBlackList' });
    const { msisdn, card } = await house.customer();
    await house.money.payBill({ msisdn, accountReference: card, amountMinor: 65_000n });
    await inState(msisdn, 'failed');
    house.texts.setReportRules({ finalStatus: 'Success', failureReason: null });
  });
});
