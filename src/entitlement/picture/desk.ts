/** What is asked about a picture that is not there, by dialogue, texts and staff. */

/** Reasons for which staff have a card show nothing though it may be paid. */
export const STAFF_REASONS = ['admin', 'fraud', 'dispute', 'vacation', 'incident'] as const;
/** The same of dunning: a bill is unpaid, or its subscriber is blocked for a time. */
export const DUNNING_REASONS = ['unpaid', 'blocked'] as const;
export const SUSPENSION_REASONS = [...STAFF_REASONS, ...DUNNING_REASONS] as const;
export type SuspensionReason = (typeof SUSPENSION_REASONS)[number];

export type Source = 'ussd' | 'text' | 'staff';

/** What our facts say about a card; the first that holds. */
export type Diagnosis =
  | { kind: 'suspended'; reason: SuspensionReason; since: Date }
  /** Nothing paid is in date; `paidUntil`: when the last of it ended, null if nothing ever did. */
  | { kind: 'not_paid'; paidUntil: Date | null }
  /**
   * Paid, and the head-end has not said yet that it is on air; `since`: for so long. `paidUntil` is
   * that of the subscription, or else of the event that is running.
   */
  | { kind: 'on_its_way'; paidUntil: Date; since: Date }
  /** On air since then; `refreshedAt`: when it was last broadcast afresh because somebody asked. */
  | { kind: 'on_air'; paidUntil: Date; since: Date; refreshedAt: Date | null };

export type RefreshAnswer =
  | { kind: 'asked'; at: Date }
  /** Somebody asked less than a minute ago, or what was asked is not sent yet; that one counts. */
  | { kind: 'already'; at: Date }
  /** Too often: 3 an hour, 10 a day; not before `again`. */
  | { kind: 'limited'; again: Date }
  /** Nothing to broadcast: the rights are still on their way, have ended, or are suspended. */
  | { kind: 'not_on_air' };

export interface Asking {
  cardId: bigint;
  source: Source;
  /** The phone that asks; null for staff. */
  msisdn: string | null;
}

export interface PictureDesk {
  /** Null for a card that does not exist. */
  diagnose(cardId: bigint): Promise<Diagnosis | null>;
  /** Has what the card may show broadcast afresh, within its limits. */
  refresh(asking: Asking): Promise<RefreshAnswer>;
  /**
   * Keeps what the viewer says; answers how often "black" was said in the last day, and after the
   * last "back".
   */
  report(
    asking: Asking & { answer: 'back' | 'black'; key: string },
  ): Promise<{ blackReports: number }>;
}
