/** What else a customer holds in the hand: the mobile-money prompt and the texts. */

import { z } from 'zod';

const CALL_TIMEOUT_MS = 20_000;

const promptList = z.object({
  prompts: z.array(
    z.object({
      checkoutRequestId: z.string(),
      amountMinor: z.string(),
      accountReference: z.string(),
      payee: z.string(),
    }),
  ),
});
const textList = z.object({
  texts: z.array(z.object({ id: z.string(), at: z.string(), from: z.string(), text: z.string() })),
});

export type OpenPrompt = z.infer<typeof promptList>['prompts'][number];
export type ReceivedText = z.infer<typeof textList>['texts'][number];

export type HandAnswer = { answer: 'accept'; pin: string } | { answer: 'cancel' };

/** Every function rejects when the simulator does not answer. */
export interface Surroundings {
  /** The prompt now showing on the phone, or null. */
  openPrompt(): Promise<OpenPrompt | null>;
  answerPrompt(prompt: OpenPrompt, answer: HandAnswer): Promise<void>;
  /** From now on prompts wait for `answerPrompt`, or the phone accepts them by itself again. */
  answerByHand(byHand: boolean): Promise<void>;
  /** Newest first. */
  texts(): Promise<ReceivedText[]>;
}

/** The surroundings of one phone, through the simulators' control faces. */
export function createSurroundings(
  at: { mobileMoneySimulator: string; textSimulator: string },
  msisdn: string,
): Surroundings {
  const money = `${at.mobileMoneySimulator}/control`;
  const number = encodeURIComponent(msisdn);
  return {
    async openPrompt() {
      const found = promptList.parse(await call(`${money}/prompts?msisdn=${number}`));
      return found.prompts[0] ?? null;
    },
    async answerPrompt({ checkoutRequestId }, answer) {
      await call(`${money}/prompts/answer`, { checkoutRequestId, ...answer });
    },
    async answerByHand(byHand) {
      const behaviour = byHand ? 'manual' : 'accept';
      await call(`${money}/phones`, { msisdn, behaviour });
    },
    async texts() {
      return textList.parse(await call(`${at.textSimulator}/inbox/${number}`)).texts;
    },
  };
}

async function call(url: string, body?: object): Promise<unknown> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${url}: HTTP ${response.status} ${await response.text()}`);
  return response.json();
}

/** `KES 650` or `KES 5.50` of minor units in digits. */
export function shillings(amountMinor: string): string {
  const digits = amountMinor.padStart(3, '0');
  const cents = digits.slice(-2);
  return `KES ${digits.slice(0, -2)}${cents === '00' ? '' : `.${cents}`}`;
}
