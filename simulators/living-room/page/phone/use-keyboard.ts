/** While something of the phone has the focus, a real keyboard types on it. */
import { type RefObject, useEffect, useRef } from 'react';
import { isDigit, type Key } from './handset.ts';

const KEYS: Readonly<Record<string, Key>> = {
  Enter: 'call',
  Escape: 'end',
  Backspace: 'erase',
  Delete: 'erase',
  ArrowUp: 'up',
  ArrowDown: 'down',
};

interface Typist {
  press(key: Key): void;
  /** A character that is on no key of the phone. */
  type(character: string): void;
}

export function useKeyboard(phone: RefObject<HTMLElement | null>, typist: Typist): void {
  const newest = useRef(typist);
  newest.current = typist;
  useEffect(() => {
    const element = phone.current;
    const listen = (event: KeyboardEvent) => {
      if (belongsElsewhere(event)) return;
      const key = isDigit(event.key) ? event.key : KEYS[event.key];
      if (key !== undefined) newest.current.press(key);
      else if (event.key.length === 1) newest.current.type(event.key);
      else return;
      event.preventDefault();
    };
    element?.addEventListener('keydown', listen);
    return () => element?.removeEventListener('keydown', listen);
  }, [phone]);
}

/** The browser's own shortcuts, and the keys that press a button which has the focus. */
function belongsElsewhere({ ctrlKey, metaKey, altKey, key, target }: KeyboardEvent): boolean {
  if (ctrlKey || metaKey || altKey) return true;
  return target instanceof HTMLButtonElement && (key === 'Enter' || key === ' ');
}
