/** What postpaid refuses, and what its desk does not ask for, as the API answers it. */
import type { Refusal } from '../../billing/postpaid/actions.ts';
import type { Fault } from '../../billing/postpaid/allowed.ts';

/** That no system carries it is said as of every other sale. */
type Code =
  | Exclude<Refusal, 'product_not_on_cas'>
  | Exclude<Fault, 'not_found'>
  | 'account_exists'
  | 'no_legal_entity';

/** A code without words, or words without a code, do not compile. */
export const POSTPAID_PROBLEMS = {
  account_exists: { status: 409, title: 'The subscriber has a postpaid account.' },
  no_legal_entity: { status: 409, title: 'Nobody issues invoices for this site.' },
  invalid_date_sequence: { status: 422, title: 'The days are not in their order.' },
  invalid_requested_date: {
    status: 422,
    title: 'It cannot take effect on that day: too early for this contract.',
  },
  transaction_key_exists: { status: 409, title: 'The payment was made under this key before.' },
  too_many_repairs: { status: 422, title: 'More than is left of the line.' },
  cannot_void_paid_invoice: { status: 409, title: 'Money was paid on it: refund that first.' },
  cannot_void_repaired_invoice: {
    status: 409,
    title: 'Days of it were given back on a later invoice: void that first.',
  },
  max_per_bundle_on_create: { status: 409, title: 'The bundle has as many of it as it may have.' },
  max_per_bundle_on_change: {
    status: 409,
    title: 'The bundle has as many of that plan as it may have.',
  },
  add_on_not_available: { status: 409, title: 'The base of the bundle does not offer this.' },
  plan_not_sold: { status: 422, title: 'No plan of that code is on sale from that day on.' },
  plan_change_blocked: {
    status: 409,
    title: 'Plans are not changed while the account is overdue.',
  },
  subscription_ended: { status: 409, title: 'The contract has ended.' },
  ref_exists: { status: 409, title: 'The account has a contract of that name.' },
  amount_too_large: { status: 422, title: 'More than there is to pay back.' },
  invoice_not_open: { status: 409, title: 'Nothing is to be paid on it, or not any more.' },
  more_than_open: {
    status: 409,
    title: 'More than is open on the invoice: top the account up with the rest.',
  },
  payment_pending: { status: 409, title: 'A payment of it is under way: wait for its outcome.' },
  invoice_not_draft: { status: 409, title: 'It is no draft, or not any more.' },
  invoice_closed: { status: 409, title: 'It is void, written off, or no invoice.' },
  line_not_adjustable: {
    status: 422,
    title: 'No charge of a standing invoice that may be lowered.',
  },
  credit_not_granted: {
    status: 409,
    title: 'No credit that was granted, or it was taken away before.',
  },
  too_many_contracts: { status: 409, title: 'The account has as many contracts as it may have.' },
} as const satisfies Record<Code, { status: number; title: string }>;
