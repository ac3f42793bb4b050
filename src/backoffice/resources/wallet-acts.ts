/** Credit that staff put into a wallet, pay out of it, or give to another subscriber. */
import { z } from 'zod';
import type { Site } from '../../billing/catalogue/rules.ts';
import { type SubscriberRecord, subscriberById } from '../../registry/desk.ts';
import { id, instantIn, type Money, minorOf, moneyIn, reason } from '../api/fields.ts';
import { invalidField, type Problem, problem } from '../api/problems.ts';
import { type Call, type Route, route } from '../api/route.ts';
import type { Act } from '../people/approvals.ts';
import { type Principal, siteFilter } from '../people/principal.ts';
import type { Db } from '../people/staff-store.ts';
import { type ActDeps, doOrAsk, moneyAct, placeAt, placeOfAct } from './act.ts';
import { approval } from './approval-view.ts';
import type { Desk } from './desk.ts';
import { settledMoney } from './money.ts';

export const GIFT = 'wallet.gift';
export const REFUND = 'wallet.refund';
export const TRANSFER = 'wallet.transfer';

const params = z.strictObject({ subscriberId: id });
const tag = 'Wallets';
const digits = z.string().transform(BigInt);
const ofWallet = { ...placeOfAct, subscriberId: digits, amount: digits };
const gift = z.strictObject({ ...ofWallet, expiresAt: z.string().nullable() });
const refund = z.strictObject(ofWallet);
const transfer = z.strictObject({ ...ofWallet, toSubscriberId: digits });

/** The acts of wallets that may need a second person. */
export const walletActs = (deps: ActDeps): Record<string, Act> => ({
  [GIFT]: moneyAct(deps, 'gift.approve', gift, ({ subscriberId, amount, expiresAt }) => ({
    ...{ kind: 'top_up', credit: 'promo', priority: null, subscriberId, amount },
    expiresAt: expiresAt === null ? null : new Date(expiresAt),
  })),
  [REFUND]: moneyAct(deps, 'wallet.approve', refund, ({ subscriberId, amount }) => ({
    ...{ kind: 'refund', subscriberId, amount },
  })),
  [TRANSFER]: moneyAct(
    deps,
    'wallet.approve',
    transfer,
    ({ subscriberId, toSubscriberId, amount }) => ({
      ...{ kind: 'transfer_credit', subscriberId, toSubscriberId, amount },
    }),
  ),
});

/** The routes of these acts. */
export const walletActRoutes = (desk: Desk): Route[] => [
  giftRoute(desk),
  refundRoute(desk),
  transferRoute(desk),
];

export interface Purse {
  subscriber: SubscriberRecord;
  site: Site;
}

/** A subscriber with their site, if the principal sees it. */
export async function purseOf(
  desk: Pick<Desk, 'catalogue'>,
  { db, principal }: { db: Db; principal: Principal },
  subscriberId: bigint,
): Promise<Purse | null> {
  const subscriber = await subscriberById(db, subscriberId, { sites: siteFilter(principal) });
  const site = subscriber && desk.catalogue().sites.get(subscriber.siteId);
  return subscriber && site ? { subscriber, site } : null;
}

/** The amount in minor units of the site's currency, or the problem with it. */
export function minorAt(site: Pick<Site, 'currency'>, amount: Money): bigint | Problem {
  const read = minorOf(amount, site.currency);
  if (read.ok) return read.minor;
  const code = read.fault.code === 'wrong_currency' ? 'wrong_currency' : 'invalid_body';
  return problem(code, { fields: [read.fault] });
}

type WalletCall = Pick<
  Call<{ subscriberId: bigint }, unknown, { amount: Money; reason: string }>,
  'receipt' | 'now' | 'principal' | 'db' | 'params' | 'body' | 'note'
>;

