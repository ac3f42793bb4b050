/** Short public references of our records, made to be read out on the phone: Crockford base 32. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** `8K2Q7`: the id in base 32 without the letters that are mistaken for others. */
export function publicRef(id: bigint): string {
  let rest = id;
  let text = '';
  do {
    text = ALPHABET[Number(rest % 32n)] + text;
    rest /= 32n;
  } while (rest > 0n);
  return text.padStart(5, '0');
}
