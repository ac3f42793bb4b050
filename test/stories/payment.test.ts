import { createWorld, SOUND, type World } from './world.ts';

describe('a payment', () => {
  let world: World;
  beforeAll(async () => {
    world = await createWorld('2026-11-23T11:02:00Z');
  });
  afterAll(() => world.close());
  afterEach(async () => {
    expect(await world.check()).toMatchObject(SOUND);
  });

  it('buys the month of the card it names: from 23/11 to the end of 23/12', async () => {
    const { number } = await world.customer();
    const outcome = await world.pay({ amount: 65_000n, accountRef: number });
    expect(outcome).toMatchObject({
      kind: 'done',
      first: true,
      settled: { state: 'settled', paidUntil: '2026-12-23T21:00:00.000Z', credit: '0' },
    });
    expect(
      await world.rows(
        `SELECT a.kind, e.asset, e.amount FROM entry e JOIN account a ON a.id = e.account_id
          JOIN journal j ON j.id = e.journal_id JOIN inbox i ON i.id = j.inbox_id
          WHERE j.kind IN ('payment', 'purchase') ORDER BY e.journal_id, e.line`,
      ),
    ).toEqual([
      { kind: 'provider_clearing', asset: 'KES', amount: '-65000' },
      { kind: 'wallet_paid', asset: 'KES', amount: '65000' },
      { kind: 'wallet_paid', asset: 'KES', amount: '-65000' },
      { kind: 'deferred_revenue', asset: 'KES', amount: '56034' },
      // 650.00 × 16 / 116 = 89.655… → 89.66
      { kind: 'tax_payable', asset: 'KES', amount: '8966' },
    ]);
    const [rights] = await world.rows(
      `SELECT r.desired, r.desired_rev FROM card_rights r JOIN card c ON c.id = r.card_id
        WHERE c.number = $1`,
      [number],
    );
    expect(rights).toEqual({
      desired_rev: 1,
      desired: [
        { product: 'ESS', from: '2026-11-23T11:02:00.000Z', to: '2026-12-23T21:00:00.000Z' },
      ],
    });
  });

  it('answers a repeat as the first time and books nothing', async () => {
    const { number } = await world.customer();
    const first = await world.pay({ amount: 65_000n, accountRef: number, receipt: 'SAME1' });
    const again = await world.pay({ amount: 65_000n, accountRef: number, receipt: 'SAME1' });
    expect(again).toEqual({ ...first, first: false });
    const other = await world.pay({ amount: 99_000n, accountRef: number, receipt: 'SAME1' });
    expect(other.kind).toBe('receipt_differs');
  });

  it('credits once when the same receipt comes 20 times at once', async () => {
    const { number } = await world.customer();
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () =>
        world.pay({ amount: 20_000n, accountRef: number, receipt: 'BURST' }),
      ),
    );
    expect(outcomes.filter((o) => o.kind === 'done' && o.first)).toHaveLength(1);
    expect(outcomes.filter((o) => o.kind === 'done' && !o.first)).toHaveLength(19);
  });

  it('that buys no whole term becomes days where the operator says so', async () => {
    const { number } = await world.customer();
    // 650.00 / 30 = 21.666… a day: 100.00 buys 4 days for 86.67, and 13.33 stay.
    const outcome = await world.pay({ amount: 10_000n, accountRef: number });
    expect(world.settledOf(outcome)).toMatchObject({
      paidUntil: '2026-11-27T21:00:00.000Z',
      credit: '1333',
    });
  });

  it('that buys no whole term stays credit elsewhere, and says what is missing', async () => {
    const { number } = await world.customer({ siteCode: 'ABJ' });
    const outcome = await world.pay({
      amount: 4_000n,
      asset: 'XOF',
      accountRef: number,
      siteId: world.site('ABJ').id,
      channelId: 'ci-tvu',
    });
    expect(world.settledOf(outcome)).toMatchObject({ paidUntil: null, credit: '4000' });
    expect(world.said.at(-1)?.message).toMatchObject({
      name: 'credit_kept',
      missing: { amount: 1_000n, term: 'month' },
    });
  });

  it('for an unknown card waits in suspense and tells the payer', async () => {
    const outcome = await world.pay({
      amount: 65_000n,
      accountRef: 'ACC 12',
      payerMsisdn: '+254711222333',
    });
    expect(world.settledOf(outcome)).toMatchObject({ state: 'suspense', code: 'unknown_account' });
    expect(world.said.at(-1)?.message).toMatchObject({ name: 'in_suspense', reference: 'ACC 12' });
  });

  it('for the card of a neighbour, moved, leaves the neighbour what was there before', async () => {
    const [neighbour, own] = [await world.customer(), await world.customer()];
    await world.pay({ amount: 65_000n, accountRef: neighbour.number });
    const livesOf = (number: string) =>
      world.rows(
        `SELECT r.desired, b.balance, s.paid_until FROM card c
           JOIN card_rights r ON r.card_id = c.id
           JOIN subscription s ON s.card_id = c.id
           JOIN account a ON a.owner = 'subscriber:' || c.subscriber_id AND a.kind = 'wallet_paid'
           CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS balance FROM entry e
                                WHERE e.account_id = a.id) b
          WHERE c.number = $1`,
        [number],
      );
    const before = await livesOf(neighbour.number);
    const original = { provider: 'mpesa', receipt: 'WRONGCARD1' };
    const payment = { ...original, amount: 65_000n, payerMsisdn: own.msisdn };
    await world.pay({ ...payment, accountRef: neighbour.number });
    expect(await livesOf(neighbour.number)).not.toEqual(before);
    const move = { kind: 'move_payment', original, toCardNumber: own.number } as const;
    const paid = await livesOf(neighbour.number);
    const asked = await world.act({ ...move, payerMsisdn: own.msisdn });
    const pending = { kind: 'pending', amount: '65000', dueAt: '2026-11-23T11:32:00.000Z' };
    expect(world.settledOf(asked)).toMatchObject({ state: 'settled', result: pending });
    const due = { kind: 'complete_move', original } as const;
    world.moveTo('2026-11-23T11:31:59Z');
    expect(world.settledOf(await world.act(due))).toMatchObject({ code: 'nothing_pending' });
    expect(await livesOf(neighbour.number)).toEqual(paid);
    world.moveTo('2026-11-23T11:32:00Z');
    const moved = { kind: 'moved', amount: '65000', dueAt: null };
    expect(world.settledOf(await world.act(due))).toMatchObject({ result: moved });
    expect(await livesOf(neighbour.number)).toEqual(before);
    expect(await livesOf(own.number)).toMatchObject([{ desired: [expect.anything()] }]);
    expect(await world.act({ ...move, payerMsisdn: own.msisdn })).not.toMatchObject({
      settled: { state: 'settled' },
    });
  });

  it('with a NUL in its reference is parked alone; its neighbours settle', async () => {
    const { number } = await world.customer();
    const outcomes = await Promise.all([
      world.pay({ amount: 20_000n, accountRef: number }),
      world.pay({ amount: 20_000n, accountRef: 'x\u0000y', receipt: 'NUL1' }),
      world.pay({ amount: 20_000n, accountRef: number }),
    ]);
    expect(outcomes.map((o) => o.kind)).toEqual(['done', 'parked', 'done']);
    expect(await world.rows(`SELECT state FROM inbox WHERE receipt = 'NUL1'`)).toEqual([
      { state: 'parked' },
    ]);
    // Parked is not lost: the same receipt, readable now, settles under the same row.
    const retried = await world.pay({ amount: 20_000n, accountRef: number, receipt: 'NUL1' });
    expect(retried).toMatchObject({ kind: 'done', first: true });
  });

  it('of a whole neighbourhood at once keeps every balance', async () => {
    const customers = await Promise.all(Array.from({ length: 30 }, () => world.customer()));
    const outcomes = await Promise.all(
      Array.from({ length: 600 }, (_, i) => {
        const accountRef = customers[i % 30]?.number ?? null;
        return world.pay({ amount: BigInt(1 + ((i * 7919) % 90_000)), accountRef });
      }),
    );
    expect(outcomes.every((o) => o.kind === 'done' && o.first)).toBe(true);
  });
});
