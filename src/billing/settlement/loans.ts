/** A term on loan: watched now, owed at once, repaid by the next payment. */
import { priceAt, rulesOf } from '../catalogue/rules.ts';
import type { CardAct } from './commands.ts';
import { addDebt, creditOf, debtsOf } from './credit.ts';
import { type Decision, refused, settled } from './decision.ts';
import { addTerm, bouquetById, planRefusal, saleEntries } from './purchases.ts';
import { raiseRights } from './rights-of-card.ts';
import { sumOfTaxes, taxEntries, taxesAt, taxesInside } from './taxes.ts';
import type { Workspace } from './workspace.ts';

/** Sells the site's loan term at its price and a fee; one open loan an account, up to a cap. */
export function decideLoan(w: Workspace, command: CardAct): Decision {
  const card = w.card(command.cardId);
  const subscriber = card && w.subscriber(card.subscriberId);
  const refusal = planRefusal(w, card);
  if (!card?.subscription || !subscriber || refusal) return refused(w, refusal ?? 'unknown_card');
  const site = w.site(card.siteId);
  const { term, fee, cap } = rulesOf(site).loan;
  const bouquet = bouquetById(w, card.subscription.bouquetId);
  const price = priceAt(bouquet, term, command.at, card.category);
  if (price === null) return refused(w, 'term_not_sold');
  if (debtsOf(w, subscriber.id).some((debt) => debt.kind === 'loan'))
    return refused(w, 'loan_open');
  if (price + fee > cap) return refused(w, 'loan_over_cap');
  const asset = site.currency;
  const applied = taxesAt(w, bouquet, command.at);
  const taxes = taxesInside(price, applied);
  const feeTaxes = taxesInside(fee, applied);
  const owed = price + fee;
  const receivable = w.account(`site:${site.id}`, 'loan_receivable', asset);
  const earned = w.account(`site:${site.id}`, 'earned_revenue', asset);
  const journalId = w.book(command, 'loan', [
    { accountId: receivable, asset, amount: -owed },
    ...saleEntries(w, site, { price, taxes }),
    // A fee has no days: it is earned at once.
    { accountId: earned, asset, amount: fee - sumOfTaxes(feeTaxes) },
    ...taxEntries(w, site.id, asset, feeTaxes),
  ]);
  const money = { price, taxes, journalId, parts: [], paidBy: 'loan' } as const;
  const draft = { ...money, bouquetId: bouquet.id, length: { kind: term } };
  const { paidUntil, lineId } = addTerm(w, { command, cardId: card.id }, draft);
  addDebt(w, subscriber, { kind: 'loan', amount: owed, fee, lineId });
  raiseRights(w, card.id, command.at);
  return settled(w, { paidUntil, credit: creditOf(w, subscriber, command.at), units: null });
}
