/** How long a head-end takes from having a command on its disk to executing it. */
import type { Random } from '../../src/platform/ports.ts';

/** Always the same, or spread as real ones are: log-normal with this median and 99th centile. */
export type Latency = number | { medianMs: number; p99Ms: number };

/** A longer wait than this is never drawn. */
export const LATENCY_MS_MAX = 600_000;
/** Standard deviations from the median to the 99th centile of a normal distribution. */
const P99_DEVIATIONS = 2.326;

/** Draws one wait, in milliseconds. */
export function drawLatencyMs(latency: Latency, random: Random): number {
  if (typeof latency === 'number') return Math.min(latency, LATENCY_MS_MAX);
  const { medianMs, p99Ms } = latency;
  if (medianMs === 0) return 0;
  const spread = Math.log(Math.max(p99Ms, medianMs) / medianMs) / P99_DEVIATIONS;
  return Math.min(medianMs * Math.exp(spread * drawNormal(random)), LATENCY_MS_MAX);
}

/** A draw of the standard normal distribution, by Box and Muller (1958). */
function drawNormal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random.fraction()));
  return radius * Math.cos(2 * Math.PI * random.fraction());
}
