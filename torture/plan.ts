/** What happens in a round, decided before it starts: who pays what when, and what is broken. */

import { c2bBody, receiptOf } from '../simulators/mobile-money/daraja.ts';
import { withLuhnDigit } from '../src/platform/luhn.ts';
import type { Random } from '../src/platform/ports.ts';
import type { Customer } from './customers.ts';
import { below, oneOf, seededRandom } from './random.ts';

/** One line of the operator's own books: money (or TV units) that moved at the operator. */
export interface BookLine {
  receipt: string;
  kind: 'payment' | 'tvu';
  /** Whose card it is for; null: an account that nobody has, so it must end in suspense. */
  card: string | null;
  /** Minor units of KES, or TV units. */
  amount: bigint;
  /** How many texts must be written because of it. */
  texts: number;
}

/** One message to the product; a duplicate is a second message of the same line. */
export interface Sending {
  line: BookLine;
  /** Since the start of the load. */
  atMs: number;
  body: string;
}

/** A customer turns TV units into credit over USSD. */
export interface Dialling {
  customer: Customer;
  atMs: number;
  units: number;
}

/**
 * What is killed with `kill -9`:
 * node: the product; its Postgres lives on and is adopted by the next process;
 * postgres: Postgres' first process, whose others notice by themselves; the product must heal it;
 * backend: one of Postgres' connections, after which Postgres throws out all others and recovers;
 * both: the product and Postgres' first process; orphaned backends meet the next process;
 * all: the product and every process of Postgres;
 * twice: the product, and the next one while it starts.
 */
export const KILLS = ['node', 'postgres', 'backend', 'both', 'all', 'twice'] as const;
export type Kill = (typeof KILLS)[number];

export interface Plan {
  seed: number;
  kill: Kill;
  killAtMs: number;
  /** Of `twice`: how long the second product lives. */
  secondLifeMs: number;
  sendings: Sending[];
  diallings: Dialling[];
  duplicates: number;
  twins: number;
}

export interface Load {
  ratePerSecond: number;
  seconds: number;
  shortCode: string;
  customers: readonly Customer[];
  /** The kinds of fault to choose from. */
  kills: readonly Kill[];
  now: Date;
}

const DIALLINGS_PER_SECOND = 3;
/** The fault falls into this part of the load, so that some of it comes before and after. */
const KILL_FROM = 0.1;
const KILL_UNTIL = 0.8;
const SECOND_LIFE_MS_MAX = 2_500;
/** Shares of the messages; what remains are single payments for known cards. */
const DUPLICATES = 0.05;
const TWINS = 0.03;
const TVU_NOTICES = 0.04;
const UNKNOWN = 0.06;
/** A payer known by number is told too. */
const PLAIN_PAYERS = 0.1;
/** A later duplicate repeats one of so many messages before it. */
const DUPLICATE_REACH = 600;
const TVU_UNITS_MAX = 300;
/** Serial numbers of receipts that belong to one seed; there are 36^7 in all. */
const SERIALS_PER_ROUND = 1_000_000;
export const SEED_MAX = 70_000;

/** The plan of the round with this seed. The same arguments give the same plan. */
export function planRound(seed: number, load: Load): Plan {
  const random = seededRandom(seed);
  const loadMs = load.seconds * 1_000;
  const kill = oneOf(random, load.kills);
  const killAtMs = loadMs * (KILL_FROM + random.fraction() * (KILL_UNTIL - KILL_FROM));
  const secondLifeMs = below(random, SECOND_LIFE_MS_MAX);
  const messages = planMessages(seed, random, load);
  const diallings = Array.from({ length: DIALLINGS_PER_SECOND * load.seconds }, (_, n) => ({
    customer: oneOf(random, load.customers),
    atMs: (n * 1_000) / DIALLINGS_PER_SECOND,
    units: 1 + below(random, TVU_UNITS_MAX / 3),
  }));
  return { seed, kill, killAtMs, secondLifeMs, ...messages, diallings };
}

