/** The rules by which stories of our own are told, beside those that a file tells. */
export const CONFIG = {
  term_end: 'rest_of_day_free',
  month_anchor: 'kept',
  payment: { buys: 'credit', under: 'credit', over: 'one_term', day_rate: 'month/30' },
  grace: { hours: 0, next_term: 'from_now' },
  lots: { promo_priority: 10, paid_priority: 20 },
  move: { window_hours: 48, per_month: 99, objection_minutes: 0 },
  reversal: { rights: 'withdraw' },
  pause: { days_per_year: 60 },
  trial: { days: 14, once_in_months: 24 },
  upgrade: 'convert_days',
  loan: { term: 'week', fee: '20.00', cap: '400.00' },
  voucher: { repeat_minutes: 0 },
  tvu: { credit_step: null, transfers_per_day: null, leave_at_least: 0 },
  commission: null,
} as const;
