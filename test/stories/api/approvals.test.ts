import { createOffice, type Office } from './office.ts';

/** Goal: what needs two people is done by two, once, and never by one alone. */
const LIMIT = 100_000n;
const DAY_MS = 86_400_000;

let office: Office;
beforeAll(async () => {
  office = await createOffice({ approvalAbove: LIMIT });
});
afterAll(() => office.close());

/** A payment that stays credit, so that it can be taken back. */
async function paid(amount: bigint): Promise<string> {
  const { phone } = await office.customer('NBO');
  await office.pay('NBO', { amount, accountRef: phone });
  const [row] = await office.rows('SELECT id FROM inbox ORDER BY id DESC LIMIT 1');
  return String(row?.id);
}

let serial = 0;
async function reverse(token: string, paymentId: string) {
  serial += 1;
  const body = { reason: 'paid for the wrong card' };
  const options = { token, key: `reversal-${serial}`, body };
  return office.call('post', `/payments/${paymentId}/reversals`, options);
}

const decide = (token: string, id: string, word: 'approval' | 'refusal') =>
  office.call('post', `/approvals/${id}/${word}`, { token, body: { reason: 'seen and checked' } });

let reversalsBefore = 0;
const allReversals = async () =>
  (await office.rows("SELECT count(*)::int AS n FROM journal WHERE kind = 'payment_reversal'"))[0]
    ?.n as number;
/** Since the story began. */
const reversals = async () => (await allReversals()) - reversalsBefore;
beforeEach(async () => {
  reversalsBefore = await allReversals();
});

