import type { Command, Outcome } from '../../src/billing/settlement/commands.ts';
import type { Settlement } from '../../src/billing/settlement/service.ts';
import { breaking } from './breaking.ts';
import type { Action, Case, PrepaidFile } from './file.ts';
import { PLANS } from './histories.ts';
import { channelOf } from './house.ts';
import { CONFIG } from './own-config.ts';
import { openPostgresHouse, type PostgresHouse } from './postgres.ts';
import { type Setup, setupOf } from './setup.ts';

/**
 * Goal: what can happen once happens once, and no money is made or lost, when many ask at the same
 * time through several doors, and when a connection breaks between any two statements.
 */
const AT = new Date('2026-11-23T08:00:00Z');
const MONTH = 100_000n;
/** More scratch cards than an act has statements. */
const CODES = Array.from({ length: 40 }, (_, n) => String(111_122_223_333 + n));
const CODE = CODES[0] ?? '';
const CARDS_MAX = 50;
const cardOf = (n: number): string => String(40_210_000_000 + n);
const phoneOf = (n: number): string => `+2547000${String(n).padStart(5, '0')}`;

const story: Case = {
  id: 'races',
  config: CONFIG,
  offers: {
    vouchers: CODES.map((code) => ({
      code,
      kind: 'amount',
      value: '750.00',
      currency: 'KES',
      expires: '2028-01-01T00:00:00Z',
      state: 'ACTIVATED',
      bonus: '50.00',
      bonus_days: 4,
    })),
    promotions: [
      {
        code: 'X',
        plan: 'basic',
        term: 'month',
        bonus_days: 3,
        // Seven times three thirtieths of a month.
        budget: '700.00',
        from: '2026-01-01T00:00:00Z',
        to: '2028-01-01T00:00:00Z',
      },
    ],
  },
  timeline: [
    {
      seq: 1,
      instant: AT.toISOString(),
      action: 'create_account',
      tz: 'Africa/Nairobi',
      currency: 'KES',
    } as unknown as Action,
  ],
  expected: [],
};

const file: PrepaidFile = {
  meta: { format: 'prepaid-cases/1', defaults: {} },
  plans: PLANS,
  cases: [story],
};

let setup: Setup;
let house: PostgresHouse;
let doors: Settlement[];
let serial = 0;

beforeEach(async () => {
  setup = setupOf(file, story);
  house = await openPostgresHouse(setup);
  doors = [house.settlement, house.openDoor()];
});
afterEach(async () => {
  await doors[1]?.close();
  expect(await house.faults()).toEqual([]);
  await house.close();
});

const siteId = 1n;
const plan = () => setup.bouquetId(siteId, 'basic') ?? 0n;

/** People with a card each; the first has them all where `own` is false. */
async function people(count: number, own = true): Promise<void> {
  for (let n = 0; n < count; n++) {
    const account = own ? `a${n}` : 'a0';
    if (own || n === 0) {
      await house.openAccount({ name: account, siteId, msisdn: phoneOf(n), at: AT });
    }
    await house.openSubscription({
      ref: `s${n}`,
      account,
      cardNumber: cardOf(n),
      bouquetId: plan(),
      term: 'month',
      decoder: null,
      person: 'P1',
      main: null,
      reseller: null,
      at: AT,
    });
  }
}

const nextReceipt = (): string => {
  serial += 1;
  return `r${serial}`;
};

const base = (receipt = nextReceipt()) => ({
  provider: 'race',
  receipt,
  channelId: channelOf(siteId),
  siteId,
  at: AT,
  raw: Buffer.alloc(0),
});

const payment = (cardNumber: string, amount: bigint, receipt?: string): Command => ({
  ...base(receipt),
  kind: 'payment',
  amount,
  asset: 'KES',
  accountRef: cardNumber,
  cardNumber,
  payerMsisdn: phoneOf(0),
  payerHash: null,
  orderId: null,
  means: null,
});

const idOfCard = async (n: number): Promise<bigint> =>
  (await house.cardNumbered(cardOf(n)))?.id ?? 0n;

/** Asks all at once, over the doors in turn. */
const atOnce = (commands: readonly Command[]): Promise<Outcome[]> =>
  Promise.all(commands.map((one, i) => (doors[i % doors.length] as Settlement).settle(one)));

