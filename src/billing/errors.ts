/**
 * The catalogue of what billing answers instead of doing it, as data. The types of these answers
 * and the reference page are made from it; how they are said to a subscriber stands in the
 * language files under `refusal.<code>`.
 */

interface Refusal {
  /** What is wrong, for whoever called us. */
  sentence: string;
  /** Where the refusal is answered over HTTP. */
  httpStatus: 403 | 404 | 409 | 422;
  /**
   * A subscriber can come upon it, on USSD or by text: it has words of its own in every language.
   * The others answer staff alone, over the API.
   */
  isSpoken: boolean;
}

/** Why a command was refused. Nothing has moved, and the same key is refused again. */
export const REFUSALS = {
  unknown_card: {
    sentence: 'No such card, or it carries no subscription.',
    httpStatus: 404,
    isSpoken: true,
  },
  card_blocked: {
    sentence: 'The card is blacklisted: nothing is sold to it.',
    httpStatus: 409,
    isSpoken: true,
  },
  unknown_phone: {
    sentence: 'The phone belongs to no subscriber of this site.',
    httpStatus: 404,
    isSpoken: true,
  },
  not_a_reseller: {
    sentence: 'The phone that sends TV units is not a reseller of this site.',
    httpStatus: 403,
    isSpoken: true,
  },
  insufficient_funds: {
    sentence: 'The wallet holds less credit than the price.',
    httpStatus: 422,
    isSpoken: true,
  },
  insufficient_units: {
    sentence: 'The wallet holds fewer TV units than asked for or needed, or none were asked for.',
    httpStatus: 422,
    isSpoken: true,
  },
  too_few_units: {
    sentence: 'The TV units are worth less than the smallest credit.',
    httpStatus: 422,
    isSpoken: true,
  },
  no_tariff: {
    sentence: 'The site has no tariff of TV units at this time.',
    httpStatus: 422,
    isSpoken: true,
  },
  term_not_sold: {
    sentence: 'The term has no price at this time, or the renewal is not due.',
    httpStatus: 422,
    isSpoken: true,
  },
  product_not_on_cas: {
    sentence: 'The conditional-access system of the card does not carry what would be sold.',
    httpStatus: 422,
    isSpoken: true,
  },
  event_not_on_sale: {
    sentence: 'There is no such event at this site, or it is not on sale at this time.',
    httpStatus: 422,
    isSpoken: true,
  },
  event_already_bought: {
    sentence: 'The card has this event already.',
    httpStatus: 409,
    isSpoken: true,
  },
  no_hold: {
    sentence: 'No price is held for this purchase: it was spent or given back before.',
    httpStatus: 409,
    isSpoken: false,
  },
  not_reversible: {
    sentence:
      'The payment is unknown, was reversed before, has been spent, or went to a postpaid account.',
    httpStatus: 409,
    isSpoken: false,
  },
  currency_mismatch: {
    sentence: 'The wallet and the card belong to different sites.',
    httpStatus: 422,
    isSpoken: true,
  },
  not_refundable: {
    sentence: 'There is less paid credit than asked for; promotional credit is never money.',
    httpStatus: 422,
    isSpoken: false,
  },
  not_transferable: {
    sentence: 'There is less paid credit than asked for; promotional credit is not transferred.',
    httpStatus: 422,
    isSpoken: false,
  },
  not_in_suspense: {
    sentence: 'No money of this receipt waits for its owner.',
    httpStatus: 409,
    isSpoken: false,
  },
  claim_not_yours: {
    sentence: 'The money in suspense was paid by another phone.',
    httpStatus: 403,
    isSpoken: false,
  },
  move_not_allowed: {
    sentence: 'The payment is not the caller’s to move, or was moved or asked for before.',
    httpStatus: 403,
    isSpoken: true,
  },
  move_window_over: {
    sentence: 'The payment was made too long ago to be moved.',
    httpStatus: 409,
    isSpoken: true,
  },
  move_limit: {
    sentence: 'This phone has asked for as many moves as a month allows.',
    httpStatus: 409,
    isSpoken: true,
  },
  nothing_pending: {
    sentence: 'Nothing waits to be stopped or done.',
    httpStatus: 409,
    isSpoken: false,
  },
  tvu_country_mismatch: {
    sentence: 'Units of a country only enter an account of its currency.',
    httpStatus: 422,
    isSpoken: false,
  },
  tvu_transfer_limit: {
    sentence: 'This account has sent units as often as a day allows.',
    httpStatus: 409,
    isSpoken: true,
  },
  loan_open: {
    sentence: 'The account has an open loan.',
    httpStatus: 409,
    isSpoken: false,
  },
  loan_over_cap: {
    sentence: 'The loan and its fee are more than the site lends.',
    httpStatus: 422,
    isSpoken: false,
  },
  event_sale_over: {
    sentence: 'The event is not sold any more.',
    httpStatus: 422,
    isSpoken: true,
  },
  voucher_unknown: {
    sentence: 'No such scratch card.',
    httpStatus: 404,
    isSpoken: false,
  },
  voucher_used: {
    sentence: 'The scratch card was used before.',
    httpStatus: 409,
    isSpoken: false,
  },
  voucher_blocked: {
    sentence: 'The scratch card is blocked.',
    httpStatus: 409,
    isSpoken: false,
  },
  voucher_not_active: {
    sentence: 'The scratch card is not activated yet.',
    httpStatus: 409,
    isSpoken: false,
  },
  voucher_expired: {
    sentence: 'The scratch card has expired.',
    httpStatus: 409,
    isSpoken: false,
  },
  paused: {
    sentence: 'The subscription is paused: nothing is sold until it goes on.',
    httpStatus: 409,
    isSpoken: true,
  },
  not_paused: {
    sentence: 'The subscription is not paused.',
    httpStatus: 409,
    isSpoken: false,
  },
  not_running: {
    sentence: 'No term of the subscription runs at this time.',
    httpStatus: 409,
    isSpoken: false,
  },
  addon_not_available: {
    sentence: 'The add-on is not sold with what the subscription has.',
    httpStatus: 422,
    isSpoken: false,
  },
  addon_limit: {
    sentence: 'The subscription has this add-on as often as it may.',
    httpStatus: 409,
    isSpoken: false,
  },
  pause_limit: {
    sentence: 'The pause would be longer than the year allows.',
    httpStatus: 422,
    isSpoken: false,
  },
  trial_used: {
    sentence: 'The decoder or the person had a trial not long enough ago.',
    httpStatus: 409,
    isSpoken: false,
  },
  promotion_not_valid: {
    sentence: 'The code is unknown, or not for this plan, term or time.',
    httpStatus: 422,
    isSpoken: false,
  },
  promotion_used: {
    sentence: 'The card has used this code before.',
    httpStatus: 409,
    isSpoken: false,
  },
  promotion_budget_spent: {
    sentence: 'What is left for this code does not cover another use.',
    httpStatus: 409,
    isSpoken: false,
  },
} as const satisfies Record<string, Refusal>;

export type RefusalCode = keyof typeof REFUSALS;

/** Why money that has moved waits for staff: it is booked as suspense, and nobody's yet. */
export const SUSPENSE_REASONS = {
  unknown_account: 'Neither the reference nor the order names a card or a phone that is known.',
  wrong_currency: 'The account is kept in another currency than the payment.',
  unknown_phone: 'TV units for a phone that is no subscriber and no reseller of this site.',
} as const;

export type SuspenseReason = keyof typeof SUSPENSE_REASONS;
