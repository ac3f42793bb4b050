/** One of everything at a site, and the parameters by which the routes name it. */

import type { Route } from '../../../src/backoffice/api/route.ts';
import { makeApiKey } from '../../../src/backoffice/people/api-keys.ts';
import { askApproval } from '../../../src/backoffice/people/approvals.ts';
import { planResumption } from '../../../src/backoffice/resources/suspension-store.ts';
import { openOutage } from '../../../src/billing/incidents/outages.ts';
import type { Action } from '../../../src/billing/postpaid/actions.ts';
import { makeBatch, printBatch } from '../../../src/billing/settlement/voucher-batches.ts';
import { voucherHasher } from '../../../src/billing/settlement/voucher-codes.ts';
import { addCampaign } from '../../../src/entitlement/campaigns/campaign-store.ts';
import { content } from '../../../src/entitlement/campaigns/content.ts';
import { addGroup, addTemplate } from '../../../src/entitlement/campaigns/template-store.ts';
import { endRun } from '../../../src/entitlement/reconciliation/run-store.ts';
import { systemRandom } from '../../../src/platform/system.ts';
import type { Office, SiteCode } from './office.ts';

/** By the name of the path's parameter. */
export type Named = Readonly<Record<string, string>>;

/** An account of a subscriber with a contract, an invoice that is partly paid, and credit. */
export async function furnishPostpaid(
  { postpaid, ids, site }: Office,
  code: SiteCode,
  subscriberId: bigint,
): Promise<Named> {
  const { timeZone, currency } = site(code);
  const settings = { billingDay: 1, autoPay: false, autoInvoice: true };
  const accountId = await postpaid.open(subscriberId, { timeZone, currency, ...settings });
  const act = async (action: Action) => {
    const answer = await postpaid.act(accountId, `furnish-${await ids.take()}`, action);
    if (!answer.ok || !answer.value.ok) throw new Error(`Not furnished: ${action.act}`);
    return answer.value;
  };
  const credit = await act({ act: 'grant_credit', amount: 100n });
  const sale = { ref: 'rooms', plan: 'ROOMS', quantity: 30 };
  const { documentId } = await act({ act: 'create_subscription', ...sale });
  const invoiceId = documentId ?? 0n;
  const paid = await act({ act: 'external_payment', invoiceId, amount: 200n });
  const { book } = await postpaid.look(accountId);
  const line = book.rows.lines.find((row) => row.invoiceId === invoiceId);
  return {
    accountId: String(accountId),
    contractId: String(book.rows.contracts[0]?.id),
    invoiceId: String(invoiceId),
    lineId: String(line?.id),
    invoicePaymentId: String(paid.paymentId),
    creditId: String(credit.documentId),
  };
}

/** An approval asked for, staff in a session, and a partner's key. */
async function furnishPeople(office: Office, code: SiteCode): Promise<Named> {
  const { pool, ids } = office;
  const siteId = office.site(code).id;
  const approval = await askApproval(pool, {
    ...{ id: await ids.take(), requestKey: `asked-${code}`, act: 'payment.reversal', siteId },
    permission: 'payment.reverse.approve',
    ...{ subject: 'Reversal', amount: null, reason: 'to be tried' },
    input: {
      ...{ provider: 'mpesa', receipt: 'nobody-paid', channelId: `paybill-${code}` },
      ...{ siteId: String(siteId), asset: office.site(code).currency },
    },
    ...{ askedBy: 'staff:1', now: office.now() },
  });
  const staff = await office.staff(['stock'], [code]);
  const [session] = await office.rows('SELECT id FROM staff_session WHERE staff_id = $1', [
    staff.id,
  ]);
  const { key } = await makeApiKey(pool, {
    ...{ id: await ids.take(), name: `Partner of ${code}`, permissions: ['card.read'] },
    ...{ sites: [siteId], createdAt: office.now(), createdBy: staff.id },
    expiresAt: new Date(office.now().getTime() + 86_400_000),
  });
  return {
    approvalId: String(approval.id),
    staffId: String(staff.id),
    sessionId: String(session?.id),
    apiKeyId: String(key.id),
  };
}

