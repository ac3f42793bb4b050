import fc from 'fast-check';
import { accountKey } from '../../src/billing/ledger/chart.ts';
import { balanceOf, ensureAccounts, foldAccounts } from '../../src/billing/ledger/store.ts';
import { doDue } from '../../src/billing/settlement/due-list.ts';
import { type Act, createWorld, SOUND, type World } from './world.ts';

/**
 * Goal: money and units are conserved whatever happens at once.
 * Method: hundreds of random commands thrown at the real door over real Postgres, some of them
 * repeated; then every invariant of the books, and the sums of what was answered.
 */
const COMMANDS = 300;
const PEOPLE = 8;
const RESELLER = '+254711000000';

interface Draw {
  kind: 'pay' | 'notice' | 'convert' | 'send' | 'buy' | 'reverse' | 'stray';
  who: number;
  amount: number;
  by: 'credit' | 'tvu';
  term: 'month' | 'week' | 'day';
  twice: boolean;
}

const draw: fc.Arbitrary<Draw> = fc.record({
  kind: fc.constantFrom<Draw['kind'][]>(
    ...(['pay', 'pay', 'pay', 'notice', 'convert', 'send', 'buy', 'buy', 'reverse'] as const),
    'stray',
  ),
  who: fc.nat({ max: PEOPLE - 1 }),
  amount: fc.oneof(fc.constantFrom(65_000, 20_000, 4_000), fc.integer({ min: 1, max: 90_000 })),
  by: fc.constantFrom('credit', 'tvu'),
  term: fc.constantFrom('month', 'week', 'day'),
  twice: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
});

interface Person {
  number: string;
  msisdn: string;
  cardId: bigint;
}

