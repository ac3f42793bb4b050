/** When a session is dead, and when it has to make a sound; the same on whatever carries it. */

export interface Heartbeat {
  /** The peer was heard. */
  heard(): void;
  /** What `stepMs` of the link's own time bring; `no_welcome` and `silent` are its end. */
  tick(stepMs: number, isWelcomed: boolean): 'no_welcome' | 'silent' | 'ping' | 'nothing';
}

export const WELCOME_WAIT_MS = 5_000;
export const PING_EVERY_MS = 15_000;
/** Three PINGs without a sound: the peer is dead, even if its socket is not. */
export const SILENCE_MAX_MS = 3 * PING_EVERY_MS;

/** The heartbeat of a session that begins now. */
export function createHeartbeat(): Heartbeat {
  let ageMs = 0;
  let silentMs = 0;
  let sincePingMs = 0;
  return {
    heard() {
      silentMs = 0;
    },
    tick(stepMs, isWelcomed) {
      ageMs += stepMs;
      silentMs += stepMs;
      sincePingMs += stepMs;
      if (!isWelcomed && ageMs >= WELCOME_WAIT_MS) return 'no_welcome';
      if (silentMs >= SILENCE_MAX_MS) return 'silent';
      if (!isWelcomed || sincePingMs < PING_EVERY_MS) return 'nothing';
      sincePingMs = 0;
      return 'ping';
    },
  };
}
