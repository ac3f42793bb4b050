/**
 * Goal: a payment for a neighbour's card is put right by the phone that paid, in one short
 * dialogue, and the neighbour has exactly what was there before. Method: dialled and texted over
 * HTTP, with the clock of the house moved; rights on air, terms, wallets and books are compared.
 */
import { doDue } from '../../../src/billing/settlement/due-list.ts';
import { createHouse, type House } from './house.ts';
import type { Customer } from './town.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const OBJECTION_MS = 30 * MINUTE_MS;

let house: House;
beforeAll(async () => {
  house = await createHouse();
});
afterAll(() => house.close());
afterEach(() => house.settleDown());

const last4 = ({ card }: Customer) => card.slice(-4);
const due = () =>
  doDue({
    pool: house.product.pool,
    settlement: house.product.billing.settlement,
    clock: house.clock,
  });

/** Everything a subscriber has: lines, end, what is on air, money. */
async function livesOf({ card, msisdn }: Customer) {
  const lines = await house.rows(
    `SELECT t.kind, t.from_at, t.to_at, t.price::text FROM term t
       JOIN subscription s ON s.id = t.subscription_id JOIN card c ON c.id = s.card_id
      WHERE c.number = $1 AND t.state = 'sold' ORDER BY t.from_at`,
    [card],
  );
  const [paidUntil, wallet] = [await house.paidUntil(card), await house.wallet(msisdn)];
  return { lines, paidUntil, wallet, onAir: await house.onAir(card) };
}

/** The payer pays a month for the neighbour's card, by a slip of the finger. */
async function wrongPayment() {
  const neighbour = await house.customer({ name: 'Grace Achieng' });
  const payer = await house.customer({ name: 'Amina Diallo' });
  await house.pay(neighbour);
  await house.textTo(neighbour.msisdn, /^Paid KES 650/);
  const before = await livesOf(neighbour);
  await house.pay({ ...payer, card: neighbour.card });
  await house.textTo(neighbour.msisdn, /^KES 650 was paid for your card/);
  expect(await house.paidUntil(neighbour.card)).not.toBe(before.paidUntil);
  return { neighbour, payer, before };
}

/** 7, the first payment and the card, dialled behind the code. */
const dialMove = (payer: Customer, to = payer.card) =>
  house.dial(house.phone(payer.msisdn), `*384*100*7*1*${to}#`);

it('moves in one dialogue; the neighbour has exactly what was there before', async () => {
  const { neighbour, payer, before } = await wrongPayment();
  const began = house.clock.now().getTime();
  const phone = house.phone(payer.msisdn);
  const list = await house.dial(phone, '*384*100#', '7');
  expect(list).toContain(`1 KES 650 ..${last4(neighbour)} GRACE A.`);
  const confirm = await house.dial(phone, '1', payer.card);
  expect(confirm).toMatch(
    new RegExp(
      `^KES 650 from card \\.\\.${last4(neighbour)} to\\n\\.\\.${last4(payer)} AMINA D\\.` +
        '\\nESSENTIAL, at 14:32 if its owner does not object\\n1 Yes\\n0 Cancel$',
    ),
  );
  expect(await house.dial(phone, '1')).toMatch(/^Taken on: KES 650 goes to card/);
  expect(house.clock.now().getTime() - began).toBeLessThan(2 * MINUTE_MS);
  await house.textTo(
    neighbour.msisdn,
    /^KES 650 for your card .* goes back at 23\/11 14:32\. Not right\? Reply OBJECT before\.$/,
  );
  await due();
  expect(await house.paidUntil(payer.card)).toBeNull();

  await house.pass(OBJECTION_MS);
  await due();
  expect(await livesOf(neighbour)).toEqual(before);
  expect(await house.paidUntil(payer.card)).toBe('2026-12-23T21:00:00.000Z');
  expect(await house.onAir(payer.card)).toHaveLength(1);
  await house.textTo(payer.msisdn, /^Paid KES 650\. ESSENTIAL card .* to 23\/12\/2026\./);
  await house.textTo(neighbour.msisdn, /^KES 650 paid by mistake .* to 23\/12\/2026 as before\./);
});

