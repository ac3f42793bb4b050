/** Pure rules of the registry. */

/**
 * `AMINA D.`: the first name and an initial, upper case. Enough for a payer to see that the card is
 * the right one, too little to learn a stranger's name.
 */
export function maskedName(fullName: string): string {
  const words = fullName.trim().toUpperCase().split(/\s+/).filter(Boolean);
  const first = words[0] ?? '';
  const last = words.length > 1 ? words.at(-1) : undefined;
  return last ? `${first} ${[...last][0]}.` : first;
}
