/** Money that came in: whose it is, what it buys, what is said; and money claimed from suspense. */
import { versionAt } from '../catalogue/rules.ts';
import { arrive, spendOnCard, spendOnWaiting } from './arrivals.ts';
import type { Claim, Payment, SuspenseReason } from './commands.ts';
import { countPayment } from './commissions.ts';
import { creditOf, paidPriority, repayDebts } from './credit.ts';
import { type Decision, refused, settled, suspended } from './decision.ts';
import type { CardFacts, OrderFacts, SubscriberFacts } from './facts.ts';
import { buyEvent, buyTerm, eventRefusal } from './purchases.ts';
import { type Result, sayPaid } from './receipts.ts';
import { type AccountReference, readReference } from './reference.ts';
import type { PostpaidReceipt, Workspace } from './workspace.ts';

interface Target {
  subscriber: SubscriberFacts;
  card: CardFacts | null;
  order: OrderFacts | null;
}

/** Credits a payment and lets it buy what it was meant for; money received is never refused. */
export function decidePayment(w: Workspace, notice: Payment): Decision {
  const owed = findOwed(w, notice);
  if (owed) return passOn(w, notice, owed);
  const target = findTarget(w, notice);
  const payment = withKnownPayer(w, notice, target?.order ?? null);
  if (!target) return toSuspense(w, payment, 'unknown_account');
  if (payment.asset !== w.site(target.subscriber.siteId).currency) {
    // A door that knows the card asks before it takes the money: it is told not to.
    if (payment.cardNumber) return refused(w, 'currency_mismatch');
    return toSuspense(w, payment, 'wrong_currency');
  }
  const { order } = target;
  if (order) w.writes.paidOrders.set(order.id, w.inboxId);
  if (order?.purpose.kind === 'tvu') return buyUnits(w, payment, target.subscriber);
  const { subscriber, card } = target;
  const { payerMsisdn } = payment;
  w.payment = { cardId: card?.id ?? null, subscriberId: subscriber.id, payerMsisdn };
  const journalId = creditWallet(w, payment, subscriber);
  if (card) countPayment(w, payment, card.id, payment.amount);
  repayDebts(w, payment, subscriber, journalId);
  const spent = spend(w, payment, { ...target, card: card && w.card(card.id) });
  sayPaid(w, { ...payment, command: payment }, target, spent);
  return settled(w, {
    paidUntil: spent.paidUntil,
    credit: creditOf(w, subscriber, payment.at),
    units: null,
  });
}

interface Owed extends Omit<PostpaidReceipt, 'inboxId' | 'amount'> {
  order: OrderFacts | null;
  /** Where the account is. */
  siteId: bigint;
}

/** The payment of a postpaid account, or its invoice, that the money is for. */
function findOwed(w: Workspace, payment: Payment): Owed | null {
  const reference = referenceOf(w, payment);
  const order = orderOf(w, payment, reference);
  if (order?.purpose.kind === 'invoice') {
    if (order.asset !== payment.asset) return null;
    const { accountId, paymentId } = order.purpose;
    return { accountId, paymentId, invoiceId: null, order, siteId: payment.siteId };
  }
  const invoice = w.rare.invoices.get(`${payment.siteId}|${reference.document}`);
  if (!invoice || invoice.asset !== payment.asset) return null;
  const { id: invoiceId, accountId, siteId } = invoice;
  return { accountId, paymentId: null, invoiceId, order: null, siteId };
}

/**
 * To the clearing of the account's site, from where the account takes it. All of it, also what was
 * not asked for: there it is credit.
 */
function passOn(w: Workspace, payment: Payment, { order, siteId, ...owed }: Owed): Decision {
  const { amount, asset, channelId } = payment;
  if (order) w.writes.paidOrders.set(order.id, w.inboxId);
  w.book(payment, 'payment', [
    {
      accountId: w.account(`channel:${channelId}`, 'provider_clearing', asset),
      asset,
      amount: -amount,
    },
    { accountId: w.account(`site:${siteId}`, 'external_clearing', asset), asset, amount },
  ]);
  w.writes.rare.postpaidReceipts.push({ inboxId: w.inboxId, ...owed, amount });
  return settled(w, { paidUntil: null, credit: null, units: null });
}

/** An operator that hides the number sends its hash; and our order knows whom it asked. */
function withKnownPayer(w: Workspace, payment: Payment, order: OrderFacts | null): Payment {
  const { payerMsisdn, payerHash } = payment;
  if (payerMsisdn !== null) return payment;
  const hashed = payerHash === null ? undefined : w.facts.phoneByHash.get(payerHash);
  const known = hashed ?? order?.msisdn;
  return known === undefined ? payment : { ...payment, payerMsisdn: known };
}

