/** Writing letters with twelve keys: pressing a key again in time takes its next letter. */

/** How long the same key still means the next letter. */
const TAP_MS_MAX = 1_000;
/** One text message (3GPP TS 23.038: 160 characters of seven bits). */
const BODY_CHARS_MAX = 160;

const LETTERS: Readonly<Record<string, string>> = {
  '1': '.,?!1',
  '2': 'ABC2',
  '3': 'DEF3',
  '4': 'GHI4',
  '5': 'JKL5',
  '6': 'MNO6',
  '7': 'PQRS7',
  '8': 'TUV8',
  '9': 'WXYZ9',
  '0': ' 0',
  '*': '*',
  '#': '#',
};

export interface Draft {
  body: string;
  /** The key that may still turn its letter into the next, and when it was pressed. */
  tap: { key: string; atMs: number } | null;
}

export const emptyDraft: Draft = { body: '', tap: null };

/** The letters on a key as they are printed on it; empty for keys without. */
export function lettersOn(key: string): string {
  return (LETTERS[key] ?? '').replace(/[^A-Z]/g, '');
}

/** The draft after a key of the keypad; a full draft stays as it is. */
export function tapKey(draft: Draft, key: string, atMs: number): Draft {
  const letters = LETTERS[key];
  if (letters === undefined) return draft;
  const { body, tap } = draft;
  const isNext = tap?.key === key && atMs - tap.atMs <= TAP_MS_MAX && letters.length > 1;
  if (isNext) {
    const place = letters.indexOf(body.slice(-1));
    const letter = letters[(place + 1) % letters.length] ?? '';
    return { body: body.slice(0, -1) + letter, tap: { key, atMs } };
  }
  if (body.length >= BODY_CHARS_MAX) return draft;
  return { body: body + letters.slice(0, 1), tap: { key, atMs } };
}

/** The draft after characters of a real keyboard, or a quick word. */
export function write(draft: Draft, characters: string): Draft {
  return { body: (draft.body + characters).slice(0, BODY_CHARS_MAX), tap: null };
}

/** The draft without its last character. */
export function erase(draft: Draft): Draft {
  return { body: draft.body.slice(0, -1), tap: null };
}
