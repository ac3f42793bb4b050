/** What is broken when, decided before it starts: the same seed gives the same troubles. */
import { type Fault, type FaultKind, kindOf } from '../simulators/head-end/faults/kinds.ts';
import type { Random } from '../src/platform/ports.ts';
import { below, oneOf, seededRandom } from './random.ts';

/** The processes that are killed; Postgres has troubles of its own. */
export const VICTIMS = ['gateway', 'dispatcher-1', 'dispatcher-2', 'head-end', 'redis'] as const;
export type Victim = (typeof VICTIMS)[number];

/**
 * What is not as we think at the head-end: a card that it does not know (any more), that it has
 * banned, or that it has freed from its decoder; a product that it does not carry for a while; a
 * card of which it has a later revision than ours.
 */
export const DISAGREEMENTS = [
  ...(['unknown_card', 'blacklisted', 'unpaired', 'unknown_product', 'stale_rev'] as const),
] as const;
export type Disagreement = (typeof DISAGREEMENTS)[number];

/** Whose card somebody activates: one that pays all the time, one that never paid, nobody's. */
export const ACTIVATED = ['payer', 'idler', 'stranger'] as const;
export type Activated = (typeof ACTIVATED)[number];

export type Trouble = { atMs: number } & (
  | { kind: 'kill'; victim: Victim; downMs: number }
  /** The first process alone, whose others notice by themselves; or all of them. */
  | { kind: 'postgres'; how: 'first' | 'all' }
  /** Something goes wrong inside the head-end. */
  | { kind: 'fault'; fault: Fault }
  /** VIP Control is away, the air goes on. */
  | { kind: 'link'; downMs: number }
  | { kind: 'restart'; lose: 'nothing' | 'queue' }
  /** The head-end is as it was so long ago: what it said it had done, it does not know any more. */
  | { kind: 'rollback'; seconds: number }
  /** A process is started again with a wrong clock, and later with the right one. */
  | { kind: 'clock'; victim: 'dispatcher-1' | 'dispatcher-2'; offsetMs: number; forMs: number }
  /** The head-end disagrees: about a card until the end, about a product for `forMs`. */
  | { kind: 'data'; what: Disagreement; forMs: number }
  /** Somebody gives a card a product at the head-end's console. */
  | { kind: 'foreign'; whose: Activated }
  /** Some homes switch off, and on again. */
  | { kind: 'homes'; percent: number; offMs: number }
);

export const TROUBLE_KINDS = [
  'kill',
  'postgres',
  'fault',
  'link',
  'restart',
  'rollback',
  'clock',
  'data',
  'foreign',
  'homes',
] as const satisfies readonly Trouble['kind'][];

/** Unless others are asked for. What a head-end forgot is found only by comparing it with ours. */
export const USUAL_KINDS = TROUBLE_KINDS.filter((kind) => kind !== 'rollback');

/** How often each is chosen, against the others. */
const WEIGHTS: Record<Trouble['kind'], number> = {
  ...{ fault: 10, kill: 5, homes: 3, data: 4, foreign: 4, link: 2, restart: 2 },
  ...{ rollback: 1, postgres: 1, clock: 1 },
};
const GAP_MS_MIN = 1_000;
const GAP_MS_MAX = 5_000;
/** What goes wrong is over, or can be healed, so long before the load ends. */
const QUIET_END_MS = 5_000;
const DOWN_MS_MIN = 200;
const DOWN_MS_MAX = 6_000;
const FAULT_SECONDS_MAX = 12;
/** Beyond the minute by which the clocks of both ends of the link may differ. */
const CLOCK_MS_MAX = 90_000;
const HOMES_PERCENT_MAX = 40;
const ROLLBACK_SECONDS_MAX = 60;

