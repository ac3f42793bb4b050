/** Asks a system about single cards, some at once. */
import type { CasDriver } from '../cas/driver.ts';
import type { CardRecord } from '../vip-control/queries.ts';

/** A system did not answer a question; its message is the code. */
export class Unanswered extends Error {}

const ASKED_AT_ONCE = 16;

/** Cards as the system holds them now, by number; null: it never heard of it. */
export async function askCards(
  driver: Pick<CasDriver, 'ask'>,
  numbers: readonly string[],
): Promise<Map<string, CardRecord | null>> {
  const answers = new Map<string, CardRecord | null>();
  const waiting = numbers.values();
  const lane = async () => {
    for (const card of waiting) {
      const answer = await driver.ask({ op: 'QUERY_CARD', args: { card } });
      if (answer.op === 'REFUSED') throw new Unanswered(answer.code);
      answers.set(card, answer.card);
    }
  };
  await Promise.all(Array.from({ length: Math.min(ASKED_AT_ONCE, numbers.length) }, lane));
  return answers;
}
