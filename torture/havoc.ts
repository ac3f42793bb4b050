/** Carries the troubles out, each at its time, and puts everything right again at the end. */
import { sleep } from '../src/platform/timers.ts';
import type { Customer } from './customers.ts';
import type { Homes } from './homes.ts';
import type { Meddling } from './meddling.ts';
import type { Town } from './town.ts';
import type { Trouble, Victim } from './troubles.ts';

export interface Havoc {
  /** Does all of it, until the last victim is up again. What could not be done, in sentences. */
  play(troubles: readonly Trouble[]): Promise<string[]>;
  /** Nothing is broken any more: faults healed, VIP Control up, every home on. */
  heal(): Promise<void>;
  /** How often each thing was done, by its name. */
  done(): Record<string, number>;
}

const TRIES_MAX = 5;
const TRY_AGAIN_MS = 1_000;

interface State {
  town: Town;
  homes: Homes;
  meddling: Meddling;
  customers: readonly Customer[];
  counts: Record<string, number>;
  /** What is under way with each process: it is not killed twice at once. */
  turns: Map<string, Promise<void>>;
}

/** Havoc for a town and its homes. */
export function createHavoc(
  parts: Pick<State, 'town' | 'homes' | 'meddling' | 'customers'>,
): Havoc {
  const { town, homes, customers } = parts;
  const state: State = { ...parts, counts: {}, turns: new Map() };
  return {
    async play(troubles) {
      const startMs = performance.now();
      const all: Promise<void>[] = [];
      const faults: string[] = [];
      for (const trouble of troubles) {
        await sleep(Math.max(0, startMs + trouble.atMs - performance.now()));
        const made = make(state, trouble);
        all.push(made.catch((error) => void faults.push(`${nameOf(trouble)}: ${error}`)));
      }
      await Promise.all(all);
      return faults;
    },
    async heal() {
      const { headEnd } = town;
      await surely(() => headEnd.heal());
      await surely(() => headEnd.setLink(true));
      for (const { card } of customers) await surely(() => homes.turn(card, true));
    },
    done: () => ({ ...state.counts }),
  };
}

/** What a trouble is called in the report. */
export function nameOf(trouble: Trouble): string {
  switch (trouble.kind) {
    case 'kill':
      return `kill ${trouble.victim}`;
    case 'postgres':
      return `kill Postgres, ${trouble.how}`;
    case 'fault':
      return `fault ${trouble.fault.kind}`;
    case 'restart':
      return `restart head-end, ${trouble.lose} lost`;
    case 'rollback':
      return 'head-end as it was before';
    case 'clock':
      return `wrong clock of ${trouble.victim}`;
    case 'link':
      return 'VIP Control cut';
    case 'data':
      return `data: ${trouble.what}`;
    case 'foreign':
      return `foreign write, ${trouble.whose}`;
    case 'homes':
      return 'homes off and on';
  }
}

async function make(state: State, trouble: Trouble): Promise<void> {
  const name = nameOf(trouble);
  const { town, meddling } = state;
  if (trouble.kind === 'kill' && !town.programs.has(trouble.victim)) return;
  state.counts[name] = (state.counts[name] ?? 0) + 1;
  switch (trouble.kind) {
    case 'kill':
      return inTurn(state, trouble.victim, () => kill(state, trouble.victim, trouble.downMs));
    case 'clock':
      return inTurn(state, trouble.victim, () => moveClock(state, trouble));
    case 'postgres':
      return town.killPostgres(trouble.how);
    case 'homes':
      return inTurn(state, 'head-end', () => switchHomes(state, trouble));
    case 'data':
      return inTurn(state, 'head-end', () => meddling.disagree(trouble));
    case 'foreign':
      return inTurn(state, 'head-end', () => meddling.activate(trouble.whose));
    case 'fault':
      return inTurn(state, 'head-end', () => surely(() => town.headEnd.setFault(trouble.fault)));
    case 'restart':
      return inTurn(state, 'head-end', () =>
        surely(() => town.headEnd.restart({ lose: trouble.lose })),
      );
    case 'rollback':
      return inTurn(state, 'head-end', () =>
        surely(() => town.headEnd.restart({ loseSeconds: trouble.seconds })),
      );
    case 'link':
      return inTurn(state, 'head-end', async () => {
        await surely(() => town.headEnd.setLink(false));
        await sleep(trouble.downMs);
        await surely(() => town.headEnd.setLink(true));
      });
  }
}

function inTurn(state: State, who: string, act: () => Promise<void>): Promise<void> {
  const before = state.turns.get(who) ?? Promise.resolve();
  // What could not be done before is reported there.
  const turn = before.catch(() => undefined).then(act);
  state.turns.set(who, turn);
  return turn;
}

/** What is asked of the head-end's window is asked again when a busy machine was too slow. */
export async function surely(ask: () => Promise<void>): Promise<void> {
  for (let left = TRIES_MAX; ; left -= 1) {
    try {
      await ask();
      return;
    } catch (error) {
      if (left <= 1) throw error;
      await sleep(TRY_AGAIN_MS);
    }
  }
}

const programOf = ({ town }: State, victim: Victim) => {
  const program = town.programs.get(victim);
  if (!program) throw new Error(`no process ${victim}`);
  return program;
};

async function kill(state: State, victim: Victim, downMs: number): Promise<void> {
  const program = programOf(state, victim);
  await program.kill();
  await sleep(downMs);
  await program.start();
  if (victim === 'head-end') await surely(() => state.homes.furnish());
}

async function moveClock(
  state: State,
  { victim, offsetMs, forMs }: Extract<Trouble, { kind: 'clock' }>,
): Promise<void> {
  const program = programOf(state, victim);
  await program.kill();
  await program.start([`--clock-offset-ms=${offsetMs}`]);
  await sleep(forMs);
  await program.kill();
  await program.start();
}

/** Every so manieth home, spread over all. */
async function switchHomes(
  { homes, customers }: State,
  { percent, offMs }: Extract<Trouble, { kind: 'homes' }>,
): Promise<void> {
  const some = customers.filter((_, n) => (n * 37) % 100 < percent);
  for (const { card } of some) await surely(() => homes.turn(card, false));
  await sleep(offMs);
  for (const { card } of some) await surely(() => homes.turn(card, true));
}