/** How hard each fault of the head-end hits: numbers that a minute of load can bear. */
const FAULT_VALUES: Partial<Record<FaultKind, readonly number[]>> = {
  shuffle: [5, 20],
  late: [2_000, 35_000, 50_000],
  frag: [1, 3, 50],
  coalesce: [3, 10],
  rate: [2, 5, 20],
  skew: [-300_000, 300_000, 30_000],
};
export const FAULTS: readonly FaultKind[] = [
  ...(['drop_before_ack', 'drop_after_exec', 'dup_res', 'shuffle', 'late', 'blackhole'] as const),
  ...(['frag', 'coalesce', 'oversize', 'garbage', 'load', 'seq_skip'] as const),
  ...(['skew', 'rate', 'maintenance'] as const),
];

export interface TroubleOptions {
  loadMs: number;
  /** The kinds to choose from. */
  kinds: readonly Trouble['kind'][];
}

/** The troubles of a run, in time. */
export function planTroubles(seed: number, { loadMs, kinds }: TroubleOptions): Trouble[] {
  const random = seededRandom(seed);
  const troubles: Trouble[] = [];
  const gapMs = () => GAP_MS_MIN + below(random, GAP_MS_MAX - GAP_MS_MIN);
  const chances = kinds.flatMap((kind) => Array<Trouble['kind']>(WEIGHTS[kind]).fill(kind));
  const decks: Decks = {
    kind: deckOf(random, chances),
    fault: deckOf(random, FAULTS),
    data: deckOf(random, DISAGREEMENTS),
    foreign: deckOf(random, ACTIVATED),
  };
  for (let atMs = gapMs(); atMs < loadMs - QUIET_END_MS; atMs += gapMs()) {
    troubles.push({ atMs, ...troubleOf(random, decks) });
  }
  return troubles;
}

/** Each comes once before any comes again, so that a few minutes have all. */
interface Decks {
  kind(): Trouble['kind'];
  fault(): FaultKind;
  data(): Disagreement;
  foreign(): Activated;
}

function deckOf<T>(random: Random, items: readonly T[]): () => T {
  let left: T[] = [];
  return () => {
    if (left.length === 0) left = [...items];
    const [item] = left.splice(below(random, left.length), 1);
    if (item === undefined) throw new Error('nothing to choose from');
    return item;
  };
}

type Timeless = Trouble extends infer T ? (T extends Trouble ? Omit<T, 'atMs'> : never) : never;

function troubleOf(random: Random, decks: Decks): Timeless {
  const kind = decks.kind();
  const downMs = DOWN_MS_MIN + below(random, DOWN_MS_MAX - DOWN_MS_MIN);
  switch (kind) {
    case 'kill':
      return { kind, victim: oneOf(random, VICTIMS), downMs };
    case 'postgres':
      return { kind, how: oneOf(random, ['first', 'all']) };
    case 'fault':
      return { kind, fault: faultOf(random, decks.fault()) };
    case 'link':
      return { kind, downMs };
    case 'restart':
      return { kind, lose: oneOf(random, ['nothing', 'queue']) };
    case 'rollback':
      return { kind, seconds: 1 + below(random, ROLLBACK_SECONDS_MAX) };
    case 'clock': {
      const offsetMs = below(random, 2 * CLOCK_MS_MAX) - CLOCK_MS_MAX;
      const victim = oneOf(random, ['dispatcher-1', 'dispatcher-2'] as const);
      return { kind, victim, offsetMs, forMs: 2 * downMs };
    }
    case 'data':
      return { kind, what: decks.data(), forMs: 2 * downMs };
    case 'foreign':
      return { kind, whose: decks.foreign() };
    case 'homes':
      return { kind, percent: 1 + below(random, HOMES_PERCENT_MAX), offMs: downMs };
  }
}

/** Either so many at once, or some of all for a while. */
function faultOf(random: Random, kind: FaultKind): Fault {
  const values = FAULT_VALUES[kind];
  const value = values ? { value: oneOf(random, values) } : {};
  const isLong = kindOf(kind).lasts || random.fraction() < 0.5;
  if (!isLong) return { kind, ...value, times: 1 + below(random, 5) };
  const forSeconds = 1 + below(random, FAULT_SECONDS_MAX);
  return { kind, ...value, percent: oneOf(random, [10, 50, 100]), forSeconds };
}
