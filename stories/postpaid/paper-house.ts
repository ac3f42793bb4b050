/** A house on paper: all books in memory. */
import { type Book, type Books, copyBook } from '../../src/billing/postpaid/books.ts';
import { createPostpaid } from '../../src/billing/postpaid/postpaid.ts';
import { BadCase } from '../result.ts';
import { currencyOf, type HouseSetup, type PostpaidHouse } from './house.ts';

export function createPaperHouse({ rulesIn, gateway }: HouseSetup): PostpaidHouse {
  let last = 0n;
  const ids = {
    next: () => {
      last += 1n;
      return last;
    },
  };
  const engineIn = (currency: string) => createPostpaid({ ...rulesIn(currency), ids, gateway });
  const books: Books = new Map();
  const bookOf = (account: bigint): Book => {
    const book = books.get(account);
    if (!book) throw new BadCase(`no account ${account}`);
    return book;
  };
  return {
    open: async (opening, today) => {
      const id = ids.next();
      engineIn(opening.currency).open(books, { ...opening, id }, today);
      return id;
    },
    change: async (accounts, fn) => {
      const placed = accounts.map(bookOf);
      return fn(engineIn(currencyOf(placed)), placed);
    },
    read: async (account, fn) => fn(copyBook(bookOf(account))),
    close: async () => {},
  };
}
