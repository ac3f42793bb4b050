/** Moves the demo operator's customers in, and lets them live through what the file tells. */
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { z } from 'zod';
import { onSale, type Site } from '../../src/billing/catalogue/rules.ts';
import { systemAccounts } from '../../src/billing/catalogue/service.ts';
import { accountKey } from '../../src/billing/ledger/chart.ts';
import { ensureAccounts } from '../../src/billing/ledger/store.ts';
import type { Command } from '../../src/billing/settlement/commands.ts';
import { createSettlement, type Settlement } from '../../src/billing/settlement/service.ts';
import { openCustomer } from '../../src/billing/subscriptions/service.ts';
import { rightsFor } from '../../src/entitlement/rights/rules.ts';
import { silentLogger } from '../../src/platform/log.ts';
import { withLuhnDigit } from '../../src/platform/luhn.ts';
import { parseAmount } from '../../src/platform/money/amount.ts';
import type { Clock } from '../../src/platform/ports.ts';
import type { ProductParts } from '../../src/product.ts';
import { createPublisher, type PublisherDeps } from '../../src/publish-catalogue.ts';
import type { Details } from '../../src/registry/details.ts';
import { hashPin } from '../../src/registry/resellers.ts';

const term = z.enum(['day', 'week', 'month']);
const peopleFile = z.strictObject({
  customers: z.array(
    z.strictObject({
      site: z.string(),
      name: z.string(),
      msisdn: z.string().nullable(),
      note: z.string(),
      home: z.strictObject({
        billing: z.string(),
        installation: z.string(),
        /** Degrees north and east. */
        place: z.tuple([z.string(), z.string()]),
        landline: z.string().optional(),
        email: z.string().optional(),
      }),
      cards: z.array(
        z.strictObject({
          number: z.string(),
          bouquet: z.string(),
          term: term.default('month'),
          autoRenew: z.boolean().default(false),
        }),
      ),
      history: z
        .array(
          z.strictObject({
            daysAgo: z.int(),
            pay: z.string().optional(),
            units: z.int().optional(),
            /** Which of the customer's cards, from 1. */
            card: z.int().default(1),
          }),
        )
        .default([]),
    }),
  ),
  resellers: z.array(
    z.strictObject({ site: z.string(), name: z.string(), msisdn: z.string(), units: z.int() }),
  ),
  events: z.array(
    z.strictObject({
      site: z.string(),
      code: z.string(),
      title: z.string(),
      product: z.string().startsWith('EVT:'),
      price: z.string(),
      taxPercent: z.string(),
    }),
  ),
});

type People = z.infer<typeof peopleFile>;
type Customer = People['customers'][number];

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const RESELLER_PIN = '4711';
const MOBILE_MONEY_PIN = '1234';
const EVENT_STARTS_MS = 2 * HOUR_MS;
const EVENT_ENDS_MS = 12 * HOUR_MS;

const demoText = (name: string): string =>
  readFileSync(new URL(`../../prisma/demo/${name}`, import.meta.url), 'utf8');

const readPeople = (): People => peopleFile.parse(parse(demoText('people.yaml')));

/** The demo operator's catalogue as its file says it. */
export const demoCatalogue = (): string => demoText('catalogue.yaml');

/** Publishes the demo operator's catalogue; one that is in force stays. */
export async function loadDemoOperator(
  deps: PublisherDeps,
  text: string = demoCatalogue(),
): Promise<void> {
  const demo = { text, by: 'demo', note: 'the demo operator', allowPast: true };
  const published = await createPublisher(deps).publish(demo);
  if (!published.ok) throw new Error(`The demo's catalogue: ${JSON.stringify(published)}`);
}

