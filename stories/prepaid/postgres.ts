/**
 * An operator over Postgres for prepaid stories: the tables, the catalogue read from them, and the
 * settlement as the product opens it. Each case has a database of its own.
 */
import type { Pool } from 'pg';
import { type Catalogue, rulesOf } from '../../src/billing/catalogue/rules.ts';
import { systemAccounts } from '../../src/billing/catalogue/service.ts';
import { checkBooks, checkPrepaid } from '../../src/billing/ledger/check.ts';
import { ensureAccounts } from '../../src/billing/ledger/store.ts';
import { dueCommand } from '../../src/billing/settlement/due.ts';
import { listDue } from '../../src/billing/settlement/due-list.ts';
import { earnTerms } from '../../src/billing/settlement/earned.ts';
import type { SettlementPorts } from '../../src/billing/settlement/facts.ts';
import { lastRun, stateAt } from '../../src/billing/settlement/lines.ts';
import { readLines } from '../../src/billing/settlement/load-lines.ts';
import { createSettlement, type Settlement } from '../../src/billing/settlement/service.ts';
import { voucherHasher } from '../../src/billing/settlement/voucher-codes.ts';
import { openCustomer, openSubscription } from '../../src/billing/subscriptions/service.ts';
import { rightsFor } from '../../src/entitlement/rights/rules.ts';
import { createIds } from '../../src/platform/database/ids.ts';
import { createPool } from '../../src/platform/database/pool.ts';
import { silentLogger } from '../../src/platform/log.ts';
import type { Ids } from '../../src/platform/ports.ts';
import { createTestDatabase } from '../../src/platform/test-database.ts';
import { channelOf, type HouseSetup, type PrepaidHouse, type Said, type Wallet } from './house.ts';
import { writeSetup } from './postgres-setup.ts';

/** Tests have no secrets. */
const hashOf = voucherHasher('stories');
/** More than this due at one go is a rule that makes its own work. */
const DUE_MAX = 10_000;

/** What the house stands on. */
export interface PostgresHouse extends PrepaidHouse {
  pool: Pool;
  ids: Ids;
  settlement: Settlement;
  /** Earns what is earned of lines before the date of an instant; returns how many journals. */
  earn(at: Date, over?: Pool): Promise<number>;
  /** Another door on the same tables, as of another process; close it before the house. */
  openDoor(pool?: Pool): Settlement;
}

interface Parts {
  pool: Pool;
  ids: Ids;
  catalogue: Catalogue;
  settlement: Settlement;
  said: Said[];
  /** By account and by ref. */
  subscribers: Map<string, bigint>;
  subscriptions: Map<string, bigint>;
}

/** Opens the operator of a case; nobody is known yet. */
export async function openPostgresHouse(setup: HouseSetup): Promise<PostgresHouse> {
  const database = await createTestDatabase();
  const url = database.appUrl;
  const pool = createPool({ url, max: 6, name: 'stories', logger: silentLogger });
  const ids = createIds(pool);
  await writeSetup(pool, ids, setup, hashOf);
  const { catalogue } = setup;
  const channels = [...catalogue.sites.keys()].map((siteId) => ({ id: channelOf(siteId), siteId }));
  const accounts = await ensureAccounts(pool, ids, systemAccounts(catalogue, channels));
  const said: Said[] = [];
  const openDoor = (over: Pool = pool): Settlement =>
    createSettlement({
      pool: over,
      ids,
      catalogue: () => catalogue,
      accounts: () => accounts,
      ports: { rightsFor, messagesFor: noteIn(said) },
      logger: silentLogger,
      voucherHash: hashOf,
      monotonicMs: () => performance.now(),
    });
  const settlement = openDoor();
  const subscribers = new Map<string, bigint>();
  const subscriptions = new Map<string, bigint>();
  const parts: Parts = { pool, ids, catalogue, settlement, said, subscribers, subscriptions };
  return {
    pool,
    ids,
    settlement,
    openDoor,
    ...openings(parts),
    ...acts(parts),
    ...earningsOf(parts),
    ...lookups(parts),
    ...readings(parts),
    ...booksOf(parts),
    async close() {
      await settlement.close();
      await pool.end();
      await database.drop();
    },
  };
}

const noteIn =
  (said: Said[]): SettlementPorts['messagesFor'] =>
  ({ to, message }) => {
    said.push({ to: to.kind === 'osd' ? to.cardNumber : to.msisdn, message });
    return null;
  };

const idOf = (known: ReadonlyMap<string, bigint>, name: string): bigint => {
  const id = known.get(name);
  if (id === undefined) throw new Error(`Nobody is called ${name}`);
  return id;
};

type Openings = Pick<PrepaidHouse, 'openAccount' | 'openSubscription'>;

