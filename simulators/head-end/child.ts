/** Starts the head-end as a process of its own, which ends with ours at the latest. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { z } from 'zod';
import type { Logger } from '../../src/platform/ports.ts';
import { within } from '../../src/platform/timers.ts';
import type { Service } from './air/types.ts';
import type { Latency } from './latency.ts';

export interface HeadEndProcess {
  /** Of VIP Control, on 127.0.0.1. */
  port: number;
  /** Its window for people and tests. */
  http: string;
  /** Ends it, at once if it does not end by itself; its journal has everything it said. */
  stop(): Promise<void>;
}

export interface HeadEndProcessOptions {
  dataFile: string;
  services: readonly Service[];
  /** Where the line-up is written for it; absent: beside the data file. */
  servicesFile?: string;
  /** 0 or absent: any free port. */
  port?: number;
  /** Bandwidth of the EMMs; absent: as much as there is. */
  kbit?: number;
  latency?: Latency;
  /** Its clock runs so far ahead of the machine's. */
  clockOffsetMs?: number;
  /** Of its chance; absent: another each time. */
  seed?: number;
  /** Also gets what the head-end logs. */
  logger: Logger;
}

const READY_MS_MAX = 20_000;
const STOP_MS_MAX = 10_000;
const STDERR_LINES_KEPT = 20;
/** What the child is told to end it. */
const STOP_MESSAGE = 'stop';

const readyForm = z.object({ ready: z.literal(true), port: z.number(), httpPort: z.number() });
const logForm = z
  .string()
  .transform(jsonOf)
  .pipe(z.looseObject({ level: z.enum(['info', 'warn', 'error']), event: z.string() }));

/** Starts it and waits until it listens; rejects with what it said last when it does not. */
export async function startHeadEndProcess(options: HeadEndProcessOptions): Promise<HeadEndProcess> {
  const servicesFile = options.servicesFile ?? `${options.dataFile}.services.json`;
  await mkdir(dirname(servicesFile), { recursive: true });
  await writeFile(servicesFile, JSON.stringify(options.services));
  const child = fork(join(import.meta.dirname, 'main.ts'), argumentsOf(options, servicesFile), {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
  });
  const exited = goneAndHeard(child);
  let isWanted = true;
  const lastLines = keepLines(child.stderr);
  passOnLog(child.stdout, options.logger);
  const ready = await within(READY_MS_MAX, Promise.race([readiness(child), exited]));
  if (ready === 'timeout' || !('port' in ready)) {
    child.kill('SIGKILL');
    await exited;
    throw new Error(`The head-end did not start:\n${lastLines().join('\n')}`);
  }
  void exited.then(([code, signal]) => {
    if (isWanted) {
      options.logger.error('headend.process_died', { code, signal, stderr: lastLines() });
    }
  });
  return {
    port: ready.port,
    http: `http://127.0.0.1:${ready.httpPort}`,
    async stop() {
      isWanted = false;
      // A signal would make it wait for us to go first; after a `disconnect` from this side Node
      // never says `close`.
      if (child.connected) child.send(STOP_MESSAGE);
      if ((await within(STOP_MS_MAX, exited)) !== 'timeout') return;
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function argumentsOf(options: HeadEndProcessOptions, servicesFile: string): string[] {
  const { kbit, latency } = options;
  const spread = typeof latency === 'object' ? `${latency.medianMs}:${latency.p99Ms}` : latency;
  return [
    ...['--port', String(options.port ?? 0), '--http-port', '0'],
    ...['--data', options.dataFile, '--services', servicesFile],
    ...(options.seed === undefined ? [] : ['--seed', String(options.seed)]),
    ...(kbit === undefined ? [] : ['--kbit', String(kbit)]),
    ...(spread === undefined ? [] : ['--latency', String(spread)]),
    // With `=`: a negative number would be taken for an option.
    `--clock-offset-ms=${options.clockOffsetMs ?? 0}`,
  ];
}

/**
 * Its exit, when all is read that it said. Not its `close`: with a channel to the child that does
 * not always come (seen with Node 24.21).
 */
async function goneAndHeard(child: ChildProcess): Promise<[code: number | null, signal: string]> {
  const streams = [child.stdout, child.stderr].flatMap((stream) => stream ?? []);
  const heard = Promise.all(streams.map((stream) => once(stream, 'close')));
  const [exit] = await Promise.all([once(child, 'exit'), heard]);
  return exit as [number | null, string];
}

async function readiness(child: ChildProcess): Promise<z.infer<typeof readyForm>> {
  const [message] = await once(child, 'message');
  return readyForm.parse(message);
}

/** The last lines of a stream, for when it turns out that they mattered. */
function keepLines(stream: Readable | null): () => string[] {
  const lines: string[] = [];
  if (stream) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      if (lines.length > STDERR_LINES_KEPT) lines.shift();
    });
  }
  return () => [...lines];
}

function passOnLog(stream: Readable | null, logger: Logger): void {
  if (!stream) return;
  createInterface({ input: stream }).on('line', (line) => {
    const entry = logForm.safeParse(line);
    if (!entry.success) return;
    const { level, event, time: _, service: __, ...fields } = entry.data;
    logger[level](event, fields);
  });
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
