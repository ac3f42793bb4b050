import { readFileSync } from 'node:fs';
import type { Pool } from 'pg';
import { stringify } from 'yaml';
import { createIds } from '../../platform/database/ids.ts';
import { createPool } from '../../platform/database/pool.ts';
import { createPrisma, type Prisma } from '../../platform/database/prisma.ts';
import { silentLogger } from '../../platform/log.ts';
import { createTestDatabase, type TestDatabase } from '../../platform/test-database.ts';
import { loadOperator, type OperatorFile, readOperatorFile } from './operator-file.ts';
import { priceAt } from './rules.ts';
import { createCatalogue } from './service.ts';

const DEMO = readFileSync('prisma/demo/operator.yaml', 'utf8');

/** The demo operator as read; each call is a copy of its own. */
function demo(): OperatorFile {
  const read = readOperatorFile(DEMO);
  if (!read.ok) throw new Error(read.faults.join('; '));
  return read.file;
}

describe('an operator file', () => {
  const faultsAfter = (change: (site: OperatorFile['sites'][number]) => void): string[] => {
    const file = demo();
    const [site] = file.sites;
    if (site) change(site);
    const read = readOperatorFile(stringify(file));
    return read.ok ? [] : read.faults;
  };

  it('of the demo is sound', () => {
    expect(faultsAfter(() => undefined)).toEqual([]);
  });

  it.each<[string, (site: OperatorFile['sites'][number]) => unknown]>([
    ['sites.0.timeZone', (site) => Object.assign(site, { timeZone: 'Africa/Atlantis' })],
    ['sites.0.currency', (site) => Object.assign(site, { currency: 'KSH' })],
    ['sites.0.country', (site) => Object.assign(site, { country: 'Kenya' })],
    ['sites.0.language', (site) => Object.assign(site, { language: 'sw' })],
    ['sites.0.payment.under', (site) => Object.assign(site.payment, { under: 'loan' })],
    ['sites.0.tvu.price', (site) => Object.assign(site.tvu, { price: '0' })],
    ['sites.0.tvu.valueUnits', (site) => Object.assign(site.tvu, { valueUnits: 0 })],
    ['sites.0.bouquets', (site) => Object.assign(site, { bouquets: [] })],
    [
      'sites.0.bouquets.1.prices.0.week',
      (site) => Object.assign(site.bouquets[1]?.prices[0] ?? {}, { week: '200.005' }),
    ],
    [
      'sites.0.bouquets.0.prices.0.from',
      (site) => Object.assign(site.bouquets[0]?.prices[0] ?? {}, { from: '1 January' }),
    ],
    [
      'sites.0.bouquets.0.prices.0.month',
      (site) => Object.assign(site.bouquets[0]?.prices[0] ?? {}, { month: 650 }),
    ],
    ['sites.0.bouquets.0.channels', (site) => site.bouquets[0]?.channels.push('NEWS9')],
    // Pay-per-view has these names to itself.
    ['sites.0.bouquets.0.products.1', (site) => site.bouquets[0]?.products.push('EVT:FINAL')],
    [
      'sites.0.bouquets.1.code',
      (site) => Object.assign(site.bouquets[1] ?? {}, { code: 'ESSENTIAL' }),
    ],
  ])('with a fault at %s is refused and says where', (place, change) => {
    const faults = faultsAfter(change);
    expect(faults).toHaveLength(1);
    expect(faults[0]).toMatch(new RegExp(`^${place.replaceAll('.', '\\.')}: .`));
  });

  it('names an amount that its currency cannot have', () => {
    const file = demo();
    Object.assign(file.sites[1]?.tvu ?? {}, { price: '10.5' });
    const read = readOperatorFile(stringify(file));
    expect(read).toEqual({ ok: false, faults: ['sites.1.tvu.price: 10.5 is no price in XOF'] });
  });

  it('tells all faults at once, and unknown names among them', () => {
    const read = readOperatorFile(
      DEMO.replace('country: KE', 'country: K').replace('timeZone:', 'timezone:'),
    );
    expect(read.ok ? [] : read.faults.map((fault) => fault.split(':')[0])).toEqual(
      expect.arrayContaining(['sites.0.country', 'sites.0.timeZone', 'sites.0']),
    );
  });

  it('that is no YAML is refused with the line', () => {
    const read = readOperatorFile('channels: [\nsites: }');
    expect(read.ok ? '' : read.faults.join()).toMatch(/line \d/);
    expect(readOperatorFile('').ok).toBe(false);
  });
});

