/**
 * The one door through which money moves. Callers hand in commands one by one; they are settled in
 * batches of up to 64, one transaction a batch, over a few connections, and each caller gets its
 * own answer after the commit.
 *
 * What can break, and what then holds:
 * - a command that makes its batch fail: the batch is cut in halves until it is alone; it is kept
 *   as a parked row before its caller is answered, and its neighbours settle;
 * - a COMMIT whose answer was lost: the batch is run again and finds its own keys;
 * - Postgres away: `unavailable`, nothing is lost because nothing was acknowledged.
 */
import type { Pool, PoolClient } from 'pg';
import { isConnectionLost, isRetryable } from '../../platform/database/pool.ts';
import type { Ids, LentIds, Logger } from '../../platform/ports.ts';
import { sleep } from '../../platform/timers.ts';
import type { Catalogue } from '../catalogue/rules.ts';
import type { Command, Outcome } from './commands.ts';
import { contentOf } from './content.ts';
import type { SettlementPorts } from './facts.ts';
import { createLane, type Waiting } from './lane.ts';
import { FactsMoved, type KnownKey, type LoadTools, loadFacts, loadKnown } from './load.ts';
import { needsOf } from './needs.ts';
import { park } from './park.ts';
import { type PreviewOutcome, previewIn } from './preview.ts';
import { decideBatch, idsFor } from './rules.ts';
import { keptContent, writeBatch } from './write.ts';

export interface Settlement {
  /**
   * Settles one command, durably, before the promise resolves. Never rejects for anything that a
   * provider or the database can do; see `Outcome`.
   */
  settle(command: Command): Promise<Outcome>;
  /**
   * What a command would do now, without doing it; its key is not looked at. Rejects only on a bug,
   * where the act itself would be parked.
   */
  preview(command: Command): Promise<PreviewOutcome>;
  /**
   * `settle` for what is due by itself, so that nobody waits for an answer: in large batches over
   * connections of their own, which give way to `settle`.
   */
  settleAutomatic(command: Command): Promise<Outcome>;
  /** Waits for what is in hand; later commands are `unavailable`. */
  close(): Promise<void>;
  /** Commands of `settle` that wait for a free connection. */
  waiting(): number;
}

/** What a commit changed. */
export interface Committed {
  rights: boolean;
  messages: boolean;
  /** Cards whose rights changed. */
  cards: readonly bigint[];
}

export interface SettlementDeps {
  pool: Pool;
  ids: Ids;
  catalogue(): Catalogue;
  accounts(): ReadonlyMap<string, bigint>;
  ports: SettlementPorts;
  logger: Logger;
  /** Called after each commit, so that dispatch and senders need not wait for their next look. */
  onCommitted?(what: Committed): void;
  onBatch?(size: number, seconds: number): void;
  /** Once for each command, before its caller is answered. */
  onSettled?(command: Command, outcome: Outcome): void;
  /** Connections that settle at the same time. */
  lanes?: number;
  monotonicMs(): number;
  /** How the codes of scratch cards are kept; without it none is known. */
  voucherHash?(code: string): string;
}

export const BATCH_COMMANDS_MAX = 64;
/** More than this waiting means that Postgres can't keep up: providers are told to try later. */
export const QUEUE_COMMANDS_MAX = 20_000;
const LANES = 2;
export const AUTOMATIC_COMMANDS_MAX = 256;
const AUTOMATIC_LANES = 2;
/** Nobody has asked for so long: the next may wait for a large batch. */
const QUIET_MS = 1_000;
const ATTEMPTS_MAX = 8;
/** Doubled at each try: about six seconds in all, inside the eight that operators wait. */
const LOST_WAIT_MS = 25;

/** Opens the door. */
export function createSettlement(deps: SettlementDeps): Settlement {
  const run = (batch: readonly Waiting[]) => runBatch(deps, batch);
  const queueMax = QUEUE_COMMANDS_MAX;
  let askedAtMs = Number.NEGATIVE_INFINITY;
  const asked = createLane({
    batches: deps.lanes ?? LANES,
    commandsMax: () => BATCH_COMMANDS_MAX,
    queueMax,
    run,
    onIdle: () => automatic.pump(),
  });
  const isQuiet = () => deps.monotonicMs() - askedAtMs > QUIET_MS;
  const automatic = createLane({
    batches: AUTOMATIC_LANES,
    commandsMax: () => (isQuiet() ? AUTOMATIC_COMMANDS_MAX : BATCH_COMMANDS_MAX),
    queueMax,
    run,
    // While somebody waits there is one batch of these, so that they give way and yet go on.
    mayStart: (running) => running === 0 || asked.inHand() === 0,
  });
  return {
    settle(command) {
      askedAtMs = deps.monotonicMs();
      return asked.add(command);
    },
    settleAutomatic: automatic.add,
    preview: (command) => previewIn(deps, loadTools(deps, deps.catalogue()), command),
    async close() {
      await Promise.all([asked.close(), automatic.close()]);
    },
    waiting: asked.waiting,
  };
}

