/** TV units by country and operator: bought, notified, sent and converted between accounts. */
import {
  rulesOf,
  type Site,
  type UnitMarket,
  unitsToCredit,
  versionAt,
} from '../catalogue/rules.ts';
import { spendConverted } from './arrivals.ts';
import type {
  BuyUnits,
  Command,
  ConvertUnits,
  RefusalCode,
  SendUnits,
  UnitsNotice,
} from './commands.ts';
import { creditOf, paidPriority } from './credit.ts';
import { type Decision, refused, settled } from './decision.ts';
import type { SubscriberFacts } from './facts.ts';
import { convert, send, sendRefusal } from './units.ts';
import type { Workspace } from './workspace.ts';

interface Holder {
  subscriber: SubscriberFacts;
  site: Site;
  market: UnitMarket;
}

/** Units only enter an account of their country's currency. */
function holderOf(w: Workspace, subscriberId: bigint, unitAsset: string): Holder | RefusalCode {
  const subscriber = w.subscriber(subscriberId);
  if (!subscriber) return 'unknown_phone';
  const site = w.site(subscriber.siteId);
  const market = w.tools.catalogue.units?.get(unitAsset);
  if (!market) return 'no_tariff';
  if (market.currency !== site.currency) return 'tvu_country_mismatch';
  return { subscriber, site, market };
}

/** The wallet of a country's units; null while it was never opened. */
export function unitWallet(
  w: Workspace,
  { subscriber, site }: Pick<Holder, 'subscriber' | 'site'>,
  asset: string,
): bigint | null {
  if (asset === site.tvuAsset) return subscriber.tvuWalletId;
  return w.subscriber(subscriber.id)?.otherUnits?.get(asset) ?? null;
}

function openUnitWallet(w: Workspace, holder: Holder): bigint {
  const { asset } = holder.market;
  const known = unitWallet(w, holder, asset);
  if (known !== null) return known;
  const { id } = holder.subscriber;
  const subscriber = w.subscriber(id) ?? holder.subscriber;
  const walletId = w.openAccount({ owner: `subscriber:${id}`, kind: 'tvu_wallet', asset });
  const otherUnits = new Map([...(subscriber.otherUnits ?? []), [asset, walletId]]);
  w.setSubscriber({ ...subscriber, otherUnits });
  return walletId;
}

interface Issue {
  kind: 'units_purchase' | 'units_notice';
  units: bigint;
  /** What they were issued for, and what of the money is over. */
  cost: bigint;
  rest: bigint;
}

/** Units enter the wallet with what they cost; what is over becomes paid credit. */
function issue(w: Workspace, command: Command, holder: Holder, what: Issue): Decision {
  const { subscriber, site, market } = holder;
  const { units, cost, rest } = what;
  const owner = `site:${site.id}`;
  const { currency } = site;
  const clearing = w.account(`channel:${command.channelId}`, 'provider_clearing', currency);
  const walletId = openUnitWallet(w, holder);
  const { asset } = market;
  const journalId = w.book(command, what.kind, [
    { accountId: clearing, asset: currency, amount: -cost - rest },
    { accountId: w.account(owner, 'tvu_liability', currency), asset: currency, amount: cost },
    { accountId: subscriber.walletId, asset: currency, amount: rest },
    { accountId: w.account(owner, 'tvu_issued', asset), asset, amount: -units },
    { accountId: walletId, asset, amount: units },
  ]);
  w.addLot(walletId, journalId, units, { cost });
  w.addLot(subscriber.walletId, journalId, rest, { priority: paidPriority(w, site.id) });
  return answer(w, command, { subscriber, walletId, units });
}

function answer(
  w: Workspace,
  command: Command,
  { subscriber, walletId, units }: { subscriber: SubscriberFacts; walletId: bigint; units: bigint },
): Decision {
  const credit = creditOf(w, subscriber, command.at);
  return {
    ...settled(w, { paidUntil: null, credit, units: w.balance(walletId) }),
    result: { kind: 'units', units: units.toString() },
  };
}

/** Money buys whole units at the price of that operator. */
export function decideUnitsPurchase(w: Workspace, command: BuyUnits): Decision {
  const holder = holderOf(w, command.subscriberId, command.unitAsset);
  if (typeof holder === 'string') return refused(w, holder);
  const price = versionAt(holder.market.buy.get(command.operator), command.at)?.amount;
  if (!price) return refused(w, 'no_tariff');
  const units = command.amount / price;
  const cost = units * price;
  const what = { kind: 'units_purchase', units, cost, rest: command.amount - cost } as const;
  return issue(w, command, holder, what);
}

/** An operator has sold units: they were issued at its price of the day. */
export function decideUnitsNotice(w: Workspace, command: UnitsNotice): Decision {
  const holder = holderOf(w, command.subscriberId, command.unitAsset);
  if (typeof holder === 'string') return refused(w, holder);
  const price = versionAt(holder.market.buy.get(command.operator), command.at)?.amount;
  if (!price) return refused(w, 'no_tariff');
  const { units } = command;
  const what = { kind: 'units_notice', units, cost: units * price, rest: 0n } as const;
  return issue(w, command, holder, what);
}

/** Units go to another account of their country, within what the site allows a day. */
export function decideUnitsSent(w: Workspace, command: SendUnits): Decision {
  const { unitAsset, units, at } = command;
  const from = holderOf(w, command.subscriberId, unitAsset);
  const to = holderOf(w, command.toSubscriberId, unitAsset);
  if (typeof from === 'string') return refused(w, from);
  if (typeof to === 'string') return refused(w, to);
  const wallet = unitWallet(w, from, unitAsset);
  if (wallet === null) return refused(w, 'insufficient_units');
  const sending = { siteId: from.site.id, asset: unitAsset, units, from: wallet };
  const refusal = sendRefusal(w, sending, at);
  if (refusal) return refused(w, refusal);
  send(w, command, { ...sending, to: openUnitWallet(w, to) });
  return answer(w, command, { subscriber: from.subscriber, walletId: wallet, units });
}

/** Units become credit, rounded down to the site's step; waiting renewals are tried. */
export function decideUnitsConverted(w: Workspace, command: ConvertUnits): Decision {
  const { unitAsset, units, at } = command;
  const holder = holderOf(w, command.subscriberId, unitAsset);
  if (typeof holder === 'string') return refused(w, holder);
  const { subscriber, site, market } = holder;
  const from = unitWallet(w, holder, unitAsset);
  if (from === null || w.balance(from) < units) return refused(w, 'insufficient_units');
  const value = versionAt(market.credit, at);
  if (!value) return refused(w, 'no_tariff');
  const tariff = { valueUnits: value.units, valueAmount: value.value };
  const worth = unitsToCredit(units, tariff, rulesOf(site).tvu.creditStep ?? 1n);
  if (!worth || units <= 0n) return refused(w, 'too_few_units');
  const { used, credit } = worth;
  convert(w, command, subscriber, { used, credit, asset: unitAsset, from });
  const paid = { command, amount: credit, asset: site.currency, payerMsisdn: null };
  const { spent } = spendConverted(w, paid, subscriber);
  const left = creditOf(w, subscriber, at);
  const paidUntil = spent.kind === 'credit' ? null : spent.bought.paidUntil;
  return {
    ...settled(w, { paidUntil, credit: left, units: w.balance(from) }),
    result: { kind: 'converted', credit: credit.toString(), used: used.toString() },
  };
}
