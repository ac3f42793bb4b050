/**
 * Reads what a subscriber writes to us. Case, accents, punctuation and the order of the words do
 * not matter; words that mean nothing to us are passed over, but figures never are: a card or an
 * amount that can be read in two ways is not read at all. Pure, and total over any text.
 *
 * The words are those of operators in the field (BAL, DUE, RESET, PAY), in English and French, with
 * some in Swahili. Error codes: E16 and its kin, and V01 to V08, as decoders show them.
 */
import { isTermName } from '../../../billing/catalogue/terms.ts';
import { cardNumber } from '../../../billing/settlement/reference.ts';
import type { TermName } from '../../ussd/services.ts';
import { typedAmount, typedEvent } from '../../ussd/typed.ts';

/** `card`: the digits as typed, eleven when whole; the last four will do where nothing is paid. */
export type Intent =
  | { kind: 'balance' | 'reset'; card: string | null }
  | { kind: 'pay'; what: PayWhat; card: string | null }
  /** `codes`: whatever may be the code of a film or match, in alphabetical order. */
  | { kind: 'buy'; codes: readonly string[]; card: string | null }
  | { kind: 'picture'; answer: 'back' | 'black' }
  | { kind: 'help' | 'stop' | 'start' | 'recharge' | 'object' | 'unknown' };

export type PayWhat =
  | { kind: 'usual' }
  | { kind: 'term'; term: TermName }
  /** Whole units of the currency. */
  | { kind: 'amount'; digits: string }
  | { kind: 'unclear' };

/** Ten parts of a long text; what is written behind them is not read. */
export const BODY_CHARS_MAX = 1_530;
const RECHARGE_DIGITS = 16;
const LAST_DIGITS = 4;
/** More digits than an amount may have: a card, well typed or not. */
const CARD_DIGITS_MIN = 9;
/** `Why does it stop at night?` is no wish to hear nothing more. */
const CHOICE_WORDS_MAX = 3;
const CODES_MAX = 8;

type Command =
  | 'balance'
  | 'reset'
  | 'pay'
  | 'buy'
  | 'recharge'
  | 'object'
  | 'stop'
  | 'start'
  | 'help';

const COMMANDS: ReadonlyMap<string, Command> = wordMap({
  balance: 'BAL BALANCE DUE SOLDE SALIO',
  reset: 'RESET BLOC BLOCK BLOCKED BLOQUE BLOQUEE',
  pay: 'PAY PAYER LIPA',
  buy: 'BUY ACHETER',
  recharge: 'RECH RECHARGE RECHARGER',
  stop: 'STOP STOPALL UNSUBSCRIBE END ARRET ARRETER ACHA',
  start: 'START',
  object: 'OBJECT OBJECTION REFUS REFUSE REFUSER OPPOSITION KATAA',
  help: 'HELP AIDE MSAADA',
});
const TERMS: ReadonlyMap<string, 'year' | 'quarter' | 'month' | 'week' | 'day'> = wordMap({
  year: 'YEAR YEARS AN ANS ANNEE ANNEES MWAKA',
  quarter: 'QUARTER QUARTERS TRIMESTRE TRIMESTRES',
  month: 'MONTH MONTHS MOIS MWEZI',
  week: 'WEEK WEEKS SEMAINE SEMAINES WIKI',
  day: 'DAY DAYS JOUR JOURS SIKU',
});
/** `10D`, `10J`: days, without a blank before the letter. */
const IN_DAYS = /^([1-9]\d{0,2})[DJ]$/;
const ANSWERS: ReadonlyMap<string, 'back' | 'black' | 'none'> = wordMap({
  back: '1 YES OUI BACK',
  black: '2 NO NON BLACK NOIR',
  none: 'PICTURE IMAGE IS STILL ENCORE TV',
});
/** What is written without a blank before or behind an amount. */
const CURRENCIES = new Set('KES KSH KSHS SH SHS F FCFA CFA XOF XAF'.split(' '));
/** What stands before the figure of a film's code, and means something else elsewhere. */
const CODE_STEMS = new Set(['F', 'AN', 'ANS']);
const ERROR_CODE = /^(?:E\d{2,3}|V0[1-8])$/;

function wordMap<K extends string>(words: Record<K, string>): ReadonlyMap<string, K> {
  const entries = Object.entries(words) as [K, string][];
  return new Map(entries.flatMap(([kind, list]) => list.split(' ').map((word) => [word, kind])));
}

