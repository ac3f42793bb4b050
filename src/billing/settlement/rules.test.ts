import fc from 'fast-check';
import { hasLuhnDigit } from '../../platform/luhn.ts';
import type { PaymentPolicy, TvuTariff } from '../catalogue/rules.ts';
import type { Command, CommandBase, Purpose } from './commands.ts';
import { faultsOf } from './faults-harness.ts';
import { createOperator, EVENT_ID, NUMBER, PHONE } from './operator-harness.ts';
import { channelOf, type Paper } from './paper-harness.ts';

/**
 * Goal: whatever is asked in whatever order, the books are sound after every batch.
 * Method: commands drawn at random over a small operator on paper, in random batches and clocks;
 * the writes of each batch become the facts of the next. The tables of what is answered stand in
 * `payments.test.ts`, `wallet.test.ts` and `units.test.ts`.
 */
const CARDS = Object.keys(NUMBER);
const START_MS = Date.parse('2026-11-23T11:02:00Z');
const HOUR_MS = 3_600_000;

type Draw =
  | { kind: 'pay'; to: string; amount: bigint; payer: string; order: number | null }
  | { kind: 'order'; card: string; what: Bought; amount: bigint }
  | { kind: 'notice' | 'convert'; who: string; units: bigint }
  | { kind: 'send'; who: string; units: bigint }
  | {
      kind: 'buy';
      who: string;
      card: string;
      what: 'month' | 'day' | 'event';
      by: 'credit' | 'tvu';
    }
  | { kind: 'renew'; card: string }
  | { kind: 'capture_event' | 'release_event'; nth: number }
  | { kind: 'reverse_payment'; nth: number };

/** Amina does most, so that things come together. */
const who = fc.constantFrom('amina', 'amina', 'amina', 'amina', 'juma', 'mama', 'awa', 'nobody');
const card = fc.constantFrom('A1', 'A1', 'A2', 'A2', 'J1', 'W1');
/** Half of the amounts are prices, so that things are bought. */
const amount = fc.oneof(
  fc.constantFrom(30_000n, 100_000n, 5_000n, 250_000n, 400n),
  fc.bigInt({ min: 1n, max: 150_000n }),
);
const units = fc.oneof(fc.constantFrom(143n, 858n, 3n), fc.bigInt({ min: -2n, max: 3_000n }));
const nth = fc.nat({ max: 5 });

const draw: fc.Arbitrary<Draw> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('pay' as const),
      to: fc.oneof(card, who),
      amount,
      payer: who,
      order: fc.option(nth),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('order' as const),
      card,
      what: fc.constantFrom('term' as const, 'credit' as const, 'event' as const, 'tvu' as const),
      amount,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constantFrom('notice', 'convert'), who, units }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('send' as const), who, units }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('buy' as const),
      who,
      card,
      what: fc.constantFrom('month' as const, 'day' as const, 'event' as const, 'event' as const),
      by: fc.constantFrom('credit' as const, 'tvu' as const),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('renew' as const), card }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constantFrom('capture_event', 'release_event'), nth }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('reverse_payment' as const), nth }) },
);

const policy: fc.Arbitrary<PaymentPolicy> = fc.record({
  buys: fc.constantFrom('credit', 'terms'),
  under: fc.constantFrom('credit', 'days'),
  over: fc.constantFrom('one_term', 'whole_terms', 'longest_terms'),
  dayRate: fc.constantFrom('month/30', 'day_term'),
});

/** Units become dearer every day, so that no two lots cost the same. */
const RISING: ReadonlyMap<bigint, readonly TvuTariff[]> = new Map(
  [1n, 2n].map((site) => [
    site,
    Array.from({ length: 40 }, (_, day) => ({
      from: new Date(START_MS + (day - 1) * 24 * HOUR_MS),
      price: 40n + 3n * BigInt(day),
      valueUnits: 3n,
      valueAmount: 100n,
    })),
  ]),
);

/** What an order for a card or a person is for. */
type Bought = Exclude<Purpose['kind'], 'invoice'>;

interface History {
  serial: number;
  paid: string[];
  orders: bigint[];
}

function purposeOf(
  paper: Paper,
  { card, what }: { card: string; what: Exclude<Purpose['kind'], 'invoice'> },
): Purpose {
  const { id: cardId, subscriberId } = paper.card(card);
  if (what === 'tvu') return { kind: what, subscriberId };
  if (what === 'event') return { kind: what, cardId, eventId: EVENT_ID };
  return what === 'term' ? { kind: what, cardId, term: 'week' } : { kind: what, cardId };
}

const nameIn = (drawn: Draw): string =>
  'card' in drawn ? drawn.card : 'who' in drawn ? drawn.who : 'to' in drawn ? drawn.to : '';

/** Null for an order, which is written at once and is no act of settlement. */
function commandOf(paper: Paper, past: History, drawn: Draw, at: Date): Command | null {
  past.serial += 1;
  const siteId = ['W1', 'awa'].includes(nameIn(drawn)) ? 2n : 1n;
  const receipt = `R${past.serial}`;
  const channelId = channelOf(siteId);
  const base = { provider: 'paper', receipt, channelId, siteId, at, raw: Buffer.alloc(0) };
  const phone = PHONE[nameIn(drawn)] ?? '';
  switch (drawn.kind) {
    case 'order': {
      const asset = siteId === 1n ? 'KES' : 'XOF';
      const order = { msisdn: '', amount: drawn.amount, asset, purpose: purposeOf(paper, drawn) };
      past.orders.push(paper.order(order));
      return null;
    }
    case 'pay':
      past.paid.push(receipt);
      return payment(paper, past, drawn, base);
    case 'notice':
      return { ...base, kind: 'tvu_notice', msisdn: phone, units: abs(drawn.units) };
    case 'convert':
      return { ...base, kind: 'convert_tvu', msisdn: phone, units: drawn.units };
    case 'send': {
      const fromMsisdn = PHONE.mama ?? '';
      return { ...base, kind: 'transfer_tvu', fromMsisdn, toMsisdn: phone, units: drawn.units };
    }
    case 'buy':
      return { ...base, kind: 'buy', ...purchase(paper, drawn), means: drawn.by };
    case 'renew':
      return { ...base, kind: 'renew', cardId: paper.card(drawn.card).id };
    case 'reverse_payment': {
      const original = { provider: 'paper', receipt: past.paid[drawn.nth] ?? '' };
      return { ...base, kind: drawn.kind, original };
    }
    default: {
      const purchaseId = [...paper.purchases.keys()][drawn.nth] ?? 0n;
      return { ...base, kind: drawn.kind, purchaseId };
    }
  }
}

