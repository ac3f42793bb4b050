/**
 * Settlement as text tables. Each line is an act and, behind the bar, its answer:
 *
 *     pay A1 1000.00          | settled to 2026-12-23 credit 0.00
 *   + pay J1 10.00            | settled credit 10.00
 *     amina                   | 0.00 held 0.00 units 0
 *
 * A line with `+` is decided in the same batch as the one above. Amounts are of the card's site.
 */
import { formatLocalDate, localDate } from '../../platform/calendar.ts';
import { formatMinor, parseAmount } from '../../platform/money/amount.ts';
import type { PaymentPolicy } from '../catalogue/rules.ts';
import type { Command, CommandBase, Purpose, Saying, Settled } from './commands.ts';
import { faultsOf } from './faults-harness.ts';
import { createOperator, EVENT_ID, NUMBER, PHONE } from './operator-harness.ts';
import { channelOf, type Paper } from './paper-harness.ts';

const START = '2026-11-23T11:02:00Z';

interface Play {
  paper: Paper;
  at: Date;
  serial: number;
  orders: Map<string, bigint>;
  /** What the last act had to say. */
  said: readonly Saying[];
}

/** Asserts that every act of the table is answered as it says, and that the books are sound. */
export function holds(table: string, policy: Partial<PaymentPolicy> = {}): void {
  expect(play(createOperator({ policy }), table)).toEqual(linesOf(table));
}

/** Plays the table and gives it back with the answers that really came, and what does not hold. */
export function play(paper: Paper, table: string): string[] {
  const state: Play = { paper, at: new Date(START), serial: 0, orders: new Map(), said: [] };
  const rows = rowsOf(table);
  const played: string[] = [];
  for (let i = 0; i < rows.length; ) {
    let end = i + 1;
    while (rows[end]?.act.startsWith('+')) end += 1;
    const batch = rows.slice(i, end);
    const answers = playBatch(
      state,
      batch.map(({ act }) => act.replace('+ ', '').split(' ')),
    );
    played.push(...batch.map(({ act }, k) => textOf(act, answers[k] ?? '')));
    i = end;
  }
  return [...played, ...faultsOf(paper)];
}

/** The lines of a table as `play` gives them back. */
export const linesOf = (table: string): string[] =>
  rowsOf(table).map(({ act, answer }) => textOf(act, answer));

const rowsOf = (table: string) =>
  table
    .split('\n')
    .map((line) => line.replace(/\/\/.*$/, '').trim())
    .filter(Boolean)
    .map((line) => {
      const [act = '', answer = ''] = line.split('|').map((part) => part.trim());
      return { act: act.replace(/\s+/g, ' '), answer: answer.replace(/\s+/g, ' ') };
    });

const textOf = (act: string, answer: string): string => (answer ? `${act} | ${answer}` : act);

function playBatch(state: Play, acts: readonly string[][]): string[] {
  const { paper } = state;
  const seen = look(state, acts[0] ?? []);
  if (seen !== null) return [seen];
  const before = paper.said.length;
  try {
    const commands = acts.map((words) => commandOf(state, words));
    const answers = paper.settle(commands);
    state.said = paper.said.slice(before);
    return answers.map((answer, i) => answerText(paper, acts[i] ?? [], answer));
  } catch (error) {
    return [`throws ${(error as Error).message}`];
  }
}

/** Lines that only look, move the clock or write an order; null: an act of settlement. */
function look(state: Play, [verb = '', first = '', ...more]: string[]): string | null {
  const { paper } = state;
  if (verb === 'at') {
    state.at = new Date(first);
    return '';
  }
  if (verb === 'missing') {
    for (const product of [first, ...more]) paper.missing.add(product);
    return '';
  }
  if (verb === 'order') {
    const [name = '', what = '', amount = ''] = more;
    const asset = assetOf(paper, name);
    const order = { msisdn: PHONE.amina ?? '', amount: minor(amount, asset), asset };
    state.orders.set(first, paper.order({ ...order, purpose: purposeOf(paper, name, what) }));
    return '';
  }
  if (verb === 'said') return state.said.map((saying) => sayingText(saying)).join(', ');
  if (verb === 'books') return booksText(paper, first);
  if (paper.cardIds.has(verb)) return cardText(paper, verb);
  return paper.subscribers.has(verb) || paper.resellers.has(verb) ? walletText(paper, verb) : null;
}

