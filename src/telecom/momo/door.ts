/** The doors of mobile money: paybill validation and confirmation, and callbacks of our prompts. */
import type { Pool } from 'pg';
import type { Outcome } from '../../billing/settlement/commands.ts';
import { loadInvoices } from '../../billing/settlement/load-rare.ts';
import { readReference } from '../../billing/settlement/reference.ts';
import type { Canonical, Money } from '../canonical.ts';
import type { MoneyChannel } from '../channels.ts';
import type { Knock } from '../door.ts';
import type { ProviderAnswer } from '../provider.ts';
import type { RefusalReason, RefusedNotices } from '../refused.ts';
import { type Order, orderByToken } from './orders.ts';
import { mpesa } from './providers/mpesa.ts';
import { answerC2bAccepted, answerC2bRefused, answerReceived } from './providers/mpesa-answers.ts';
import type { MobileMoney } from './service.ts';

export interface MoneyDoorDeps {
  pool: Pool;
  momo: MobileMoney;
  refused: RefusedNotices;
  siteOf(code: string): { id: bigint; country: string; currency: string; timeZone: string };
}

const json = (status: number, code: string, text: string): ProviderAnswer => ({
  status,
  contentType: 'application/json',
  body: JSON.stringify({ ResultCode: code, ResultDesc: text }),
});

/** C2B00016 is Daraja's "other error" (CustomerToBusiness page). */
const OTHER_ERROR = 'C2B00016';

/** Handles whatever comes in at a paybill's address. */
export function createMoneyDoor(deps: MoneyDoorDeps) {
  return (knock: Knock): Promise<ProviderAnswer> => {
    const channel = knock.channel as MoneyChannel;
    const [what, token] = knock.rest.split('/');
    if (what === 'confirm') return confirm(deps, channel, knock);
    if (what === 'validate') return validate(deps, channel, knock);
    if (what === 'push' && token) return pushCallback(deps, channel, knock, token);
    return refuse(deps, knock, 'unreadable', json(404, OTHER_ERROR, 'No such address'));
  };
}

async function refuse(
  deps: MoneyDoorDeps,
  { channel, remote, bytes }: Knock,
  reason: RefusalReason,
  answer: ProviderAnswer,
): Promise<ProviderAnswer> {
  await deps.refused.keep({ channelId: channel.id, reason, remote, bytes });
  return answer;
}

function read(deps: MoneyDoorDeps, knock: Knock, message: string): Money | null {
  const site = deps.siteOf(knock.channel.site);
  const canonical: Canonical | undefined = mpesa.readers[message]?.(knock.raw, site);
  if (!canonical || !('type' in canonical) || canonical.type !== 'money') return null;
  return 'payments' in canonical ? null : canonical;
}

/** After the commit, in the operator's words; only a database that is away asks for a repeat. */
const answerOutcome = (outcome: Outcome): ProviderAnswer =>
  outcome.kind === 'unavailable' ? json(503, OTHER_ERROR, 'Try again later') : answerReceived();

/** What has reached confirmation can't be refused any more: it is credited, kept or parked. */
async function confirm(
  deps: MoneyDoorDeps,
  channel: MoneyChannel,
  knock: Knock,
): Promise<ProviderAnswer> {
  const money = read(deps, knock, 'money.notice');
  const whole =
    money?.outcome === 'paid' &&
    // The end of a prompt belongs to its own address, where it is proved.
    money.requestId === null &&
    money.txnId !== null &&
    money.amountMinor !== null &&
    BigInt(money.amountMinor) > 0n;
  if (!money || !whole) {
    const answer = json(400, OTHER_ERROR, 'The confirmation could not be read and was kept');
    return refuse(deps, knock, money ? 'missing_field' : 'unreadable', answer);
  }
  const outcome = await deps.momo.paid(channel, deps.siteOf(channel.site).id, money, knock.bytes);
  if (outcome.kind === 'receipt_differs') {
    await refuse(deps, knock, 'receipt_differs', answerReceived());
  }
  return answerOutcome(outcome);
}

