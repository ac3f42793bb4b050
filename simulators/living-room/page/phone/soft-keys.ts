/** What the two keys below the screen do on each face. */
import type { WordKey } from '../words/words.ts';
import type { Face, Handset } from './handset.ts';

export interface SoftKeys {
  left: WordKey | null;
  right: WordKey | null;
}

export function softKeys({ at, prompt }: Handset, unread: number): SoftKeys {
  if (prompt === null) return softKeysOf(at, unread);
  if (prompt.waiting) return { left: null, right: null };
  return { left: prompt.pin === '' ? null : 'soft.send', right: 'soft.cancel' };
}

function softKeysOf(at: Face, unread: number): SoftKeys {
  switch (at.face) {
    case 'idle':
      return at.typed === ''
        ? { left: 'soft.texts', right: null }
        : { left: 'soft.dial', right: 'soft.clear' };
    case 'session':
      if (at.waiting) return { left: null, right: null };
      return at.typed === ''
        ? { left: null, right: 'soft.quit' }
        : { left: 'soft.send', right: 'soft.clear' };
    case 'ended':
      return { left: unread > 0 ? 'soft.texts' : 'soft.ok', right: unread > 0 ? 'soft.ok' : null };
    case 'inbox':
      return { left: 'soft.read', right: 'soft.back' };
    case 'reading':
      return { left: 'soft.reply', right: 'soft.back' };
    case 'writing':
      return at.draft.body === ''
        ? { left: null, right: 'soft.back' }
        : { left: 'soft.send', right: 'soft.clear' };
    case 'sent':
      return { left: 'soft.ok', right: null };
  }
}
