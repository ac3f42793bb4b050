/** The act of taking a payment back, as one person does it below the limit and two above. */
import { z } from 'zod';
import type { Act } from '../people/approvals.ts';
import { type ActDeps, moneyAct, placeOfAct } from './act.ts';
import type { PaymentRecord } from './payment-store.ts';

export const REVERSAL = 'payment.reversal';

const reversal = z.strictObject({ ...placeOfAct, provider: z.string(), receipt: z.string() });

/** What the act is done with, as plain JSON. */
export const reversalInput = (found: PaymentRecord, siteId: bigint): z.input<typeof reversal> => ({
  provider: found.provider,
  receipt: found.receipt,
  channelId: found.channelId,
  siteId: siteId.toString(),
  asset: found.amount?.asset ?? '',
});

/** Done through settlement, once for ever for each key. */
export const createReversal = (deps: ActDeps): Act =>
  moneyAct(deps, 'payment.reverse.approve', reversal, ({ provider, receipt }) => ({
    kind: 'reverse_payment',
    original: { provider, receipt },
  }));
