/** Unused value of lines: what of a price goes back, and to which lots. */
import { localDate } from '../../platform/calendar.ts';
import { halfUp } from '../catalogue/rules.ts';
import { cardOfSubscription } from './arrivals.ts';
import type { Command } from './commands.ts';
import { debtAccount, debtsOf, lowerDebt, paidPriority, returnParts } from './credit.ts';
import type { LineFacts, LinePart, SubscriberFacts } from './facts.ts';
import { afterPause, cutAt, daysOf, laidAgain, midnightsIn } from './lines.ts';
import { termRules } from './purchases.ts';
import { raiseRights, rebuild } from './rights-of-card.ts';
import { type SoldTax, sumOfTaxes, taxChanges, taxEntries, taxesInside } from './taxes.ts';
import type { Workspace } from './workspace.ts';

/** Half-up(price × unused days / all days), in minor units. */
export function unusedValue(w: Workspace, siteId: bigint, line: LineFacts, at: Date): bigint {
  const { all, unused } = daysOf(line, at, termRules(w.site(siteId)));
  return all === 0 ? 0n : halfUp(line.price * BigInt(unused), BigInt(all));
}

/** Splits parts from the end: what goes back to its lots, and what stays spent. */
function lastOf(parts: readonly LinePart[], amount: bigint) {
  const back: LinePart[] = [];
  const kept: LinePart[] = [];
  let wanted = amount;
  for (const part of [...parts].reverse()) {
    const taken = part.amount < wanted ? part.amount : wanted;
    wanted -= taken;
    if (taken > 0n) back.push({ ...part, amount: taken });
    if (part.amount > taken) kept.unshift({ ...part, amount: part.amount - taken });
  }
  return { back, kept, rest: wanted };
}

/**
 * Gives the unused value of a line back, taxes what is kept anew, and ends the line now; one of
 * which no day was used disappears as if never bought. Lines beside a term go with it. The lines
 * behind are not moved yet: see `settleLines`. Returns what came back as credit.
 */
export function giveBack(w: Workspace, command: Command, line: LineFacts): bigint {
  const card = cardOfSubscription(w, line.subscriptionId);
  const owner = card && w.subscriber(card.subscriberId);
  if (!card || !owner) throw new Error(`The card of line ${line.id} is not among the facts`);
  const rules = termRules(w.site(card.siteId));
  let returned = 0n;
  for (const beside of w.lines(line.subscriptionId)) {
    if (beside.beside === line.id && beside.kind === 'upgrade') {
      returned += giveBack(w, command, beside);
    }
  }
  const { all, unused } = daysOf(line, command.at, rules);
  const value = unusedValue(w, card.siteId, line, command.at);
  const kept = line.price - value;
  const taxes = taxesInside(kept, line.taxes);
  const split = lastOf(line.parts, value);
  if (value > 0n) returned += bookBack(w, command, owner, { line, value, taxes, split });
  const left = { ...line, price: kept, taxes, parts: split.kept };
  const isUnused = unused === all;
  w.changeLine(isUnused ? { ...left, state: 'void' } : cutAt(left, command.at, rules));
  return returned;
}

interface Back {
  line: LineFacts;
  value: bigint;
  /** Of what is kept. */
  taxes: readonly SoldTax[];
  split: { back: LinePart[]; rest: bigint };
}

function bookBack(
  w: Workspace,
  command: Command,
  owner: SubscriberFacts,
  { line, value, taxes, split }: Back,
): bigint {
  const { siteId, walletId } = owner;
  const { asset } = line;
  const site = `site:${siteId}`;
  const changes = taxChanges(line.taxes, taxes);
  const debt = debtsOf(w, owner.id).find((one) => one.lineId === line.id);
  const offDebt = debt && split.rest > 0n ? smaller(debt.remaining, split.rest) : 0n;
  const asCredit = split.rest - offDebt;
  const entries = [
    ...returnParts(w, split.back, { siteId, asset, at: command.at }),
    {
      accountId: w.account(site, 'deferred_revenue', asset),
      asset,
      amount: -value - sumOfTaxes(changes),
    },
    ...taxEntries(w, siteId, asset, changes),
    { accountId: walletId, asset, amount: asCredit },
  ];
  if (debt) entries.push({ accountId: debtAccount(w, siteId, debt), asset, amount: offDebt });
  const journalId = w.book(command, 'give_back', entries);
  if (debt && offDebt > 0n) lowerDebt(w, debt, offDebt);
  // What no lot paid, a scratch card or a repaid loan, comes back as a new one.
  w.addLot(walletId, journalId, asCredit, { priority: paidPriority(w, siteId) });
  const breakage = w.account(site, 'breakage', asset);
  const lost = entries.filter((entry) => entry.accountId === breakage);
  return value - offDebt - lost.reduce((sum, entry) => sum + entry.amount, 0n);
}

