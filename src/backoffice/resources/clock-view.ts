/** What happened while a test clock was moved on, as it is answered. */
import { z } from 'zod';
import type { Site } from '../../billing/catalogue/rules.ts';
import type { Advance, DoneAct } from '../../billing/test-clocks/service.ts';
import { formatDay } from '../../platform/day.ts';
import { idText, instant, money, moneyOf } from '../api/fields.ts';

const act = z
  .strictObject({
    at: instant,
    kind: z.string(),
    subscriber: idText.nullable(),
    card: idText.nullable(),
    outcome: z.string().meta({ description: '`settled`, `refused`, or why nothing is known.' }),
    code: z.string().nullable(),
    paidUntil: instant.nullable(),
    credit: money.nullable(),
  })
  .meta({ id: 'ClockAct' });

const invoice = z
  .strictObject({
    issuedOn: z.iso.date(),
    number: z.string().nullable(),
    account: idText,
    amount: money,
  })
  .meta({ id: 'ClockInvoice' });

const message = z
  .strictObject({
    at: instant,
    kind: z.enum(['text', 'osd']),
    template: z.string(),
    to: z.string(),
    body: z.string(),
  })
  .meta({ id: 'ClockMessage' });

/** The answer to a move; `isThere` false: so much happened that the rest is to be asked for. */
export const advanceBody = (clock: z.ZodType) =>
  z.strictObject({
    clock,
    isThere: z.boolean(),
    acts: z.array(act),
    invoices: z.array(invoice),
    messages: z.array(message),
  });

/** What happened, in the order of time. */
export const advanceView = (
  { acts, invoices, messages }: Advance,
  site: Pick<Site, 'currency'> | undefined,
) => ({
  acts: acts.map((done) => actView(done, site?.currency ?? '')),
  invoices: invoices.map(({ issuedOn, number, accountId, amount, currency }) => ({
    issuedOn: formatDay(issuedOn),
    number,
    account: accountId.toString(),
    amount: moneyOf(amount, currency),
  })),
  messages: messages.map(({ at, kind, template, target, body }) => {
    return { at: at.toISOString(), kind, template, to: target, body };
  }),
});

function actView({ at, kind, subscriberId, cardId, outcome }: DoneAct, currency: string) {
  const settled = outcome.kind === 'done' ? outcome.settled : null;
  const credit = settled?.credit ?? null;
  return {
    at: at.toISOString(),
    kind,
    subscriber: subscriberId?.toString() ?? null,
    card: cardId?.toString() ?? null,
    outcome: settled?.state ?? outcome.kind,
    code: settled?.code ?? null,
    paidUntil: settled?.paidUntil ?? null,
    credit: credit === null ? null : moneyOf(BigInt(credit), currency),
  };
}