/** The phones a tester can take, with what is special about each. */
export function demoPhones() {
  const { customers, resellers } = readPeople();
  const pin = MOBILE_MONEY_PIN;
  return [
    ...customers
      .filter((customer) => customer.msisdn !== null)
      .map(({ site, msisdn, name, note, cards }) => ({
        site,
        msisdn,
        name: name.toUpperCase(),
        cards: cards.map((card) => withLuhnDigit(card.number)),
        pin,
        note,
      })),
    ...resellers.map(({ site, msisdn, name }) => ({
      site,
      msisdn,
      name: name.toUpperCase(),
      cards: [],
      pin,
      note: `reseller of TV units, PIN ${RESELLER_PIN}`,
    })),
    {
      site: 'NBO',
      msisdn: '+254799000999',
      name: '',
      cards: [],
      pin,
      note: 'unknown to the operator',
    },
  ];
}

/** Adds who is not there yet, and sees to it that an event is on sale. */
export async function addPeople(product: ProductParts, clock: Clock): Promise<void> {
  const people = readPeople();
  const sites = new Map<string, Site>();
  for (const site of product.billing.catalogue.current().sites.values()) sites.set(site.code, site);
  const siteOf = (code: string): Site => {
    const site = sites.get(code);
    if (!site) throw new Error(`No site ${code}`);
    return site;
  };
  const past = await openPast(product);
  for (const customer of people.customers) {
    await addCustomer({ ...product, past, clock }, siteOf(customer.site), customer);
  }
  for (const reseller of people.resellers) {
    await addReseller({ ...product, past, clock }, siteOf(reseller.site), reseller);
  }
  await past.close();
  for (const event of people.events) await addEvent(product, siteOf(event.site), event, clock);
  await product.billing.catalogue.reload();
}

/** Settlement as always, but nobody is told: what it settles is long ago. */
async function openPast({ pool, ids, billing, channels }: ProductParts): Promise<Settlement> {
  const catalogue = billing.catalogue.current();
  const money = channels.all
    .filter((channel) => channel.kind === 'money' || channel.kind === 'tvu')
    .map(({ id, site }) => {
      const found = [...catalogue.sites.values()].find(({ code }) => code === site);
      return { id, siteId: found?.id ?? 0n };
    });
  const accounts = await ensureAccounts(pool, ids, systemAccounts(catalogue, money));
  return createSettlement({
    pool,
    ids,
    catalogue: () => catalogue,
    accounts: () => accounts,
    ports: { rightsFor, messagesFor: () => null },
    logger: silentLogger,
    monotonicMs: () => performance.now(),
  });
}

const MONEY_CHANNELS: Readonly<Record<string, string>> = { NBO: 'ke-paybill', ABJ: 'ci-tvu' };
const TVU_CHANNELS: Readonly<Record<string, string>> = { NBO: 'ke-tvu', ABJ: 'ci-tvu' };

type Moving = ProductParts & { past: Settlement; clock: Clock };

async function addCustomer(moving: Moving, site: Site, customer: Customer): Promise<void> {
  const { pool, ids, billing, past, clock } = moving;
  const numbers = customer.cards.map((card) => withLuhnDigit(card.number));
  const known = await pool.query('SELECT 1 FROM card WHERE number = ANY($1)', [numbers]);
  if (known.rowCount) return;
  const bouquets = [...billing.catalogue.current().bouquets.values()];
  const now = clock.now().getTime();
  await openCustomer(pool, ids, {
    site,
    fullName: customer.name,
    msisdn: customer.msisdn,
    language: site.language,
    details: detailsOf(customer),
    at: new Date(now - 200 * DAY_MS),
    cards: customer.cards.map((card, index) => {
      const found = bouquets.find((b) => b.code === card.bouquet && b.siteId === site.id);
      if (!found) throw new Error(`No bouquet ${card.bouquet} at ${site.code}`);
      const { term: ownTerm, autoRenew } = card;
      return { number: numbers[index] ?? '', bouquetId: found.id, term: ownTerm, autoRenew };
    }),
  });
  for (const [index, lived] of customer.history.entries()) {
    const base = {
      provider: 'demo',
      receipt: `${numbers[0]}-${index}`,
      siteId: site.id,
      at: new Date(now - lived.daysAgo * DAY_MS),
      raw: Buffer.from('demo'),
    };
    if (lived.units !== undefined && customer.msisdn) {
      await mustSettle(past, {
        ...base,
        kind: 'tvu_notice',
        channelId: TVU_CHANNELS[site.code] ?? '',
        msisdn: customer.msisdn,
        units: BigInt(lived.units),
      });
    }
    if (lived.pay !== undefined) {
      const paid = parseAmount(lived.pay, site.currency);
      await mustSettle(past, {
        ...base,
        kind: 'payment',
        channelId: MONEY_CHANNELS[site.code] ?? '',
        amount: paid.ok ? paid.minor : 0n,
        asset: site.currency,
        accountRef: numbers[lived.card - 1] ?? null,
        payerMsisdn: customer.msisdn,
        payerHash: null,
        orderId: null,
      });
    }
  }
  await raiseNow(moving, numbers);
}

