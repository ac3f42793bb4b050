/** What dunning has to say, before it has words: as settlement's sayings, with its own messages. */

import type { StepAct } from '../catalogue/dunning-policy.ts';
import type { OutboundDraft, Saying } from '../settlement/commands.ts';

export type DunningMessage =
  | {
      name: 'dunning';
      does: StepAct;
      /** Prepaid time that ended is not owed: it is what going on costs. */
      kind: 'postpaid' | 'prepaid';
      /** Said after its day, because a harder step holds already. */
      isSkipped: boolean;
      amount: bigint;
      asset: string;
      /** The local midnight of the day from which it counts. */
      since: Date;
      /** The same of the day on which the step was due. */
      dueOn: Date;
      notAfter: Date;
    }
  /** `by`: the end of the last day of the promise. */
  | { name: 'promise_noted'; amount: bigint; asset: string; by: Date; notAfter: Date };

export type DunningSaying = Omit<Saying, 'message'> & { message: DunningMessage };

/** Null: nothing is said in that way for such a message. Throws for a site that is not known. */
export type DunningMessagesFor = (saying: DunningSaying) => OutboundDraft | null;

/**
 * Whether an on-screen message covers the picture and cannot be dismissed; the head-end is to be
 * told so with it.
 */
export const isForced = (template: string): boolean => template.startsWith('osd.dunning.wall');