function findTarget(w: Workspace, payment: Payment): Target | null {
  const reference = referenceOf(w, payment);
  const order = orderOf(w, payment, reference);
  if (order && order.state !== 'paid' && order.amount === payment.amount) {
    const target = orderTarget(w, order);
    if (target) return target;
  }
  // An order paid twice, or with another amount, is money for the same card or account.
  if (order) {
    const target = orderTarget(w, order);
    if (target) return { ...target, order: null };
  }
  return referenceTarget(w, reference);
}

/** Our order that a payment answers, by its id or by its reference. */
function orderOf(w: Workspace, payment: Payment, { order }: AccountReference): OrderFacts | null {
  const orderId = payment.orderId ?? (order === null ? null : w.facts.orderByRef.get(order));
  return orderId ? w.order(orderId) : null;
}

/** What the payment is for: the card, where the door knows it, else what the payer wrote. */
const referenceOf = (
  w: Workspace,
  { cardNumber, accountRef, siteId }: Payment,
): AccountReference =>
  cardNumber
    ? { card: cardNumber, msisdn: null, order: null, document: null }
    : readReference(accountRef, w.site(siteId).country);

function orderTarget(w: Workspace, order: OrderFacts): Target | null {
  const { purpose } = order;
  if (purpose.kind === 'invoice') return null;
  const card = purpose.kind === 'tvu' ? null : w.card(purpose.cardId);
  const subscriberId = purpose.kind === 'tvu' ? purpose.subscriberId : card?.subscriberId;
  const subscriber = subscriberId === undefined ? null : w.subscriber(subscriberId);
  return subscriber ? { subscriber, card, order } : null;
}

function referenceTarget(w: Workspace, reference: AccountReference): Target | null {
  const cardId = reference.card === null ? undefined : w.facts.cardByNumber.get(reference.card);
  const card = cardId === undefined ? null : w.card(cardId);
  const subscriberId =
    card?.subscriberId ??
    (reference.msisdn === null ? undefined : w.facts.subscriberByPhone.get(reference.msisdn));
  const subscriber = subscriberId === undefined ? null : w.subscriber(subscriberId);
  return subscriber ? { subscriber, card, order: null } : null;
}

function creditWallet(w: Workspace, payment: Payment, subscriber: SubscriberFacts): bigint {
  const { amount, asset } = payment;
  const journalId = w.book(payment, 'payment', [
    {
      accountId: w.account(`channel:${payment.channelId}`, 'provider_clearing', asset),
      asset,
      amount: -amount,
    },
    { accountId: subscriber.walletId, asset, amount },
  ]);
  const priority = paidPriority(w, subscriber.siteId);
  w.addLot(subscriber.walletId, journalId, amount, { priority });
  return journalId;
}

/** What the order asked for, else what the site's policy or a waiting renewal makes of it. */
function spend(w: Workspace, payment: Payment, { subscriber, card, order }: Target): Result {
  const buyer = card && { command: payment, subscriber, card };
  const purpose = order?.purpose;
  if (buyer && purpose?.kind === 'event') {
    const event = w.tools.catalogue.events.get(purpose.eventId);
    if (event && eventRefusal(w, event, buyer.card, payment.at) === null) {
      const done = buyEvent(w, buyer, event);
      if (done.ok) {
        return {
          spent: null,
          event: { title: event.title, from: event.startsAt },
          paidUntil: null,
        };
      }
    }
    return { spent: { kind: 'credit', missing: null }, event: null, paidUntil: null };
  }
  if (buyer && purpose?.kind === 'term') {
    const done = buyTerm(w, buyer, purpose.term);
    if (done.ok) {
      return {
        spent: { kind: 'terms', bought: done.bought },
        event: null,
        paidUntil: done.bought.paidUntil,
      };
    }
  }
  const done = card
    ? { spent: spendOnCard(w, payment, subscriber, card), card }
    : spendOnWaiting(w, { ...payment, command: payment }, subscriber);
  const paidUntil = done.spent.kind === 'credit' ? null : done.spent.bought.paidUntil;
  return { ...done, event: null, paidUntil };
}

