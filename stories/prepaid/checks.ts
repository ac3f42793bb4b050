/** The expectations of a case, read from a house, and compared. */
import { formatMinor } from '../../src/platform/money/amount.ts';
import { field } from '../fields.ts';
import { BadCase } from '../result.ts';
import type { Answer, Story } from './actions.ts';
import { type Check, text } from './file.ts';
import type { Said } from './house.ts';

/** Where and when a check is read. */
export interface Reading {
  story: Story;
  at: Date;
  /** Answers of the actions so far, by `seq`. */
  answers: ReadonlyMap<number, Answer>;
}

type Reader = (reading: Reading, check: Check) => Promise<unknown>;

const seconds = (at: Date): string => at.toISOString().replace('.000Z', 'Z');

function currencyOf({ accounts }: Story, { account = 'main' }: Check): string {
  const found = accounts.get(account);
  if (!found) throw new BadCase(`there is no account ${account}`);
  return found.currency;
}

function answerTo({ answers }: Reading, { step }: Check): Answer {
  const answer = step && answers.get(step.after);
  if (!answer) throw new BadCase('an answer is read after an action');
  return answer;
}

const READERS: Record<string, Reader> = {
  async term({ story }, check) {
    const run = await story.house.term(text(check, 'ref'));
    return run && { from: seconds(run.from), to: seconds(run.to) };
  },
  state: ({ story, at }, check) => story.house.state(text(check, 'ref'), at),
  async rights({ story, at }, check) {
    const rights = await story.house.rights(text(check, 'card'), at);
    return rights.map(({ product, from, to }) => ({
      product,
      from: seconds(from),
      to: seconds(to),
    }));
  },
  async wallet({ story }, check) {
    const currency = currencyOf(story, check);
    const wallet = await story.house.wallet(check.account ?? 'main');
    return Object.fromEntries(
      Object.entries(wallet).map(([name, amount]) => [name, formatMinor(amount, currency)]),
    );
  },
  async tvu({ story }, check) {
    const units = await story.house.units(check.account ?? 'main');
    const asked = Object.keys(check.value as object);
    const owned = [...units].flatMap(([asset, n]) => (n === 0n ? [] : [asset.slice(4)]));
    return Object.fromEntries(
      [...new Set([...asked, ...owned])].map((country) => [
        country,
        String(units.get(`TVU-${country}`) ?? 0n),
      ]),
    );
  },
  journal: async ({ story }) => journalOf(await story.house.journal()),
  journals_balanced: async ({ story }) => {
    const faults = await story.house.faults();
    return faults.length === 0 ? true : faults;
  },
  async suspense({ story }, check) {
    const currency = text(check, 'currency');
    return formatMinor(await story.house.suspense(currency), currency);
  },
  async promotion_budget({ story }, check) {
    const code = text(check, 'code');
    return formatMinor(
      await story.house.promotionBudget(code),
      story.setup.promotionCurrency(code),
    );
  },
  message: async ({ story }, check) => messageOf(story, check, await story.house.said()),
  error: async (reading, check) => answerTo(reading, check).error,
  answer: async (reading, check) => answerTo(reading, check).answer,
  async same_answer({ answers }, check) {
    const [first = 0, second = 0] = field(check, 'actions') as number[];
    return isSame(answers.get(first) ?? null, answers.get(second) ?? null);
  },
};

/** Kinds of the books that the cases know under one name. */
const REVENUE: ReadonlySet<string> = new Set(['deferred_revenue', 'earned_revenue']);

function journalOf(books: ReadonlyMap<string, ReadonlyMap<string, bigint>>) {
  const read: Record<string, Record<string, string>> = {};
  for (const [asset, kinds] of books) {
    const sums = new Map<string, bigint>();
    for (const [kind, amount] of kinds) {
      const name = REVENUE.has(kind) ? 'revenue' : kind;
      sums.set(name, (sums.get(name) ?? 0n) + amount);
    }
    const written = [...sums]
      .filter(([, amount]) => amount !== 0n)
      .map(([kind, amount]) => [
        kind,
        asset.startsWith('TVU-') ? String(amount) : formatMinor(amount, asset),
      ]);
    if (written.length > 0) read[asset.replace('-', '.')] = Object.fromEntries(written);
  }
  return read;
}

/** Amounts of a message by the name the cases have for it; null where it is another. */
function amountOf({ message }: Said, kind: string): { amount: bigint; asset: string } | null {
  if (kind === 'missing_amount' && message.name === 'credit_kept' && message.missing) {
    return { amount: message.missing.amount, asset: message.asset };
  }
  if (kind === 'renewal_failed' && message.name === 'renewal_failed') {
    return { amount: message.missing, asset: message.asset };
  }
  const isSum =
    (kind === 'suspense' && message.name === 'in_suspense') ||
    (kind === 'event_refunded' && message.name === 'event_refunded');
  return isSum ? { amount: message.amount, asset: message.asset } : null;
}

function messageOf(story: Story, check: Check, said: readonly Said[]): unknown {
  const { kind } = check.value as { kind: string };
  const named = check.account === undefined ? null : story.accounts.get(check.account);
  const readers = named ? [named] : [...story.accounts.values()];
  const phones = new Set(readers.map((account) => account.msisdn));
  for (const one of [...said].reverse()) {
    const sum = amountOf(one, kind);
    if (!sum || (kind !== 'suspense' && !phones.has(one.to))) continue;
    const to = kind === 'suspense' ? one.to : 'subscriber';
    return { kind, to, amount: formatMinor(sum.amount, sum.asset) };
  }
  return null;
}

/** Reads what a check asks about. */
export async function read(reading: Reading, check: Check): Promise<unknown> {
  const reader = READERS[check.check];
  if (!reader) throw new BadCase(`there is no check ${check.check}`);
  return reader(reading, check);
}

/** Equal as data: the order of names does not count, nor do zeros at the end of a decimal. */
export const isSame = (a: unknown, b: unknown): boolean => canonical(a) === canonical(b);

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join()}]`;
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${fields.map(([name, one]) => `${name}:${canonical(one)}`).join()}}`;
  }
  if (typeof value === 'string' && /^-?\d+\.\d+$/.test(value)) {
    return JSON.stringify(value.replace(/\.?0+$/, ''));
  }
  return JSON.stringify(value);
}
