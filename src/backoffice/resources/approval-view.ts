/** An approval as it is answered. */
import { z } from 'zod';
import { idText, instant, money, moneyOf, siteCode } from '../api/fields.ts';
import type { Approval } from '../people/approvals.ts';
import { codeOf, type Desk } from './desk.ts';

export const approval = z
  .strictObject({
    id: idText,
    act: z.string(),
    /** Null: of all sites. */
    site: siteCode.nullable(),
    subject: z.string(),
    amount: money.nullable(),
    reason: z.string(),
    state: z.enum(['asked', 'approved', 'done', 'failed', 'refused', 'expired']),
    askedBy: z.string(),
    askedAt: instant,
    expiresAt: instant,
    decidedBy: z.string().nullable(),
    decidedAt: instant.nullable(),
    decision: z.string().nullable(),
    /** Why the act was refused by billing, when it was. */
    code: z.string().nullable(),
    doneAt: instant.nullable(),
  })
  .meta({ id: 'Approval' });

/** `expired`: nobody decided in time. */
export const approvalView = (desk: Pick<Desk, 'catalogue'>, now: Date) => (a: Approval) => ({
  id: a.id.toString(),
  act: a.act,
  site: a.siteId === null ? null : codeOf(desk, a.siteId),
  subject: a.subject,
  amount: a.amount && moneyOf(a.amount.minor, a.amount.asset),
  reason: a.reason,
  state: a.state === 'asked' && a.expiresAt.getTime() <= now.getTime() ? 'expired' : a.state,
  askedBy: a.askedBy,
  askedAt: a.askedAt.toISOString(),
  expiresAt: a.expiresAt.toISOString(),
  decidedBy: a.decidedBy,
  decidedAt: a.decidedAt?.toISOString() ?? null,
  decision: a.decision,
  code: (a.outcome as { code?: string } | null)?.code ?? null,
  doneAt: a.doneAt?.toISOString() ?? null,
});
