/** Another plan: at the end of the term, or now with the unused value or for the difference. */
import {
  type Bouquet,
  dayRateAt,
  daysFor,
  halfUp,
  priceAt,
  rulesOf,
  type TermName,
} from '../catalogue/rules.ts';
import type { ChangePlan, RefusalCode } from './commands.ts';
import { creditOf } from './credit.ts';
import { type Decision, refused, settled } from './decision.ts';
import type { CardFacts, LineFacts, SubscriberFacts } from './facts.ts';
import { giveDays } from './free-time.ts';
import { giveBack, settleLines, unusedValue } from './givebacks.ts';
import { daysOf, isFree, lengthOf, termsOf } from './lines.ts';
import { addTerm, bookSale, bouquetById, isCarried, saleRefusal, termRules } from './purchases.ts';
import { raiseRights, rebuild } from './rights-of-card.ts';
import { taxesAt } from './taxes.ts';
import type { Workspace } from './workspace.ts';

interface Change {
  command: ChangePlan;
  card: CardFacts;
  subscriber: SubscriberFacts;
  bouquet: Bouquet;
  /** Terms that have not ended, the running one first. */
  terms: readonly LineFacts[];
}

/** Changes the plan: what is bought from now on is of the new one, whatever the policy. */
export function decidePlanChange(w: Workspace, command: ChangePlan): Decision {
  const card = w.card(command.cardId);
  const subscription = card?.subscription;
  const subscriber = card && w.subscriber(card.subscriberId);
  const bouquet = w.tools.catalogue.bouquets.get(command.bouquetId);
  if (!card || !subscription || subscription.closedAt || !subscriber) {
    return refused(w, 'unknown_card');
  }
  if (!bouquet || !isPlan(bouquet, card)) return refused(w, 'term_not_sold');
  if (!isCarried(w, card, bouquet.products)) return refused(w, 'product_not_on_cas');
  const terms = termsOf(w.lines(subscription.id)).filter((line) => line.to > command.at);
  if (command.policy === 'immediate') {
    const refusal = saleRefusal(card);
    if (refusal) return refused(w, refusal);
    const change = { command, card, subscriber, bouquet, terms };
    const isConverted = rulesOf(w.site(card.siteId)).upgrade === 'convert_days';
    const error = isConverted ? convertDays(w, change) : payDifference(w, change);
    if (error) return refused(w, error);
  }
  const now = w.card(card.id);
  if (now?.subscription) {
    w.setSubscription(now, { ...now.subscription, bouquetId: bouquet.id });
  }
  const paidUntil = w.card(card.id)?.subscription?.paidUntil ?? null;
  return settled(w, { paidUntil, credit: creditOf(w, subscriber, command.at), units: null });
}

const isPlan = ({ siteId, kind }: Bouquet, card: CardFacts): boolean =>
  siteId === card.siteId && kind !== 'add_on';

/** Unused value buys days of the new plan from now; what is over is credit. */
function convertDays(w: Workspace, change: Change): RefusalCode | null {
  const { command, card, subscriber, bouquet, terms } = change;
  const { at } = command;
  const paid = terms.filter((line) => !isFree(line));
  if (paid.length === 0) return null;
  const rate = dayRateAt(bouquet, 'month/30', at, card.category);
  if (!rate || rate.numerator === 0n) return 'term_not_sold';
  const rules = termRules(w.site(card.siteId));
  let value = 0n;
  for (const line of [...paid].reverse()) value += giveBack(w, command, line);
  const free = terms.filter(isFree).map((line) => ({ line, days: daysOf(line, at, rules).unused }));
  for (const { line } of free) giveBack(w, command, line);
  settleLines(w, command, card.subscription?.id ?? 0n);
  const credit = creditOf(w, subscriber, at);
  const fit = daysFor(value < credit ? value : credit, rate);
  const days = fit?.days ?? 0;
  // Today is free, also where the day of a purchase counts and where no day more was bought.
  if (days > 0 || rules.termEnd !== 'same_time') {
    const buyer = { command, subscriber, card };
    const money = bookSale(w, buyer, fit?.cost ?? 0n, taxesAt(w, bouquet, at));
    const today = rules.termEnd === 'day_counts' ? 1 : 0;
    const length = { kind: 'days', days: days + today } as const;
    addTerm(w, { command, cardId: card.id }, { ...money, bouquetId: bouquet.id, length });
  }
  for (const { line, days } of free) giveAgain(w, change, line, days);
  raiseRights(w, card.id, at);
  return null;
}

