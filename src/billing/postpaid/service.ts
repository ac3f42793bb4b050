/** Postpaid billing: accounts, acts, the billing run. */
import type { Pool } from 'pg';
import { isConnectionLost } from '../../platform/database/pool.ts';
import { type Day, dayOfInstant } from '../../platform/day.ts';
import type { Clock, Logger } from '../../platform/ports.ts';
import type { Action, Answer } from './actions.ts';
import type { Transfer } from './acts-transfer.ts';
import type { Book, Books, IdSource } from './books.ts';
import type { Engine } from './desk.ts';
import { type PaymentGateway, pendingGateway } from './gateway.ts';
import { hashOf } from './kept.ts';
import { type AccountLook, lookAt } from './look.ts';
import type { Buyers, MarketTerms } from './markets.ts';
import { createPostpaid, type Opening, type Postpaid, type Preview } from './postpaid.ts';
import {
  BatchRefused,
  type ByKey,
  createPostpaidStore,
  type Placed,
  type PostpaidStore,
} from './store.ts';
import { telling } from './telling.ts';

export interface PostpaidDeps {
  pool: Pool;
  clock: Clock;
  logger: Logger;
  /** By what accounts of a market are billed now; see `createMarkets`. */
  termsOf(buyers: Buyers): MarketTerms;
  /**
   * Asked inside the transaction, and again when that is repeated, so that it must not move money
   * itself: over a network it answers `pending`, and whoever sends requests finds them among the
   * pending attempts, under their ids.
   */
  gateway: PaymentGateway;
  /** What the account's subscriber can be shown, asked before each act; without: everything. */
  carriageOf?(accountId: bigint): Promise<NonNullable<Engine['isCarried']>>;
  /** Accounts that the billing run writes together. */
  batchSize?: number;
  /** Told after each commit which accounts may owe more or less now; must not wait. */
  onChanged?(accountIds: readonly bigint[]): void;
  /** Batches that the billing run works on at the same time, each over a connection of its own. */
  lanes?: number;
}

export interface RunReport {
  accounts: number;
  /** Accounts whose work failed: they stay due. */
  failed: bigint[];
}

export interface PostpaidService {
  /** Opens an account of a subscriber, with a payment method on file. */
  open(subscriberId: bigint, opening: Omit<Opening, 'id'>): Promise<bigint>;
  /** The same for a subscriber who has no account yet; null = there is one. */
  openFirst(subscriberId: bigint, opening: Omit<Opening, 'id'>): Promise<bigint | null>;
  /**
   * Does an act once for its key: today's work that is due, the act, and all that follows at once.
   * Error `key_used`: the key stands for another act. `refuse` sees the account right before the
   * act, under lock; what it returns is the answer, for ever.
   */
  act<E extends string = never>(
    accountId: bigint,
    key: string,
    action: Action,
    refuse?: (book: Book) => E | null,
  ): Promise<ByKey<Answer | { ok: false; error: E }>>;
  /** One account as a desk looks at it. Throws when there is none. */
  look(accountId: bigint): Promise<AccountLook>;
  /** Moves a bundle between two accounts, once for its key. */
  transfer(
    accounts: { from: bigint; to: bigint },
    key: string,
    transfer: Transfer,
  ): Promise<ByKey<Answer>>;
  /**
   * Does the automatic work of every account that is due at `asOf`. Several processes may run it
   * at once and it may be ended anywhere: what is done is not due any more, so that the next run
   * goes on where this one stopped, and a second run writes nothing. Accounts of a test clock are
   * left out, unless `only` names them.
   */
  billingRun(asOf: Date, only?: readonly bigint[]): Promise<RunReport>;
  /** Tries again what did not reach the gateway; false when there is nothing to try. */
  repeatDown(accountId: bigint): Promise<boolean>;
  /**
   * The documents that an act would make if it was done now, with today's work that is due;
   * nothing is written and nobody asked for money. Ids of the lines are not those they would have.
   */
  preview(accountId: bigint, action: Action): Promise<Preview>;
  /** Does the work of the account that is due today; the account after it. */
  bringUpToDate(accountId: bigint): Promise<Book>;
  /** One account as it is now. */
  read(accountId: bigint): Promise<Book>;
}

const BATCH_SIZE = 200;
const LANES = 2;
/** Tries of an act whose connection was lost; its key makes them one act. */
const TRIES_MAX = 3;

