/** What a reseller earns for a subscriber they brought, and loses when no second payment comes. */
import { addDays, localDate, midnight } from '../../platform/calendar.ts';
import { halfUp, rulesOf } from '../catalogue/rules.ts';
import type { ClawBack, Command } from './commands.ts';
import { type Decision, refused, settled } from './decision.ts';
import type { CardFacts, CommissionFacts } from './facts.ts';
import type { Workspace } from './workspace.ts';

const WHOLE_PERMYRIAD = 10_000n;

/** Counts a payment (or scratch card) for a card: the first earns, the second keeps it earned. */
export function countPayment(w: Workspace, command: Command, cardId: bigint, amount: bigint): void {
  const card = w.card(cardId);
  const subscription = card?.subscription;
  if (!card || !subscription?.reseller || subscription.payments === 2) return;
  if (subscription.payments === 1) {
    w.writes.rare.commissionsKept.add(subscription.id);
    for (const made of w.writes.rare.commissions.values()) {
      if (made.subscriptionId !== subscription.id || made.state !== 'open') continue;
      w.writes.rare.commissions.set(made.id, { ...made, state: 'kept' });
    }
    w.setSubscription(card, { ...subscription, payments: 2 });
    return;
  }
  w.setSubscription(card, { ...subscription, payments: 1 });
  earn(w, command, card, { reseller: subscription.reseller, paid: amount });
}

function earn(
  w: Workspace,
  command: Command,
  { siteId, subscription }: CardFacts,
  { reseller, paid }: { reseller: string; paid: bigint },
): void {
  const site = w.site(siteId);
  const { commission } = rulesOf(site);
  if (!commission || !subscription) return;
  const amount = halfUp(paid * commission.percentPermyriad, WHOLE_PERMYRIAD);
  if (amount === 0n) return;
  const id = w.tools.ids.next();
  const lastDay = addDays(localDate(command.at, site.timeZone), commission.secondPaymentDays);
  const made: CommissionFacts = {
    id,
    subscriptionId: subscription.id,
    siteId,
    reseller,
    asset: site.currency,
    amount,
    dueAt: midnight(addDays(lastDay, 1), site.timeZone),
    state: 'open',
  };
  w.writes.rare.newCommissions.add(id);
  w.writes.rare.commissions.set(id, made);
  bookCommission(w, command, 'commission', made);
}

function bookCommission(
  w: Workspace,
  command: Command,
  kind: 'commission' | 'commission_return',
  { siteId, asset, amount: earned }: CommissionFacts,
): void {
  const owner = `site:${siteId}`;
  const amount = kind === 'commission' ? earned : -earned;
  w.book(command, kind, [
    { accountId: w.account(owner, 'commission_expense', asset), asset, amount: -amount },
    { accountId: w.account(owner, 'commission_payable', asset), asset, amount },
  ]);
}

/** The time for a second payment is over: a commission that is still open is taken back. */
export function decideClawBack(w: Workspace, command: ClawBack): Decision {
  const made =
    w.writes.rare.commissions.get(command.commissionId) ??
    w.rare.commissions.get(command.commissionId);
  if (made?.state !== 'open' || made.dueAt.getTime() > command.at.getTime()) {
    return refused(w, 'nothing_pending');
  }
  w.writes.rare.commissions.set(made.id, { ...made, state: 'taken_back' });
  bookCommission(w, command, 'commission_return', made);
  return settled(w, { paidUntil: null, credit: null, units: null });
}
