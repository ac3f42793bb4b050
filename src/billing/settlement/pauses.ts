/** Pauses: the subscriber stops the clock for some days, within what the site grants a year. */
import { addDays, localDate, midnight } from '../../platform/calendar.ts';
import { rulesOf } from '../catalogue/rules.ts';
import type { CardAct, Pause } from './commands.ts';
import { type Decision, refused, settled } from './decision.ts';
import { endPauseNow } from './givebacks.ts';
import { runningAt } from './lines.ts';
import { saleRefusal } from './purchases.ts';
import { raiseRights, rebuild } from './rights-of-card.ts';
import type { Workspace } from './workspace.ts';

/** Stops the running term now; it goes on by itself at the midnight of today + days. */
export function decidePause(w: Workspace, command: Pause): Decision {
  const { at, days } = command;
  const card = w.card(command.cardId);
  const subscription = card?.subscription;
  const refusal = saleRefusal(card);
  if (!card || !subscription || refusal) return refused(w, refusal ?? 'unknown_card');
  if (!runningAt(w.lines(subscription.id), at)) return refused(w, 'not_running');
  const site = w.site(card.siteId);
  const today = localDate(at, site.timeZone);
  const before = subscription.pausedDays;
  const used = before?.year === today.year ? before.days : 0;
  if (days + used > rulesOf(site).pause.daysPerYear) return refused(w, 'pause_limit');
  const pause = { from: at, until: midnight(addDays(today, days), site.timeZone) };
  rebuild(w, card.id, { ...subscription, pause });
  raiseRights(w, card.id, at);
  return settled(w, { paidUntil: null, credit: null, units: null });
}

/** The subscriber comes back before the pause is over. */
export function decideResume(w: Workspace, command: CardAct): Decision {
  const subscription = w.card(command.cardId)?.subscription;
  if (!subscription) return refused(w, 'unknown_card');
  if (!subscription.pause) return refused(w, 'not_paused');
  return goOn(w, command, command.at);
}

/** The days of a pause are over: it has ended then, also when that is noticed later. */
export function decidePauseDue(w: Workspace, command: CardAct): Decision {
  const pause = w.card(command.cardId)?.subscription?.pause;
  if (!pause || pause.until.getTime() > command.at.getTime()) return refused(w, 'not_paused');
  return goOn(w, command, pause.until);
}

function goOn(w: Workspace, command: CardAct, at: Date): Decision {
  endPauseNow(w, command.cardId, at);
  raiseRights(w, command.cardId, command.at);
  const paidUntil = w.card(command.cardId)?.subscription?.paidUntil ?? null;
  return settled(w, { paidUntil, credit: null, units: null });
}
