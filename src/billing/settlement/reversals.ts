/** Money that an operator took back: from the wallet, from what it bought, or as a debt. */
import { rulesOf } from '../catalogue/rules.ts';
import type { EntryDraft } from '../ledger/rules.ts';
import type { RefusalCode, ReversePayment } from './commands.ts';
import { addDebt, paidCredit, takePaid } from './credit.ts';
import { type Decision, refused, settled } from './decision.ts';
import type { BookedPayment, SubscriberFacts } from './facts.ts';
import { giveBackBoughtFrom } from './givebacks.ts';
import { lapseMove } from './moves.ts';
import type { Workspace } from './workspace.ts';

const CODE: RefusalCode = 'not_reversible';

/**
 * The operator took a payment back, once: what is still credit goes, and the rest is owed. Where
 * the site's rules say `refuse`, money that has been spent already goes to staff instead.
 */
export function decideReversal(w: Workspace, command: ReversePayment): Decision {
  const { provider, receipt } = command.original;
  const original = w.facts.bookedPayments.get(`${provider}|${receipt}`);
  if (!original || original.alreadyReversed) return refused(w, CODE);
  const { journalId } = original;
  if (w.writes.journals.some((journal) => journal.reverses === journalId)) return refused(w, CODE);
  const places = placesOf(w, original);
  if (original.suspenseOpen && places.length === 0) return negate(w, command, original);
  if (original.state === 'suspense' && places.length === 0) return refused(w, CODE);
  if (places.length > 0) return takeBackCredit(w, command, original);
  return isPassedOn(w, original) ? refused(w, CODE) : negate(w, command, original);
}

/**
 * Did it go to a postpaid account? Then no wallet of ours has it, and it is charged back there,
 * where its invoice is owed again.
 */
const isPassedOn = (w: Workspace, { entries }: BookedPayment): boolean =>
  !entries.some(({ accountId }) => w.facts.balances.has(accountId));

/** Where the payment's money lies, with what this batch has moved. */
export const placesOf = (w: Workspace, payment: BookedPayment) => [
  ...payment.places,
  ...w.writes.rare.places.filter((place) => place.paymentId === payment.inboxId),
];

/** The original journal with the signs turned: for suspense, and for units as the lot they were. */
function negate(w: Workspace, command: ReversePayment, original: BookedPayment): Decision {
  const { journalId } = original;
  const brought = original.entries.filter((entry) => w.facts.balances.has(entry.accountId));
  for (const { accountId, asset, amount } of brought) {
    // Units come back as the lot they were: only that lot knows what they were issued for.
    const left = isUnits(asset) ? w.leftOf(accountId, journalId) : w.balance(accountId);
    if (left < amount) return refused(w, CODE);
  }
  const negated = original.entries.map((entry) => ({ ...entry, amount: -entry.amount }));
  w.book(command, 'payment_reversal', negated, journalId);
  for (const { accountId, amount } of brought) w.takeBack(accountId, amount, journalId);
  if (original.suspenseOpen) w.writes.returnedSuspense.push(original.inboxId);
  return settled(w, { paidUntil: null, credit: null, units: null });
}

interface Leg {
  subscriber: SubscriberFacts;
  journalId: bigint;
  amount: bigint;
}

/** What of the payment lies with whom: a move takes from the place before it. */
function legsOf(w: Workspace, original: BookedPayment): Leg[] {
  const places = placesOf(w, original);
  return places.flatMap(({ subscriberId, journalId, amount }, i) => {
    const subscriber = w.subscriber(subscriberId);
    if (!subscriber) throw new Error(`Subscriber ${subscriberId} is not among the facts`);
    const left = amount - (places[i + 1]?.amount ?? 0n);
    return left > 0n ? [{ subscriber, journalId, amount: left }] : [];
  });
}

function takeBackCredit(w: Workspace, command: ReversePayment, original: BookedPayment): Decision {
  const legs = legsOf(w, original);
  const rights = rulesOf(w.site(original.siteId)).reversal.rights;
  if (rights === 'refuse') {
    const isShort = legs.some(({ subscriber }) => {
      const own = legs.filter((leg) => leg.subscriber.id === subscriber.id);
      const wanted = own.reduce((sum, leg) => sum + leg.amount, 0n);
      return paidCredit(w, subscriber, command.at) < wanted;
    });
    if (isShort) return refused(w, CODE);
  }
  if (rights === 'withdraw') {
    for (const leg of legs) giveBackBoughtFrom(w, command, leg.journalId);
  }
  const entries: EntryDraft[] = original.entries
    .filter((entry) => entry.amount < 0n)
    .map((entry) => ({ ...entry, amount: -entry.amount }));
  for (const leg of legs) entries.push(...takeLeg(w, command, leg, entries));
  w.book(command, 'payment_reversal', entries, original.journalId);
  lapseMove(w, original);
  return settled(w, { paidUntil: null, credit: null, units: null });
}

/**
 * This payment's own credit goes first, then other paid credit; the rest is owed. `drafted`: what
 * is taken already, where a payment was moved between cards of one subscriber.
 */
function takeLeg(
  w: Workspace,
  command: ReversePayment,
  { subscriber, journalId, amount }: Leg,
  drafted: readonly EntryDraft[],
): EntryDraft[] {
  const { walletId, siteId } = subscriber;
  const asset = w.site(siteId).currency;
  const before = drafted.filter((entry) => entry.accountId === walletId);
  const free = before.reduce(
    (sum, entry) => sum + entry.amount,
    paidCredit(w, subscriber, command.at),
  );
  const taken = free < amount ? free : amount;
  const left = w.leftOf(walletId, journalId);
  const own = left < taken ? left : taken;
  w.takeBack(walletId, own, journalId);
  takePaid(w, subscriber, taken - own, command.at);
  const owed = amount - taken;
  if (owed > 0n) addDebt(w, subscriber, { kind: 'reversal', amount: owed, fee: 0n, lineId: null });
  return [
    { accountId: walletId, asset, amount: -taken },
    { accountId: w.account(`site:${siteId}`, 'receivable', asset), asset, amount: -owed },
  ];
}

/** Assets are ISO 4217 codes, or `TVU-<country>` for TV units. */
const isUnits = (asset: string): boolean => asset.startsWith('TVU-');
