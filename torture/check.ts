/**
 * After a round: do both sides' books agree to the unit, and does the head-end air what was paid
 * for? Every disagreement is one sentence; none is a sound house. Nothing here changes anything.
 */
import type { Pool } from 'pg';
import { checkBooks } from '../src/billing/ledger/check.ts';
import { balanceOf } from '../src/billing/ledger/store.ts';
import type { Customer } from './customers.ts';
import type { Conversions } from './dialler.ts';
import { TVU_CHANNEL } from './operator.ts';
import type { BookLine } from './plan.ts';
import { rightsFaults } from './rights.ts';

/** What the other side of the product knows. */
export interface Evidence {
  /** The operator's books. */
  lines: ReadonlyMap<string, BookLine>;
  customers: readonly Customer[];
  conversions: ReadonlyMap<string, Conversions>;
  /** The clearing accounts before the first round. */
  opening: Clearing;
  /** Where the head-end says what is on air. */
  vipControlUrl: string;
  /** Cards at the head-end that somebody there invented: they may show nothing. */
  strangers?: ReadonlySet<string>;
}

/** What we say the operator owes us, by channel, in minor units; negative as debits are. */
export interface Clearing {
  paybill: bigint;
  tvu: bigint;
}

/** What was looked at, in numbers; a sum of nothing would prove nothing. */
export interface Counts {
  receipts: number;
  credited: number;
  inSuspense: number;
  /** Minor units of KES. */
  moneyMinor: string;
  units: string;
  conversions: number;
  terms: number;
  journals: number;
  texts: number;
  screens: number;
  cardsOnAir: number;
}

export interface Inspection {
  faults: string[];
  counts: Counts;
}

const PAYBILL_CHANNEL = 'ke-paybill';
const PAYBILL_PROVIDER = 'mpesa';
/** Price of one unit at the demo's tariff in Kenya. */
const UNIT_PRICE_MINOR = 100n;

/** Compares everything. The house must be quiet: nothing waits, nothing is under way. */
export async function inspect(pool: Pool, evidence: Evidence): Promise<Inspection> {
  const postings = await readPostings(pool);
  const customers = await readCustomers(pool, evidence.customers);
  const rights = await rightsFaults(pool, evidence.vipControlUrl, evidence.strangers);
  const faults = [
    ...lineFaults(evidence, postings),
    ...(await clearingFaults(pool, evidence)),
    ...customerFaults(evidence, customers),
    ...(await keptFaults(pool)),
    ...rights.faults,
    ...(await invariantFaults(pool)),
  ];
  const { rows } = await pool.query(
    `SELECT (SELECT count(*) FROM journal)::int AS journals,
            (SELECT count(*) FROM term)::int AS terms`,
  );
  const sum = (kind: BookLine['kind']): string =>
    [...evidence.lines.values()]
      .reduce((total, line) => total + (line.kind === kind ? line.amount : 0n), 0n)
      .toString();
  const count = (state: string): number => postings.filter((p) => p.state === state).length;
  return {
    faults,
    counts: {
      receipts: evidence.lines.size,
      credited: count('settled'),
      inSuspense: count('suspense'),
      moneyMinor: sum('payment'),
      units: sum('tvu'),
      conversions: customers.reduce((total, { converted }) => total + converted, 0),
      terms: rows[0].terms,
      journals: rows[0].journals,
      texts: postings.reduce((total, { texts }) => total + texts, 0),
      screens: postings.reduce((total, { screens }) => total + screens, 0),
      cardsOnAir: rights.cards,
    },
  };
}

/** The clearing accounts of the two channels as of now. */
export async function readClearing(pool: Pool): Promise<Clearing> {
  const balance = async (channel: string): Promise<bigint> => {
    const { rows } = await pool.query(
      `SELECT id FROM account WHERE owner = $1 AND kind = 'provider_clearing' AND asset = 'KES'`,
      [`channel:${channel}`],
    );
    return rows[0] ? balanceOf(pool, rows[0].id) : 0n;
  };
  return { paybill: await balance(PAYBILL_CHANNEL), tvu: await balance(TVU_CHANNEL) };
}

/** One received message, and what became of it. */
interface Posting {
  provider: string;
  receipt: string;
  state: string;
  /** Entries into a wallet or into suspense: one. */
  credits: number;
  amount: bigint;
  /** `subscriber:<id>`, or `site:<id>` in suspense. */
  owner: string | null;
  texts: number;
  screens: number;
  /** Bought a term or days. */
  sold: boolean;
}