/** Free days stay free days, of the plan they were given for, behind what was bought. */
function giveAgain(w: Workspace, { command, card }: Change, line: LineFacts, days: number): void {
  const now = w.card(card.id);
  if (!now || days === 0) return;
  const { kind, bouquetId, reference } = line;
  giveDays(w, command, now, { kind, days, bouquetId, ...(reference ? { reference } : {}) });
}

/** The difference in price for the unused days; the end stays. */
function payDifference(w: Workspace, change: Change): RefusalCode | null {
  const { command, card, subscriber } = change;
  const differences: { line: LineFacts; amount: bigint }[] = [];
  for (const line of change.terms.filter((one) => !isFree(one))) {
    const amount = differenceOf(w, change, line);
    if (amount === null) return 'term_not_sold';
    differences.push({ line, amount });
  }
  const total = differences.reduce((sum, { amount }) => sum + (amount > 0n ? amount : 0n), 0n);
  if (creditOf(w, subscriber, command.at) < total) return 'insufficient_funds';
  for (const { line, amount } of differences) {
    if (amount >= 0n) addUpgrade(w, change, line, amount);
    else cheapen(w, change, line, -amount);
  }
  const now = w.card(card.id);
  if (now?.subscription && differences.length > 0) {
    rebuild(w, card.id, now.subscription);
    raiseRights(w, card.id, command.at);
  }
  return null;
}

/** Half-up((new − old) × unused / all); below zero for a cheaper plan; null: not sold in it. */
function differenceOf(w: Workspace, { command, card, bouquet }: Change, line: LineFacts) {
  const dearer = priceLike(w, card, { bouquet, line, at: command.at });
  if (dearer === null) return null;
  const difference = dearer - priceNow(w, card, line);
  const { all, unused } = daysOf(line, command.at, termRules(w.site(card.siteId)));
  if (all === 0) return 0n;
  const part = halfUp((difference < 0n ? -difference : difference) * BigInt(unused), BigInt(all));
  return difference < 0n ? -part : part;
}

/** What a line like this one costs in a plan: its term, or its days at the day rate of the site. */
function priceLike(
  w: Workspace,
  { siteId, category }: CardFacts,
  { bouquet, line, at }: { bouquet: Bouquet; line: LineFacts; at: Date },
): bigint | null {
  const length = lengthOf(line);
  if (length.kind !== 'days') return priceAt(bouquet, length.kind as TermName, at, category);
  const rate = dayRateAt(bouquet, w.site(siteId).payment.dayRate, at, category);
  if (!rate) return null;
  const exact = rate.numerator * BigInt(length.days);
  return (exact + rate.denominator - 1n) / rate.denominator;
}

/** What the line was sold for; after an upgrade, what its plan cost then. */
function priceNow(w: Workspace, card: CardFacts, line: LineFacts): bigint {
  const last = w
    .lines(line.subscriptionId)
    .filter((one) => one.kind === 'upgrade' && one.beside === line.id)
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .at(-1);
  if (!last) return line.price;
  const bouquet = bouquetById(w, last.bouquetId);
  return priceLike(w, card, { bouquet, line, at: last.soldAt }) ?? line.price;
}

function addUpgrade(w: Workspace, change: Change, line: LineFacts, amount: bigint): void {
  const { command, card, subscriber, bouquet } = change;
  const { at } = command;
  const buyer = { command, subscriber, card };
  w.addLine({
    ...line,
    ...bookSale(w, buyer, amount, taxesAt(w, bouquet, at)),
    id: w.tools.ids.next(),
    bouquetId: bouquet.id,
    kind: 'upgrade',
    days: null,
    from: line.from.getTime() > at.getTime() ? line.from : at,
    soldAt: at,
    breaks: [],
    beside: line.id,
    reference: null,
  });
}

/** The plan is cheaper: the difference goes back, and the days left are of the new plan. */
function cheapen(w: Workspace, change: Change, line: LineFacts, less: bigint): void {
  const { command, card, subscriber, bouquet } = change;
  const { at } = command;
  const before = unusedValue(w, card.siteId, line, at);
  giveBack(w, command, line);
  const price = before > less ? before - less : 0n;
  const from = line.from.getTime() > at.getTime() ? line.from : at;
  w.addLine({
    ...line,
    ...bookSale(w, { command, subscriber, card }, price, taxesAt(w, bouquet, at)),
    id: w.tools.ids.next(),
    bouquetId: bouquet.id,
    from,
    breaks: [],
  });
}
