/**
 * Mobile money: prompts that we push, notices that come in, and the questions that close the gap
 * when a notice never comes. What proves a payment: for a pushed prompt, an order of ours, its
 * amount, and the operator's own answer when asked again; for a paybill payment, the operator's
 * address and the channel's token, as Daraja offers nothing else in time.
 */
import type { Pool } from 'pg';
import type { Outcome, Payment, Purpose } from '../../billing/settlement/commands.ts';
import type { Settlement } from '../../billing/settlement/service.ts';
import type { Clock, Ids, Logger, Random } from '../../platform/ports.ts';
import { publicRef } from '../../platform/ref.ts';
import type { Money, MoneyReason } from '../canonical.ts';
import { callbackBase, type MoneyChannel } from '../channels.ts';
import { type DarajaClient, MPESA_CONTEXT } from './daraja-client.ts';
import {
  insertOrder,
  markFailed,
  markPrompted,
  markUnproven,
  type Order,
  setNextPoll,
  takeDueOrders,
} from './orders.ts';
import { mpesa } from './providers/mpesa.ts';

export interface PushOrder {
  channel: MoneyChannel;
  siteId: bigint;
  asset: string;
  msisdn: string;
  amount: bigint;
  purpose: Purpose;
  /** The same key is the same order. */
  key: string;
  /** What the payer sees, at most 13 characters. */
  description: string;
}

export interface MobileMoney {
  /** Writes the order; the prompt goes out shortly after, when the dialogue has left the screen. */
  order(order: PushOrder): Promise<Order>;
  /** Money that has moved, by a paybill payment. */
  paid(channel: MoneyChannel, siteId: bigint, money: Money, raw: Buffer): Promise<Outcome>;
  /** A pushed prompt ended without money. */
  notPaid(order: Order, reason: MoneyReason): Promise<void>;
  /** A callback says that the order is paid: asks again, then settles. */
  claimed(order: Order, money: Money, raw: Buffer): Promise<Claim>;
  /** Asks about orders whose time has come. Returns how many it asked about. */
  pollDue(): Promise<number>;
  /** Waits for pushes under way. */
  close(): Promise<void>;
}

export type Claim =
  | { kind: 'settled'; outcome: Outcome }
  /** The operator has not confirmed yet; the callback is kept and asked about. */
  | { kind: 'kept' }
  /** The operator says that nothing was paid. */
  | { kind: 'forged' };

export interface MobileMoneyDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  random: Random;
  logger: Logger;
  settlement: Pick<Settlement, 'settle'>;
  clientOf(channelId: string): DarajaClient | null;
  channelOf(id: string): MoneyChannel | null;
  /** Tells the payer that nothing was paid, in a text. */
  sayFailed(order: Order, reason: MoneyReason): Promise<void>;
  /** The phone shows one dialogue at a time: the prompt waits until the USSD screen is closed. */
  pushDelayMs: number;
  sleep(ms: number): Promise<void>;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** When the operator is asked what became of a prompt, after it was sent; then hourly to a day. */
const POLL_AFTER_MS = [10, 30, 60, 120, 300, 600, 1800].map((s) => s * SECOND_MS);
const POLLS_MAX = POLL_AFTER_MS.length + 24;
const POLL_BATCH = 20;
const POLL_LEASE_MS = MINUTE_MS;
/** Safaricom gives a prompt about a minute; an order whose push got no answer is given up then. */
const UNANSWERED_MS_MAX = 2 * MINUTE_MS;
const TOKEN_BYTES = 16;

export function createMobileMoney(deps: MobileMoneyDeps): MobileMoney {
  const pushes = new Set<Promise<void>>();
  return {
    order: (order) => placeOrder(deps, pushes, order),
    paid: (channel, siteId, money, raw) => settlePaid(deps, { channel, siteId, money, raw }),
    notPaid: (order, reason) => fail(deps, order, 'failed', reason),
    claimed: (order, money, raw) => prove(deps, order, money, raw),
    async pollDue() {
      const now = deps.clock.now();
      const due = await takeDueOrders(deps.pool, {
        now,
        limit: POLL_BATCH,
        leaseMs: POLL_LEASE_MS,
      });
      for (const order of due) await poll(deps, order);
      return due.length;
    },
    async close() {
      await Promise.all(pushes);
    },
  };
}

