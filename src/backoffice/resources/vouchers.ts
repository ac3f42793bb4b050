/** Scratch cards at the desk: what became of one, and using one for a card. */
import { z } from 'zod';
import type { Outcome } from '../../billing/settlement/commands.ts';
import type { KeyValue } from '../../platform/kv.ts';
import { id, idText, instant, money, moneyOf, siteCode } from '../api/fields.ts';
import { type Problem, problem } from '../api/problems.ts';
import { ok, type Route, route } from '../api/route.ts';
import { siteFilter } from '../people/principal.ts';
import { settleNow } from './act.ts';
import { cardById } from './card-store.ts';
import { codeOf, type Desk } from './desk.ts';
import { moneyAnswer, settledMoney } from './money.ts';
import { findVouchers, type VoucherRecord } from './voucher-store.ts';

const tag = 'Scratch cards';

const voucher = z
  .strictObject({
    /** Printed outside the field that is scratched off. */
    serial: z.string(),
    batch: z.strictObject({ id: idText, name: z.string() }),
    site: siteCode,
    value: money,
    days: z.int().nullable(),
    state: z.enum(['unused', 'used', 'expired', 'blocked', 'not_active']),
    expiresAt: instant,
    usedAt: instant.nullable(),
    usedBy: z.strictObject({ cardId: idText, number: z.string() }).nullable(),
  })
  .meta({ id: 'ScratchCard' });

/** The routes of single scratch cards. */
export const voucherRoutes = (desk: Desk): Route[] => [lookRoute(desk), redeemRoute(desk)];

const VOUCHERS_SHOWN_MAX = 50;

const lookRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'get', path: '/vouchers/{serial}', tag, access: 'voucher.read' },
    summary: 'What became of scratch cards, by serial or its last six digits or more, at most 50',
    params: z.strictObject({ serial: z.string().regex(/^[0-9]{6,12}$/) }),
    answers: { 200: z.strictObject({ items: z.array(voucher) }) },
    async handler({ db, principal, params, now }) {
      const sites = siteFilter(principal);
      const wanted = { sites, ending: params.serial, limit: VOUCHERS_SHOWN_MAX };
      const found = await findVouchers(db, wanted);
      if (found.length === 0) return problem('not_found');
      return ok({ items: found.map((one) => viewOf(desk, one, now)) });
    },
  });

function stateOf({ state, expiresAt }: VoucherRecord, now: Date) {
  if (state === 'USED') return 'used';
  if (state === 'BLOCKED') return 'blocked';
  if (expiresAt.getTime() <= now.getTime()) return 'expired';
  return state === 'ACTIVATED' ? 'unused' : 'not_active';
}

const viewOf = (desk: Desk, record: VoucherRecord, now: Date) => ({
  serial: record.serial,
  batch: { id: record.batchId.toString(), name: record.batch },
  site: codeOf(desk, record.siteId),
  value: moneyOf(record.value, record.asset),
  days: record.days,
  state: stateOf(record, now),
  expiresAt: record.expiresAt.toISOString(),
  usedAt: record.usedAt?.toISOString() ?? null,
  usedBy: record.usedBy && {
    cardId: record.usedBy.id.toString(),
    number: record.usedBy.number,
  },
});

const redeemRoute = (desk: Desk): Route =>
  route({
    ...{ method: 'post', path: '/cards/{cardId}/vouchers', tag, access: 'voucher.redeem' },
    summary: 'Use a scratch card for a card; its code is kept nowhere as it is printed',
    ...{ idempotent: true, write: { object: 'card', commits: 'itself' } },
    params: z.strictObject({ cardId: id }),
    body: z.strictObject({ code: z.string().regex(/^[0-9A-Za-z][0-9A-Za-z -]{4,38}[0-9A-Za-z]$/) }),
    ...{ example: { code: '1234 5678 9012 34' }, secrets: ['code'] },
    answers: { 201: settledMoney },
    problems: [
      ...(['voucher_unknown', 'voucher_used', 'voucher_blocked', 'voucher_expired'] as const),
      ...(['voucher_not_active', 'wrong_codes', 'unavailable'] as const),
    ],
    async handler(call) {
      const { db, principal, params, body } = call;
      const card = await cardById(db, params.cardId, siteFilter(principal));
      const site = card && desk.catalogue().sites.get(card.siteId);
      if (!card || !site) return problem('not_found');
      call.note({ siteId: site.id });
      const tried = { by: principal.key, cardId: card.id, siteId: site.id };
      const wish = { kind: 'redeem', cardNumber: card.number, code: body.code } as const;
      const tryCode = () => settleNow(desk, call, site, wish);
      const answer = await whileNotGuessing(desk, tried, tryCode);
      return 'problem' in answer ? answer : moneyAnswer(answer, site.currency);
    },
  });

interface Tried {
  /** Who typed the code. */
  by: string;
  cardId: bigint;
  siteId: bigint;
}

/**
 * Tries a code unless whoever tries it, or the card it is for, has had too many wrong ones; what is
 * refused is counted and told.
 */
export async function whileNotGuessing(
  desk: Pick<Desk, 'kv' | 'logger' | 'onVoucherRefused'>,
  tried: Tried,
  tryCode: () => Promise<Outcome>,
): Promise<Outcome | Problem> {
  const counters = [`voucher:${tried.by}`, `voucher:card:${tried.cardId}`];
  const limit = await guessLimit(desk.kv, counters);
  if (limit) {
    if (limit.problem === 'wrong_codes') noteRefused(desk, 'wrong_codes', tried);
    return limit;
  }
  const outcome = await tryCode();
  const why = outcome.kind === 'done' ? outcome.settled.code : null;
  if (why?.startsWith('voucher_')) noteRefused(desk, why, tried);
  if (why === 'voucher_unknown') await countWrong(desk.kv, counters);
  return outcome;
}

/** Whoever guesses or brings a stolen card is named in the log; all are counted. */
function noteRefused(
  { logger, onVoucherRefused }: Pick<Desk, 'logger' | 'onVoucherRefused'>,
  reason: string,
  tried: Tried,
): void {
  onVoucherRefused?.(reason);
  const isAlarming = reason === 'wrong_codes' || reason === 'voucher_blocked';
  if (isAlarming) logger.warn('voucher.refused', { reason, ...tried });
}

/** Wrong codes that one member of staff, or one card, may have in an hour. */
export const WRONG_CODES_MAX = 10;
const WRONG_CODES_MS = 60 * 60_000;

/** The problem when these have guessed too often; money waits while nobody can count. */
async function guessLimit(kv: KeyValue, counters: readonly string[]): Promise<Problem | null> {
  try {
    const counts = await Promise.all(counters.map((name) => kv.get(name)));
    if (counts.every((count) => Number(count ?? 0) < WRONG_CODES_MAX)) return null;
    return problem('wrong_codes', { headers: { 'Retry-After': String(WRONG_CODES_MS / 1000) } });
  } catch {
    return problem('unavailable', { headers: { 'Retry-After': '1' } });
  }
}

/** What cannot be counted now is not lost: the next try is refused while the counter is away. */
async function countWrong(kv: KeyValue, counters: readonly string[]): Promise<void> {
  await Promise.allSettled(counters.map((name) => kv.incr(name, WRONG_CODES_MS)));
}
