/**
 * Reports as of an instant that has passed. None reads what is so now: asked again for the same
 * instant, a report is the same, and so is its SHA-256.
 */
import { hash } from 'node:crypto';
import type { ClientBase, Pool } from 'pg';
import { SEEN, SUSPENDED } from '../air/rules.ts';
import { REPORTS, type ReportName } from './definitions.ts';
import { type LineUpEntry, lineUpAt } from './line-up.ts';
import {
  AGES,
  agesOf,
  blacklistedAt,
  catalogueTextAt,
  countRegistered,
  countShown,
  knownUntil,
  productsOfCard,
  type Shown,
} from './store.ts';

type Db = Pool | ClientBase;
type Cell = string | number;

export interface ReportQuestion {
  name: ReportName;
  /** Left out: the last instant of which everything is known. */
  at?: Date | undefined;
  /** The number of a card; for `card`, which needs it, alone. */
  card?: string | undefined;
}

export interface Report {
  name: ReportName;
  /** Of the query; another one may count otherwise. */
  version: number;
  definition: string;
  at: string;
  card: string | null;
  columns: string[];
  rows: Cell[][];
  /** Of the report's canonical text, hexadecimal. */
  sha256: string;
}

export type ReportAnswer =
  | { ok: true; report: Report }
  /** `too_late`: what happened then is not known wholly yet. */
  | { ok: false; error: 'too_late' | 'card_needed' };

interface Table {
  columns: string[];
  rows: Cell[][];
}

/** Answers a report; see `REPORTS` for what each says. */
export async function runReport(db: Db, question: ReportQuestion): Promise<ReportAnswer> {
  const { name, card } = question;
  const known = await knownUntil(db);
  const at = question.at ?? known;
  if (!known || !at || at > known) return { ok: false, error: 'too_late' };
  if (name === 'card' && card === undefined) return { ok: false, error: 'card_needed' };
  const table = await TABLES[name](db, at, card ?? '');
  const head = { ...{ name, ...REPORTS[name] }, at: at.toISOString(), card: card ?? null };
  const report = { ...head, ...table };
  return { ok: true, report: { ...report, sha256: hash('sha256', canonicalReport(report)) } };
}

/** The text that a report's SHA-256 is of: JSON in this order of names, without spaces. */
export const canonicalReport = (report: Omit<Report, 'sha256'>): string => {
  const { name, version, definition, at, card, columns, rows } = report;
  return JSON.stringify({ name, version, definition, at, card, columns, rows });
};

