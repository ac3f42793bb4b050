/**
 * Payments at a fixed rate, whether or not the earlier ones are answered: each has an instant at
 * which it is due, and its latency counts from there. What a slow moment holds up is counted in
 * full, which a closed loop leaves out.
 */
import { connect, type Socket } from 'node:net';
import { confirmationOf, receiptOf } from './payments.ts';

export interface OpenLoopTask {
  url: string;
  path: string;
  customers: number;
  day: string;
  perSecond: number;
  seconds: number;
}

export interface OpenLoopAnswer {
  sent: number;
  failed: number;
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

const CONNECTIONS_MAX = 512;
const DRAIN_MS_MAX = 10_000;
const TICK_MS = 1;

interface Link {
  socket: Socket;
  /** When the payment under way was due; null when the link is free. */
  dueMs: number | null;
}

process.once('message', async (task: OpenLoopTask) => {
  process.once('disconnect', () => process.exit(0));
  process.send?.(await run(task));
});

async function run(task: OpenLoopTask): Promise<OpenLoopAnswer> {
  const { hostname, port } = new URL(task.url);
  const latencies: number[] = [];
  const free: Link[] = [];
  const late: number[] = [];
  let failed = 0;
  let links = 0;
  let serial = 0;

  const send = (link: Link, dueMs: number): void => {
    link.dueMs = dueMs;
    link.socket.write(requestOf(task, serial++));
  };
  const answered = (link: Link, head: string): void => {
    if (link.dueMs === null) return;
    latencies.push(performance.now() - link.dueMs);
    if (!head.startsWith('HTTP/1.1 200')) failed += 1;
    link.dueMs = null;
    const next = late.shift();
    if (next === undefined) free.push(link);
    else send(link, next);
  };
  const open = (): Link => {
    links += 1;
    const socket = connect({ host: hostname, port: Number(port), noDelay: true });
    const link: Link = { socket, dueMs: null };
    // An answer is short: it comes in one piece, with its end.
    socket.on('data', (bytes) => answered(link, bytes.toString('latin1')));
    socket.on('error', () => (failed += 1));
    return link;
  };
  const due = (dueMs: number): void => {
    const link = free.pop() ?? (links < CONNECTIONS_MAX ? open() : null);
    if (link) send(link, dueMs);
    else late.push(dueMs);
  };

  const total = Math.floor(task.perSecond * task.seconds);
  await atFixedRate(total, task.perSecond, due);
  const giveUpMs = performance.now() + DRAIN_MS_MAX;
  while (latencies.length + failed < total && performance.now() < giveUpMs) await tick();
  const sorted = latencies.sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? 0;
  const unanswered = total - sorted.length;
  return {
    sent: total,
    failed: failed + unanswered,
    p50Ms: at(0.5),
    p99Ms: at(0.99),
    maxMs: at(1),
  };
}

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, TICK_MS));

async function atFixedRate(total: number, perSecond: number, due: (dueMs: number) => void) {
  const startMs = performance.now();
  for (let sent = 0; sent < total; ) {
    const dueMs = startMs + (sent / perSecond) * 1000;
    if (dueMs > performance.now()) await tick();
    else {
      due(dueMs);
      sent += 1;
    }
  }
}

function requestOf({ url, path, customers, day }: OpenLoopTask, serial: number): string {
  const n = Math.floor(Math.random() * customers);
  const body = confirmationOf(receiptOf(day, serial), n);
  return [
    `POST ${path} HTTP/1.1`,
    `Host: ${new URL(url).host}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}
