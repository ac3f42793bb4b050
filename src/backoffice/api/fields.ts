/** What requests and answers are made of, as zod schemas: strict, bounded, and safe to store. */
import { z } from 'zod';
import type { TermName } from '../../billing/catalogue/rules.ts';
import { TERM_PATTERN } from '../../billing/catalogue/terms.ts';
import { parseDay } from '../../platform/day.ts';
import { hasLuhnDigit } from '../../platform/luhn.ts';
import { currencyExponent, formatMinor, parseAmount } from '../../platform/money/amount.ts';

const INT8_MAX = 9_223_372_036_854_775_807n;
/** No control characters: Postgres refuses NUL, and the others are nobody's name. */
const PLAIN = /^\P{Cc}*$/u;

const ID = /^[1-9][0-9]{0,18}$/;
/** An id of ours, as digits. */
export const id = z
  .string()
  .regex(ID)
  // A refinement is asked also about what the shape refuses.
  .refine((text) => !ID.test(text) || BigInt(text) <= INT8_MAX, 'Too large')
  .transform(BigInt);

/** Ids in answers. */
export const idText = z.string().regex(ID);

/** One line of text, trimmed by nobody. */
export const text = (max: number, min = 1) =>
  z
    .string()
    .min(min)
    .max(max)
    .regex(PLAIN)
    .refine((value) => value.isWellFormed(), 'Not well-formed');

/** Why something is done; kept in the audit. */
export const reason = text(500, 3);

/** RFC 3339 in UTC. */
export const instant = z.iso.datetime();
/** An instant in a request. */
export const instantIn = z.iso
  .datetime()
  .refine((value) => /^(19|20|21)/.test(value), 'Out of range')
  .transform((value) => new Date(value));

/** A day of the calendar, `2026-11-23`. */
export const day = z.iso.date();
/** A day in a request. */
export const dayIn = z.iso
  .date()
  .refine((value) => /^(19|20|21)/.test(value), 'Out of range')
  .transform(parseDay);

export const phone = z.string().regex(/^\+[1-9][0-9]{6,14}$/);
export const cardNumber = z
  .string()
  .regex(/^[0-9]{11}$/)
  .refine(hasLuhnDigit, 'The last digit is not the Luhn digit of those before it');
export const cardNumberText = z.string().regex(/^[0-9]{11}$/);
export const siteCode = z.string().regex(/^[A-Z0-9_-]{1,20}$/);
export const language = z.enum(['en', 'fr']);
export const term = z.string().regex(TERM_PATTERN) as unknown as z.ZodType<TermName>;
export const currency = z.string().regex(/^[A-Z]{3}$/);

/** An amount of a currency as a plain decimal number. */
export const money = z
  .strictObject({
    amount: z.string().regex(/^-?[0-9]{1,19}(\.[0-9]{1,3})?$/),
    currency,
  })
  .meta({ id: 'Money' });

/** An amount to be paid: above nothing. */
export const moneyIn = z
  .strictObject({ amount: z.string().regex(/^[0-9]{1,15}(\.[0-9]{1,3})?$/), currency })
  .meta({ id: 'MoneyToPay' });

export type Money = z.output<typeof money>;

/** Minor units as they are answered. TV units and the like have no decimals. */
export const moneyOf = (minor: bigint, asset: string): Money => ({
  amount: currencyExponent(asset).ok ? formatMinor(minor, asset) : minor.toString(),
  currency: asset,
});

/** The most that one act may be about, in minor units: sums stay far inside 64 bits. */
export const AMOUNT_MAX = 10_000_000_000_000n;

export type MoneyFault = { path: string; code: string; message: string };

/** Minor units of an amount in `asset`, above 0 and at most `AMOUNT_MAX`, or what is wrong. */
export function minorOf(
  given: Money,
  asset: string,
): { ok: true; minor: bigint } | { ok: false; fault: MoneyFault } {
  const fault = (path: string, code: string, message: string) =>
    ({ ok: false, fault: { path, code, message } }) as const;
  if (given.currency !== asset) return fault('amount.currency', 'wrong_currency', `Not ${asset}`);
  const read = parseAmount(given.amount, asset);
  if (!read.ok) return fault('amount.amount', read.error, `Not an amount of ${asset}`);
  if (read.minor <= 0n) return fault('amount.amount', 'not_positive', 'Nothing');
  if (read.minor > AMOUNT_MAX) {
    return fault('amount.amount', 'too_large', 'More than an act may be about');
  }
  return { ok: true, minor: read.minor };
}

/** What every list takes beside its filters. */
export const pageQuery = {
  cursor: z
    .string()
    .regex(/^[\w.-]{1,400}$/)
    .optional()
    .meta({ description: 'What `next` of the page before said.' }),
  limit: z
    .string()
    .regex(/^([1-9]|[1-9][0-9]|1[0-9][0-9]|200)$/)
    .default('50')
    .meta({ description: 'How many at most, 1 to 200.' }),
};

/** A page of a list. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.strictObject({ items: z.array(item), next: z.string().nullable() });

/** A query without filters. */
export const plainPage = z.strictObject(pageQuery);
