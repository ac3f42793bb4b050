/** Taxes of an amount, exactly: rates are rationals, and nothing is rounded before the end. */
import { halfUp } from '../rules.ts';
import type { Tax, TaxMode } from './types.ts';

/** A tax with the rate that holds. */
export interface AppliedTax {
  code: string;
  /** Parts per million. */
  ppm: bigint;
  /** What it is a percentage of: `net`, or taxes that stand before it. */
  on: readonly string[];
}

export interface TaxLines {
  net: bigint;
  /** In the order of the taxes given. */
  taxes: { code: string; amount: bigint }[];
  /** net + taxes. */
  gross: bigint;
}

const MILLION = 1_000_000n;

/** The tax with its rate on a local date; null before its first rate. */
export function taxOn({ code, on, rates }: Tax, date: string): AppliedTax | null {
  const rate = rates.findLast(({ from }) => from <= date);
  return rate ? { code, on, ppm: rate.ppm } : null;
}

/**
 * Splits `amount` (minor units) into net and taxes, or adds the taxes to it.
 *
 * Exclusive: each tax is its exact share of the amount, rounded half-up by itself.
 * Inclusive: all taxes together are half-up(amount × share / (1 + share)); the units of that are
 * given to the taxes by largest remainder, the earlier tax first where remainders are equal, so
 * that each is less than a unit from its exact value and the parts make up the amount.
 *
 * The lines of −amount are those of amount with the sign turned: what is given back is what was
 * taken. Throws on a base that does not stand before its tax.
 */
export function taxLines(amount: bigint, taxes: readonly AppliedTax[], mode: TaxMode): TaxLines {
  if (amount < 0n) return negated(taxLines(-amount, taxes, mode));
  const { shares, denominator } = sharesOfNet(taxes);
  const sum = shares.reduce((total, share) => total + share, 0n);
  const parts =
    mode === 'exclusive'
      ? shares.map((share) => halfUp(amount * share, denominator))
      : apportion(amount, shares, denominator + sum);
  const tax = parts.reduce((total, part) => total + part, 0n);
  const net = mode === 'exclusive' ? amount : amount - tax;
  const lines = taxes.map(({ code }, i) => ({ code, amount: parts[i] ?? 0n }));
  return { net, taxes: lines, gross: net + tax };
}

/** What each tax is of the net amount, over one denominator. */
function sharesOfNet(taxes: readonly AppliedTax[]): { shares: bigint[]; denominator: bigint } {
  const denominator = MILLION ** BigInt(taxes.length);
  const bases = new Map([['net', denominator]]);
  const shares = taxes.map(({ code, ppm, on }) => {
    const base = on.reduce((total, name) => {
      const share = bases.get(name);
      if (share === undefined) throw new Error(`Tax ${code} is on ${name}, which is not before it`);
      return total + share;
    }, 0n);
    // Exact: each factor of a million in the denominator is used up by one tax of the chain.
    const share = (base * ppm) / MILLION;
    bases.set(code, share);
    return share;
  });
  return { shares, denominator };
}

function apportion(amount: bigint, shares: readonly bigint[], denominator: bigint): bigint[] {
  const sum = shares.reduce((total, share) => total + share, 0n);
  const parts = shares.map((share) => (amount * share) / denominator);
  const left = halfUp(amount * sum, denominator) - parts.reduce((total, part) => total + part, 0n);
  const byRemainder = shares
    .map((share, i) => ({ i, remainder: (amount * share) % denominator }))
    .sort((a, b) => (a.remainder === b.remainder ? a.i - b.i : a.remainder > b.remainder ? -1 : 1));
  for (const { i } of byRemainder.slice(0, Number(left))) parts[i] = (parts[i] ?? 0n) + 1n;
  return parts;
}

const negated = ({ net, taxes, gross }: TaxLines): TaxLines => ({
  net: -net,
  taxes: taxes.map(({ code, amount }) => ({ code, amount: -amount })),
  gross: -gross,
});

const PPM_DIGITS = 4;

/** 192500n is `19.25`. */
export function percentOf(ppm: bigint): string {
  const digits = String(ppm).padStart(PPM_DIGITS + 1, '0');
  const decimals = digits.slice(-PPM_DIGITS).replace(/0+$/, '');
  return `${digits.slice(0, -PPM_DIGITS)}${decimals === '' ? '' : `.${decimals}`}`;
}

/** 192500n is `19.25 %`, for people to read. */
export const percentText = (ppm: bigint): string => `${percentOf(ppm)} %`;
