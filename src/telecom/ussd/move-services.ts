/**
 * "Paid wrong card": what a phone paid that can go to another card, the move itself, and the
 * objection of the owner it is taken from. What may move, and when, settlement decides.
 */
import type { Pool } from 'pg';
import { type Catalogue, rulesOf } from '../../billing/catalogue/rules.ts';
import type { Settled } from '../../billing/settlement/commands.ts';
import type { Settlement } from '../../billing/settlement/service.ts';
import type { Clock } from '../../platform/ports.ts';
import { maskedName } from '../../registry/rules.ts';
import { findObjectable, findPaid, type PaidRecord, receiptOf } from './move-store.ts';
import type { Act, Asker, DialogueServices, Done, MovableView, MoveView } from './services.ts';
import { commandOf, doneOf, settle } from './settling.ts';

export interface MoveServicesDeps {
  pool: Pool;
  catalogue(): Catalogue;
  settlement: Pick<Settlement, 'settle' | 'preview'>;
  clock: Clock;
  /** Somebody must look at a card; once for each card and code. */
  raiseWork(item: { cardId: bigint; casId: string; code: string; sentence: string }): Promise<void>;
}

type MoveServices = Pick<
  DialogueServices,
  'movable' | 'quoteMove' | 'movePayment' | 'objectToMoves'
>;

const HOUR_MS = 3_600_000;
/** Payments that are spoken of, though it may be too late to move them. */
const SPOKEN_OF_MS = 7 * 24 * HOUR_MS;
/** As many as one screen or two can list. */
const LISTED_MAX = 5;
/** A repeat of an objection comes at most so long after it. */
const OBJECTED_MS_MAX = HOUR_MS;

/** The services behind "Paid wrong card". Lost infrastructure is thrown. */
export function createMoveServices(deps: MoveServicesDeps): MoveServices {
  return {
    async movable({ channel, msisdn }) {
      const now = deps.clock.now();
      const site = deps.catalogue().sites.get(channel.siteId);
      if (!site) return { payments: [], last: null };
      const { windowHours } = rulesOf(site).move;
      const spokenOfMs = Math.max(SPOKEN_OF_MS, windowHours * HOUR_MS);
      const since = new Date(now.getTime() - spokenOfMs);
      const paid = await findPaid(deps.pool, { msisdn, siteId: channel.siteId, since });
      const opensAt = now.getTime() - windowHours * HOUR_MS;
      const payments = paid.filter((one) => whyNot(one, opensAt) === null).slice(0, LISTED_MAX);
      const [latest] = paid;
      const why = latest ? whyNot(latest, opensAt) : null;
      const last = latest && why ? { ...movableView(latest), why, windowHours } : null;
      return { payments: payments.map(movableView), last };
    },
    async quoteMove(asker, paymentId, toCardNumber) {
      const original = await receiptOf(deps.pool, paymentId);
      if (!original) return { ok: false, error: 'move_not_allowed' };
      const wish = wishOf(asker, original, toCardNumber);
      const act = { ...asker, key: 'preview' };
      const outcome = await deps.settlement.preview(commandOf(act, wish, deps.clock.now()));
      if (outcome.kind !== 'decided') return { ok: false, error: 'try_later' };
      return viewOf(doneOf(outcome.preview.settled));
    },
    async movePayment(act, paymentId, toCardNumber) {
      const original = await receiptOf(deps.pool, paymentId);
      if (!original) return { ok: false, error: 'move_not_allowed' };
      const done = await settle(deps, act, wishOf(act, original, toCardNumber));
      const view = viewOf(done);
      if (!view.ok) return view;
      return { ok: true, value: { ...view.value, ref: done.ok ? done.value.ref : '' } };
    },
    objectToMoves: (act) => objectToMoves(deps, act),
  };
}

const wishOf = ({ msisdn }: Asker, original: Receipt, toCardNumber: string) =>
  ({ kind: 'move_payment', original, toCardNumber, payerMsisdn: msisdn }) as const;

type Receipt = { provider: string; receipt: string };

function whyNot(
  { isSale, isTaken, at }: PaidRecord,
  opensAt: number,
): 'agent' | 'asked' | 'late' | null {
  if (isSale) return 'agent';
  if (isTaken) return 'asked';
  return at.getTime() <= opensAt ? 'late' : null;
}

const movableView = ({ id, amount, cardNumber, fullName }: PaidRecord): MovableView => ({
  paymentId: id,
  amountMinor: amount,
  cardNumber,
  maskedName: maskedName(fullName),
});

/** What moves and when; a payment of which nothing is left is refused here. */
function viewOf(done: Done<Pick<Settled, 'result' | 'paidUntil'>>): Done<MoveView> {
  if (!done.ok) return done;
  const { result, paidUntil } = done.value;
  if (result?.kind !== 'moved' && result?.kind !== 'pending') {
    return { ok: false, error: 'try_later' };
  }
  const amountMinor = BigInt(result.amount);
  if (amountMinor === 0n) return { ok: false, error: 'nothing_to_move' };
  const at = result.dueAt === null ? null : new Date(result.dueAt);
  const until = paidUntil === null ? null : new Date(paidUntil);
  return { ok: true, value: { amountMinor, at, paidUntil: until } };
}

async function objectToMoves(deps: MoveServicesDeps, act: Act) {
  const since = new Date(deps.clock.now().getTime() - OBJECTED_MS_MAX);
  const stopped: { amountMinor: bigint; last4: string }[] = [];
  for (const move of await findObjectable(deps.pool, act.msisdn, since)) {
    const { original, cardId, casId } = move;
    const own = { ...act, key: `${act.key}:${move.id}` };
    const done = await settle(deps, own, { kind: 'object_move', original });
    if (!done.ok) continue;
    stopped.push({ amountMinor: move.amount, last4: move.cardNumber.slice(-4) });
    const sentence =
      'The owner objects to the move of a payment that another phone made for this card: ' +
      `${original.provider} ${original.receipt}.`;
    await deps.raiseWork({ cardId, casId, code: 'move_objected', sentence });
  }
  return stopped;
}
