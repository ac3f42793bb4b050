/**
 * Orders the steps of the road into rides: one payment, or one sending of rights, from its first
 * step to the picture.
 */
import type { RoadStep, RoadStepName } from '../../api.ts';

/** The order on the road, for steps of one instant: they are told from several sides. */
const ORDER: readonly RoadStepName[] = [
  'dialled',
  'prompted',
  'answered',
  'notice',
  'settled',
  'sent',
  'accepted',
  'on_air',
  'received',
  'picture',
  'text',
];

export interface Stage {
  step: RoadStep;
  /** Milliseconds since the step before; 0 for the first. */
  sinceBeforeMs: number;
  /** Milliseconds since the first step of the ride. */
  sinceFirstMs: number;
}

export interface Ride {
  /** Id of its first step. */
  id: number;
  at: string;
  card: string | null;
  /** Whether money moved, or only rights. */
  paid: boolean;
  stages: Stage[];
}

/** The rides, newest first, each with its steps in the order of time. */
export function ridesOf(steps: readonly RoadStep[]): Ride[] {
  const rides: RoadStep[][] = [];
  for (const step of steps.toSorted((a, b) => a.id - b.id)) {
    const current = rides.at(-1);
    if (current === undefined || beginsRide(current, step)) {
      // A dialling that led nowhere is forgotten with the next step of another ride.
      if (current?.every((one) => one.step === 'dialled')) rides.pop();
      rides.push([step]);
    } else {
      current.push(step);
    }
  }
  return rides.map(rideOf).toReversed();
}

function beginsRide(current: readonly RoadStep[], { step, detail }: RoadStep): boolean {
  const has = (name: RoadStep['step']) => current.some((one) => one.step === name);
  switch (step) {
    case 'dialled':
      return true;
    case 'prompted':
      return has('prompted') || has('settled') || isUnpaid(current);
    case 'notice':
      // The same receipt again is a repeat, and belongs to its payment.
      return has('notice')
        ? !current.some((one) => one.step === 'notice' && one.detail === detail)
        : isUnpaid(current);
    case 'settled':
      return has('picture') && !has('notice');
    case 'sent':
      return has('picture');
    default:
      return false;
  }
}

/** Rights that were sent for another reason: what is paid afterwards is another ride. */
function isUnpaid(ride: readonly RoadStep[]): boolean {
  return ride[0]?.step === 'sent';
}

function rideOf(told: readonly RoadStep[]): Ride {
  const steps = told.toSorted(byTime);
  const first = steps[0];
  if (first === undefined) throw new Error('a ride has at least one step');
  const stages = steps.map((step, i) => ({
    step,
    sinceBeforeMs: Math.max(0, Date.parse(step.at) - Date.parse((steps[i - 1] ?? step).at)),
    sinceFirstMs: Math.max(0, Date.parse(step.at) - Date.parse(first.at)),
  }));
  return {
    id: Math.min(...told.map(({ id }) => id)),
    at: first.at,
    card: steps.find(({ card }) => card !== undefined)?.card ?? null,
    paid: steps.some(({ step }) => step === 'settled' || step === 'notice' || step === 'prompted'),
    stages,
  };
}

function byTime(a: RoadStep, b: RoadStep): number {
  return Date.parse(a.at) - Date.parse(b.at) || ORDER.indexOf(a.step) - ORDER.indexOf(b.step);
}
