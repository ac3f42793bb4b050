/** The Luhn check digit (ISO/IEC 7812-1 annex B), as printed last on viewing cards. */

/** True when the last digit is the Luhn digit of those before it. Digits only. */
export function hasLuhnDigit(digits: string): boolean {
  return luhnSum(digits, false) % 10 === 0;
}

/** `digits` with its Luhn digit behind it. */
export function withLuhnDigit(digits: string): string {
  return digits + ((10 - (luhnSum(digits, true) % 10)) % 10);
}

function luhnSum(digits: string, doubleLast: boolean): number {
  let sum = 0;
  let double = doubleLast;
  for (let i = digits.length - 1; i >= 0; i--) {
    const digit = digits.charCodeAt(i) - 48;
    const value = double ? digit * 2 : digit;
    sum += value > 9 ? value - 9 : value;
    double = !double;
  }
  return sum;
}
