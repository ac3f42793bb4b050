/**
 * Goal: whoever steals scratch cards or guesses their codes gets nothing, is noticed at once, and
 * nobody else is the worse for it. Method: the API over the real settlement, and ten thousand codes
 * at the guard that stands before it; what the metrics are told is what the alerts of
 * config/monitoring count.
 */

import type { Problem } from '../../../src/backoffice/api/problems.ts';
import { WRONG_CODES_MAX, whileNotGuessing } from '../../../src/backoffice/resources/vouchers.ts';
import type { Outcome } from '../../../src/billing/settlement/commands.ts';
import { createMemoryKeyValue } from '../../../src/platform/kv.ts';
import { silentLogger } from '../../../src/platform/log.ts';
import { type Customer, createOffice, type Office } from './office.ts';

const THIEVES = 10;
/** Beyond what anybody is let try. */
const GUESSES = WRONG_CODES_MAX + 5;
/** A gang that works through numbers: ten thousand codes from a hundred phones. */
const GANG = 100;
const CODES_EACH = 100;
/** Wrong codes in a minute that raise the alert `CodesGuessed`. */
const ALERT_ABOVE = 20;
const kes = (amount: string) => ({ amount, currency: 'KES' });

let office: Office;
const refused: string[] = [];
beforeAll(async () => {
  office = await createOffice({ onVoucherRefused: (reason) => refused.push(reason) });
});
beforeEach(() => {
  refused.length = 0;
});
afterAll(() => office.close());

let serial = 0;
function act(token: string, path: string, body?: object) {
  serial += 1;
  const said = body === undefined ? {} : { body };
  return office.call('post', path, { token, key: `voucher-crime-${serial}`, ...said });
}
const staff = async (role: 'accountant' | 'cashier' | 'customer_care') =>
  (await office.staff([role], ['NBO'])).token;

/** Activated scratch cards of 100.00, by serial. */
async function carton(name: string, size: number) {
  const accountant = await staff('accountant');
  const batch = { name, value: kes('100.00'), size, expiresAt: '2028-01-01T00:00:00Z' };
  const reason = 'for the shops in town';
  const made = await act(accountant, '/sites/NBO/voucher-batches', { ...batch, reason });
  const path = `/voucher-batches/${made.body.batchId}`;
  const { body } = await act(accountant, `${path}/codes`);
  await act(accountant, `${path}/activations`, { reason });
  return { path, cards: body.cards as { serial: string; code: string }[] };
}

/** How often a scratch card was booked, over all customers. */
async function booked(): Promise<number> {
  const [row] = await office.rows("SELECT count(*)::int AS n FROM journal WHERE kind = 'voucher'");
  return Number(row?.n);
}

/** A shop with a customer of its own in front of it. */
async function shop() {
  const [token, { cardId, subscriberId }] = [await staff('cashier'), await office.customer('NBO')];
  const redeem = (code: string) => act(token, `/cards/${cardId}/vouchers`, { code });
  const moved = async () => {
    const [row] = await office.rows(
      `SELECT count(*)::int AS entries FROM entry e
         JOIN account a ON a.id = e.account_id WHERE a.owner = $1`,
      [`subscriber:${subscriberId}`],
    );
    return row?.entries;
  };
  return { redeem, moved };
}

it('a carton declared missing is blocked in one act; its codes give nothing', async () => {
  const { path, cards } = await carton('missing', 6);
  const [first, second, third, fourth] = cards;
  const range = { fromSerial: second?.serial, toSerial: third?.serial, reason: 'stolen' };
  const blocked = await act(await staff('customer_care'), `${path}/blocks`, range);
  expect([blocked.status, blocked.body]).toEqual([200, { cards: 2 }]);

  const thief = await shop();
  for (const { code } of [second, third].map((card) => card ?? { code: '' })) {
    const tried = await thief.redeem(code);
    expect([tried.status, tried.body.code]).toEqual([409, 'voucher_blocked']);
  }
  expect(refused).toEqual(['voucher_blocked', 'voucher_blocked']);
  expect(await thief.moved()).toBe(0);
  for (const { code } of [first, fourth].map((card) => card ?? { code: '' })) {
    expect((await thief.redeem(code)).status).toBe(201);
  }
  expect(await thief.moved()).toBeGreaterThan(0);
});

