/**
 * Postpaid accounts in Postgres: lock, load, let the engine work, write, post to the ledger,
 * number, COMMIT. An act that changed nothing writes nothing.
 */
import type { Pool, PoolClient } from 'pg';
import { midnight } from '../../platform/calendar.ts';
import { isConnectionLost, isRetryable, transaction } from '../../platform/database/pool.ts';
import { type Day, partsOf } from '../../platform/day.ts';
import type { Clock, Ids } from '../../platform/ports.ts';
import { byHouseTime } from '../../registry/test-clocks.ts';
import { allotNumbers } from './allot.ts';
import { type Book, type Books, type IdSource, isTouched } from './books.ts';
import { nextWorkDay } from './due.ts';
import { issuesOf } from './issue.ts';
import { readKept } from './kept.ts';
import {
  type Loaded,
  latestId,
  loadBooks,
  loadLocked,
  newlyLoaded,
  type Place,
  readPlace,
} from './load.ts';
import type { Buyers, MarketTerms } from './markets.ts';
import { postingsOf } from './posting.ts';
import { createRisingIds, idsOver } from './rising-ids.ts';
import { type KeptAnswer, save } from './save.ts';

export interface StoreDeps {
  pool: Pool;
  clock: Clock;
  /** By what accounts of a market are billed. */
  termsOf(buyers: Buyers): MarketTerms;
}

/** An account and for whom its prices are. */
export interface Placed {
  book: Book;
  buyers: Buyers;
}

/** A caller's name for an act, and a hash of what is asked under it. */
export interface ActKey {
  key: string;
  contentHash: string;
}

/** `key_used`: the key stands for another act. */
export type ByKey<T> = { ok: true; value: T } | { ok: false; error: 'key_used' };

export interface DueBatch {
  asOf: Date;
  /** Accounts locked and written together. */
  limit: number;
  /** Left out: they failed before. */
  except?: readonly bigint[];
  /** Only these; without it, all whose subscribers have no test clock. */
  only?: readonly bigint[];
}

export interface DueResult {
  done: bigint[];
  failed: { accountId: bigint; error: unknown }[];
}

type OpenBook = (books: Books, id: bigint, buyers: Buyers) => void;

export interface PostpaidStore {
  /** Rising ids for the engine, to be drawn inside `open`, `change` and `changeDue` alone. */
  ids: IdSource;
  /** Opens an account of a subscriber; `open` adds its book. Resolves to its id. */
  open(subscriberId: bigint, open: OpenBook): Promise<bigint>;
  /** The same unless the subscriber has one already: then null. */
  openFirst(subscriberId: bigint, open: OpenBook): Promise<bigint | null>;
  /**
   * Works on accounts under lock, in one transaction, and resolves to what `act` returned. `act`
   * runs again when Postgres gives the transaction up (serialization, deadlock).
   */
  change<T>(accountIds: readonly bigint[], act: (accounts: Placed[]) => T): Promise<T>;
  /**
   * The same once for a key: later calls are answered as the first was, also where the answer to
   * the first COMMIT was lost. The key belongs to the first account. `act` returns data.
   */
  changeOnce<T>(
    accountIds: readonly bigint[],
    key: ActKey,
    act: (accounts: Placed[]) => T,
  ): Promise<ByKey<T>>;
  /**
   * Works on accounts that are due, each alone, and writes them together. Accounts locked by
   * others are passed over; one whose work throws is left as it was, and told. Throws
   * BatchRefused when the database refuses what was written.
   */
  changeDue(batch: DueBatch, work: (account: Placed) => void): Promise<DueResult>;
  /** Reads accounts; what is done to the books is not kept. */
  read(accountIds: readonly bigint[]): Promise<Placed[]>;
}

/** What was written for these accounts was refused; none of it stands. */
export class BatchRefused extends Error {
  readonly accountIds: readonly bigint[];
  constructor(accountIds: readonly bigint[], cause: unknown) {
    super('A batch of postpaid accounts was refused', { cause });
    this.accountIds = accountIds;
  }
}

