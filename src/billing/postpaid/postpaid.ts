/**
 * The postpaid engine: every act on an account, the automatic work of a day, and previews. Pure
 * but for the gateway; it works on books that somebody else loads and stores.
 */

import type { Day } from '../../platform/day.ts';
import {
  type Action,
  type ActionOf,
  type Answer,
  DONE,
  type Refusal,
  type SettingAction,
  type Settings,
} from './actions.ts';
import * as documents from './acts-documents.ts';
import * as life from './acts-life.ts';
import * as money from './acts-money.ts';
import * as sales from './acts-sales.ts';
import { type Transfer, transferBundle } from './acts-transfer.ts';
import { adopt, type Book, type Books, changeAccount, copyBook, openBook } from './books.ts';
import { conclude, workDay } from './consequences.ts';
import type { Desk, Engine } from './desk.ts';
import { pendingGateway } from './gateway.ts';
import { collectAll, repeatDown } from './payments.ts';
import type { InvoiceLine, PostpaidAccount } from './rows.ts';

export interface Opening {
  id: bigint;
  timeZone: string;
  currency: string;
  billingDay: number | null;
  autoPay: boolean;
  autoInvoice: boolean;
}

export type Preview =
  | { ok: true; lines: InvoiceLine[]; total: bigint }
  | { ok: false; error: Refusal };

export interface Postpaid {
  /** Opens an account with a payment method on file; its book is added to `books`. */
  open(books: Books, opening: Opening, today: Day): Book;
  /** Does an act with all that follows at once. A refusal changes nothing but parking. */
  act(book: Book, action: Action, today: Day): Answer;
  /** The same for an act on two accounts; `to` may be of another market, with an engine of its. */
  transfer(
    accounts: { from: Book; to: Book; toEngine?: Engine },
    transfer: Transfer,
    today: Day,
  ): Answer;
  /** The automatic work of a day and of all days since the last work. */
  work(book: Book, day: Day): void;
  /** Repeats payments that did not reach the gateway; true if there were any. */
  repeatDown(book: Book, today: Day): boolean;
  /** The lines of the documents that an act would make, nothing being changed or collected. */
  preview(book: Book, action: Action, today: Day): Preview;
}

export function createPostpaid(engine: Engine): Postpaid {
  const desk = (book: Book, today: Day): Desk => ({ ...engine, book, today });
  return {
    open: (books, opening, today) => openAccount(books, opening, today),
    act: (book, action, today) => act(desk(book, today), action),
    transfer: ({ from, to, toEngine = engine }, transfer, today) =>
      transferBetween(desk(from, today), { ...toEngine, book: to, today }, transfer),
    work: (book, day) => workDay(desk(book, day)),
    repeatDown: (book, today) => {
      const repeated = repeatDown(desk(book, today));
      if (repeated) conclude(desk(book, today));
      return repeated;
    },
    preview: (book, action, today) => preview(desk(book, today), action),
  };
}

function openAccount(books: Books, opening: Opening, today: Day): Book {
  const account: PostpaidAccount = {
    ...opening,
    openedOn: today,
    paymentMethod: true,
    parked: false,
    lastTarget: null,
    workedThrough: today,
  };
  const book = openBook(account);
  book.added.add(account.id);
  books.set(account.id, book);
  return book;
}

/** Works on a copy, which becomes the book unless the act is refused. */
function act(desk: Desk, action: Action): Answer {
  const copy = { ...desk, book: copyBook(desk.book) };
  const answer = perform(copy, action);
  if (answer.ok) {
    conclude(copy);
    adopt(desk.book, copy.book);
  } else if (copy.book.account.parked) changeAccount(desk.book, { parked: true });
  return answer;
}

function transferBetween(from: Desk, to: Desk, transfer: Transfer): Answer {
  const old = { ...from, book: copyBook(from.book) };
  const next = { ...to, book: copyBook(to.book) };
  const answer = transferBundle(old, next, transfer);
  if (answer.ok) {
    conclude(old);
    conclude(next);
    adopt(from.book, old.book);
    adopt(to.book, next.book);
    return answer;
  }
  for (const [desk, copy] of [
    [from, old],
    [to, next],
  ] as const) {
    if (copy.book.account.parked) changeAccount(desk.book, { parked: true });
  }
  return answer;
}

