/** A payment for the wrong card, moved to the right one by whoever paid it. */
import { localDate } from '../../platform/calendar.ts';
import { rulesOf } from '../catalogue/rules.ts';
import { arrive } from './arrivals.ts';
import type { Command, CompleteMove, MovePayment, ObjectMove, RefusalCode } from './commands.ts';
import { creditOf, paidPriority } from './credit.ts';
import { type Decision, refused, settled } from './decision.ts';
import type { BookedPayment, CardFacts, MoveFacts, PaymentPlace } from './facts.ts';
import { giveBackBoughtFrom, worthOf } from './givebacks.ts';
import { sayAsked, sayMoved, sayStopped } from './move-sayings.ts';
import { isCarried } from './purchases.ts';
import { sayPaid } from './receipts.ts';
import type { Workspace } from './workspace.ts';

const MINUTE_MS = 60_000;
const NOTHING_LEFT = { paidUntil: null, credit: null, units: null };

const bookedOf = (w: Workspace, { provider, receipt }: { provider: string; receipt: string }) =>
  w.facts.bookedPayments.get(`${provider}|${receipt}`) ?? null;

/** The one move that was ever asked for a payment, as it stands now in the batch. */
function moveOf(w: Workspace, payment: BookedPayment): MoveFacts | null {
  for (const move of w.writes.rare.moves.values()) {
    if (move.paymentId === payment.inboxId) return move;
  }
  return payment.move;
}

/** A payment that is reversed is not moved any more. */
export function lapseMove(w: Workspace, payment: BookedPayment): void {
  const move = moveOf(w, payment);
  if (move?.state === 'pending') w.writes.rare.moves.set(move.id, { ...move, state: 'lapsed' });
}

/** Moves the payment at once, or when the owner of the wrong card has had time to object. */
export function decideMove(w: Workspace, command: MovePayment): Decision {
  const payment = bookedOf(w, command.original);
  const place = payment?.places.at(-1);
  const to = w.card(w.facts.cardByNumber.get(command.toCardNumber) ?? 0n);
  if (!payment || !place) return refused(w, 'move_not_allowed');
  const refusal = moveRefusal(w, command, payment, to);
  if (refusal || !to) return refused(w, refusal ?? 'unknown_card');
  const waitMs = objectionMs(w, payment, { place, to });
  const move: MoveFacts = {
    id: w.tools.ids.next(),
    paymentId: payment.inboxId,
    toCardId: to.id,
    payer: command.payerMsisdn,
    askedAt: command.at,
    dueAt: new Date(command.at.getTime() + waitMs),
    state: waitMs === 0 ? 'done' : 'pending',
  };
  w.writes.rare.newMoves.add(move.id);
  w.writes.rare.moves.set(move.id, move);
  if (move.state === 'pending') {
    const amount = leftOf(w, payment, place, command.at);
    sayAsked(w, command, { payment, move, place, amount });
    const result = {
      kind: 'pending',
      amount: `${amount}`,
      dueAt: move.dueAt.toISOString(),
    } as const;
    return { ...settled(w, NOTHING_LEFT), result };
  }
  return moveNow(w, command, payment, { place, to });
}

/** Nobody is asked when the payer owns the wrong card, or both cards have one owner. */
function objectionMs(
  w: Workspace,
  payment: BookedPayment,
  { place, to }: { place: PaymentPlace; to: CardFacts },
): number {
  const owner = w.subscriber(place.subscriberId);
  const isOwn = owner?.id === to.subscriberId || owner?.contactMsisdn === payment.payerMsisdn;
  return isOwn ? 0 : rulesOf(w.site(payment.siteId)).move.objectionMinutes * MINUTE_MS;
}

/** What of a payment could move at this instant, in minor units. */
function leftOf(w: Workspace, payment: BookedPayment, place: PaymentPlace, at: Date): bigint {
  const from = w.subscriber(place.subscriberId);
  if (!from) throw new Error(`The account of payment ${payment.inboxId} is not known`);
  return worthOf(w, { walletId: from.walletId, lotJournalId: place.journalId, at });
}

function moveRefusal(
  w: Workspace,
  { at, payerMsisdn }: MovePayment,
  payment: BookedPayment,
  to: CardFacts | null,
): RefusalCode | null {
  const site = w.site(payment.siteId);
  const { windowHours, perMonth } = rulesOf(site).move;
  const isSale = payment.means === 'agent' || w.facts.resellerByPhone.has(payerMsisdn);
  const isPayers = payment.payerMsisdn === payerMsisdn && !isSale;
  const isTaken = payment.alreadyReversed || moveOf(w, payment) !== null;
  const isThere = to !== null && to.id === payment.places.at(-1)?.cardId;
  if (!isPayers || isTaken || isThere) return 'move_not_allowed';
  if (at.getTime() >= payment.at.getTime() + windowHours * 60 * MINUTE_MS) {
    return 'move_window_over';
  }
  if (movesInMonth(w, payerMsisdn, at, site.timeZone) >= perMonth) return 'move_limit';
  if (!to?.subscription) return 'unknown_card';
  if (w.site(to.siteId).currency !== payment.asset) return 'currency_mismatch';
  return cardRefusal(w, to);
}