const TRIES_MAX = 5;

export function createPostpaidStore(deps: StoreDeps): PostpaidStore {
  const { pool } = deps;
  const rising = createRisingIds();
  const spare = createRisingIds();

  /** Runs `act` with no wait between the check of the ids and the act. */
  const withIds = async <T>(client: PoolClient, floor: bigint, act: () => T): Promise<T> => {
    while (!rising.isReady(floor)) await rising.fetch(client);
    return act();
  };
  const actOn = <T>(client: PoolClient, loaded: ReadonlyMap<bigint, Loaded>, act: () => T) =>
    withIds(client, latestId(loaded.values()), act);
  const write = (client: PoolClient, loaded: readonly Loaded[], kept: KeptAnswer | null) =>
    writeAll({ client, deps, ids: idsOver(spare, client) }, loaded, kept);

  const openIn = async (client: PoolClient, subscriberId: bigint, open: OpenBook) => {
    const place = await readPlace(client, subscriberId);
    const books: Books = new Map();
    const id = await withIds(client, 0n, () => {
      const next = rising.next();
      open(books, next, buyersOf(place));
      return next;
    });
    const opened = [...books.values()].map((book) => newlyLoaded(book, place));
    await write(client, opened, null);
    return id;
  };

  return {
    ids: rising,
    open: (subscriberId, open) => transaction(pool, (client) => openIn(client, subscriberId, open)),
    openFirst: (subscriberId, open) =>
      transaction(pool, async (client) =>
        (await hasAccount(client, subscriberId)) ? null : openIn(client, subscriberId, open),
      ),
    change: (accountIds, act) =>
      repeated(pool, async (client) => {
        const loaded = await loadLocked(client, accountIds);
        const value = await actOn(client, loaded, () => act(placedIn(loaded, accountIds)));
        await write(client, [...loaded.values()], null);
        return value;
      }),
    changeOnce: (accountIds, key, act) =>
      repeated(pool, async (client) => {
        const loaded = await loadLocked(client, accountIds);
        const accountId = accountIds[0] ?? 0n;
        const known = await readKept<ReturnType<typeof act>>(client, accountId, key);
        if (known) return known;
        const value = await actOn(client, loaded, () => act(placedIn(loaded, accountIds)));
        const kept = { accountId, ...key, answer: value, at: deps.clock.now() };
        await write(client, [...loaded.values()], kept);
        return { ok: true, value };
      }),
    changeDue: (batch, work) =>
      repeated(pool, async (client) => {
        const ids = await claim(client, batch);
        if (ids.length === 0) return { done: [], failed: [] };
        const loaded = await loadLocked(client, ids);
        const failed = await workOn(loaded, (of) =>
          withIds(client, latestId([of]), () => failureOf(work, placed(of))),
        );
        await write(client, [...loaded.values()], null).catch((error: unknown) => {
          throw isPassing(error) ? error : new BatchRefused(ids, error);
        });
        return { done: [...loaded.keys()], failed };
      }),
    read: (accountIds) => readAccounts(pool, accountIds),
  };
}

/** Purpose: does a subscriber have an account? Locks: the subscriber, against a second opening. */
async function hasAccount(client: PoolClient, subscriberId: bigint): Promise<boolean> {
  await client.query('SELECT FROM subscriber WHERE id = $1 FOR NO KEY UPDATE', [subscriberId]);
  const { rows } = await client.query(
    'SELECT FROM postpaid_account WHERE subscriber_id = $1 LIMIT 1',
    [subscriberId],
  );
  return rows.length > 0;
}

/** Accounts in the order in which they were asked for. */
const placedIn = (loaded: ReadonlyMap<bigint, Loaded>, accountIds: readonly bigint[]): Placed[] =>
  accountIds.flatMap((id) => {
    const of = loaded.get(id);
    return of ? [placed(of)] : [];
  });

