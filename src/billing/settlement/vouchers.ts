/** Scratch cards: an amount with a bonus, or days of a plan. Each is used once. */
import { addDays, localDate, midnight } from '../../platform/calendar.ts';
import { type Bouquet, rulesOf } from '../catalogue/rules.ts';
import { arrive } from './arrivals.ts';
import type { Redeem, RefusalCode } from './commands.ts';
import { countPayment } from './commissions.ts';
import { creditOf, paidPriority, promoWallet } from './credit.ts';
import { type Decision, refused, settled } from './decision.ts';
import type { CardFacts, SubscriberFacts, VoucherFacts } from './facts.ts';
import { addTerm, bouquetById, planRefusal, saleEntries } from './purchases.ts';
import { sayPaid } from './receipts.ts';
import { raiseRights } from './rights-of-card.ts';
import { taxesAt, taxesInside } from './taxes.ts';
import type { Workspace } from './workspace.ts';

const MINUTE_MS = 60_000;

interface Redemption {
  command: Redeem;
  voucher: VoucherFacts;
  card: CardFacts;
  subscriber: SubscriberFacts;
}

/** Uses a scratch card for a card; asked again soon by the same card, it answers as before. */
export function decideRedeem(w: Workspace, command: Redeem): Decision {
  const voucher = w.writes.rare.vouchers.get(command.code) ?? w.rare.vouchers.get(command.code);
  if (!voucher) return refused(w, 'voucher_unknown');
  const card = w.card(w.facts.cardByNumber.get(command.cardNumber) ?? 0n);
  const subscriber = card && w.subscriber(card.subscriberId);
  if (!card?.subscription || !subscriber) return refused(w, 'unknown_card');
  const { used } = voucher;
  if (used && used.cardId === card.id) {
    const { repeatMinutes } = rulesOf(w.site(card.siteId)).voucher;
    const isRepeat = command.at.getTime() < used.at.getTime() + repeatMinutes * MINUTE_MS;
    if (isRepeat) return used.settled;
  }
  const refusal = voucherRefusal(w, voucher, card, command.at);
  if (refusal) return refused(w, refusal);
  const redemption = { command, voucher, card, subscriber };
  const done = voucher.kind === 'amount' ? credit(w, redemption) : days(w, redemption);
  w.writes.rare.vouchers.set(voucher.code, {
    ...voucher,
    state: 'USED',
    used: { at: command.at, cardId: card.id, settled: done },
  });
  return done;
}

function voucherRefusal(
  w: Workspace,
  voucher: VoucherFacts,
  card: CardFacts,
  at: Date,
): RefusalCode | null {
  if (voucher.state === 'BLOCKED') return 'voucher_blocked';
  if (voucher.used || voucher.state === 'USED') return 'voucher_used';
  if (voucher.state !== 'ACTIVATED') return 'voucher_not_active';
  if (voucher.expiresAt.getTime() <= at.getTime()) return 'voucher_expired';
  if (voucher.asset !== w.site(card.siteId).currency) return 'currency_mismatch';
  if (voucher.kind !== 'days') return null;
  const plan = planOf(w, voucher, card);
  return plan === null ? 'term_not_sold' : planRefusal(w, card, plan.id);
}

/** The plan of a card of days at the site where it is used; null: it has none of that code. */
function planOf(w: Workspace, { bouquetId }: VoucherFacts, card: CardFacts): Bouquet | null {
  const id = bouquetId ?? card.subscription?.bouquetId;
  if (id === undefined) return null;
  const printed = bouquetById(w, id);
  if (printed.siteId === card.siteId) return printed;
  const own = [...w.tools.catalogue.bouquets.values()];
  return own.find((one) => one.siteId === card.siteId && one.code === printed.code) ?? null;
}

function credit(w: Workspace, { command, voucher, card, subscriber }: Redemption): Decision {
  const { value, bonus, asset } = voucher;
  const site = w.site(card.siteId);
  const owner = `site:${site.id}`;
  const entries = [
    { accountId: w.account(owner, 'voucher_liability', asset), asset, amount: -value },
    { accountId: subscriber.walletId, asset, amount: value },
  ];
  const promoId = bonus > 0n ? promoWallet(w, subscriber) : null;
  if (promoId !== null) {
    entries.push({ accountId: w.account(owner, 'promo_expense', asset), asset, amount: -bonus });
    entries.push({ accountId: promoId, asset, amount: bonus });
  }
  const journalId = w.book(command, 'voucher', entries);
  w.addLot(subscriber.walletId, journalId, value, { priority: paidPriority(w, site.id) });
  if (promoId !== null) {
    const today = localDate(command.at, site.timeZone);
    const { bonusDays } = voucher;
    const expiresAt =
      bonusDays === null ? null : midnight(addDays(today, bonusDays + 1), site.timeZone);
    const priority = rulesOf(site).lots.promoPriority;
    w.addLot(promoId, journalId, bonus, { kind: 'promo', priority, expiresAt });
  }
  const spent = arrive(w, { command, subscriber, card, journalId, amount: value });
  const paidUntil = spent.kind === 'credit' ? null : spent.bought.paidUntil;
  const paid = { command, amount: value, asset, payerMsisdn: null };
  sayPaid(w, paid, { subscriber, card }, { spent, event: null, paidUntil });
  return settled(w, { paidUntil, credit: creditOf(w, subscriber, command.at), units: null });
}

function days(w: Workspace, { command, voucher, card, subscriber }: Redemption): Decision {
  const { value: price, asset } = voucher;
  const site = w.site(card.siteId);
  const bouquet = planOf(w, voucher, card);
  if (!bouquet) throw new Error(`A card of days without a plan at site ${card.siteId}`);
  const bouquetId = bouquet.id;
  const taxes = taxesInside(price, taxesAt(w, bouquet, command.at));
  const liability = w.account(`site:${site.id}`, 'voucher_liability', asset);
  const journalId = w.book(command, 'voucher', [
    { accountId: liability, asset, amount: -price },
    ...saleEntries(w, site, { price, taxes }),
  ]);
  countPayment(w, command, card.id, price);
  const money = { price, taxes, journalId, parts: [], paidBy: 'voucher' } as const;
  const length = { kind: 'days', days: voucher.days ?? 1 } as const;
  const bought = addTerm(w, { command, cardId: card.id }, { ...money, bouquetId, length });
  raiseRights(w, card.id, command.at);
  const { paidUntil } = bought;
  const spent = { kind: 'days', days: length.days, bought } as const;
  const paid = { command, amount: price, asset, payerMsisdn: null };
  sayPaid(w, paid, { subscriber, card }, { spent, event: null, paidUntil });
  return settled(w, { paidUntil, credit: creditOf(w, subscriber, command.at), units: null });
}
