/** Sales and changes of plan. */

import { type Day, partsOf } from '../../platform/day.ts';
import {
  type ActionOf,
  type Answer,
  DONE,
  type PlanChange,
  type Refusal,
  refused,
  type Sale,
} from './actions.ts';
import { add, changeAccount } from './books.ts';
import { chargedThrough } from './charged.ts';
import { runNow } from './consequences.ts';
import { type Desk, viewOf } from './desk.ts';
import { addEvent } from './events.ts';
import { arePlanChangesAllowed } from './overdue.ts';
import { isOnSale, type Plan, planOf, productsOn } from './plans.ts';
import type { Contract, ContractEvent } from './rows.ts';
import { firstPaidDay } from './segments.ts';
import { allPlanSpans, endOf, eventsOf } from './timeline.ts';

/** The contract that a ref names; of several that followed each other, the last. */
export function contractOf({ book }: Pick<Desk, 'book'>, ref: string): Contract {
  const contract = book.rows.contracts.findLast((row) => row.ref === ref);
  if (!contract) throw new Error(`The account has no subscription ${ref}`);
  return contract;
}

/** The answer of an act that ends with a run. */
export function afterRun(desk: Desk): Answer {
  const result = runNow(desk);
  if (!result.ok) return result;
  return { ok: true, documentId: result.invoice?.id ?? null, paymentId: null };
}

export function createSubscription(desk: Desk, action: ActionOf<'create_subscription'>): Answer {
  const sold = sell(desk, action);
  return sold.ok ? afterRun(desk) : sold;
}

/** Bases with their add-ons in one act and one run. */
export function createBundles(desk: Desk, { bundles }: ActionOf<'create_bundles'>): Answer {
  const sales = bundles.flatMap(({ addOns, ...base }): Sale[] => [
    base,
    ...addOns.map((addOn) => ({ ...addOn, bundle: base.ref })),
  ]);
  for (const sale of sales) {
    const sold = sell(desk, sale);
    if (!sold.ok) return sold;
  }
  return afterRun(desk);
}

function sell(desk: Desk, sale: Sale): Answer {
  const { book, ids, today } = desk;
  const startsOn = sale.effective ?? today;
  const plan = planSold(desk, sale.plan, startsOn);
  if (typeof plan === 'string') return refused(plan);
  const base = sale.bundle === undefined ? null : contractOf(desk, sale.bundle);
  if (plan.addOn && !base) return refused('add_on_not_available');
  if (book.rows.contracts.some(({ ref }) => ref === sale.ref)) return refused('ref_exists');
  const refusal = base && refusalOfAddOn(desk, base, { plan, startsOn });
  if (refusal) return refusal;
  const contract = add(book, 'contracts', {
    id: ids.next(),
    accountId: book.account.id,
    ref: sale.ref,
    baseId: base?.id ?? null,
    soldOn: today,
    startsOn,
    continuesId: null,
  });
  const phasesFrom =
    plan.addOn?.phasesFrom === 'bundle_start' && base ? originOf(desk, base) : startsOn;
  const price = sale.priceOverride ?? null;
  addEvent(desk, contract, {
    kind: 'plan',
    effective: startsOn,
    planCode: plan.code,
    phasesFrom,
    price,
  });
  const { quantity, billingDay } = sale;
  if (quantity) addEvent(desk, contract, { kind: 'quantity', effective: startsOn, quantity });
  if (billingDay) {
    addEvent(desk, contract, { kind: 'billing_day', effective: startsOn, day: billingDay });
  }
  takeBillingDay(desk, contract);
  return DONE;
}

/** The plan of a code, or why it cannot be sold from a day on. */
function planSold(desk: Desk, code: string, day: Day): Plan | Refusal {
  const plan = desk.catalogue.get(code);
  if (!plan || !isOnSale(plan, day)) return 'plan_not_sold';
  return isShown(desk, plan, day) ? plan : 'product_not_on_cas';
}

/** Can the account be shown what a plan holds on a day? */
export const isShown = ({ isCarried }: Desk, plan: Plan, day: Day): boolean =>
  isCarried?.(productsOn(plan, day)) ?? true;

function refusalOfAddOn(
  desk: Desk,
  base: Contract,
  { plan, startsOn }: { plan: Plan; startsOn: Day },
): Answer | null {
  if (startsOn < base.startsOn) return refused('invalid_requested_date');
  if (!isOffered(desk, base, { plan, startsOn })) return refused('add_on_not_available');
  return isFull(desk, base, { plan, startsOn }) ? refused('max_per_bundle_on_create') : null;
}

