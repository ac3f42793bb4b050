/** What a campaign would do if it were shown now: counted from the orders that it would make. */
import type { ClientBase, Pool } from 'pg';
import { type Catalogue, rulesOf, type Site } from '../../billing/catalogue/rules.ts';
import type { Campaign } from './campaign-store.ts';
import { allCas } from './cas.ts';
import type { Language } from './content.ts';
import { ordersFor } from './orders.ts';
import { countCards, type Recipient, recipients, type Wording } from './recipients.ts';
import {
  type CasLimits,
  lengthAt,
  misfitOf,
  needsSecond,
  operationFor,
  reachesBeyond,
  textOf,
  type Worded,
} from './rules.ts';
import { reachOf, wordedFor } from './show.ts';

type Db = Pool | ClientBase;

const PAGE_CARDS = 1_000;
/** More cards than this are reached by a broadcast, or in parts. */
export const PREVIEW_CARDS_MAX = 500_000;
const TEXTS_SHOWN = 5;
const MINUTE_SECONDS = 60;

/** A system and language in which it can't be shown to some. */
export interface Misfit {
  casId: string;
  language: Language;
  why: 'too_long' | 'not_supported';
  cards: number;
  /** Of the longest; null: it is not the length. */
  length: { chars: number; max: number } | null;
}

export interface Preview {
  /** Of a broadcast: those that may hear it at the most. */
  cards: number;
  /** Of a broadcast one for each system. */
  commands: number;
  byCas: { casId: string; cards: number }[];
  byLanguage: { language: Language; cards: number }[];
  leftOut: { why: string; cards: number }[];
  misfits: Misfit[];
  /** The first of them; `card` null: everybody's. */
  texts: { card: string | null; text: string }[];
  /** At the rate the site allows. */
  seconds: number;
  needsSecond: boolean;
}

export interface PreviewDeps {
  catalogue(): Catalogue;
  wording: Wording;
}

interface Tally {
  byCas: Map<string, number>;
  byLanguage: Map<Language, number>;
  leftOut: Map<string, number>;
  misfits: Map<string, Misfit>;
  texts: Preview['texts'];
}

/** Null: more cards than can be looked at one by one. */
export async function previewCampaign(
  deps: PreviewDeps,
  db: Db,
  { campaign, site, at }: { campaign: Campaign; site: Site; at: Date },
): Promise<Preview | null> {
  const worded = await wordedFor(db, campaign, site);
  const systems = await allCas(db);
  const reach = reachOf(campaign, { site, catalogue: deps.catalogue(), at, casId: null });
  const tally: Tally = {
    ...{ byCas: new Map(), byLanguage: new Map(), leftOut: new Map(), misfits: new Map() },
    texts: [],
  };
  if (!reach) {
    const cards = await countCards(db, reachesBeyond(campaign.target, site) ? null : site.id);
    tallyBroadcast(tally, worded, systems, cards);
    return summed(tally, campaign, site, [...tally.byCas.keys()].length);
  }
  for (let [after, looked] = [0n, 0]; ; ) {
    if (looked >= PREVIEW_CARDS_MAX) return null;
    const { wording } = deps;
    const step = await recipients(db, reach, { after, limit: PAGE_CARDS, wording });
    tallyPage(tally, worded, systems, step.found);
    after = step.last;
    looked += step.found.length;
    if (step.isEnd) return summed(tally, campaign, site, null);
  }
}

const plus = <K>(sums: Map<K, number>, key: K, n: number): void =>
  void sums.set(key, (sums.get(key) ?? 0) + n);

function tallyPage(
  tally: Tally,
  worded: Worded,
  systems: ReadonlyMap<string, CasLimits>,
  page: readonly Recipient[],
): void {
  const { orders, left } = ordersFor(worded, systems, page);
  for (const { recipient, operation } of orders) {
    plus(tally.byCas, recipient.casId, 1);
    plus(tally.byLanguage, recipient.language, 1);
    const text = textOf(operation);
    const isShown = text !== '' && tally.texts.length < TEXTS_SHOWN;
    if (isShown) tally.texts.push({ card: recipient.number, text });
  }
  for (const { recipient, why, length } of left) {
    plus(tally.leftOut, why, 1);
    if (why === 'too_long' || why === 'not_supported') {
      addMisfit(tally, { ...recipient, why, cards: 1, length });
    }
  }
}

function addMisfit(tally: Tally, { casId, language, why, cards, length }: Misfit): void {
  const key = `${casId} ${language} ${why}`;
  const known = tally.misfits.get(key);
  const isLonger = length && (known?.length?.chars ?? 0) < length.chars;
  tally.misfits.set(key, {
    ...{ casId, language, why, cards: (known?.cards ?? 0) + cards },
    length: isLonger ? length : (known?.length ?? null),
  });
}

function tallyBroadcast(
  tally: Tally,
  worded: Worded,
  systems: ReadonlyMap<string, CasLimits>,
  cards: ReadonlyMap<string, number>,
): void {
  const language = worded.siteLanguage;
  const operation = operationFor(worded, { language, values: null });
  for (const cas of systems.values()) {
    const { casId } = cas;
    const heard = cards.get(casId) ?? 0;
    const why = operation === null ? 'no_value' : misfitOf(operation, cas);
    if (why === null) {
      plus(tally.byCas, casId, heard);
      plus(tally.byLanguage, language, heard);
      continue;
    }
    plus(tally.leftOut, why, heard);
    const length = operation && why === 'too_long' ? lengthAt(operation, cas) : null;
    if (why !== 'no_value') addMisfit(tally, { casId, language, why, cards: heard, length });
  }
  const text = operation === null ? '' : textOf(operation);
  if (text !== '') tally.texts.push({ card: null, text });
}

/** `broadcasts`: how many commands reach them all; null: each card has its own. */
function summed(
  { byCas, byLanguage, leftOut, misfits, texts }: Tally,
  { content, target }: Campaign,
  site: Site,
  broadcasts: number | null,
): Preview {
  const { perMinute, cardsAlone: alone } = rulesOf(site).messages;
  const cards = [...byCas.values()].reduce((sum, n) => sum + n, 0);
  // Each system is given its own at this rate, beside the others.
  const most = broadcasts === null ? Math.max(0, ...byCas.values()) : 1;
  return {
    ...{ cards, commands: broadcasts ?? cards, texts, misfits: [...misfits.values()] },
    byCas: [...byCas].map(([casId, n]) => ({ casId, cards: n })),
    byLanguage: [...byLanguage].map(([language, n]) => ({ language, cards: n })),
    leftOut: [...leftOut].map(([why, n]) => ({ why, cards: n })),
    seconds: Math.ceil((most * MINUTE_SECONDS) / perMinute),
    needsSecond: needsSecond(content.kind, target, { cards, alone }),
  };
}
