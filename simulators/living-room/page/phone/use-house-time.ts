/** The clock on the wall of the house, which can be moved on. */
import { useEffect, useState } from 'react';

const TICK_MS = 1_000;

/** Time of the house in milliseconds, fresh each second. */
export function useHouseTime(aheadMs: number): number {
  const [browserMs, setBrowserMs] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setBrowserMs(Date.now()), TICK_MS);
    return () => clearInterval(timer);
  }, []);
  return browserMs + aheadMs;
}
