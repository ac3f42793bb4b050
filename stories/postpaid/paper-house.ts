/** A house on paper: all books in memory. */
import { type Book, type Books, copyBook } from '../../src/billing/postpaid/books.ts';
import { createPostpaid } from '../../src/billing/postpaid/postpaid.ts';
import { BadCase } from '../result.ts';
import type { HouseSetup, PostpaidHouse } from './house.ts';

export function createPaperHouse({ catalogue, config, gateway }: HouseSetup): PostpaidHouse {
  let last = 0n;
  const ids = {
    next: () => {
      last += 1n;
      return last;
    },
  };
  const engine = createPostpaid({ catalogue, config, ids, gateway });
  const books: Books = new Map();
  const bookOf = (account: bigint): Book => {
    const book = books.get(account);
    if (!book) throw new BadCase(`no account ${account}`);
    return book;
  };
  return {
    open: async (opening, today) => {
      const id = ids.next();
      engine.open(books, { ...opening, id }, today);
      return id;
    },
    change: async (accounts, fn) => fn(engine, accounts.map(bookOf)),
    read: async (account, fn) => fn(copyBook(bookOf(account)), engine),
    close: async () => {},
  };
}
