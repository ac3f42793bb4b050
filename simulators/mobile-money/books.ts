/**
 * The operator's own books. Every change is one event: it is appended to the file first (when
 * there is one) and applied to memory after, so that books read back after `kill -9` hold all
 * that a callback has ever told. Not synced to the disk: the machine is taken to stay up.
 */

import { closeSync, existsSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import type { Random } from '../../src/platform/ports.ts';
import { RECEIPT_SERIALS, receiptOf } from './daraja.ts';

const DEFAULT_BALANCE_MINOR = 10_000_000n;
/** Payments and pushes each; beyond it the operator answers "quota". */
const BOOK_ITEMS_MAX = 1_000_000;

export interface BookEntry {
  receipt: string;
  /** Twelve digits, as Daraja writes a number. */
  msisdn: string;
  amountMinor: bigint;
  accountReference: string;
  kind: 'push' | 'pay_bill';
  /** ISO 8601, UTC. */
  at: string;
  /** Some callback about this receipt was answered with 2xx. */
  confirmed: boolean;
}

export interface Push {
  checkoutRequestId: string;
  merchantRequestId: string;
  msisdn: string;
  amountMinor: bigint;
  accountReference: string;
  description: string;
  callbackUrl: string;
  at: string;
  /** Null while the customer has not answered. */
  resultCode: number | null;
}

export interface RegisteredUrls {
  responseType: 'Completed' | 'Cancelled';
  confirmationUrl: string;
  validationUrl: string;
}

export interface Callback {
  /** The push or the receipt it tells of: one callback each. */
  id: string;
  url: string;
  body: string;
  receipt: string | null;
}

export interface TvuEntry {
  receipt: string;
  channel: string;
  msisdn: string;
  units: number;
  at: string;
  confirmed: boolean;
}

export type BookEvent =
  | { event: 'urls'; urls: RegisteredUrls }
  | { event: 'balance'; msisdn: string; balanceMinor: bigint }
  | { event: 'push'; push: Push }
  | { event: 'answered'; checkoutRequestId: string; resultCode: number; entry: BookEntry | null }
  | { event: 'moved'; entry: BookEntry }
  | { event: 'owed'; callback: Callback }
  | { event: 'heard'; id: string }
  | { event: 'tvu'; notice: TvuEntry }
  | { event: 'tvu_heard'; receipt: string };

export interface Books {
  /** Appends the event to the file, then applies it. Throws when the file cannot be written. */
  record(event: BookEvent): void;
  entries(): BookEntry[];
  tvuNotices(): TvuEntry[];
  push(checkoutRequestId: string): Push | undefined;
  /** Unanswered pushes, oldest first; a phone has at most one. */
  openPushes(): Push[];
  openPushOf(msisdn: string): Push | undefined;
  urls(): RegisteredUrls | null;
  balanceMinor(msisdn: string): bigint;
  organisationBalanceMinor(): bigint;
  /** Callbacks that were owed and never answered with 2xx. */
  unanswered(): Callback[];
  /** A receipt never given out before. */
  newReceipt(at: Date): string;
  full(): boolean;
  close(): void;
}

/** Opens the books and reads back what `file` holds. Throws on a damaged line inside the file. */
export function openBooks(random: Random, file: string | undefined): Books {
  const state = emptyState();
  const fd = file === undefined ? null : openFile(file, (event) => apply(state, event));
  let closed = false;
  return {
    record(event) {
      // The number of a closed file may by now belong to another one.
      if (closed) throw new Error('the books are closed');
      if (fd !== null) writeSync(fd, `${writeEvent(event)}\n`);
      apply(state, event);
    },
    entries: () => [...state.entries.values()],
    tvuNotices: () => [...state.tvu.values()],
    push: (id) => state.pushes.get(id),
    openPushes: () => [...state.open.values()],
    openPushOf: (msisdn) => state.open.get(msisdn),
    urls: () => state.urls,
    balanceMinor: (msisdn) => balanceOf(state, msisdn),
    organisationBalanceMinor: () => state.organisationMinor,
    unanswered: () => [...state.owed.values()],
    newReceipt: (at) => newReceipt(state, random, at),
    full: () => state.entries.size >= BOOK_ITEMS_MAX || state.pushes.size >= BOOK_ITEMS_MAX,
    close() {
      if (fd !== null && !closed) closeSync(fd);
      closed = true;
    },
  };
}

function emptyState() {
  return {
    entries: new Map<string, BookEntry>(),
    tvu: new Map<string, TvuEntry>(),
    pushes: new Map<string, Push>(),
    open: new Map<string, Push>(),
    balances: new Map<string, bigint>(),
    owed: new Map<string, Callback>(),
    /** Given out, also for payments that then did not come about. */
    receipts: new Set<string>(),
    urls: null as RegisteredUrls | null,
    organisationMinor: 0n,
  };
}

type State = ReturnType<typeof emptyState>;

function apply(state: State, event: BookEvent): void {
  switch (event.event) {
    case 'urls':
      state.urls = event.urls;
      return;
    case 'balance':
      state.balances.set(event.msisdn, event.balanceMinor);
      return;
    case 'push':
      state.pushes.set(event.push.checkoutRequestId, event.push);
      state.open.set(event.push.msisdn, event.push);
      return;
    case 'answered':
      applyAnswered(state, event);
      return;
    case 'moved':
      applyMoved(state, event.entry);
      return;
    case 'owed':
      state.owed.set(event.callback.id, event.callback);
      return;
    case 'heard':
      applyHeard(state, event.id);
      return;
    case 'tvu':
      state.tvu.set(event.notice.receipt, event.notice);
      state.receipts.add(event.notice.receipt);
      return;
    case 'tvu_heard': {
      const notice = state.tvu.get(event.receipt);
      if (notice !== undefined) notice.confirmed = true;
    }
  }
}

function applyAnswered(state: State, event: Extract<BookEvent, { event: 'answered' }>): void {
  const push = state.pushes.get(event.checkoutRequestId);
  if (push === undefined) throw new Error(`no push ${event.checkoutRequestId} in the books`);
  push.resultCode = event.resultCode;
  state.open.delete(push.msisdn);
  if (event.entry !== null) applyMoved(state, event.entry);
}

function applyMoved(state: State, entry: BookEntry): void {
  if (state.entries.has(entry.receipt)) throw new Error(`receipt ${entry.receipt} given out twice`);
  state.balances.set(entry.msisdn, balanceOf(state, entry.msisdn) - entry.amountMinor);
  state.organisationMinor += entry.amountMinor;
  state.entries.set(entry.receipt, entry);
  state.receipts.add(entry.receipt);
}

function applyHeard(state: State, id: string): void {
  const callback = state.owed.get(id);
  state.owed.delete(id);
  const entry = callback?.receipt ? state.entries.get(callback.receipt) : undefined;
  if (entry !== undefined) entry.confirmed = true;
}

function balanceOf(state: State, msisdn: string): bigint {
  return state.balances.get(msisdn) ?? DEFAULT_BALANCE_MINOR;
}

function newReceipt(state: State, random: Random, at: Date): string {
  let serial = Math.floor(random.fraction() * RECEIPT_SERIALS);
  let receipt = receiptOf(at, serial);
  // Counting on from a taken serial always ends: far fewer receipts than serials are kept.
  while (state.receipts.has(receipt)) {
    serial = (serial + 1) % RECEIPT_SERIALS;
    receipt = receiptOf(at, serial);
  }
  state.receipts.add(receipt);
  return receipt;
}

function openFile(file: string, replay: (event: BookEvent) => void): number {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '';
  // What stands behind the last line feed was cut off by a crash: nobody was told of it.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  if (whole !== text) truncateSync(file, Buffer.byteLength(whole));
  for (const line of whole.split('\n')) {
    if (line !== '') replay(readEvent(line));
  }
  return openSync(file, 'a');
}

function writeEvent(event: BookEvent): string {
  return JSON.stringify(event, (_key, value: unknown) =>
    typeof value === 'bigint' ? value.toString() : value,
  );
}

function readEvent(line: string): BookEvent {
  return JSON.parse(line, (key, value: unknown) =>
    key.endsWith('Minor') && typeof value === 'string' ? BigInt(value) : value,
  ) as BookEvent;
}