/** A template, and a campaign that was shown to a card. */
async function furnishCampaign(office: Office, code: SiteCode, number: string): Promise<Named> {
  const { pool, ids, campaigns } = office;
  const made = { siteId: office.site(code).id, by: 'staff:1', at: office.now() };
  const texts = { [office.site(code).language]: { subject: null, body: 'Hello {name}' } };
  const name = `Greeting of ${code}`;
  const template = await addTemplate(pool, ids, { ...made, name, texts, isRetired: false });
  await addGroup(pool, ids, { ...made, name: `Group of ${code}`, filter: {} });
  const campaign = await addCampaign(pool, ids, {
    ...{ ...made, name, target: { kind: 'cards', numbers: [number] }, quiet: null },
    content: content.parse({ kind: 'osd', templateId: String(template?.id) }),
    ...{ schedule: { kind: 'once', at: null }, validSeconds: 3_600 },
  });
  await campaigns.start(campaign.id, { key: `greet-${code}`, by: 'staff:1', approvedBy: null });
  await campaigns.feed();
  return { templateId: String(template?.id), campaignId: String(campaign.id) };
}

/** A run that found one difference, of a card of the site, and a foreign command. */
async function furnishReconciliation({ pool, ...office }: Office, code: SiteCode, number: string) {
  const at = office.now();
  const { rows } = await pool.query(
    `INSERT INTO reconciliation_run (cas_id, asked_at, asked_by, heal)
     VALUES ('vip-control', $1, 'staff:1', true) RETURNING id`,
    [at],
  );
  const runId: bigint = rows[0].id;
  await pool.query(
    `INSERT INTO reconciliation_difference (run_id, cas_id, found_at, card, card_id, site_id, class,
            product, wanted, found, since, seconds, amount, currency, is_active, is_healed)
     SELECT $1, cas_id, $2, number, id, site_id, 'A', 'PREM', '[]', '[]', $2, 60, 5, $4, true, true
       FROM card WHERE number = $3`,
    [runId, at, number, office.site(code).currency],
  );
  await pool.query(
    `INSERT INTO reconciliation_foreign (run_id, n, at, op, target_kind, target_id, by, args, code)
     VALUES ($1, 1, $2, 'CONSOLE', 'card', $3, 'console', '{}', 'DONE')`,
    [runId, at, number],
  );
  const log = { lines: 1, foreign: 1, mark: null, error: null };
  const end = { startedAt: at, endedAt: at, error: null, cards: 1, active: new Map(), log };
  await endRun(pool, runId, end);
  return { reconciliationId: String(runId) };
}

/** A subscriber who has paid, suspense, an approval asked for, a suspension, staff, a key. */
export async function furnish(office: Office, code: SiteCode): Promise<Named> {
  const { pool, ids } = office;
  const customer = await office.customer(code);
  const amount = code === 'ABJ' ? 5_000n : 65_000n;
  await office.pay(code, { amount, accountRef: customer.number });
  await office.pay(code, { amount, accountRef: 'nobody' });
  const [payment] = await office.rows(
    `SELECT id FROM inbox WHERE channel_id = $1 AND state = 'settled' ORDER BY id LIMIT 1`,
    [`paybill-${code}`],
  );
  const siteId = office.site(code).id;
  const people = await furnishPeople(office, code);
  const suspended = await office.customer(code);
  await pool.query(
    `INSERT INTO card_suspension (id, card_id, reason, suspended_at, suspended_by)
     VALUES ($1, $2, 'admin', $3, 'staff:1')`,
    [await ids.take(), suspended.cardId, office.now()],
  );
  await planResumption(pool, suspended.cardId, new Date('2030-01-01T00:00:00Z'));
  const [version] = await office.rows('SELECT id FROM catalogue_version LIMIT 1');
  const flagId = await furnishDunning(office, customer.subscriberId, suspended.subscriberId);
  const voucherBatchId = await makeBatch(
    pool,
    ids,
    {
      ...{ name: `Batch of ${code}`, siteId, kind: 'amount', asset: office.site(code).currency },
      ...{ value: 5_000n, days: null, bouquetId: null, size: 2, by: 'staff:1' },
      ...{ expiresAt: new Date('2030-01-01T00:00:00Z'), at: office.now() },
    },
    `batch-${code}`,
  );
  const hashOf = voucherHasher('a key of nobody');
  const printing = { ids, random: systemRandom, hashOf };
  const cards = await printBatch(pool, printing, voucherBatchId ?? 0n);
  const outage = await openOutage(pool, ids, {
    ...{ siteId, product: null, region: 'Hill', reason: 'no power at the transmitter' },
    ...{ from: new Date('2026-11-22T00:00:00Z'), by: 'staff:1', at: office.now() },
  });
  const stb = await furnishDecoder(office, code);
  const workItem = await furnishWorkItem(office, suspended.cardId, stb);
  return {
    ...people,
    ...(await furnishCampaign(office, code, customer.number)),
    ...{ stb, number: customer.number },
    ...(await furnishReconciliation(office, code, customer.number)),
    ...(await furnishPostpaid(office, code, customer.subscriberId)),
    flagId: String(flagId),
    outageId: String(outage.id),
    workItemId: String(workItem?.id),
    serial: String(cards?.[0]?.serial),
    batchId: String(voucherBatchId),
    subscriberId: String(customer.subscriberId),
    cardId: String(customer.cardId),
    phone: customer.phone,
    paymentId: String(payment?.id),
    versionId: String(version?.id),
    code: 'not_found',
    name: 'active',
    site: code,
  };
}