function purposeOf(paper: Paper, name: string, what: string): Purpose {
  const subscriber = paper.subscribers.get(name);
  if (subscriber) return { kind: 'tvu', subscriberId: subscriber.id };
  const cardId = paper.cardIds.get(name) ?? 0n;
  if (what === 'event') return { kind: 'event', cardId, eventId: EVENT_ID };
  if (what === 'nothing') return { kind: 'credit', cardId };
  return { kind: 'term', cardId, term: what as 'day' | 'week' | 'month' };
}

function commandOf(state: Play, [verb = '', ...words]: string[]): Command {
  const { paper } = state;
  const [first = '', second = '', third = '', fourth = ''] = words;
  state.serial += 1;
  const siteId = siteIdOf(paper, first);
  const base: CommandBase = {
    provider: 'paper',
    receipt: `R${state.serial}`,
    channelId: channelOf(siteId),
    siteId,
    at: state.at,
    raw: Buffer.alloc(0),
  };
  const phone = (name: string) => PHONE[name] ?? name;
  switch (verb) {
    case 'pay':
      return payment(state, base, words);
    case 'notice':
      return { ...base, kind: 'tvu_notice', msisdn: phone(first), units: BigInt(second) };
    case 'convert':
      return { ...base, kind: 'convert_tvu', msisdn: phone(first), units: BigInt(second) };
    case 'send': {
      const to = phone(second);
      return {
        ...base,
        kind: 'transfer_tvu',
        fromMsisdn: phone(first),
        toMsisdn: to,
        units: BigInt(third),
      };
    }
    case 'buy': {
      const purpose = purposeOf(paper, second, third);
      if (purpose.kind !== 'event' && purpose.kind !== 'term') throw new Error('Nothing to buy');
      return {
        ...base,
        kind: 'buy',
        msisdn: phone(first),
        purpose,
        means: fourth === 'by' ? 'tvu' : 'credit',
      };
    }
    case 'renew':
      return { ...base, kind: 'renew', cardId: paper.cardIds.get(first) ?? 0n };
    case 'lend':
    case 'try':
    case 'ask':
    case 'enlist':
    case 'compensate':
      return cardAct(base, verb, paper.cardIds.get(first) ?? 0n);
    case 'capture':
    case 'release':
      return { ...base, kind: `${verb}_event`, purchaseId: purchaseId(paper, first) };
    case 'reverse':
      return { ...base, kind: 'reverse_payment', original: { provider: 'paper', receipt: first } };
    default:
      throw new Error(`No such act: ${verb}`);
  }
}

/** An act on the subscription of a card, of a month or of two days where it has a length. */
function cardAct(
  base: CommandBase,
  verb: 'lend' | 'try' | 'ask' | 'enlist' | 'compensate',
  cardId: bigint,
): Command {
  const term = 'month';
  switch (verb) {
    case 'lend':
      return { ...base, kind: 'take_loan', cardId };
    case 'try':
      return { ...base, kind: 'grant_trial', cardId };
    case 'ask':
      return { ...base, kind: 'request_renewal', cardId, term };
    case 'enlist':
      return { ...base, kind: 'set_auto_renew', cardId, term };
    case 'compensate':
      return { ...base, kind: 'incident', incident: base.receipt, days: 2, cardIds: [cardId] };
  }
}

/** `pay <card, phone, words> <amount> [in <asset>] [by <phone>] [order <name>] [over <site>]` */
function payment(state: Play, base: CommandBase, words: readonly string[]): Command {
  const [to = '', amount = ''] = words;
  const after = (word: string): string | null => {
    const at = words.indexOf(word);
    return at < 0 ? null : (words[at + 1] ?? null);
  };
  const over = after('over');
  const siteId = over === null ? base.siteId : BigInt(over);
  const asset = after('in') ?? state.paper.catalogue.sites.get(siteId)?.currency ?? '';
  const payer = after('by');
  const order = after('order');
  return {
    ...base,
    kind: 'payment',
    siteId,
    channelId: channelOf(siteId),
    amount: minor(amount, asset),
    asset,
    accountRef: to === '-' ? null : (NUMBER[to] ?? PHONE[to] ?? to),
    payerMsisdn: payer && (PHONE[payer] ?? payer),
    payerHash: null,
    orderId: order === null ? null : (state.orders.get(order) ?? 0n),
  };
}

