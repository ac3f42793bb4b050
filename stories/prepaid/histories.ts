/** Histories of an operator made by chance, as cases: every action, in any order. */
import fc from 'fast-check';
import type { Action, Case, Config } from './file.ts';

const CARDS = ['40210000010', '40210000028', '40210000036'] as const;
const PHONES = ['+254700000001', '+254700000002'] as const;
const TERMS = ['day', 'week', 'month', 'quarter', 'pass24'] as const;
const START_MS = Date.parse('2026-11-20T08:00:00Z');
const STEP_HOURS_MAX = 24 * 4;
const AMOUNTS = ['0.01', '16.66', '90.00', '350.00', '1000.00', '2500.00', '3333.33'] as const;

export const PLANS = {
  basic: {
    products: ['ESS'],
    tax_percent: '16',
    prices: [
      {
        from: '2026-01-01T00:00:00Z',
        day: '50.00',
        week: '300.00',
        month: '1000.00',
        quarter: '2800.00',
        pass24: '40.00',
      },
    ],
  },
  rich: {
    products: ['ESS', 'PREM'],
    tax_percent: '16',
    prices: [{ from: '2026-01-01T00:00:00Z', day: '99.99', month: '2350.00' }],
  },
};

const OFFERS: NonNullable<Case['offers']> = {
  events: {
    FIGHT: {
      product: 'PPV-FIGHT',
      price: '120.00',
      tax_percent: '16',
      sale_from: '2026-11-20T00:00:00Z',
      sale_to: '2026-12-20T00:00:00Z',
      from: '2026-12-19T00:00:00Z',
      to: '2026-12-20T00:00:00Z',
    },
  },
  vouchers: [
    {
      code: '111122223333',
      kind: 'amount',
      value: '750.00',
      currency: 'KES',
      expires: '2028-01-01T00:00:00Z',
      state: 'ACTIVATED',
      bonus: '33.33',
      bonus_days: 4,
    },
    {
      code: '111122224444',
      kind: 'days',
      value: '290.00',
      currency: 'KES',
      expires: '2028-01-01T00:00:00Z',
      state: 'ACTIVATED',
      plan: 'basic',
      days: 7,
    },
  ],
  promotions: [
    {
      code: 'X',
      plan: 'basic',
      term: 'month',
      bonus_days: 5,
      budget: '400.00',
      from: '2026-01-01T00:00:00Z',
      to: '2028-01-01T00:00:00Z',
    },
  ],
  tvu: {
    KE: {
      currency: 'KES',
      buy: [
        { operator: 'a', from: '2026-01-01T00:00:00Z', price: '0.40' },
        { operator: 'b', from: '2026-01-01T00:00:00Z', price: '0.37' },
      ],
      credit: [{ from: '2026-01-01T00:00:00Z', units: 3, value: '1.00' }],
    },
  },
};

const configs: fc.Arbitrary<Config> = fc.record({
  term_end: fc.constantFrom('rest_of_day_free', 'day_counts', 'same_time'),
  month_anchor: fc.constantFrom('kept', 'from_last'),
  payment: fc.record({
    buys: fc.constantFrom('credit', 'terms'),
    under: fc.constantFrom('credit', 'days'),
    over: fc.constantFrom('one_term', 'whole_terms', 'longest_terms'),
    day_rate: fc.constantFrom('month/30', 'day_term'),
  }),
  grace: fc.record({
    hours: fc.constantFrom(0, 48),
    next_term: fc.constantFrom('from_now', 'from_end'),
  }),
  lots: fc.record({
    promo_priority: fc.constantFrom(10, 30),
    paid_priority: fc.constant(20),
  }),
  move: fc.record({
    window_hours: fc.constant(2_000),
    per_month: fc.constant(9),
    objection_minutes: fc.constantFrom(0, 30),
  }),
  reversal: fc.record({ rights: fc.constantFrom('keep', 'withdraw') }),
  pause: fc.constant({ days_per_year: 60 }),
  trial: fc.constant({ days: 14, once_in_months: 1 }),
  upgrade: fc.constantFrom('convert_days', 'pay_difference'),
  loan: fc.constant({ term: 'week', fee: '20.00', cap: '400.00' }),
  voucher: fc.constant({ repeat_minutes: 10 }),
  tvu: fc.constant({ credit_step: null, transfers_per_day: 5, leave_at_least: 1 }),
  commission: fc.constantFrom(null, { percent: '7.5', second_payment_days: 20 }),
});

const account = fc.constantFrom('main', 'other');
const ref = fc.constantFrom('s1', 's2', 's3');
const card = fc.constantFrom(...CARDS, ...CARDS, '40210099990');
const payer = fc.constantFrom(PHONES[0], PHONES[0], PHONES[0], PHONES[1]);
const receipt = fc.constantFrom('R1', 'R2', 'R3', 'R4');
/** Of cash taken at the till. */
const key = fc.constantFrom('K1', 'K2');
const term = fc.constantFrom(...TERMS);
const plan = fc.constantFrom('basic', 'rich');
const provider = fc.constant('mpesa');
const money = fc.constantFrom(...AMOUNTS);
const country = fc.constant('KE');
const operator = fc.constantFrom('a', 'b');
const units = fc.integer({ min: 1, max: 500 });