describe('taking a payment back', () => {
  it('is done by one person up to the limit', async () => {
    const accountant = await office.staff(['accountant']);
    const { status, body } = await reverse(accountant.token, await paid(LIMIT));
    expect([status, body.state]).toEqual([201, 'settled']);
    expect(await reversals()).toBe(1);
  });

  it('above it waits for another person with the permission who sees the site', async () => {
    const accountant = await office.staff(['accountant']);
    const asked = await reverse(accountant.token, await paid(LIMIT + 1n));
    expect([asked.status, asked.body.state]).toEqual([202, 'asked']);
    expect(asked.body.amount).toEqual({ amount: '1000.01', currency: 'KES' });
    expect(await reversals()).toBe(0);
    const { id } = asked.body;
    expect(asked.headers.location).toBe(`/api/v1/approvals/${id}`);

    const elsewhere = await office.staff(['supervisor'], ['ABJ']);
    expect((await decide(elsewhere.token, id, 'approval')).status).toBe(404);
    expect((await decide(accountant.token, id, 'approval')).body.code).toBe('forbidden');
    // One whose duties were merged by hand is still not a second person.
    await office.pool.query('UPDATE staff SET roles = $2 WHERE id = $1', [
      accountant.id,
      JSON.stringify(['accountant', 'supervisor']),
    ]);
    expect((await decide(accountant.token, id, 'approval')).body.code).toBe('own_request');

    const supervisor = await office.staff(['supervisor'], ['NBO']);
    const done = await decide(supervisor.token, id, 'approval');
    expect([done.status, done.body.state]).toEqual([200, 'done']);
    expect(done.body.decidedBy).toBe(`staff:${supervisor.id}`);
    expect(await reversals()).toBe(1);
  });

  it('is decided once, whoever else decides at the same time', async () => {
    const accountant = await office.staff(['accountant']);
    const { body } = await reverse(accountant.token, await paid(LIMIT + 1n));
    const others = await Promise.all([1, 2, 3, 4].map(() => office.staff(['supervisor'])));
    const words = ['approval', 'refusal', 'approval', 'approval'] as const;
    const answers = await Promise.all(
      others.map(({ token }, index) => decide(token, body.id, words[index] ?? 'approval')),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    const codes = answers.filter(({ status }) => status !== 200).map((one) => one.body.code);
    expect(new Set(codes)).toEqual(new Set(['approval_closed']));
  });

  it('that was refused, or not decided in time, moves nothing', async () => {
    const { token } = await office.staff(['accountant']);
    const supervisor = await office.staff(['supervisor']);
    const refused = (await reverse(token, await paid(LIMIT + 1n))).body.id;
    const late = (await reverse(token, await paid(LIMIT + 1n))).body.id;
    expect((await decide(supervisor.token, refused, 'refusal')).body.state).toBe('refused');
    office.later(3 * DAY_MS);
    const fresh = await office.staff(['supervisor']);
    expect((await decide(fresh.token, late, 'approval')).body.code).toBe('approval_closed');
    const seen = await office.call('get', `/approvals/${late}`, { token: fresh.token });
    expect(seen.body.state).toBe('expired');
    expect(await reversals()).toBe(0);
  });

  it('approved when the process ended is carried out afterwards, exactly once', async () => {
    const { token } = await office.staff(['accountant']);
    const { id } = (await reverse(token, await paid(LIMIT + 1n))).body;
    const supervisor = await office.staff(['supervisor']);
    office.fault.afterSettle = () => {
      throw new Error('killed');
    };
    expect((await decide(supervisor.token, id, 'approval')).status).toBe(500);
    office.fault.afterSettle = null;
    expect(await reversals()).toBe(1);
    await office.finishDue();
    office.later(61_000);
    await office.finishDue();
    await office.finishDue();
    expect(await reversals()).toBe(1);
    const seen = await office.call('get', `/approvals/${id}`, { token });
    expect(seen.body.state).toBe('done');
    const lines = await office.rows(
      "SELECT actor, outcome FROM audit WHERE object = 'approval' AND object_id = $1 ORDER BY id",
      [id],
    );
    expect(lines).toEqual([
      { actor: `staff:${supervisor.id}`, outcome: 'asked' },
      { actor: 'system', outcome: 'done' },
    ]);
  });

  it('that cannot be taken back is refused for ever, and says why', async () => {
    const { token } = await office.staff(['accountant']);
    const id = await paid(LIMIT);
    await reverse(token, id);
    const again = await reverse(token, id);
    expect([again.status, again.body.code]).toEqual([409, 'not_reversible']);
  });
});

describe('a suspension', () => {
  it('has a reason and an end, ends by itself, and all of it is in the audit', async () => {
    const care = await office.staff(['customer_care'], ['NBO']);
    const { cardId, number } = await office.customer('NBO');
    await office.pay('NBO', { amount: 65_000n, accountRef: number });
    const path = `/cards/${cardId}/suspensions`;
    const until = new Date(office.now().getTime() + DAY_MS).toISOString();
    const body = { reason: 'vacation', why: 'away until tomorrow', until };
    const done = await office.call('post', path, { token: care.token, body });
    expect([done.status, done.body.resumeAt]).toEqual([201, until]);
    const again = await office.call('post', path, { token: care.token, body });
    expect(again.body.code).toBe('already_suspended');
    const state = async () => {
      const { token } = await office.staff(['auditor']);
      return (await office.call('get', `/cards/${cardId}/picture`, { token })).body.state;
    };
    expect(await state()).toBe('suspended');
    office.later(DAY_MS - 1);
    await office.finishDue();
    expect(await state()).toBe('suspended');
    office.later(1);
    await office.finishDue();
    expect(await state()).toBe('on_its_way');
    const lines = await office.rows(
      `SELECT actor, outcome, reason FROM audit WHERE object = 'card' AND object_id = $1
        ORDER BY at, id`,
      [String(cardId)],
    );
    expect(lines.map(({ outcome }) => outcome)).toEqual([
      'asked',
      'done',
      'asked',
      'refused',
      'asked',
    ]);
    expect(lines.at(-1)).toMatchObject({ actor: 'system' });
  });
});

describe('cash at the till', () => {
  it('buys for a card, or stays in the wallet, in the site’s currency alone', async () => {
    const { token } = await office.staff(['cashier'], ['NBO']);
    const { subscriberId, cardId } = await office.customer('NBO');
    const other = await office.customer('NBO');
    const pay = (body: object) => {
      serial += 1;
      const path = `/subscribers/${subscriberId}/top-ups`;
      return office.call('post', path, { token, key: `top-up-${serial}`, body });
    };
    const amount = { amount: '650.00', currency: 'KES' };
    const wallet = await pay({ amount });
    expect(wallet.body).toMatchObject({ paidUntil: null, credit: amount });
    const card = await pay({ amount, cardId: String(cardId) });
    expect(card.body.paidUntil).not.toBeNull();
    const foreign = await pay({ amount: { ...amount, currency: 'XOF' } });
    expect(foreign.body.code).toBe('wrong_currency');
    const fraction = await pay({ amount: { ...amount, amount: '1.001' } });
    expect(fraction.body.fields[0]).toMatchObject({ code: 'excess_decimals' });
    expect((await pay({ amount, cardId: String(other.cardId) })).body.code).toBe('invalid_body');
    const [clearing] = await office.rows(
      `SELECT sum(e.amount) AS sum FROM entry e JOIN account a ON a.id = e.account_id
        WHERE a.owner = 'channel:till-NBO'`,
    );
    expect(Number(clearing?.sum)).toBe(-130_000);
  });
});
