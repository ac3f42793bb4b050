/** Performs the actions of a postpaid case. */
import type {
  Action as Act,
  Answer,
  ImportedLine,
  SettingAction,
  When,
} from '../../src/billing/postpaid/actions.ts';
import { type Book, copyBook } from '../../src/billing/postpaid/books.ts';
import type { Postpaid } from '../../src/billing/postpaid/postpaid.ts';
import type { LineType } from '../../src/billing/postpaid/rows.ts';
import { type Day, parseDay } from '../../src/platform/day.ts';
import { field, flag, list, number, object, orNull, text, word } from '../fields.ts';
import { BadCase } from '../result.ts';
import type { Action } from './file.ts';
import { isPureCall, pureCall } from './pure-calls.ts';
import { accountOfSelector, invoiceOf, lineOf, paymentNumber } from './selectors.ts';
import { BILLINGS, day, minorOf, PERIODS } from './setup.ts';
import { accountFor, accountIdOf, type Performed, type Story, shownItem } from './story.ts';

/** The account of the item generator, where a case has none. */
const NO_ACCOUNT = { tz: 'UTC', currency: 'USD' };
const DOWN_REPEATS_MAX = 1000;

const NOTHING: Performed = {
  error: null,
  answer: null,
  value: null,
  preview: null,
  account: 'main',
  before: null,
  after: null,
};

/** Performs one action with everything that follows at once. */
export async function perform(story: Story, action: Action): Promise<Performed> {
  const today = parseDay(action.on);
  const account = action.account ?? 'main';
  if (isPureCall(action.action)) return { ...NOTHING, account, ...pureCall(action) };
  switch (action.action) {
    case 'create_account':
      await openAccount(story, account, action);
      return { ...NOTHING, account };
    case 'gateway_answers':
      story.gateway.answers(gatewayOf(story, action), action);
      return { ...NOTHING, account };
    case 'worker_down':
      story.downUntil = day(action, 'until');
      return { ...NOTHING, account };
    case 'transfer_bundle':
      return transfer(story, action, today);
    default:
      return actOn(story, action, today);
  }
}

/** Answers are for the account that is named; in a case without `main`, for all. */
function gatewayOf(story: Story, { account }: Action): bigint | null {
  const name = account ?? 'main';
  return story.accounts.has(name) ? accountIdOf(story, name) : null;
}

async function openAccount(story: Story, name: string, action: Action): Promise<void> {
  if (story.accounts.has(name)) throw new BadCase(`account ${name} exists`);
  const opening = {
    timeZone: text(action, 'tz'),
    currency: text(action, 'currency'),
    billingDay: orNull(action, 'bcd', number),
    autoPay: flag(action, 'auto_pay'),
    autoInvoice: flag(action, 'auto_invoice'),
  };
  story.accounts.set(name, await story.house.open(opening, parseDay(action.on)));
}

/** Where runs are on demand, there is no account in the story; one stands behind it. */
async function standIn(story: Story, name: string, today: Day): Promise<void> {
  if (!story.setup.isOnDemand || story.accounts.has(name)) return;
  const opening = {
    timeZone: NO_ACCOUNT.tz,
    currency: NO_ACCOUNT.currency,
    billingDay: null,
    autoPay: false,
    autoInvoice: false,
  };
  story.accounts.set(name, await story.house.open(opening, today));
}

/** The account that is named, or that of the document or subscription that is; else main. */
async function accountOfAction(story: Story, action: Action): Promise<string> {
  const named = action.account ?? accountOfSelector(story, action.invoice ?? action.credit, '');
  if (named !== '') return named;
  const isSale = action.action === 'create_subscription';
  return accountFor(story, { ref: isSale ? action.bundle : action.ref });
}

async function actOn(story: Story, action: Action, today: Day): Promise<Performed> {
  const account = await accountOfAction(story, action);
  await standIn(story, account, today);
  return story.house.change([accountIdOf(story, account)], (engine, [book]) => {
    if (!book) throw new BadCase(`no account ${account}`);
    const before = copyBook(book);
    const act = readAct({ story, book, action, today });
    const preview = action.preview === true ? previewed(engine, act, { book, today }) : null;
    const answer = engine.act(book, act, today);
    for (let n = 0; n < DOWN_REPEATS_MAX && engine.repeatDown(book, today); n += 1);
    return performedOf({ account, answer, before, after: copyBook(book), preview });
  });
}

/** The items that an act would make, each in words; none of an act that is refused. */
function previewed(
  engine: Postpaid,
  act: Act,
  { book, today }: { book: Book; today: Day },
): string[] {
  const preview = engine.preview(book, act, today);
  const lines = preview.ok ? preview.lines : [];
  return lines.map((line) => JSON.stringify(shownItem(book, line)));
}

