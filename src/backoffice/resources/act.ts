/** How a handler has settlement do something, alone or with a second person. */
import { z } from 'zod';
import type { Site } from '../../billing/catalogue/rules.ts';
import type { Command, CommandBase, Outcome } from '../../billing/settlement/commands.ts';
import type { PreviewOutcome } from '../../billing/settlement/preview.ts';
import type { Settlement } from '../../billing/settlement/service.ts';
import type { Clock } from '../../platform/ports.ts';
import { type Problem, problem } from '../api/problems.ts';
import { type Answer, accepted, type Call, created } from '../api/route.ts';
import { type Act, askApproval } from '../people/approvals.ts';
import type { Permission } from '../people/permissions.ts';
import { approvalView } from './approval-view.ts';
import { type Desk, tillOf } from './desk.ts';
import { actOutcome, refusal } from './money.ts';

/** What is asked of settlement; under which key and for which site is said beside it. */
type Said<C> = C extends Command ? Omit<C, keyof CommandBase> : never;
export type Wish = Said<Command>;

type AnyCall = Pick<Call<unknown, unknown, unknown>, 'receipt' | 'now' | 'principal'>;

/** Has it done at once, under the receipt of the call; by default over the site's till. */
export const settleNow = (
  { settlement }: Pick<Desk, 'settlement'>,
  { receipt, now: at, principal }: AnyCall,
  site: Pick<Site, 'id' | 'code'>,
  wish: Wish,
): Promise<Outcome> => settlement.settle(commandOf({ receipt, now: at, principal }, site, wish));

const commandOf = (
  { receipt, now: at, principal }: AnyCall,
  site: Pick<Site, 'id' | 'code'>,
  wish: Wish,
): Command =>
  ({
    ...wish,
    ...{ provider: 'backoffice', receipt, channelId: tillOf(site), siteId: site.id, at },
    raw: Buffer.from(principal.key),
  }) as Command;

/** What the same wish would do now; nothing is kept of it. */
export const previewNow = (
  { settlement }: Pick<Desk, 'settlement'>,
  call: AnyCall,
  site: Pick<Site, 'id' | 'code'>,
  wish: Wish,
): Promise<PreviewOutcome> => settlement.preview(commandOf(call, site, wish));

/** What every act that may wait for a second person is done with, beside what is its own. */
export const placeOfAct = {
  channelId: z.string(),
  siteId: z.string().transform(BigInt),
  /** What its answer counts credit in. */
  asset: z.string(),
};
export type PlaceOfAct = z.output<z.ZodObject<typeof placeOfAct>>;

/** The place of an act at a site, as plain JSON. */
export const placeAt = (site: Site): z.input<z.ZodObject<typeof placeOfAct>> => ({
  channelId: tillOf(site),
  siteId: site.id.toString(),
  asset: site.currency,
});

export interface ActDeps {
  settlement: Settlement;
  clock: Clock;
}

/** An act of one command: done through settlement, once for ever for each key. */
export const moneyAct = <S extends z.ZodType<PlaceOfAct>>(
  { settlement, clock }: ActDeps,
  permission: Permission,
  input: S,
  wishOf: (read: z.output<S>) => Wish,
): Act => ({
  permission,
  async execute(given, key) {
    const read = input.parse(given);
    const { channelId, siteId, asset } = read;
    const outcome = await settlement.settle({
      ...wishOf(read),
      ...{ provider: 'backoffice', receipt: key, channelId, siteId },
      ...{ at: clock.now(), raw: Buffer.from(key) },
    } as Command);
    return actOutcome(outcome, asset);
  },
});

export interface AskedAct {
  act: string;
  input: unknown;
  /** Null: it is of all sites. */
  siteId: bigint | null;
  subject: string;
  reason: string;
  amount: { minor: bigint; asset: string } | null;
  needsSecond: boolean;
}

/** Does the act, or asks for the second person it needs. */
export async function doOrAsk(
  desk: Desk,
  call: AnyCall & Pick<Call<unknown, unknown, unknown>, 'db'>,
  { needsSecond, ...asked }: AskedAct,
): Promise<Answer | Problem> {
  const { receipt, principal } = call;
  const act = desk.acts[asked.act];
  if (!act) throw new Error(`No act ${asked.act}`);
  if (needsSecond) {
    const { permission } = act;
    // Whoever decides does so by the house's time, whatever time the act is done by.
    const now = desk.clock.now();
    const made = await askApproval(call.db, {
      ...{ ...asked, id: await desk.ids.take(), requestKey: receipt, permission },
      ...{ askedBy: principal.key, now },
    });
    return accepted(approvalView(desk, now)(made), `/approvals/${made.id}`);
  }
  const outcome = await act.execute(asked.input, receipt);
  if (outcome.kind === 'refused') return refusal(outcome.code);
  if (outcome.kind === 'done') return created(outcome.result);
  return problem('unavailable', { headers: { 'Retry-After': '1' } });
}
