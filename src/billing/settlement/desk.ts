/** What staff do to a wallet: credit put in, paid out, or given to another account. */
import { rulesOf } from '../catalogue/rules.ts';
import { spendOnWaiting } from './arrivals.ts';
import type { ExpireCredit, Refund, TopUp, TransferCredit } from './commands.ts';
import {
  creditOf,
  expireCredit,
  paidCredit,
  partEntries,
  promoWallet,
  takePaid,
} from './credit.ts';
import { type Decision, refused, settled } from './decision.ts';
import type { SubscriberFacts } from './facts.ts';
import { sayPaid } from './receipts.ts';
import type { Workspace } from './workspace.ts';

/** Paid or promotional credit enters the wallet, and waiting renewals of the account are tried. */
export function decideTopUp(w: Workspace, command: TopUp): Decision {
  const subscriber = w.subscriber(command.subscriberId);
  if (!subscriber || command.amount <= 0n) return refused(w, 'unknown_phone');
  const { amount } = command;
  const site = w.site(subscriber.siteId);
  const [asset, owner] = [site.currency, `site:${site.id}`];
  const isPaid = command.credit === 'paid';
  const walletId = isPaid ? subscriber.walletId : promoWallet(w, subscriber);
  const from = isPaid
    ? w.account(`channel:${command.channelId}`, 'provider_clearing', asset)
    : w.account(owner, 'promo_expense', asset);
  const journalId = w.book(command, 'top_up', [
    { accountId: from, asset, amount: -amount },
    { accountId: walletId, asset, amount },
  ]);
  // Cash came in: it can be taken back as any payment. What was given is no payment.
  if (isPaid) w.payment = { cardId: null, subscriberId: subscriber.id, payerMsisdn: null };
  const { paidPriority, promoPriority } = rulesOf(site).lots;
  const priority = command.priority ?? (isPaid ? paidPriority : promoPriority);
  const { credit: kind, expiresAt } = command;
  w.addLot(walletId, journalId, amount, { kind, priority, expiresAt });
  const paid = { command, amount, asset, payerMsisdn: null };
  const { spent, card } = spendOnWaiting(w, paid, subscriber);
  const paidUntil = spent.kind === 'credit' ? null : spent.bought.paidUntil;
  const result = { spent, card, event: null, paidUntil };
  sayPaid(w, paid, { subscriber, card: null }, result);
  return settled(w, { paidUntil, credit: creditOf(w, subscriber, command.at), units: null });
}

/** Paid credit goes back to its owner as money. */
export function decideRefund(w: Workspace, command: Refund): Decision {
  const subscriber = w.subscriber(command.subscriberId);
  if (!subscriber) return refused(w, 'unknown_phone');
  const { amount } = command;
  const asset = w.site(subscriber.siteId).currency;
  if (amount <= 0n || paidCredit(w, subscriber, command.at) < amount) {
    return refused(w, 'not_refundable');
  }
  const parts = takePaid(w, subscriber, amount, command.at);
  const clearing = w.account(`channel:${command.channelId}`, 'provider_clearing', asset);
  w.book(command, 'refund', [
    ...partEntries(parts, asset, -1n),
    { accountId: clearing, asset, amount },
  ]);
  return left(w, command, subscriber);
}

/** Paid credit goes to another account of the same currency; its lots keep what they are. */
export function decideCreditTransfer(w: Workspace, command: TransferCredit): Decision {
  const from = w.subscriber(command.subscriberId);
  const to = w.subscriber(command.toSubscriberId);
  if (!from || !to) return refused(w, 'unknown_phone');
  const { amount } = command;
  const asset = w.site(from.siteId).currency;
  if (w.site(to.siteId).currency !== asset) return refused(w, 'currency_mismatch');
  if (amount <= 0n || paidCredit(w, from, command.at) < amount) {
    return refused(w, 'not_transferable');
  }
  const parts = takePaid(w, from, amount, command.at);
  const journalId = w.book(command, 'credit_transfer', [
    ...partEntries(parts, asset, -1n),
    { accountId: to.walletId, asset, amount },
  ]);
  for (const { amount: piece, priority, expiresAt } of parts) {
    w.addLot(to.walletId, journalId, piece, { priority, expiresAt });
  }
  return left(w, command, from);
}

const left = (w: Workspace, { at }: { at: Date }, subscriber: SubscriberFacts): Decision =>
  settled(w, { paidUntil: null, credit: creditOf(w, subscriber, at), units: null });

/** Lots have expired: what is left of them is breakage. */
export function decideExpiry(w: Workspace, command: ExpireCredit): Decision {
  const subscriber = w.subscriber(command.subscriberId);
  if (!subscriber) return refused(w, 'unknown_phone');
  expireCredit(w, command, subscriber);
  return left(w, command, subscriber);
}