describe('settlement under a storm', () => {
  let world: World;
  let people: Person[];
  let runs = 0;
  beforeAll(async () => {
    world = await createWorld('2026-11-23T11:02:00Z');
    people = await Promise.all(
      Array.from({ length: PEOPLE }, async () => {
        const { number, msisdn } = await world.customer({ autoRenew: true, term: 'week' });
        const { rows } = await world.pool.query('SELECT id FROM card WHERE number = $1', [number]);
        return { number, msisdn, cardId: rows[0].id };
      }),
    );
    await openReseller();
  });
  afterAll(() => world.close());

  async function openReseller(): Promise<void> {
    const site = world.site('NBO');
    const name = { owner: 'reseller:1', kind: 'tvu_wallet', asset: site.tvuAsset } as const;
    const accounts = await ensureAccounts(world.pool, world.ids, [name]);
    await world.pool.query(
      `INSERT INTO reseller (id, site_id, name, msisdn, pin_hash, tvu_wallet_id)
       VALUES (1, $1, 'Mama', $2, '', $3)`,
      [site.id, RESELLER, accounts.get(accountKey(name))],
    );
    await world.act({ kind: 'tvu_notice', msisdn: RESELLER, units: 100_000n });
  }

  function actOf({ kind, who, amount, by, term }: Draw, receipt: string, i: number): Act {
    const { number, msisdn, cardId } = people[who] as Person;
    const units = BigInt(amount % 700);
    const money = { payerMsisdn: msisdn, payerHash: null, orderId: null, asset: 'KES' };
    switch (kind) {
      case 'pay':
        return { kind: 'payment', receipt, amount: BigInt(amount), accountRef: number, ...money };
      case 'stray':
        return { kind: 'payment', receipt, amount: BigInt(amount), accountRef: '?', ...money };
      case 'notice':
        return { kind: 'tvu_notice', receipt, msisdn, units: units + 1n };
      case 'convert':
        return { kind: 'convert_tvu', receipt, msisdn, units };
      case 'send':
        return { kind: 'transfer_tvu', receipt, fromMsisdn: RESELLER, toMsisdn: msisdn, units };
      case 'buy':
        return { kind: 'buy', receipt, msisdn, purpose: { kind: 'term', cardId, term }, means: by };
      case 'reverse': {
        const original = {
          provider: 'mpesa',
          receipt: `P${runs}-${Math.max(0, i - (amount % 40))}`,
        };
        return { kind: 'reverse_payment', receipt, original };
      }
    }
  }

  /** Σ over all accounts of an asset, each as the product reads it. */
  async function total(asset: string): Promise<bigint> {
    const { rows } = await world.pool.query('SELECT id FROM account WHERE asset = $1', [asset]);
    const balances = await Promise.all(rows.map((row) => balanceOf(world.pool, row.id)));
    return balances.reduce((sum, balance) => sum + balance, 0n);
  }

  async function sumOf(sql: string): Promise<bigint> {
    const { rows } = await world.pool.query(`SELECT coalesce(sum(amount), 0)::bigint AS n ${sql}`);
    return rows[0].n;
  }

  const paidEnds = async (): Promise<number[]> => {
    const { rows } = await world.pool.query('SELECT paid_until FROM subscription ORDER BY id');
    return rows.map((row) => row.paid_until?.getTime() ?? 0);
  };

  it('conserves money and units, answers every key once, and never shortens a term', async () => {
    const storm = fc.array(draw, { minLength: COMMANDS, maxLength: COMMANDS, size: 'max' });
    await fc.assert(
      fc.asyncProperty(storm, async (draws) => {
        runs += 1;
        const before = await paidEnds();
        const folding = foldAccounts(world.pool);
        const answers = await Promise.all(
          draws.flatMap((one, i) => {
            const act = actOf(one, `P${runs}-${i}`, i);
            return one.twice ? [world.act(act), world.act(act)] : [world.act(act)];
          }),
        );
        await folding;
        expect(answers.every((answer) => answer.kind === 'done')).toBe(true);
        const firsts = answers.filter((answer) => answer.kind === 'done' && answer.first);
        expect(firsts).toHaveLength(COMMANDS);
        world.moveTo(new Date(world.now().getTime() + 5 * 86_400_000).toISOString());
        await doDue({ ...world, clock: { now: world.now } });
        expect(await world.check()).toMatchObject(SOUND);
        await foldAccounts(world.pool);
        expect(await world.check()).toMatchObject(SOUND);
        expect([await total('KES'), await total('TVU-KE')]).toEqual([0n, 0n]);
        (await paidEnds()).forEach((end, i) => {
          expect(end).toBeGreaterThanOrEqual(before[i] ?? 0);
        });
      }),
      { numRuns: 4, endOnFailure: true },
    );
    // What came in at the operators is what we owe, have sold, taxed, or keep in suspense.
    const clearing = await sumOf(`FROM entry e JOIN account a ON a.id = e.account_id
      WHERE a.kind = 'provider_clearing' AND a.asset = 'KES'`);
    const owed = await sumOf(`FROM entry e JOIN account a ON a.id = e.account_id
      WHERE a.kind <> 'provider_clearing' AND a.asset = 'KES'`);
    expect(-clearing).toBe(owed);
    // Units are owed at what they were issued for, to the cent.
    const { rows } = await world.pool.query(
      `SELECT (SELECT coalesce(sum(cost_remaining), 0) FROM lot)::bigint AS cost,
              (SELECT coalesce(sum(e.amount), 0) FROM entry e JOIN account a ON a.id = e.account_id
                WHERE a.kind = 'tvu_liability' AND a.asset = 'KES')::bigint AS liability`,
    );
    expect(rows[0].liability).toBe(rows[0].cost);
    // Every term sold is one journal, and its price left a wallet.
    const sold = await world.rows(
      `SELECT count(*)::int AS terms, count(DISTINCT journal_id)::int AS journals FROM term`,
    );
    expect(sold[0]?.terms).toBe(sold[0]?.journals);
    expect(Number(sold[0]?.terms)).toBeGreaterThan(50);
  });
});