const performedOf = (
  one: Pick<Performed, 'account' | 'before' | 'after' | 'preview'> & { answer: Answer },
): Performed => ({ ...one, error: one.answer.ok ? null : one.answer.error, value: null });

async function transfer(story: Story, action: Action, today: Day): Promise<Performed> {
  const from = text(action, 'from');
  const to = text(action, 'to');
  const accounts = [accountIdOf(story, from), accountIdOf(story, to)];
  return story.house.change(accounts, (engine, [old, next]) => {
    if (!old || !next) throw new BadCase('a transfer needs two accounts');
    const before = copyBook(old);
    const terms = {
      bundle: text(action, 'bundle'),
      cancel: word(action, 'cancel', ['immediate', 'end_of_term']),
    };
    const answer = engine.transfer({ from: old, to: next }, terms, today);
    return performedOf({ account: from, answer, before, after: copyBook(old), preview: null });
  });
}

interface Reading {
  story: Story;
  book: Book;
  action: Action;
  today: Day;
}

type Reader = (reading: Reading) => Act;

const money = ({ book, action }: Reading, name: string): bigint =>
  minorOf(text(action, name), book.account.currency);

const moneyOr = <W extends string>(reading: Reading, name: string, special: W): bigint | W =>
  reading.action[name] === special ? special : money(reading, name);

const optional = <K extends string, T>(key: K, value: T | null): { [P in K]?: T } =>
  value === null ? {} : ({ [key]: value } as { [P in K]?: T });

const invoiceId = ({ story, book, action }: Reading): bigint =>
  invoiceOf(story, book, action.invoice).id;

const lineId = ({ story, book, action }: Reading): bigint =>
  lineOf(book, invoiceOf(story, book, action.invoice), object(action, 'item')).id;

const paymentId = ({ book, action }: Reading): bigint =>
  paymentNumber(book, number(action, 'payment')).id;

const saleTerms = (reading: Reading) => ({
  ...optional(
    'priceOverride',
    orNull(reading.action, 'price_override', () => money(reading, 'price_override')),
  ),
  ...optional('billingDay', orNull(reading.action, 'billing_day', number)),
});

const dated =
  (act: 'pause' | 'resume' | 'block_billing' | 'unblock_billing'): Reader =>
  ({ action }) => ({ act, ref: text(action, 'ref'), effective: day(action, 'effective') });

const bare =
  (act: SettingAction['act']): Reader =>
  () => ({ act });

const onInvoice =
  (act: 'commit_invoice' | 'void_invoice' | 'write_off'): Reader =>
  (reading) => ({ act, invoiceId: invoiceId(reading) });

const decided: Reader = (reading) => ({
  act: 'complete_payment',
  paymentId: paymentId(reading),
  result: word(reading.action, 'result', ['approved', 'declined']),
});

function when(of: Action, name: string): When {
  const value = text(of, name);
  if (value === 'immediate' || value === 'end_of_term' || value === 'start_of_term') return value;
  return parseDay(value);
}

const order = ({ action }: Reading) => word(action, 'order', ['newest_first', 'oldest_first']);

