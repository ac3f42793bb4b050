/** Payment and prepaid rules of a site: the names of `policy.ts`, amounts written as decimals. */
import { isAlias, isNode, visit } from 'yaml';
import type { z } from 'zod';
import { formatDay } from '../../../platform/day.ts';
import { formatMinor, parseAmount } from '../../../platform/money/amount.ts';
import { type DunningPolicy, dunningPolicy } from '../dunning-policy.ts';
import { type PostpaidRules, paymentPolicy, postpaidRules, prepaidRules } from '../policy.ts';
import type { OwnRules, PaymentPolicy } from '../rules.ts';
import { hintFor, type Path, type Problems } from './problems.ts';
import { percentText } from './tax.ts';

type Data = Record<string, unknown>;

const isData = (value: unknown): value is Data =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What a payment does at a site; undefined, with problems, when it can't be read. */
export function readPayment(
  node: unknown,
  path: Path,
  problems: Problems,
): PaymentPolicy | undefined {
  return checked(paymentPolicy, dataOf(node), path, problems);
}

/** Where amounts stand, in the site's currency. */
const AMOUNTS: readonly (readonly [string, string])[] = [
  ['loan', 'fee'],
  ['loan', 'cap'],
  ['tvu', 'creditStep'],
];

/** The rules that differ from the defaults; undefined, with problems, when they can't be read. */
export function readRules(
  node: unknown,
  at: { path: Path; currency: string },
  problems: Problems,
): OwnRules | undefined {
  const { path, currency } = at;
  const data = dataOf(node);
  if (!isData(data)) return checked(prepaidRules, data, path, problems);
  for (const [group, name] of AMOUNTS) {
    const part = data[group];
    if (isData(part)) writeMinor(part, name, { path: [...path, group], currency }, problems);
  }
  const { tvu } = data;
  if (isData(tvu) && typeof tvu.leaveAtLeast === 'number') {
    tvu.leaveAtLeast = String(tvu.leaveAtLeast);
  }
  writePermyriad(data.commission);
  return checked(prepaidRules, data, path, problems);
}

const USUAL_POSTPAID = postpaidRules.parse({});

/** How a site bills postpaid, the usual way where nothing is said or it can't be read. */
export function readPostpaid(node: unknown, path: Path, problems: Problems): PostpaidRules {
  if (node === null) return USUAL_POSTPAID;
  return checked(postpaidRules, dataOf(node), path, problems) ?? USUAL_POSTPAID;
}

/** A dunning policy, amounts as decimals; undefined, with problems, when it can't be read. */
export function readDunning(
  node: unknown,
  at: { path: Path; currency: string },
  problems: Problems,
): DunningPolicy | undefined {
  const { path, currency } = at;
  const data = dataOf(node);
  if (isData(data)) {
    writeMinor(data, 'ignoreBelow', at, problems);
    const steps = Array.isArray(data.steps) ? data.steps : [];
    steps.forEach((step: unknown, index) => {
      const when = isData(step) ? step.when : undefined;
      const inStep = { path: [...path, 'steps', index, 'when'], currency };
      if (isData(when)) writeMinor(when, 'totalOwed', inStep, problems);
    });
  }
  return checked(dunningPolicy, data, path, problems);
}

/** A decimal becomes digits of minor units, as the schemas want it. */
function writeMinor(
  data: Data,
  name: string,
  { path, currency }: { path: Path; currency: string },
  problems: Problems,
): void {
  const text = data[name];
  if (typeof text !== 'string') return;
  const parsed = parseAmount(text, currency);
  // Where it can't be read, that is said here, or at the country; any amount will do to go on.
  data[name] = parsed.ok ? String(parsed.minor) : '1';
  if (!parsed.ok && parsed.error !== 'unknown_currency') {
    problems.at([...path, name], `${text} is no amount of ${currency}`);
  }
}

/** The rules as the file writes them, for people to read. */
export function writtenRules(rules: OwnRules, currency: string): Data {
  const { loan, tvu, commission, ...others } = rules;
  const money = (minor: bigint) => formatMinor(minor, currency);
  const data: Data = { ...others };
  if (loan) data.loan = { ...loan, fee: money(loan.fee), cap: money(loan.cap) };
  if (tvu) data.tvu = { ...tvu, creditStep: tvu.creditStep && money(tvu.creditStep) };
  if (commission) {
    const { percentPermyriad, ...rest } = commission;
    data.commission = { percent: percentText(percentPermyriad * 100n), ...rest };
  }
  return data;
}

/** A dunning policy as the file writes it, for people to read. */
export function writtenDunning(policy: DunningPolicy, currency: string): Data {
  const { ignoreBelow, steps, rest, ...others } = policy;
  return {
    ...others,
    ignoreBelow: formatMinor(ignoreBelow, currency),
    rest: { ...rest, dates: rest.dates.map(formatDay) },
    steps: steps.map(({ when, ...step }) => ({
      ...step,
      when: 'totalOwed' in when ? { totalOwed: formatMinor(when.totalOwed, currency) } : when,
    })),
  };
}

/** `percent: '7.5'` is 750n of `percentPermyriad`. */
function writePermyriad(commission: unknown): void {
  if (!isData(commission) || !('percent' in commission)) return;
  const { percent } = commission;
  const match = typeof percent === 'string' ? /^(\d{1,2})(?:\.(\d{1,2}))?$/.exec(percent) : null;
  commission.percentPermyriad = match ? `${match[1]}${(match[2] ?? '').padEnd(2, '0')}` : 'none';
  delete commission.percent;
}

/** Plain data of a node, a copy of its own. Undefined where it leans on another place. */
function dataOf(node: unknown): unknown {
  if (!isNode(node)) return undefined;
  let isAlone = true;
  visit(node, (_key, inner) => {
    if (isAlias(inner)) isAlone = false;
  });
  return isAlone ? JSON.parse(JSON.stringify(node)) : undefined;
}

function checked<T>(
  schema: z.ZodType<T>,
  data: unknown,
  path: Path,
  problems: Problems,
): T | undefined {
  const read = schema.safeParse(data);
  if (read.success) return read.data;
  for (const issue of read.error.issues) {
    const below = issue.path.map((step) =>
      typeof step === 'number' ? step : inFile(String(step)),
    );
    const at = [...path, ...below];
    if (issue.code === 'unrecognized_keys') {
      const known = keysAt(schema, issue.path);
      for (const key of issue.keys) {
        problems.atKey([...at, key], 'is not a known key here', hintFor(key, known));
      }
    } else if (issue.code === 'invalid_value') {
      problems.at(at, 'is not one of them', `known: ${issue.values.join(', ')}`);
    } else {
      const isMissing = issue.message.endsWith('received undefined');
      problems.at(at, isMissing ? 'is missing' : issue.message);
    }
  }
  return undefined;
}

/** The name that the file has for a name of `policy.ts`. */
const inFile = (name: string): string => (name === 'percentPermyriad' ? 'percent' : name);

/** The keys that a strict object knows at a place of a schema. */
function keysAt(schema: unknown, path: readonly PropertyKey[]): string[] {
  let here = schema as { shape?: Record<string, unknown>; unwrap?: () => unknown } | undefined;
  const opened = () => {
    while (here && !here.shape && here.unwrap) here = here.unwrap() as typeof here;
  };
  opened();
  for (const step of path) {
    here = here?.shape?.[String(step)] as typeof here;
    opened();
  }
  return Object.keys(here?.shape ?? {}).map(inFile);
}
