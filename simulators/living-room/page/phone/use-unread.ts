/** Which texts nobody has read yet; remembered as long as the browser's tab lives. */
import { useEffect, useState } from 'react';
import type { InboxText } from '../../api.ts';
import type { Face } from './handset.ts';

const STORE = 'living-room.read';
const READ_IDS_MAX = 500;

/** The unread texts, newest first; a text is read when its face is shown. */
export function useUnread(texts: readonly InboxText[], at: Face): InboxText[] {
  const [read, setRead] = useState(readIds);
  const opened = at.face === 'reading' ? at.id : null;
  useEffect(() => {
    if (opened === null) return;
    setRead((before) => {
      if (before.includes(opened)) return before;
      const after = [...before, opened].slice(-READ_IDS_MAX);
      sessionStorage.setItem(STORE, JSON.stringify(after));
      return after;
    });
  }, [opened]);
  return texts.filter(({ id, direction }) => direction === 'in' && !read.includes(id));
}

function readIds(): string[] {
  try {
    const stored: unknown = JSON.parse(sessionStorage.getItem(STORE) ?? '[]');
    return Array.isArray(stored) ? stored.map(String) : [];
  } catch {
    return [];
  }
}