/** The wallet a call is about, with the amount asked for in minor units, or what is wrong. */
async function openPurse(
  desk: Desk,
  call: WalletCall,
): Promise<(Purse & { minor: bigint }) | Problem> {
  const found = await purseOf(desk, call, call.params.subscriberId);
  if (!found) return problem('not_found');
  call.note({ siteId: found.site.id, reason: call.body.reason });
  const minor = minorAt(found.site, call.body.amount);
  return typeof minor === 'bigint' ? { ...found, minor } : minor;
}

/** Does an act on a wallet, or asks for the second person that its amount needs. */
const actOn = (
  desk: Desk,
  call: WalletCall,
  { site, subscriber, minor }: Purse & { minor: bigint },
  { act, subject, more }: { act: string; subject: string; more: Record<string, unknown> },
) =>
  doOrAsk(desk, call, {
    ...{ act, subject, siteId: site.id, reason: call.body.reason },
    input: {
      ...placeAt(site),
      ...{ subscriberId: subscriber.id.toString(), amount: minor.toString(), ...more },
    },
    amount: { minor, asset: site.currency },
    needsSecond: desk.needsSecond(minor, site.currency),
  });

const giftRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/subscribers/{subscriberId}/promotional-credits', tag, params },
    ...{ access: 'wallet.give', idempotent: true },
    summary: 'Give promotional credit, which is never money; above the limit two decide',
    write: { object: 'wallet', commits: 'itself' },
    body: z.strictObject({
      amount: moneyIn,
      expiresAt: instantIn.nullable().default(null),
      reason,
    }),
    example: { amount: { amount: '50.00', currency: 'KES' }, reason: 'sorry for the long wait' },
    answers: { 201: settledMoney, 202: approval },
    problems: ['wrong_currency', 'unavailable'],
    async handler(call) {
      const opened = await openPurse(desk, call);
      if (!('subscriber' in opened)) return opened;
      return actOn(desk, call, opened, {
        act: GIFT,
        subject: `Promotional credit for ${opened.subscriber.fullName}`,
        more: { expiresAt: call.body.expiresAt?.toISOString() ?? null },
      });
    },
  });

const refundRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/subscribers/{subscriberId}/refunds', tag, params },
    ...{ access: 'wallet.refund', idempotent: true },
    summary: 'Pay credit out as cash of the site’s till; above the limit two decide',
    write: { object: 'wallet', commits: 'itself' },
    body: z.strictObject({ amount: moneyIn, reason }),
    example: { amount: { amount: '100.00', currency: 'KES' }, reason: 'leaves the country' },
    answers: { 201: settledMoney, 202: approval },
    problems: ['wrong_currency', 'not_refundable', 'unavailable'],
    async handler(call) {
      const opened = await openPurse(desk, call);
      if (!('subscriber' in opened)) return opened;
      const subject = `Refund to ${opened.subscriber.fullName}`;
      return actOn(desk, call, opened, { act: REFUND, subject, more: {} });
    },
  });

const transferRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/subscribers/{subscriberId}/credit-transfers', tag, params },
    ...{ access: 'wallet.transfer', idempotent: true },
    summary: 'Give paid credit to another subscriber; above the limit two decide',
    write: { object: 'wallet', commits: 'itself' },
    body: z.strictObject({ toSubscriberId: id, amount: moneyIn, reason }),
    example: {
      ...{ toSubscriberId: '1', amount: { amount: '100.00', currency: 'KES' } },
      reason: 'both are of one household',
    },
    answers: { 201: settledMoney, 202: approval },
    problems: ['wrong_currency', 'not_transferable', 'currency_mismatch', 'unavailable'],
    async handler(call) {
      const opened = await openPurse(desk, call);
      if (!('subscriber' in opened)) return opened;
      const { subscriber } = opened;
      const to = await purseOf(desk, call, call.body.toSubscriberId);
      if (!to || to.subscriber.id === subscriber.id) {
        return invalidField('toSubscriberId', 'unknown', 'Nobody else of here');
      }
      return actOn(desk, call, opened, {
        act: TRANSFER,
        subject: `Credit of ${subscriber.fullName} to ${to.subscriber.fullName}`,
        more: { toSubscriberId: to.subscriber.id.toString() },
      });
    },
  });