function payment(
  paper: Paper,
  past: History,
  drawn: Extract<Draw, { kind: 'pay' }>,
  base: CommandBase,
): Command {
  const orderId = past.orders[drawn.order ?? -1] ?? null;
  const order = orderId === null ? undefined : paper.orders.get(orderId);
  return {
    ...base,
    kind: 'payment',
    amount: order?.amount ?? drawn.amount,
    asset: base.siteId === 1n ? 'KES' : 'XOF',
    accountRef: NUMBER[drawn.to] ?? PHONE[drawn.to] ?? null,
    payerMsisdn: PHONE[drawn.payer] ?? null,
    payerHash: null,
    orderId,
  };
}

function purchase(paper: Paper, { who, card, what }: Extract<Draw, { kind: 'buy' }>) {
  const { id: cardId } = paper.card(card);
  const msisdn = PHONE[who] ?? '';
  return what === 'event'
    ? { msisdn, purpose: { kind: what, cardId, eventId: EVENT_ID } as const }
    : { msisdn, purpose: { kind: 'term', cardId, term: what } as const };
}

const abs = (n: bigint): bigint => (n <= 0n ? 1n - n : n);

const endsOf = (paper: Paper): number[] =>
  CARDS.map((name) => paper.card(name).subscription?.paidUntil?.getTime() ?? 0);

/** Money at the operators is what we owe, have earned, or keep in suspense: nothing else. */
function unaccounted(paper: Paper, asset: string): bigint {
  return Object.values(paper.books(asset)).reduce((sum, amount) => sum + amount, 0n);
}

describe('settlement', () => {
  const step = fc.record({
    batch: fc.array(draw, { minLength: 1, maxLength: 6 }),
    hours: fc.oneof(
      { weight: 9, arbitrary: fc.nat({ max: 12 }) },
      { weight: 1, arbitrary: fc.constant(170) },
    ),
  });

  it('keeps sound books whatever is asked, and no act takes paid time away', () => {
    fc.assert(
      fc.property(policy, fc.array(step, { minLength: 8, maxLength: 20 }), (rules, steps) => {
        const paper = createOperator({ policy: rules, tariffs: RISING });
        const past: History = { serial: 0, paid: [], orders: [] };
        let atMs = START_MS;
        const funds: Draw[] = [
          { kind: 'pay', to: 'amina', amount: 150_000n, payer: 'amina', order: null },
          { kind: 'notice', who: 'amina', units: 3_000n },
          { kind: 'notice', who: 'mama', units: 500n },
        ];
        paper.settle(funds.map((one) => commandOf(paper, past, one, new Date(atMs)) as Command));
        for (const { batch, hours } of steps) {
          atMs += hours * HOUR_MS;
          const commands = batch.flatMap((drawn) => {
            const command = commandOf(paper, past, drawn, new Date(atMs));
            return command ? [command] : [];
          });
          const before = endsOf(paper);
          const answers = paper.settle(commands);
          expect(answers).toHaveLength(commands.length);
          expect(faultsOf(paper)).toEqual([]);
          expect(['KES', 'XOF', 'TVU-KE', 'TVU-CI'].map((a) => unaccounted(paper, a))).toEqual([
            0n,
            0n,
            0n,
            0n,
          ]);
          endsOf(paper).forEach((end, i) => {
            expect(end).toBeGreaterThanOrEqual(before[i] ?? 0);
          });
        }
      }),
      { numRuns: 150 },
    );
  });

  it('decides a batch as it would decide its commands one by one', () => {
    fc.assert(
      fc.property(policy, fc.array(draw, { maxLength: 12 }), (rules, drawn) => {
        const [together, apart] = [
          createOperator({ policy: rules }),
          createOperator({ policy: rules }),
        ];
        const at = new Date(START_MS);
        const plan = (paper: Paper): Command[] => {
          const past: History = { serial: 0, paid: [], orders: [] };
          // Purchases and reversals look at rows of earlier batches: they are not in this one.
          const fresh = drawn.filter(({ kind }) => !/_/.test(kind));
          return fresh.flatMap((one) => commandOf(paper, past, one, at) ?? []);
        };
        const strip = ({ ref: _ref, ...answer }: { ref: string }) => answer;
        const one = together.settle(plan(together)).map(strip);
        const many = plan(apart).flatMap((command) => apart.settle([command]).map(strip));
        expect(many).toEqual(one);
        for (const asset of ['KES', 'XOF', 'TVU-KE', 'TVU-CI']) {
          expect(apart.books(asset)).toEqual(together.books(asset));
        }
        expect(endsOf(apart)).toEqual(endsOf(together));
      }),
      { numRuns: 100 },
    );
  });

  it('is tried on cards that exist', () => {
    expect(Object.values(NUMBER).every(hasLuhnDigit)).toBe(true);
  });
});