it('moves at once where payer and owner are one, in less than two minutes', async () => {
  const home = await house.customer({ cards: 2 });
  const [wrong = '', right = ''] = home.cards;
  await house.pay({ ...home, card: wrong });
  await house.textTo(home.msisdn, /^Paid KES 650/);
  const began = house.clock.now().getTime();
  const phone = house.phone(home.msisdn);
  const confirm = await house.dial(phone, '*384*100#', '7', '1', right);
  expect(confirm).toContain('ESSENTIAL to 23/12/2026, at once');
  expect(await house.dial(phone, '1')).toMatch(/^Moved: KES 650 now on card/);
  expect(await house.onAir(right)).toHaveLength(1);
  expect(await house.onAir(wrong)).toEqual([]);
  expect(house.clock.now().getTime() - began).toBeLessThan(2 * MINUTE_MS);
  expect(await house.paidUntil(wrong)).toBeNull();
});

it('stays when the owner objects by text, and staff are told', async () => {
  const { neighbour, payer } = await wrongPayment();
  const paid = await livesOf(neighbour);
  await house.dial(house.phone(payer.msisdn), '*384*100#', '7', '1', payer.card, '1');
  await house.textTo(neighbour.msisdn, /Reply OBJECT before/);
  await house.write(payer.msisdn, 'OBJECT');
  await house.textTo(payer.msisdn, /^No payment of yours is being moved now/);
  await house.write(neighbour.msisdn, 'Object!');
  await house.textTo(neighbour.msisdn, /^Thank you\. KES 650 stays on your card/);
  await house.textTo(payer.msisdn, /^The owner of card .* objects: your KES 650 stays there\./);
  await house.pass(OBJECTION_MS);
  await due();
  expect(await livesOf(neighbour)).toEqual(paid);
  expect(await house.paidUntil(payer.card)).toBeNull();
  const items = `SELECT w.code FROM work_item w JOIN card c ON c.id = w.card_id
                  WHERE c.number = $1 AND w.closed_at IS NULL`;
  expect(await house.rows(items, [neighbour.card])).toEqual([{ code: 'move_objected' }]);
  expect(await house.dial(house.phone(payer.msisdn), '*384*100#', '7')).toMatch(
    /^KES 650 for card \.\.\d{4} was moved already, or is being moved\./,
  );
});

it('of which days are used brings the unused ones alone', async () => {
  const neighbour = await house.customer();
  const payer = await house.customer();
  await house.pay({ ...payer, card: neighbour.card });
  await house.textTo(neighbour.msisdn, /^KES 650 was paid/);
  await house.pass(DAY_MS);
  const phone = house.phone(payer.msisdn);
  const confirm = await house.dial(phone, '*384*100#', '7', '1', payer.card);
  expect(confirm).toMatch(/^KES 628\.33 from card/);
  await house.dial(phone, '1');
  await house.textTo(neighbour.msisdn, /^KES 628\.33 for your card/);
  await house.pass(OBJECTION_MS);
  await due();
  await house.textTo(payer.msisdn, /^Paid KES 628\.33: 28 day\(s\)\. ESSENTIAL card/);
  expect(await house.onAir(payer.card)).toHaveLength(1);
  expect(await house.wallet(neighbour.msisdn)).toMatchObject({ credit: '0' });
  const now = house.clock.now().toISOString();
  for (const { to } of await house.onAir(neighbour.card)) expect(to <= now).toBe(true);
  expect(`${await house.paidUntil(neighbour.card)}` <= now).toBe(true);
});

it('moves once, however often the yes comes and however often it is dialled', async () => {
  const { neighbour, payer, before } = await wrongPayment();
  const phone = house.phone(payer.msisdn);
  await house.dial(phone, '*384*100#', '7', '1', payer.card);
  const hop = {
    sessionId: phone.sessionId(),
    phoneNumber: payer.msisdn,
    serviceCode: '*384*100#',
    text: `7*1*${payer.card}*1`,
  };
  const answers = await Promise.all(Array.from({ length: 5 }, () => house.hop('ke-ussd', hop)));
  expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
  expect(answers[0]?.body).toMatch(/^END Taken on: KES 650/);
  await house.pass(OBJECTION_MS);
  await Promise.all([due(), due()]);
  expect(await house.dial(house.phone(payer.msisdn), '*384*100#', '7')).toMatch(
    /was moved already/,
  );
  const moves = `SELECT count(*)::int AS n FROM entry e
                   JOIN journal j ON j.id = e.journal_id AND j.kind = 'payment_move'
                   JOIN subscriber s ON s.wallet_id = e.account_id
                   JOIN phone p ON p.subscriber_id = s.id WHERE p.msisdn = $1`;
  expect(await house.rows(moves, [payer.msisdn])).toEqual([{ n: 1 }]);
  expect(await house.paidUntil(neighbour.card)).toBe(before.paidUntil);
});