const openings = ({ pool, ids, catalogue, subscribers, subscriptions }: Parts): Openings => ({
  async openAccount({ name, siteId, msisdn, at }) {
    const site = catalogue.sites.get(siteId);
    if (!site) throw new Error(`No site ${siteId}`);
    const { language } = site;
    const customer = { site, fullName: name, msisdn, language, cards: [], at };
    subscribers.set(name, await openCustomer(pool, ids, customer));
  },
  async openSubscription({ ref, account, main, ...given }) {
    const subscriberId = idOf(subscribers, account);
    const siteId = catalogue.bouquets.get(given.bouquetId)?.siteId ?? 0n;
    const mainCardId = main === null ? null : await cardIdOf(pool, idOf(subscriptions, main));
    const opened = { ...given, subscriberId, siteId, mainCardId, transfer: true };
    const productsOf = (id: bigint) => catalogue.bouquets.get(id)?.products ?? [];
    const made = await openSubscription({ pool, ids, productsOf }, opened);
    if (!made.ok) throw new Error(`Card ${given.cardNumber} is taken`);
    subscriptions.set(ref, made.id);
  },
});

async function cardIdOf(pool: Pool, subscriptionId: bigint): Promise<bigint | null> {
  const { rows } = await pool.query('SELECT card_id FROM subscription WHERE id = $1', [
    subscriptionId,
  ]);
  return rows[0]?.card_id ?? null;
}

const acts = (parts: Parts): Pick<PrepaidHouse, 'settle' | 'preview' | 'due'> => ({
  async settle(command) {
    const outcome = await parts.settlement.settle(command);
    if (outcome.kind === 'done') return { settled: outcome.settled, differs: false };
    if (outcome.kind === 'receipt_differs') return { settled: outcome.settled, differs: true };
    throw new Error(`${command.kind} is ${outcome.kind}: ${await whyParked(parts.pool)}`);
  },
  async preview(command) {
    const outcome = await parts.settlement.preview(command);
    if (outcome.kind === 'decided') return outcome.preview;
    throw new Error(`A preview of ${command.kind} is ${outcome.kind}`);
  },
  async due(until) {
    const tried = new Set<string>();
    for (let done = 0; done < DUE_MAX; done++) {
      const due = await listDue(parts.pool, until);
      const next = due.find((one) => !tried.has(dueCommand(one).receipt));
      // Whenever something may be due, the days before are earned.
      if (!next) return void (await earningsOf(parts).earn(until));
      tried.add(dueCommand(next).receipt);
      const outcome = await parts.settlement.settle(dueCommand(next));
      if (outcome.kind === 'parked')
        throw new Error(`${next.kind}: ${await whyParked(parts.pool)}`);
    }
    throw new Error('What is due never ends');
  },
});

/** What the lines of the house have earned; each of its sites by its own calendar. */
const earningsOf = (parts: Parts): Pick<PostgresHouse, 'earn' | 'deferred'> => ({
  earn(at, over = parts.pool) {
    const tools = { pool: over, ids: parts.ids, clock: { now: () => at }, logger: silentLogger };
    return earnTerms(tools, parts.catalogue.sites.values());
  },
  async deferred(at) {
    await this.earn(at);
    const { rows } = await parts.pool.query(
      `SELECT e.asset, sum(e.amount)::bigint AS amount
         FROM entry e JOIN account a ON a.id = e.account_id AND a.kind = 'deferred_revenue'
        GROUP BY e.asset`,
    );
    return new Map(rows.map((row) => [row.asset, row.amount]));
  },
});

async function whyParked(pool: Pool): Promise<string> {
  const { rows } = await pool.query('SELECT error FROM inbox ORDER BY id DESC LIMIT 1');
  return rows[0]?.error ?? 'nothing was kept';
}

type Lookups = Pick<PrepaidHouse, 'subscriberId' | 'cardOf' | 'cardNumbered' | 'purchaseId'>;

function lookups({ pool, subscribers, subscriptions }: Parts): Lookups {
  const known = (row: { id: bigint; subscriber_id: bigint } | undefined) => {
    if (!row) return null;
    const owner = [...subscribers].find(([, id]) => id === row.subscriber_id);
    return { id: row.id, account: owner?.[0] ?? '' };
  };
  return {
    async subscriberId(account) {
      return subscribers.get(account) ?? null;
    },
    async cardOf(ref) {
      const { rows } = await pool.query(
        `SELECT c.id, c.subscriber_id FROM card c JOIN subscription s ON s.card_id = c.id
          WHERE s.id = $1`,
        [subscriptions.get(ref) ?? 0n],
      );
      return known(rows[0]);
    },
    async cardNumbered(number) {
      const sql = 'SELECT id, subscriber_id FROM card WHERE number = $1';
      return known((await pool.query(sql, [number])).rows[0]);
    },
    async purchaseId(cardNumber, eventCode) {
      const { rows } = await pool.query(
        `SELECT p.id FROM event_purchase p JOIN card c ON c.id = p.card_id
           JOIN event e ON e.id = p.event_id
          WHERE c.number = $1 AND e.code = $2`,
        [cardNumber, eventCode],
      );
      return rows[0]?.id ?? null;
    },
  };
}