/** What the text asks for; `unknown` when that cannot be told. Never throws. */
export function parseText(body: string): Intent {
  const plain = plainText(body);
  const { words, figures } = tokensOf(plain);
  if (words.length + figures.length === 0) return { kind: /\?/.test(plain) ? 'help' : 'unknown' };
  const answer = pictureAnswer([...words, ...figures]);
  if (answer) return { kind: 'picture', answer };
  const commands = commandsOf(words);
  // Who asks for help with something is helped with that.
  if (commands.size > 1) commands.delete('help');
  const [command, other] = commands;
  if (other !== undefined) return { kind: 'unknown' };
  return command === undefined ? figuresAlone(words, figures) : commandOf(command, words, figures);
}

/** The text as it is compared with others: words in capitals, without accents or punctuation. */
export function normalisedText(body: string): string {
  return (plainText(body).match(/[A-Z0-9]+/g) ?? []).join(' ');
}

/**
 * The text as it may be kept: of what may be the code of a scratch card, only the last four digits
 * stay readable, as whoever reads such a code can spend it.
 */
export function keptBody(body: string): string {
  const isCode = parseText(body).kind === 'recharge';
  const secret = isCode ? /\p{Nd}(?:[^\p{L}\p{Nd}]*\p{Nd}){11,}/gu : /\p{Nd}{12,}/gu;
  return body
    .slice(0, BODY_CHARS_MAX)
    .replaceAll('\0', '')
    .replace(secret, (run) => run.replace(/\p{Nd}(?=(?:\P{Nd}*\p{Nd}){4})/gu, '*'));
}

function plainText(body: string): string {
  const letters = body.slice(0, BODY_CHARS_MAX).normalize('NFKD').replace(/\p{M}/gu, '');
  // `E 16` and `E-16` are the code E16.
  return letters.toUpperCase().replace(/\b([EV])[ -](?=\d{2}\b)/g, '$1');
}

interface Tokens {
  words: string[];
  /** Digits; with points or commas between them where that may be part of an amount. */
  figures: string[];
}

function tokensOf(plain: string): Tokens {
  const words: string[] = [];
  const figures: string[] = [];
  for (const token of plain.match(/\d+(?:[.,]\d+)+|[A-Z0-9]+/g) ?? []) {
    const glued = /^([A-Z]*)(\d+)([A-Z]*)$/.exec(token);
    const [, before = '', digits = '', behind = ''] = glued ?? [];
    if (/[.,]/.test(token)) figures.push(...punctuated(token));
    else if (glued && !CODE_STEMS.has(before) && isGlue(before) && isGlue(behind)) {
      words.push(...[before, behind].filter((word) => COMMANDS.has(word) || TERMS.has(word)));
      figures.push(digits);
    } else {
      const card = withoutLetters(token);
      if (card) figures.push(card);
      else words.push(token);
    }
  }
  return { words, figures };
}

/** `PAY650`, `650F`, `BAL40210000018`; the error code E16 and the film code F1 stay whole. */
function isGlue(letters: string): boolean {
  return letters === '' || COMMANDS.has(letters) || TERMS.has(letters) || CURRENCIES.has(letters);
}

/** `4021.0000.018` is a card; in `650,40210000018` the comma separates; `1.000` stays as it is. */
function punctuated(token: string): string[] {
  const parts = token.split(/[.,]/);
  const joined = parts.join('');
  if (joined.length === 11 && cardNumber(joined)) return [joined];
  return parts.some((part) => part.length >= CARD_DIGITS_MIN) ? parts : [token];
}

/** A card typed with O for 0, or I or L for 1: believed when the check digit confirms it. */
function withoutLetters(token: string): string | null {
  if (!/^[0-9OIL]{11,16}$/.test(token) || !/\d/.test(token)) return null;
  return cardNumber(token.replace(/O/g, '0').replace(/[IL]/g, '1'));
}

function pictureAnswer(tokens: readonly string[]): 'back' | 'black' | null {
  const answers = new Set(tokens.map((token) => ANSWERS.get(token) ?? 'else'));
  answers.delete('none');
  const [answer] = answers;
  return answers.size === 1 && (answer === 'back' || answer === 'black') ? answer : null;
}

function commandsOf(words: readonly string[]): Set<Command> {
  const commands = new Set<Command>();
  for (const word of words) {
    const command = ERROR_CODE.test(word) ? 'reset' : COMMANDS.get(word);
    const isChoice = command === 'stop' || command === 'start';
    if (command && !(isChoice && words.length > CHOICE_WORDS_MAX)) commands.add(command);
  }
  if (words.includes('OFF') && words.includes('ON')) commands.add('reset');
  return commands;
}