const answersOf = (outcomes: readonly Outcome[]): Record<string, number> => {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) {
    const name =
      outcome.kind === 'done' ? (outcome.settled.code ?? outcome.settled.state) : outcome.kind;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

const all = <T>(count: number, make: (n: number) => T): T[] =>
  Array.from({ length: count }, (_, n) => make(n));

describe('at the same time', () => {
  it('200 payments for one account are 200 payments', async () => {
    await people(4, false);
    const asked = all(200, (n) => payment(cardOf(n % 4), 1_00n));
    expect(answersOf(await atOnce([...asked, ...asked]))).toEqual({ settled: 400 });
    expect(await house.wallet('a0')).toMatchObject({ paid: 200_00n });
  });

  it('a scratch card is used by one of 50 phones', async () => {
    await people(CARDS_MAX);
    const asked = all(CARDS_MAX, (n): Command => {
      return { ...base(), kind: 'redeem', code: CODE, cardNumber: cardOf(n) };
    });
    const answers = answersOf(await atOnce(asked));
    expect(answers).toEqual({ settled: 1, voucher_used: CARDS_MAX - 1 });
    const wallets = await Promise.all(all(CARDS_MAX, (n) => house.wallet(`a${n}`)));
    expect(wallets.filter(({ paid, promo }) => paid === 750_00n && promo === 50_00n).length).toBe(
      1,
    );
    const { rows } = await house.pool.query(
      'SELECT count(*)::int AS n FROM inbox WHERE outcome::text LIKE $1',
      [`%${CODE}%`],
    );
    expect(rows).toEqual([{ n: 0 }]);
  });

  it('a promotion is used as often as its budget lasts, and once a card', async () => {
    await people(20);
    await atOnce(all(20, (n) => payment(cardOf(n), 2n * MONTH)));
    const asked = await Promise.all(
      all(40, async (i): Promise<Command> => {
        const n = i % 20;
        const cardId = await idOfCard(n);
        const purpose = { kind: 'term', cardId, term: 'month', code: 'X' } as const;
        return { ...base(), kind: 'buy', purpose, msisdn: phoneOf(n), means: 'credit' };
      }),
    );
    const answers = answersOf(await atOnce(asked));
    expect(answers.settled).toBe(7);
    expect(await house.promotionBudget('X')).toBe(0n);
  });

  it('a payment is moved once, and a person has one trial', async () => {
    await people(10);
    await atOnce([payment(cardOf(0), MONTH, 'P')]);
    const original = { provider: 'race', receipt: 'P' };
    const moves = all(9, (n): Command => {
      const to = { toCardNumber: cardOf(n + 1), payerMsisdn: phoneOf(0) };
      return { ...base(), kind: 'move_payment', original, ...to };
    });
    expect(answersOf(await atOnce(moves))).toEqual({ settled: 1, move_not_allowed: 8 });
    const trials = await Promise.all(
      all(10, async (n): Promise<Command> => {
        return { ...base(), kind: 'grant_trial', cardId: await idOfCard(n) };
      }),
    );
    expect(answersOf(await atOnce(trials))).toEqual({ settled: 1, trial_used: 9 });
  });

  it('everything that touches two accounts leaves sound books and no deadlock', async () => {
    await people(6);
    await atOnce(all(12, (n) => payment(cardOf(n % 6), 3n * MONTH, `P${n}`)));
    const cards = await Promise.all(all(6, idOfCard));
    const accounts = await Promise.all(all(6, (n) => house.subscriberId(`a${n}`)));
    const id = (n: number) => accounts[n % 6] ?? 0n;
    const cardId = (n: number) => cards[n % 6] ?? 0n;
    const commands = all(120, (n): Command => {
      const original = { provider: 'race', receipt: `P${n % 12}` };
      const to = { toCardNumber: cardOf((n + 1) % 6), payerMsisdn: phoneOf(0) };
      const purpose = { kind: 'term', cardId: cardId(n), term: 'week' } as const;
      const kinds: Command[] = [
        { ...base(), kind: 'move_payment', original, ...to },
        { ...base(), kind: 'reverse_payment', original },
        {
          ...base(),
          kind: 'transfer_credit',
          subscriberId: id(n),
          toSubscriberId: id(n + 1),
          amount: 10_00n,
        },
        { ...base(), kind: 'buy', purpose, msisdn: phoneOf((n + 2) % 6), means: 'credit' },
        { ...base(), kind: 'take_loan', cardId: cardId(n) },
        payment(cardOf(n % 6), 7_77n),
        { ...base(), kind: 'pause', cardId: cardId(n), days: 1 },
        { ...base(), kind: 'resume', cardId: cardId(n + 3) },
      ];
      return kinds[n % kinds.length] as Command;
    });
    const answers = answersOf(await atOnce(commands));
    expect(answers).not.toHaveProperty('parked');
    expect(answers).not.toHaveProperty('unavailable');
  });
});

describe('a connection that breaks between any two statements', () => {
  /** Makes an act anew for each statement, and breaks the connection before that one. */
  const brokenEverywhere = async (make: (k: number) => Promise<Command>): Promise<number> => {
    for (let k = 1; ; k++) {
      const act = await make(k);
      const { pool, broke } = breaking(house.pool, k);
      const door = house.openDoor(pool);
      const outcome = await door.settle(act);
      await door.close();
      expect(outcome).toMatchObject({ kind: 'done', settled: { state: 'settled', code: null } });
      expect(await house.faults()).toEqual([]);
      if (!broke()) return k;
    }
  };

  it('leaves all of a scratch card or nothing of it, and it is used once', async () => {
    await people(1);
    const used = await brokenEverywhere(async (k) => {
      return { ...base(), kind: 'redeem', code: CODES[k] ?? '', cardNumber: cardOf(0) };
    });
    expect(used).toBeGreaterThan(12);
    const { paid, promo } = await house.wallet('a0');
    expect([paid, promo]).toEqual([BigInt(used) * 750_00n, BigInt(used) * 50_00n]);
  });

  it('leaves all of a moved payment or nothing of it, and it is moved once', async () => {
    await people(2);
    const cardId = await idOfCard(0);
    const moved = await brokenEverywhere(async (k) => {
      const receipt = `P${k}`;
      const purpose = { kind: 'term', cardId, term: 'month' } as const;
      const buy: Command = { ...base(), kind: 'buy', purpose, msisdn: phoneOf(0), means: 'credit' };
      for (const act of [payment(cardOf(0), MONTH, receipt), buy]) await atOnce([act]);
      const original = { provider: 'race', receipt };
      const to = { toCardNumber: cardOf(1), payerMsisdn: phoneOf(0) };
      return { ...base(), kind: 'move_payment', original, ...to };
    });
    expect(moved).toBeGreaterThan(12);
    expect((await house.wallet('a1')).paid).toBe(BigInt(moved) * MONTH);
  });
});