/** May this payment go through? One look-up; without an answer of ours M-PESA's default holds. */
async function validate(
  deps: MoneyDoorDeps,
  channel: MoneyChannel,
  knock: Knock,
): Promise<ProviderAnswer> {
  const money = read(deps, knock, 'money.validate');
  if (!money) return refuse(deps, knock, 'unreadable', answerC2bRefused('other'));
  if (money.amountMinor === null || BigInt(money.amountMinor) <= 0n) {
    return answerC2bRefused('invalid_amount');
  }
  const site = deps.siteOf(channel.site);
  const reference = readReference(money.accountRef, site.country);
  const { rows } = await deps.pool.query({
    name: 'momo-validate',
    text: `SELECT EXISTS (SELECT FROM card WHERE number = $1 AND site_id = $4)
               OR EXISTS (SELECT FROM phone p JOIN subscriber s ON s.id = p.subscriber_id
                           WHERE p.msisdn = $2 AND s.site_id = $4)
               OR EXISTS (SELECT FROM payment_order WHERE ref = $3 AND site_id = $4) AS known`,
    values: [reference.card, reference.msisdn, reference.order, site.id],
  });
  const isKnown = rows[0]?.known || (await isInvoice(deps, site.id, reference.document));
  return isKnown ? answerC2bAccepted() : answerC2bRefused('unknown_account');
}

/** Is this the number of an invoice to which the site takes money? */
async function isInvoice({ pool }: MoneyDoorDeps, siteId: bigint, document: string | null) {
  if (document === null) return false;
  return (await loadInvoices(pool, new Set([`${siteId}|${document}`]))).size > 0;
}

/** The end of a prompt that we pushed. Nothing in it is believed that the order does not say. */
async function pushCallback(
  deps: MoneyDoorDeps,
  channel: MoneyChannel,
  knock: Knock,
  token: string,
): Promise<ProviderAnswer> {
  const order = /^[0-9a-f]{32}$/.test(token) ? await orderByToken(deps.pool, token) : null;
  if (!order || order.channelId !== channel.id) {
    return refuse(deps, knock, 'no_order', json(404, OTHER_ERROR, 'No such request'));
  }
  const money = read(deps, knock, 'money.notice');
  const fault = faultOf(order, money);
  if (!money || fault) {
    const reason = fault ?? 'unreadable';
    return refuse(deps, knock, reason, json(400, OTHER_ERROR, FAULTS[reason]));
  }
  if (money.outcome === 'failed') {
    await deps.momo.notPaid(order, money.reason ?? 'unknown');
    return answerReceived();
  }
  const claim = await deps.momo.claimed(order, money, knock.bytes);
  if (claim.kind === 'forged') {
    return refuse(deps, knock, 'not_confirmed', json(400, OTHER_ERROR, 'Not confirmed'));
  }
  if (claim.kind === 'settled' && claim.outcome.kind === 'receipt_differs') {
    await refuse(deps, knock, 'receipt_differs', answerReceived());
  }
  return claim.kind === 'settled' ? answerOutcome(claim.outcome) : answerReceived();
}

type Fault = 'unreadable' | 'request_differs' | 'missing_field' | 'amount_differs';

const FAULTS: Readonly<Record<Fault, string>> = {
  unreadable: 'Not readable',
  request_differs: 'Another request',
  missing_field: 'No receipt',
  amount_differs: 'Another amount',
};

/** What of a callback contradicts the order it claims to answer; null when nothing does. */
function faultOf(order: Order, money: Money | null): Fault | null {
  if (!money || money.requestId === null) return 'unreadable';
  const { checkoutRequestId } = order;
  if (checkoutRequestId !== null && checkoutRequestId !== money.requestId) return 'request_differs';
  if (money.outcome === 'failed') return null;
  if (money.outcome !== 'paid' || money.txnId === null) return 'missing_field';
  const same = money.amountMinor === order.amount.toString() && money.currency === order.asset;
  return same ? null : 'amount_differs';
}
