/** What each act that moves money needs, so that it can be done: by the route that does it. */
import { type Route, routeName } from '../../../src/backoffice/api/route.ts';
import type { Action } from '../../../src/billing/postpaid/actions.ts';
import { dayOf } from '../../../src/platform/day.ts';
import { furnishPostpaid, type Named } from './fixtures.ts';
import type { Office } from './office.ts';

export interface Prepared {
  named: Named;
  body: Record<string, unknown>;
  /** Another body for the same act. */
  other: Record<string, unknown>;
}

/** Paths of acts that book again when they are asked for again; the others are refused then. */
export const ACTS_AGAIN = new RegExp(
  `/(${[
    ...['top-ups', 'promotional-credits', 'refunds', 'credit-transfers', 'terms'],
    ...['renewal-requests', 'contracts', 'invoices', 'external-charges', 'gateway-payments'],
    ...['external-payments', 'chargebacks', 'credits', 'adjustments'],
  ].join('|')})$`,
);

interface Changes {
  named?: Named;
  body?: Record<string, unknown>;
  other?: Record<string, unknown>;
}
type Prepare = (office: Office, named: Named) => Changes | Promise<Changes>;

const PHONE = '+254711000111';
const SOME = { amount: { amount: '0.50', currency: 'KES' } };
const ONE = { amount: { amount: '1.00', currency: 'KES' } };
const WHY = { reason: 'quite another one' };

/** `named`: of a customer with 1,000.00 KES and nothing bought. */
export async function prepareMoney(office: Office, route: Route, named: Named): Promise<Prepared> {
  const changes = (await NEEDS[routeName(route)]?.(office, named)) ?? {};
  const body = { ...(route.example as Record<string, unknown>), ...changes.body };
  return {
    named: { ...named, ...changes.named },
    body,
    other: { ...body, ...(changes.other ?? WHY) },
  };
}

const numberOf = async (office: Office, { cardId }: Named): Promise<string> => {
  const [card] = await office.rows('SELECT number FROM card WHERE id = $1', [cardId]);
  return String(card?.number);
};

/** Its month is paid. */
async function running(office: Office, named: Named): Promise<void> {
  await office.pay('NBO', { amount: 65_000n, accountRef: await numberOf(office, named) });
  await office.pay('NBO', { amount: 65_000n, accountRef: String(named.phone) });
}

/** The id of what came in last. */
async function lastPayment(office: Office): Promise<{ paymentId: string; receipt: string }> {
  const [row] = await office.rows(
    `SELECT id, receipt FROM inbox WHERE channel_id = 'paybill-NBO' ORDER BY id DESC LIMIT 1`,
  );
  return { paymentId: String(row?.id), receipt: String(row?.receipt) };
}

/** Paid by a known phone for the card, which was the wrong one. */
async function wronglyPaid(office: Office, named: Named) {
  const payment = { amount: 65_000n, accountRef: await numberOf(office, named) };
  // A phone may ask for two moves a month.
  const [{ n } = { n: 0n }] = await office.rows('SELECT count(*) AS n FROM inbox');
  const payerPhone = `+2547220${String(n).padStart(5, '0')}`;
  await office.pay('NBO', { ...payment, payerMsisdn: payerPhone });
  const other = await office.customer('NBO');
  return { ...(await lastPayment(office)), payerPhone, toCardNumber: other.number };
}

const TODAY = dayOf(2026, 11, 23);
const ACCOUNT = 'POST /postpaid-accounts/{accountId}';
const CONTRACT = `${ACCOUNT}/contracts/{contractId}`;
const INVOICE = `${ACCOUNT}/invoices/{invoiceId}`;

/** Something done to the account before. */
const after =
  (actionOf: (named: Named) => Action, more: Changes = {}): Prepare =>
  async ({ postpaid, ids }, named) => {
    const key = `before-${await ids.take()}`;
    await postpaid.act(BigInt(String(named.accountId)), key, actionOf(named));
    return more;
  };

/** A charge that nobody has paid, in place of the invoice. */
async function charged({ postpaid, ids }: Office, named: Named, draft: boolean): Promise<Changes> {
  const charge = { act: 'external_charge', amount: 500n, from: TODAY, to: null, draft } as const;
  const account = BigInt(String(named.accountId));
  const made = await postpaid.act(account, `charge-${await ids.take()}`, charge);
  if (!made.ok || !made.value.ok) throw new Error('Not charged');
  return { named: { invoiceId: String(made.value.documentId) } };
}