type Performers = { [A in Action['act']]: (desk: Desk, action: ActionOf<A>) => Answer };

const PERFORMERS: Performers = {
  create_subscription: sales.createSubscription,
  create_bundles: sales.createBundles,
  change_plan: sales.changePlan,
  change_quantity: life.changeQuantity,
  pause: life.stopOrGoOn,
  resume: life.stopOrGoOn,
  block_billing: life.stopOrGoOn,
  unblock_billing: life.stopOrGoOn,
  cancel: life.cancel,
  set_billing_day: life.setBillingDay,
  set_account_billing_day: life.setAccountBillingDay,
  set_rate: life.setRate,
  pay_invoice: money.payInvoice,
  external_payment: money.externalPayment,
  pay_all_open_invoices: money.payAllOpen,
  complete_payment: money.completePayment,
  receive_payment: money.receivePayment,
  refund: money.refund,
  chargeback: money.chargeback,
  chargeback_reversed: money.chargebackReversed,
  external_charge: documents.externalCharge,
  commit_invoice: documents.commitInvoice,
  void_invoice: documents.voidInvoice,
  write_off: documents.writeOff,
  grant_credit: documents.grantCredit,
  delete_credit: documents.deleteCredit,
  top_up: documents.topUp,
  adjust_item: documents.adjustItem,
  force_item_adjustment: documents.forceItemAdjustment,
  adjust_all_open_invoices: documents.adjustAllOpen,
  import_invoice: documents.importInvoice,
  generate_invoice: documents.generateInvoice,
  enable_auto_pay: (desk) => {
    changeAccount(desk.book, { autoPay: true });
    collectAll(desk);
    return DONE;
  },
  disable_auto_pay: (desk) => set(desk, { autoPay: false }),
  enable_auto_invoice: (desk) => {
    changeAccount(desk.book, { autoInvoice: true });
    return sales.afterRun(desk);
  },
  disable_auto_invoice: (desk) => set(desk, { autoInvoice: false }),
  add_payment_method: (desk) => set(desk, { paymentMethod: true }),
  remove_payment_method: (desk) => set(desk, { paymentMethod: false }),
  change_settings: changeSettings,
};

/** Each setting as its own act does it; what there is to pay with first, runs last. */
function changeSettings(desk: Desk, settings: Settings): Answer {
  const { billingDay, autoPay, autoInvoice, paymentMethod } = settings;
  const acts: (Action | null)[] = [
    actOfSwitch(paymentMethod, 'add_payment_method', 'remove_payment_method'),
    actOfSwitch(autoPay, 'enable_auto_pay', 'disable_auto_pay'),
    actOfSwitch(autoInvoice, 'enable_auto_invoice', 'disable_auto_invoice'),
    billingDay === undefined ? null : { act: 'set_account_billing_day', day: billingDay },
  ];
  for (const one of acts) {
    const answer = one ? perform(desk, one) : DONE;
    if (!answer.ok) return answer;
  }
  return DONE;
}

const actOfSwitch = (
  isOn: boolean | undefined,
  on: SettingAction['act'],
  off: SettingAction['act'],
): Action | null => (isOn === undefined ? null : { act: isOn ? on : off });

function set(desk: Desk, fields: Partial<PostpaidAccount>): Answer {
  changeAccount(desk.book, fields);
  return DONE;
}

function perform<A extends Action['act']>(desk: Desk, action: ActionOf<A>): Answer {
  const performer: (desk: Desk, action: ActionOf<A>) => Answer = PERFORMERS[action.act as A];
  return performer(desk, action);
}

/** Done on a copy, with a gateway that is never asked. */
function preview(desk: Desk, action: Action): Preview {
  const book = copyBook(desk.book);
  const quiet: Desk = { ...desk, book, gateway: pendingGateway };
  const before = new Set(book.rows.invoices.map(({ id }) => id));
  const answer = perform(quiet, action);
  if (!answer.ok) return answer;
  conclude(quiet);
  const made = book.rows.invoices.filter(({ id, kind }) => kind !== 'credit' && !before.has(id));
  const ids = new Set(made.map(({ id }) => id));
  const lines = book.rows.lines.filter(({ invoiceId }) => ids.has(invoiceId));
  return { ok: true, lines, total: lines.reduce((sum, { amount }) => sum + amount, 0n) };
}
