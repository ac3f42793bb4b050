/** Lives of a postpaid account made by chance, for property tests. */

import fc from 'fast-check';
import { type Day, dayOf } from '../../platform/day.ts';
import type { Action, When } from './actions.ts';
import type { Book, Books } from './books.ts';
import { chargesOf } from './charged.ts';
import { CONFIG } from './config-harness.ts';
import { nextWorkDay } from './due.ts';
import type { Catalogue, Plan } from './plans.ts';
import { createPostpaid, type Postpaid } from './postpaid.ts';

/** What happens on a day, `offset` days after the account was opened. */
interface Happening {
  offset: number;
  action: Action;
}

export interface Life {
  billingDay: number | null;
  /** Whether the gateway pays its nth try. */
  pays: readonly boolean[];
  happenings: readonly Happening[];
  days: number;
}

const START: Day = dayOf(2023, 11, 17);
const LIFE_DAYS_MIN = 60;
const LIFE_DAYS_MAX = 160;
const LAST_HAPPENING_DAY = 100;
const HAPPENINGS_MAX = 10;
const REFS = ['one', 'two'] as const;

const PLAN: Omit<Plan, 'code' | 'phases'> = {
  billing: 'in_advance',
  perUnit: true,
  phasesOnChange: 'subscription_start',
  priceVersions: [],
  addOn: null,
  taxCode: null,
};
const recurring = (
  price: bigint,
  period: Plan['phases'][number]['period'],
): Plan['phases'][number] => ({
  type: 'evergreen',
  length: null,
  fixed: null,
  price,
  period,
});
const TRIAL: Plan['phases'][number] = {
  type: 'trial',
  length: { days: 30 },
  fixed: 0n,
  price: null,
  period: null,
};
const PLANS: readonly Plan[] = [
  { ...PLAN, code: 'monthly', phases: [recurring(24_995n, 'monthly')] },
  { ...PLAN, code: 'trial-monthly', phases: [TRIAL, recurring(59_995n, 'monthly')] },
  { ...PLAN, code: 'annual', phases: [recurring(239_995n, 'annual')] },
  { ...PLAN, code: 'quarterly', phases: [recurring(6_995n, 'quarterly')] },
  { ...PLAN, code: 'weekly', phases: [recurring(2_995n, 'weekly')] },
  { ...PLAN, code: 'thirty-days', phases: [recurring(1_001n, 'thirty_days')] },
  { ...PLAN, code: 'arrears', billing: 'in_arrears', phases: [recurring(10_000n, 'monthly')] },
  { ...PLAN, code: 'free', phases: [recurring(0n, 'monthly')] },
];
const CATALOGUE: Catalogue = new Map(PLANS.map((plan) => [plan.code, plan]));

export interface World {
  engine: Postpaid;
  book: Book;
  today: Day;
}

function openWorld({ billingDay, pays }: Life, autoInvoice: boolean): World {
  let last = 0n;
  let tries = 0;
  const ids = { next: () => ++last };
  const charge = () => {
    tries += 1;
    const isPaid = pays.length === 0 || pays[(tries - 1) % pays.length];
    return { outcome: isPaid ? ('approved' as const) : ('declined' as const) };
  };
  const engine = createPostpaid({ catalogue: CATALOGUE, config: CONFIG, ids, gateway: { charge } });
  const books: Books = new Map();
  const opening = { id: ids.next(), timeZone: 'UTC', currency: 'USD', billingDay };
  const book = engine.open(books, { ...opening, autoPay: true, autoInvoice }, START);
  return { engine, book, today: START };
}

const exists = ({ book }: World, action: Action): boolean => {
  if (!('ref' in action)) return true;
  const isKnown = book.rows.contracts.some(({ ref }) => ref === action.ref);
  return action.act === 'create_subscription' ? !isKnown : isKnown;
};

/** An act as it can be done now: what it names is looked up; null when there is no such thing. */
export const doable = (world: World, action: Action): Action | null =>
  exists(world, action) ? resolved(world, action) : null;

/** Money acts name their document or payment by a number; the newest are counted first. */
function resolved({ book }: World, action: Action): Action | null {
  if (action.act === 'void_invoice') {
    const invoice = book.rows.invoices.at(-Number(action.invoiceId));
    return invoice ? { ...action, invoiceId: invoice.id } : null;
  }
  if (action.act === 'refund' || action.act === 'chargeback') {
    const payment = book.rows.payments.at(-Number(action.paymentId));
    return payment ? { ...action, paymentId: payment.id } : null;
  }
  if (action.act === 'adjust_item') {
    const charge = chargesOf(book).at(-Number(action.lineId));
    return charge ? { ...action, lineId: charge.line.id } : null;
  }
  return action;
}

interface Way {
  autoInvoice: boolean;
  /** Every day is worked on, not only those on which something is due. */
  everyDay?: boolean;
}

