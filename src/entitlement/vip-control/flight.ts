/**
 * The life of one command between its first sending and its outcome: what to do next when the
 * head-end is silent. Pure: times are handed in, `elapsedMs` counting the link's own ticks, so
 * that a stepped wall clock neither hurries nor stalls anything.
 */
import type { CommandOutcome, UnnumberedCommand } from './command.ts';

export interface Flight {
  wire: UnnumberedCommand;
  notAfterMs: number;
  resolve(outcome: CommandOutcome): void;
  /** Once the head-end has it on its disk. */
  onAccepted: (() => void) | undefined;
  /** Once put on a socket the head-end may have it, whatever we hear. */
  sent: boolean;
  /** Waiting for an ACK of the command, for an answer to STATUS, or for the result. */
  phase: 'sent' | 'asked' | 'accepted';
  /** When the last question was put (a sending or a STATUS). */
  askedAtMs: number;
  acceptedAtMs: number | undefined;
  alarmed: boolean;
}

export type Step = 'wait' | 'ask' | 'resend' | 'alarm' | 'give_up';

/** T1: how long an ACK, or an answer to STATUS, may take. */
export const ACK_WAIT_MS = 5_000;
/** T2: how long after its ACK a command is first asked about. */
export const RESULT_WAIT_MS = 30_000;
export const RESULT_ASK_EVERY_MS = 60_000;
/** An accepted command without a result is reported after this long. */
export const RESULT_ALARM_MS = 120_000;
export const RESULT_GIVE_UP_MS = 600_000;

/** A command that has not been sent yet. */
export function createFlight(
  wire: UnnumberedCommand,
  notAfter: Date,
  resolve: (outcome: CommandOutcome) => void,
  onAccepted?: () => void,
): Flight {
  return {
    wire,
    onAccepted,
    notAfterMs: notAfter.getTime(),
    resolve,
    sent: false,
    phase: 'sent',
    askedAtMs: 0,
    acceptedAtMs: undefined,
    alarmed: false,
  };
}

/** What to do now about a command in flight; `ask` and `resend` need a living session. */
export function nextStep(flight: Flight, elapsedMs: number): Step {
  const silentMs = elapsedMs - flight.askedAtMs;
  const acceptedMs = elapsedMs - (flight.acceptedAtMs ?? elapsedMs);
  if (acceptedMs >= RESULT_GIVE_UP_MS) return 'give_up';
  if (acceptedMs >= RESULT_ALARM_MS && !flight.alarmed) return 'alarm';
  if (flight.phase === 'accepted') {
    const askedSinceAck = flight.askedAtMs > (flight.acceptedAtMs ?? elapsedMs);
    return silentMs >= (askedSinceAck ? RESULT_ASK_EVERY_MS : RESULT_WAIT_MS) ? 'ask' : 'wait';
  }
  if (silentMs < ACK_WAIT_MS) return 'wait';
  return flight.phase === 'sent' ? 'ask' : 'resend';
}
