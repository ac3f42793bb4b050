/**
 * A mobile-money operator in the house: it speaks Safaricom Daraja to the product, keeps its own
 * books, and lets a tester be the customer. Bound to 127.0.0.1.
 */

import type { Clock, Random } from '../../src/platform/ports.ts';
import { after } from '../../src/platform/timers.ts';
import { type BookEntry, type Callback, openBooks, type Push, type TvuEntry } from './books.ts';
import { controlRoutes } from './control-routes.ts';
import { darajaRoutes } from './daraja-routes.ts';
import {
  CALLBACK_TIMEOUT_MS,
  createDelivery,
  type Faults,
  NO_FAULTS,
  type Timers,
} from './delivery.ts';
import { serve } from './http.ts';
import {
  createPayments,
  type PayBill,
  type PayBillOutcome,
  type PaymentSettings,
  type PromptAnswer,
} from './payments.ts';
import { createPhones, type Phone } from './phones.ts';
import { createTvuSender, type TvuChannel, type TvuOrder, type TvuSent } from './tvu-sender.ts';

const DEFAULTS = {
  port: 0,
  timers: { after } as Timers,
  organisationName: 'VIP TV',
  tvu: [] as TvuChannel[],
  answerDelayMs: 300,
  promptTimeoutMs: 60_000,
  /** Daraja waits "less than 8 seconds". */
  validationTimeoutMs: 8_000,
  callbackTimeoutMs: CALLBACK_TIMEOUT_MS,
};

export interface MobileMoneyOptions {
  /** 0 or absent: a free one. */
  port?: number;
  clock: Clock;
  random: Random;
  timers?: Timers;
  shortCode: string;
  passkey: string;
  consumerKey: string;
  consumerSecret: string;
  /** As a prompt names the payee. */
  organisationName?: string;
  /** JSON lines; what it holds is taken up again. Absent: the books end with the process. */
  booksFile?: string;
  tvu?: TvuChannel[];
  answerDelayMs?: number;
  promptTimeoutMs?: number;
  validationTimeoutMs?: number;
  callbackTimeoutMs?: number;
}

export type PhoneChange = Partial<Phone> & { balanceMinor?: bigint };

export interface Prompt {
  checkoutRequestId: string;
  msisdn: string;
  amountMinor: bigint;
  accountReference: string;
  payee: string;
  openedAt: string;
}

/** Numbers may be given with or without `+`; the books write them without. */
export interface MobileMoneySimulator {
  url: string;
  /** Nothing more is sent; what was under way stays unanswered in the books. */
  stop(): Promise<void>;
  /** Money that moved, in the order it moved. */
  books(): BookEntry[];
  tvuNotices(): TvuEntry[];
  /** Prompts now showing, on one phone or on all. */
  prompts(msisdn?: string): Prompt[];
  /** False when no such prompt is open. Resolves when the callback was answered or given up. */
  answerPrompt(checkoutRequestId: string, answer: PromptAnswer): Promise<boolean>;
  setPhone(msisdn: string, change: PhoneChange): void;
  /** A payment the customer starts. Resolves when the money moved or not. */
  payBill(payment: PayBill): Promise<PayBillOutcome>;
  /** Faults of one phone's callbacks, or of all phones that have none of their own. */
  setFaults(faults: Partial<Faults>, msisdn?: string): void;
  setSettings(change: Partial<PaymentSettings>): void;
  /** Callbacks not answered with 2xx so far, those of an earlier process among them. */
  unanswered(): Callback[];
  /** Sends these once more; the number now answered. */
  resendUnanswered(): Promise<number>;
  /** Null when there is no such channel. */
  sendTvu(order: TvuOrder): Promise<TvuSent | null>;
  setTvuChannels(channels: TvuChannel[]): void;
  /** Until no callback is under way and no phone is about to answer by itself. */
  idle(): Promise<void>;
}

/** Starts the operator. Rejects when the port is taken or the books cannot be read. */
export async function createMobileMoneySimulator(
  options: MobileMoneyOptions,
): Promise<MobileMoneySimulator> {
  const set = { ...DEFAULTS, ...options };
  const books = openBooks(set.random, options.booksFile);
  const phones = createPhones();
  const faults = new Map<string, Faults>();
  const settings: PaymentSettings = { alsoConfirm: true, msisdnForm: 'hashed' };
  const delivery = createDelivery({ ...set, books, timeoutMs: set.callbackTimeoutMs });
  const tvu = createTvuSender({ ...set, books, channels: set.tvu });
  const faultsOf = (msisdn: string) => faults.get(msisdn) ?? faults.get('') ?? NO_FAULTS;
  const payments = createPayments({ ...set, books, phones, delivery, settings, faultsOf });
  const api = {
    books: () => books.entries(),
    tvuNotices: () => books.tvuNotices(),
    prompts: (msisdn?: string) =>
      payments
        .prompts()
        .filter((push) => msisdn === undefined || push.msisdn === digits(msisdn))
        .map((push) => promptOf(push, set.organisationName)),
    answerPrompt: payments.answerPrompt,
    setPhone(msisdn: string, { balanceMinor, ...change }: PhoneChange) {
      phones.set(digits(msisdn), change);
      if (balanceMinor === undefined) return;
      books.record({ event: 'balance', msisdn: digits(msisdn), balanceMinor });
    },
    payBill: (payment: PayBill) => payments.payBill({ ...payment, msisdn: digits(payment.msisdn) }),
    setFaults(change: Partial<Faults>, msisdn = '') {
      faults.set(digits(msisdn), { ...NO_FAULTS, ...change });
    },
    setSettings: (change: Partial<PaymentSettings>) => void Object.assign(settings, change),
    unanswered: () => books.unanswered(),
    resendUnanswered: () => delivery.resend(),
    sendTvu: tvu.send,
    setTvuChannels: tvu.setChannels,
    idle: () => payments.idle(),
  };
  const close = () => {
    payments.stop();
    delivery.stop();
    tvu.stop();
    books.close();
  };
  const merchantFace = darajaRoutes({ ...set, books, payments });
  const routes = { ...merchantFace, ...controlRoutes(api) };
  const server = await serve(routes, set.port).catch((error: unknown) => {
    close();
    throw error;
  });
  return {
    ...api,
    url: server.url,
    async stop() {
      close();
      await server.stop();
    },
  };
}

function digits(msisdn: string): string {
  return msisdn.replace(/\D/g, '');
}

function promptOf(push: Push, payee: string): Prompt {
  return {
    checkoutRequestId: push.checkoutRequestId,
    msisdn: push.msisdn,
    amountMinor: push.amountMinor,
    accountReference: push.accountReference,
    payee,
    openedAt: push.at,
  };
}
