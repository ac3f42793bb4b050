import { readFileSync } from 'node:fs';
import { readCatalogueFile } from '../../src/billing/catalogue/file/read.ts';
import type { OperatorCatalogue } from '../../src/billing/catalogue/file/types.ts';
import type { NewCatalogue } from '../../src/billing/catalogue/publish.ts';
import { type Bouquet, priceAt } from '../../src/billing/catalogue/rules.ts';
import { createCatalogue } from '../../src/billing/catalogue/service.ts';
import { pendingGateway } from '../../src/billing/postpaid/gateway.ts';
import { createMarkets } from '../../src/billing/postpaid/markets.ts';
import { createPostpaidService } from '../../src/billing/postpaid/service.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { createPublisher } from '../../src/publish-catalogue.ts';
import { changed, createWorld, type World } from './world.ts';

/**
 * Goal: publishing changes what is sold, and never what was sold. Method: changes of the demo's
 * file, published to a house where bouquets were sold and others were not.
 */
let world: World;
beforeAll(async () => {
  world = await createWorld('2026-11-23T11:02:00Z');
});
afterAll(() => world.close());
/** Each story begins with the demo's file as it is. */
beforeEach(() => publish([], { allowPast: true }));

const publisher = () =>
  createPublisher({ ...world, clock: world, reload: () => world.reloadCatalogue() });
const publish = (changes: [was: string, is: string][], more: Partial<NewCatalogue> = {}) =>
  publisher().publish({
    ...{ text: changed(changes), by: 'staff:1', note: 'a test', allowPast: false, ...more },
  });
const versions = async () =>
  (await world.rows('SELECT count(*)::int AS n FROM catalogue_version'))[0]?.n;
/** The id of the version that holds. */
const inForce = async () => {
  const newest = 'SELECT id FROM catalogue_version ORDER BY published_at DESC LIMIT 1';
  return BigInt(String((await world.rows(newest))[0]?.id));
};
const catalogue = async () => (await createCatalogue(world.prisma, world)).current();
const bouquet = async (code: string): Promise<Bouquet | undefined> =>
  [...(await catalogue()).bouquets.values()].find((one) => one.code === code);

const MONTH = "country: KE, month: '650.00'";
const NEW_YEAR: [string, string] = [
  "      - { from: 2026-01-01, country: KE, month: '650.00'",
  "      - { from: 2027-01-01, country: KE, month: '700.00' }\n" +
    "      - { from: 2026-01-01, country: KE, month: '650.00'",
];

