/**
 * The head-end as its own process: `--port 7010 --http-port 7011 --data head-end.jsonl`, and
 * `--kbit 100 --latency 80:2000 --services FILE.json --clock-offset-ms 0 --seed 1`; `--tls-key FILE
 * --tls-cert FILE --tls-ca FILE` lets in only whom that authority knows, and `--vcp-http-port 7012`
 * is for VIP Control by HTTP; `--listed` knows only what was registered. Started with an IPC
 * channel it says there that it is ready, and ends at any word, or with whoever started it.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { createLogger } from '../../src/platform/log.ts';
import { after } from '../../src/platform/timers.ts';
import { seededRandom } from '../../torture/random.ts';
import type { DoorTls } from './door.ts';
import { createHeadEndHttp } from './http.ts';
import { servicesForm } from './http-control.ts';
import type { Latency } from './latency.ts';
import { createMovedClock } from './moved-clock.ts';
import { createVipControlServer } from './server.ts';
import { openVcpPort } from './vcp-port.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '7010' },
    'http-port': { type: 'string', default: '7011' },
    data: { type: 'string', default: 'data/head-end.jsonl' },
    kbit: { type: 'string' },
    latency: { type: 'string' },
    services: { type: 'string' },
    listed: { type: 'boolean', default: false },
    'tls-key': { type: 'string' },
    'tls-cert': { type: 'string' },
    'tls-ca': { type: 'string' },
    'vcp-http-port': { type: 'string' },
    'clock-offset-ms': { type: 'string', default: '0' },
    seed: { type: 'string' },
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

/** All three files, or none. */
function tlsOf(files: (string | undefined)[]): DoorTls | undefined {
  const [key, cert, ca] = files.map((file) => (file ? readFileSync(file, 'utf8') : undefined));
  if (!key && !cert && !ca) return undefined;
  if (!key || !cert || !ca) throw new Error('--tls-key, --tls-cert and --tls-ca go together');
  return { key, cert, ca };
}

const host = '127.0.0.1';
const logger = createLogger({ level: 'info', service: 'head-end' });
const clock = createMovedClock(numberOf('clock-offset-ms', values['clock-offset-ms']));
const { kbit, latency, services, seed } = values;
const tls = tlsOf([values['tls-key'], values['tls-cert'], values['tls-ca']]);
const vcpPort = values['vcp-http-port'];

const headEnd = await createVipControlServer({
  port: numberOf('port', values.port),
  host,
  dataFile: values.data,
  clock,
  logger,
  isListed: values.listed,
  ...(tls === undefined ? {} : { tls }),
  ...(kbit === undefined ? {} : { kbitPerSecond: numberOf('kbit', kbit) }),
  ...(seed === undefined ? {} : { random: seededRandom(numberOf('seed', seed)) }),
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
const vcp =
  vcpPort === undefined
    ? undefined
    : await openVcpPort(headEnd.vcp, {
        ...{ host, port: numberOf('vcp-http-port', vcpPort) },
        ...(tls === undefined ? {} : { tls }),
      });
logger.info('headend.listening', {
  port: headEnd.port,
  httpPort: http.port,
  vcpHttpPort: vcp?.port,
});
process.send?.({ ready: true, port: headEnd.port, httpPort: http.port });

const PARENT_STOPS_MS_MAX = 5_000;
let isStopping = false;
const waits: (() => void)[] = [];
async function stop(): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  for (const cancel of waits) cancel();
  await vcp?.stop();
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
