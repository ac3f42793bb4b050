/** TV units: notified by an operator, sent by a reseller, turned into credit. */
import { localDate } from '../../platform/calendar.ts';
import { rulesOf, type TvuTariff, unitsToCredit, versionAt } from '../catalogue/rules.ts';
import type { LotPart } from '../ledger/rules.ts';
import { spendConverted } from './arrivals.ts';
import type { Command, ConvertTvu, RefusalCode, TransferTvu, TvuNotice } from './commands.ts';
import { creditOf, paidPriority } from './credit.ts';
import { type Decision, refused, settled, suspended } from './decision.ts';
import type { SubscriberFacts } from './facts.ts';
import type { Workspace } from './workspace.ts';

/** The tariff in force at an instant. */
export const tariffOf = (w: Workspace, siteId: bigint, at: Date): TvuTariff | null =>
  versionAt(w.tools.catalogue.tariffs.get(siteId), at);

/** The subscriber a phone belongs to. */
export const subscriberOf = (w: Workspace, msisdn: string): SubscriberFacts | null => {
  const id = w.facts.subscriberByPhone.get(msisdn);
  return id === undefined ? null : w.subscriber(id);
};

/** Units an operator sold enter the wallet of a subscriber, or the float of a reseller. */
export function decideTvuNotice(w: Workspace, notice: TvuNotice): Decision {
  const site = w.site(notice.siteId);
  const tariff = tariffOf(w, site.id, notice.at);
  // The operator has sold them already: the notice is parked, and a repeat settles it.
  if (!tariff) throw new Error(`Site ${site.code} has no tariff of TV units at ${notice.at}`);
  const subscriber = subscriberOf(w, notice.msisdn);
  const reseller = w.facts.resellerByPhone.get(notice.msisdn);
  const owner = reseller ?? subscriber;
  const known = owner !== null && owner !== undefined && owner.siteId === site.id;
  const { units } = notice;
  const cost = units * tariff.price;
  const siteOwner = `site:${site.id}`;
  const walletId = known ? owner.tvuWalletId : w.account(siteOwner, 'suspense', site.tvuAsset);
  const journalId = w.book(notice, 'tvu_notice', [
    {
      accountId: w.account(`channel:${notice.channelId}`, 'provider_clearing', site.currency),
      asset: site.currency,
      amount: -cost,
    },
    {
      accountId: w.account(siteOwner, 'tvu_liability', site.currency),
      asset: site.currency,
      amount: cost,
    },
    {
      accountId: w.account(siteOwner, 'tvu_issued', site.tvuAsset),
      asset: site.tvuAsset,
      amount: -units,
    },
    { accountId: walletId, asset: site.tvuAsset, amount: units },
  ]);
  if (!known) {
    w.writes.suspense.push({
      inboxId: w.inboxId,
      siteId: site.id,
      asset: site.tvuAsset,
      amount: units,
      reason: 'unknown_phone',
      accountRef: null,
      payerMsisdn: notice.msisdn,
      payerHash: null,
      at: notice.at,
    });
    return suspended(w, 'unknown_phone');
  }
  w.addLot(walletId, journalId, units, { cost });
  return received(w, notice, { msisdn: notice.msisdn, walletId, units, from: site.name });
}

interface Received {
  msisdn: string;
  walletId: bigint;
  units: bigint;
  /** Who sent them, as the receiver is told. */
  from: string;
}

function received(w: Workspace, command: Command, got: Received): Decision {
  const { msisdn, walletId, units, from } = got;
  const decision = settled(w, { paidUntil: null, credit: null, units: w.balance(walletId) });
  const subscriber = subscriberOf(w, msisdn);
  w.say(command, {
    siteId: command.siteId,
    language: subscriber?.language ?? w.site(command.siteId).language,
    to: { kind: 'text', msisdn },
    message: {
      name: 'tvu_received',
      units,
      from,
      have: w.balance(walletId),
      ref: decision.ref,
    },
  });
  return decision;
}

/** A reseller's units go to a phone's wallet, with what they were issued for. */
export function decideTransfer(w: Workspace, transfer: TransferTvu): Decision {
  const { units } = transfer;
  const reseller = w.facts.resellerByPhone.get(transfer.fromMsisdn);
  if (!reseller) return refused(w, 'not_a_reseller');
  const subscriber = subscriberOf(w, transfer.toMsisdn);
  if (!subscriber || subscriber.siteId !== reseller.siteId) return refused(w, 'unknown_phone');
  const asset = w.site(reseller.siteId).tvuAsset;
  const sending = { siteId: reseller.siteId, asset, units, from: reseller.tvuWalletId };
  const refusal = sendRefusal(w, sending, transfer.at);
  if (refusal) return refused(w, refusal);
  send(w, transfer, { ...sending, to: subscriber.tvuWalletId });
  const decision = received(w, transfer, {
    msisdn: transfer.toMsisdn,
    walletId: subscriber.tvuWalletId,
    units,
    from: reseller.name,
  });
  const have = w.balance(reseller.tvuWalletId);
  w.say(transfer, {
    siteId: reseller.siteId,
    language: w.site(reseller.siteId).language,
    to: { kind: 'text', msisdn: reseller.msisdn },
    message: {
      name: 'tvu_sent',
      units,
      phone: transfer.toMsisdn,
      have,
      ref: decision.ref,
    },
  });
  return { ...decision, units: have.toString() };
}