const buyersOf = ({ site, category }: Place): Buyers => ({ site, category });
const placed = (of: Loaded): Placed => ({ book: of.book, buyers: buyersOf(of) });

async function readAccounts(pool: Pool, accountIds: readonly bigint[]): Promise<Placed[]> {
  const client = await pool.connect();
  try {
    return placedIn(await loadBooks(client, accountIds), accountIds);
  } finally {
    client.release();
  }
}

/** Works on accounts one by one, and leaves out those whose work failed. */
async function workOn(
  loaded: Map<bigint, Loaded>,
  work: (of: Loaded) => Promise<unknown>,
): Promise<DueResult['failed']> {
  const failed: DueResult['failed'] = [];
  for (const [accountId, of] of loaded) {
    const error = await work(of);
    if (error === null) continue;
    failed.push({ accountId, error });
    loaded.delete(accountId);
  }
  return failed;
}

/** Why the work of an account failed; null = it is done. */
function failureOf(work: (account: Placed) => void, account: Placed): unknown {
  try {
    work(account);
    return isTouched(account.book) ? null : new Error('Its work did nothing, and it stays due');
  } catch (error) {
    return error;
  }
}

/** Nothing is wrong with what was written: it may stand another time. */
const isPassing = (error: unknown): boolean => isRetryable(error) || isConnectionLost(error);

/** Repeats a transaction that Postgres gave up. */
async function repeated<T>(pool: Pool, fn: (client: PoolClient) => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await transaction(pool, fn);
    } catch (error) {
      if (!isRetryable(error) || tries === TRIES_MAX) throw error;
    }
  }
}

/** Purpose: due accounts, the longest due first, each locked by one process at a time. */
const claimable = (whose: string): string => `
  SELECT a.id FROM postpaid_account a
   WHERE a.due_at <= $1 AND a.id <> ALL($2) AND ${whose}
   ORDER BY a.due_at LIMIT $3
     FOR NO KEY UPDATE SKIP LOCKED`;
const OF_THE_HOUSE = claimable(byHouseTime('a.subscriber_id'));
const OF_NAMED = claimable('a.id = ANY($4)');

async function claim(client: PoolClient, batch: DueBatch): Promise<bigint[]> {
  const { asOf, limit, except = [], only } = batch;
  const values = [asOf, except, limit];
  const { rows } = await client.query(
    only
      ? { name: 'postpaid-due-named', text: OF_NAMED, values: [...values, only] }
      : { name: 'postpaid-due', text: OF_THE_HOUSE, values },
  );
  return rows.map(({ id }) => id);
}

interface WriteTools {
  client: PoolClient;
  deps: StoreDeps;
  ids: Ids;
}

/** Rows and journals first, numbers last: their counters are what everybody waits for. */
async function writeAll(
  { client, deps, ids }: WriteTools,
  loaded: readonly Loaded[],
  kept: KeptAnswer | null,
): Promise<void> {
  const touched = loaded
    .filter(({ book }) => isTouched(book))
    .map((of) => ({ ...of, nextDueAt: dueAt(of.book, nextWorkDay(of.book, deps.termsOf(of))) }));
  if (touched.length === 0 && !kept) return;
  const at = deps.clock.now();
  const issues = await issuesOf(client, touched, { at, termsOf: deps.termsOf });
  const postings = await postingsOf(client, touched, { ids, at, taxes: issues.parts });
  await save(client, { accounts: touched, postings, kept, issues, at });
  await allotNumbers(client, touched, at);
}

/** The first instant of a day in the account's zone. */
function dueAt({ account }: Book, day: Day | null): Date | null {
  if (day === null) return null;
  const isOffset = /^[+-]\d\d:\d\d$/.test(account.timeZone);
  return midnight(partsOf(day), isOffset ? `UTC${account.timeZone}` : account.timeZone);
}
