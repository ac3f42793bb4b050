import { createHash } from 'node:crypto';
import { createHouse, type House } from './house.ts';
import { c2b, send, stk } from './paybill.ts';

const POLL_AFTER_MS = 11_000;

/** The stories of a callback that comes twice, early, late, crossed, or never. */
describe('the callback of a paid prompt', () => {
  let house: House;
  beforeAll(async () => {
    house = await createHouse();
  });
  afterAll(() => house.close());
  afterEach(() => house.settleDown());

  const askForMonth = async () => {
    const customer = await house.customer();
    house.money.setPhone(customer.msisdn, { behaviour: 'manual' });
    await house.dial(house.phone(customer.msisdn), '*384*100#', '1', '1', '1');
    return customer;
  };
  const expectOneMonth = async ({ msisdn, card }: { msisdn: string; card: string }) => {
    await house.textTo(msisdn, /^Paid KES 650\./);
    await house.settleDown();
    expect(await house.paidUntil(card)).toBe('2026-12-23T21:00:00.000Z');
    expect(await house.wallet(msisdn)).toMatchObject({ credit: '0' });
    expect(house.inbox(msisdn)).toHaveLength(1);
    const sql = `SELECT o.state, i.receipt FROM payment_order o JOIN inbox i ON i.id = o.inbox_id
                  WHERE o.msisdn = $1`;
    expect(await house.rows(sql, [msisdn])).toEqual([
      { state: 'paid', receipt: house.receiptOf(msisdn) },
    ]);
  };

  it('credits once when it comes twice at once, each time with its confirmation', async () => {
    const customer = await askForMonth();
    house.money.setFaults({ repeat: 2, parallel: true }, customer.msisdn);
    await house.answerPrompt(customer.msisdn, '1234');
    await expectOneMonth(customer);
  });

  it('credits when it comes before the operator has answered the push', async () => {
    const customer = await house.customer();
    house.money.setFaults({ beforeAnswer: true }, customer.msisdn);
    await house.dial(house.phone(customer.msisdn), '*384*100#', '1', '1', '1');
    await expectOneMonth(customer);
  });

  it('credits without the confirmation of its receipt, where there is none', async () => {
    const customer = await askForMonth();
    house.money.setSettings({ alsoConfirm: false });
    await house.answerPrompt(customer.msisdn, '1234');
    house.money.setSettings({ alsoConfirm: true });
    await expectOneMonth(customer);
  });

  it.each(['callback first', 'confirmation first', 'both at once'])(
    'credits once with the confirmation of the same receipt: %s',
    async (order) => {
      const customer = await askForMonth();
      const told = await house.payInSilence(customer.msisdn);
      const callback = () => send(told.callbackUrl, stk({ ...told, amount: 650 }));
      const confirm = () =>
        send(
          house.hook('ke-paybill', '/confirm'),
          c2b({ TransID: told.receipt, BillRefNumber: told.reference, MSISDN: told.msisdn }),
        );
      const acts = order === 'confirmation first' ? [confirm, callback] : [callback, confirm];
      const answers =
        order === 'both at once'
          ? await Promise.all(acts.map((act) => act()))
          : [await acts[0]?.(), await acts[1]?.()];
      expect(answers.map((answer) => answer?.status)).toEqual([200, 200]);
      await expectOneMonth(customer);
    },
  );

  it.each(['callback first', 'confirmation first'])(
    'tells a payer whose number only our order knows: %s',
    async (order) => {
      const { card } = await house.customer();
      const msisdn = house.stranger();
      house.money.setPhone(msisdn, { behaviour: 'manual' });
      await house.dial(house.phone(msisdn), '*384*100#', '1', card, '1', '1');
      const told = await house.payInSilence(msisdn);
      const MSISDN = createHash('sha256').update(told.msisdn).digest('hex');
      const acts = [
        () => send(told.callbackUrl, stk({ ...told, amount: 650 })),
        () =>
          send(
            house.hook('ke-paybill', '/confirm'),
            c2b({ TransID: told.receipt, BillRefNumber: told.reference, MSISDN }),
          ),
      ];
      if (order === 'confirmation first') acts.reverse();
      for (const act of acts) expect(await act()).toMatchObject({ status: 200 });
      await house.textTo(msisdn, /^Paid KES 650 for card/);
    },
  );

  it('that never comes is made up for by asking; coming late it does nothing', async () => {
    const customer = await askForMonth();
    const told = await house.payInSilence(customer.msisdn);
    house.clock.advance(POLL_AFTER_MS);
    await house.product.jobs?.runNow('poll-orders');
    await expectOneMonth(customer);
    const late = await send(told.callbackUrl, stk({ ...told, amount: 650 }));
    expect(late.status).toBe(200);
    await expectOneMonth(customer);
  });

  it('that never comes to tell of a refusal is made up for as well', async () => {
    const { msisdn } = await askForMonth();
    house.money.setFaults({ drop: true }, msisdn);
    await house.cancelPrompt(msisdn);
    house.clock.advance(POLL_AFTER_MS);
    await house.product.jobs?.runNow('poll-orders');
    await house.textTo(msisdn, /You declined the prompt/);
  });

  it('leaves an open prompt alone when it is asked about too early', async () => {
    const customer = await askForMonth();
    await house.promptOn(customer.msisdn);
    house.clock.advance(POLL_AFTER_MS);
    await house.product.jobs?.runNow('poll-orders');
    await house.answerPrompt(customer.msisdn, '1234');
    await expectOneMonth(customer);
  });
});
