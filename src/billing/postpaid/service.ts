/** Postpaid billing: accounts, acts, the billing run. */
import type { Pool } from 'pg';
import { isConnectionLost } from '../../platform/database/pool.ts';
import { type Day, dayOfInstant } from '../../platform/day.ts';
import type { Clock, Logger } from '../../platform/ports.ts';
import type { Action, Answer } from './actions.ts';
import type { Transfer } from './acts-transfer.ts';
import type { Book } from './books.ts';
import { nextWorkDay } from './due.ts';
import type { PaymentGateway } from './gateway.ts';
import { hashOf } from './kept.ts';
import type { Catalogue, PostpaidConfig } from './plans.ts';
import { createPostpaid, type Opening, type Postpaid } from './postpaid.ts';
import { BatchRefused, type ByKey, createPostpaidStore, type PostpaidStore } from './store.ts';

export interface PostpaidDeps {
  pool: Pool;
  clock: Clock;
  logger: Logger;
  /** What is sold now. */
  catalogue(): Catalogue;
  config: PostpaidConfig;
  /**
   * Asked inside the transaction, and again when that is repeated, so that it must not move money
   * itself: over a network it answers `pending`, and whoever sends requests finds them among the
   * pending attempts, under their ids.
   */
  gateway: PaymentGateway;
  /** Accounts that the billing run writes together. */
  batchSize?: number;
}

export interface RunReport {
  accounts: number;
  /** Accounts whose work failed: they stay due. */
  failed: bigint[];
}

export interface PostpaidService {
  /** Opens an account of a subscriber, with a payment method on file. */
  open(subscriberId: bigint, opening: Omit<Opening, 'id'>): Promise<bigint>;
  /**
   * Does an act once for its key: today's work that is due, the act, and all that follows at once.
   * Error `key_used`: the key stands for another act.
   */
  act(accountId: bigint, key: string, action: Action): Promise<ByKey<Answer>>;
  /** Moves a bundle between two accounts, once for its key. */
  transfer(
    accounts: { from: bigint; to: bigint },
    key: string,
    transfer: Transfer,
  ): Promise<ByKey<Answer>>;
  /**
   * Does the automatic work of every account that is due at `asOf`. Several processes may run it
   * at once and it may be ended anywhere: what is done is not due any more, so that the next run
   * goes on where this one stopped, and a second run writes nothing.
   */
  billingRun(asOf: Date): Promise<RunReport>;
  /** One account as it is now. */
  read(accountId: bigint): Promise<Book>;
}

const BATCH_SIZE = 200;
/** Tries of an act whose connection was lost; its key makes them one act. */
const TRIES_MAX = 3;

export function createPostpaidService(deps: PostpaidDeps): PostpaidService {
  const { pool, clock, config } = deps;
  const store = createPostpaidStore({
    pool,
    clock,
    nextWorkDay: (book) => nextWorkDay(book, { catalogue: deps.catalogue(), config }),
  });
  const engine = (): Postpaid => {
    const { gateway, catalogue } = deps;
    return createPostpaid({ catalogue: catalogue(), config, gateway, ids: store.ids });
  };
  const todayOf = ({ account }: Book, at = clock.now()): Day => dayOfInstant(at, account.timeZone);

  return {
    open: (subscriberId, opening) =>
      store.open(subscriberId, (books, id) => {
        engine().open(books, { ...opening, id }, dayOfInstant(clock.now(), opening.timeZone));
      }),
    act: (accountId, key, action) =>
      persistently(() =>
        store.changeOnce([accountId], { key, contentHash: hashOf(action) }, ([book]) => {
          if (!book) throw new Error(`No book of account ${accountId}`);
          const today = todayOf(book);
          engine().work(book, today);
          return engine().act(book, action, today);
        }),
      ),
    transfer: ({ from, to }, key, transfer) =>
      persistently(() =>
        store.changeOnce([from, to], { key, contentHash: hashOf({ to, transfer }) }, (books) => {
          const [old, next] = books;
          if (!old || !next) throw new Error('A transfer needs two accounts');
          const today = todayOf(old);
          for (const book of books) engine().work(book, todayOf(book));
          return engine().transfer({ from: old, to: next }, transfer, today);
        }),
      ),
    billingRun: (asOf) => {
      const work = (book: Book) => engine().work(book, todayOf(book, asOf));
      return billingRun({ deps, store, asOf, work });
    },
    async read(accountId) {
      const [book] = await store.read([accountId]);
      if (!book) throw new Error(`No account ${accountId}`);
      return book;
    },
  };
}

/** Asks again when the answer was lost on the way. */
async function persistently<T>(act: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await act();
    } catch (error) {
      if (!isConnectionLost(error) || tries === TRIES_MAX) throw error;
    }
  }
}

interface Run {
  deps: PostpaidDeps;
  store: PostpaidStore;
  asOf: Date;
  work(book: Book): void;
}

async function billingRun({ deps, store, asOf, work }: Run): Promise<RunReport> {
  const { logger, batchSize: limit = BATCH_SIZE } = deps;
  const failed: bigint[] = [];
  let accounts = 0;
  /** One batch; false when there was nothing to do. */
  const step = async (only?: readonly bigint[]): Promise<boolean> => {
    const batch = { asOf, limit, except: failed, ...(only ? { only } : {}) };
    const result = await store.changeDue(batch, work).catch(asRefusal);
    if (result instanceof BatchRefused) return await apart(result);
    for (const { accountId, error } of result.failed) fail(accountId, error);
    accounts += result.done.length;
    return result.done.length + result.failed.length > 0;
  };
  /** Finds the account for which the database refused a batch: each is written alone. */
  const apart = async ({ accountIds, cause }: BatchRefused): Promise<true> => {
    if (accountIds.length > 1) for (const accountId of accountIds) await step([accountId]);
    else for (const accountId of accountIds) fail(accountId, cause);
    return true;
  };
  const fail = (accountId: bigint, error: unknown): void => {
    failed.push(accountId);
    logger.error('billing.run_failed', { accountId, error });
  };
  while (await step());
  logger.info('billing.run', { accounts, failed: failed.length });
  return { accounts, failed };
}

function asRefusal(error: unknown): BatchRefused {
  if (error instanceof BatchRefused) return error;
  throw error;
}