async function placeOrder(
  deps: MobileMoneyDeps,
  pushes: Set<Promise<void>>,
  wanted: PushOrder,
): Promise<Order> {
  const id = await deps.ids.take();
  const now = deps.clock.now();
  const { first, order } = await insertOrder(deps.pool, {
    id,
    ref: `V${publicRef(id).padStart(7, '0')}`,
    requestToken: deps.random.hex(TOKEN_BYTES),
    key: wanted.key,
    channelId: wanted.channel.id,
    siteId: wanted.siteId,
    msisdn: wanted.msisdn,
    asset: wanted.asset,
    amount: wanted.amount,
    purpose: wanted.purpose,
    nextPollAt: new Date(now.getTime() + UNANSWERED_MS_MAX),
    createdAt: now,
  });
  if (first) {
    const push = pushPrompt(deps, wanted, order).finally(() => pushes.delete(push));
    pushes.add(push);
  }
  return order;
}

async function pushPrompt(deps: MobileMoneyDeps, wanted: PushOrder, order: Order): Promise<void> {
  try {
    await deps.sleep(deps.pushDelayMs);
    const answer = await deps.clientOf(order.channelId)?.push({
      msisdn: order.msisdn,
      amount: order.amount,
      accountReference: order.ref,
      description: wanted.description,
      callbackUrl: `${callbackBase(wanted.channel)}/push/${order.requestToken}`,
    });
    if (answer?.kind === 'accepted') {
      const next = new Date(deps.clock.now().getTime() + (POLL_AFTER_MS[0] ?? 0));
      await markPrompted(deps.pool, order.id, answer.checkoutRequestId, next);
    } else if (answer?.kind === 'refused') {
      deps.logger.warn('push.refused', { order: order.ref, code: answer.code });
      await fail(deps, order, 'failed', 'provider_error');
    } else {
      deps.logger.warn('push.unknown', { order: order.ref });
    }
  } catch (error) {
    // The order is written: its poll will find out what became of it.
    deps.logger.error('push.failed', { order: order.ref, error });
  }
}

async function fail(
  deps: MobileMoneyDeps,
  order: Order,
  state: 'failed' | 'expired',
  reason: MoneyReason,
): Promise<void> {
  if (await markFailed(deps.pool, order.id, state, reason)) await deps.sayFailed(order, reason);
}

interface PaidNotice {
  channel: Pick<MoneyChannel, 'id' | 'provider'>;
  siteId: bigint;
  money: Money;
  raw: Buffer;
  orderId?: bigint;
}

/** Purpose: credit what an operator says has moved. Key: the operator's receipt, for ever. */
function settlePaid(
  deps: MobileMoneyDeps,
  { channel, siteId, money, raw, orderId }: PaidNotice,
): Promise<Outcome> {
  const payment: Payment = {
    kind: 'payment',
    provider: channel.provider,
    receipt: money.txnId ?? '',
    channelId: channel.id,
    siteId,
    at: deps.clock.now(),
    raw,
    amount: BigInt(money.amountMinor ?? 0),
    asset: money.currency ?? '',
    accountRef: money.accountRef,
    payerMsisdn: money.payerMsisdn,
    payerHash: money.payerHash,
    orderId: orderId ?? null,
  };
  return deps.settlement.settle(payment);
}

/**
 * A callback alone never credits: the operator is asked whether the request was really paid, and,
 * where its list of payments has it already, under which receipt.
 */
