/** What payers and owners of cards are told about money that came. */
import { publicRef } from '../../platform/ref.ts';
import { maskedName } from '../../registry/rules.ts';
import type { Command, Message } from './commands.ts';
import { creditOf } from './credit.ts';
import type { CardFacts, SubscriberFacts } from './facts.ts';
import type { Spent } from './purchases.ts';
import type { Workspace } from './workspace.ts';

export interface Paid {
  command: Command;
  amount: bigint;
  asset: string;
  /** Who is told beside the owner of the card. */
  payerMsisdn: string | null;
}

interface Target {
  subscriber: SubscriberFacts;
  card: CardFacts | null;
}

export interface Result {
  /** Null: nothing was meant to be bought beyond what `event` says. */
  spent: Spent | null;
  event: { title: string; from: Date } | null;
  /** The card it bought for, when the payment itself named none. */
  card?: CardFacts | null;
  paidUntil: Date | null;
}

/** The receipt: to the owner of the card, to its screen, and to the payer when that is another. */
export function sayPaid(w: Workspace, payment: Paid, target: Target, result: Result): void {
  const { subscriber } = target;
  const card = target.card ?? (result.spent?.kind === 'credit' ? null : (result.card ?? null));
  const { command, payerMsisdn } = payment;
  const owner = subscriber.contactMsisdn;
  const receipt = receiptOf(w, payment, { ...target, card }, result);
  const base = { siteId: subscriber.siteId, language: subscriber.language };
  const tell = (msisdn: string, message: Message) =>
    w.say(command, { ...base, to: { kind: 'text', msisdn }, message });
  if (card && receipt.name !== 'credit_kept') {
    const to = { kind: 'osd', cardNumber: card.number } as const;
    w.say(command, { ...base, to, message: receipt });
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
  payment: Paid,
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
  const credit = creditOf(w, subscriber, payment.command.at);
  return { name: 'credit_kept', ...common, cardNumber: card?.number ?? null, credit, missing };
}
