import type { Bouquet, Catalogue } from '../../src/billing/catalogue/rules.ts';
import {
  type CatalogueService,
  createCatalogue,
  systemAccounts,
} from '../../src/billing/catalogue/service.ts';
import { oneTax } from '../../src/billing/catalogue/tax-harness.ts';
import { createPrepaidEnds } from '../../src/billing/dunning/prepaid-ends.ts';
import { accountKey, NAMELESS_TAX, taxOwner } from '../../src/billing/ledger/chart.ts';
import { checkPrepaid } from '../../src/billing/ledger/check.ts';
import { ensureAccounts, findTaxAccounts } from '../../src/billing/ledger/store.ts';
import type { Settled } from '../../src/billing/settlement/commands.ts';
import { createSettlement, type Settlement } from '../../src/billing/settlement/service.ts';
import { rightsFor } from '../../src/entitlement/rights/rules.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { type Act, createWorld, MONEY_CHANNEL, type World } from './world.ts';

/**
 * Goal: terms of any length, prices by category and taxes by code are the same in the database as
 * on paper.
 * Method: ESSENTIAL in Nairobi bears a duty of 5 % and a VAT of 16 % on both, which is 18 % from
 * 2027 on; hotels have a list of their own.
 */
let world: World;
let settlement: Settlement;
let essential: Bouquet;
let catalogue: Catalogue;
beforeAll(async () => {
  world = await createWorld('2026-11-23T11:02:00Z');
  const accounts = await sold();
  settlement = createSettlement({
    pool: world.pool,
    ids: world.ids,
    catalogue: () => catalogue,
    accounts: () => accounts,
    ports: { rightsFor, messagesFor: () => null },
    logger: silentLogger,
    monotonicMs: () => performance.now(),
  });
});
afterAll(async () => {
  await settlement.close();
  await world.close();
});
afterEach(async () => {
  expect(await checkPrepaid(world.pool)).toMatchObject({
    ...{ wrongTaxes: 0, wrongSales: 0, wrongDeferred: 0 },
  });
  expect(await world.check()).toMatchObject({ unbalancedJournals: 0, wrongBalances: 0 });
});

async function sold() {
  const known = (await createCatalogue(world.prisma, world)).current();
  const found = [...known.bouquets.values()].find(
    ({ code, siteId }) => code === 'ESSENTIAL' && siteId === world.site('NBO').id,
  );
  if (!found) throw new Error('No ESSENTIAL');
  const fromAt = new Date('2026-01-01T00:00:00Z');
  const priced = (amount: bigint) => [{ from: fromAt, amount }];
  const kinds = oneTax(1_600n)[0]?.appliesTo ?? [];
  const excise = { code: 'EXCISE', name: 'Duty', on: ['net'], appliesTo: kinds };
  const vat = { code: 'VAT', name: 'VAT', on: ['net', 'EXCISE'], appliesTo: kinds };
  essential = {
    ...found,
    prices: { ...found.prices, year: priced(600_000n), '10d': priced(25_000n) },
    categoryPrices: new Map([['hotel', { month: priced(250_000n) }]]),
    taxes: [
      { ...excise, rates: [{ from: '2026-01-01', ppm: 50_000n }] },
      {
        ...vat,
        rates: [
          { from: '2026-01-01', ppm: 160_000n },
          { from: '2027-01-01', ppm: 180_000n },
        ],
      },
    ],
  };
  const bouquets = new Map(known.bouquets).set(essential.id, essential);
  catalogue = { ...known, bouquets };
  const channels = [{ id: MONEY_CHANNEL.NBO, siteId: world.site('NBO').id }];
  const names = systemAccounts(catalogue, channels);
  return ensureAccounts(world.pool, world.ids, names);
}

let serial = 0;
async function act(command: Act, at = world.now()): Promise<Settled> {
  serial += 1;
  const outcome = await settlement.settle({
    provider: 'test',
    receipt: `T${serial}`,
    channelId: MONEY_CHANNEL.NBO,
    siteId: world.site('NBO').id,
    at,
    raw: Buffer.from('{}'),
    ...command,
  } as Parameters<Settlement['settle']>[0]);
  return world.settledOf(outcome);
}

async function rich(category: string) {
  const { number, msisdn, id } = await world.customer();
  await world.pool.query('UPDATE subscriber SET category = $2 WHERE id = $1', [id, category]);
  const topUp = { amount: 1_000_000n, credit: 'paid', expiresAt: null, priority: null } as const;
  await act({ kind: 'top_up', subscriberId: id, ...topUp });
  const { rows } = await world.pool.query('SELECT id FROM card WHERE number = $1', [number]);
  return { msisdn, cardId: rows[0].id as bigint };
}

const buy = (who: { msisdn: string; cardId: bigint }, term: 'month' | '10d' | 'year') =>
  act({
    kind: 'buy',
    msisdn: who.msisdn,
    purpose: { kind: 'term', cardId: who.cardId, term },
    means: 'credit',
  });
const linesOf = (cardId: bigint) =>
  world.rows(
    `SELECT t.kind, t.price, t.tax, t.taxes FROM term t JOIN subscription s
         ON s.id = t.subscription_id WHERE s.card_id = $1 ORDER BY t.id`,
    [cardId],
  );
const owed = async (code: string) => {
  const [row] = await world.rows(
    `SELECT coalesce(sum(e.amount), 0) AS amount FROM account a
       LEFT JOIN entry e ON e.account_id = a.id
      WHERE a.kind = 'tax_payable' AND a.owner = $1`,
    [taxOwner(world.site('NBO').id, code)],
  );
  return BigInt(String(row?.amount));
};