const keyOf = (command: Command): string => `${command.provider}|${command.receipt}`;

async function runBatch(deps: SettlementDeps, batch: readonly Waiting[]): Promise<void> {
  const startedMs = deps.monotonicMs();
  const first = new Map<string, Waiting>();
  for (const waiting of batch) {
    const key = keyOf(waiting.command);
    if (!first.has(key)) first.set(key, waiting);
  }
  const commands = [...first.values()].map((waiting) => waiting.command);
  const outcomes = await settleOrSplit(deps, commands);
  deps.onBatch?.(commands.length, (deps.monotonicMs() - startedMs) / 1000);
  const again: Waiting[] = [];
  for (const waiting of batch) {
    const key = keyOf(waiting.command);
    const found = outcomes.get(key) ?? { kind: 'unavailable' };
    const isFirst = first.get(key) === waiting;
    if (!isFirst && found.kind === 'receipt_differs') {
      again.push(waiting);
      continue;
    }
    const outcome = isFirst ? found : repeated(waiting.command, found, first);
    deps.onSettled?.(waiting.command, outcome);
    waiting.answer(outcome);
  }
  // Behind one that differs from what is kept: only the inbox knows what these are.
  if (again.length > 0) await runBatch(deps, again);
}

/** The same key twice in one batch: the second gets the first one's answer. */
function repeated(
  command: Command,
  outcome: Outcome,
  first: ReadonlyMap<string, Waiting>,
): Outcome {
  if (outcome.kind !== 'done') return outcome;
  const original = first.get(keyOf(command));
  const same = original && contentOf(original.command) === contentOf(command);
  return same
    ? { ...outcome, first: false }
    : { kind: 'receipt_differs', settled: outcome.settled };
}

type Outcomes = Map<string, Outcome>;

async function settleOrSplit(
  deps: SettlementDeps,
  commands: readonly Command[],
): Promise<Outcomes> {
  try {
    return await settleTogether(deps, commands);
  } catch (error) {
    if (isAway(error)) {
      deps.logger.warn('settlement.database_away', { commands: commands.length });
      return new Map(commands.map((command) => [keyOf(command), { kind: 'unavailable' }]));
    }
    if (commands.length > 1) {
      const half = Math.ceil(commands.length / 2);
      const left = await settleOrSplit(deps, commands.slice(0, half));
      const right = await settleOrSplit(deps, commands.slice(half));
      return new Map([...left, ...right]);
    }
    return parkAlone(deps, commands[0] as Command, error);
  }
}

async function parkAlone(
  deps: SettlementDeps,
  command: Command,
  error: unknown,
): Promise<Outcomes> {
  try {
    const id = await park(deps.pool, deps.ids, command, error);
    deps.logger.error('payment.parked', { inboxId: id, provider: command.provider, error });
    return new Map([[keyOf(command), { kind: 'parked' }]]);
  } catch (parkError) {
    deps.logger.error('payment.park_failed', { provider: command.provider, error: parkError });
    return new Map([[keyOf(command), { kind: 'unavailable' }]]);
  }
}

/** The COMMIT went out and its answer was lost: only the database knows what happened. */
class CommitUnknown extends Error {}

/**
 * One batch in one transaction, tried again when it lost a race (a key or a card that moved, a
 * deadlock) or an old connection. After a lost COMMIT it is tried for some seconds more: once the
 * database answers, the batch finds its own keys, or settles now.
 */
async function settleTogether(
  deps: SettlementDeps,
  commands: readonly Command[],
): Promise<Outcomes> {
  let unknown = false;
  for (let attempt = 1; ; attempt++) {
    try {
      return await attemptBatch(deps, commands);
    } catch (error) {
      unknown ||= error instanceof CommitUnknown;
      if (attempt === ATTEMPTS_MAX || !mayTryAgain(error, unknown || attempt === 1)) throw error;
      if (isAway(error)) await sleep(LOST_WAIT_MS * 2 ** attempt);
    }
  }
}

