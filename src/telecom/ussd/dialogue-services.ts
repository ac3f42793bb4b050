/**
 * The dialogue's services over the real rooms: reads, orders, and acts through settlement. What is
 * asked about a picture is in `blocked-services.ts`, payments that move in `move-services.ts`.
 */
import type { Pool } from 'pg';
import {
  type Bouquet,
  type Catalogue,
  onSale,
  type PayPerViewEvent,
  priceAt,
  unitsToCredit,
  versionAt,
} from '../../billing/catalogue/rules.ts';
import { termsLongestFirst } from '../../billing/catalogue/terms.ts';
import type { Purpose } from '../../billing/settlement/commands.ts';
import { cardNumber } from '../../billing/settlement/reference.ts';
import type { Settlement } from '../../billing/settlement/service.ts';
import { nextTerm } from '../../billing/subscriptions/rules.ts';
import type { PictureDesk } from '../../entitlement/picture/desk.ts';
import type { Clock } from '../../platform/ports.ts';
import { checkPin } from '../../registry/resellers.ts';
import { saveCard, setPhoneLanguage } from '../../registry/store.ts';
import type { MoneyChannel } from '../channels.ts';
import { createBlockedServices } from './blocked-services.ts';
import { createMoveServices, type MoveServicesDeps } from './move-services.ts';
import type {
  Act,
  CardView,
  DialogueChannel,
  DialogueServices,
  Done,
  EventView,
  Purchase,
  Refusal,
  TermName,
} from './services.ts';
import { settle } from './settling.ts';
import type { CallerRecord, CardRecord, DialogueStore } from './store.ts';

export interface DialogueServicesDeps extends MoveServicesDeps {
  pool: Pool;
  store: DialogueStore;
  catalogue(): Catalogue;
  settlement: Pick<Settlement, 'settle' | 'preview'>;
  momo: Prompts;
  picture: PictureDesk;
  /** Whether the system of a card can show a product. */
  carries(casId: string, product: string): boolean;
  /** What the subscriber of a card owes today. */
  owedFor(cardId: bigint): Promise<bigint>;
  /** The paybill that pushes prompts at a site; null where there is none. */
  moneyChannelOf(siteId: bigint): MoneyChannel | null;
  clock: Clock;
}

/** What is asked of mobile money. */
export interface Prompts {
  /** Writes the order; the same key is the same order. The prompt goes out shortly after. */
  order(order: {
    channel: MoneyChannel;
    siteId: bigint;
    asset: string;
    msisdn: string;
    amount: bigint;
    purpose: Purpose;
    key: string;
    /** What the payer sees, at most 13 characters. */
    description: string;
  }): Promise<{ amount: bigint }>;
}

const EVENTS_SHOWN_MAX = 9;
/** About the longest session; a new dial always reads anew. */
const DIALLED_MS_MAX = 180_000;
const DIALLED_CALLERS_MAX = 50_000;
/** M-PESA moves whole shillings: a prompt is rounded up, and the rest is credit. */
const PUSH_STEP_MINOR = 100n;
const NO_CALLER: CallerRecord = {
  subscriberId: null,
  siteId: null,
  language: null,
  credit: 0n,
  units: 0n,
  reseller: null,
  cards: [],
};

export function createDialogueServices(deps: DialogueServicesDeps): DialogueServices {
  const read = reads(deps);
  const blocked = createBlockedServices(deps, read);
  return { ...read, ...acts(deps), ...blocked, ...createMoveServices(deps) };
}

type Reads = Pick<
  DialogueServices,
  'caller' | 'card' | 'event' | 'events' | 'previewTerm' | 'tvuQuote'
>;
type Acts = Pick<
  DialogueServices,
  'payByMobileMoney' | 'payFromWallet' | 'convertTvu' | 'sendUnits' | 'setLanguage'
>;

