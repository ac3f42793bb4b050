/** What came of sent cards, written: on air, to be tried again, or work for a person. */
import type { Pool } from 'pg';
import { isConnectionLost, transaction } from '../../platform/database/pool.ts';
import type { Clock, Logger } from '../../platform/ports.ts';
import { sleep } from '../../platform/timers.ts';
import type { LogLine } from '../sending/command-log.ts';
import { sentenceOf } from '../work-items/rules.ts';
import { openWorkItems } from '../work-items/store.ts';
import type { HeldPurchase } from './holds-store.ts';
import type { Verdict } from './rules.ts';
import { ackCards, type ClaimedCard, failCards } from './store.ts';

export interface Answer {
  card: ClaimedCard;
  verdict: Verdict;
  /** How the sending is to be logged. */
  line: LogLine | null;
}

export interface AnswersDeps {
  pool: Pool;
  clock: Clock;
  logger: Logger;
  casId: string;
  isStopped(): boolean;
  /** When a set that went on air is first broadcast once more; null: never. */
  reairAt(desired: ClaimedCard['desired'], onAirAt: Date): Date | null;
  /** Called after the acknowledgements were written. `isFresh`: the wanted set, since now. */
  onAir(cards: readonly { card: ClaimedCard; at: Date; isFresh: boolean }[]): void;
  onCapturable(purchases: readonly HeldPurchase[]): void;
  /** A card has failed for so long that a person must look. */
  onEnded(): void;
}

type Failed = Extract<Verdict, { kind: 'again' }>;
type FailedAnswer = Answer & { verdict: Failed };
type OnAir = Pick<Answer, 'card' | 'line'> & { at: Date };

/** Half a minute in all, for a database that is being started again. */
const WRITE_ATTEMPTS_MAX = 120;
const WRITE_WAIT_MS = 250;

/** While the database is away, answers wait for it: a card on air is not sent once more. */
export async function keepAnswers(deps: AnswersDeps, answers: readonly Answer[]): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await writeAnswers(deps, answers);
    } catch (error) {
      const again = isConnectionLost(error) && !deps.isStopped() && attempt < WRITE_ATTEMPTS_MAX;
      if (!again) throw error;
      await sleep(WRITE_WAIT_MS);
    }
  }
}

async function writeAnswers(deps: AnswersDeps, answers: readonly Answer[]): Promise<void> {
  const onAir: OnAir[] = [];
  const failed: FailedAnswer[] = [];
  for (const { card, verdict, line } of answers) {
    if (verdict.kind === 'on_air') onAir.push({ card, at: verdict.at, line });
    else failed.push({ card, verdict, line });
  }
  if (onAir.length > 0) await writeOnAir(deps, onAir);
  if (failed.length > 0) await writeFailed(deps, failed);
}

async function writeOnAir(deps: AnswersDeps, onAir: readonly OnAir[]): Promise<void> {
  const acked = onAir.map(({ card: { cardId, token, rev, desired }, at, line }) => {
    return { cardId, token, rev, onAirAt: at, reairAt: deps.reairAt(desired, at), line };
  });
  const { fresh, purchases } = await ackCards(deps.pool, acked, deps.clock.now());
  if (purchases.length > 0) deps.onCapturable(purchases);
  deps.onAir(onAir.map((one) => ({ ...one, isFresh: fresh.has(one.card.cardId) })));
}

async function writeFailed(deps: AnswersDeps, failed: readonly FailedAnswer[]): Promise<void> {
  const { pool, clock, casId } = deps;
  const now = clock.now();
  const rows = failed.map(({ card: { cardId, token, rev }, verdict, line }) => {
    return { ...verdict, cardId, token, rev, line, raise: verdict.alarm === 'conflict' };
  });
  const alarmed = await transaction(pool, async (db) => {
    const recorded = await failCards(db, rows);
    const mattering = failed.filter(
      ({ card, verdict }) => verdict.alarm !== null && recorded.has(card.cardId),
    );
    const items = mattering
      .filter(({ verdict }) => verdict.alarm !== 'conflict')
      .map(({ card: { cardId }, verdict: { failure: code } }) => {
        return { cardId, code, sentence: sentenceOf(code) };
      });
    if (items.length > 0) await openWorkItems(db, items, { casId, at: now });
    return mattering;
  });
  for (const one of alarmed) logAlarm(deps, one);
}

function logAlarm({ logger, casId, onEnded }: AnswersDeps, { card, verdict }: FailedAnswer): void {
  const { alarm, failure: code, attempts } = verdict;
  const fields = { casId, card: card.number, rev: card.rev, code, attempts };
  if (alarm === 'refused') logger.error('dispatch.refused', fields);
  // Our database is older than what the head-end was told: it was restored without a new epoch.
  if (alarm === 'behind') logger.error('dispatch.behind_head_end', fields);
  // It has another content under our revision; the set goes out anew under the next one.
  if (alarm === 'conflict') logger.error('dispatch.revision_conflict', fields);
  if (alarm === 'ended') {
    logger.error('dispatch.retries_ended', fields);
    onEnded();
  }
}
