/** One subscriber looked at: what is to be done, said and taken away. No I/O. */
import { atWallTime, midnight } from '../../platform/calendar.ts';
import { type Day, partsOf } from '../../platform/day.ts';
import type { DunningPolicy } from '../catalogue/dunning-policy.ts';
import type { Site } from '../catalogue/rules.ts';
import type { OutboundDraft } from '../settlement/commands.ts';
import { type HoldCall, holdChange } from './holds.ts';
import {
  type Dunning,
  type DunningAction,
  dunningOf,
  type Level,
  mayAct,
  type Owing,
  type StepKey,
} from './rules.ts';
import type { DunningMessage, DunningMessagesFor } from './sayings.ts';
import type { Debtor } from './store.ts';

export interface Case {
  debtor: Debtor;
  site: Site;
  policy: DunningPolicy;
  owing: Owing;
  taken: readonly StepKey[];
  today: Day;
}

export interface CaseDecision {
  dunning: Dunning;
  /** Null: what the subscriber has stays as it is. */
  change: { level: Level; call: HoldCall } | null;
  actions: readonly { action: DunningAction; says: readonly OutboundDraft[] }[];
}

const HOUR_MS = 3_600_000;

/** Decides at `now`; at night and on days of rest nothing is said and things only get better. */
export function decideCase(one: Case, now: Date, messagesFor: DunningMessagesFor): CaseDecision {
  const { debtor, site, policy, owing, taken, today } = one;
  const dunning = dunningOf({ today, owing, policy, flags: debtor.flags, taken });
  const isOpenHour = mayAct(policy, now, site.timeZone);
  return {
    dunning,
    change: holdChange(debtor.hold?.level ?? 'open', dunning, isOpenHour),
    actions: isOpenHour
      ? dunning.due.map((action) => ({
          action,
          says: wordedStep(one, dunning, action, messagesFor),
        }))
      : [],
  };
}

function wordedStep(
  one: Case,
  { owed, cycle }: Dunning,
  action: DunningAction,
  messagesFor: DunningMessagesFor,
): OutboundDraft[] {
  const { debtor, site, owing, policy, today } = one;
  const { does, isSkipped, say } = action;
  const message: DunningMessage = {
    ...{ name: 'dunning', does, isSkipped, kind: owing.kind, amount: owed, asset: site.currency },
    since: startOf(cycle ?? today, site),
    dueOn: startOf(action.on, site),
    notAfter: quietFrom(policy, today, site),
  };
  const drafts: (OutboundDraft | null)[] = [];
  const saying = { siteId: site.id, message };
  // STOP ends reminders; what is done to somebody is said to them all the same.
  if (say.includes('text') && debtor.phone && !(does === 'remind' && debtor.phone.isStopped)) {
    const { msisdn, language } = debtor.phone;
    drafts.push(messagesFor({ ...saying, language, to: { kind: 'text', msisdn } }));
  }
  if (say.includes('osd')) {
    for (const cardNumber of debtor.cards) {
      const to = { kind: 'osd', cardNumber } as const;
      drafts.push(messagesFor({ ...saying, language: debtor.language, to }));
    }
  }
  return drafts.filter((draft) => draft !== null);
}

/** The first instant of a day at the site. */
export const startOf = (day: Day, { timeZone }: Pick<Site, 'timeZone'>): Date =>
  midnight(partsOf(day), timeZone);

/** When the hours of the day are over. */
export function quietFrom(
  { hours }: Pick<DunningPolicy, 'hours'>,
  today: Day,
  site: Pick<Site, 'timeZone'>,
): Date {
  return hours.until === 24
    ? startOf(today + 1, site)
    : atWallTime(partsOf(today), hours.until * HOUR_MS, site.timeZone);
}
