/** How far a newcomer has come: dial, pay, watch. */
import type { Prompt, RoadStep, TvView } from '../api.ts';
import { ridesOf } from './road/road.ts';

export type Stage = 'dial' | 'pay' | 'watch' | 'done';

/** Shown where a card has not paid, or its time is over. */
const NOT_PAID = 'V03';

/** The next thing to do, from what the newest payment shows; an open prompt comes before all. */
export function nextStage(
  road: readonly RoadStep[],
  prompt: Prompt | null,
  tv: TvView | null,
): Stage {
  if (prompt !== null) return 'pay';
  const ride = ridesOf(road).find(({ paid }) => paid);
  if (ride === undefined) return 'dial';
  const has = (name: RoadStep['step']) => ride.stages.some(({ step }) => step.step === name);
  const screen = tv?.screen;
  if (screen?.kind === 'blocked' && screen.code === NOT_PAID && has('picture')) return 'dial';
  // A card that was in date has no picture that comes back: it never went.
  if (has('picture') || (has('on_air') && screen?.kind === 'picture')) return 'done';
  return has('settled') || isAccepted(ride.stages) ? 'watch' : 'dial';
}

function isAccepted(stages: readonly { step: RoadStep }[]): boolean {
  return stages.some(({ step }) => step.step === 'answered' && step.detail !== 'cancel');
}