function reads(deps: DialogueServicesDeps): Reads {
  const dialled = createDialled(deps.clock);
  return {
    async caller(channel, msisdn, dialling = false) {
      const known = dialling ? undefined : dialled.get(msisdn);
      const found = known ?? (await deps.store.caller(msisdn)) ?? NO_CALLER;
      if (dialling) dialled.set(msisdn, found);
      // A wallet of another country is in another currency: it is not this channel's to show.
      const isHome = found.siteId === channel.siteId;
      const isReseller = found.reseller?.siteId === channel.siteId;
      return {
        subscriberId: found.subscriberId,
        language: found.language ?? channel.defaultLanguage,
        cards: found.cards
          .filter((card) => card.siteId === channel.siteId)
          .map((card) => cardView(deps, card)),
        creditMinor: isHome ? found.credit : 0n,
        tvuUnits: isHome || isReseller ? found.units : 0n,
        isReseller,
      };
    },
    async card(channel, written, msisdn) {
      const number = cardNumber(written.replace(/[\s-]/g, ''));
      if (!number) return null;
      const own = dialled.get(msisdn)?.cards.find((card) => card.number === number);
      const card = own ?? (await deps.store.cardByNumber(number));
      return card && card.siteId === channel.siteId ? cardView(deps, card) : null;
    },
    event: async (channel, code) => {
      const wanted = code.trim().toUpperCase();
      const found = eventsOf(deps, channel).find((event) => event.code === wanted);
      return found ? eventView(deps, found) : null;
    },
    events: async (channel) =>
      eventsOf(deps, channel)
        .filter((event) => onSale(event, deps.clock.now()))
        .sort((a, b) => a.startsAt.getTime() - b.startsAt.getTime())
        .slice(0, EVENTS_SHOWN_MAX)
        .map((event) => eventView(deps, event)),
    async previewTerm(channel, cardId, term, msisdn) {
      const own = dialled.get(msisdn)?.cards.find((card) => card.id === cardId);
      const card = own ?? (await deps.store.cardById(cardId));
      const at = deps.clock.now();
      if (!card || priceOf(deps, card, term) === null) return null;
      return nextTerm(card, { kind: term }, at, channel.timeZone).to;
    },
    tvuQuote: async (channel, units) => {
      const tariff = versionAt(deps.catalogue().tariffs.get(channel.siteId), deps.clock.now());
      if (!tariff) return null;
      const worth = unitsToCredit(units, tariff);
      return { creditMinor: worth?.credit ?? 0n, usedUnits: worth?.used ?? 0n };
    },
  };
}

function acts(deps: DialogueServicesDeps): Acts {
  return {
    payByMobileMoney: (act, purchase) => payByMobileMoney(deps, act, purchase),
    payFromWallet: (act, purchase, means) => payFromWallet(deps, act, purchase, means),
    async convertTvu(act, units) {
      const done = await settle(deps, act, { kind: 'convert_tvu', msisdn: act.msisdn, units });
      if (!done.ok) return done;
      const tariff = versionAt(deps.catalogue().tariffs.get(act.channel.siteId), deps.clock.now());
      const worth = tariff && unitsToCredit(units, tariff);
      return {
        ok: true,
        value: {
          ref: done.value.ref,
          creditMinor: worth?.credit ?? 0n,
          usedUnits: worth?.used ?? 0n,
        },
      };
    },
    async sendUnits(act, to, units, pin) {
      const now = deps.clock.now();
      const checked = await checkPin(deps.pool, { msisdn: act.msisdn, pin, now });
      if (checked !== 'ok') return { ok: false, error: checked };
      const done = await settle(deps, act, {
        kind: 'transfer_tvu',
        fromMsisdn: act.msisdn,
        toMsisdn: to,
        units,
      });
      if (!done.ok) return done;
      const unitsLeft = BigInt(done.value.units ?? 0);
      return { ok: true, value: { ref: done.value.ref, unitsLeft } };
    },
    setLanguage: (act, language) => setPhoneLanguage(deps.pool, act.msisdn, language),
  };
}

/** What callers were shown when they dialled, for the screens that follow in this process. */
function createDialled(clock: Clock) {
  const seen = new Map<string, { caller: CallerRecord; untilMs: number }>();
  return {
    get(msisdn: string): CallerRecord | undefined {
      const known = seen.get(msisdn);
      return known && clock.now().getTime() < known.untilMs ? known.caller : undefined;
    },
    set(msisdn: string, caller: CallerRecord): void {
      seen.delete(msisdn);
      seen.set(msisdn, { caller, untilMs: clock.now().getTime() + DIALLED_MS_MAX });
      const [oldest] = seen.keys();
      if (seen.size > DIALLED_CALLERS_MAX && oldest !== undefined) seen.delete(oldest);
    },
  };
}

const bouquetOf = (deps: DialogueServicesDeps, id: bigint): Bouquet | undefined =>
  deps.catalogue().bouquets.get(id);

function priceOf(
  deps: DialogueServicesDeps,
  { bouquetId, category, casId }: CardRecord,
  term: TermName,
): bigint | null {
  const bouquet = bouquetOf(deps, bouquetId);
  const isShown = bouquet?.products.every((product) => deps.carries(casId, product));
  return bouquet && isShown ? priceAt(bouquet, term, deps.clock.now(), category) : null;
}

/** The order in which terms are shown: those that have a number of their own, then the others. */
const USUAL_TERMS: readonly TermName[] = ['month', 'week', 'day'];

