/** What goes wrong, and when: drawn from the seed, done to the house, and at the end undone. */
import type { Random } from '../../src/platform/ports.ts';
import { below, oneOf } from '../random.ts';
import type { House } from './house.ts';
import type { Trace } from './trace.ts';
import { CALM_WIRE } from './wire.ts';

export interface Faults {
  /** One fault, by chance among those of this seed. */
  strike(): void;
  /** Nothing goes wrong from now on, and what was broken stands again. */
  calm(): void;
}

export interface FaultsDeps {
  house: House;
  random: Random;
  trace: Trace;
  /** Takes a copy of the database, and what is known outside with it; false: ask again. */
  backUp(): Promise<boolean>;
  /** Goes back to the copy, as a restore has to. */
  restore(): Promise<void>;
  /** Raises the epoch of our revisions, and has all rights sent. */
  raiseEpoch(): Promise<void>;
  /** Somebody gives a card at the head-end's console what nobody has paid for. */
  activate(): void;
}

const DOWN_MS_MAX = 8_000;
const STALL_MS_MAX = 14_000;
const WHILE_MS_MAX = 10_000;
const AGAIN_MS = 20;
const SKEW_MS_MAX = 3_000;
const WRONG_CLOCK_MS = 300_000;
const PROCESSES = 2;
/** Of the kinds there are, how many a seed has at least. */
const KINDS_MIN = 3;
/** A command of the head-end's takes this long at the median, when it is slow. */
const SLOW_MS = 3_000;
const WINDOW_MAX = 256;

type Striking = FaultsDeps & { isCalm(): boolean };
type Strike = (deps: Striking) => void;

/** Faults for one house; which kinds there are is the seed's. */
export function createFaults(deps: FaultsDeps): Faults {
  const { random, trace, house } = deps;
  const kinds = Object.keys(STRIKES).filter(() => random.fraction() < 0.5);
  while (kinds.length < KINDS_MIN) kinds.push(oneOf(random, Object.keys(STRIKES)));
  trace.tell(`faults of this seed: ${kinds.join(', ')}`);
  let isCalm = false;
  return {
    strike() {
      const kind = oneOf(random, kinds);
      if (isCalm) return;
      trace.fault(kind);
      STRIKES[kind]?.({ ...deps, isCalm: () => isCalm });
    },
    calm() {
      isCalm = true;
      house.wire.setFaults(CALM_WIRE);
      house.setLoss(0);
      house.headEnd.setSkew(0);
      for (const life of house.alive()) life.skewMs = 0;
      if (!house.headEnd.isUp()) return;
      calmHeadEnd(house);
    },
  };
}

function calmHeadEnd({ headEnd, wire }: House): void {
  const server = headEnd.server();
  server.faults.heal();
  server.setFlow(WINDOW_MAX);
  server.setLatency(1);
  // A silent wire would take a minute to be noticed, at each end.
  wire.cutAll();
}

/** After a while by chance. */
const later = ({ random }: FaultsDeps, msMax: number, act: () => void) =>
  setTimeout(act, 1 + below(random, msMax));