async function readPostings(pool: Pool): Promise<Posting[]> {
  const { rows } = await pool.query<Posting>(
    `WITH posted AS (
       SELECT j.inbox_id, count(*)::int AS credits, sum(e.amount)::bigint AS amount,
              min(a.owner) AS owner
         FROM journal j
         JOIN entry e ON e.journal_id = j.id
         JOIN account a ON a.id = e.account_id
          AND a.kind IN ('wallet_paid', 'tvu_wallet', 'suspense')
        WHERE j.kind IN ('payment', 'tvu_notice')
        GROUP BY j.inbox_id
     ), told AS (
       SELECT inbox_id, count(*) FILTER (WHERE kind = 'text')::int AS texts,
              count(*) FILTER (WHERE kind = 'osd')::int AS screens
         FROM outbound GROUP BY inbox_id
     ), sold AS (
       SELECT DISTINCT j.inbox_id FROM term t JOIN journal j ON j.id = t.journal_id
     )
     SELECT i.provider, i.receipt, i.state, coalesce(p.credits, 0) AS credits,
            coalesce(p.amount, 0) AS amount, p.owner, coalesce(t.texts, 0) AS texts,
            coalesce(t.screens, 0) AS screens, s.inbox_id IS NOT NULL AS sold
       FROM inbox i
       LEFT JOIN posted p ON p.inbox_id = i.id
       LEFT JOIN told t ON t.inbox_id = i.id
       LEFT JOIN sold s ON s.inbox_id = i.id
      WHERE i.provider = ANY($1)`,
    [[PAYBILL_PROVIDER, TVU_CHANNEL]],
  );
  return rows;
}

function lineFaults(evidence: Evidence, postings: readonly Posting[]): string[] {
  const owners = new Map(evidence.customers.map((one) => [one.card, one.subscriberId]));
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const posting of postings) {
    const { receipt } = posting;
    const line = evidence.lines.get(receipt);
    if (!line) faults.push(`receipt ${receipt}: in our books, not in the operator's`);
    else faults.push(...postingFaults(line, posting, owners));
    if (seen.has(receipt)) faults.push(`receipt ${receipt}: twice in our books`);
    seen.add(receipt);
  }
  for (const receipt of evidence.lines.keys()) {
    if (!seen.has(receipt)) faults.push(`receipt ${receipt}: moved at the operator, lost by us`);
  }
  return faults;
}

function postingFaults(
  line: BookLine,
  posting: Posting,
  owners: ReadonlyMap<string, bigint>,
): string[] {
  const faults: string[] = [];
  const expect = (what: string, is: unknown, should: unknown) => {
    if (is !== should) faults.push(`receipt ${line.receipt}: ${what} ${is}, expected ${should}`);
  };
  expect('provider', posting.provider, line.kind === 'tvu' ? TVU_CHANNEL : PAYBILL_PROVIDER);
  expect('state', posting.state, line.card ? 'settled' : 'suspense');
  expect('credited so many times:', posting.credits, 1);
  expect('amount', posting.amount, line.amount);
  if (line.card) expect('owner', posting.owner, `subscriber:${owners.get(line.card)}`);
  expect('texts', posting.texts, line.texts);
  expect('screen messages', posting.screens, posting.sold && line.kind === 'payment' ? 1 : 0);
  return faults;
}

async function clearingFaults(pool: Pool, { lines, opening }: Evidence): Promise<string[]> {
  let paid = 0n;
  let units = 0n;
  for (const { kind, amount } of lines.values()) {
    if (kind === 'payment') paid += amount;
    else units += amount;
  }
  const now = await readClearing(pool);
  const faults: string[] = [];
  const compare = (channel: string, ours: bigint, theirs: bigint) => {
    if (ours === theirs) return;
    faults.push(`clearing of ${channel}: ours ${ours}, the operator's ${theirs} minor units`);
  };
  compare(PAYBILL_CHANNEL, opening.paybill - now.paybill, paid);
  compare(TVU_CHANNEL, opening.tvu - now.tvu, units * UNIT_PRICE_MINOR);
  return faults;
}

interface CustomerRow {
  card: string;
  credit: bigint;
  units: bigint;
  spent: bigint;
  paidUntil: Date | null;
  soldUntil: Date | null;
  overlaps: number;
  converted: number;
  convertedCredit: bigint;
  convertedUnits: bigint;
}

