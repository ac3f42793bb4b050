/** A round in words and numbers: what was done to the product, and what was compared after. */
import type { Measured, RoundResult } from './round.ts';

const FAULTS_SHOWN_MAX = 20;

/** Some lines about one round. */
export function describeRound(result: RoundResult, number: number, of: number): string {
  const { seed, kill, killAtMs, measured, faults } = result;
  const lines = [
    `round ${number} of ${of}, seed ${seed}: ${kill}, killed at ${seconds(killAtMs)}`,
    ...(measured ? describeMeasured(measured) : []),
    ...faults.slice(0, FAULTS_SHOWN_MAX).map((fault) => `  FAULT ${fault}`),
    ...(faults.length > FAULTS_SHOWN_MAX ? [`  and so on, ${faults.length} faults in all`] : []),
    faults.length === 0 ? '  passed' : `  FAILED, seed ${seed}`,
  ];
  return lines.join('\n');
}

function describeMeasured(measured: Measured): string[] {
  return [
    `  injected: ${injected(measured)}`,
    `  healed:   ${healed(measured)}`,
    `  compared: ${compared(measured.counts)}`,
  ];
}

const seconds = (ms: number | null): string =>
  ms === null ? 'never' : `${(ms / 1_000).toFixed(2)} s`;

const grouped = (value: number | string): string =>
  String(value).replace(/\B(?=(\d{3})+(?!\d))/g, ' ');

function injected({ sent, duplicates, twins, diallings, played }: Measured): string {
  return [
    `${grouped(sent)} messages (${duplicates} duplicates, ${twins} pairs at once)`,
    `${diallings} USSD sessions`,
    `${grouped(played.unanswered)} unanswered at first`,
    `${grouped(played.resent)} sent again`,
    `at most ${Math.round(played.lateMsMax)} ms late`,
  ].join(', ');
}

function healed({ firstAnswerMs, quietMs }: Measured): string {
  return `first answer after ${seconds(firstAnswerMs)}, quiet ${seconds(quietMs)} after the last`;
}

/** What was looked at, in numbers. */
export function compared(counts: Measured['counts']): string {
  const { moneyMinor } = counts;
  const shillings = `${grouped(moneyMinor.slice(0, -2))}.${moneyMinor.slice(-2)}`;
  return [
    `${grouped(counts.receipts)} receipts (${grouped(counts.inSuspense)} in suspense)`,
    `KES ${shillings}`,
    `${grouped(counts.units)} TV units`,
    `${grouped(counts.journals)} journals`,
    `${grouped(counts.terms)} terms`,
    `${grouped(counts.conversions)} conversions`,
    `${grouped(counts.texts)} texts`,
    `${grouped(counts.screens)} screen messages`,
    `${grouped(counts.cardsOnAir)} cards on air`,
  ].join(', ');
}
