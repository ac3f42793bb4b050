/** One operator's machines: two processes of the product, the head-end, and what breaks them. */
import type { ServiceLogger } from '../../src/platform/log.ts';
import type { TestDatabase } from '../../src/platform/test-database.ts';
import { below, seededRandom } from '../random.ts';
import { type Backups, createBackups } from './backups.ts';
import type { Base } from './base.ts';
import { type Break, breakQuery, breakSettlement, breakWire } from './breaks.ts';
import { createHeadEndHouse, type HeadEndHouse } from './head-end.ts';
import { createKernel, type Kernel } from './kernel.ts';
import { type ProductProcess, startProcess } from './product.ts';
import { type Fate, openStatements, type Statements } from './statements.ts';
import { installVirtualTime, type Life, type VirtualTime, within } from './time.ts';
import type { Trace } from './trace.ts';
import { createWire, type Wire } from './wire.ts';

export interface House {
  time: VirtualTime;
  kernel: Kernel;
  statements: Statements;
  wire: Wire;
  headEnd: HeadEndHouse;
  backups: Backups;
  /** A process that is up, by chance; null: none is. */
  anyProcess(): ProductProcess | null;
  /** Those that are alive, whether up or starting. */
  alive(): Life[];
  /** `kill -9`; with `silently`, as if the machine had gone, so that no peer is told. */
  crash(life: Life, silently: boolean): Promise<void>;
  /** Another process in the place of one that died. */
  start(): void;
  /** Of a thousand statements, how many are lost with their connection. */
  setLoss(perThousand: number): void;
  /** What went wrong inside that nobody was told of. */
  failures: string[];
  close(): Promise<void>;
}

export interface HouseDeps {
  base: Base;
  /** A copy of the base. */
  database: TestDatabase;
  seed: number;
  beganAt: Date;
  trace: Trace;
  broken: Break | null;
}

const RESTART_MS = 1_000;

/** Opens it, with the time of this process replaced until it is closed; nothing runs yet. */
export async function openHouse(deps: HouseDeps): Promise<House> {
  const { trace, seed, broken } = deps;
  // Each part has its own chance, so that one more draw in one does not change all others.
  const chanceOf = (part: number) => seededRandom(seed * 16 + part);
  let loss = 0;
  const losing = chanceOf(1);
  const time = installVirtualTime(deps.beganAt);
  trace.startClock(time.elapsedMs);
  const statements = await openStatements({
    url: deps.database.appUrl,
    elapsedMs: time.elapsedMs,
    random: chanceOf(2),
    rewrite: (query) => breakQuery(broken, query),
    trace: trace.note,
    fate(): Fate {
      if (loss === 0 || below(losing, 1_000) >= loss) return 'done';
      trace.fault('statement_lost');
      return losing.fraction() < 0.5 ? 'lost_before' : 'lost_after';
    },
  }).catch((error: unknown) => {
    time.uninstall();
    throw error;
  });
  const kernel = createKernel({ time, statements, random: chanceOf(3) });
  const wire = createWire({
    time,
    random: chanceOf(4),
    onFault: trace.fault,
    trace: trace.note,
    rewrite: (message) => breakWire(broken, message),
  });
  const cards = deps.base.subscribers.map(({ card }) => card);
  const headEndRandom = chanceOf(5);
  const headEnd = createHeadEndHouse({ time, wire, random: headEndRandom, logger: quiet, cards });
  const backups = createBackups(statements, deps.database);
  const failures: string[] = [];
  let isClosed = false;
  const processes = createProcesses({ ...deps, time, kernel, statements, wire, failures });
  return {
    ...{ time, kernel, statements, wire, headEnd, backups, failures, ...processes },
    setLoss(perThousand) {
      loss = perThousand;
    },
    async close() {
      if (isClosed) return;
      isClosed = true;
      for (const life of processes.alive()) life.isAlive = false;
      time.uninstall();
      await statements.close();
    },
  };
}

type Parts = HouseDeps & Pick<House, 'time' | 'kernel' | 'statements' | 'wire' | 'failures'>;

function createProcesses(parts: Parts): Pick<House, 'anyProcess' | 'alive' | 'crash' | 'start'> {
  const { statements, wire, trace, failures, kernel } = parts;
  const choosing = seededRandom(parts.seed * 16 + 6);
  const productRandom = seededRandom(parts.seed * 16 + 7);
  const up = new Map<Life, ProductProcess>();
  const living = new Set<Life>();
  let serial = 0;
  const crash = async (life: Life, silently: boolean): Promise<void> => {
    if (!life.isAlive) return;
    trace.tell(`${life.name} dies`);
    if (!silently) wire.cutAll(life);
    life.isAlive = false;
    living.delete(life);
    up.delete(life);
    await statements.end(life);
  };
  const start = (): void => {
    serial += 1;
    const life: Life = { name: `p${serial}`, isAlive: true, skewMs: 0 };
    living.add(life);
    const logger = loggerOf(life, trace);
    const texts = { name: 'texts', send: async () => ({ ok: true, providerId: null }) as const };
    const starting = within(life, () =>
      startProcess({
        ...{ ...parts, life, random: productRandom, logger, texts },
        breakSettlement: (settlement) => breakSettlement(parts.broken, settlement),
      }),
    );
    starting.then(
      (process) => {
        if (!life.isAlive) return;
        trace.tell(`${life.name} is up`);
        up.set(life, process);
      },
      // A process that cannot start ends, and its supervisor starts the next.
      (error: Error) => {
        trace.tell(`${life.name} cannot start: ${error.message}`);
        if (!/terminated|queryable/.test(error.message)) failures.push(String(error.stack));
        kernel.soon(async () => {
          await crash(life, false);
          setTimeout(start, RESTART_MS);
        });
      },
    );
  };
  return {
    crash,
    start,
    alive: () => [...living],
    anyProcess() {
      const processes = [...up.values()];
      return processes[below(choosing, processes.length)] ?? null;
    },
  };
}

const quiet: ServiceLogger = {
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
};

/** What a process logs as wrong stands in the trace. */
function loggerOf(life: Life, trace: Trace): ServiceLogger {
  const say =
    (level: string) =>
    (event: string): void =>
      trace.note(`${life.name} ${level} ${event}`);
  const logger: ServiceLogger = {
    info: () => undefined,
    warn: say('warns'),
    error: say('alarm'),
    child: () => logger,
  };
  return logger;
}