/** The rows as separated values (RFC 4180), the columns first. */
export function reportCsv({ columns, rows }: Pick<Report, 'columns' | 'rows'>): string {
  const cell = (value: Cell): string => {
    const text = String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  return [columns, ...rows].map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

const TABLES: Record<ReportName, (db: Db, at: Date, card: string) => Promise<Table>> = {
  async registered(db, at) {
    return { columns: ['cards'], rows: [[await countRegistered(db, at)]] };
  },
  async active(db, at) {
    const active = (await countShown(db, at)).filter(isActive);
    const products = [...new Set(active.flatMap((shown) => shown.products))].sort();
    const rows = products.map((product): Cell[] => [product, cardsOf(active, [product])]);
    return { columns: ['product', 'cards'], rows: [['all', sumOf(active)], ...rows] };
  },
  async suspended(db, at) {
    return { columns: ['cards'], rows: [[cardsOf(await countShown(db, at), [SUSPENDED])]] };
  },
  async deactivated(db, at) {
    const shown = await countShown(db, at);
    const showing = shown.filter(({ products }) => !products.includes(SEEN));
    return { columns: ['cards'], rows: [[cardsOf(shown, [SEEN]) - sumOf(showing)]] };
  },
  async blacklisted(db, at) {
    const rows = (await blacklistedAt(db, at)).map(({ kind, device, since }): Cell[] => [
      kind === 'stb' ? 'decoder' : 'card',
      device,
      since.toISOString(),
    ]);
    return { columns: ['kind', 'device', 'since'], rows };
  },
  async monthly(db, at) {
    return await monthly(db, at);
  },
  async bouquets(db, at) {
    const entries = (await lineUp(db, at)).filter(({ kind }) => kind === 'bouquet');
    const rows = entries.flatMap(({ code, country, channels }) =>
      channels.map((channel): Cell[] => [code, country, channel]),
    );
    return { columns: ['bouquet', 'country', 'channel'], rows };
  },
  async audience(db, at) {
    const counts = await audience(db, at);
    const rows = counts.map(({ kind, code, country, cards }): Cell[] => [
      kind,
      code,
      country,
      cards,
    ]);
    return { columns: ['kind', 'code', 'country', 'cards'], rows };
  },
  async card(db, at, card) {
    const found = await productsOfCard(db, card, at);
    const rows = found.map(({ product, since }): Cell[] => [
      STATES[product] ?? product,
      since.toISOString(),
    ]);
    return { columns: ['product', 'since'], rows };
  },
  async ageing(db, at) {
    const rows = (await agesOf(db, at)).map(({ product, cards }): Cell[] => [product, ...cards]);
    return { columns: ['product', ...AGE_COLUMNS], rows };
  },
};

const STATES: Record<string, string> = { [SUSPENDED]: 'suspended', [SEEN]: 'deactivated' };

const AGE_COLUMNS = AGES.map((from, n) => {
  const next = AGES[n + 1];
  return next === undefined ? `${from} days and more` : `${from} to ${next - 1} days`;
});

const isActive = ({ products: [first] }: Shown): boolean => first !== SUSPENDED && first !== SEEN;

const sumOf = (shown: readonly Shown[]): number => shown.reduce((sum, { cards }) => sum + cards, 0);

/** Cards that showed any of these. */
const cardsOf = (shown: readonly Shown[], products: readonly string[]): number =>
  sumOf(shown.filter((one) => one.products.some((product) => products.includes(product))));

async function lineUp(db: Db, at: Date): Promise<LineUpEntry[]> {
  const text = await catalogueTextAt(db, at);
  return text === null ? [] : lineUpAt(text, at);
}

type Counted = LineUpEntry & { cards: number };

async function audience(db: Db, at: Date): Promise<Counted[]> {
  const entries = await lineUp(db, at);
  const shown = await countShown(db, at);
  return entries.map((entry) => ({ ...entry, cards: cardsOf(shown, entry.products) }));
}

const SNAPSHOT_DAYS = [7, 14, 21, 28] as const;
const SNAPSHOT_COLUMNS = ['on the 7th', 'on the 14th', 'on the 21st', 'on the 28th'];
const SNAPSHOT_HOUR = 21;

/** Of the calendar month (UTC) in which the instant lies; snapshots behind it are empty. */
async function monthly(db: Db, at: Date): Promise<Table> {
  const taken: Map<string, number>[] = [];
  const entries = new Map<string, Counted>();
  for (const day of SNAPSHOT_DAYS) {
    const snapshot = new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), day, SNAPSHOT_HOUR));
    if (snapshot > at) break;
    const counted = await audience(db, snapshot);
    const nameOf = ({ kind, code, country }: Counted) => `${kind} ${code} ${country}`;
    for (const entry of counted) entries.set(nameOf(entry), entry);
    taken.push(new Map(counted.map((entry) => [nameOf(entry), entry.cards])));
  }
  const rows = [...entries].map(([key, { kind, code, country }]): Cell[] => {
    const cards = taken.map((counts) => counts.get(key) ?? 0);
    const empty = SNAPSHOT_DAYS.slice(cards.length).map(() => '');
    return [kind, code, country, ...cards, ...empty, meanOf(cards)];
  });
  return { columns: ['kind', 'code', 'country', ...SNAPSHOT_COLUMNS, 'mean'], rows };
}

/** To two places, half up. */
function meanOf(cards: readonly number[]): string {
  const sum = cards.reduce((total, count) => total + count, 0);
  const hundredths = Math.floor((200 * sum + cards.length) / (2 * Math.max(1, cards.length)));
  return `${Math.floor(hundredths / 100)}.${String(hundredths % 100).padStart(2, '0')}`;
}