/** Whole units at the price in force; what is over is credit. */
function buyUnits(w: Workspace, payment: Payment, subscriber: SubscriberFacts): Decision {
  const site = w.site(subscriber.siteId);
  const tariff = versionAt(w.tools.catalogue.tariffs.get(site.id), payment.at);
  const units = tariff ? payment.amount / tariff.price : 0n;
  const cost = tariff ? units * tariff.price : 0n;
  const owner = `site:${site.id}`;
  const rest = payment.amount - cost;
  const journalId = w.book(payment, 'payment', [
    {
      accountId: w.account(`channel:${payment.channelId}`, 'provider_clearing', payment.asset),
      asset: payment.asset,
      amount: -payment.amount,
    },
    {
      accountId: w.account(owner, 'tvu_liability', site.currency),
      asset: site.currency,
      amount: cost,
    },
    { accountId: subscriber.walletId, asset: site.currency, amount: rest },
    {
      accountId: w.account(owner, 'tvu_issued', site.tvuAsset),
      asset: site.tvuAsset,
      amount: -units,
    },
    { accountId: subscriber.tvuWalletId, asset: site.tvuAsset, amount: units },
  ]);
  w.addLot(subscriber.tvuWalletId, journalId, units, { cost });
  w.addLot(subscriber.walletId, journalId, rest, { priority: paidPriority(w, site.id) });
  const decision = settled(w, {
    paidUntil: null,
    credit: w.balance(subscriber.walletId),
    units: w.balance(subscriber.tvuWalletId),
  });
  const msisdn = payment.payerMsisdn ?? subscriber.contactMsisdn;
  if (msisdn) {
    w.say(payment, {
      siteId: site.id,
      language: subscriber.language,
      to: { kind: 'text', msisdn },
      message: {
        name: 'tvu_bought',
        amount: payment.amount,
        asset: payment.asset,
        units,
        have: w.balance(subscriber.tvuWalletId),
        ref: decision.ref,
      },
    });
  }
  return decision;
}

function toSuspense(w: Workspace, payment: Payment, reason: SuspenseReason): Decision {
  const { amount, asset } = payment;
  const site = w.site(payment.siteId);
  w.book(payment, 'payment', [
    {
      accountId: w.account(`channel:${payment.channelId}`, 'provider_clearing', asset),
      asset,
      amount: -amount,
    },
    { accountId: w.account(`site:${site.id}`, 'suspense', asset), asset, amount },
  ]);
  w.writes.suspense.push({
    inboxId: w.inboxId,
    siteId: site.id,
    asset,
    amount,
    reason,
    accountRef: payment.accountRef,
    payerMsisdn: payment.payerMsisdn,
    payerHash: payment.payerHash,
    at: payment.at,
  });
  const decision = suspended(w, reason);
  if (payment.payerMsisdn) {
    w.say(payment, {
      siteId: site.id,
      language: site.language,
      to: { kind: 'text', msisdn: payment.payerMsisdn },
      message: {
        name: 'in_suspense',
        amount,
        asset,
        reference: payment.accountRef ?? '-',
        ref: decision.ref,
      },
    });
  }
  return decision;
}

/** The payer names the card that money in suspense was for: it is a payment of that card now. */
export function decideClaim(w: Workspace, command: Claim): Decision {
  const { provider, receipt } = command.original;
  const payment = w.facts.bookedPayments.get(`${provider}|${receipt}`);
  const claimed = payment && w.writes.rare.claimedSuspense.includes(payment.inboxId);
  if (!payment?.suspenseOpen || claimed) return refused(w, 'not_in_suspense');
  if (payment.payerMsisdn !== command.payerMsisdn) return refused(w, 'claim_not_yours');
  const card = w.card(w.facts.cardByNumber.get(command.cardNumber) ?? 0n);
  const subscriber = card && w.subscriber(card.subscriberId);
  if (!card || !subscriber) return refused(w, 'unknown_card');
  const { asset, amount } = payment;
  if (w.site(subscriber.siteId).currency !== asset) return refused(w, 'currency_mismatch');
  const journalId = w.book(command, 'claim', [
    { accountId: w.account(`site:${payment.siteId}`, 'suspense', asset), asset, amount: -amount },
    { accountId: subscriber.walletId, asset, amount },
  ]);
  w.addLot(subscriber.walletId, journalId, amount, {
    priority: paidPriority(w, subscriber.siteId),
  });
  w.writes.rare.claimedSuspense.push(payment.inboxId);
  const place = { paymentId: payment.inboxId, journalId, subscriberId: subscriber.id };
  w.writes.rare.places.push({ ...place, cardId: card.id, amount });
  const spent = arrive(w, { command, subscriber, card, journalId, amount });
  const paidUntil = spent.kind === 'credit' ? null : spent.bought.paidUntil;
  const { payerMsisdn } = command;
  const target = { subscriber, card };
  sayPaid(w, { command, amount, asset, payerMsisdn }, target, { spent, event: null, paidUntil });
  return settled(w, { paidUntil, credit: creditOf(w, subscriber, command.at), units: null });
}
