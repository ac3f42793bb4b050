/** Add-ons: another plan beside the running one, for the days that are left of it. */
import { daysBetween } from '../../platform/calendar.ts';
import { halfUp, priceAt } from '../catalogue/rules.ts';
import type { BuyAddon } from './commands.ts';
import { creditOf } from './credit.ts';
import { type Decision, refused, settled } from './decision.ts';
import { nextDate, runningAt } from './lines.ts';
import { bookSale, saleRefusal } from './purchases.ts';
import { cover, raiseRights } from './rights-of-card.ts';
import type { Workspace } from './workspace.ts';

const MONTH_DAYS = 30n;

/** Half-up(month price × days left / 30), from now to the present end of the base. */
export function decideAddon(w: Workspace, command: BuyAddon): Decision {
  const { at } = command;
  const card = w.card(command.cardId);
  const subscription = card?.subscription;
  const subscriber = card && w.subscriber(card.subscriberId);
  const refusal = saleRefusal(card);
  if (!card || !subscription || !subscriber || refusal) {
    return refused(w, refusal ?? 'unknown_card');
  }
  const base = runningAt(w.lines(subscription.id), at);
  const end = subscription.paidUntil;
  if (!base || !end) return refused(w, 'not_running');
  const bouquet = w.tools.catalogue.bouquets.get(command.bouquetId);
  const month = bouquet?.siteId === card.siteId ? priceAt(bouquet, 'month', at) : null;
  if (!bouquet || month === null) return refused(w, 'term_not_sold');
  const { timeZone } = w.site(card.siteId);
  const days = daysBetween(nextDate(at, timeZone), nextDate(end, timeZone));
  const price = halfUp(month * BigInt(days), MONTH_DAYS);
  if (creditOf(w, subscriber, at) < price) return refused(w, 'insufficient_funds');
  const line = {
    ...base,
    ...bookSale(w, { command, subscriber, card }, price, bouquet.taxPermyriad),
    id: w.tools.ids.next(),
    bouquetId: bouquet.id,
    kind: 'addon' as const,
    days: null,
    from: at,
    to: end,
    soldAt: at,
    breaks: [],
    beside: base.id,
    reference: null,
  };
  w.addLine(line);
  const covered = cover(w, card, line, at);
  const waitingTerm = null;
  w.setSubscription(covered, { ...subscription, waitingTerm });
  raiseRights(w, card.id, at);
  return settled(w, { paidUntil: end, credit: creditOf(w, subscriber, at), units: null });
}
