/** A gateway that answers as the story says. */
import type { ChargeOutcome, PaymentGateway } from '../../src/billing/postpaid/gateway.ts';
import { number, orNull, text, word } from '../fields.ts';
import type { Action } from './file.ts';
import { minorOf } from './setup.ts';

export interface ScriptedGateway extends PaymentGateway {
  /** From now on, for one account (null = all): the next `times` tries, or until changed. */
  answers(account: bigint | null, action: Action): void;
}

interface Script {
  /** For a try in a currency. */
  outcome(currency: string): ChargeOutcome;
  /** Tries left; null = until changed. */
  left: number | null;
}

const APPROVED: ChargeOutcome = { outcome: 'approved' };
const RESULTS = ['approved', 'declined', 'pending', 'unknown', 'down'] as const;

export function createScriptedGateway(): ScriptedGateway {
  const scripts = new Map<bigint | null, Script>();
  return {
    answers: (account, action) => {
      const left = orNull(action, 'times', number);
      const result = word(action, 'result', RESULTS);
      if (account === null) scripts.clear();
      scripts.set(account, { outcome: (asked) => outcomeOf(action, result, asked), left });
    },
    charge: ({ accountId, currency }) => {
      const key = scripts.has(accountId) ? accountId : null;
      const script = scripts.get(key);
      if (!script) return APPROVED;
      if (script.left !== null) {
        script.left -= 1;
        if (script.left === 0) scripts.set(key, { outcome: () => APPROVED, left: null });
      }
      return script.outcome(currency);
    },
  };
}

function outcomeOf(
  action: Action,
  outcome: (typeof RESULTS)[number],
  asked: string,
): ChargeOutcome {
  const settled = orNull(action, 'settled_amount', text);
  if (outcome !== 'approved' || settled === null) return { outcome };
  const settledCurrency = orNull(action, 'settled_currency', text) ?? asked;
  return { outcome, settledAmount: minorOf(settled, settledCurrency), settledCurrency };
}
