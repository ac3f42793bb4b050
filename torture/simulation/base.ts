/**
 * What every seed begins with: the demo's catalogue, customers without money and films on sale,
 * in a database that each seed gets a copy of.
 */
import { loadDemoOperator } from '../../simulators/demo/people.ts';
import type { Site } from '../../src/billing/catalogue/rules.ts';
import {
  type CatalogueService,
  createCatalogue,
  systemAccounts,
} from '../../src/billing/catalogue/service.ts';
import { ensureAccounts } from '../../src/billing/ledger/store.ts';
import { openCustomer } from '../../src/billing/subscriptions/service.ts';
import { createIds } from '../../src/platform/database/ids.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { createPrisma } from '../../src/platform/database/prisma.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { withLuhnDigit } from '../../src/platform/luhn.ts';
import { createMetrics, type Metrics } from '../../src/platform/metrics.ts';
import { createTestDatabase, type TestDatabase } from '../../src/platform/test-database.ts';
import {
  type Channels,
  type MoneyChannel,
  readChannels,
  type TvuChannel,
} from '../../src/telecom/channels.ts';

import { printScratchCards } from './scratch-cards.ts';

export interface Subscriber {
  id: bigint;
  cardId: bigint;
  /** The one card, 11 digits. */
  card: string;
  /** E.164. */
  msisdn: string;
  bouquet: string;
}

/** What is the same in every seed. */
export interface Base {
  database: TestDatabase;
  site: Site;
  catalogue: CatalogueService;
  accounts: ReadonlyMap<string, bigint>;
  channels: { all: Channels; money: MoneyChannel; tvu: TvuChannel };
  subscribers: readonly Subscriber[];
  /** Codes of scratch cards, each to be used once. */
  codes: readonly string[];
  /** Pay-per-view films on sale from the beginning, for `FILM_UNITS` each. */
  filmIds: readonly bigint[];
  metrics: Metrics;
}

/** What clocks show at the beginning of every seed. */
export const BEGAN_AT = new Date('2026-11-23T08:00:00Z');
/** In TV units of a shilling. */
export const FILM_UNITS = 150n;
const MINOR_PER_UNIT = 100n;
const SITE = 'NBO';
const SUBSCRIBERS = 10;
const TERMS = ['month', 'week', 'day'] as const;
const HOUR_MS = 3_600_000;

/** Makes it; one of a worker is enough. */
export async function createBase(): Promise<Base> {
  const database = await createTestDatabase();
  const pool = createPool({ url: database.appUrl, max: 2, name: 'base', logger: silentLogger });
  const prisma = createPrisma({ url: database.appUrl, max: 1, logger: silentLogger });
  try {
    const ids = createIds(pool);
    const clock = { now: () => BEGAN_AT };
    await loadDemoOperator({ pool, ids, clock });
    const found = await prisma.site.findFirstOrThrow({ where: { code: SITE } });
    const filmIds: bigint[] = [];
    for (const hours of FILM_HOURS) {
      const id = await ids.take();
      await prisma.event.create({ data: { id, siteId: found.id, ...filmOf(hours) } });
      filmIds.push(id);
    }
    const held = await createCatalogue(prisma, clock);
    const site = held.current().sites.get(found.id);
    if (!site) throw new Error(`no site ${SITE}`);
    const channels = openChannels();
    const accounts = await ensureAccounts(
      pool,
      ids,
      systemAccounts(
        held.current(),
        channels.all.all.map(({ id }) => ({ id, siteId: site.id })),
      ),
    );
    const subscribers: Subscriber[] = [];
    for (let n = 0; n < SUBSCRIBERS; n += 1) {
      subscribers.push(await openSubscriber({ pool, ids, site, catalogue: held }, n));
    }
    const [bouquet] = [...held.current().bouquets.values()].filter(
      (one) => one.siteId === site.id && one.code === 'ESSENTIAL',
    );
    if (!bouquet) throw new Error('no bouquet ESSENTIAL');
    const codes = await printScratchCards({ pool, ids, site, bouquet, at: BEGAN_AT });
    // Nobody publishes anything while the seeds run.
    const catalogue = { ...held, reload: async () => undefined };
    return {
      ...{ database, site, catalogue, accounts, channels, subscribers, filmIds, codes },
      metrics: createMetrics(),
    };
  } finally {
    await prisma.$disconnect();
    await pool.end();
  }
}

/** From the beginning until a film is over. */
const FILM_HOURS = [12, 60, 1_000];

const filmOf = (hours: number) => {
  const endsAt = new Date(BEGAN_AT.getTime() + hours * HOUR_MS);
  return {
    code: `FILM${hours}`,
    title: 'The Last Ferry',
    product: `EVT:FILM${hours}`,
    startsAt: new Date(BEGAN_AT.getTime() + HOUR_MS),
    endsAt,
    saleFrom: BEGAN_AT,
    saleUntil: endsAt,
    price: FILM_UNITS * MINOR_PER_UNIT,
    taxPercent: '16',
  };
};

interface Opening {
  pool: Parameters<typeof openCustomer>[0];
  ids: Parameters<typeof openCustomer>[1];
  site: Site;
  catalogue: CatalogueService;
}

/** Half of them renew by themselves; terms and bouquets take turns. */
async function openSubscriber(
  { pool, ids, site, catalogue }: Opening,
  n: number,
): Promise<Subscriber> {
  const code = n % 3 === 2 ? 'PREMIUM' : 'ESSENTIAL';
  const bouquet = [...catalogue.current().bouquets.values()].find(
    (one) => one.code === code && one.siteId === site.id,
  );
  if (!bouquet) throw new Error(`no bouquet ${code}`);
  const number = withLuhnDigit(`4031${String(n).padStart(6, '0')}`);
  const msisdn = `+254711${String(n).padStart(6, '0')}`;
  const term = TERMS[n % TERMS.length] ?? 'month';
  const id = await openCustomer(pool, ids, {
    ...{ site, msisdn, language: site.language, at: BEGAN_AT },
    fullName: `Subscriber ${n}`,
    cards: [{ number, bouquetId: bouquet.id, term, autoRenew: n % 2 === 0 }],
  });
  const { rows } = await pool.query('SELECT id FROM card WHERE number = $1', [number]);
  return { id, cardId: rows[0].id, card: number, msisdn, bouquet: code };
}

function openChannels(): Base['channels'] {
  const token = '0123456789abcdef'.repeat(2);
  const url = 'http://127.0.0.1:1';
  const read = readChannels({
    channels: [
      {
        ...{ id: 'ke-paybill', site: SITE, token, kind: 'money', provider: 'mpesa' },
        ...{ shortCode: '600100', consumerKey: 'key', consumerSecret: 'secret', passkey: 'pass' },
        ...{ baseUrl: url, publicUrl: url },
      },
      {
        ...{ id: 'ke-tvu', site: SITE, token, kind: 'tvu', provider: 'tvu-notice' },
        secret: `whsec_${Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')}`,
      },
    ],
  });
  if (!read.ok) throw new Error(read.faults.join('; '));
  const [money] = read.channels.ofKind('money');
  const [tvu] = read.channels.ofKind('tvu');
  if (!money || !tvu) throw new Error('two channels were written above');
  return { all: read.channels, money, tvu };
}
