/** What a head-end is given, and what it is made of. */
import type { RepeatStep } from '../../src/entitlement/vip-control/messages.ts';
import type { Clock, Logger, Random } from '../../src/platform/ports.ts';
import type { Air, AirEvent, Service } from './air/types.ts';
import type { BacklogWatch } from './backlog.ts';
import type { Desk } from './desk.ts';
import type { Door, DoorTls } from './door.ts';
import type { Faults } from './faults/faults.ts';
import type { Telling } from './faults/telling.ts';
import type { WireDeps } from './faults/wire.ts';
import type { Journal, openJournal } from './journal.ts';
import type { Latency } from './latency.ts';
import type { HeadEndLog, openLog } from './log.ts';
import type { Memory } from './memory.ts';
import type { Peer } from './peer.ts';
import type { Pulse, Timers } from './pulse.ts';
import type { Questions } from './questions.ts';
import type { RefreshLimit } from './rules.ts';

export interface VipControlServerDeps {
  /** 0 takes any free port. */
  port: number;
  host: string;
  dataFile: string;
  clock: Clock;
  logger: Logger;
  /** Absent: whoever reaches the port may come in. */
  tls?: DoorTls;
  /** Absent: those of the machine. */
  timers?: Timers;
  random?: Random;
  /** Absent: a port of the machine. */
  door?: Door;
  /** Absent: `dataFile`, and what lies beside it, on the disk. */
  openJournal?: typeof openJournal;
  openLog?: typeof openLog;
  /** Absent: any casId may log in. */
  casId?: string;
  /** Absent: every product is known. */
  knownProducts?: Iterable<string>;
  /** Absent: every card is known. */
  knownCard?: (card: string) => boolean;
  /** From taking a command to executing it; on air it is when there is room. */
  latencyMs?: Latency;
  osdMax?: number;
  maxWindow?: number;
  /** Bandwidth of the EMMs; absent: as much as there is, at once. */
  kbitPerSecond?: number;
  profile?: readonly RepeatStep[];
  services?: readonly Service[];
  /** The decoder a card belongs in while no command has paired it; absent: any. */
  pairedWith?: (card: string) => string | undefined;
  /** Longest letter to a mailbox, subject and text. */
  mailMax?: number;
  /** Absent: every area is known. */
  knownRegions?: Iterable<string>;
  /** Only registered cards and decoders are known, even before the first was registered. */
  isListed?: boolean;
  /** A file of the log is ended when it is longer than this. */
  logFileBytesMax?: number;
  refreshLimit?: RefreshLimit;
  /** So many EMMs that wait for their first broadcast are told of. */
  backlogEmms?: number;
}

/** Characters of a message on the screen, and of a letter, where nobody says otherwise. */
export const OSD_CHARS_MAX = 160;
export const MAIL_CHARS_MAX = 1_000;

/** A running head-end. */
export interface HeadEnd {
  deps: VipControlServerDeps;
  memory: Memory;
  log: HeadEndLog;
  ask: Questions;
  journal: Journal;
  door: Door;
  desk: Desk;
  telling: Telling;
  /** What VIP Control goes by. */
  clock: Clock;
  air: Air;
  backlog: BacklogWatch;
  pulse: Pulse;
  faults: Faults;
  listeners: Set<(event: AirEvent) => void>;
  /** The one live session of each client. */
  sessions: Map<string, Peer>;
  /** The last `seq` of the session before, of each client. */
  lastSeqs: Map<string, number>;
  peers: Set<Peer>;
  profile: readonly RepeatStep[];
  maxWindow: number;
  /** As it was set, whatever the fault `load` makes of it. */
  window: number;
  toldWindow: number;
  wire: WireDeps;
  knownProducts: ReadonlySet<string> | undefined;
  isHealthy: boolean;
}
