/**
 * Customers with telephones who turn TV units into credit while things break. Nobody repeats a
 * cut USSD session for them: what is known afterwards is how often they confirmed and how often
 * they were told that it was done, and the books must lie between the two.
 */
import { createTelephone, type UssdChannel } from '../simulators/telephone/telephone.ts';
import type { Random } from '../src/platform/ports.ts';
import { systemClock } from '../src/platform/system.ts';
import { sleep } from '../src/platform/timers.ts';
import type { Demo } from './house.ts';
import type { Dialling } from './plan.ts';

export interface Conversions {
  /** The customer pressed "yes". */
  confirmed: number;
  /** The customer read that it was done. */
  told: number;
}

export interface Dialler {
  /** By card. */
  readonly conversions: ReadonlyMap<string, Conversions>;
  /** Dials all at their times; fulfilled when the last session has ended. */
  play(diallings: readonly Dialling[]): Promise<void>;
}

const ANSWER_MS_MAX = 5_000;
/** Menu: TV units, turn into credit; see `src/telecom/ussd/menus/main.ts` and `tvu.ts`. */
const PATH = '4*2';
const YES = '1';
/** The English screens `tvu.convert` and `end.converted`. */
const ASKED = /^Convert TV units:/;
const DONE = /^Done: /;

/** A dialler over the demo's USSD channel in Kenya. */
export function createDialler(demo: () => Demo, random: Random): Dialler {
  const conversions = new Map<string, Conversions>();
  const dial = async (channel: UssdChannel, { customer, units }: Dialling): Promise<void> => {
    const { msisdn, card } = customer;
    const telephone = createTelephone({
      channel,
      msisdn,
      clock: systemClock,
      random,
      answerTimeoutMs: ANSWER_MS_MAX,
    });
    const code = channel.serviceCode.replace('#', `*${PATH}*${units}#`);
    const question = await telephone.dial(code);
    const isAsked = question.ok && !question.ended && ASKED.test(question.screen);
    if (!isAsked) {
      await telephone.abort();
      return;
    }
    const known = conversions.get(card) ?? { confirmed: 0, told: 0 };
    known.confirmed += 1;
    conversions.set(card, known);
    const end = await telephone.send(YES);
    if (end.ok && end.ended && DONE.test(end.screen)) known.told += 1;
  };
  return {
    conversions,
    async play(diallings) {
      const channel = demo().ussd.find(({ country }) => country === 'KE');
      if (!channel) throw new Error('no USSD channel in Kenya');
      const startMs = performance.now();
      const sessions: Promise<void>[] = [];
      for (const dialling of diallings) {
        await sleep(Math.max(0, startMs + dialling.atMs - performance.now()));
        sessions.push(dial(channel, dialling).catch(() => undefined));
      }
      await Promise.all(sessions);
    },
  };
}