type Readings = Pick<
  PrepaidHouse,
  'term' | 'lines' | 'state' | 'rights' | 'wallet' | 'units' | 'said'
>;

function readings(parts: Parts): Readings {
  const { pool, catalogue, subscriptions, said } = parts;
  const linesOf = (ref: string) => readLines(pool, [subscriptions.get(ref) ?? 0n]);
  return {
    lines: linesOf,
    async term(ref) {
      return lastRun(await linesOf(ref));
    },
    async state(ref, at) {
      const { rows } = await pool.query(
        `SELECT s.pause_until, b.site_id FROM subscription s JOIN bouquet b ON b.id = s.bouquet_id
          WHERE s.id = $1`,
        [subscriptions.get(ref) ?? 0n],
      );
      const site = catalogue.sites.get(rows[0]?.site_id ?? 0n);
      const graceHours = site ? rulesOf(site).grace.hours : 0;
      const isPaused = Boolean(rows[0]?.pause_until);
      return stateAt({ lines: await linesOf(ref), isPaused, graceHours }, at);
    },
    async rights(cardNumber, at) {
      const { rows } = await pool.query(
        `SELECT r->>'product' AS product, (r->>'from')::timestamptz AS from,
                (r->>'to')::timestamptz AS to
           FROM card c JOIN card_rights k ON k.card_id = c.id
          CROSS JOIN LATERAL jsonb_array_elements(k.desired) WITH ORDINALITY AS d (r, n)
          WHERE c.number = $1 ORDER BY n`,
        [cardNumber],
      );
      return rows.filter((right) => right.to.getTime() > at.getTime());
    },
    ...wallets(parts),
    async said() {
      return said;
    },
  };
}

const wallets = ({ pool, subscribers }: Parts): Pick<PrepaidHouse, 'wallet' | 'units'> => ({
  async wallet(account): Promise<Wallet> {
    const { rows } = await pool.query(
      `SELECT coalesce(sum(b.amount) FILTER (WHERE a.kind = 'wallet_paid'), 0)::bigint AS paid,
              coalesce(sum(b.amount) FILTER (WHERE a.kind = 'wallet_promo'), 0)::bigint AS promo,
              coalesce(sum(b.amount) FILTER (WHERE a.kind = 'held'), 0)::bigint AS held,
              (SELECT coalesce(sum(remaining), 0)::bigint FROM debt
                WHERE subscriber_id = $1) AS owed
         FROM account a JOIN balance b ON b.account_id = a.id
        WHERE a.owner = 'subscriber:' || $1::bigint`,
      [idOf(subscribers, account)],
    );
    return rows[0];
  },
  async units(account) {
    const { rows } = await pool.query(
      `SELECT a.asset, b.amount FROM account a JOIN balance b ON b.account_id = a.id
        WHERE a.owner = 'subscriber:' || $1::bigint AND a.kind = 'tvu_wallet'`,
      [idOf(subscribers, account)],
    );
    return new Map(rows.map((row) => [row.asset, row.amount]));
  },
});

type Books = Pick<PrepaidHouse, 'journal' | 'faults' | 'suspense' | 'promotionBudget'>;

/** What need not be sound in a story: nothing is on the air there. */
const NOT_BOOKS: ReadonlySet<string> = new Set(['unacknowledgedCards']);

const booksOf = ({ pool }: Parts): Books => ({
  async journal() {
    const { rows } = await pool.query(
      `SELECT e.asset, a.kind, sum(e.amount)::bigint AS amount
         FROM entry e JOIN account a ON a.id = e.account_id
        GROUP BY e.asset, a.kind HAVING sum(e.amount) <> 0`,
    );
    const sums = new Map<string, Map<string, bigint>>();
    for (const { asset, kind, amount } of rows) {
      sums.set(asset, (sums.get(asset) ?? new Map<string, bigint>()).set(kind, amount));
    }
    return sums;
  },
  async faults() {
    const check = { ...(await checkBooks(pool)), ...(await checkPrepaid(pool)) };
    return Object.entries(check).flatMap(([name, n]) =>
      n === 0 || NOT_BOOKS.has(name) ? [] : [`${name}: ${n}`],
    );
  },
  async suspense(currency) {
    const { rows } = await pool.query(
      `SELECT coalesce(sum(amount), 0)::bigint AS amount FROM suspense_item
        WHERE state = 'open' AND asset = $1`,
      [currency],
    );
    return rows[0].amount;
  },
  async promotionBudget(code) {
    const { rows } = await pool.query('SELECT budget_left FROM promotion WHERE code = $1', [code]);
    if (!rows[0]) throw new Error(`No promotion ${code}`);
    return rows[0].budget_left;
  },
});
