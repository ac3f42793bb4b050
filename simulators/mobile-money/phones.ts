/** What the customers' telephones do when a prompt comes up. */

import type { PromptAnswer } from './payments.ts';

const DEFAULT_PIN = '1234';
const DEFAULT_NAME = 'SIMULATED CUSTOMER';
const PHONES_MAX = 1_000_000;

/** `manual` waits for an answer through the control face, `no_answer` for none at all. */
export const BEHAVIOURS = ['accept', 'cancel', 'wrong_pin', 'no_answer', 'manual'] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

export interface Phone {
  behaviour: Behaviour;
  pin: string;
  /** As registered with the operator; the confirmation splits it at the blanks. */
  name: string;
}

export interface Phones {
  of(msisdn: string): Phone;
  set(msisdn: string, change: Partial<Phone>): void;
  /** What the phone does by itself, or null when somebody (or nobody) will answer. */
  automaticAnswer(msisdn: string): PromptAnswer | null;
}

/** Every number is a telephone: those never set have PIN 1234 and accept. */
export function createPhones(): Phones {
  const known = new Map<string, Phone>();
  const unset: Phone = { behaviour: 'accept', pin: DEFAULT_PIN, name: DEFAULT_NAME };
  const of = (msisdn: string) => known.get(msisdn) ?? unset;
  return {
    of,
    set(msisdn, change) {
      if (known.size >= PHONES_MAX) throw new Error(`more than ${PHONES_MAX} phones`);
      known.set(msisdn, { ...of(msisdn), ...change });
    },
    automaticAnswer(msisdn) {
      const { behaviour, pin } = of(msisdn);
      if (behaviour === 'accept') return { answer: 'accept', pin };
      if (behaviour === 'wrong_pin') return { answer: 'accept', pin: `${pin}0` };
      return behaviour === 'cancel' ? { answer: 'cancel' } : null;
    },
  };
}
