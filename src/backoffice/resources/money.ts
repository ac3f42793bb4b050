/** What settlement answers, as the API answers it. */
import { z } from 'zod';
import type { Outcome, Settled } from '../../billing/settlement/commands.ts';
import { instant, money, moneyOf } from '../api/fields.ts';
import { PROBLEMS, type Problem, type ProblemCode, problem } from '../api/problems.ts';
import { type Answer, created } from '../api/route.ts';
import type { ActOutcome } from '../people/approvals.ts';

export const settledMoney = z
  .strictObject({
    reference: z.string(),
    state: z.enum(['settled', 'suspense']),
    /** Why, in suspense. */
    code: z.string().nullable(),
    paidUntil: instant.nullable(),
    credit: money.nullable(),
    units: z.string().nullable(),
    /** Of a payment that is to move: at once, or when the time to object is over. */
    move: z.enum(['moved', 'pending']).nullable(),
  })
  .meta({ id: 'Settled' });

/** What was done, in words of the API; credit is kept in `asset`. */
export const settledView = (
  { ref, state, code, paidUntil, credit, units, result }: Settled,
  asset: string,
) => ({
  reference: ref,
  state,
  code,
  paidUntil,
  credit: credit === null ? null : moneyOf(BigInt(credit), asset),
  units,
  move: result?.kind === 'moved' || result?.kind === 'pending' ? result.kind : null,
});

/** The answer to a call that moved money, or the problem why it did not. */
export function moneyAnswer(outcome: Outcome, asset: string): Answer | Problem {
  if (outcome.kind === 'receipt_differs') return problem('idempotency_key_reused');
  if (outcome.kind !== 'done') return problem('unavailable', { headers: { 'Retry-After': '1' } });
  const { settled } = outcome;
  if (settled.state === 'refused') return refusal(settled.code ?? 'internal');
  return created(settledView(settled, asset));
}

/** A refusal of billing: the answer for ever. */
export const refusal = (code: string): Problem =>
  problem(isProblemCode(code) ? code : 'internal', { isKept: true });

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);

/** The same for an act that may have waited for a second person. */
export function actOutcome(outcome: Outcome, asset: string): ActOutcome {
  if (outcome.kind === 'receipt_differs')
    return { kind: 'refused', code: 'idempotency_key_reused' };
  if (outcome.kind !== 'done') return { kind: 'unavailable' };
  const { settled } = outcome;
  if (settled.state === 'refused') return { kind: 'refused', code: settled.code ?? 'internal' };
  return { kind: 'done', result: settledView(settled, asset) };
}
