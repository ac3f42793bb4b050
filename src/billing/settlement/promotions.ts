/** Promotion codes: bonus days behind a term, from a budget, once for each card. */
import { halfUp, priceAt, type TermName } from '../catalogue/rules.ts';
import type { Command, RefusalCode } from './commands.ts';
import type { CardFacts, PromotionFacts } from './facts.ts';
import { giveDays } from './free-time.ts';
import { bouquetById } from './purchases.ts';
import type { Workspace } from './workspace.ts';

const MONTH_DAYS = 30n;

export interface Offer {
  promotion: PromotionFacts;
  /** What this use takes from the budget. */
  cost: bigint;
}

/** Whether this card may use the code with this term now; a refusal refuses the whole purchase. */
export function promotionOffer(
  w: Workspace,
  card: CardFacts,
  { code, term, at }: { code: string; term: TermName; at: Date },
): { ok: true; offer: Offer } | { ok: false; error: RefusalCode } {
  const known = w.rare.promotions.get(`${card.siteId}|${code}`);
  const promotion = known && (w.writes.rare.promotions.get(known.id) ?? known);
  const bouquetId = card.subscription?.bouquetId;
  const isValid =
    promotion?.bouquetId === bouquetId &&
    promotion?.term === term &&
    promotion.from.getTime() <= at.getTime() &&
    at.getTime() < promotion.to.getTime();
  if (!promotion || !isValid) return { ok: false, error: 'promotion_not_valid' };
  if (isUsed(w, promotion.id, card.id)) return { ok: false, error: 'promotion_used' };
  const month = priceAt(bouquetById(w, promotion.bouquetId), 'month', at, card.category) ?? 0n;
  const cost = halfUp(month * BigInt(promotion.bonusDays), MONTH_DAYS);
  if (promotion.budgetLeft < cost) return { ok: false, error: 'promotion_budget_spent' };
  return { ok: true, offer: { promotion, cost } };
}

const isUsed = (w: Workspace, promotionId: bigint, cardId: bigint): boolean =>
  w.rare.promotionsUsed.has(`${promotionId}/${cardId}`) ||
  w.writes.rare.promotionUses.some(
    (one) => one.promotionId === promotionId && one.cardId === cardId,
  );

/** Gives the bonus days and takes their cost from the budget. Returns the new end. */
export function applyPromotion(
  w: Workspace,
  command: Command,
  cardId: bigint,
  { promotion, cost }: Offer,
): Date {
  const card = w.card(cardId);
  if (!card) throw new Error(`No such card: ${cardId}`);
  const { id, code: reference, bonusDays: days } = promotion;
  w.writes.rare.promotions.set(id, { ...promotion, budgetLeft: promotion.budgetLeft - cost });
  w.writes.rare.promotionUses.push({ promotionId: id, cardId, at: command.at });
  return giveDays(w, command, card, { kind: 'bonus', days, reference });
}
