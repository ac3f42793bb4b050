/** Tells a payer in a text that nothing was paid, and why. */
import type { Pool } from 'pg';
import type { Catalogue } from '../../billing/catalogue/rules.ts';
import type { Clock, Ids } from '../../platform/ports.ts';
import type { MoneyReason } from '../canonical.ts';
import type { Messages } from '../text/messages.ts';
import type { Order } from './orders.ts';

export async function sayPaymentFailed(
  deps: { pool: Pool; ids: Ids; clock: Clock; messages: Messages; catalogue(): Catalogue },
  order: Order,
  reason: MoneyReason,
): Promise<void> {
  const at = deps.clock.now();
  const { rows } = await deps.pool.query(
    `SELECT coalesce(p.language, s.language) AS language
       FROM phone p LEFT JOIN subscriber s ON s.id = p.subscriber_id WHERE p.msisdn = $1`,
    [order.msisdn],
  );
  const site = deps.catalogue().sites.get(order.siteId);
  const draft = deps.messages.messagesFor(
    {
      siteId: order.siteId,
      language: rows[0]?.language ?? site?.language ?? 'en',
      to: { kind: 'text', msisdn: order.msisdn },
      message: { name: 'payment_failed', amount: order.amount, asset: order.asset, reason },
    },
    at,
  );
  if (!draft) return;
  await deps.pool.query(
    `INSERT INTO outbound (id, kind, template, site_id, target, body, state, created_at, not_after,
                           next_at)
     VALUES ($1, $2, $3, $4, $5, $6, 'queued', $7, $8, $7)`,
    [
      await deps.ids.take(),
      draft.kind,
      draft.template,
      order.siteId,
      draft.target,
      draft.body,
      at,
      draft.notAfter,
    ],
  );
}