type Free = Record<string, fc.Arbitrary<unknown>>;
const act = (action: string, fields: Free) =>
  fc.record({ action: fc.constant(action), ...fields }) as fc.Arbitrary<Omit<Action, 'seq'>>;

const actions = fc.oneof(
  {
    weight: 5,
    arbitrary: act('payment', {
      card,
      amount: money,
      currency: fc.constant('KES'),
      provider,
      receipt,
      payer,
    }),
  },
  { weight: 4, arbitrary: act('buy_term', { ref, term }) },
  { weight: 2, arbitrary: act('top_up', { account, amount: money }) },
  act('top_up', {
    account,
    amount: money,
    kind: fc.constant('promo'),
    expires: fc.constantFrom('2026-12-05T00:00:00Z', '2027-01-05T00:00:00Z'),
  }),
  act('top_up', { account, amount: money, key }),
  act('payment_reversed', { provider: fc.constant('key'), receipt: key }),
  act('payment', { card, amount: money, currency: fc.constant('KES'), provider, receipt }),
  act('claim', { provider, receipt, card, payer }),
  act('claim', { provider, receipt, card }),
  { weight: 3, arbitrary: act('move_payment', { provider, receipt, to_card: card, payer }) },
  act('object', { provider, receipt }),
  { weight: 3, arbitrary: act('payment_reversed', { provider, receipt }) },
  act('refund', { account, amount: money }),
  act('transfer_credit', { account, to: account, amount: money }),
  act('set_auto_renew', { ref, term }),
  act('stop_auto_renew', { ref }),
  act('sell_term', { ref, term }),
  act('request_renewal', { ref, term }),
  {
    weight: 2,
    arbitrary: act('change_plan', {
      ref,
      plan,
      policy: fc.constantFrom('immediate', 'end_of_term'),
    }),
  },
  act('buy_addon', { ref, plan }),
  act('buy_term', {
    ref,
    term: fc.constant('month'),
    code: fc.constant('X'),
    count: fc.constantFrom(1, 2),
  }),
  { weight: 2, arbitrary: act('pause', { ref, days: fc.integer({ min: 1, max: 12 }) }) },
  act('resume', { ref }),
  act('incident', {
    incident: fc.constantFrom('i1', 'i2'),
    days: fc.constant(3),
    cards: fc.constant([...CARDS]),
  }),
  act('grant_trial', { ref }),
  { weight: 2, arbitrary: act('take_loan', { ref }) },
  act('buy_event', { card, event: fc.constant('FIGHT') }),
  act('on_air', { card, event: fc.constant('FIGHT') }),
  act('redeem', { code: fc.constantFrom('111122223333', '111122224444'), card }),
  act('buy_tvu', { account, country, operator, amount: money, receipt }),
  act('tvu_notice', { account, country, operator, units, receipt }),
  act('transfer_tvu', { account, to: account, country, units }),
  act('convert_tvu', { account, country, units }),
);

const hours = fc.integer({ min: 0, max: STEP_HOURS_MAX });

/** Cases without expectations: two accounts, three cards, and up to `length` actions. */
export const histories = (length: number): fc.Arbitrary<Case> =>
  fc
    .record({
      config: configs,
      tz: fc.constantFrom('Africa/Nairobi', 'Africa/Cairo'),
      steps: fc.array(fc.tuple(hours, actions), { minLength: 5, maxLength: length }),
    })
    .map(({ config, tz, steps }) => {
      let at = START_MS;
      const opened = openings(tz);
      const timeline = steps.map(([wait, action]) => {
        // Now and then two things at one instant.
        at += wait < 24 ? 0 : wait * 3_600_000;
        return { ...action, instant: new Date(at).toISOString().replace('.000Z', 'Z') };
      });
      const all = [...opened, ...timeline];
      return {
        id: 'pp-by-chance',
        config,
        offers: OFFERS,
        timeline: all.map((action, i): Action => ({ ...action, seq: i + 1 }) as Action),
        expected: [],
      };
    });

const openings = (tz: string) =>
  [
    { action: 'create_account', account: 'main', tz, currency: 'KES' },
    { action: 'create_account', account: 'other', tz, currency: 'KES' },
    { action: 'create_subscription', ref: 's1', account: 'main', card: CARDS[0], plan: 'basic' },
    {
      action: 'create_subscription',
      ref: 's2',
      account: 'other',
      card: CARDS[1],
      plan: 'basic',
      reseller: 'r1',
    },
    {
      action: 'create_subscription',
      ref: 's3',
      account: 'main',
      card: CARDS[2],
      plan: 'basic',
      main: 's1',
    },
    { action: 'top_up', account: 'main', amount: '2600.00' },
    { action: 'top_up', account: 'other', amount: '1100.00' },
  ].map((action) => ({ ...action, instant: new Date(START_MS).toISOString() }));
