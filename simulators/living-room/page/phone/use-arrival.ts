/** The text that has just come, as long as the phone makes a fuss about it. */
import { useEffect, useRef, useState } from 'react';
import type { InboxText } from '../../api.ts';

const FUSS_MS = 6_000;

/** Null most of the time; what was there when the person took up the phone is no news. */
export function useArrival(texts: readonly InboxText[], isKnown: boolean): InboxText | null {
  const [arrived, setArrived] = useState<InboxText | null>(null);
  const known = useRef<Set<string> | null>(null);
  useEffect(() => {
    if (!isKnown) return;
    const before = known.current;
    known.current = new Set(texts.map(({ id }) => id));
    const news = texts.find(({ id, direction }) => direction === 'in' && !before?.has(id));
    if (before !== null && news !== undefined) setArrived(news);
  }, [texts, isKnown]);
  useEffect(() => {
    if (arrived === null) return;
    const timer = setTimeout(() => setArrived(null), FUSS_MS);
    return () => clearTimeout(timer);
  }, [arrived]);
  return arrived;
}
