/** What a provider of outgoing texts is. `conformance.ts` lists what each of them must do. */

export interface TextMessage {
  /** E.164, with the plus. */
  to: string;
  /** At most 160 septets of GSM-7: one part. */
  body: string;
}

/**
 * `retry`: certainly not taken, may go well later. `permanent`: will never be taken like this.
 * `unknown`: nobody can say whether it was taken; see `attempts.ts` for what follows.
 */
export type NotSentKind = 'retry' | 'permanent' | 'unknown';

export type TextResult =
  /** Taken; `providerId` is the name under which its delivery is reported, null without one. */
  | { ok: true; providerId: string | null }
  /** `code` is a word for staff and statistics. */
  | { ok: false; kind: NotSentKind; code: string };

export interface TextProvider {
  /** Lower case, as in the configuration. */
  name: string;
  /** Hands one text over. Answers within bounded time, tries once and never throws. */
  send(message: TextMessage): Promise<TextResult>;
}