const STRIKES: Record<string, Strike> = {
  process_crash: (deps) => crashOne(deps, false),
  machine_gone: (deps) => crashOne(deps, true),
  head_end_restart: (deps) => restartHeadEnd(deps, false),
  head_end_restart_queue_lost: (deps) => restartHeadEnd(deps, true),
  wire_cut_all: ({ house }) => void house.wire.cutAll(),
  wire_half_open: ({ house }) => void house.wire.goSilent(),
  wire_rough(deps) {
    deps.house.wire.setFaults({ cut: 30, slow: 80, split: 200, late: 250, twice: 150 });
    later(deps, 2 * WHILE_MS_MAX, () => deps.house.wire.setFaults(CALM_WIRE));
  },
  head_end_drops_before_ack: (deps) => setFault(deps, 'drop_before_ack'),
  head_end_drops_after_doing: (deps) => setFault(deps, 'drop_after_exec'),
  head_end_tells_twice: (deps) => setFault(deps, 'dup_res'),
  head_end_busy(deps) {
    const { headEnd } = deps.house;
    if (!headEnd.isUp()) return;
    headEnd.server().setFlow(below(deps.random, 2), 1 + below(deps.random, WHILE_MS_MAX));
    later(deps, WHILE_MS_MAX, () => headEnd.isUp() && headEnd.server().setFlow(WINDOW_MAX));
  },
  head_end_console: ({ activate }) => activate(),
  head_end_slow({ house }) {
    if (house.headEnd.isUp()) {
      house.headEnd.server().setLatency({ medianMs: SLOW_MS, p99Ms: 10 * SLOW_MS });
    }
  },
  head_end_clock_wrong(deps) {
    const skewMs = oneOf(deps.random, [-WRONG_CLOCK_MS, -SKEW_MS_MAX, SKEW_MS_MAX, WRONG_CLOCK_MS]);
    deps.house.headEnd.setSkew(skewMs);
    later(deps, WHILE_MS_MAX, () => deps.house.headEnd.setSkew(0));
  },
  process_clock_wrong({ house, random }) {
    for (const life of house.alive()) life.skewMs = below(random, 2 * SKEW_MS_MAX) - SKEW_MS_MAX;
  },
  database_stalls: ({ house, random }) => house.kernel.stall(1 + below(random, STALL_MS_MAX)),
  statements_lost(deps) {
    deps.house.setLoss(40);
    later(deps, WHILE_MS_MAX, () => deps.house.setLoss(0));
  },
  epoch_raised: (deps) => withoutProcesses(deps, deps.raiseEpoch),
  database_restored(deps) {
    const { house, trace } = deps;
    const take = async () => {
      if (deps.isCalm()) return;
      if (!(await deps.backUp())) {
        setTimeout(() => house.kernel.soon(take), AGAIN_MS);
        return;
      }
      trace.tell('a copy of the database is taken');
      restoreLater(deps);
      // Whoever restored once may do so again, from the same copy.
      if (deps.random.fraction() < 0.5) restoreLater(deps);
    };
    house.kernel.soon(take);
  },
};

function restoreLater(deps: Striking): void {
  later(deps, WHILE_MS_MAX, () => {
    if (deps.isCalm()) return;
    deps.trace.tell('the database is restored');
    withoutProcesses(deps, deps.restore);
  });
}

/** Stops all processes, changes something below them, and starts others. */
function withoutProcesses({ house }: Striking, change: () => Promise<void>): void {
  house.kernel.soon(async () => {
    for (const life of house.alive()) await house.crash(life, false);
    await change();
    for (let n = 0; n < PROCESSES; n += 1) house.start();
  });
}

function crashOne(deps: Striking, silently: boolean): void {
  const { house, random } = deps;
  const lives = house.alive();
  const life = lives[below(random, lives.length)];
  if (!life) return;
  house.kernel.soon(() => house.crash(life, silently));
  later(deps, DOWN_MS_MAX, () => {
    // At rest one process is enough.
    if (house.alive().length < (deps.isCalm() ? 1 : PROCESSES)) house.start();
  });
}

function restartHeadEnd(deps: FaultsDeps, loseQueue: boolean): void {
  const { headEnd } = deps.house;
  if (!headEnd.isUp()) return;
  headEnd.kill();
  later(deps, DOWN_MS_MAX, () => {
    if (!headEnd.isUp()) void headEnd.start({ loseQueue });
  });
}

type HeadEndFault = 'drop_before_ack' | 'drop_after_exec' | 'dup_res';

function setFault({ house, random }: FaultsDeps, kind: HeadEndFault): void {
  if (house.headEnd.isUp())
    house.headEnd.server().faults.set({ kind, times: 1 + below(random, 4) });
}