async function readCustomers(pool: Pool, customers: readonly Customer[]): Promise<CustomerRow[]> {
  const { rows } = await pool.query<CustomerRow>(
    `SELECT c.number AS card, w.amount AS credit, v.amount AS units,
            coalesce(t.spent, 0)::bigint AS spent, t.until AS "soldUntil",
            s.paid_until AS "paidUntil", coalesce(t.overlaps, 0)::int AS overlaps,
            x.times AS converted, x.credit AS "convertedCredit", x.units AS "convertedUnits"
       FROM card c
       JOIN subscriber u ON u.id = c.subscriber_id
       JOIN subscription s ON s.card_id = c.id
       JOIN balance w ON w.account_id = u.wallet_id
       JOIN balance v ON v.account_id = u.tvu_wallet_id
       LEFT JOIN LATERAL (
         SELECT sum(price) AS spent, max(to_at) AS until,
                count(*) FILTER (WHERE from_at < before) AS overlaps
           FROM (SELECT price, from_at, to_at, lag(to_at) OVER (ORDER BY from_at, to_at) AS before
                   FROM term WHERE subscription_id = s.id) term) t ON true
       CROSS JOIN LATERAL (
         SELECT count(DISTINCT j.id)::int AS times,
                coalesce(sum(e.amount) FILTER (WHERE e.account_id = u.wallet_id), 0)::bigint
                  AS credit,
                coalesce(-sum(e.amount) FILTER (WHERE e.account_id = u.tvu_wallet_id), 0)::bigint
                  AS units
           FROM entry e JOIN journal j ON j.id = e.journal_id
          WHERE e.account_id IN (u.wallet_id, u.tvu_wallet_id) AND j.kind = 'tvu_conversion') x
      WHERE c.number = ANY($1)`,
    [customers.map(({ card }) => card)],
  );
  return rows;
}

interface Paid {
  payment: bigint;
  tvu: bigint;
}

/** What a customer paid is what was spent and what is left; the same for units. */
function customerFaults(evidence: Evidence, rows: readonly CustomerRow[]): string[] {
  const paid = new Map<string, Paid>();
  for (const { card, kind, amount } of evidence.lines.values()) {
    if (!card) continue;
    const sums = paid.get(card) ?? { payment: 0n, tvu: 0n };
    sums[kind] += amount;
    paid.set(card, sums);
  }
  const faults = rows.flatMap((row) => [
    ...walletFaults(row, paid.get(row.card) ?? { payment: 0n, tvu: 0n }),
    ...conversionFaults(row, evidence.conversions.get(row.card) ?? { confirmed: 0, told: 0 }),
    ...termFaults(row),
  ]);
  if (rows.length !== evidence.customers.length) {
    faults.push(`customers: ${rows.length} found, ${evidence.customers.length} opened`);
  }
  return faults;
}

function walletFaults(row: CustomerRow, paid: Paid): string[] {
  const faults: string[] = [];
  const had = paid.payment + row.convertedCredit;
  const has = row.spent + row.credit;
  if (had !== has) faults.push(`card ${row.card}: got ${had}, spent and kept ${has} minor units`);
  const units = row.units + row.convertedUnits;
  if (paid.tvu !== units) faults.push(`card ${row.card}: got ${paid.tvu} TV units, has ${units}`);
  return faults;
}

/** A cut session leaves open whether it acted, but never more often than was confirmed. */
function conversionFaults({ card, converted }: CustomerRow, known: Conversions): string[] {
  if (known.told <= converted && converted <= known.confirmed) return [];
  const between = `told of ${known.told}, confirmed ${known.confirmed}`;
  return [`card ${card}: units converted ${converted} times, ${between}`];
}

function termFaults({ card, overlaps, paidUntil, soldUntil }: CustomerRow): string[] {
  const faults: string[] = [];
  if (overlaps > 0) faults.push(`card ${card}: ${overlaps} terms lie over others`);
  if (paidUntil?.getTime() !== soldUntil?.getTime()) {
    faults.push(`card ${card}: paid until ${paidUntil}, sold until ${soldUntil}`);
  }
  return faults;
}

/** Nothing may be parked or refused: every message was well formed and no receipt differs. */
async function keptFaults(pool: Pool): Promise<string[]> {
  const { rows } = await pool.query<{ what: string; times: number }>(
    `SELECT 'parked: ' || coalesce(error, '') AS what, count(*)::int AS times
       FROM inbox WHERE state = 'parked' GROUP BY 1
     UNION ALL
     SELECT 'refused: ' || reason, count(*)::int FROM refused_notice GROUP BY 1`,
  );
  return rows.map(({ what, times }) => `${times} notices ${what}`);
}

async function invariantFaults(pool: Pool): Promise<string[]> {
  const books = await checkBooks(pool);
  return Object.entries(books)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `books: ${name} ${count}`);
}