export function createPostpaidService(deps: PostpaidDeps): PostpaidService {
  const store = telling(createPostpaidStore(deps), (accountIds) => deps.onChanged?.(accountIds));
  const { engineOf, todayOf, work, read, opener } = deskWork(deps, store);
  const act: PostpaidService['act'] = (accountId, key, action, refuse) =>
    persistently(async () => {
      const carriage = await carriageOf(deps, accountId);
      return await store.changeOnce(
        [accountId],
        { key, contentHash: hashOf(action) },
        (accounts) => {
          const account = present(accounts, accountId);
          const { book } = account;
          const postpaid = work(account, carriage);
          const error = refuse?.(book) ?? null;
          return error === null ? postpaid.act(book, action, todayOf(book)) : { ok: false, error };
        },
      );
    });

  return {
    act,
    repeatDown: (accountId) =>
      store.change([accountId], (accounts) => {
        const account = present(accounts, accountId);
        return work(account).repeatDown(account.book, todayOf(account.book));
      }),
    open: (subscriberId, opening) => store.open(subscriberId, opener(opening)),
    openFirst: (subscriberId, opening) => store.openFirst(subscriberId, opener(opening)),
    async look(accountId) {
      const { book, buyers } = await read(accountId);
      return lookAt({ ...engineOf(buyers), book, target: todayOf(book) });
    },
    transfer: ({ from, to }, key, transfer) =>
      persistently(async () => {
        const carriage = await carriageOf(deps, to);
        const once = { key, contentHash: hashOf({ to, transfer }) };
        return await store.changeOnce([from, to], once, (accounts) => {
          const [old, next] = accounts;
          if (!old || !next) throw new Error('A transfer needs two accounts');
          const postpaid = work(old);
          work(next);
          const toEngine = { ...engineOf(next.buyers), ...carriage };
          const books = { from: old.book, to: next.book, toEngine };
          return postpaid.transfer(books, transfer, todayOf(old.book));
        });
      }),
    billingRun: (asOf, only) =>
      billingRun({
        ...{ deps, store, asOf, work: (account) => void work(account, {}, asOf) },
        ...(only ? { only } : {}),
      }),
    async preview(accountId, action) {
      const { book, buyers } = await read(accountId);
      const carriage = await carriageOf(deps, accountId);
      const paper = engineOf(buyers, createPaperIds());
      const quiet = { ...paper, ...carriage, gateway: pendingGateway };
      const postpaid = createPostpaid(quiet);
      postpaid.work(book, todayOf(book));
      return postpaid.preview(book, action, todayOf(book));
    },
    bringUpToDate: (accountId) =>
      store.change([accountId], (accounts) => {
        const account = present(accounts, accountId);
        work(account);
        return account.book;
      }),
    read: async (accountId) => (await read(accountId)).book,
  };
}

type Carriage = Pick<Engine, 'isCarried'>;

/** Looked up before the account is locked: to which system a card belongs never changes. */
async function carriageOf(deps: PostpaidDeps, accountId: bigint): Promise<Carriage> {
  return deps.carriageOf ? { isCarried: await deps.carriageOf(accountId) } : {};
}

/** How accounts are worked on: by the rules of their market, on their own day. */
function deskWork({ clock, gateway, termsOf }: PostpaidDeps, store: PostpaidStore) {
  const engineOf = (buyers: Buyers, ids: IdSource = store.ids): Engine => {
    const { catalogue, config } = termsOf(buyers);
    return { catalogue, config, gateway, ids };
  };
  const todayOf = ({ account }: Book, at = clock.now()): Day => dayOfInstant(at, account.timeZone);
  const work = ({ book, buyers }: Placed, carriage: Carriage = {}, at?: Date): Postpaid => {
    const postpaid = createPostpaid({ ...engineOf(buyers), ...carriage });
    postpaid.work(book, todayOf(book, at));
    return postpaid;
  };
  const read = async (accountId: bigint): Promise<Placed> =>
    present(await store.read([accountId]), accountId);

  const opener =
    (opening: Omit<Opening, 'id'>) =>
    (books: Books, id: bigint, buyers: Buyers): void => {
      const today = dayOfInstant(clock.now(), opening.timeZone);
      createPostpaid(engineOf(buyers)).open(books, { ...opening, id }, today);
    };
  return { engineOf, todayOf, work, read, opener };
}

/** Above every id of a database; for rows that are never written. */
const PAPER_IDS_FROM = 2n ** 62n;

function createPaperIds(): IdSource {
  let next = PAPER_IDS_FROM;
  return { next: () => next++ };
}

function present([account]: readonly Placed[], accountId: bigint): Placed {
  if (!account) throw new Error(`No account ${accountId}`);
  return account;
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
  work(account: Placed): void;
  only?: readonly bigint[];
}

async function billingRun({ deps, store, asOf, work, only: wanted }: Run): Promise<RunReport> {
  const { logger, batchSize: limit = BATCH_SIZE } = deps;
  const failed = new Set<bigint>();
  let accounts = 0;
  /** One batch; false when there was nothing to do. */
  const step = async (only = wanted): Promise<boolean> => {
    const batch = { asOf, limit, except: [...failed], ...(only ? { only } : {}) };
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
    // The other lane may have taken it up before it heard.
    if (failed.has(accountId)) return;
    failed.add(accountId);
    logger.error('billing.run_failed', { accountId, error });
  };
  let isCutOff = false;
  const lane = async (): Promise<void> => {
    try {
      while (!isCutOff && (await step()));
    } catch (error) {
      isCutOff = true;
      throw error;
    }
  };
  // While Postgres writes one batch, another is worked out. None goes on behind the end of the run.
  const lanes = Array.from({ length: deps.lanes ?? LANES }, lane);
  const ended = await Promise.allSettled(lanes);
  for (const one of ended) if (one.status === 'rejected') throw one.reason;
  logger.info('billing.run', { accounts, failed: failed.size });
  return { accounts, failed: [...failed] };
}

function asRefusal(error: unknown): BatchRefused {
  if (error instanceof BatchRefused) return error;
  throw error;
}