/** Does the base's plan of that day offer the add-on, and does the base go on? */
function isOffered(
  desk: Desk,
  base: Contract,
  { plan, startsOn }: { plan: Plan; startsOn: Day },
): boolean {
  const view = viewOf(desk);
  const span = allPlanSpans(view, base).findLast(({ from }) => from <= startsOn);
  const isOn = startsOn < endOf(view, base, 'end_service');
  return isOn && (plan.addOn?.availableWith.includes(span?.plan?.code ?? '') ?? false);
}

/** Has the bundle as many of an add-on as it may have? */
function isFull(
  desk: Desk,
  base: Contract,
  { plan, startsOn }: { plan: Plan; startsOn: Day },
): boolean {
  const view = viewOf(desk);
  const same = desk.book.rows.contracts.filter(
    (row) =>
      row.baseId === base.id &&
      endOf(view, row, 'end_service') > startsOn &&
      allPlanSpans(view, row).some((span) => span.plan?.code === plan.code && span.to > startsOn),
  );
  return plan.addOn !== null && same.length >= plan.addOn.maxPerBundle;
}

/** The day from which the phases of a contract's first plan are counted. */
export const originOf = ({ book }: Pick<Desk, 'book'>, contract: Contract): Day =>
  eventsOf(book, contract, ['plan'])[0]?.phasesFrom ?? contract.startsOn;

/** An account without a billing day takes that of the first paid phase of its first sale. */
export function takeBillingDay(desk: Desk, contract: Contract): void {
  if (desk.book.account.billingDay !== null) return;
  const { day } = partsOf(firstPaidDay(viewOf(desk), contract));
  changeAccount(desk.book, { billingDay: day });
}

export function changePlan(desk: Desk, action: ActionOf<'change_plan'>): Answer {
  const contract = contractOf(desk, action.ref);
  const effective = changeDay(desk, contract, action);
  const plan = planSold(desk, action.plan, effective);
  if (typeof plan === 'string') return refused(plan);
  const refusal = refusalOfChange(desk, contract, { plan, effective });
  if (refusal) return refusal;
  addEvent(desk, contract, {
    kind: 'plan',
    effective,
    planCode: plan.code,
    phasesFrom: phasesFromOf(desk, contract, { plan, effective }),
    price: action.priceOverride ?? null,
  });
  const { billingDay } = action;
  if (billingDay) addEvent(desk, contract, { kind: 'billing_day', effective, day: billingDay });
  return afterRun(desk);
}

function changeDay(desk: Desk, contract: Contract, { policy }: PlanChange): Day {
  const earliest = Math.max(desk.today, contract.startsOn);
  if (policy === 'immediate') return earliest;
  return Math.max(earliest, chargedThrough(desk.book, contract));
}

function refusalOfChange(
  desk: Desk,
  contract: Contract,
  { plan, effective }: { plan: Plan; effective: Day },
): Answer | null {
  const view = viewOf(desk);
  if (!arePlanChangesAllowed(desk.book)) return refused('plan_change_blocked');
  if (effective >= endOf(view, contract, 'end_service')) return refused('subscription_ended');
  const base = desk.book.rows.contracts.find((row) => row.id === contract.baseId);
  if (!base) return plan.addOn ? refused('add_on_not_available') : null;
  if (!isOffered(desk, base, { plan, startsOn: effective })) {
    return refused('add_on_not_available');
  }
  const now = allPlanSpans(view, contract).findLast(({ from }) => from <= effective);
  if (now?.plan?.code === plan.code) return null;
  const isTooMany = isFull(desk, base, { plan, startsOn: effective });
  return isTooMany ? refused('max_per_bundle_on_change') : null;
}

function phasesFromOf(
  desk: Desk,
  contract: Contract,
  { plan, effective }: { plan: Plan; effective: Day },
): ContractEvent['phasesFrom'] {
  if (plan.phasesOnChange === 'change_date') return effective;
  const base = desk.book.rows.contracts.find((row) => row.id === contract.baseId);
  if (!base) return originOf(desk, contract);
  if (plan.addOn?.phasesFrom === 'bundle_start') return originOf(desk, base);
  const first = eventsOf(desk.book, contract, ['plan'])[0];
  const own = first?.planCode ? planOf(desk.catalogue, first.planCode).addOn?.phasesFrom : null;
  return own === 'subscription_start' ? originOf(desk, contract) : contract.startsOn;
}
