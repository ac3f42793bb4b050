/** The people of a house: each story makes its own, so that no story sees another's money. */

import type { Site, TermName } from '../../../src/billing/catalogue/rules.ts';
import { accountKey } from '../../../src/billing/ledger/chart.ts';
import { ensureAccounts } from '../../../src/billing/ledger/store.ts';
import { openCustomer } from '../../../src/billing/subscriptions/service.ts';
import { withLuhnDigit } from '../../../src/platform/luhn.ts';
import type { Clock } from '../../../src/platform/ports.ts';
import type { Product } from '../../../src/product.ts';
import { hashPin } from '../../../src/registry/resellers.ts';

export type SiteCode = 'NBO' | 'ABJ';

export interface Customer {
  msisdn: string;
  /** Numbers of the cards, the first one also as `card`. */
  cards: string[];
  card: string;
}

export interface Town {
  customer(options?: {
    site?: SiteCode;
    name?: string;
    bouquet?: string;
    term?: TermName;
    cards?: number;
  }): Promise<Customer>;
  /** A phone that nobody has registered. */
  stranger(site?: SiteCode): string;
  /** A reseller with an empty float and PIN 4711. */
  reseller(site?: SiteCode): Promise<string>;
  /** A film or match on sale from now, starting in two hours and lasting two; its code. */
  event(site?: SiteCode): Promise<string>;
}

const HOUR_MS = 3_600_000;
export const RESELLER_PIN = '4711';

export function createTown(product: Product, clock: Clock): Town {
  const { pool, ids, billing } = product;
  let serial = 0;
  const msisdn = (code: SiteCode): string => {
    serial += 1;
    const tail = String(serial).padStart(5, '0');
    return code === 'NBO' ? `+2547110${tail}` : `+22507110${tail}`;
  };
  const siteOf = (code: SiteCode): Site => {
    const found = [...billing.catalogue.current().sites.values()].find((s) => s.code === code);
    if (!found) throw new Error(`No site ${code}`);
    return found;
  };
  return {
    stranger: (code = 'NBO') => msisdn(code),
    async customer({ site: code = 'NBO', name, bouquet, term = 'month', cards: count = 1 } = {}) {
      const site = siteOf(code);
      const wanted = bouquet ?? (code === 'NBO' ? 'ESSENTIAL' : 'ACCESS');
      const found = [...billing.catalogue.current().bouquets.values()].find(
        (b) => b.code === wanted && b.siteId === site.id,
      );
      if (!found) throw new Error(`No bouquet ${wanted}`);
      const phone = msisdn(code);
      const cards = Array.from({ length: count }, (_, index) =>
        withLuhnDigit(`4029${String(serial).padStart(4, '0')}${String(index).padStart(2, '0')}`),
      );
      await openCustomer(pool, ids, {
        site,
        fullName: name ?? `Customer ${serial}`,
        msisdn: phone,
        language: site.language,
        cards: cards.map((number) => ({ number, bouquetId: found.id, term, autoRenew: false })),
        at: clock.now(),
      });
      return { msisdn: phone, cards, card: cards[0] ?? '' };
    },
    async reseller(code = 'NBO') {
      const phone = msisdn(code);
      await addReseller(product, siteOf(code), phone);
      return phone;
    },
    async event(code = 'NBO') {
      serial += 1;
      const name = `FINAL${serial}`;
      await addEvent(product, siteOf(code), { code: name, now: clock.now().getTime() });
      return name;
    },
  };
}

async function addReseller({ pool, ids }: Product, site: Site, msisdn: string): Promise<void> {
  const id = await ids.take();
  const wallet = { owner: `reseller:${id}`, kind: 'tvu_wallet', asset: site.tvuAsset } as const;
  const accounts = await ensureAccounts(pool, ids, [wallet]);
  const pinHash = await hashPin(RESELLER_PIN);
  await pool.query(
    `INSERT INTO reseller (id, site_id, name, msisdn, pin_hash, tvu_wallet_id)
     VALUES ($1, $2, 'Duka la Mama', $3, $4, $5)`,
    [id, site.id, msisdn, pinHash, accounts.get(accountKey(wallet))],
  );
}

async function addEvent(
  { prisma, ids, billing }: Product,
  site: Site,
  { code, now }: { code: string; now: number },
): Promise<void> {
  const endsAt = new Date(now + 4 * HOUR_MS);
  await prisma.event.create({
    data: {
      id: await ids.take(),
      siteId: site.id,
      code,
      title: `Cup final ${code.replace('FINAL', '')}`,
      product: `EVT:${code}`,
      startsAt: new Date(now + 2 * HOUR_MS),
      endsAt,
      saleFrom: new Date(now),
      saleUntil: endsAt,
      price: 15_000n,
      taxPercent: '16',
    },
  });
  await billing.catalogue.reload();
}
