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
  /** Has words of its own in every language; where not, a subscriber hears `try_later`. */
  isSpoken: boolean;
}

/** Why a command was refused. Nothing has moved, and the same key is refused again. */
export const REFUSALS = {
  unknown_card: {
    sentence: 'No such card, or it carries no subscription.',
    httpStatus: 404,
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
    sentence: 'The payment is unknown, was reversed before, or its money is spent already.',
    httpStatus: 409,
    isSpoken: false,
  },
  currency_mismatch: {
    sentence: 'The wallet and the card belong to different sites.',
    httpStatus: 422,
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