const isAway = (error: unknown): boolean =>
  isConnectionLost(error) || error instanceof CommitUnknown;

const mayTryAgain = (error: unknown, thoughAway: boolean): boolean =>
  isAway(error) ? thoughAway : isRetryable(error) || lostRace(error);

const RACE_CONSTRAINTS: ReadonlySet<unknown> = new Set([
  'inbox_provider_receipt_key',
  'inbox_pkey',
  'journal_reverses_key',
  'event_purchase_event_id_card_id_key',
  'account_owner_kind_asset_key',
  'payment_move_payment_id_key',
  'promotion_use_pkey',
  'debt_one_loan',
]);

function lostRace(error: unknown): boolean {
  if (error instanceof FactsMoved) return true;
  const { code, constraint } = error as { code?: string; constraint?: string };
  return code === '23505' && RACE_CONSTRAINTS.has(constraint);
}

async function attemptBatch(deps: SettlementDeps, commands: readonly Command[]): Promise<Outcomes> {
  const ids = await deps.ids.lend(idsFor(commands, deps.catalogue()));
  try {
    return await onConnection(deps.pool, (client) => transact(deps, client, commands, ids));
  } finally {
    ids.giveBack();
  }
}

async function onConnection(
  pool: Pool,
  work: (client: PoolClient) => Promise<Outcomes>,
): Promise<Outcomes> {
  const client = await pool.connect();
  let broken: Error | undefined;
  try {
    return await work(client);
  } catch (error) {
    if (isAway(error)) broken = error as Error;
    else await client.query('ROLLBACK').catch((lost: Error) => (broken = lost));
    throw error;
  } finally {
    client.release(broken);
  }
}

async function transact(
  deps: SettlementDeps,
  client: PoolClient,
  commands: readonly Command[],
  ids: LentIds,
): Promise<Outcomes> {
  const outcomes: Outcomes = new Map();
  await client.query('BEGIN');
  const known = await loadKnown(client, commands);
  const fresh: Command[] = [];
  const parkedIds = new Map<string, bigint>();
  for (const command of commands) {
    const key = keyOf(command);
    const before = known.get(key);
    if (before && before.state !== 'parked') outcomes.set(key, answerAgain(deps, command, before));
    else fresh.push(command);
    if (before?.state === 'parked') parkedIds.set(key, before.inboxId);
  }
  if (fresh.length === 0) {
    await client.query('COMMIT');
    return outcomes;
  }
  const catalogue = deps.catalogue();
  const tools = loadTools(deps, catalogue);
  const countryOf = (siteId: bigint) => catalogue.sites.get(siteId)?.country ?? '';
  const facts = await loadFacts(client, needsOf(fresh, countryOf), tools);
  const decided = decideBatch(fresh, facts, {
    ids,
    catalogue,
    accounts: deps.accounts(),
    ports: deps.ports,
    parkedIds,
  });
  await writeBatch(client, decided, facts, {
    ...tools,
    parked: new Set(parkedIds.values()),
  });
  await commit(client);
  for (const { command, settled } of decided.inbox) {
    outcomes.set(keyOf(command), { kind: 'done', first: true, settled });
  }
  deps.onCommitted?.({
    rights: decided.writes.cards.size > 0,
    cards: [...decided.writes.cards.keys()],
    messages: decided.writes.outbound.length > 0,
  });
  return outcomes;
}

/** Without a key no code is known, and none is kept either. */
const hashOf =
  ({ voucherHash }: SettlementDeps) =>
  (code: string): string =>
    voucherHash?.(code) ?? '';

const loadTools = (deps: SettlementDeps, { bouquets }: Catalogue): LoadTools => ({
  productsOf: (bouquetId) => bouquets.get(bouquetId)?.products ?? [],
  voucherHash: hashOf(deps),
});

async function commit(client: PoolClient): Promise<void> {
  try {
    await client.query('COMMIT');
  } catch (error) {
    if (isConnectionLost(error)) throw new CommitUnknown('COMMIT unanswered', { cause: error });
    throw error;
  }
}

function answerAgain(deps: SettlementDeps, command: Command, before: KnownKey): Outcome {
  const { outcome } = before;
  if (!outcome) return { kind: 'parked' };
  return outcome.content === keptContent(command, { voucherHash: hashOf(deps) })
    ? { kind: 'done', first: false, settled: outcome.settled }
    : { kind: 'receipt_differs', settled: outcome.settled };
}
