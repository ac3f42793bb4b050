/** What a story may look at: our rows, the phones' inboxes, the head-end's cards, both books. */
import type { Pool } from 'pg';
import { canonicalSet } from '../../../simulators/head-end/card-state.ts';
import type { StoredCommand } from '../../../simulators/head-end/memory.ts';
import { checkBooks } from '../../../src/billing/ledger/check.ts';
import { wireSet } from '../../../src/entitlement/dispatch/rules.ts';
import type { WireOperation, WireRight } from '../../../src/entitlement/vip-control/operations.ts';
import { SOUND } from '../world.ts';
import { eventually } from './eventually.ts';
import type { Simulators } from './house.ts';

export interface BookLine {
  receipt: string;
  /** ISO 4217 code, or `TVU` for units of any country. */
  asset: string;
  /** Minor units, or units, as digits. */
  amount: string;
}

export interface Looks {
  /** Rows as JSON: bigints are digits, instants ISO texts. */
  rows(sql: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
  /** A text like this in the phone's inbox, waited for. */
  textTo(msisdn: string, like: RegExp): Promise<string>;
  /** All texts of a phone, oldest first. */
  inbox(msisdn: string): string[];
  /** The set that is wanted for a card, once the head-end broadcasts it, prolonged by the grace. */
  onAir(cardNumber: string): Promise<WireRight[]>;
  /** What the head-end was told about a card, oldest first: all, or of one kind. */
  commands(cardNumber: string, op?: WireOperation['op']): StoredCommand[];
  cardId(cardNumber: string): Promise<bigint>;
  paidUntil(cardNumber: string): Promise<string | null>;
  /** Credit and units of a phone's subscriber. */
  wallet(msisdn: string): Promise<{ credit: string; units: string }>;
  /** Journals, inbox rows and orders so far: what must not change when nothing may move. */
  traces(): Promise<Record<string, unknown>>;
  refused(reason: string): Promise<number>;
  ourBooks(): Promise<BookLine[]>;
  operatorBooks(): BookLine[];
  /** Sound journals and cards on air. */
  expectSound(): Promise<void>;
  /** The same, the operator's books are ours. */
  expectAgreement(): Promise<void>;
}

/** The margin of the air by which the product has its head-end prolong every right. */
export const AIR_MARGIN_MS = 6 * 3_600_000;
const COMMANDS_MAX = 10_000;

const SOUND_AND_ON_AIR = { ...SOUND, unacknowledgedCards: 0 };

const OUR_BOOKS = `
  SELECT i.receipt, CASE WHEN e.asset LIKE 'TVU%' THEN 'TVU' ELSE e.asset END AS asset,
         sum(-e.amount)::text AS amount
    FROM inbox i JOIN journal j ON j.inbox_id = i.id JOIN entry e ON e.journal_id = j.id
    JOIN account a ON a.id = e.account_id
   WHERE (i.kind = 'payment' AND a.kind = 'provider_clearing')
      OR (i.kind = 'tvu_notice' AND a.kind = 'tvu_issued')
   GROUP BY 1, 2`;

const WAITING_CARDS = `
  SELECT c.number, r.desired_rev, r.acked_rev, r.attempts, r.failure, r.next_at, r.lease_until
    FROM card_rights r JOIN card c ON c.id = r.card_id WHERE r.desired_rev <> r.acked_rev`;

const WANTED = `
  SELECT r.desired, r.desired_rev <> r.acked_rev AS waits
    FROM card_rights r JOIN card c ON c.id = r.card_id WHERE c.number = $1`;

const inOrder = (lines: BookLine[]): BookLine[] =>
  lines.sort((a, b) => (a.receipt < b.receipt ? -1 : 1));

export function lookInto(pool: Pool, { money, texts, headEnd }: Simulators): Looks {
  const { one, ...readings } = readingsOf(pool);
  const inbox = (msisdn: string) => texts.inbox(msisdn).map(({ text }) => text);
  const operatorBooks = () =>
    inOrder([
      ...money.books().map(({ receipt, amountMinor }) => {
        return { receipt, asset: 'KES', amount: amountMinor.toString() };
      }),
      ...money.tvuNotices().map(({ receipt, units }) => {
        return { receipt, asset: 'TVU', amount: String(units) };
      }),
    ]);
  const expectSound = () =>
    eventually(async () => {
      // First, because it says which cards and why.
      expect(await readings.rows(WAITING_CARDS)).toEqual([]);
      expect(await checkBooks(pool)).toEqual(SOUND_AND_ON_AIR);
    });
  return {
    ...readings,
    operatorBooks,
    expectSound,
    inbox: (msisdn) => inbox(msisdn).reverse(),
    textTo: (msisdn, like) =>
      eventually(() => {
        const found = inbox(msisdn).find((text) => like.test(text));
        if (found) return found;
        throw new Error(`No text like ${like} among: ${inbox(msisdn).join(' | ')}`);
      }),
    onAir: (cardNumber) =>
      eventually(async () => {
        const { desired, waits } = await one(WANTED, [cardNumber]);
        expect(waits).toBe(false);
        expect(headEnd.card(cardNumber)?.set).toEqual(prolonged(desired as WireRight[]));
        return desired as WireRight[];
      }),
    commands: (card, op) =>
      headEnd
        .commands({ card, limit: COMMANDS_MAX })
        .filter((command) => op === undefined || command.op === op)
        .reverse(),
    async expectAgreement() {
      await expectSound();
      await eventually(async () => {
        expect(await readings.ourBooks()).toEqual(operatorBooks());
      });
    },
  };
}

/** A set as the head-end is told it. */
export const prolonged = (set: readonly WireRight[]): WireRight[] | undefined =>
  canonicalSet(
    wireSet(set, AIR_MARGIN_MS).map(({ product, from, to }) => {
      return { product, from: from.toISOString(), to: to.toISOString() };
    }),
  );

/** What our database says. */
function readingsOf(pool: Pool) {
  const rows: Looks['rows'] = async (sql, values = []) => {
    const result = await pool.query(sql, values);
    return JSON.parse(
      JSON.stringify(result.rows, (_key, v) => (typeof v === 'bigint' ? v.toString() : v)),
    );
  };
  const one = async (sql: string, values: unknown[] = []) => {
    const [row] = await rows(sql, values);
    if (!row) throw new Error(`No row: ${values.join(', ')}`);
    return row;
  };
  return {
    rows,
    one,
    cardId: async (cardNumber: string) =>
      BigInt(String((await one('SELECT id FROM card WHERE number = $1', [cardNumber])).id)),
    async paidUntil(cardNumber: string) {
      const sql = `SELECT s.paid_until FROM subscription s JOIN card c ON c.id = s.card_id
                    WHERE c.number = $1`;
      return (await one(sql, [cardNumber])).paid_until as string | null;
    },
    async wallet(msisdn: string) {
      const sql = `SELECT w.amount::text AS credit, t.amount::text AS units
                     FROM phone p JOIN subscriber s ON s.id = p.subscriber_id
                     JOIN balance w ON w.account_id = s.wallet_id
                     JOIN balance t ON t.account_id = s.tvu_wallet_id WHERE p.msisdn = $1`;
      return (await one(sql, [msisdn])) as { credit: string; units: string };
    },
    traces: () =>
      one(`SELECT (SELECT count(*) FROM journal)::int AS journals,
                  (SELECT count(*) FROM inbox)::int AS inbox,
                  (SELECT count(*) FROM payment_order WHERE state = 'paid')::int AS paid`),
    async refused(reason: string) {
      const sql = 'SELECT count(*)::int AS kept FROM refused_notice WHERE reason = $1';
      return (await one(sql, [reason])).kept as number;
    },
    ourBooks: async () => inOrder((await rows(OUR_BOOKS)) as unknown as BookLine[]),
  };
}
