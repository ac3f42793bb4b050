/** Time that nobody pays for: trials, and free days after an incident. */
import { addMonths, type LocalDate, localDate } from '../../platform/calendar.ts';
import { rulesOf } from '../catalogue/rules.ts';
import type { CardAct, Command, Incident } from './commands.ts';
import { type Decision, refused, settled } from './decision.ts';
import type { CardFacts, LineKind } from './facts.ts';
import { isFree, runningAt } from './lines.ts';
import { addTerm, bouquetById, FREE, isCarried, planRefusal } from './purchases.ts';
import { raiseRights } from './rights-of-card.ts';
import type { Workspace } from './workspace.ts';

/** Adds free days behind what the card has, of the plan it has. */
export function giveDays(
  w: Workspace,
  command: Command,
  card: CardFacts,
  given: { kind: LineKind; days: number; reference?: string; bouquetId?: bigint },
): Date {
  const bouquetId = given.bouquetId ?? card.subscription?.bouquetId ?? 0n;
  const length = { kind: 'days', days: given.days } as const;
  const reference = given.reference === undefined ? {} : { reference: given.reference };
  const draft = { ...FREE, ...reference, bouquetId, length, kind: given.kind };
  const { paidUntil } = addTerm(w, { command, cardId: card.id }, draft);
  raiseRights(w, card.id, command.at);
  return paidUntil;
}

/** A trial: once in a while for each decoder and each person. */
export function decideTrial(w: Workspace, command: CardAct): Decision {
  const card = w.card(command.cardId);
  const subscription = card?.subscription;
  const refusal = planRefusal(w, card);
  if (!card || !subscription || refusal) return refused(w, refusal ?? 'unknown_card');
  const site = w.site(card.siteId);
  const { days, onceInMonths } = rulesOf(site).trial;
  const on = localDate(command.at, site.timeZone);
  const decoder = subscription.decoder ?? card.number;
  const person = subscription.person ?? null;
  const before = [...w.rare.trials, ...w.writes.rare.trials].filter(
    (trial) => trial.decoder === decoder || (person !== null && trial.person === person),
  );
  const isUsed = before.some(
    (trial) => compare(on, addMonths(trial.on, onceInMonths, trial.on.day)) < 0,
  );
  if (isUsed) return refused(w, 'trial_used');
  w.writes.rare.trials.push({ decoder, person, on, subscriptionId: subscription.id });
  const paidUntil = giveDays(w, command, card, { kind: 'trial', days });
  return settled(w, { paidUntil, credit: null, units: null });
}

const compare = (a: LocalDate, b: LocalDate): number =>
  a.year - b.year || a.month - b.month || a.day - b.day;

/** Free days at the end of every listed card whose running term is paid. No money moves. */
export function decideIncident(w: Workspace, command: Incident): Decision {
  for (const cardId of new Set(command.cardIds)) {
    const card = w.card(cardId);
    const subscription = card?.subscription;
    if (!card || !subscription || subscription.pause) continue;
    const lines = w.lines(subscription.id);
    const running = runningAt(lines, command.at);
    const { incident: reference, days } = command;
    const isKnown = lines.some((line) => line.kind === 'incident' && line.reference === reference);
    if (!running || isFree(running) || isKnown) continue;
    // Nobody is given days of what their card cannot show.
    if (!isCarried(w, card, bouquetById(w, subscription.bouquetId).products)) continue;
    giveDays(w, command, card, { kind: 'incident', days, reference });
  }
  return settled(w, { paidUntil: null, credit: null, units: null });
}
