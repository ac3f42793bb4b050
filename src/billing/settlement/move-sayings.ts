/** What the payer and the owner of the wrong card are told about a move. */
import { publicRef } from '../../platform/ref.ts';
import type { Command, Message } from './commands.ts';
import type { BookedPayment, MoveFacts, PaymentPlace } from './facts.ts';
import type { Workspace } from './workspace.ts';

interface Told {
  payment: BookedPayment;
  place: PaymentPlace;
  /** What moves, in minor units. */
  amount: bigint;
}

/** The owner of the wrong card hears until when they may object. */
export function sayAsked(w: Workspace, command: Command, told: Told & { move: MoveFacts }): void {
  const { dueAt } = told.move;
  tellOwner(w, command, told, { name: 'move_asked', ...moneyOf(w, told), dueAt });
}

/** The owner of the wrong card hears what left it, and until when it is paid. */
export function sayMoved(w: Workspace, command: Command, told: Told): void {
  const card = told.place.cardId === null ? null : w.card(told.place.cardId);
  const end = card?.subscription?.paidUntil ?? null;
  const until = end && end.getTime() > command.at.getTime() ? end : null;
  const ref = publicRef(w.inboxId);
  tellOwner(w, command, told, { name: 'payment_moved', ...moneyOf(w, told), until, ref });
}

/** The payer hears that the payment stays where it is. */
export function sayStopped(
  w: Workspace,
  command: Command,
  {
    payment,
    place,
    why,
  }: Omit<Told, 'amount' | 'place'> & {
    place: PaymentPlace | undefined;
    why: 'objected' | 'nothing_left';
  },
): void {
  if (payment.payerMsisdn === null || place === undefined) return;
  const money = moneyOf(w, { payment, place, amount: payment.amount });
  w.say(command, {
    siteId: payment.siteId,
    language: w.site(payment.siteId).language,
    to: { kind: 'text', msisdn: payment.payerMsisdn },
    message: { name: 'move_stopped', why, ...money },
  });
}

/** Whoever paid for another card of their own is told by the receipt of the right one. */
function tellOwner(w: Workspace, command: Command, told: Told, message: Message): void {
  const owner = w.subscriber(told.place.subscriberId);
  const msisdn = owner?.contactMsisdn;
  if (!owner || !msisdn || msisdn === told.payment.payerMsisdn) return;
  const { siteId, language } = owner;
  w.say(command, { siteId, language, to: { kind: 'text', msisdn }, message });
}

function moneyOf(w: Workspace, { payment, place, amount }: Told) {
  const card = place.cardId === null ? null : w.card(place.cardId);
  return { amount, asset: payment.asset, cardNumber: card?.number ?? '' };
}