const purchaseId = (paper: Paper, cardName: string): bigint => {
  const cardId = paper.cardIds.get(cardName);
  return [...paper.purchases.values()].find((purchase) => purchase.cardId === cardId)?.id ?? 0n;
};

const siteIdOf = (paper: Paper, name: string): bigint => {
  const person = paper.subscribers.get(name) ?? paper.resellers.get(name);
  return person?.siteId ?? (paper.cardIds.has(name) ? paper.card(name).siteId : 1n);
};

const assetOf = (paper: Paper, name: string): string =>
  paper.catalogue.sites.get(siteIdOf(paper, name))?.currency ?? '';

function minor(text: string, asset: string): bigint {
  const parsed = parseAmount(text, asset);
  if (!parsed.ok) throw new Error(`${text} is no amount of ${asset}`);
  return parsed.minor;
}

const money = (amount: bigint, asset: string): string =>
  asset.startsWith('TVU') ? amount.toString() : formatMinor(amount, asset);

/** The last day paid, which is the day before the end. */
function lastDay(paper: Paper, end: Date, siteId: bigint): string {
  const timeZone = paper.catalogue.sites.get(siteId)?.timeZone ?? 'UTC';
  return formatLocalDate(localDate(new Date(end.getTime() - 1), timeZone));
}

function answerText(paper: Paper, words: readonly string[], answer: Settled): string {
  const name = words[1] ?? '';
  const { state, code, paidUntil, credit, units } = answer;
  if (code) return `${state} ${code}`;
  const parts: string[] = [state];
  if (paidUntil) parts.push(`to ${lastDay(paper, new Date(paidUntil), siteIdOf(paper, name))}`);
  if (credit !== null) parts.push(`credit ${money(BigInt(credit), assetOf(paper, name))}`);
  if (units !== null) parts.push(`units ${units}`);
  return parts.join(' ');
}

function walletText(paper: Paper, name: string): string {
  const balance = (id: bigint) => paper.balances.get(id) ?? 0n;
  const reseller = paper.resellers.get(name);
  if (reseller) return `units ${balance(reseller.tvuWalletId)}`;
  const person = paper.subscribers.get(name);
  if (!person) return 'nobody';
  const asset = assetOf(paper, name);
  const wallet = money(balance(person.walletId), asset);
  const held = money(balance(person.heldId), asset);
  return `${wallet} held ${held} units ${balance(person.tvuWalletId)}`;
}

function cardText(paper: Paper, name: string): string {
  const { subscription, desired, siteId } = paper.card(name);
  const from = subscription?.runFrom?.toISOString().slice(0, 16);
  const until = subscription?.paidUntil && lastDay(paper, subscription.paidUntil, siteId);
  const run = until ? `${from} to ${until}` : 'never paid';
  const waits = subscription?.waitingTerm ? [`waits for a ${subscription.waitingTerm}`] : [];
  return [run, ...waits, desired.map((right) => right.product).join(' ') || 'dark'].join(', ');
}

function sayingText({ to, message }: Saying): string {
  const names: Record<string, string> = { ...PHONE, ...NUMBER };
  const target = to.kind === 'osd' ? to.cardNumber : to.msisdn;
  const who = Object.keys(names).find((name) => names[name] === target) ?? target;
  const missing =
    message.name === 'credit_kept' && message.missing
      ? ` missing ${money(message.missing.amount, message.asset)}`
      : message.name === 'renewal_failed'
        ? ` missing ${money(message.missing, message.asset)}`
        : '';
  return `${who}: ${message.name}${missing}`;
}

const booksText = (paper: Paper, asset: string): string =>
  Object.entries(paper.books(asset))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([kind, amount]) => `${kind} ${money(amount, asset)}`)
    .join(' ');
