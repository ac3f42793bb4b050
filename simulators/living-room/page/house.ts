/** The page's talk with its server, but for the telephone's own line. */
import { useEffect, useReducer } from 'react';
import type { HouseView, LivingEvent } from '../api.ts';
import { afterChange, type Living, nothingYet } from './living.ts';

const BASE = '/living-room';
const POST_TIMEOUT_MS = 20_000;
const RETRY_MS = 2_000;

export type Door = 'text' | 'prompt' | 'tv' | 'switches' | 'later' | 'suspend' | 'units';
/** True when the server did it; otherwise the person has been told why not. Never rejects. */
export type Post = (door: Door, body: object) => Promise<boolean>;

/** Rejects when the server cannot be reached or has no house. */
export async function fetchHouse(signal: AbortSignal): Promise<HouseView> {
  const response = await fetch(`${BASE}/house`, { signal });
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return (await response.json()) as HouseView;
}

/** The page's way to act; `onError` hears a word on what went wrong. */
export function createPost(onError: (error: string) => void): Post {
  return async (door, body) => {
    try {
      const response = await fetch(`${BASE}/${door}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(POST_TIMEOUT_MS),
      });
      if (response.ok) return true;
      onError(errorOf(await response.text()) ?? `HTTP ${response.status}`);
    } catch (error) {
      onError(error instanceof Error ? error.message : String(error));
    }
    return false;
  };
}

function errorOf(body: string): string | null {
  try {
    const { error } = JSON.parse(body) as { error?: unknown };
    return typeof error === 'string' ? error : null;
  } catch {
    return null;
  }
}

/** What happens around a phone and a card, as it happens; a lost connection is taken up again. */
export function useLiving(phone: string, card: string | null): Living {
  const [living, change] = useReducer(afterChange, nothingYet);
  useEffect(() => {
    change({ type: 'moved' });
    const query = new URLSearchParams({ phone, ...(card === null ? {} : { card }) });
    let source: EventSource;
    let retry: ReturnType<typeof setTimeout> | undefined;
    const open = () => {
      source = new EventSource(`${BASE}/events?${query}`);
      source.onmessage = ({ data }) => {
        const event = JSON.parse(String(data)) as LivingEvent;
        change({ type: 'event', event, browserMs: Date.now() });
      };
      source.onerror = () => {
        change({ type: 'lost' });
        // A browser gives up for good where the answer was an error: then we begin anew.
        if (source.readyState === EventSource.CLOSED) retry = setTimeout(open, RETRY_MS);
      };
    };
    open();
    return () => {
      clearTimeout(retry);
      source.close();
    };
  }, [phone, card]);
  return living;
}
