/**
 * The mobile-money operator of the rounds: it keeps its own books, tells the product of every line
 * in an open loop (at fixed instants, whether answers come or not), and sends again what got no
 * good answer, as an operator's staff would. It lives on when the product is killed.
 */
import { Agent, request } from 'node:http';
import { signTvuNotice } from '../simulators/mobile-money/sign-tvu.ts';
import { sleep } from '../src/platform/timers.ts';
import type { Demo } from './house.ts';
import type { BookLine, Sending } from './plan.ts';

export interface Played {
  /** First tries that got no 2xx: no connection, a broken one, silence, or 5xx. */
  unanswered: number;
  /** Tries after the first. */
  resent: number;
  /** Messages that never got a 2xx. */
  givenUp: number;
  /** Answers that asked for no repeat and were no 2xx, in words. */
  refusals: string[];
  /** The most that the loop was late, which is ours and not the product's. */
  lateMsMax: number;
}

export interface Operator {
  /** Everything that ever moved, by receipt. */
  readonly lines: ReadonlyMap<string, BookLine>;
  /** Sends all at their times, then again until each was answered or the time is up. */
  play(sendings: readonly Sending[]): Promise<Played>;
  /** When the first 2xx came to a message sent after this instant of `performance.now()`. */
  firstAnswerAfter(sinceMs: number): number | null;
  close(): void;
}

/** As Daraja waits for an answer. */
const ANSWER_MS_MAX = 10_000;
const CONNECTIONS_MAX = 256;
const RESEND_PARALLEL = 64;
const RESEND_DELAY_MS_MIN = 250;
const RESEND_DELAY_MS_MAX = 2_000;
const RESEND_MS_MAX = 120_000;

interface State {
  demo(): Demo;
  agent: Agent;
  lines: Map<string, BookLine>;
  /** Pairs of `performance.now()`: sent and answered well. */
  answers: { sentMs: number; answeredMs: number }[];
}

/** An operator with empty books; `demo` tells where the product is now. */
export function createOperator(demo: () => Demo): Operator {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS_MAX });
  const state: State = { demo, agent, lines: new Map(), answers: [] };
  return {
    lines: state.lines,
    play: (sendings) => play(state, sendings),
    firstAnswerAfter(sinceMs) {
      const after = state.answers.filter(({ sentMs }) => sentMs >= sinceMs);
      return after.length === 0 ? null : Math.min(...after.map(({ answeredMs }) => answeredMs));
    },
    close: () => agent.destroy(),
  };
}

async function play(state: State, sendings: readonly Sending[]): Promise<Played> {
  const played: Played = { unanswered: 0, resent: 0, givenUp: 0, refusals: [], lateMsMax: 0 };
  const waiting: Sending[] = [];
  state.answers = [];
  const addresses = addressesOf(state.demo());
  const attempt = async (sending: Sending): Promise<boolean> => {
    const sentMs = performance.now();
    const status = await post(state.agent, addresses, sending);
    if (status !== null && status >= 200 && status < 300) {
      state.answers.push({ sentMs, answeredMs: performance.now() });
      return true;
    }
    if (status !== null && status < 500) {
      played.refusals.push(`receipt ${sending.line.receipt} was answered with ${status}`);
      return true;
    }
    waiting.push(sending);
    return false;
  };

  const loading = new AbortController();
  const resending = resend(waiting, attempt, loading.signal);
  const startMs = performance.now();
  const first: Promise<void>[] = [];
  for (const sending of sendings) {
    const waitMs = startMs + sending.atMs - performance.now();
    if (waitMs > 0) await sleep(waitMs);
    else played.lateMsMax = Math.max(played.lateMsMax, -waitMs);
    state.lines.set(sending.line.receipt, sending.line);
    first.push(
      attempt(sending).then((isAnswered) => {
        if (!isAnswered) played.unanswered += 1;
      }),
    );
  }
  await Promise.all(first);
  loading.abort();
  played.resent = await resending;
  played.givenUp = waiting.length;
  return played;
}

/** Sends what waits again and again, more slowly while nothing is heard; returns how often. */
async function resend(
  waiting: Sending[],
  attempt: (sending: Sending) => Promise<boolean>,
  loaded: AbortSignal,
): Promise<number> {
  let count = 0;
  let delayMs = RESEND_DELAY_MS_MIN;
  let deadlineMs = Number.POSITIVE_INFINITY;
  while (!loaded.aborted || waiting.length > 0) {
    if (loaded.aborted && deadlineMs === Number.POSITIVE_INFINITY) {
      deadlineMs = performance.now() + RESEND_MS_MAX;
    }
    if (performance.now() > deadlineMs) break;
    // A wait in which the last first answers come in must not end early.
    await sleep(delayMs);
    const queue = waiting.splice(0).values();
    let heard = 0;
    const work = async () => {
      for (const sending of queue) {
        count += 1;
        if (await attempt(sending)) heard += 1;
      }
    };
    await Promise.all(Array.from({ length: RESEND_PARALLEL }, work));
    delayMs = heard > 0 ? RESEND_DELAY_MS_MIN : Math.min(delayMs * 2, RESEND_DELAY_MS_MAX);
  }
  return count;
}

interface Addresses {
  confirmUrl: string;
  tvu: { url: string; secret: string };
}

/** They hold across restarts: the port is ours and the tokens lie in the data folder. */
function addressesOf(demo: Demo): Addresses {
  const tvu = demo.tvu.find(({ channel }) => channel === TVU_CHANNEL);
  if (!tvu) throw new Error(`no channel ${TVU_CHANNEL}`);
  return { confirmUrl: demo.paybill.confirmUrl, tvu };
}

/** The demo's channel of TV units in Kenya. */
export const TVU_CHANNEL = 'ke-tvu';

/** The status of the answer; null when there was none. */
function post(agent: Agent, addresses: Addresses, { line, body }: Sending): Promise<number | null> {
  const url = line.kind === 'tvu' ? addresses.tvu.url : addresses.confirmUrl;
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    ...(line.kind === 'tvu' ? signature(addresses.tvu.secret, line.receipt, body) : {}),
  };
  return new Promise((resolve) => {
    const options = { method: 'POST', agent, headers, timeout: ANSWER_MS_MAX };
    const sent = request(url, options, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? null));
      answer.once('error', () => resolve(null));
    });
    sent.once('timeout', () => sent.destroy());
    sent.once('error', () => resolve(null));
    sent.once('close', () => resolve(null));
    sent.end(body);
  });
}

/** Signed anew at each try: the product refuses old signatures. */
function signature(secret: string, receipt: string, body: string): Record<string, string> {
  const id = `msg_${receipt}`;
  const timestamp = Math.floor(Date.now() / 1_000);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signTvuNotice({ secret, id, timestamp, body }),
  };
}