function commandOf(command: Command, words: readonly string[], figures: string[]): Intent {
  if (command !== 'balance' && command !== 'reset' && command !== 'pay' && command !== 'buy') {
    return { kind: command };
  }
  const found = cardAmong(figures);
  if (!found.ok) {
    return command === 'pay' ? { kind: 'pay', what: UNCLEAR, card: null } : { kind: 'unknown' };
  }
  const { rest } = found;
  if (command === 'balance' || command === 'reset') {
    const digits = rest.join('').replace(/\D/g, '');
    return { kind: command, card: found.card ?? (digits.length >= LAST_DIGITS ? digits : null) };
  }
  const { card, others } = found.card ? { card: found.card, others: rest } : mistyped(rest);
  if (command === 'pay') return { kind: 'pay', what: payWhat(words, others), card };
  const codes = [...words.filter((word) => !COMMANDS.has(word)), ...others];
  return { kind: 'buy', codes: eventCodes(codes), card };
}

/** Figures without a word for what is wanted: a card is asked about, a scratch code recharges. */
function figuresAlone(words: readonly string[], figures: string[]): Intent {
  const joined = figures.join('');
  const isCode = (digits: string) => digits.length === RECHARGE_DIGITS && /^\d+$/.test(digits);
  if (figures.some(isCode) || isCode(joined)) return { kind: 'recharge' };
  const found = cardAmong(figures);
  if (words.length > 0 || !found.ok) return { kind: 'unknown' };
  if (found.card) return { kind: 'balance', card: found.card };
  const isLikeCard = joined.length >= CARD_DIGITS_MIN && joined.length < RECHARGE_DIGITS;
  return isLikeCard ? { kind: 'balance', card: joined } : { kind: 'unknown' };
}

type CardAmong = { ok: true; card: string | null; rest: string[] } | { ok: false };

/** The one card among the figures, in one piece or in printed groups; not ok when there are two. */
function cardAmong(figures: string[]): CardAmong {
  const whole = new Set(
    figures.map((figure) => cardNumber(figure)).filter((card) => card !== null),
  );
  if (whole.size > 1) return { ok: false };
  const [card] = whole;
  if (card) return { ok: true, card, rest: figures.filter((figure) => !cardNumber(figure)) };
  const runs: { card: string; rest: string[] }[] = [];
  for (let from = 0; from < figures.length; from += 1) {
    for (let to = from + 2; to <= figures.length && to - from <= 11; to += 1) {
      const digits = figures.slice(from, to).join('');
      const number = digits.length === 11 ? cardNumber(digits) : null;
      if (!number) continue;
      runs.push({ card: number, rest: [...figures.slice(0, from), ...figures.slice(to)] });
    }
  }
  if (runs.length > 1) return { ok: false };
  return { ok: true, ...(runs[0] ?? { card: null, rest: figures }) };
}

/** A figure too long for an amount is a card that was not typed well. */
function mistyped(figures: string[]): { card: string | null; others: string[] } {
  const card = figures.find((figure) => /^\d+$/.test(figure) && figure.length >= CARD_DIGITS_MIN);
  return { card: card ?? null, others: figures.filter((figure) => figure !== card) };
}

function payWhat(words: readonly string[], figures: readonly string[]): PayWhat {
  const inDays = words.map((word) => IN_DAYS.exec(word)?.[1]).filter((days) => days !== undefined);
  const terms = new Set(words.map((word) => TERMS.get(word)).filter((term) => term !== undefined));
  if (inDays.length > 0) terms.add('day');
  const [term] = terms;
  const [digits, ...more] = [...inDays, ...figures];
  if (terms.size > 1 || more.length > 0) return UNCLEAR;
  if (term) {
    const named = severalOf(digits ?? '1', term);
    return named ? { kind: 'term', term: named } : UNCLEAR;
  }
  if (digits === undefined) return { kind: 'usual' };
  // What begins with a zero is a piece of a card rather than an amount.
  const isAmount = !digits.startsWith('0') && typedAmount(digits, 0) !== null;
  return isAmount ? { kind: 'amount', digits } : UNCLEAR;
}

/** `10 days` and `3 months` are terms of their own; null for two weeks, which are none. */
function severalOf(digits: string, unit: TermName): TermName | null {
  if (digits === '1') return unit;
  if (unit === 'month') return digits === '3' ? 'quarter' : digits === '12' ? 'year' : null;
  const days = `${digits}d`;
  return unit === 'day' && isTermName(days) ? days : null;
}

const UNCLEAR: PayWhat = { kind: 'unclear' };

function eventCodes(tokens: readonly string[]): string[] {
  const codes = tokens.map(typedEvent).filter((code) => code !== null);
  return [...new Set(codes)].sort().slice(0, CODES_MAX);
}
