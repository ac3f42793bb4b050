/**
 * A text gateway in the house: it speaks Africa's Talking's bulk messaging to the product and
 * keeps every telephone's inbox. Bound to 127.0.0.1.
 * Sources: the messaging pages of developers.africastalking.com and recorded sandbox answers.
 */

import type { Clock, Random } from '../../src/platform/ports.ts';
import { after } from '../../src/platform/timers.ts';
import type { Timers } from '../mobile-money/delivery.ts';
import { serve } from '../mobile-money/http.ts';
import { createInboxes, digits, type InboxText, type IncomingText } from './inboxes.ts';
import { createReports, type ReportRules } from './reports.ts';
import { type TextFault, textRoutes } from './routes.ts';

const REPORT_DELAY_MS = 200;

export interface TextOptions {
  /** 0 or absent: a free one. */
  port?: number;
  clock: Clock;
  random: Random;
  timers?: Timers;
  username: string;
  apiKey: string;
  /** Sender ids and short codes that may be used; absent: any. */
  senderIds?: string[];
  deliveryReportUrl?: string;
  /** Where texts that telephones send are posted; absent: they can only be fetched. */
  incomingUrl?: string;
  reportDelayMs?: number;
}

/** Numbers may be given with or without `+`. */
export interface TextSimulator {
  url: string;
  stop(): Promise<void>;
  /** Newest first. */
  inbox(msisdn: string): InboxText[];
  /** The newest texts of all phones, newest first. */
  allTexts(): InboxText[];
  setFault(fault: TextFault): void;
  /** The per-recipient status code of a number from now on; 100 to 102 are delivered. */
  setRecipientCode(msisdn: string, code: number): void;
  setReportRules(change: Partial<ReportRules>): void;
  setDeliveryReportUrl(url: string | null): void;
  /** Where texts to `to` are posted from now on; without it, all that have no address of theirs. */
  setIncomingUrl(url: string | null, to?: string): void;
  /** A telephone sends a text; the product's HTTP status, null when there was no answer. */
  sendFromPhone(text: IncomingText): Promise<number | null>;
  /** Until every delivery report was answered or given up. */
  idle(): Promise<void>;
}

/** Starts the gateway. Rejects when the port is taken. */
export async function createTextSimulator(options: TextOptions): Promise<TextSimulator> {
  const { clock, random, timers = { after } } = options;
  const inboxes = createInboxes({ clock, random });
  const codes = new Map<string, number>();
  const addresses = {
    report: options.deliveryReportUrl ?? null,
  };
  const incoming = new Map([['', options.incomingUrl ?? null]]);
  const reports = createReports({
    timers,
    delayMs: options.reportDelayMs ?? REPORT_DELAY_MS,
    reportUrl: () => addresses.report,
    incomingUrl: (to) => incoming.get(to) ?? incoming.get('') ?? null,
  });
  let fault: TextFault = 'none';
  const api = {
    inbox: (msisdn: string) => inboxes.of(msisdn),
    allTexts: () => inboxes.all(),
    setFault(changed: TextFault) {
      fault = changed;
    },
    setRecipientCode: (msisdn: string, code: number) => void codes.set(digits(msisdn), code),
    setReportRules: reports.setRules,
    setDeliveryReportUrl(url: string | null) {
      addresses.report = url;
    },
    setIncomingUrl: (url: string | null, to = '') => void incoming.set(to, url),
    sendFromPhone: (text: IncomingText) => reports.postIncoming(inboxes.receive(text)),
    idle: reports.idle,
  };
  const routes = textRoutes({
    username: options.username,
    apiKey: options.apiKey,
    senderIds: options.senderIds ?? null,
    inboxes,
    reports,
    api,
    fault: () => fault,
    codeOf: (msisdn) => codes.get(digits(msisdn)),
  });
  const server = await serve(routes, options.port ?? 0);
  return {
    ...api,
    url: server.url,
    async stop() {
      reports.stop();
      await server.stop();
    },
  };
}
