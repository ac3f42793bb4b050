import { type Draft, emptyDraft, erase, lettersOn, tapKey, write } from './multitap.ts';

/** Keys as `2` (at once) and `2~` (after a pause). */
function tapAll(keys: string): Draft {
  let atMs = 0;
  let draft = emptyDraft;
  for (const key of keys.split(' ')) {
    atMs += key.endsWith('~') ? 1_500 : 300;
    draft = tapKey(draft, key.replace('~', ''), atMs);
  }
  return draft;
}

describe('writing with twelve keys', () => {
  it('takes the next letter of a key that is pressed again in time', () => {
    expect(tapAll('2 2 2~ 5 5 5').body).toBe('BAL');
    expect(tapAll('2 2 2 2 2').body).toBe('A');
    expect(tapAll('7 7 7 3 3 7 7 7 7 3 3 8').body).toBe('RESET');
  });

  it('writes what has one meaning as often as it is pressed', () => {
    expect(tapAll('# # *').body).toBe('##*');
  });

  it('goes on with a new letter after a quick word or an erased one', () => {
    expect(tapKey(write(emptyDraft, 'BAL'), '5', 0).body).toBe('BALJ');
    expect(erase(tapAll('2 2')).body).toBe('');
    expect(tapKey(erase(tapAll('5 2')), '5', 700).body).toBe('JJ');
  });

  it('holds one text and no more', () => {
    const full = write(emptyDraft, 'x'.repeat(200));
    expect(full.body).toHaveLength(160);
    expect(tapKey(full, '2', 0)).toBe(full);
  });

  it('has the letters of a telephone on its keys', () => {
    expect([...'1279*0'].map(lettersOn)).toEqual(['', 'ABC', 'PQRS', 'WXYZ', '', '']);
  });
});
