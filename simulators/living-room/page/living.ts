/** What the page knows of the house, brought up to date by each event of the server. */
import type { LivingEvent } from '../api.ts';

/** Older steps of the road are forgotten. */
const ROAD_STEPS_MAX = 200;

/** What the server tells of the house, and what the browser knows of the server. */
export interface Living extends Omit<Extract<LivingEvent, { type: 'all' }>, 'type' | 'now'> {
  connection: 'connecting' | 'live' | 'again';
  /** Time of the house minus time of this browser, in milliseconds. */
  aheadMs: number;
}

/** Before the server has said anything. */
export const nothingYet: Living = {
  connection: 'connecting',
  aheadMs: 0,
  tv: null,
  texts: [],
  prompt: null,
  switches: { vipControl: true, operator: 'normal' },
  road: [],
  dark: [],
  timeToPicture: null,
};

export type LivingChange =
  | { type: 'event'; event: LivingEvent; browserMs: number }
  | { type: 'lost' }
  /** Another person or another card. */
  | { type: 'moved' };

/** The state after a change. */
export function afterChange(living: Living, change: LivingChange): Living {
  if (change.type === 'moved') return { ...nothingYet, aheadMs: living.aheadMs };
  if (change.type === 'lost') return { ...living, connection: 'again' };
  return afterEvent(living, change.event, change.browserMs);
}

function afterEvent(living: Living, event: LivingEvent, browserMs: number): Living {
  switch (event.type) {
    case 'all': {
      const { type: _, now, ...all } = event;
      return { ...all, connection: 'live', aheadMs: Date.parse(now) - browserMs };
    }
    case 'clock':
      return { ...living, aheadMs: Date.parse(event.now) - browserMs };
    case 'road': {
      const road = [...living.road, event.step].slice(-ROAD_STEPS_MAX);
      return { ...living, road, timeToPicture: event.timeToPicture };
    }
    case 'tv':
      return { ...living, tv: event.tv };
    case 'texts':
      return { ...living, texts: event.texts };
    case 'prompt':
      return { ...living, prompt: event.prompt };
    case 'switches':
      return { ...living, switches: event.switches };
    case 'dark':
      return { ...living, dark: event.dark };
  }
}
