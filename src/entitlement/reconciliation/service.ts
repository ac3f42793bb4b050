/**
 * Reconciliation: compares what a conditional-access system holds with what is wanted there, card
 * by card, writes what differs and what it is worth, and puts it right.
 *
 * What can break, and what then holds:
 * - this process dies in a run: the run has no end, and begins again under the same number; what it
 *   had written and ordered stays, and is not written twice;
 * - the system goes away: the run is tried again for an hour, then ends with what was said;
 * - a set is raised while its card is compared: it is on its way, and left to the next run;
 * - a cure is refused: the difference stays open, and the next run finds it again.
 */
import type { KeyObject } from 'node:crypto';
import type { Pool } from 'pg';
import type { Catalogue } from '../../billing/catalogue/rules.ts';
import type { Clock, Logger } from '../../platform/ports.ts';
import type { CasDriver } from '../cas/driver.ts';
import { dumpAll } from '../cas/dump.ts';
import type { CasCommands } from '../commands/service.ts';
import { Unanswered } from './asking.ts';
import { type Comparing, comparePage } from './comparing.ts';
import { readEvidence } from './evidence.ts';
import { askRun, endRun, type LogEvidence, type Run, readBefore, waitingRun } from './run-store.ts';
import { verifyOpen } from './verifying.ts';

export interface Reconciliation {
  /** Asks for a run of each system, as the night does. Returns how many. */
  askAll(by: string): Promise<number>;
  /** Performs what was asked for, one run a system at a time. One process calls it. */
  runDue(signal?: AbortSignal): Promise<void>;
  /** Asks the systems about differences that are open; closes those that are no more. */
  verify(): Promise<number>;
}

export interface ReconciledSystem {
  id: string;
  driver: Pick<CasDriver, 'ask' | 'state' | 'capabilities'>;
  /** The epoch of our revisions there. */
  epoch(): number;
  /** Its name of each product of ours; null: our own. */
  products: ReadonlyMap<string, string> | null;
  /** What it signs its own log with, in public; null: that is not read. */
  logKey: KeyObject | null;
}

export interface ReconciliationDeps {
  pool: Pool;
  clock: Clock;
  logger: Logger;
  catalogue(): Catalogue;
  commands: Pick<CasCommands, 'enqueue'>;
  systems: readonly ReconciledSystem[];
  /** There are sets and commands to send. */
  wake(): void;
}

/** Above so many millionths of the active cards an invoice would have to be looked at again. */
export const VARIANCE_PPM_MAX = 5_000;
/** Cards of this house: the others are somebody's invention. */
const CARD_NUMBER = /^[0-9]{11}$/;
/** How long a system that does not answer is asked again. */
const GIVE_UP_MS = 3_600_000;
/** Of one round between runs; a run asks about all. */
const VERIFIED_A_ROUND_MAX = 500;

const NOTHING_READ: LogEvidence = { lines: 0, foreign: 0, mark: null, error: 'not_read' };

/** Reconciliation over these systems; nothing happens until it is asked. */
export function createReconciliation(deps: ReconciliationDeps): Reconciliation {
  const { pool, clock, systems } = deps;
  /** Where the rounds of each system go on. */
  const verified = new Map<string, bigint>();
  return {
    async askAll(by) {
      let asked = 0;
      for (const { id: casId } of systems) {
        const { ok } = await askRun(pool, { casId, by, heal: true, at: clock.now() });
        asked += ok ? 1 : 0;
      }
      return asked;
    },
    async runDue(signal) {
      await Promise.all(systems.map((system) => runWaiting(deps, system, signal)));
    },
    async verify() {
      let closed = 0;
      for (const system of systems.filter(({ driver }) => driver.state() === 'connected')) {
        const after = verified.get(system.id) ?? 0n;
        const limit = VERIFIED_A_ROUND_MAX;
        try {
          const round = await verifyOpen({ ...deps, system }, { after, limit });
          closed += round.closed;
          verified.set(system.id, round.last ?? 0n);
        } catch (error) {
          if (!(error instanceof Unanswered)) throw error;
        }
      }
      return closed;
    },
  };
}

async function runWaiting(
  deps: ReconciliationDeps,
  system: ReconciledSystem,
  signal: AbortSignal | undefined,
): Promise<void> {
  const run = await waitingRun(deps.pool, system.id);
  if (!run || signal?.aborted) return;
  const startedAt = deps.clock.now();
  const said = await perform(deps, system, { run, startedAt, signal });
  const { pool, clock, logger } = deps;
  const isPatient = startedAt.getTime() - run.askedAt.getTime() < GIVE_UP_MS;
  if (signal?.aborted || (said.isAway && isPatient)) {
    logger.warn('reconciliation.put_off', { casId: run.casId, error: said.error });
    return;
  }
  const variancePpm = await endRun(pool, run.id, { ...said, startedAt, endedAt: clock.now() });
  const told = { casId: run.casId, runId: run.id, cards: said.cards, variancePpm };
  if (said.error !== null) logger.error('reconciliation.failed', { ...told, error: said.error });
  else if (variancePpm > VARIANCE_PPM_MAX) logger.error('reconciliation.variance', told);
  else logger.info('reconciliation.done', told);
  if (said.log.error === null && said.log.foreign === 0) return;
  const { foreign, error } = said.log;
  if (error !== 'no_key') logger.error('reconciliation.foreign', { ...told, foreign, error });
}

interface Performed {
  error: string | null;
  /** It may answer later. */
  isAway: boolean;
  cards: number;
  active: ReadonlyMap<string, number>;
  log: LogEvidence;
}

interface Performing {
  run: Run;
  startedAt: Date;
  signal: AbortSignal | undefined;
}

async function perform(
  deps: ReconciliationDeps,
  system: ReconciledSystem,
  { run, startedAt, signal }: Performing,
): Promise<Performed> {
  const { pool } = deps;
  const { driver } = system;
  const active = new Map<string, number>();
  const failed = (error: string, isAway: boolean): Performed => {
    return { error, isAway, cards: 0, active, log: NOTHING_READ };
  };
  if (driver.state() !== 'connected') return failed('AWAY', true);
  if (!driver.capabilities()?.supports.includes('DUMP')) return failed('not_supported', false);
  const before = await readBefore(pool, run.casId);
  const comparing: Comparing = { ...deps, system, run, lastRunAt: before.startedAt, active };
  try {
    let after = '';
    const read = await dumpAll(driver, {}, async (page) => {
      if (signal?.aborted) throw new Unanswered('stopped');
      // Names that are no numbers of ours are no bounds: a database may sort them otherwise.
      const to = page.findLast(({ card }) => CARD_NUMBER.test(card))?.card ?? after;
      await comparePage(comparing, page, { after, to });
      after = to;
    });
    if (!read.ok) return failed('code' in read ? read.code : read.error, 'code' in read);
    await comparePage(comparing, [], { after, to: null });
    await verifyAll(deps, system);
    const evidence = { pool, driver, run, key: system.logKey, at: startedAt };
    const log = await readEvidence(evidence, before.mark);
    return { error: null, isAway: false, cards: read.cards, active, log };
  } catch (error) {
    if (error instanceof Unanswered) return failed(error.message, true);
    throw error;
  }
}

/** Closes what was found before, and is no more. */
async function verifyAll(deps: ReconciliationDeps, system: ReconciledSystem): Promise<void> {
  const limit = VERIFIED_A_ROUND_MAX;
  for (let after: bigint | null = 0n; after !== null; ) {
    after = (await verifyOpen({ ...deps, system }, { after, limit })).last;
  }
}
