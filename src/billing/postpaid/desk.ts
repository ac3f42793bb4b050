/** What an act works with: one account's book, the rules, and the ports. */

import type { Day } from '../../platform/day.ts';
import type { Book, IdSource } from './books.ts';
import type { PaymentGateway } from './gateway.ts';
import type { Catalogue, PostpaidConfig } from './plans.ts';
import type { View } from './timeline.ts';

export interface Engine {
  catalogue: Catalogue;
  config: PostpaidConfig;
  ids: IdSource;
  gateway: PaymentGateway;
  /** Whether the account can be shown all of these products; without it nobody asks. */
  isCarried?(products: readonly string[]): boolean;
}

export interface Desk extends Engine {
  book: Book;
  today: Day;
}

/** The facts as of today. */
export const viewOf = ({ book, catalogue, config, today }: Desk): View => ({
  book,
  catalogue,
  config,
  target: today,
});
