/**
 * The chart of accounts. Signs: credit is positive (what we owe and earn), debit negative (what we
 * own, are owed and spend), so the entries of a journal sum to zero per asset.
 *
 * `exact` accounts have a balance row with a floor that the database checks. `folded` accounts are
 * shared by many payments: nothing is updated when one moves, the balance is what was folded plus
 * the entries since.
 */
export const CHART = {
  wallet_paid: 'exact',
  wallet_promo: 'exact',
  tvu_wallet: 'exact',
  held: 'exact',
  provider_clearing: 'folded',
  deferred_revenue: 'folded',
  earned_revenue: 'folded',
  tax_payable: 'folded',
  suspense: 'folded',
  tvu_liability: 'folded',
  tariff_gain_loss: 'folded',
  tvu_issued: 'folded',
  tvu_conversion: 'folded',
  receivable: 'folded',
  loan_receivable: 'folded',
  voucher_liability: 'folded',
  promo_expense: 'folded',
  breakage: 'folded',
  commission_expense: 'folded',
  commission_payable: 'folded',
  customer_credit: 'folded',
  external_clearing: 'folded',
  bad_debt: 'folded',
  exchange: 'folded',
} as const;

export type AccountKind = keyof typeof CHART;

/**
 * `owner`: `site:<id>` (`site:<id>:<tax>` for what it owes of one tax, `site:<id>:invoices` for
 * what it has not earned of documents), `channel:<id>`, `subscriber:<id>`, `reseller:<id>`,
 * `postpaid:<id>`.
 */
export interface AccountName {
  owner: string;
  kind: AccountKind;
  asset: string;
}

/** Code of a tax that has none: of pay-per-view, and of price lists with one rate. */
export const NAMELESS_TAX = 'TAX';

/** Whose `tax_payable` a tax of a site is: `site:<id>:<code>`, without a code the site's own. */
export const taxOwner = (siteId: bigint, code: string): string =>
  code === NAMELESS_TAX ? `site:${siteId}` : `site:${siteId}:${code}`;

/** The key under which an account is found in a map. */
export const accountKey = ({ owner, kind, asset }: AccountName): string =>
  `${owner}|${kind}|${asset}`;