const READERS: Record<string, Reader> = {
  create_subscription: (reading) => {
    const { action } = reading;
    return {
      act: 'create_subscription',
      ref: text(action, 'ref'),
      plan: text(action, 'plan'),
      ...optional('bundle', orNull(action, 'bundle', text)),
      ...optional('effective', orNull(action, 'effective', day)),
      ...optional('quantity', orNull(action, 'quantity', number)),
      ...saleTerms(reading),
    };
  },
  create_bundles: ({ action }) => ({
    act: 'create_bundles',
    bundles: list(action, 'bundles').map((bundle) => ({
      ref: text(bundle, 'ref'),
      plan: text(bundle, 'plan'),
      addOns: (orNull(bundle, 'add_ons', list) ?? []).map((addOn) => ({
        ref: text(addOn, 'ref'),
        plan: text(addOn, 'plan'),
      })),
    })),
  }),
  change_plan: (reading) => ({
    act: 'change_plan',
    ref: text(reading.action, 'ref'),
    plan: text(reading.action, 'plan'),
    policy: word(reading.action, 'policy', ['immediate', 'end_of_term']),
    ...saleTerms(reading),
  }),
  change_quantity: ({ action }) => ({
    act: 'change_quantity',
    ref: text(action, 'ref'),
    quantity: number(action, 'quantity'),
    effective: day(action, 'effective'),
  }),
  pause: dated('pause'),
  resume: dated('resume'),
  block_billing: dated('block_billing'),
  unblock_billing: dated('unblock_billing'),
  cancel: ({ action }) => ({
    act: 'cancel',
    ref: text(action, 'ref'),
    service: when(action, 'service'),
    billing: when(action, 'billing'),
  }),
  set_billing_day: ({ action }) => ({
    act: 'set_billing_day',
    ref: text(action, 'ref'),
    day: number(action, 'day'),
    effectiveFrom: day(action, 'effective_from'),
  }),
  set_account_billing_day: ({ action }) => ({
    act: 'set_account_billing_day',
    day: number(action, 'day'),
  }),
  enable_auto_pay: bare('enable_auto_pay'),
  disable_auto_pay: bare('disable_auto_pay'),
  enable_auto_invoice: bare('enable_auto_invoice'),
  disable_auto_invoice: bare('disable_auto_invoice'),
  add_payment_method: bare('add_payment_method'),
  remove_payment_method: bare('remove_payment_method'),
  complete_pending_payment: decided,
  sweeper_resolves: decided,
  pay_invoice: (reading) => ({
    act: 'pay_invoice',
    invoiceId: invoiceId(reading),
    amount: moneyOr(reading, 'amount', 'balance'),
    ...optional('key', orNull(reading.action, 'key', text)),
  }),
  external_payment: (reading) => ({
    act: 'external_payment',
    invoiceId: invoiceId(reading),
    amount: moneyOr(reading, 'amount', 'balance'),
  }),
  pay_all_open_invoices: (reading) => ({ act: 'pay_all_open_invoices', order: order(reading) }),
  refund: (reading) => {
    const { book, action } = reading;
    const payment = paymentNumber(book, number(action, 'payment'));
    const invoice = book.rows.invoices.find(({ id }) => id === payment.invoiceId);
    if (!invoice) throw new BadCase('the payment has no invoice');
    const adjustments = (orNull(action, 'item_adjustments', list) ?? []).map((one) => ({
      lineId: lineOf(book, invoice, object(one, 'item')).id,
      amount: moneyOr({ ...reading, action: { ...action, ...one } }, 'amount', 'remaining'),
    }));
    return { act: 'refund', paymentId: payment.id, amount: money(reading, 'amount'), adjustments };
  },
  chargeback: (reading) => ({
    act: 'chargeback',
    paymentId: paymentId(reading),
    amount: minorOf(text(reading.action, 'amount'), text(reading.action, 'currency')),
  }),
  chargeback_reversed: (reading) => ({
    act: 'chargeback_reversed',
    paymentId: paymentId(reading),
  }),
  external_charge: (reading) => ({
    act: 'external_charge',
    amount: money(reading, 'amount'),
    from: day(reading.action, 'from'),
    to: orNull(reading.action, 'to', day),
    draft: orNull(reading.action, 'draft', flag) ?? false,
  }),
  commit_invoice: onInvoice('commit_invoice'),
  void_invoice: onInvoice('void_invoice'),
  write_off: onInvoice('write_off'),
  grant_credit: (reading) => ({ act: 'grant_credit', amount: money(reading, 'amount') }),
  delete_credit: ({ story, book, action }) => ({
    act: 'delete_credit',
    invoiceId: invoiceOf(story, book, field(action, 'credit')).id,
  }),
  top_up: (reading) => ({
    act: 'top_up',
    amount: money(reading, 'amount'),
    key: text(reading.action, 'key'),
  }),
  adjust_item: (reading) => ({
    act: 'adjust_item',
    lineId: lineId(reading),
    amount: moneyOr(reading, 'amount', 'remaining'),
  }),
  force_item_adjustment: (reading) => ({
    act: 'force_item_adjustment',
    lineId: lineId(reading),
    amount: money(reading, 'amount'),
  }),
  adjust_all_open_invoices: (reading) => ({
    act: 'adjust_all_open_invoices',
    order: order(reading),
  }),
  import_invoice: (reading) => ({
    act: 'import_invoice',
    lines: list(reading.action, 'items').map(
      (item): ImportedLine => ({
        type: word<LineType>(item, 'type', [
          'fixed',
          'recurring',
          'repair',
          'credit',
          'item_adjustment',
          'external_charge',
        ]),
        ref: orNull(item, 'ref', text),
        from: day(item, 'from'),
        to: orNull(item, 'to', day),
        amount: minorOf(text(item, 'amount'), reading.book.account.currency),
      }),
    ),
  }),
  generate_invoice: ({ action }) => ({ act: 'generate_invoice', target: day(action, 'target') }),
  billing_event: (reading) => ({
    act: 'set_rate',
    ref: text(reading.action, 'ref'),
    price: orNull(reading.action, 'price', () => money(reading, 'price')),
    period: orNull(reading.action, 'period', (of, name) => word(of, name, PERIODS)),
    billing: word(reading.action, 'billing', BILLINGS),
    billingDay: orNull(reading.action, 'bcd', number),
  }),
};

function readAct(reading: Reading): Act {
  const reader = READERS[reading.action.action];
  if (!reader) throw new BadCase(`there is no action ${reading.action.action}`);
  return reader(reading);
}