function detailsOf({ home }: Customer): Details {
  const { billing, installation, place, landline = null, email = null } = home;
  const [latitude, longitude] = place;
  const position = { latitude, longitude };
  return {
    ...{ billingAddress: billing, installationAddress: installation },
    ...{ position, landline, email },
  };
}

/** What was lived through long ago goes on air now: nobody waited for it all the time. */
async function raiseNow({ pool, clock }: Moving, numbers: readonly string[]): Promise<void> {
  await pool.query(
    `UPDATE card_rights r SET raised_at = $1 FROM card c
      WHERE c.id = r.card_id AND c.number = ANY($2) AND r.raised_at IS NOT NULL`,
    [clock.now(), numbers],
  );
}

async function mustSettle(past: Settlement, command: Command): Promise<void> {
  const outcome = await past.settle(command);
  if (outcome.kind !== 'done' || outcome.settled.state !== 'settled') {
    throw new Error(`The demo's past did not settle: ${JSON.stringify(outcome)}`);
  }
}

async function addReseller(
  { pool, ids, past, clock }: Moving,
  site: Site,
  reseller: People['resellers'][number],
): Promise<void> {
  const known = await pool.query('SELECT 1 FROM reseller WHERE msisdn = $1', [reseller.msisdn]);
  if (known.rowCount) return;
  const id = await ids.take();
  const wallet = { owner: `reseller:${id}`, kind: 'tvu_wallet', asset: site.tvuAsset } as const;
  const accounts = await ensureAccounts(pool, ids, [wallet]);
  await pool.query(
    `INSERT INTO reseller (id, site_id, name, msisdn, pin_hash, tvu_wallet_id)
     VALUES ($1, $2, $3, $4, $5, $6)`,
    [
      id,
      site.id,
      reseller.name,
      reseller.msisdn,
      await hashPin(RESELLER_PIN),
      accounts.get(accountKey(wallet)),
    ],
  );
  await mustSettle(past, {
    kind: 'tvu_notice',
    provider: 'demo',
    receipt: `float-${reseller.msisdn}`,
    channelId: TVU_CHANNELS[site.code] ?? '',
    siteId: site.id,
    at: clock.now(),
    raw: Buffer.from('demo'),
    msisdn: reseller.msisdn,
    units: BigInt(reseller.units),
  });
}

/** An event of this title that is still on sale, or a new one under a fresh code. */
async function addEvent(
  { prisma, ids, billing }: ProductParts,
  site: Site,
  event: People['events'][number],
  clock: Clock,
): Promise<void> {
  const now = clock.now();
  const existing = [...billing.catalogue.current().events.values()].filter(
    ({ siteId, code }) => siteId === site.id && code.startsWith(event.code),
  );
  if (existing.some((known) => onSale(known, now))) return;
  const serial = existing.length === 0 ? '' : String(existing.length + 1);
  const price = parseAmount(event.price, site.currency);
  const endsAt = new Date(now.getTime() + EVENT_ENDS_MS);
  await prisma.event.create({
    data: {
      id: await ids.take(),
      siteId: site.id,
      code: `${event.code}${serial}`,
      title: event.title,
      product: `${event.product}${serial}`,
      startsAt: new Date(now.getTime() + EVENT_STARTS_MS),
      endsAt,
      saleFrom: now,
      saleUntil: endsAt,
      price: price.ok ? price.minor : 0n,
      taxPercent: event.taxPercent,
    },
  });
}