const smaller = (a: bigint, b: bigint): bigint => (a < b ? a : b);

/** Lays the lines behind `at` again and makes run, coverage and rights of the card anew. */
export function settleLines(w: Workspace, command: Command, subscriptionId: bigint): void {
  const card = cardOfSubscription(w, subscriptionId);
  if (!card?.subscription) return;
  const rules = termRules(w.site(card.siteId));
  const { at } = command;
  for (const moved of laidAgain(w.lines(subscriptionId), at, rules)) w.changeLine(moved);
  rebuild(w, card.id, card.subscription);
  const again = w.card(card.id);
  const subscription = again?.subscription;
  // An end of long ago that shows again is not the end of anything now: nothing renews at it.
  if (again && subscription?.paidUntil && subscription.paidUntil.getTime() < at.getTime()) {
    w.setSubscription(again, { ...subscription, autoRenewSince: at });
  }
  raiseRights(w, card.id, at);
}

/**
 * Gives back what a payment bought, wherever its lot paid for a line that has not ended; the line
 * that lies last first.
 */
export function giveBackBoughtFrom(w: Workspace, command: Command, lotJournalId: bigint): void {
  for (const id of subscriptionsAmong(w)) {
    const isBought = (line: LineFacts): boolean =>
      line.to.getTime() > command.at.getTime() &&
      line.parts.some((part) => part.lotJournalId === lotJournalId);
    const card = cardOfSubscription(w, id);
    if (!card || !w.lines(id).some(isBought)) continue;
    endPauseNow(w, card.id, command.at);
    const bought = w.lines(id).filter(isBought);
    for (const line of bought.sort((a, b) => b.from.getTime() - a.from.getTime())) {
      const now = w.lines(id).find((one) => one.id === line.id);
      if (now && now.to.getTime() > command.at.getTime()) giveBack(w, command, now);
    }
    settleLines(w, command, id);
  }
}

/**
 * What giving it back now would bring of a payment: its unspent rest, and its share of the unused
 * value of what it bought. Minor units.
 */
export function worthOf(
  w: Workspace,
  { walletId, lotJournalId, at }: { walletId: bigint; lotJournalId: bigint; at: Date },
): bigint {
  let worth = w.leftOf(walletId, lotJournalId);
  for (const id of subscriptionsAmong(w)) {
    const card = cardOfSubscription(w, id);
    if (!card) continue;
    for (const line of w.lines(id)) {
      if (line.to.getTime() <= at.getTime()) continue;
      const { back } = lastOf(line.parts, unusedValue(w, card.siteId, line, at));
      for (const part of back) if (part.lotJournalId === lotJournalId) worth += part.amount;
    }
  }
  return worth;
}

const subscriptionsAmong = (w: Workspace): Set<bigint> =>
  new Set([...w.rare.lines.keys(), ...w.writes.terms.map((line) => line.subscriptionId)]);

/** A pause of this card ends at `at`; nothing happens when there is none. */
export function endPauseNow(w: Workspace, cardId: bigint, at: Date): void {
  const card = w.card(cardId);
  const subscription = card?.subscription;
  if (!card || !subscription?.pause) return;
  const rules = termRules(w.site(card.siteId));
  const pause = { from: subscription.pause.from, to: at };
  for (const line of afterPause(w.lines(subscription.id), pause, rules)) w.changeLine(line);
  const { year } = localDate(pause.from, rules.timeZone);
  const before = subscription.pausedDays;
  const days = (before?.year === year ? before.days : 0) + midnightsIn(pause, rules.timeZone);
  rebuild(w, cardId, { ...subscription, pause: null, pausedDays: { year, days } });
}
