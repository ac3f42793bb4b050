/** What the list for drivers needs of a system: one to start, to look into and to cut off. */
import type { KeyObject } from 'node:crypto';
import type { CasDriver } from '../../src/entitlement/cas/driver.ts';
import { type FakeTime, until } from '../../src/entitlement/vip-control/testing.ts';
import type { Line } from './line.ts';

/** A system of one test's own, with a line to it that can fail, in a time that is told to go on. */
export interface CasWorld {
  time: FakeTime;
  line: Line;
  /** A driver that connects over the line; closed with the world. */
  open(own?: { clientId?: string; epoch?: number }): CasDriver;
  system: {
    /** Whether it has taken the command, and how often it has executed it. */
    hasTaken(cmdId: string): boolean;
    executions(cmdId: string): Promise<number>;
    /** Commands it has taken and not executed yet. */
    waiting(): number;
    /** Lets fewer commands be under way, for everybody. */
    narrow(window: number): void;
    /** From now on it has no room for any command and says so, or has room again. */
    setBusy(isBusy: boolean): void;
    /** With which the head of its log can be verified. */
    logKey(): KeyObject;
    /** Ends the system and starts it again, with what it has on its disk. */
    restart(): Promise<void>;
  };
  close(): Promise<void>;
}

export interface SystemOptions {
  /** From taking a command to executing it. */
  latencyMs: number;
  /** How many commands may be under way. */
  window: number;
  /** How far its clock is ahead of ours. */
  aheadMs: number;
}

/** Known to the system; every other card is unknown. */
export const CARDS = ['4021', '4022', '4023', '4024', '4025'] as const;
/** Known to the system; every other product is unknown. */
export const PRODUCTS = ['ESS', 'MAX'] as const;
/** When the time of a world begins. */
export const NOW = new Date('2026-11-23T13:00:00Z');

export type MakeWorld = (options: SystemOptions) => Promise<CasWorld>;

/** So much faster than the clock on the wall time goes here, for the network to keep up with it. */
const SPEED = 60;
/** A machine that hesitates must not make time leap. */
const STEP_MS_MAX = 20;
const TURNS_A_SECOND = 200;

/** Lets time go on beside the network until something is true. */
export async function pass(time: FakeTime, isTrue: () => boolean): Promise<void> {
  let seenMs = performance.now();
  await until(() => {
    if (isTrue()) return true;
    const steps = Math.floor((performance.now() - seenMs) * SPEED);
    if (steps === 0) return false;
    seenMs = performance.now();
    time.advance(Math.min(steps, STEP_MS_MAX));
    return isTrue();
  });
}

/** Lets seconds go by, each with a breath for the network, or fewer, once it is true. */
export async function passSeconds(
  time: FakeTime,
  seconds: number,
  isTrue = () => false,
): Promise<void> {
  for (let second = 0; second < seconds && !isTrue(); second += 1) {
    time.advance(1_000);
    for (let turn = 0; turn < TURNS_A_SECOND; turn += 1) {
      await new Promise((later) => setImmediate(later));
    }
  }
}
