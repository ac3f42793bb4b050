/** Everybody outside the product: the operator, who acts, what breaks, and who restores. */
import pg from 'pg';
import { seededRandom } from '../random.ts';
import { type Acts, createActs } from './acts.ts';
import type { Base } from './base.ts';
import type { Break } from './breaks.ts';
import { type Activation, createConsole } from './console.ts';
import { createFaults, type Faults } from './faults.ts';
import type { House } from './house.ts';
import { createOperator, type KnownLines, type Operator } from './operator.ts';
import { within } from './time.ts';
import type { Trace } from './trace.ts';

export interface Living {
  trace: Trace;
  operator: Operator;
  answers: Acts['answers'];
  /** Names of messages that a restore made the product forget. */
  forgotten: ReadonlySet<string>;
  faults: Faults;
  /** What was done at the head-end's console. */
  activations: readonly Activation[];
  /** Asks for a comparison with the head-end, as the night does. */
  compare(): void;
  act(): void;
  /** Acts that nobody has answered yet. */
  openActs(): number;
  /** What waits in the database: a sentence for each kind, none when nothing does. */
  waiting(): Promise<string[]>;
}

export interface LifeDeps {
  base: Base;
  seed: number;
  trace: Trace;
  broken: Break | null;
}

type Query = (text: string, values?: unknown[]) => Promise<pg.QueryResult>;

/** What is known outside at the moment of a copy. */
interface Known extends KnownLines {
  answers: ReadonlySet<string>;
}

/** Nobody acts before being told to. */
export function openLife(house: House, { base, seed, trace, broken }: LifeDeps): Living {
  const { time, headEnd, anyProcess } = house;
  const now = time.now;
  const query: Query = (text, values) => ask(house.backups.current().ownerUrl, text, values);
  const common = { base, now, anyProcess, trace: trace.tell, onFault: trace.fault };
  const operator = createOperator({ ...common, random: seededRandom(seed * 16 + 8) });
  const acts = createActs({
    ...{ ...common, operator, random: seededRandom(seed * 16 + 9) },
    turn(card, power) {
      if (headEnd.isUp()) headEnd.server().air.decoders.turn(card, { power }, now());
    },
  });
  let open = 0;
  const doing = <T>(work: Promise<T>, done: (result: T) => void): void => {
    open += 1;
    work
      .then(done, (error: Error) => house.failures.push(String(error.stack)))
      .finally(() => {
        open -= 1;
      });
  };
  const raise = createRaising(query, { broken, now });
  const console = createConsole({ base, headEnd, now, random: seededRandom(seed * 16 + 12) });
  const restoring = createRestoring(house, { query, operator, acts, broken, raise });
  const faults = createFaults({
    ...{ house, trace, random: seededRandom(seed * 16 + 10) },
    backUp: restoring.backUp,
    raiseEpoch: raise,
    activate: () => console.activate(),
    async restore() {
      const known = await restoring.restore();
      doing(operator.tellAgain(known), () => undefined);
    },
  });
  return {
    ...{ trace, operator, faults, answers: acts.answers, forgotten: restoring.forgotten },
    activations: console.activations,
    compare() {
      const process = anyProcess();
      if (!process) throw new Error('nobody is there to compare');
      const asking = within(process.life, () => process.reconciliation?.askAll('night'));
      doing(Promise.resolve(asking), () => undefined);
    },
    act: () => doing(acts.doOne(), trace.act),
    openActs: () => open,
    waiting: () => whatWaits(query, now()),
  };
}

type Restoring = Pick<LifeDeps, 'broken'> & {
  query: Query;
  operator: Operator;
  acts: Acts;
  raise(): Promise<void>;
};

/** Backing up and restoring, as a person would by the book. */
function createRestoring(house: House, { query, operator, acts, broken, raise }: Restoring) {
  const forgotten = new Set<string>();
  let known: Known | null = null;
  let restores = 0;
  return {
    forgotten,
    async backUp(): Promise<boolean> {
      if (!(await house.backups.take())) return false;
      const told = new Set(operator.lines.filter(({ isTold }) => isTold));
      const reversed = new Set(operator.lines.filter(({ isReversed }) => isReversed));
      known = { told, reversed, answers: new Set(acts.answers.keys()) };
      return true;
    },
    /** What was known at the copy; all that came after it is lost, and is to be told again. */
    async restore(): Promise<Known> {
      if (!known) throw new Error('nothing was backed up');
      const { headEnd, backups } = house;
      await backups.restore();
      for (const key of [...acts.answers.keys()])
        if (!known.answers.has(key)) acts.answers.delete(key);
      for (const name of headEnd.messages().keys()) forgotten.add(name);
      for (const { cmdId } of headEnd.server().commands({ limit: COMMANDS_MAX }))
        forgotten.add(cmdId);
      // Ids of what was lost are known elsewhere: they must not be given again, nor those that
      // were given after an earlier restore.
      if (broken !== 'ids_again') {
        restores += 1;
        const leftOut = restores * BLOCKS_LEFT_OUT;
        await query(`SELECT setval('id_block', nextval('id_block') + ${leftOut})`);
      }
      await raise();
      return known;
    },
  };
}

const COMMANDS_MAX = 100_000;
/** More blocks of ids than were used since any copy. */
const BLOCKS_LEFT_OUT = 1_000;

/**
 * Raises the epoch, and has all sets sent: the head-end then takes them, whatever it has. The last
 * epoch is known from outside the database, because a restored one may have forgotten it.
 */
function createRaising(
  query: Query,
  { broken, now }: Pick<LifeDeps, 'broken'> & { now(): Date },
): () => Promise<void> {
  let epoch = 1;
  return async () => {
    epoch += 1;
    const next = broken === 'epoch_again' ? 'epoch + 1' : String(epoch);
    await query(`UPDATE conditional_access SET epoch = ${next}`);
    await query(
      `UPDATE card_rights SET desired_rev = desired_rev + 1, raised_at = $1, next_at = $1,
              attempts = 0, failure = NULL`,
      [now()],
    );
  };
}

const WAITING = [
  ['rights', 'SELECT 1 FROM card_rights WHERE next_at IS NOT NULL AND raised_at <= $1'],
  ['messages', 'SELECT 1 FROM outbound WHERE next_at IS NOT NULL AND created_at <= $1'],
  [
    'comparisons',
    `SELECT 1 FROM reconciliation_run r WHERE asked_at <= $1 AND NOT EXISTS (
                   SELECT FROM reconciliation_end WHERE run_id = r.id)`,
  ],
  ['commands', `SELECT 1 FROM cas_command WHERE state = 'waiting' AND created_at <= $1`],
  ['refreshes', 'SELECT 1 FROM card_refresh WHERE next_at IS NOT NULL AND asked_at <= $1'],
] as const;

async function whatWaits(query: Query, now: Date): Promise<string[]> {
  const found: string[] = [];
  for (const [what, sql] of WAITING) {
    const { rowCount } = await query(sql, [now]);
    if (rowCount) found.push(`${rowCount} ${what}`);
  }
  return found;
}

/** By a connection of its own, so that the database may be copied at any time. */
async function ask(url: string, text: string, values?: unknown[]): Promise<pg.QueryResult> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await client.query(text, values);
  } finally {
    await client.end();
  }
}
