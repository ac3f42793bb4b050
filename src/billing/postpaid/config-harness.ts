/** The rules of the house as tests and benches bill by them. */
import { HOUSE_RULES } from './markets.ts';
import type { PostpaidConfig } from './plans.ts';

export const CONFIG: PostpaidConfig = {
  ...HOUSE_RULES,
  alignment: { default: 'account', annual: 'subscription', addOn: 'bundle' },
  monthDays: null,
  retryDays: [8, 8, 8],
};