it('one code used for fifty cards at the same instant is credited to one of them', async () => {
  const { cards } = await carton('raced', 1);
  const code = cards[0]?.code;
  const token = await staff('cashier');
  const shop = Array.from({ length: 50 }, () => office.customer('NBO'));
  const before = await booked();
  const answers = await Promise.all(
    (await Promise.all(shop)).map(({ cardId }) =>
      act(token, `/cards/${cardId}/vouchers`, { code }),
    ),
  );
  const said = answers.map(({ status, body }) => (status === 201 ? 'credited' : body.code)).sort();
  expect(said).toEqual(['credited', ...Array(49).fill('voucher_used')]);
  expect((await booked()) - before).toBe(1);
});

it('many who guess at once are all locked; an honest shop is served all along', async () => {
  const { cards } = await carton('guessed', 4);
  const honest = await shop();
  const thieves = await Promise.all(Array.from({ length: THIEVES }, shop));
  const guess = async ({ redeem }: (typeof thieves)[number], thief: number) => {
    const codes: string[] = [];
    for (let i = 0; i < GUESSES; i += 1) {
      const { body } = await redeem(String(99_000_000_000_000 + thief * 1_000 + i));
      codes.push(body.code);
    }
    return codes;
  };
  const serving = async () => {
    for (const { code } of cards.slice(1)) expect((await honest.redeem(code)).status).toBe(201);
  };
  const [answers] = await Promise.all([Promise.all(thieves.map(guess)), serving()]);
  const wanted = Array.from({ length: GUESSES }, (_, i) =>
    i < WRONG_CODES_MAX ? 'voucher_unknown' : 'wrong_codes',
  );
  expect(answers).toEqual(thieves.map(() => wanted));
  expect(refused.filter((reason) => reason === 'wrong_codes')).toHaveLength(
    THIEVES * (GUESSES - WRONG_CODES_MAX),
  );
  const [last] = cards;
  for (const { redeem } of thieves) {
    expect((await redeem(last?.code ?? '')).body.code).toBe('wrong_codes');
  }
  expect((await honest.redeem(last?.code ?? '')).status).toBe(201);
});

function wordOf(answer: Outcome | Problem): string {
  if ('problem' in answer) return answer.problem;
  return answer.kind === 'done' ? (answer.settled.code ?? 'ok') : answer.kind;
}

it('ten thousand wrong codes from a hundred phones: all locked, told, others served', async () => {
  const { cards } = await carton('worked through', 2);
  const kv = createMemoryKeyValue();
  const gang = await Promise.all(Array.from({ length: GANG }, () => office.customer('NBO')));
  const honest = await office.customer('NBO');
  const desk = { kv, logger: silentLogger, onVoucherRefused: (why: string) => refused.push(why) };
  const { id: siteId } = office.site('NBO');
  const redeem = (by: string, { cardId, number: cardNumber }: Customer, code: string) =>
    whileNotGuessing(desk, { by, cardId, siteId }, () =>
      office.settle('NBO', { kind: 'redeem', cardNumber, code }),
    );
  const guess = async (customer: Customer, phone: number) => {
    const said: string[] = [];
    for (let i = 0; i < CODES_EACH; i += 1) {
      const code = String(98_000_000_000_000 + phone * CODES_EACH + i);
      said.push(wordOf(await redeem(`phone ${phone}`, customer, code)));
    }
    return said;
  };
  const before = await booked();
  const serving = async () => {
    for (const { code } of cards) expect(wordOf(await redeem('honest', honest, code))).toBe('ok');
  };
  const [answers] = await Promise.all([Promise.all(gang.map(guess)), serving()]);
  const wanted = Array.from({ length: CODES_EACH }, (_, i) =>
    i < WRONG_CODES_MAX ? 'voucher_unknown' : 'wrong_codes',
  );
  expect(answers).toEqual(gang.map(() => wanted));
  expect(refused).toHaveLength(GANG * CODES_EACH);
  expect(refused.length).toBeGreaterThan(ALERT_ABOVE);
  expect((await booked()) - before).toBe(cards.length);
});
