/**
 * The head-end as its own process: `--port 7010 --http-port 7011 --data head-end.jsonl`, and
 * `--kbit 100 --latency 80:2000 --services FILE.json --clock-offset-ms 0`. Started with an IPC
 * channel it says there that it is ready, and ends at any word, or with whoever started it.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createLogger } from '../../src/platform/log.ts';
import { after } from '../../src/platform/timers.ts';
import { createHeadEndHttp } from './http.ts';
import { servicesForm } from './http-control.ts';
import type { Latency } from './latency.ts';
import { createMovedClock } from './moved-clock.ts';
import { createVipControlServer } from './server.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '7010' },
    'http-port': { type: 'string', default: '7011' },
    data: { type: 'string', default: 'data/head-end.jsonl' },
    kbit: { type: 'string' },
    latency: { type: 'string' },
    services: { type: 'string' },
    'clock-offset-ms': { type: 'string', default: '0' },
  },
});

function numberOf(option: string, text: string): number {
  const value = Number(text);
  if (!/^-?\d+(\.\d+)?$/.test(text)) throw new Error(`--${option} ${text} is no number`);
  return value;
}

/** `20`, or `median:p99`. */
function latencyOf(text: string): Latency {
  const [first = '', second] = text.split(':');
  const medianMs = numberOf('latency', first);
  return second === undefined ? medianMs : { medianMs, p99Ms: numberOf('latency', second) };
}

const host = '127.0.0.1';
const logger = createLogger({ level: 'info', service: 'head-end' });
const clock = createMovedClock(numberOf('clock-offset-ms', values['clock-offset-ms']));
const { kbit, latency, services } = values;

const headEnd = await createVipControlServer({
  port: numberOf('port', values.port),
  host,
  dataFile: values.data,
  clock,
  logger,
  ...(kbit === undefined ? {} : { kbitPerSecond: numberOf('kbit', kbit) }),
  ...(latency === undefined ? {} : { latencyMs: latencyOf(latency) }),
  ...(services === undefined
    ? {}
    : { services: servicesForm.parse(JSON.parse(readFileSync(services, 'utf8'))) }),
});
const http = await createHeadEndHttp({
  headEnd,
  host,
  port: numberOf('http-port', values['http-port']),
  clock,
});
logger.info('headend.listening', { port: headEnd.port, httpPort: http.port });
process.send?.({ ready: true, port: headEnd.port, httpPort: http.port });

const PARENT_STOPS_MS_MAX = 5_000;
let isStopping = false;
const waits: (() => void)[] = [];
async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  for (const cancel of waits) cancel();
  await http.stop();
  await headEnd.stop();
  if (process.connected) process.disconnect();
}
process.once('disconnect', stop);
process.on('message', stop);
// A signal often reaches a whole family of processes at once: then whoever started us goes first,
// and has us until its work is done.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    if (process.connected) waits.push(after(PARENT_STOPS_MS_MAX, stop));
    else void stop();
  });
}
