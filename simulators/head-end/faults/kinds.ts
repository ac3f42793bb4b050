/** What can go wrong on demand, each with the words and the limits of its one number. */
import { z } from 'zod';

interface Kind {
  /** What it does, in a sentence. */
  does: string;
  /** It holds until it is ended; others meet one command, unless more is said. */
  lasts?: true;
  /** The number it takes. */
  value?: { unit: string; min: number; max: number; normal: number };
  /** How many in a hundred it meets when that is not said; absent: all. */
  percent?: number;
}

const MINUTES_10_MS = 600_000;

export const FAULTS = {
  drop_before_ack: { does: 'Cuts the connection; the command is not taken.' },
  drop_after_exec: { does: 'Cuts the connection after executing, before telling the result.' },
  dup_res: { does: 'Tells a result twice, and once more in the next session.' },
  shuffle: {
    does: 'Holds results back until there are so many, and tells them in any order.',
    lasts: true,
    value: { unit: 'results', min: 2, max: 1_000, normal: 20 },
  },
  late: {
    does: 'Tells a result so much later, in whatever session there is by then.',
    value: { unit: 'ms', min: 1, max: MINUTES_10_MS, normal: 90_000 },
  },
  blackhole: { does: 'The connection stays, and from now on nothing is heard or said on it.' },
  frag: {
    does: 'Sends a message in pieces of so many bytes.',
    lasts: true,
    value: { unit: 'bytes', min: 1, max: 65_536, normal: 3 },
  },
  coalesce: {
    does: 'Holds messages back for a moment, and sends up to so many in one piece.',
    lasts: true,
    value: { unit: 'messages', min: 2, max: 1_000, normal: 5 },
  },
  oversize: { does: 'Sends a frame over the limit instead of a message.' },
  garbage: { does: 'Sends broken UTF-8, broken JSON or no message instead of one.' },
  load: {
    does: 'Shrinks the window to 1, and refuses commands with BUSY or BANDWIDTH.',
    lasts: true,
    percent: 50,
  },
  seq_skip: { does: 'Believes that a command is missing before this one: SEQ_GAP.' },
  skew: {
    does: 'The clock that VIP Control goes by is wrong by so much; that of the air is right.',
    lasts: true,
    value: { unit: 'ms', min: -MINUTES_10_MS, max: MINUTES_10_MS, normal: 300_000 },
  },
  rate: {
    does: 'Executes so many commands a second, most important first.',
    lasts: true,
    value: { unit: 'commands/s', min: 0.1, max: 10_000, normal: 1 },
  },
  maintenance: { does: 'Refuses every command with MAINTENANCE.', lasts: true },
} as const satisfies Record<string, Kind>;

export type FaultKind = keyof typeof FAULTS;
export const FAULT_KINDS = Object.keys(FAULTS) as FaultKind[];

export interface Fault {
  kind: FaultKind;
  /** In the unit of its kind; absent: the normal one. */
  value?: number;
  /** Ends after so many; absent: 1, or any number where it lasts or another limit is given. */
  times?: number;
  /** How many in a hundred it meets, by chance; absent: all, or as its kind says. */
  percent?: number;
  /** Ends after so long. */
  forSeconds?: number;
}

/** The one description of a kind, whichever it is. */
export const kindOf = (kind: FaultKind): Kind => FAULTS[kind];

const TIMES_MAX = 100_000;
const SECONDS_MAX = 7 * 24 * 3_600;

/** A fault as somebody asks for it, within its limits. */
export const faultForm: z.ZodType<Fault> = z
  .strictObject({
    kind: z.enum(FAULT_KINDS),
    value: z.number().exactOptional(),
    times: z.int().min(1).max(TIMES_MAX).exactOptional(),
    percent: z.number().positive().max(100).exactOptional(),
    forSeconds: z.number().positive().max(SECONDS_MAX).exactOptional(),
  })
  .superRefine(({ kind, value }, context) => {
    if (value === undefined) return;
    const limits = kindOf(kind).value;
    if (limits && value >= limits.min && value <= limits.max) return;
    const message = limits ? `${limits.min} to ${limits.max} ${limits.unit}` : `${kind} takes none`;
    context.addIssue({ code: 'custom', path: ['value'], message });
  });