async function furnishDunning(office: Office, flagged: bigint, walled: bigint): Promise<bigint> {
  const { pool, ids } = office;
  const flagId = await ids.take();
  await pool.query(
    `INSERT INTO dunning_flag (id, subscriber_id, kind, reason, from_on, set_by, set_at)
     VALUES ($1, $2, 'do_not_cut', 'hospital', '2026-11-23', 'staff:1', $3)`,
    [flagId, flagged, office.now()],
  );
  await pool.query(
    `INSERT INTO dunning_hold (id, subscriber_id, level, because, from_on, from_at)
     VALUES ($1, $2, 'walled', 'overdue', '2026-11-23', $3)`,
    [await ids.take(), walled, office.now()],
  );
  return flagId;
}

async function furnishDecoder(office: Office, code: SiteCode): Promise<string> {
  const stb = `STB-OF-${code}`;
  await office.pool.query(
    `INSERT INTO decoder (serial, site_id, state) VALUES ($1, $2, 'unlisted')`,
    [stb, office.site(code).id],
  );
  return stb;
}

async function furnishWorkItem(office: Office, cardId: bigint, stb: string) {
  const [row] = await office.rows(
    `INSERT INTO work_item (card_id, cas_id, code, sentence, opened_at)
     VALUES ($1, 'vip-control', 'UNKNOWN_CARD', 'Register it', $2) RETURNING id`,
    [cardId, office.now()],
  );
  // Work about a decoder is listed with it.
  await office.pool.query(
    `WITH refused AS (
       INSERT INTO cas_command (cas_id, cmd_id, op, target_kind, target, args, subjects, prio,
                                actor, reason, created_at, not_after, state, code, done_at)
       VALUES ('vip-control', 'cmd.' || $1::text, 'BLACKLIST', 'stb', $1::text, '{}',
               ARRAY['stb:' || $1::text], 'SALE', 'staff:1', 'stolen', $2::timestamptz,
               $2::timestamptz + interval '1 hour', 'rejected', 'UNKNOWN_STB', $2::timestamptz)
       RETURNING id, cas_id, code)
     INSERT INTO work_item (command_id, cas_id, code, sentence, opened_at)
     SELECT id, cas_id, code, 'Register it', $2::timestamptz FROM refused`,
    [stb, office.now()],
  );
  return row;
}

/** The path of a route with its parameters named. */
export const pathOf = ({ path }: Pick<Route, 'path'>, named: Named): string =>
  path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const value = named[name];
    if (value === undefined) throw new Error(`Nothing to name ${name} of ${path} with`);
    return encodeURIComponent(value);
  });