interface Sending {
  siteId: bigint;
  asset: string;
  units: bigint;
  from: bigint;
}

/** How often a day a wallet may send, and what must stay in it, is the site's rule. */
export function sendRefusal(
  w: Workspace,
  { siteId, units, from }: Sending,
  at: Date,
): RefusalCode | null {
  const site = w.site(siteId);
  const { transfersPerDay, leaveAtLeast } = rulesOf(site).tvu;
  const today = localDate(at, site.timeZone);
  const now = w.writes.journals.filter(
    ({ kind, entries }) =>
      kind === 'tvu_transfer' && entries.some((one) => one.accountId === from && one.amount < 0n),
  );
  const sent = [
    ...(w.rare.unitTransfers.get(from) ?? []),
    ...now.map(({ effectiveAt }) => effectiveAt),
  ].filter((when) => {
    const date = localDate(when, site.timeZone);
    return date.day === today.day && date.month === today.month && date.year === today.year;
  });
  if (transfersPerDay !== null && sent.length >= transfersPerDay) return 'tvu_transfer_limit';
  const isShort = units <= 0n || w.balance(from) - units < leaveAtLeast;
  return isShort ? 'insufficient_units' : null;
}

/** Each lot goes on as one of its own, so that units keep what they were issued for. */
export function send(w: Workspace, command: Command, sending: Sending & { to: bigint }): void {
  const { asset, units, from, to } = sending;
  const journalId = w.book(command, 'tvu_transfer', [
    { accountId: from, asset, amount: -units },
    { accountId: to, asset, amount: units },
  ]);
  for (const { amount, cost } of w.takeLots(from, units)) {
    w.addLot(to, journalId, amount, { cost });
  }
}

/**
 * Two balanced legs: the units leave the wallet through the conversion account; the liability they
 * carried leaves too, the credit at the tariff in force enters, and the difference is tariff gain
 * or loss.
 */
export function convert(
  w: Workspace,
  command: Command,
  subscriber: SubscriberFacts,
  { used, credit, asset, from }: { used: bigint; credit: bigint; asset?: string; from?: bigint },
): void {
  const site = w.site(subscriber.siteId);
  const owner = `site:${site.id}`;
  const unitAsset = asset ?? site.tvuAsset;
  const unitWallet = from ?? subscriber.tvuWalletId;
  const parts: LotPart[] = w.takeLots(unitWallet, used);
  const cost = parts.reduce((sum, part) => sum + part.cost, 0n);
  const journalId = w.book(command, 'tvu_conversion', [
    { accountId: unitWallet, asset: unitAsset, amount: -used },
    { accountId: w.account(owner, 'tvu_conversion', unitAsset), asset: unitAsset, amount: used },
    {
      accountId: w.account(owner, 'tvu_liability', site.currency),
      asset: site.currency,
      amount: -cost,
    },
    { accountId: subscriber.walletId, asset: site.currency, amount: credit },
    {
      accountId: w.account(owner, 'tariff_gain_loss', site.currency),
      asset: site.currency,
      amount: cost - credit,
    },
  ]);
  w.addLot(subscriber.walletId, journalId, credit, { priority: paidPriority(w, site.id) });
}

/** Turns units into credit, rounded down; unused units stay; a waiting renewal fires. */
export function decideConversion(w: Workspace, command: ConvertTvu): Decision {
  const subscriber = subscriberOf(w, command.msisdn);
  if (!subscriber) return refused(w, 'unknown_phone');
  const tariff = tariffOf(w, subscriber.siteId, command.at);
  if (!tariff) return refused(w, 'no_tariff');
  if (command.units <= 0n) return refused(w, 'too_few_units');
  if (w.balance(subscriber.tvuWalletId) < command.units) return refused(w, 'insufficient_units');
  const { creditStep } = rulesOf(w.site(subscriber.siteId)).tvu;
  const worth = unitsToCredit(command.units, tariff, creditStep ?? 1n);
  if (!worth) return refused(w, 'too_few_units');
  convert(w, command, subscriber, worth);
  const { currency: asset } = w.site(subscriber.siteId);
  const paid = { command, amount: worth.credit, asset, payerMsisdn: null };
  const { spent } = spendConverted(w, paid, subscriber);
  const decision = settled(w, {
    paidUntil: spent.kind === 'credit' ? null : spent.bought.paidUntil,
    credit: creditOf(w, subscriber, command.at),
    units: w.balance(subscriber.tvuWalletId),
  });
  w.say(command, {
    siteId: subscriber.siteId,
    language: subscriber.language,
    to: { kind: 'text', msisdn: command.msisdn },
    message: {
      name: 'tvu_converted',
      used: worth.used,
      left: w.balance(subscriber.tvuWalletId),
      credit: worth.credit,
      total: creditOf(w, subscriber, command.at),
      asset: w.site(subscriber.siteId).currency,
      ref: decision.ref,
    },
  });
  return decision;
}