/** Money is not brought to a card that could show nothing for it. */
function cardRefusal(w: Workspace, to: CardFacts): RefusalCode | null {
  if (to.isBlocked) return 'card_blocked';
  const bouquet = w.tools.catalogue.bouquets.get(to.subscription?.bouquetId ?? 0n);
  return isCarried(w, to, bouquet?.products ?? []) ? null : 'product_not_on_cas';
}

function movesInMonth(w: Workspace, payer: string, at: Date, timeZone: string): number {
  const { year, month } = localDate(at, timeZone);
  const now = [...w.writes.rare.newMoves].flatMap((id) => {
    const move = w.writes.rare.moves.get(id);
    return move?.payer === payer ? [move.askedAt] : [];
  });
  return [...(w.rare.movesAsked.get(payer) ?? []), ...now].filter((asked) => {
    const date = localDate(asked, timeZone);
    return date.year === year && date.month === month;
  }).length;
}

/** The owner of the card objects in time: the payment stays where it is. */
export function decideObjection(w: Workspace, command: ObjectMove): Decision {
  const payment = bookedOf(w, command.original);
  const move = payment && moveOf(w, payment);
  if (!payment || move?.state !== 'pending') return refused(w, 'nothing_pending');
  w.writes.rare.moves.set(move.id, { ...move, state: 'objected' });
  sayStopped(w, command, { payment, place: payment.places.at(-1), why: 'objected' });
  return settled(w, NOTHING_LEFT);
}

/** The time to object is over: the payment moves now. */
export function decideMoveDue(w: Workspace, command: CompleteMove): Decision {
  const payment = bookedOf(w, command.original);
  const move = payment && moveOf(w, payment);
  const place = payment?.places.at(-1);
  if (
    !payment ||
    move?.state !== 'pending' ||
    !place ||
    move.dueAt.getTime() > command.at.getTime()
  ) {
    return refused(w, 'nothing_pending');
  }
  const to = w.card(move.toCardId);
  w.writes.rare.moves.set(move.id, { ...move, state: to ? 'done' : 'lapsed' });
  if (!to) return refused(w, 'unknown_card');
  return moveNow(w, command, payment, { place, to });
}

/** What is unspent of it, and the unused value of what it bought, pays for the other card. */
function moveNow(
  w: Workspace,
  command: Command,
  payment: BookedPayment,
  { place, to }: { place: PaymentPlace; to: CardFacts },
): Decision {
  giveBackBoughtFrom(w, command, place.journalId);
  const from = w.subscriber(place.subscriberId);
  const card = w.card(to.id);
  const subscriber = card && w.subscriber(card.subscriberId);
  if (!from || !card || !subscriber) throw new Error('The accounts of a move are not known');
  const { asset } = payment;
  const amount = w.leftOf(from.walletId, place.journalId);
  const result = { kind: 'moved', amount: `${amount}`, dueAt: null } as const;
  const moved = { ...settled(w, NOTHING_LEFT), result };
  if (amount === 0n) {
    sayStopped(w, command, { payment, place, why: 'nothing_left' });
    return moved;
  }
  w.takeBack(from.walletId, amount, place.journalId);
  const journalId = w.book(command, 'payment_move', [
    { accountId: from.walletId, asset, amount: -amount },
    { accountId: subscriber.walletId, asset, amount },
  ]);
  const priority = paidPriority(w, subscriber.siteId);
  w.addLot(subscriber.walletId, journalId, amount, { priority });
  const now = { paymentId: payment.inboxId, journalId, subscriberId: subscriber.id };
  w.writes.rare.places.push({ ...now, cardId: card.id, amount });
  const spent = arrive(w, { command, subscriber, card, journalId, amount });
  const paidUntil = spent.kind === 'credit' ? null : spent.bought.paidUntil;
  const paid = { command, amount, asset, payerMsisdn: payment.payerMsisdn };
  sayPaid(w, paid, { subscriber, card }, { spent, event: null, paidUntil });
  sayMoved(w, command, { payment, place, amount });
  const credit = creditOf(w, subscriber, command.at).toString();
  return { ...moved, paidUntil: paidUntil?.toISOString() ?? null, credit };
}
