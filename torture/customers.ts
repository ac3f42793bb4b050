/** Customers for the rounds, opened beside the demo's own through the product's own act. */
import { priceAt } from '../src/billing/catalogue/rules.ts';
import { createCatalogue } from '../src/billing/catalogue/service.ts';
import { openCustomer } from '../src/billing/subscriptions/service.ts';
import { createIds } from '../src/platform/database/ids.ts';
import { createPool } from '../src/platform/database/pool.ts';
import { createPrisma } from '../src/platform/database/prisma.ts';
import { silentLogger } from '../src/platform/log.ts';
import { withLuhnDigit } from '../src/platform/luhn.ts';
import { systemClock } from '../src/platform/system.ts';

export interface Customer {
  subscriberId: bigint;
  /** The one card, 11 digits. */
  card: string;
  /** E.164. */
  msisdn: string;
  /** Price of the card's own term, minor units of KES. */
  termPrice: bigint;
  /** What the card's bouquet shows, by our names. */
  products: readonly string[];
}

const SITE = 'NBO';
const BOUQUETS = ['ESSENTIAL', 'PREMIUM'] as const;
/** Mostly months, as in life. */
const TERMS = ['month', 'month', 'week', 'day'] as const;

/** Opens `count` subscribers of one card each in Nairobi, with a phone and no money yet. */
export async function addCustomers(databaseUrl: string, count: number): Promise<Customer[]> {
  const options = { url: databaseUrl, max: 2, logger: silentLogger };
  const pool = createPool({ ...options, name: 'torture-customers' });
  const prisma = createPrisma(options);
  try {
    const catalogue = (await createCatalogue(prisma, systemClock)).current();
    const site = [...catalogue.sites.values()].find(({ code }) => code === SITE);
    if (!site) throw new Error(`no site ${SITE}`);
    const bouquets = [...catalogue.bouquets.values()].filter(({ siteId }) => siteId === site.id);
    const ids = createIds(pool);
    const at = new Date();
    const customers: Customer[] = [];
    for (let n = 0; n < count; n += 1) {
      const bouquet = bouquets.find(({ code }) => code === BOUQUETS[n % BOUQUETS.length]);
      const term = TERMS[Math.floor(n / BOUQUETS.length) % TERMS.length] ?? 'month';
      if (!bouquet) throw new Error(`no bouquet at ${SITE}`);
      const serial = String(n).padStart(6, '0');
      const card = withLuhnDigit(`4031${serial}`);
      const msisdn = `+254711${serial}`;
      const subscriberId = await openCustomer(pool, ids, {
        site,
        fullName: `Customer ${serial}`,
        msisdn,
        language: site.language,
        cards: [{ number: card, bouquetId: bouquet.id, term, autoRenew: false }],
        at,
      });
      const termPrice = priceAt(bouquet, term, at) ?? 0n;
      customers.push({ subscriberId, card, msisdn, termPrice, products: bouquet.products });
    }
    return customers;
  } finally {
    await prisma.$disconnect();
    await pool.end();
  }
}