describe('is refused with the reason', () => {
  const menu = ({ msisdn }: Pick<Customer, 'msisdn'>) =>
    house.dial(house.phone(msisdn), '*384*100#', '7');

  it('to another phone, and when it is too late', async () => {
    const { neighbour, payer } = await wrongPayment();
    const paid = await house.paidUntil(neighbour.card);
    const stranger = { msisdn: house.stranger() };
    expect(await menu(stranger)).toMatch(/^No payment of this phone/);
    await house.pass(2 * DAY_MS);
    expect(await menu(payer)).toMatch(/^KES 650 for card .*: a payment can be moved for 48 hours/);
    await house.pass(7 * DAY_MS);
    expect(await menu(payer)).toMatch(/^No payment of this phone/);
    const asked = 'SELECT 1 FROM payment_move WHERE payer = $1';
    expect(await house.rows(asked, [payer.msisdn])).toEqual([]);
    expect(await house.paidUntil(neighbour.card)).toBe(paid);
  });

  it('to agents and resellers', async () => {
    const customer = await house.customer();
    const reseller = await house.reseller();
    await house.dial(house.phone(reseller), '*384*100#', '1', customer.card, '1', '1');
    await house.textTo(customer.msisdn, /^KES 650 was paid/);
    expect(await menu({ msisdn: reseller })).toMatch(/was sold by an agent: only the agent or we/);
  });

  it('when it is used up, and for cards that cannot take it', async () => {
    const neighbour = await house.customer();
    const payer = await house.customer();
    const phone = house.phone(payer.msisdn);
    await house.dial(phone, '*384*100#', '1', '5', neighbour.card, '3', '1');
    await house.textTo(neighbour.msisdn, /^KES 40 was paid/);
    await house.pass(DAY_MS + 20 * HOUR_MS);
    expect(await dialMove(payer)).toMatch(/^This payment is used up\. Nothing was moved\./);
    expect(await dialMove(payer, neighbour.card)).toMatch(/^This is the card you paid for\./);
    expect(await dialMove(payer, '40299999994')).toMatch(/^(Card not found|Check the number)\./);
    const abidjan = await house.customer({ site: 'ABJ' });
    expect(await dialMove(payer, abidjan.card)).toMatch(/^Card not found\./);
  });

  it('a third time in a month', async () => {
    const payer = await house.customer();
    for (const _ of [1, 2, 3]) {
      const wrong = await house.customer();
      await house.pay({ ...payer, card: wrong.card });
      await house.textTo(wrong.msisdn, /^KES 650 was paid/);
    }
    await house.dial(house.phone(payer.msisdn), '*384*100#', '7', '1', payer.card, '1');
    await house.dial(house.phone(payer.msisdn), '*384*100#', '7', '1', payer.card, '1');
    const third = await dialMove(payer);
    expect(third).toMatch(/^This phone has moved as many payments as a month allows\./);
    const asked = 'SELECT count(*)::int AS n FROM payment_move WHERE payer = $1';
    expect(await house.rows(asked, [payer.msisdn])).toEqual([{ n: 2 }]);
  });
});

it('is taken up where the session was cut', async () => {
  const { payer } = await wrongPayment();
  const cut = house.phone(payer.msisdn);
  const screen = await house.dial(cut, '*384*100#', '7', '1', payer.card);
  await cut.abort();
  const phone = house.phone(payer.msisdn);
  expect(await house.dial(phone, '*384*100#')).toMatch(/^Continue moving your payment/);
  expect(await house.dial(phone, '1')).toBe(screen);
});
