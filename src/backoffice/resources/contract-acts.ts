/** What may be asked of contracts: the same words for doing it and for looking at it first. */
import { z } from 'zod';
import type { Action } from '../../billing/postpaid/actions.ts';
import type { AccountLook } from '../../billing/postpaid/look.ts';
import { dayIn, id, text } from '../api/fields.ts';

const ref = z.string().regex(/^[\w.-]{1,60}$/);
const plan = text(60);
const dayOfMonth = z.int().min(1).max(31);
const quantity = z.int().min(1).max(10_000);
/** A rule, or the first day without. */
const when = z.union([z.enum(['immediate', 'end_of_term', 'start_of_term']), dayIn]);
const sold = {
  ref,
  plan,
  quantity: quantity.optional(),
  /** The first day; today, if not given. */
  effective: dayIn.optional(),
};
/** From today on, if no day is given. */
const effective = { effective: dayIn.optional() };
const ADD_ONS_MAX = 20;

/** What each act is asked with, beside its contract. */
export const SHAPES = {
  sell: {
    ...sold,
    billingDay: dayOfMonth.optional(),
    /** Sold with it in one act, from the same day. */
    addOns: z
      .array(z.strictObject({ ref, plan, quantity: quantity.optional() }))
      .max(ADD_ONS_MAX)
      .default([]),
  },
  add_on: sold,
  change_plan: {
    plan,
    policy: z.enum(['immediate', 'end_of_term']),
    billingDay: dayOfMonth.optional(),
  },
  change_quantity: { quantity, ...effective },
  pause: effective,
  resume: effective,
  block_billing: effective,
  unblock_billing: effective,
  cancel: { service: when, billing: when },
  set_billing_day: { day: dayOfMonth, effectiveFrom: dayIn.optional() },
} as const;

const of = { contractId: id };

/** An act as it is looked at before it is done. */
export const accountAct = z.discriminatedUnion('act', [
  z.strictObject({ act: z.literal('sell'), ...SHAPES.sell }),
  z.strictObject({ act: z.literal('add_on'), ...of, ...SHAPES.add_on }),
  z.strictObject({ act: z.literal('change_plan'), ...of, ...SHAPES.change_plan }),
  z.strictObject({ act: z.literal('change_quantity'), ...of, ...SHAPES.change_quantity }),
  z.strictObject({ act: z.literal('pause'), ...of, ...effective }),
  z.strictObject({ act: z.literal('resume'), ...of, ...effective }),
  z.strictObject({ act: z.literal('block_billing'), ...of, ...effective }),
  z.strictObject({ act: z.literal('unblock_billing'), ...of, ...effective }),
  z.strictObject({ act: z.literal('cancel'), ...of, ...SHAPES.cancel }),
  z.strictObject({ act: z.literal('set_billing_day'), ...of, ...SHAPES.set_billing_day }),
  z.strictObject({ act: z.literal('set_account_billing_day'), day: dayOfMonth }),
  z.strictObject({ act: z.literal('generate_invoice'), target: dayIn }),
]);
export type AccountAct = z.output<typeof accountAct>;
/** An act on one contract. */
export type ContractAct = Extract<AccountAct, { contractId: bigint }>;

/** The act in the engine's words; null when the account has no such contract. */
export function actionOf(look: AccountLook, said: AccountAct): Action | null {
  if ('contractId' in said) return actionOnContract(look, said);
  switch (said.act) {
    case 'sell':
      return saleOf(said);
    case 'set_account_billing_day':
    case 'generate_invoice':
      return said;
  }
}

type Given<T> = { [K in keyof T]: Exclude<T[K], undefined> };

/** Without what was not said. */
const given = <T extends object>(fields: T): Partial<Given<T>> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Partial<
    Given<T>
  >;

function saleOf({ addOns, ...base }: Extract<AccountAct, { act: 'sell' }>): Action {
  const { ref: name, plan: code, quantity: units, effective: from, billingDay } = base;
  const sale = {
    ref: name,
    plan: code,
    ...given({ quantity: units, effective: from, billingDay }),
  };
  if (addOns.length === 0) return { act: 'create_subscription', ...sale };
  const together = addOns.map(({ quantity: count, ...addOn }) => ({
    ...addOn,
    ...given({ quantity: count, effective: from }),
  }));
  return { act: 'create_bundles', bundles: [{ ...sale, addOns: together }] };
}

function actionOnContract({ book, today }: AccountLook, said: ContractAct): Action | null {
  const contract = book.rows.contracts.find((row) => row.id === said.contractId);
  if (!contract) return null;
  const on = { ref: contract.ref };
  switch (said.act) {
    case 'add_on': {
      const { ref: name, plan: code, quantity: units, effective: from } = said;
      const more = given({ quantity: units, effective: from });
      return {
        ...{ act: 'create_subscription', ref: name, plan: code, bundle: contract.ref },
        ...more,
      };
    }
    case 'change_plan': {
      const { act, plan: code, policy, billingDay } = said;
      return { act, ...on, plan: code, policy, ...given({ billingDay }) };
    }
    case 'change_quantity':
      return {
        ...{ act: said.act, ...on, quantity: said.quantity },
        effective: said.effective ?? today,
      };
    case 'cancel':
      return { act: said.act, ...on, service: said.service, billing: said.billing };
    case 'set_billing_day':
      return {
        ...{ act: said.act, ...on, day: said.day },
        effectiveFrom: said.effectiveFrom ?? today,
      };
    default:
      return { act: said.act, ...on, effective: said.effective ?? today };
  }
}
