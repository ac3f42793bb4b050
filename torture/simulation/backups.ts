/** A copy of the database taken while all goes on, and the loss of everything since. */
import { cloneDatabase, type TestDatabase } from '../../src/platform/test-database.ts';
import type { Statements } from './statements.ts';

export interface Backups {
  /** The database as it is now. */
  current(): TestDatabase;
  /** Takes a copy in the place of the last one; false while a transaction is open: ask again. */
  take(): Promise<boolean>;
  /** Goes on from the copy, which stays; nobody may work on the database. */
  restore(): Promise<void>;
  drop(): Promise<void>;
}

/** Copies of one database; at most one is kept. */
export function createBackups(statements: Statements, database: TestDatabase): Backups {
  let current = database;
  let copy: TestDatabase | null = null;
  return {
    current: () => current,
    async take() {
      if (!statements.isIdle()) return false;
      await statements.reopen(async () => {
        await copy?.drop();
        copy = await cloneDatabase(current);
        return current.appUrl;
      });
      return true;
    },
    async restore() {
      const source = copy;
      if (!source) throw new Error('there is no copy');
      await statements.reopen(async () => {
        await current.drop();
        current = await cloneDatabase(source);
        return current.appUrl;
      });
    },
    async drop() {
      await current.drop();
      await copy?.drop();
    },
  };
}