function cardView(deps: DialogueServicesDeps, card: CardRecord): CardView {
  const bouquet = bouquetOf(deps, card.bouquetId);
  const longest = bouquet ? termsLongestFirst(bouquet, card.category) : [];
  const terms: { term: TermName; priceMinor: bigint }[] = [];
  for (const term of new Set([...USUAL_TERMS, ...longest, 'pass24' as const])) {
    const priceMinor = priceOf(deps, card, term);
    if (priceMinor !== null) terms.push({ term, priceMinor });
  }
  return {
    cardId: card.id,
    number: card.number,
    maskedName: card.maskedName,
    bouquetName: bouquet?.name ?? '',
    paidUntil: card.paidUntil,
    usualTerm: card.usualTerm,
    terms,
  };
}

const eventsOf = (deps: DialogueServicesDeps, channel: DialogueChannel): PayPerViewEvent[] =>
  [...deps.catalogue().events.values()].filter((event) => event.siteId === channel.siteId);

const eventView = (deps: DialogueServicesDeps, event: PayPerViewEvent): EventView => ({
  eventId: event.id,
  code: event.code,
  title: event.title,
  startsAt: event.startsAt,
  endsAt: event.endsAt,
  priceMinor: event.price,
  onSale: onSale(event, deps.clock.now()),
});

interface Priced {
  amount: bigint;
  purpose: Purpose;
  description: string;
}

/** What a purchase costs by mobile money, and what the order is for. */
async function price(
  deps: DialogueServicesDeps,
  act: Act,
  purchase: Purchase,
): Promise<Priced | Refusal> {
  if (purchase.kind === 'tvu') {
    const caller = await deps.store.caller(act.msisdn);
    if (!caller?.subscriberId) return 'unknown_phone';
    const purpose = { kind: 'tvu', subscriberId: caller.subscriberId } as const;
    return { amount: purchase.amountMinor, purpose, description: 'TV units' };
  }
  const card = await deps.store.cardById(purchase.cardId);
  if (!card || card.siteId !== act.channel.siteId) return 'unknown_card';
  const cardId = card.id;
  const description = bouquetOf(deps, card.bouquetId)?.name ?? 'TV';
  if (purchase.kind === 'amount') {
    return { amount: purchase.amountMinor, purpose: { kind: 'credit', cardId }, description };
  }
  if (purchase.kind === 'term') {
    const amount = priceOf(deps, card, purchase.term);
    const purpose = { kind: 'term', cardId, term: purchase.term } as const;
    return amount === null ? 'term_not_sold' : { amount, purpose, description };
  }
  const event = deps.catalogue().events.get(purchase.eventId);
  if (!event || !onSale(event, deps.clock.now())) return 'event_not_on_sale';
  if (!deps.carries(card.casId, event.product)) return 'product_not_on_cas';
  const purpose = { kind: 'event', cardId, eventId: event.id } as const;
  return { amount: event.price, purpose, description: event.code };
}

const DESCRIPTION_CHARACTERS_MAX = 13;

async function payByMobileMoney(
  deps: DialogueServicesDeps,
  act: Act,
  purchase: Purchase,
): Promise<Done<{ amountMinor: bigint }>> {
  const channel = deps.moneyChannelOf(act.channel.siteId);
  if (!channel) return { ok: false, error: 'phone_not_supported' };
  const priced = await price(deps, act, purchase);
  if (typeof priced === 'string') return { ok: false, error: priced };
  const steps = (priced.amount + PUSH_STEP_MINOR - 1n) / PUSH_STEP_MINOR;
  const order = await deps.momo.order({
    channel,
    siteId: act.channel.siteId,
    asset: act.channel.currency,
    msisdn: act.msisdn,
    amount: steps * PUSH_STEP_MINOR,
    purpose: priced.purpose,
    key: act.key,
    description: priced.description.slice(0, DESCRIPTION_CHARACTERS_MAX),
  });
  if ('cardId' in purchase) await saveCard(deps.pool, act.msisdn, purchase.cardId);
  return { ok: true, value: { amountMinor: order.amount } };
}

async function payFromWallet(
  deps: DialogueServicesDeps,
  act: Act,
  purchase: Purchase,
  means: 'tvu' | 'credit',
): Promise<Done<{ ref: string; paidUntil: Date | null }>> {
  if (purchase.kind !== 'term' && purchase.kind !== 'event') {
    return { ok: false, error: 'term_not_sold' };
  }
  const done = await settle(deps, act, {
    kind: 'buy',
    purpose: purchase,
    msisdn: act.msisdn,
    means,
  });
  if (!done.ok) return done;
  const { ref, paidUntil } = done.value;
  return { ok: true, value: { ref, paidUntil: paidUntil === null ? null : new Date(paidUntil) } };
}
