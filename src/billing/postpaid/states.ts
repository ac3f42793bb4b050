/** What a contract is on a day: for screens, and for the rights that follow from it. */
import type { Contract } from './rows.ts';
import {
  endedByAct,
  endOf,
  overdueStops,
  pausesOf,
  phaseSpans,
  planSpans,
  type View,
} from './timeline.ts';

export type ContractState = 'pending' | 'active' | 'blocked' | 'cancelled' | 'expired';

/** The state on the day of the view's target. */
export function stateOn(view: View, contract: Contract): ContractState {
  const day = view.target;
  if (day >= endOf(view, contract, 'end_service')) {
    return endedByAct(view, contract) ? 'cancelled' : 'expired';
  }
  if (day < contract.startsOn) return 'pending';
  const stops = [...pausesOf(view, contract), ...overdueStops(view)];
  return stops.some(({ from, to }) => from <= day && day < to) ? 'blocked' : 'active';
}

/** The type of the phase on the day of the view's target; its first or last, outside its life. */
export function phaseOn(view: View, contract: Contract): string | null {
  const day = Math.max(view.target, contract.startsOn);
  const span = planSpans(view, contract).findLast(({ from }) => from <= day);
  if (!span?.plan) return null;
  const phases = phaseSpans(span.plan, span.event.phasesFrom ?? span.from);
  const now = phases.find(({ from, to }) => from <= day && day < to) ?? phases.at(-1);
  return now?.phase.type ?? null;
}
