import { createHouse, type House } from './house.ts';
import { c2b, send } from './paybill.ts';

/** Nothing is answered as taken that is not written; everything settles once the house is whole. */
describe('while the database is away', () => {
  let house: House;
  beforeAll(async () => {
    house = await createHouse();
  });
  afterAll(() => house.close());
  afterEach(() => house.expectSound());

  const shut = async <T>(act: () => Promise<T>): Promise<T> => {
    await house.database(false);
    try {
      return await act();
    } finally {
      await house.database(true);
    }
  };

  it('a confirmation is answered 503 and settles when it comes again', async () => {
    const { card, msisdn } = await house.customer();
    const url = house.hook('ke-paybill', '/confirm');
    const body = c2b({ TransID: 'UKN0AWAY', BillRefNumber: card, MSISDN: msisdn.slice(1) });
    expect(await shut(() => send(url, body))).toMatchObject({ status: 503 });
    expect((await send(url, body)).status).toBe(200);
    await house.textTo(msisdn, /^Paid KES 650/);
    await house.onAir(card);
  });

  it('a notice of TV units is answered 503 and credited when it comes again', async () => {
    const { msisdn } = await house.customer();
    const notice = { receipt: 'TU8AWAY', msisdn, units: 100 };
    expect(await shut(() => house.tvuNotice(notice))).toMatchObject({
      status: 503,
      body: JSON.stringify({ error: 'try_later' }),
    });
    expect(await house.tvuNotice(notice)).toMatchObject({ status: 200 });
    expect(await house.wallet(msisdn)).toMatchObject({ units: '100' });
  });

  it('a validation is no acceptance', async () => {
    const { card } = await house.customer();
    const url = house.hook('ke-paybill', '/validate');
    const answer = await shut(() => send(url, c2b({ TransID: 'UKN1AWAY', BillRefNumber: card })));
    expect(answer.body).not.toContain('Accepted');
    expect(answer.status).toBeGreaterThanOrEqual(500);
  });

  it('a callback of a prompt is not taken', async () => {
    const { msisdn } = await house.customer();
    house.money.setPhone(msisdn, { behaviour: 'manual' });
    await house.dial(house.phone(msisdn), '*384*100#', '1', '1', '1');
    const told = await house.payInSilence(msisdn);
    const answer = await shut(() => send(told.callbackUrl, '{}'));
    expect(answer.status).toBe(503);
  });

  it('a caller is asked to try again, in a whole screen', async () => {
    const { msisdn } = await house.customer();
    const phone = house.phone(msisdn);
    const screen = await shut(() => house.dial(phone, '*384*100#'));
    expect(screen).toMatch(/^Sorry, not possible just now\./);
    expect(phone.ended()).toBe(true);
    expect(await house.dial(phone, '*384*100#')).toMatch(/^VIP TV/);
  });
});