async function prove(
  deps: MobileMoneyDeps,
  order: Order,
  money: Money,
  raw: Buffer,
): Promise<Claim> {
  // An order is paid once: whatever names another receipt for it is not about this order.
  if (order.receipt !== null && order.receipt !== money.txnId) return { kind: 'forged' };
  const client = deps.clientOf(order.channelId);
  const checkout = order.checkoutRequestId ?? money.requestId;
  const answer = client && checkout ? await client.query(checkout) : null;
  if (answer?.kind === 'failed') return { kind: 'forged' };
  if (client && answer?.kind === 'paid') {
    const listed = await pulled(deps, client, order);
    const outcome = await settleOrder(deps, order, listed ?? money, raw);
    const isTrue = listed === null || listed.txnId === money.txnId;
    return isTrue ? { kind: 'settled', outcome } : { kind: 'forged' };
  }
  await markUnproven(deps.pool, order.id, {
    callback: raw,
    checkoutRequestId: checkout,
    nextPollAt: new Date(deps.clock.now().getTime() + 5 * SECOND_MS),
  });
  return { kind: 'kept' };
}

function settleOrder(
  deps: MobileMoneyDeps,
  order: Order,
  money: Money,
  raw: Buffer,
): Promise<Outcome> {
  const { channelId, siteId, id: orderId } = order;
  const channel = deps.channelOf(channelId);
  const settled = { ...money, payerMsisdn: money.payerMsisdn ?? order.msisdn };
  return settlePaid(deps, {
    channel: { id: channelId, provider: channel?.provider ?? 'mpesa' },
    siteId,
    money: settled,
    raw,
    orderId,
  });
}

/** Asks what became of one order, and acts on the answer. */
async function poll(deps: MobileMoneyDeps, order: Order): Promise<void> {
  const now = deps.clock.now();
  const client = deps.clientOf(order.channelId);
  if (!client || !order.checkoutRequestId) {
    if (now.getTime() - order.createdAt.getTime() >= UNANSWERED_MS_MAX) {
      await fail(deps, order, 'expired', 'payer_timeout');
    }
    return;
  }
  const answer = await client.query(order.checkoutRequestId);
  if (answer.kind === 'failed') {
    return fail(deps, order, 'failed', answer.money.reason ?? 'unknown');
  }
  const settled = answer.kind === 'paid' && (await settlePolled(deps, client, order));
  if (!settled) await setNextPoll(deps.pool, order.id, nextPoll(order, now));
}

function nextPoll(order: Order, now: Date): Date | null {
  if (order.polls >= POLLS_MAX) return null;
  const afterMs = POLL_AFTER_MS[order.polls];
  return afterMs === undefined
    ? new Date(now.getTime() + HOUR_MS)
    : new Date(Math.max(now.getTime() + SECOND_MS, order.createdAt.getTime() + afterMs));
}

/**
 * Paid, and the callback is missing or was not proved: the receipt is looked up among the payments
 * of the last days, under our reference, else it is that of the callback we kept. Without a receipt
 * nothing is credited, because the same money may still come under it.
 */
async function settlePolled(
  deps: MobileMoneyDeps,
  client: DarajaClient,
  order: Order,
): Promise<boolean> {
  const found = (await pulled(deps, client, order)) ?? keptCallback(order);
  if (!found) return false;
  const raw = order.callback ?? Buffer.from(JSON.stringify({ pulled: found }));
  const outcome = await settleOrder(deps, order, found, raw);
  return outcome.kind === 'done' || outcome.kind === 'parked';
}

/** What the callback said that came before the operator confirmed it; null when none did. */
function keptCallback(order: Order): Money | null {
  if (!order.callback) return null;
  const body = order.callback.toString('utf8');
  const raw = { method: 'POST', path: '', headers: {}, query: {}, body };
  const read = mpesa.readers['money.notice']?.(raw, MPESA_CONTEXT);
  const isMoney = read !== undefined && 'outcome' in read && read.type === 'money';
  return isMoney && read.outcome === 'paid' && read.txnId !== null ? read : null;
}

/** The order's payment in the operator's own list; null when it is not there (yet). */
async function pulled(
  deps: MobileMoneyDeps,
  client: DarajaClient,
  order: Order,
): Promise<Money | null> {
  const until = new Date(deps.clock.now().getTime() + MINUTE_MS);
  const payments = await client.pull(new Date(order.createdAt.getTime() - MINUTE_MS), until);
  const found = payments?.find(
    (money) =>
      money.accountRef?.toUpperCase() === order.ref &&
      money.amountMinor === order.amount.toString() &&
      money.txnId !== null,
  );
  return found ?? null;
}