/** Lives a life to its last day. */
export function live(life: Life, { autoInvoice, everyDay = false }: Way): World {
  const world = openWorld(life, autoInvoice);
  const { engine, book } = world;
  const rules = { catalogue: CATALOGUE, config: CONFIG };
  let next = START;
  for (let offset = 0; offset <= life.days; offset += 1) {
    world.today = START + offset;
    const happenings = life.happenings.filter((one) => one.offset === offset);
    const isDue = world.today >= next || happenings.length > 0 || offset === life.days;
    if (isDue || everyDay) engine.work(book, world.today);
    for (const { action } of happenings) {
      const act = doable(world, action);
      if (act) engine.act(book, act, world.today);
    }
    if (isDue) next = nextWorkDay(book, rules);
  }
  return world;
}

const ref = fc.constantFrom(...REFS);
const anyOf = (plans: readonly Plan[]) => fc.constantFrom(...plans.map(({ code }) => code));
const dayOfMonth = fc.integer({ min: 1, max: 31 });
const near = (offset: number, by: number): fc.Arbitrary<Day> =>
  fc.integer({ min: Math.max(0, offset - by), max: offset + by }).map((day) => START + day);

/** Acts on contracts whose effect does not depend on what was charged so far. */
const factAct = (plans: readonly Plan[], offset: number): fc.Arbitrary<Action> =>
  fc.oneof(
    fc.record({
      act: fc.constant('create_subscription' as const),
      ref,
      plan: anyOf(plans),
      quantity: fc.integer({ min: 1, max: 3 }),
    }),
    fc.record({
      act: fc.constant('change_plan' as const),
      ref,
      plan: anyOf(plans),
      policy: fc.constant('immediate' as const),
    }),
    fc.record({
      act: fc.constantFrom(
        'pause' as const,
        'resume' as const,
        'block_billing' as const,
        'unblock_billing' as const,
      ),
      ref,
      effective: near(offset, 20),
    }),
    fc.record({
      act: fc.constant('change_quantity' as const),
      ref,
      quantity: fc.integer({ min: 1, max: 4 }),
      effective: near(offset, 10),
    }),
    fc.record({
      act: fc.constant('cancel' as const),
      ref,
      service: fc.constant<When>('immediate'),
      billing: fc.oneof(fc.constant<When>('immediate'), near(offset, 15)),
    }),
  );

/** Everything else that happens to an account. */
const otherAct = (offset: number): fc.Arbitrary<Action> => {
  const nth = fc.bigInt({ min: 1n, max: 4n });
  const amount = fc.bigInt({ min: 1n, max: 30_000n });
  return fc.oneof(
    fc.record({
      act: fc.constant('cancel' as const),
      ref,
      service: fc.constant<When>('immediate'),
      billing: fc.constantFrom<When>('end_of_term', 'start_of_term'),
    }),
    fc.record({
      act: fc.constant('change_plan' as const),
      ref,
      plan: anyOf(PLANS),
      policy: fc.constant('end_of_term' as const),
    }),
    fc.record({
      act: fc.constant('set_billing_day' as const),
      ref,
      day: dayOfMonth,
      effectiveFrom: near(offset, 30),
    }),
    fc.record({ act: fc.constant('set_account_billing_day' as const), day: dayOfMonth }),
    fc.record({ act: fc.constant('void_invoice' as const), invoiceId: nth }),
    fc.record({
      act: fc.constant('refund' as const),
      paymentId: nth,
      amount,
      adjustments: fc.constant([]),
    }),
    fc.record({ act: fc.constant('chargeback' as const), paymentId: nth, amount }),
    fc.record({ act: fc.constant('adjust_item' as const), lineId: nth, amount }),
    fc.record({ act: fc.constant('grant_credit' as const), amount }),
    fc.record({
      act: fc.constant('generate_invoice' as const),
      target: near(offset + 40, 40),
    }),
  );
};

const lifeOf = (
  plans: readonly Plan[],
  act: (offset: number) => fc.Arbitrary<Action>,
): fc.Arbitrary<Life> => {
  const happening = fc
    .integer({ min: 0, max: LAST_HAPPENING_DAY })
    .chain((offset) => act(offset).map((action) => ({ offset, action })));
  const sale: Happening = {
    offset: 0,
    action: { act: 'create_subscription', ref: 'one', plan: 'monthly' },
  };
  return fc.record({
    billingDay: fc.option(dayOfMonth),
    pays: fc.array(fc.boolean(), { maxLength: 5 }),
    happenings: fc
      .array(happening, { maxLength: HAPPENINGS_MAX })
      .chain((happenings) =>
        anyOf(plans).map((code) => [
          { ...sale, action: { ...sale.action, plan: code } as Action },
          ...happenings,
        ]),
      ),
    days: fc.integer({ min: LIFE_DAYS_MIN, max: LIFE_DAYS_MAX }),
  });
};

/** Lives of facts alone (of any plan, or of periods counted in days), and with everything. */
export const factLives = lifeOf(PLANS, (offset) => factAct(PLANS, offset));
const DAY_PLANS = PLANS.filter(({ code }) => code === 'weekly' || code === 'thirty-days');
export const dayLives = lifeOf(DAY_PLANS, (offset) => factAct(DAY_PLANS, offset));
export const fullLives = lifeOf(PLANS, (offset) =>
  fc.oneof(factAct(PLANS, offset), otherAct(offset)),
);
