/** The line language of scripted dialogues. One step a line; `#` at its beginning comments. */

const SCRIPT_LINES_MAX = 2_000;
const WAIT_MS_MAX = 60_000;

export type Pattern = { kind: 'regex'; regex: RegExp } | { kind: 'literal'; text: string };

export type Action =
  | { verb: 'phone'; msisdn: string }
  | { verb: 'channel'; name: string }
  | { verb: 'dial'; code: string }
  | { verb: 'send'; input: string }
  | { verb: 'expect'; pattern: Pattern }
  | { verb: 'expect_end' }
  | { verb: 'abort' }
  | { verb: 'repeat' }
  | { verb: 'wait'; ms: number }
  | { verb: 'wait_text'; pattern: Pattern; ms: number }
  | { verb: 'prompt_accept'; pin: string }
  | { verb: 'prompt_cancel' }
  | { verb: 'prompt_wrong' };

export type Step = Action & { line: number; source: string };

export type ScriptResult = { ok: true; steps: Step[] } | { ok: false; errors: string[] };

/** Reads a whole script; every bad line is told as `file:line: what is wrong`. */
export function parseScript(text: string, file: string): ScriptResult {
  const lines = text.split(/\r?\n/);
  if (lines.length > SCRIPT_LINES_MAX) {
    return { ok: false, errors: [`${file}: more than ${SCRIPT_LINES_MAX} lines`] };
  }
  const steps: Step[] = [];
  const errors: string[] = [];
  for (const [index, raw] of lines.entries()) {
    const source = raw.trim();
    if (source === '' || source.startsWith('#')) continue;
    const action = parseLine(source);
    const line = index + 1;
    if (typeof action === 'string') errors.push(`${file}:${line}: ${action}`);
    else steps.push({ ...action, line, source });
  }
  if (steps.length === 0 && errors.length === 0) errors.push(`${file}: no steps`);
  return errors.length > 0 ? { ok: false, errors } : { ok: true, steps };
}

/** The action of a line, or the sentence that says why it is none. */
function parseLine(source: string): Action | string {
  const space = source.indexOf(' ');
  const verb = space < 0 ? source : source.slice(0, space);
  const rest = space < 0 ? '' : source.slice(space + 1).trim();
  const parse = verbs[verb];
  return parse === undefined ? `"${verb}" is not a step; there are: ${verbNames}` : parse(rest);
}

const verbs: Record<string, (rest: string) => Action | string> = {
  phone: (rest) =>
    /^\+\d{7,15}$/.test(rest)
      ? { verb: 'phone', msisdn: rest }
      : 'phone takes a number like +254700000001',
  channel: (rest) =>
    rest === '' ? 'channel takes a name like ke-ussd' : { verb: 'channel', name: rest },
  dial: (rest) =>
    /^\*[\d*]+#$/.test(rest) ? { verb: 'dial', code: rest } : 'dial takes a code like *384*100#',
  send: (rest) => (rest === '' ? 'send takes what is typed' : { verb: 'send', input: rest }),
  expect: parseExpect,
  abort: (rest) => (rest === '' ? { verb: 'abort' } : 'abort takes nothing'),
  repeat: (rest) => (rest === '' ? { verb: 'repeat' } : 'repeat takes nothing'),
  wait: parseWait,
  prompt: parsePrompt,
};
const verbNames = Object.keys(verbs).join(', ');

function parseExpect(rest: string): Action | string {
  if (rest === 'end') return { verb: 'expect_end' };
  const pattern = parsePattern(rest);
  return typeof pattern === 'string' ? `expect takes end, ${pattern}` : { verb: 'expect', pattern };
}

function parseWait(rest: string): Action | string {
  if (!rest.startsWith('text ')) {
    const ms = parseMs(rest);
    return ms === null ? waitUsage : { verb: 'wait', ms };
  }
  const split = /^text (.+) (\d+(?:ms|s))$/.exec(rest);
  const ms = parseMs(split?.[2] ?? '');
  if (ms === null) return waitUsage;
  const pattern = parsePattern((split?.[1] ?? '').trim());
  return typeof pattern === 'string'
    ? `wait text takes ${pattern}, then a time`
    : { verb: 'wait_text', pattern, ms };
}

const waitMax = `at most ${WAIT_MS_MAX / 1000}s`;
const waitUsage = `wait takes a time like 500ms or 10s (${waitMax}), or: text /words/ 10s`;

function parsePrompt(rest: string): Action | string {
  const accept = /^accept (\d{4,6})$/.exec(rest);
  if (accept !== null) return { verb: 'prompt_accept', pin: accept[1] ?? '' };
  if (rest === 'cancel') return { verb: 'prompt_cancel' };
  return rest === 'wrong'
    ? { verb: 'prompt_wrong' }
    : 'prompt takes: accept 1234, cancel, or wrong';
}

function parseMs(text: string): number | null {
  const parts = /^(\d{1,6})(ms|s)$/.exec(text);
  if (parts === null) return null;
  const ms = Number(parts[1]) * (parts[2] === 's' ? 1000 : 1);
  return ms <= WAIT_MS_MAX ? ms : null;
}

function parsePattern(text: string): Pattern | string {
  const literal = /^"(.*)"$/.exec(text);
  if (literal !== null) return { kind: 'literal', text: literal[1] ?? '' };
  const regex = /^\/(.*)\/([imsu]*)$/.exec(text);
  if (regex === null) return 'a "literal" or a /regular expression/i';
  try {
    return { kind: 'regex', regex: new RegExp(regex[1] ?? '', regex[2]) };
  } catch (error) {
    return `a regular expression; this is none: ${(error as Error).message}`;
  }
}

/** Whether the text holds the pattern. */
export function matches(pattern: Pattern, text: string): boolean {
  return pattern.kind === 'literal' ? text.includes(pattern.text) : pattern.regex.test(text);
}

/** The pattern as a script writes it. */
export function written(pattern: Pattern): string {
  return pattern.kind === 'literal' ? `"${pattern.text}"` : String(pattern.regex);
}
