/** One of everything at a site, and the parameters by which the routes name it. */

import type { Route } from '../../../src/backoffice/api/route.ts';
import { makeApiKey } from '../../../src/backoffice/people/api-keys.ts';
import { askApproval } from '../../../src/backoffice/people/approvals.ts';
import { planResumption } from '../../../src/backoffice/resources/suspension-store.ts';
import type { Office, SiteCode } from './office.ts';

/** By the name of the path's parameter. */
export type Named = Readonly<Record<string, string>>;

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
  const suspended = await office.customer(code);
  await pool.query(
    `INSERT INTO card_suspension (id, card_id, reason, suspended_at, suspended_by)
     VALUES ($1, $2, 'admin', $3, 'staff:1')`,
    [await ids.take(), suspended.cardId, office.now()],
  );
  await planResumption(pool, suspended.cardId, new Date('2030-01-01T00:00:00Z'));
  return {
    subscriberId: String(customer.subscriberId),
    cardId: String(customer.cardId),
    phone: customer.phone,
    paymentId: String(payment?.id),
    approvalId: String(approval.id),
    staffId: String(staff.id),
    sessionId: String(session?.id),
    apiKeyId: String(key.id),
    code: 'not_found',
    site: code,
  };
}

/** The path of a route with its parameters named. */
export const pathOf = ({ path }: Pick<Route, 'path'>, named: Named): string =>
  path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => {
    const value = named[name];
    if (value === undefined) throw new Error(`Nothing to name ${name} of ${path} with`);
    return encodeURIComponent(value);
  });