describe('loading an operator', () => {
  let database: TestDatabase;
  let pool: Pool;
  let prisma: Prisma;
  beforeAll(async () => {
    database = await createTestDatabase();
    pool = createPool({ url: database.appUrl, max: 2, name: 'operator', logger: silentLogger });
    prisma = createPrisma({ url: database.appUrl, max: 2, logger: silentLogger });
  });
  afterAll(async () => {
    await prisma.$disconnect();
    await pool.end();
    await database.drop();
  });

  const load = (file: OperatorFile) => loadOperator(prisma, createIds(pool), file);
  /** Everything that loading writes. */
  const all = async (): Promise<unknown> => {
    const tables = ['site', 'channel', 'bouquet', 'bouquet_channel', 'bouquet_product', 'price'];
    const rows: Record<string, unknown> = {};
    for (const table of [...tables, 'tvu_tariff']) {
      rows[table] = (await pool.query(`SELECT t.*::text AS row FROM ${table} t ORDER BY 1`)).rows;
    }
    return rows;
  };
  const essential = async () => {
    const catalogue = (await createCatalogue(prisma)).current();
    const found = [...catalogue.bouquets.values()].find(({ code }) => code === 'ESSENTIAL');
    if (!found) throw new Error('No ESSENTIAL');
    return found;
  };
  const at = (iso: string) => new Date(iso);

  it('writes what the file says, and a second time nothing', async () => {
    await load(demo());
    const before = await all();
    const catalogue = (await createCatalogue(prisma)).current();
    expect([...catalogue.sites.values()].map((site) => [site.code, site.tvuAsset])).toEqual(
      expect.arrayContaining([
        ['NBO', 'TVU-KE'],
        ['ABJ', 'TVU-CI'],
      ]),
    );
    expect(await essential()).toMatchObject({ taxPermyriad: 1_600n, products: ['ESS'] });
    await load(demo());
    expect(await all()).toEqual(before);
  });

  it('adds a new price as a version of its own, from its date on', async () => {
    const file = demo();
    file.sites[0]?.bouquets[0]?.prices.push({ from: '2027-01-01T00:00:00Z', month: '700.00' });
    await load(file);
    const bouquet = await essential();
    expect(priceAt(bouquet, 'month', at('2026-12-31T23:59:59Z'))).toBe(65_000n);
    expect(priceAt(bouquet, 'month', at('2027-01-01T00:00:00Z'))).toBe(70_000n);
    expect(priceAt(bouquet, 'week', at('2027-01-01T00:00:00Z'))).toBe(20_000n);
  });

  it('never changes a price that was there', async () => {
    const file = demo();
    Object.assign(file.sites[0]?.bouquets[0]?.prices[0] ?? {}, { month: '1.00' });
    await load(file);
    expect(priceAt(await essential(), 'month', at('2026-06-01T00:00:00Z'))).toBe(65_000n);
  });

  it('takes over a new name, policy and tax', async () => {
    const file = demo();
    Object.assign(file.sites[0] ?? {}, { name: 'Nairobi City' });
    Object.assign(file.sites[0]?.payment ?? {}, { over: 'whole_terms' });
    Object.assign(file.sites[0]?.bouquets[0] ?? {}, { taxPercent: '16.55' });
    await load(file);
    const catalogue = (await createCatalogue(prisma)).current();
    const site = [...catalogue.sites.values()].find(({ code }) => code === 'NBO');
    expect(site).toMatchObject({ name: 'Nairobi City', payment: { over: 'whole_terms' } });
    expect((await essential()).taxPermyriad).toBe(1_655n);
  });

  it('writes the rules of a site, promotions, and tariffs of units by operator', async () => {
    const file = demo();
    Object.assign(file.sites[0] ?? {}, {
      rules: {
        loan: { term: 'week', fee: '20.00', cap: '400.00' },
        tvu: { creditStep: '0.50', transfersPerDay: 3, leaveAtLeast: 1 },
        commission: { percent: '7.5', secondPaymentDays: 30 },
      },
      promotions: [
        {
          code: 'XMAS',
          bouquet: 'ESSENTIAL',
          term: 'month',
          bonusDays: 5,
          budget: '1000.00',
          from: '2026-12-01T00:00:00Z',
          to: '2027-01-01T00:00:00Z',
        },
      ],
    });
    file.units.push({
      country: 'KE',
      currency: 'KES',
      buy: [{ operator: 'mpesa', from: '2026-01-01T00:00:00Z', price: '0.40' }],
      credit: [{ from: '2026-01-01T00:00:00Z', units: 3, value: '1.00' }],
    });
    expect(readOperatorFile(JSON.stringify(file))).toMatchObject({ ok: true });
    await load(file);
    await load(file);
    const catalogue = (await createCatalogue(prisma)).current();
    const site = [...catalogue.sites.values()].find(({ code }) => code === 'NBO');
    expect(site?.rules).toEqual({
      loan: { term: 'week', fee: 2_000n, cap: 40_000n },
      tvu: { creditStep: 50n, transfersPerDay: 3, leaveAtLeast: 1n },
      commission: { percentPermyriad: 750n, secondPaymentDays: 30 },
    });
    const market = catalogue.units?.get('TVU-KE');
    expect(market?.buy.get('mpesa')).toEqual([{ from: at('2026-01-01T00:00:00Z'), amount: 40n }]);
    expect(market?.credit).toEqual([{ from: at('2026-01-01T00:00:00Z'), units: 3n, value: 100n }]);
    const { rows } = await pool.query('SELECT code, budget, budget_left FROM promotion');
    expect(rows).toEqual([{ code: 'XMAS', budget: 100_000n, budget_left: 100_000n }]);
  });
});
