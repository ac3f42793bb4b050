/** What the gateway tells by itself: delivery reports, and texts that telephones send. */

import type { Timers } from '../mobile-money/delivery.ts';
import type { InboxText, IncomingMessage } from './inboxes.ts';

const POST_TIMEOUT_MS = 10_000;
const NETWORK_CODE = '63902';

export interface ReportRules {
  /** Real reports may overtake each other. */
  order: 'interim_first' | 'final_first';
  /** The last status of a text that was delivered, e.g. `Success`, `Failed`, `Expired`. */
  finalStatus: string;
  /** Sent along with `Failed` and `Rejected`, e.g. `UserInBlackList`. */
  failureReason: string | null;
}

export interface Reports {
  /** Posts an interim and a final report about a delivered text, one after the other. */
  schedule(text: InboxText): void;
  postIncoming(message: IncomingMessage): Promise<number | null>;
  setRules(change: Partial<ReportRules>): void;
  idle(): Promise<void>;
  stop(): void;
}

export interface ReportDeps {
  timers: Timers;
  delayMs: number;
  reportUrl(): string | null;
  /** Where texts to a short code or number are posted. */
  incomingUrl(to: string): string | null;
}

/** Reports are sent once, whatever they are answered with. */
export function createReports({ timers, delayMs, reportUrl, incomingUrl }: ReportDeps): Reports {
  const stopped = new AbortController();
  const pending = new Set<() => void>();
  const underWay = new Set<Promise<void>>();
  const waiting: (() => void)[] = [];
  let rules: ReportRules = {
    order: 'interim_first',
    finalStatus: 'Success',
    failureReason: null,
  };

  const wakeWhenIdle = () => {
    if (pending.size + underWay.size > 0) return;
    for (const wake of waiting.splice(0)) wake();
  };

  const postBoth = async (text: InboxText) => {
    const interim = { id: text.id, status: 'Submitted', phoneNumber: text.to };
    const reason = rules.finalStatus === 'Success' ? null : rules.failureReason;
    const final = {
      ...interim,
      status: rules.finalStatus,
      ...(reason === null ? {} : { failureReason: reason }),
    };
    const ordered = rules.order === 'interim_first' ? [interim, final] : [final, interim];
    for (const report of ordered) {
      const form = { ...report, networkCode: NETWORK_CODE, retryCount: '0' };
      await postForm(reportUrl(), form, stopped.signal);
    }
  };

  return {
    schedule(text) {
      if (reportUrl() === null) return;
      const cancel = timers.after(delayMs, () => {
        pending.delete(cancel);
        const work = postBoth(text).finally(() => {
          underWay.delete(work);
          wakeWhenIdle();
        });
        underWay.add(work);
      });
      pending.add(cancel);
    },
    postIncoming: ({ id, ...message }) =>
      postForm(
        incomingUrl(message.to),
        { ...message, id: String(id), networkCode: NETWORK_CODE },
        stopped.signal,
      ),
    setRules(change) {
      rules = { ...rules, ...change };
    },
    idle: () =>
      pending.size + underWay.size === 0
        ? Promise.resolve()
        : new Promise((resolve) => waiting.push(resolve)),
    stop() {
      stopped.abort();
      for (const cancel of pending) cancel();
      pending.clear();
      wakeWhenIdle();
    },
  };
}

/** The answer's status; null without an address or without an answer. */
async function postForm(
  url: string | null,
  form: Record<string, string>,
  stop: AbortSignal,
): Promise<number | null> {
  if (url === null) return null;
  try {
    const response = await fetch(url, {
      method: 'POST',
      body: new URLSearchParams(form),
      redirect: 'manual',
      signal: AbortSignal.any([stop, AbortSignal.timeout(POST_TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    return response.status;
  } catch {
    return null;
  }
}
