/** Money that came in: whose it is, what it buys, what is said; and money taken back. */
import { publicRef } from '../../platform/ref.ts';
import { maskedName } from '../../registry/rules.ts';
import { versionAt } from '../catalogue/rules.ts';
import type { Message, Payment, RefusalCode, ReversePayment, SuspenseReason } from './commands.ts';
import { type Decision, refused, settled, suspended } from './decision.ts';
import type { CardFacts, OrderFacts, SubscriberFacts } from './facts.ts';
import { buyEvent, buyTerm, eventRefusal, type Spent, spendByPolicy } from './purchases.ts';
import { type AccountReference, readReference } from './reference.ts';
import type { Workspace } from './workspace.ts';

interface Target {
  subscriber: SubscriberFacts;
  card: CardFacts | null;
  order: OrderFacts | null;
}

/** Credits a payment and lets it buy what it was meant for; nothing received is ever refused. */
export function decidePayment(w: Workspace, notice: Payment): Decision {
  const target = findTarget(w, notice);
  const payment = withKnownPayer(w, notice, target?.order ?? null);
  if (!target) return toSuspense(w, payment, 'unknown_account');
  if (payment.asset !== w.site(target.subscriber.siteId).currency) {
    return toSuspense(w, payment, 'wrong_currency');
  }
  const { order } = target;
  if (order) w.writes.paidOrders.set(order.id, w.inboxId);
  if (order?.purpose.kind === 'tvu') return buyUnits(w, payment, target.subscriber);
  creditWallet(w, payment, target.subscriber);
  const spent = spend(w, payment, target);
  sayPaid(w, payment, target, spent);
  return settled(w, {
    paidUntil: spent.paidUntil,
    credit: w.balance(target.subscriber.walletId),
    units: null,
  });
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
  const reference = readReference(payment.accountRef, w.site(payment.siteId).country);
  const byRef = reference.order === null ? undefined : w.facts.orderByRef.get(reference.order);
  const orderId = payment.orderId ?? byRef ?? null;
  const order = orderId === null ? null : w.order(orderId);
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

function orderTarget(w: Workspace, order: OrderFacts): Target | null {
  const { purpose } = order;
  const card = purpose.kind === 'tvu' ? null : w.card(purpose.cardId);
  const subscriberId = purpose.kind === 'tvu' ? purpose.subscriberId : card?.subscriberId;
  const subscriber = subscriberId === undefined ? null : w.facts.subscribers.get(subscriberId);
  return subscriber ? { subscriber, card, order } : null;
}

function referenceTarget(w: Workspace, reference: AccountReference): Target | null {
  const cardId = reference.card === null ? undefined : w.facts.cardByNumber.get(reference.card);
  const card = cardId === undefined ? null : w.card(cardId);
  const subscriberId =
    card?.subscriberId ??
    (reference.msisdn === null ? undefined : w.facts.subscriberByPhone.get(reference.msisdn));
  const subscriber = subscriberId === undefined ? null : w.facts.subscribers.get(subscriberId);
  return subscriber ? { subscriber, card, order: null } : null;
}

function creditWallet(w: Workspace, payment: Payment, subscriber: SubscriberFacts): void {
  const { amount, asset } = payment;
  const journalId = w.book(payment, 'payment', [
    {
      accountId: w.account(`channel:${payment.channelId}`, 'provider_clearing', asset),
      asset,
      amount: -amount,
    },
    { accountId: subscriber.walletId, asset, amount },
  ]);
  w.addLot(subscriber.walletId, journalId, amount);
}

interface Result {
  /** Null: nothing was meant to be bought beyond what `event` says. */
  spent: Spent | null;
  event: { title: string; from: Date } | null;
  /** The card it bought for, when the payment itself named none. */
  card?: CardFacts | null;
  paidUntil: Date | null;
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
    : spendOnWaiting(w, payment, subscriber);
  const paidUntil = done.spent.kind === 'credit' ? null : done.spent.bought.paidUntil;
  return { ...done, event: null, paidUntil };
}

function spendOnCard(
  w: Workspace,
  payment: Payment,
  subscriber: SubscriberFacts,
  card: CardFacts,
): Spent {
  const buys = w.site(card.siteId).payment.buys === 'terms' || card.subscription?.waitingTerm;
  if (!buys) return { kind: 'credit', missing: null };
  return spendByPolicy(w, { command: payment, subscriber, card });
}

/** Money for an account, not for a card: every waiting renewal of the account is tried. */
function spendOnWaiting(w: Workspace, payment: Payment, subscriber: SubscriberFacts) {
  let last: { spent: Spent; card: CardFacts | null } = {
    spent: { kind: 'credit', missing: null },
    card: null,
  };
  for (const card of cardsOf(w, subscriber.id)) {
    if (!card.subscription?.waitingTerm) continue;
    const spent = spendByPolicy(w, { command: payment, subscriber, card });
    if (spent.kind !== 'credit' || last.spent.kind === 'credit') last = { spent, card };
  }
  return last;
}

/** The subscriber's cards among the facts, oldest first, as they stand now in the batch. */
export function cardsOf(w: Workspace, subscriberId: bigint): CardFacts[] {
  const cards: CardFacts[] = [];
  for (const id of w.facts.cards.keys()) {
    const card = w.card(id);
    if (card?.subscriberId === subscriberId) cards.push(card);
  }
  return cards.sort((a, b) => (a.id < b.id ? -1 : 1));
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
  w.addLot(subscriber.tvuWalletId, journalId, units, cost);
  w.addLot(subscriber.walletId, journalId, rest);
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

/** The receipt: to the owner of the card, to its screen, and to the payer when that is another. */
function sayPaid(w: Workspace, payment: Payment, target: Target, result: Result): void {
  const { subscriber } = target;
  const card = target.card ?? (result.spent?.kind === 'credit' ? null : (result.card ?? null));
  const { payerMsisdn } = payment;
  const owner = subscriber.contactMsisdn;
  const receipt = receiptOf(w, payment, { ...target, card }, result);
  const base = { siteId: subscriber.siteId, language: subscriber.language };
  const tell = (msisdn: string, message: Message) =>
    w.say(payment, { ...base, to: { kind: 'text', msisdn }, message });
  if (card && receipt.name !== 'credit_kept') {
    const to = { kind: 'osd', cardNumber: card.number } as const;
    w.say(payment, { ...base, to, message: receipt });
  }
  const byOther = payerMsisdn !== null && owner !== null && payerMsisdn !== owner;
  if (byOther && receipt.name === 'term_paid') {
    const { name: _name, days: _days, ...paid } = receipt;
    const message = {
      ...paid,
      name: 'paid_for_other',
      maskedName: maskedName(subscriber.fullName),
    } as const;
    tell(owner, { ...message, reader: 'owner' });
    tell(payerMsisdn, { ...message, reader: 'payer' });
    return;
  }
  if (owner) tell(owner, receipt);
  if (payerMsisdn && payerMsisdn !== owner) tell(payerMsisdn, receipt);
}

function receiptOf(
  w: Workspace,
  payment: Payment,
  { subscriber, card }: Target,
  { spent, event }: Result,
): Extract<Message, { name: 'term_paid' | 'event_bought' | 'credit_kept' }> {
  const { amount, asset } = payment;
  const common = { amount, asset, ref: publicRef(w.inboxId) };
  if (card && event) {
    const { title, from: start } = event;
    return { name: 'event_bought', ...common, title, start, cardNumber: card.number };
  }
  if (card && spent && spent.kind !== 'credit') {
    return {
      name: 'term_paid',
      ...common,
      bouquet: spent.bought.bouquet.name,
      cardNumber: card.number,
      until: spent.bought.paidUntil,
      days: spent.kind === 'days' ? spent.days : null,
    };
  }
  const missing = spent?.kind === 'credit' ? spent.missing : null;
  const credit = w.balance(subscriber.walletId);
  return { name: 'credit_kept', ...common, cardNumber: card?.number ?? null, credit, missing };
}

/**
 * The operator took a payment back: the original journal is negated, once. Money that has been
 * spent already can't be taken from the wallet; such a reversal is refused and goes to staff.
 */
export function decideReversal(w: Workspace, command: ReversePayment): Decision {
  const { provider, receipt } = command.original;
  const original = w.facts.bookedPayments.get(`${provider}|${receipt}`);
  const code: RefusalCode = 'not_reversible';
  if (!original || original.alreadyReversed) return refused(w, code);
  const { journalId } = original;
  if (w.writes.journals.some((journal) => journal.reverses === journalId)) return refused(w, code);
  if (original.state === 'suspense' && !original.suspenseOpen) return refused(w, code);
  const brought = original.entries.filter((entry) => w.facts.balances.has(entry.accountId));
  for (const { accountId, asset, amount } of brought) {
    // Units come back as the lot they were: only that lot knows what they were issued for.
    const left = isUnits(asset) ? w.leftOf(accountId, journalId) : w.balance(accountId);
    if (left < amount) return refused(w, code);
  }
  const negated = original.entries.map((entry) => ({ ...entry, amount: -entry.amount }));
  w.book(command, 'payment_reversal', negated, journalId);
  for (const { accountId, amount } of brought) w.takeBack(accountId, amount, journalId);
  if (original.suspenseOpen) w.writes.returnedSuspense.push(original.inboxId);
  return settled(w, { paidUntil: null, credit: null, units: null });
}

/** Assets are ISO 4217 codes, or `TVU-<country>` for TV units. */
const isUnits = (asset: string): boolean => asset.startsWith('TVU-');
