import { createPasswords, oneTimePassword, passwordFault } from './passwords.ts';

const usual = createPasswords();
const cheap = createPasswords({ N: 1_024, r: 8, p: 1 });
const GOOD = 'correct horse battery';

describe('a password', () => {
  it('is kept as a hash with its parameters, another one each time', async () => {
    const [one, other] = [await usual.hash(GOOD), await usual.hash(GOOD)];
    expect(one).toMatch(/^scrypt\$32768\$8\$3\$[\w-]{22}\$[\w-]{43}$/);
    expect(one).not.toBe(other);
    expect(await usual.matches(GOOD, one)).toBe(true);
    expect(await usual.matches(`${GOOD}!`, one)).toBe(false);
  });

  it('hashed with other parameters is still known, and made anew', async () => {
    const old = await cheap.hash(GOOD);
    expect(await usual.matches(GOOD, old)).toBe(true);
    expect([usual.isOutdated(old), usual.isOutdated(await usual.hash(GOOD))]).toEqual([
      true,
      false,
    ]);
  });

  it('is the same in whatever form its accents are typed', async () => {
    const hash = await cheap.hash('été à Abidjan');
    expect(await usual.matches('été à Abidjan'.normalize('NFD'), hash)).toBe(true);
  });

  it('of nobody, or with a broken hash, matches nothing, after the same time', async () => {
    const hash = await usual.hash(GOOD);
    const took = async (stored: string | null) => {
      const start = performance.now();
      expect(await usual.matches('wrong', stored)).toBe(false);
      return performance.now() - start;
    };
    await took(hash);
    const [known, unknown] = [await took(hash), await took(null)];
    expect(unknown).toBeGreaterThan(known / 3);
    for (const broken of ['', 'x', 'scrypt$1$1$1$$']) {
      expect(await usual.matches('', broken)).toBe(false);
    }
  });

  it.each([
    ['short', 'Shorter'],
    ['a'.repeat(129), 'Longer'],
    ['aaaabbbbcccc', 'few'],
    ['my-amina-2026!', 'login'],
    ['abcde1abcde1', 'Repeats'],
    ['qwertyuiopasdfghjklzxcvbnm', 'row'],
    ['abcdefghijklmnopqrstuvwxyz', 'row'],
  ])('is refused: %s', (password, why) => {
    expect(passwordFault(password, 'amina')).toContain(why);
  });

  it('may be long and plain, or made by us', () => {
    expect(passwordFault(GOOD, 'amina')).toBeNull();
    expect(passwordFault(oneTimePassword(), 'amina')).toBeNull();
  });
});