function planMessages(seed: number, random: Random, load: Load) {
  const sendings: Sending[] = [];
  let serial = seed * SERIALS_PER_ROUND;
  let duplicates = 0;
  let twins = 0;
  const pay = (customer: Customer | null, atMs: number) => {
    serial += 1;
    const receipt = receiptOf(load.now, serial);
    sendings.push({ ...payment(random, load, customer, receipt), atMs });
  };
  const kinds: [share: number, send: (atMs: number) => void][] = [
    [
      DUPLICATES,
      (atMs) => {
        const again = repetition(random, sendings, atMs);
        if (again) sendings.push(again);
        if (again) duplicates += 1;
      },
    ],
    [
      TWINS,
      (atMs) => {
        const customer = oneOf(random, load.customers);
        pay(customer, atMs);
        pay(customer, atMs);
        twins += 1;
      },
    ],
    [
      TVU_NOTICES,
      (atMs) => {
        serial += 1;
        sendings.push({ ...tvuNotice(random, load, receiptOf(load.now, serial)), atMs });
      },
    ],
    [UNKNOWN, (atMs) => pay(null, atMs)],
    [1, (atMs) => pay(oneOf(random, load.customers), atMs)],
  ];
  const count = load.ratePerSecond * load.seconds;
  while (sendings.length < count) {
    const atMs = (sendings.length * 1_000) / load.ratePerSecond;
    let roll = random.fraction();
    const kind = kinds.find(([share]) => {
      roll -= share;
      return roll < 0;
    });
    kind?.[1](atMs);
  }
  return { sendings, duplicates, twins };
}

/** An earlier message once more; half of them at once, beside the first, which is harder. */
function repetition(random: Random, sendings: readonly Sending[], atMs: number): Sending | null {
  const last = sendings.at(-1);
  if (!last) return null;
  if (random.fraction() < 0.5) return { ...last };
  return { ...oneOf(random, sendings.slice(-DUPLICATE_REACH)), atMs };
}

type Message = Omit<Sending, 'atMs'>;

function payment(random: Random, load: Load, customer: Customer | null, receipt: string): Message {
  const isPlain = random.fraction() < PLAIN_PAYERS;
  const amount = amountFor(random, customer);
  const paid = {
    receipt,
    msisdn: `254722${String(below(random, 1_000_000)).padStart(6, '0')}`,
    accountReference: customer ? written(random, customer.card) : unknownReference(random),
    at: load.now.toISOString(),
  };
  const body = c2bBody(paid, {
    shortCode: load.shortCode,
    form: isPlain ? 'plain' : 'hashed',
    name: 'Test Payer',
    organisationBalance: '',
    thirdPartyTransId: '',
    amountMinor: amount,
  });
  const texts = (customer ? 1 : 0) + (isPlain ? 1 : 0);
  return { line: { receipt, kind: 'payment', card: customer?.card ?? null, amount, texts }, body };
}

/** The exact price of the term, odd whole shillings, a few shillings, or shillings and cents. */
function amountFor(random: Random, customer: Customer | null): bigint {
  const roll = random.fraction();
  if (customer && roll < 0.4) return customer.termPrice;
  if (roll < 0.75) return BigInt(1 + below(random, 2_000)) * 100n;
  if (roll < 0.9) return BigInt(1 + below(random, 60)) * 100n;
  return BigInt(1 + below(random, 200_000));
}

/** A card number as people key it in. */
function written(random: Random, card: string): string {
  const spaced = `${card.slice(0, 4)} ${card.slice(4, 8)} ${card.slice(8)}`;
  return oneOf(random, [card, card, card, spaced, spaced.replaceAll(' ', '-')]);
}

function unknownReference(random: Random): string {
  const card = withLuhnDigit(`4039${String(below(random, 1_000_000)).padStart(6, '0')}`);
  return oneOf(random, [card, card, 'MAMA AMINA', `${card.slice(0, -1)}X`]);
}

function tvuNotice(random: Random, load: Load, receipt: string): Message {
  const { card, msisdn } = oneOf(random, load.customers);
  const units = 1 + below(random, TVU_UNITS_MAX);
  const data = { receipt, msisdn, units, occurredAt: load.now.toISOString() };
  const line = { receipt, kind: 'tvu', card, amount: BigInt(units), texts: 1 } as const;
  return { line, body: JSON.stringify({ type: 'tvu.credited', data }) };
}
