/** A gateway that answers as the story says. */
import type { ChargeOutcome, PaymentGateway } from '../../src/billing/postpaid/gateway.ts';
import { type Action, orNull, text, word } from './file.ts';
import { minorOf } from './setup.ts';

export interface ScriptedGateway extends PaymentGateway {
  /** From now on, for one account (null = all): the next `times` tries, or until changed. */
  answers(account: bigint | null, action: Action): void;
}

interface Script {
  outcome: ChargeOutcome;
  /** Tries left; null = until changed. */
  left: number | null;
}

const RESULTS = ['approved', 'declined', 'pending', 'unknown', 'down'] as const;

export function createScriptedGateway(): ScriptedGateway {
  const scripts = new Map<bigint | null, Script>();
  return {
    answers: (account, action) => {
      const left = action.times === null ? null : Number(action.times);
      if (account === null) scripts.clear();
      scripts.set(account, { outcome: outcomeOf(action), left });
    },
    charge: ({ accountId }) => {
      const key = scripts.has(accountId) ? accountId : null;
      const script = scripts.get(key);
      if (!script) return { outcome: 'approved' };
      if (script.left !== null) {
        script.left -= 1;
        if (script.left === 0) scripts.set(key, { outcome: { outcome: 'approved' }, left: null });
      }
      return script.outcome;
    },
  };
}

function outcomeOf(action: Action): ChargeOutcome {
  const outcome = word(action, 'result', RESULTS);
  if (outcome !== 'approved') return { outcome };
  const currency = orNull(action, 'settled_currency', text);
  if (currency === null) return { outcome };
  const settledAmount = minorOf(text(action, 'settled_amount'), currency);
  return { outcome, settledAmount, settledCurrency: currency };
}
