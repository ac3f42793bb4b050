/** The road of a payment as a demo shows it: told step by step, as it happens in this process. */
import type { Command, Outcome } from './billing/settlement/commands.ts';
import type { DispatchStep } from './entitlement/dispatch/service.ts';

/** One step on the road of a payment, from the operator's notice to ON AIR. */
export interface RoadStep {
  step: 'notice' | 'settled' | 'sent' | 'accepted' | 'on_air';
  at: Date;
  /** E.164, where the payer is known. */
  msisdn?: string;
  /** What M-PESA says instead: see `hashMsisdn`. */
  payerHash?: string;
  /** Number of the card, from where rights are sent. */
  card?: string;
  /** When the rights were raised; of `settled`, if the payment raised any. */
  since?: Date;
  /** Receipt of the operator, or our reference. */
  detail?: string;
}

type OnRoad = (step: RoadStep) => void;

/** What was paid for, by notice or from a wallet, and when it was in the books. */
export function noteSettled(onRoad: OnRoad, command: Command, outcome: Outcome, now: Date): void {
  if (outcome.kind !== 'done' || !outcome.first) return;
  const { kind, at, receipt } = command;
  if (kind !== 'payment' && kind !== 'tvu_notice' && kind !== 'buy') return;
  const payer = kind === 'payment' ? command.payerMsisdn : command.msisdn;
  const hash = kind === 'payment' ? command.payerHash : null;
  const whose = {
    ...(payer === null ? {} : { msisdn: payer }),
    ...(hash === null ? {} : { payerHash: hash }),
  };
  if (kind !== 'buy') onRoad({ step: 'notice', at, detail: receipt, ...whose });
  onRoad({ step: 'settled', at: now, since: at, detail: outcome.settled.ref, ...whose });
}

/** A card's rights on their way to the air. */
export const noteSent =
  (onRoad: OnRoad) =>
  ({ kind, number, at, raisedAt }: DispatchStep): void =>
    onRoad({ step: kind, at, card: number, ...(raisedAt ? { since: raisedAt } : {}) });