describe('the tables', () => {
  it('keep no term that there is not', async () => {
    await world.customer();
    for (const term of ['1d', '1000d', 'months']) {
      const change = world.pool.query('UPDATE subscription SET term = $1', [term]);
      await expect(change).rejects.toThrow('subscription_term_check');
    }
  });
});

describe('a term', () => {
  it('of ten days or a year keeps each tax with the rate of its sale', async () => {
    const before = [await owed('EXCISE'), await owed('VAT'), await owed(NAMELESS_TAX)];
    const who = await rich('residential');
    expect(await buy(who, '10d')).toMatchObject({ paidUntil: '2026-12-03T21:00:00.000Z' });
    expect(await buy(who, 'year')).toMatchObject({ paidUntil: '2027-12-03T21:00:00.000Z' });
    const rate = {
      EXCISE: { ppm: '50000', on: ['net'] },
      VAT: { ppm: '160000', on: ['net', 'EXCISE'] },
    };
    const taxes = (excise: string, vat: string) => [
      { code: 'EXCISE', ...rate.EXCISE, amount: excise },
      { code: 'VAT', ...rate.VAT, amount: vat },
    ];
    expect(await linesOf(who.cardId)).toEqual([
      { kind: '10d', price: '25000', tax: '4475', taxes: taxes('1026', '3449') },
      { kind: 'year', price: '600000', tax: '107389', taxes: taxes('24630', '82759') },
    ]);
    const after = [await owed('EXCISE'), await owed('VAT'), await owed(NAMELESS_TAX)];
    expect(after.map((amount, i) => amount - (before[i] ?? 0n))).toEqual([25_656n, 86_208n, 0n]);
  });

  it('given back in another year is taxed as it was sold', async () => {
    const who = await rich('residential');
    world.moveTo('2026-12-20T09:00:00Z');
    await buy(who, 'month');
    const before = [await owed('EXCISE'), await owed('VAT')];
    const { cardId } = who;
    const [premium] = await world.rows("SELECT id FROM bouquet WHERE code = 'PREMIUM'");
    const bouquetId = BigInt(String(premium?.id));
    world.moveTo('2027-01-04T09:00:00Z');
    await act({ kind: 'change_plan', cardId, bouquetId, policy: 'immediate' });
    // 15 of 31 days were used: 314.52 of 650.00 is kept, of which 56.29 is taxes.
    const [kept, next] = await linesOf(cardId);
    expect(kept).toEqual({
      ...{ kind: 'month', price: '31452', tax: '5629' },
      taxes: [
        { code: 'EXCISE', ppm: '50000', on: ['net'], amount: '1291' },
        { code: 'VAT', ppm: '160000', on: ['net', 'EXCISE'], amount: '4338' },
      ],
    });
    // Of 650.00 they were 26.68 and 89.66. PREMIUM, which the rest buys, bears the VAT alone.
    const after = [await owed('EXCISE'), await owed('VAT')];
    expect(after.map((amount, i) => amount - (before[i] ?? 0n))).toEqual([
      1_291n - 2_668n,
      4_338n - 8_966n + BigInt(String(next?.tax)),
    ]);
  });
});

describe('a category', () => {
  it('buys from its own list, and nothing that it does not name', async () => {
    const hotel = await rich('hotel');
    expect(await buy(hotel, 'month')).toMatchObject({ state: 'settled', credit: '750000' });
    expect(await buy(hotel, '10d')).toMatchObject({ state: 'refused', code: 'term_not_sold' });
    const home = await rich('residential');
    expect(await buy({ ...home, cardId: hotel.cardId }, 'month')).toMatchObject({
      credit: '750000',
    });
  });
});

describe('what ended', () => {
  it('costs what the category pays for its usual term', async () => {
    const hotel = await rich('hotel');
    await buy(hotel, 'month');
    const [row] = await world.rows('SELECT subscriber_id FROM card WHERE id = $1', [hotel.cardId]);
    const id = BigInt(String(row?.subscriber_id));
    const clock = { now: world.now };
    const endsOf = createPrepaidEnds({ pool: world.pool, clock, catalogue: () => catalogue });
    expect((await endsOf([id])).get(id)).toMatchObject({ price: 250_000n });
  });
});

describe('the accounts of taxes', () => {
  it('are found without the catalogue: what was sold can always be given back', async () => {
    const siteId = world.site('NBO').id;
    const found = await findTaxAccounts(world.pool);
    const names = [NAMELESS_TAX, 'EXCISE', 'VAT'].map((code) =>
      accountKey({ owner: taxOwner(siteId, code), kind: 'tax_payable', asset: 'KES' }),
    );
    expect([...found.keys()]).toEqual(expect.arrayContaining(names));
  });
});

describe('a catalogue that is read again', () => {
  it('is shown when everything is ready for it', async () => {
    const seen: boolean[] = [];
    const shown: { catalogue?: CatalogueService } = {};
    const catalogue = await createCatalogue(world.prisma, world, async (next) => {
      seen.push(next === shown.catalogue?.current());
    });
    shown.catalogue = catalogue;
    const before = catalogue.current();
    expect(seen).toEqual([false]);
    await catalogue.reload();
    expect(seen).toEqual([false, false]);
    expect(catalogue.current()).not.toBe(before);
  });
});
