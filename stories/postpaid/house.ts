/** What postpaid stories drive: accounts that are worked on by the engine and read. */
import type { Book } from '../../src/billing/postpaid/books.ts';
import type { PaymentGateway } from '../../src/billing/postpaid/gateway.ts';
import type { Opening, Postpaid } from '../../src/billing/postpaid/postpaid.ts';
import type { Day } from '../../src/platform/day.ts';
import type { Setup } from './setup.ts';

export interface HouseSetup extends Setup {
  gateway: PaymentGateway;
}

export type NewAccount = Omit<Opening, 'id'>;

export interface PostpaidHouse {
  /** Opens an account; its id is how it is asked for. */
  open(opening: NewAccount, today: Day): Promise<bigint>;
  /** Works on the books of accounts (in the order asked for) and keeps what it did. */
  change<T>(accounts: readonly bigint[], fn: (engine: Postpaid, books: Book[]) => T): Promise<T>;
  /** Reads one account; what `fn` changes is not kept. */
  read<T>(account: bigint, fn: (book: Book) => T): Promise<T>;
  close(): Promise<void>;
}

/** The currency of an act's first account, in whose decimals its plans are priced. */
export function currencyOf([first]: readonly Book[]): string {
  if (!first) throw new Error('An act is on an account');
  return first.account.currency;
}