const POSTPAID_NEEDS: Readonly<Record<string, Prepare>> = {
  [`${ACCOUNT}/contracts`]: () => ({ other: { ref: 'rooms-west' } }),
  [`${CONTRACT}/add-ons`]: () => ({ other: { quantity: 2 } }),
  [`${CONTRACT}/resumptions`]: after(() => ({ act: 'pause', ref: 'rooms', effective: TODAY })),
  [`${CONTRACT}/transfers`]: async (office, named) => {
    const { subscriberId } = await office.customer('NBO');
    const { accountId } = await furnishPostpaid(office, 'NBO', subscriberId);
    return { named, body: { toAccountId: accountId } };
  },
  [`${ACCOUNT}/invoices`]: () => ({ other: { target: '2027-01-31' } }),
  [`${ACCOUNT}/external-charges`]: () => ({ other: ONE }),
  [`${INVOICE}/commitments`]: (office, named) => charged(office, named, true),
  [`${INVOICE}/voidings`]: (office, named) => charged(office, named, false),
  [`${INVOICE}/gateway-payments`]: () => ({ other: ONE }),
  [`${INVOICE}/external-payments`]: () => ({ other: ONE }),
  [`${ACCOUNT}/payments/{invoicePaymentId}/refunds`]: () => ({ body: ONE, other: SOME }),
  [`${ACCOUNT}/payments/{invoicePaymentId}/chargebacks`]: () => ({ body: ONE, other: SOME }),
  [`${ACCOUNT}/payments/{invoicePaymentId}/chargeback-reversals`]: after(
    ({ invoicePaymentId }) => ({
      ...{ act: 'chargeback', paymentId: BigInt(String(invoicePaymentId)), amount: 100n },
    }),
  ),
  [`${ACCOUNT}/top-ups`]: () => ({ other: ONE }),
  [`${ACCOUNT}/credits`]: () => ({ other: ONE }),
  [`${INVOICE}/credit-removals`]: (_office, { creditId }) => ({
    named: { invoiceId: String(creditId) },
  }),
};

const NEEDS: Readonly<Record<string, Prepare>> = {
  ...POSTPAID_NEEDS,
  'POST /subscribers/{subscriberId}/top-ups': () => ({ other: ONE }),
  'POST /subscribers/{subscriberId}/promotional-credits': () => ({ other: ONE }),
  'POST /subscribers/{subscriberId}/refunds': () => ({ other: ONE }),
  'POST /subscribers/{subscriberId}/credit-transfers': async (office) => {
    const { subscriberId } = await office.customer('NBO');
    return { body: { toSubscriberId: String(subscriberId) }, other: ONE };
  },
  'POST /cards/{cardId}/terms': () => ({ other: { term: 'day' } }),
  'POST /cards/{cardId}/renewal-requests': () => ({ other: { term: 'day' } }),
  'POST /cards/{cardId}/auto-renewals': () => ({ other: { term: 'day' } }),
  'POST /cards/{cardId}/plan-changes': () => ({ other: { policy: 'immediate' } }),
  'POST /cards/{cardId}/add-ons': async (office, named) => {
    await running(office, named);
    return { other: { bouquet: 'PREMIUM' } };
  },
  'POST /cards/{cardId}/pauses': async (office, named) => {
    await running(office, named);
    return { other: { days: 8 } };
  },
  'POST /cards/{cardId}/pause-endings': async (office, named) => {
    await running(office, named);
    await office.settle('NBO', { kind: 'pause', cardId: BigInt(String(named.cardId)), days: 5 });
    return {};
  },
  'POST /cards/{cardId}/vouchers': async (office) => ({
    body: { code: await office.voucher('KES', 10_000n) },
    other: { code: '0000 0000 0000' },
  }),
  'POST /sites/{site}/free-days': async (office, named) => {
    await running(office, named);
    return { body: { cardIds: [named.cardId] }, other: { days: 2 } };
  },
  'POST /suspense/{paymentId}/claims': async (office, named) => {
    await office.pay('NBO', { amount: 5_000n, accountRef: 'nobody', payerMsisdn: PHONE });
    const { paymentId } = await lastPayment(office);
    const cardNumber = await numberOf(office, named);
    return { named: { paymentId }, body: { cardNumber } };
  },
  'POST /payments/{paymentId}/moves': async (office, named) => {
    const { paymentId, payerPhone, toCardNumber } = await wronglyPaid(office, named);
    return { named: { paymentId }, body: { payerPhone, toCardNumber } };
  },
  'POST /payments/{paymentId}/objections': async (office, named) => {
    const { paymentId, receipt, payerPhone, toCardNumber } = await wronglyPaid(office, named);
    const original = { provider: 'mpesa', receipt };
    const payerMsisdn = payerPhone;
    await office.settle('NBO', { kind: 'move_payment', original, toCardNumber, payerMsisdn });
    return { named: { paymentId } };
  },
};
