/**
 * Reminds subscribers that a term ends: three days before, the day before and on the last day, by
 * text and on the screen.
 */
import type { Pool, PoolClient } from 'pg';
import { transaction } from '../../platform/database/pool.ts';
import type { Clock, Ids, LentIds } from '../../platform/ports.ts';
import { type Catalogue, priceAt, type Site, type TermName } from '../catalogue/rules.ts';
import { termsLongestFirst } from '../catalogue/terms.ts';
import type { OutboundDraft, Saying } from '../settlement/commands.ts';
import type { SettlementPorts } from '../settlement/facts.ts';
import { type DueStep, decideReminder, dueSteps, isShown } from './rules.ts';
import {
  type Candidate,
  countTexts,
  type DecidedReminder,
  findCandidates,
  lockReminders,
  writeReminders,
} from './store.ts';

export { setReminderChoice } from './store.ts';

export interface RemindersDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  catalogue(): Catalogue;
  messagesFor: SettlementPorts['messagesFor'];
  /** Only for the cards of this test clock, which all are at one site. */
  testClock?: { id: bigint; siteId: bigint };
}

const PAGE = 250;
/**
 * What one call decides for a site at the most. Called each minute this is half of what its texts
 * can leave at, so that a receipt never waits behind a morning's reminders; 330,000 in a day.
 */
const DECISIONS_A_SITE_MAX = 500;
/** A text and an on-screen message. */
const MESSAGES_A_CARD_MAX = 2;

/**
 * Decides the reminders that are due now and queues what they say; to be called each minute.
 * Returns how many messages were queued. Returns early while another process is at it; for a test
 * clock it waits until that is done. Throws only when the database is lost; what was not decided is
 * found again by the next call.
 */
export async function remindDue(deps: RemindersDeps): Promise<number> {
  const now = deps.clock.now();
  let queued = 0;
  for (const site of deps.catalogue().sites.values()) {
    if (deps.testClock && site.id !== deps.testClock.siteId) continue;
    let room = DECISIONS_A_SITE_MAX;
    for (const due of dueSteps(now, site.timeZone)) {
      for (let found = PAGE; found === PAGE && room > 0; room -= found) {
        const page = await decidePage(deps, { site, due, now });
        if (page === null) return queued;
        found = page.found;
        queued += page.queued;
      }
    }
  }
  return queued;
}

interface Page {
  site: Site;
  due: DueStep;
  now: Date;
}

/** One page in one transaction; null while another process decides. */
async function decidePage(
  deps: RemindersDeps,
  page: Page,
): Promise<{ found: number; queued: number } | null> {
  const { due, now } = page;
  const siteId = page.site.id;
  const testClockId = deps.testClock?.id ?? null;
  const ids = await deps.ids.lend(PAGE * MESSAGES_A_CARD_MAX);
  try {
    return await transaction(deps.pool, async (client) => {
      if (!(await lockReminders(client, testClockId !== null))) return null;
      const search = { siteId, due, now, limit: PAGE, testClockId };
      const candidates = await findCandidates(client, search);
      if (candidates.length === 0) return { found: 0, queued: 0 };
      const decided = await decide({ ...deps, client, ids, page }, candidates);
      const queued = await writeReminders(client, decided, { siteId, due, now });
      return { found: candidates.length, queued };
    });
  } finally {
    ids.giveBack();
  }
}

interface Deciding extends Pick<RemindersDeps, 'catalogue' | 'messagesFor'> {
  client: PoolClient;
  ids: LentIds;
  page: Page;
}

async function decide(
  deciding: Deciding,
  candidates: readonly Candidate[],
): Promise<DecidedReminder[]> {
  const { client, page, ids } = deciding;
  const msisdns = candidates.flatMap(({ phone }) => (phone ? [phone.msisdn] : []));
  const texts = await countTexts(client, msisdns, page.due.dayFrom);
  const catalogue = deciding.catalogue();
  return candidates.map((card) => {
    const offer = offerOf(catalogue, card, page.now);
    const textsToday = card.phone ? (texts.get(card.phone.msisdn) ?? 0) : 0;
    const decision = decideReminder(page.due, {
      ...card,
      price: offer?.price ?? null,
      renewalCost: renewalCostOf(catalogue, card),
      phone: card.phone && { isStopped: card.phone.isStopped, textsToday },
    });
    const says: OutboundDraft[] = [];
    if (offer && isShown(decision)) {
      const { cardNumber, language } = card;
      says.push(...worded(deciding, { kind: 'osd', cardNumber }, language, { card, offer }));
    }
    if (offer && card.phone && decision === 'sent') {
      const { msisdn, language } = card.phone;
      texts.set(msisdn, textsToday + 1);
      says.push(...worded(deciding, { kind: 'text', msisdn }, language, { card, offer }));
    }
    const { cardId, paidUntil } = card;
    return {
      cardId,
      paidUntil,
      decision,
      says: says.map((draft) => ({ ...draft, id: ids.next() })),
    };
  });
}

interface Offer {
  bouquet: string;
  term: TermName;
  price: bigint;
}

/** What the card would buy next: its usual term or, where that is no longer sold, the longest. */
function offerOf(catalogue: Catalogue, card: Candidate, at: Date): Offer | null {
  const bouquet = catalogue.bouquets.get(card.bouquetId);
  if (!bouquet) return null;
  for (const term of [card.term, ...termsLongestFirst(bouquet, card.category)]) {
    const price = priceAt(bouquet, term, at, card.category);
    if (price !== null) return { bouquet: bouquet.name, term, price };
  }
  return null;
}

/** A renewal is priced at its end; one that is not sold then will fail, and saves no reminder. */
function renewalCostOf(catalogue: Catalogue, { renewals, category }: Candidate): bigint | null {
  let cost: bigint | null = null;
  for (const { bouquetId, term, at } of renewals) {
    const bouquet = catalogue.bouquets.get(bouquetId);
    const price = bouquet ? priceAt(bouquet, term, at, category) : null;
    if (price === null) return null;
    cost = (cost ?? 0n) + price;
  }
  return cost;
}

function worded(
  { messagesFor, page }: Deciding,
  to: Saying['to'],
  language: 'en' | 'fr',
  { card, offer }: { card: Candidate; offer: Offer },
): OutboundDraft[] {
  const { site, due, now } = page;
  const message = {
    name: 'reminder',
    ...offer,
    step: due.step,
    asset: site.currency,
    cardNumber: card.cardNumber,
    until: card.paidUntil,
    notAfter: due.notAfter,
  } as const;
  const draft = messagesFor({ siteId: site.id, language, to, message }, now);
  return draft ? [draft] : [];
}
