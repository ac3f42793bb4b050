import fc from 'fast-check';
import { clip, fits, paginate, SCREEN_SEPTETS_MAX, septets, toGsm7 } from './gsm7.ts';

describe('septets', () => {
  it('counts one for the alphabet, two for its extension, and refuses the rest', () => {
    expect(septets('Hello @£$èéùìòÇØÅ\n')).toBe(18);
    expect(septets('^{}\\[~]|€')).toBe(18);
    expect(septets('ê')).toBe(Number.POSITIVE_INFINITY);
    expect(fits('x'.repeat(160), 160)).toBe(true);
    expect(fits(`${'x'.repeat(159)}€`, 160)).toBe(false);
  });
});

describe('toGsm7', () => {
  it('keeps what the alphabet has and replaces what it has not', () => {
    expect(toGsm7('é è à ù')).toBe('é è à ù');
    expect(toGsm7('l’été – « fête » cœur… Ọlá ça')).toBe(
      'l\'été - "fete" coeur... Olá ça'
        .replace('"fete"', '" fete "')
        .replace('Olá', 'Ola')
        .replace('ça', 'ca'),
    );
    expect(toGsm7('ɔɛŋ 🎬')).toBe('oeng ?');
    expect(toGsm7('a\u00a0b\u200bc')).toBe('a bc');
  });

  it('always ends inside the alphabet', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(septets(toGsm7(text))).toBeLessThan(Number.POSITIVE_INFINITY);
      }),
    );
  });
});

describe('clip', () => {
  it('cuts by septets, never in the middle of a character, and leaves no blank at the cut', () => {
    expect(clip('AMINA DIALLO', 8)).toBe('AMINA DI');
    expect(clip('AMINA DIALLO', 6)).toBe('AMINA');
    expect(clip('abc€', 4)).toBe('abc');
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(30), (text, max) => {
        expect(fits(clip(text, max), max)).toBe(true);
      }),
    );
  });
});

describe('paginate', () => {
  const frame = { head: 'Pick', foot: '0 Back', footMore: '98 More 0 Back 00 Home' };

  it('shows all on one screen when it fits', () => {
    expect(paginate(['1 a', '2 b'], { ...frame, page: 0 })).toEqual({
      text: 'Pick\n1 a\n2 b\n0 Back',
      first: 0,
      count: 2,
      more: false,
    });
    expect(paginate([], { ...frame, page: 3 }).text).toBe('Pick\n0 Back');
  });

  it('shows every item once, whole, on screens that fit', () => {
    const item = fc.string({ minLength: 1, maxLength: 60, unit: fc.constantFrom('a', 'b', '€') });
    fc.assert(
      fc.property(fc.array(item, { maxLength: 40 }), (items) => {
        const seen: string[] = [];
        for (let page = 0; ; page += 1) {
          const shown = paginate(items, { ...frame, page });
          expect(fits(shown.text, SCREEN_SEPTETS_MAX)).toBe(true);
          expect(shown.first).toBe(seen.length);
          seen.push(...shown.text.split('\n').slice(1, -1));
          if (!shown.more) break;
        }
        expect(seen).toEqual(items);
      }),
    );
  });
});
