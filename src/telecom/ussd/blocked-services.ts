/** Why a card shows nothing: what entitlement says, and what the money of the caller explains. */
import type { Pool } from 'pg';
import type { PictureDesk } from '../../entitlement/picture/desk.ts';
import type { Clock } from '../../platform/ports.ts';
import { lastPayment } from './last-payment.ts';
import type { Asker, BlockedView, CardView, DialogueServices } from './services.ts';

export interface BlockedServicesDeps {
  pool: Pool;
  picture: PictureDesk;
  clock: Clock;
  /** What the subscriber of a card owes today. */
  owedFor(cardId: bigint): Promise<bigint>;
}

type BlockedServices = Pick<DialogueServices, 'blocked' | 'refresh' | 'reportPicture'>;
type Reads = Pick<DialogueServices, 'caller' | 'card'>;

const HOUR_MS = 3_600_000;
/** How long ago a payment may be to explain why this card is not paid. */
const WRONG_CARD_MS_MAX = 48 * HOUR_MS;

/** The services behind "TV is blocked". Lost infrastructure is thrown. */
export function createBlockedServices(deps: BlockedServicesDeps, reads: Reads): BlockedServices {
  const { picture } = deps;
  const asking = ({ msisdn }: Asker, cardId: bigint) =>
    ({ cardId, source: 'ussd', msisdn }) as const;
  return {
    async blocked(channel, number, msisdn) {
      const card = await reads.card(channel, number, msisdn);
      if (card === null) return null;
      const [diagnosis, { creditMinor }] = await Promise.all([
        picture.diagnose(card.cardId),
        reads.caller(channel, msisdn),
      ]);
      if (diagnosis === null) return null;
      const isUnpaid = diagnosis.kind === 'suspended' && diagnosis.reason === 'unpaid';
      const owedMinor = isUnpaid ? await deps.owedFor(card.cardId) : 0n;
      const view = { card, diagnosis, creditMinor, owedMinor };
      if (diagnosis.kind !== 'not_paid') return { ...view, missing: [], wrongCard: null };
      const wrongCard = await wrongCardOf(deps, { channel, msisdn }, card);
      return { ...view, missing: missingFor(card, creditMinor), wrongCard };
    },
    refresh: (asker, cardId) => picture.refresh(asking(asker, cardId)),
    reportPicture: (act, cardId, answer) =>
      picture.report({ ...asking(act, cardId), answer, key: act.key }),
  };
}

async function wrongCardOf(
  { pool, clock }: BlockedServicesDeps,
  { channel, msisdn }: Asker,
  card: CardView,
): Promise<BlockedView['wrongCard']> {
  const since = new Date(clock.now().getTime() - WRONG_CARD_MS_MAX);
  const last = await lastPayment(pool, { msisdn, siteId: channel.siteId, since });
  if (last === null || last.cardId === card.cardId) return null;
  return { last4: last.cardNumber.slice(-4), amountMinor: last.amountMinor, at: last.at };
}

function missingFor({ terms, usualTerm }: CardView, credit: bigint): BlockedView['missing'] {
  const cheapest = [...terms].sort((a, b) => (a.priceMinor < b.priceMinor ? -1 : 1))[0];
  const usual = terms.find(({ term }) => term === usualTerm) ?? cheapest;
  return [...new Set([usual, cheapest])]
    .filter((sold) => sold !== undefined)
    .map(({ term, priceMinor }) => ({
      term,
      amountMinor: priceMinor > credit ? priceMinor - credit : 0n,
    }));
}