describe('a published catalogue', () => {
  it('refuses what takes away or recodes what was sold, and nothing else', async () => {
    await world.customer({ bouquet: 'PREMIUM' });
    const gone = (code: string): [string, string][] => [[`  ${code}:\n`, `  ${code}X:\n`]];
    expect(await publish(gone('PREMIUM'))).toMatchObject({
      error: 'catalogue_in_use',
      reasons: [expect.stringMatching(/^PREMIUM was sold at NBO and can't leave the catalogue/)],
    });
    expect(await publish(gone('ESSENTIAL'))).toMatchObject({ ok: true });
    expect((await bouquet('ESSENTIAL'))?.id).toBeUndefined();
    const moved = await publish([['currency: KES', 'currency: UGX']]);
    expect(moved).toMatchObject({ error: 'catalogue_in_use' });
    const renamed = await publish([
      ['  NBO:\n', '  NAI:\n'],
      ['sites: [NBO]', 'sites: [NAI]'],
      ['site: NBO', 'site: NAI'],
    ]);
    expect(renamed).toMatchObject({
      reasons: ["sites.NBO has been published and can't leave the catalogue"],
    });
  });

  it('is kept whole, and holds from then on', async () => {
    const done = await publish([NEW_YEAR]);
    expect(done).toMatchObject({
      ok: true,
      isNew: true,
      changes: ['From 2027-01-01: ESSENTIAL, month, in KE costs 700.00 KES instead of 650.00 KES.'],
    });
    const essential = await bouquet('ESSENTIAL');
    if (!essential) throw new Error('No ESSENTIAL');
    expect(priceAt(essential, 'month', new Date('2026-12-31T20:59:59Z'))).toBe(65_000n);
    expect(priceAt(essential, 'month', new Date('2026-12-31T21:00:00Z'))).toBe(70_000n);
    const [row] = await world.rows(
      `SELECT text, published_by, note FROM catalogue_version ORDER BY published_at DESC LIMIT 1`,
    );
    const text = changed([NEW_YEAR]);
    expect(row).toEqual({ text, published_by: 'staff:1', note: 'a test' });
  });

  it('changes nothing when it is in force already', async () => {
    await publish([NEW_YEAR]);
    const before = await versions();
    expect(await publish([NEW_YEAR])).toMatchObject({ ok: true, isNew: false, changes: [] });
    expect(await versions()).toBe(before);
  });

  it('says every problem of a text that is none', async () => {
    const before = await versions();
    const done = await publish([
      ["month: '650.00', week: '200.00'", "month: '650.001', week: 200"],
    ]);
    if (done.ok || done.error !== 'catalogue_unreadable') throw new Error('It is not');
    expect(done.problems.map(({ path }) => path)).toEqual([
      'bouquets.ESSENTIAL.prices[0].month',
      'bouquets.ESSENTIAL.prices[0].week',
    ]);
    expect(await versions()).toBe(before);
  });

  it('changes prices of days that have come only when that is said', async () => {
    const cheaper: [string, string][] = [[MONTH, MONTH.replace('650', '640')]];
    expect(await publish(cheaper)).toEqual({
      ok: false,
      error: 'catalogue_past',
      reasons: ['From 2026-01-01: ESSENTIAL, month, in KE costs 640.00 KES instead of 650.00 KES.'],
    });
    const { number } = await world.customer();
    await world.pay({ amount: 65_000n, accountRef: number });
    expect(await publish(cheaper, { allowPast: true })).toMatchObject({ ok: true });
    const [sold] = await world.rows('SELECT price FROM term');
    expect(sold).toEqual({ price: '65000' });
  });

  it('is refused when another than expected is in force', async () => {
    const onto = await inForce();
    expect(await publish([NEW_YEAR], { onto })).toMatchObject({ ok: true });
    expect(await publish([['Demo TV Kenya', 'Demo TV KE']], { onto })).toEqual({
      ok: false,
      error: 'catalogue_changed',
    });
  });

  it('is one at a time, whoever else publishes', async () => {
    const [onto, before] = [await inForce(), Number(await versions())];
    const names = ['A', 'B', 'C'].map((name): [string, string][] => [['Demo TV Kenya', name]]);
    const done = await Promise.all(names.map((change) => publish(change, { onto })));
    expect(done.filter(({ ok }) => ok)).toHaveLength(1);
    expect(await versions()).toBe(before + 1);
  });
});

describe('a plan that has contracts', () => {
  /** A hotel with ten rooms at NBO. */
  async function hotel(): Promise<void> {
    const { id } = await world.customer();
    await world.pool.query("UPDATE subscriber SET category = 'hotel' WHERE id = $1", [id]);
    const { pool } = world;
    const service = createPostpaidService({
      ...{ pool, clock: world, logger: silentLogger, gateway: pendingGateway },
      termsOf: createMarkets(() => read(changed([]))),
    });
    const money = { timeZone: 'Africa/Nairobi', currency: 'KES', billingDay: 1 };
    const accountId = await service.open(id, { ...money, autoPay: false, autoInvoice: true });
    const sale = { act: 'create_subscription', ref: 'rooms', plan: 'HOTEL_ROOMS' } as const;
    await service.act(accountId, 'sale', { ...sale, quantity: 10 });
  }
  const read = (text: string): OperatorCatalogue => {
    const file = readCatalogueFile(text);
    if (!file.ok) throw new Error('The demo’s file can’t be read');
    return file.catalogue;
  };
  const reasonsOf = async (...changes: [was: string, is: string][]) => {
    const done = await publish(changes, { allowPast: true });
    return done.ok || !('reasons' in done) ? [] : done.reasons;
  };
  const PRICE = "country: KE, room: '300.00'";

  it('may change while it has none', async () => {
    expect(await publish([['period: monthly', 'period: quarterly']])).toMatchObject({ ok: true });
    expect(await publish([['  HOTEL_ROOMS:\n', '  HOTEL:\n']])).toMatchObject({ ok: true });
  });

  it('stays in the catalogue as it is, but for prices to come', async () => {
    await hotel();
    expect(await reasonsOf(['  HOTEL_ROOMS:\n', '  HOTEL:\n'])).toEqual([
      "HOTEL_ROOMS has contracts in KE and can't leave it; a price of null ends its sale",
    ]);
    expect(await reasonsOf(['period: monthly', 'period: quarterly'])).toEqual([
      'HOTEL_ROOMS has contracts and stays as it is but for prices to come',
    ]);
    expect(await reasonsOf([PRICE, "country: KE, room: '310.00'"])).toEqual([
      expect.stringMatching(/^From 2026-01-01: HOTEL_ROOMS, room.*let it begin later\.$/),
    ]);
    const later = "      - { from: 2027-01-01, country: KE, room: '310.00' }\n";
    const first = `      - { from: 2026-01-01, ${PRICE}`;
    expect(await publish([[first, later + first]])).toMatchObject({ ok: true });
  });
});

describe('a promotion of the file', () => {
  const promotion = (budget: string, name = 'NOEL') =>
    `promotions:\n  ${name}: { name: Christmas, product: PREMIUM, term: month, bonusDays: 5, ` +
    `from: 2026-12-01, until: 2027-01-01, budget: { KE: '${budget}' } }\n\ntvu:\n`;
  const rows = () =>
    world.rows('SELECT code, budget, budget_left, from_at < to_at AS holds FROM promotion');

  it('keeps what is left of its budget when the file changes', async () => {
    await publish([['tvu:\n', promotion('1000.00')]]);
    await world.pool.query('UPDATE promotion SET budget_left = 30000');
    await publish([['tvu:\n', promotion('1500.00')]]);
    expect(await rows()).toMatchObject([{ code: 'NOEL', budget: '150000', budget_left: '80000' }]);
  });

  it('never begins when the file no longer has it, but where it comes back', async () => {
    await publish([['tvu:\n', promotion('1000.00')]]);
    await publish([]);
    expect(await rows()).toMatchObject([{ code: 'NOEL', budget_left: '0' }]);
    await publish([['tvu:\n', promotion('1000.00')]]);
    expect(await rows()).toMatchObject([{ code: 'NOEL', budget: '100000', budget_left: '100000' }]);
  });
});

// Last: a site that was published stays.
describe('a new site', () => {
  it('sells what is new there, and has who bills for it', async () => {
    const site = readFileSync('prisma/demo/catalogue.yaml', 'utf8').split('  ABJ:')[0] ?? '';
    expect(site).toContain('NBO:');
    const mombasa =
      '  MSA:\n    name: Mombasa\n    country: KE\n    language: en\n' +
      '    payment: { buys: terms, under: days, over: one_term, dayRate: month/30 }\n  ABJ:\n';
    await publish([
      ['  ABJ:\n', mombasa],
      ['sites: [NBO]', 'sites: [NBO, MSA]'],
    ]);
    const { sites, bouquets } = await catalogue();
    const msa = [...sites.values()].find(({ code }) => code === 'MSA');
    const codes = [...bouquets.values()].filter(({ siteId }) => siteId === msa?.id);
    expect(codes.map(({ code }) => code).sort()).toEqual(['ESSENTIAL', 'PREMIUM']);
    const billers = await world.rows(
      `SELECT s.code, l.code AS entity FROM site_legal_entity x JOIN site s ON s.id = x.site_id
         JOIN legal_entity l ON l.id = x.legal_entity_id ORDER BY s.code`,
    );
    expect(billers).toEqual([
      { code: 'ABJ', entity: 'DEMO_CI' },
      { code: 'MSA', entity: 'DEMO_KE' },
      { code: 'NBO', entity: 'DEMO_KE' },
    ]);
  });
});
