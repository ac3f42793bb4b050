/**
 * What all senders of one conditional-access system send through: it knows how many more commands
 * of a priority may go, rests while all that is sent fails, and names products as the system does.
 */
import type { Clock, Logger } from '../../platform/ports.ts';
import type { CasDriver } from '../cas/driver.ts';
import type { Command, CommandOutcome } from '../vip-control/command.ts';
import { PRIORITIES, type Priority } from '../vip-control/messages.ts';
import { type BreakerState, createBreaker } from './breaker.ts';
import { createPace } from './pace.ts';

export interface Outlet extends Pick<CasDriver, 'send' | 'capabilities'> {
  /** `resting`: there is a session, and nothing is sent because everything failed. */
  state(): ReturnType<CasDriver['state']> | 'resting';
  /**
   * How many more commands of this priority may be handed over now; what is more important does
   * not wait for what is less. Asked before claiming; one probe of a kind while `half_open`.
   */
  room(prio: Priority): number;
  breaker(): BreakerState;
}

export interface OutletDeps {
  driver: Pick<CasDriver, 'send' | 'state' | 'capabilities'>;
  clock: Clock;
  logger: Logger;
  casId: string;
  /** What the system calls a product of ours. */
  productName?(product: string): string;
}

/** Sales alone are probes for so long; then anything may be. */
const PROBE_FOR_SALES_MS = 2_000;
/** Of sales, and of everything else, in one process. */
const UNDER_WAY_MAX = 512;
/** Answers that say nothing of the system's health: they come from our own side of the driver. */
const OUR_OWN = new Set(['WINDOW_FULL', 'RESTING']);

/** An outlet over one link; it holds nothing back until answers tell it to. */
export function createOutlet(deps: OutletDeps): Outlet {
  const { driver, clock, logger, casId } = deps;
  const breaker = createBreaker();
  const pace = createPace();
  const underWay = new Map<Priority, number>(PRIORITIES.map((prio) => [prio, 0]));
  const nowMs = () => clock.now().getTime();
  const count = (prios: readonly Priority[]) =>
    prios.reduce((sum, prio) => sum + (underWay.get(prio) ?? 0), 0);

  const learn = (outcome: CommandOutcome): void => {
    const verdict = healthOf(outcome);
    if (verdict === 'well' && breaker.succeeded()) logger.info('cas.breaker_closed', { casId });
    if (verdict === 'ill' && breaker.failed(nowMs())) {
      const code = outcome.kind === 'retry' ? outcome.code : 'NO_ANSWER';
      logger.error('cas.breaker_opened', { casId, code });
    }
  };
  const probes = (prio: Priority): number => {
    const isTurn = prio === 'SALE' || breaker.halfOpenForMs(nowMs()) >= PROBE_FOR_SALES_MS;
    return isTurn && count(PRIORITIES) === 0 ? 1 : 0;
  };
  return {
    capabilities: () => driver.capabilities(),
    breaker: () => breaker.state(nowMs()),
    state() {
      const state = driver.state();
      return state === 'connected' && breaker.state(nowMs()) === 'open' ? 'resting' : state;
    },
    room(prio) {
      const window = driver.capabilities()?.maxWindow;
      const state = breaker.state(nowMs());
      if (driver.state() !== 'connected' || window === undefined || state === 'open') return 0;
      if (state === 'half_open') return probes(prio);
      // Twice the window: the link always has something to send while answers are being written.
      const most = Math.min(2 * window, UNDER_WAY_MAX);
      if (prio === 'SALE') return Math.max(0, most - count(['SALE']));
      const before = PRIORITIES.slice(1, PRIORITIES.indexOf(prio) + 1);
      return Math.max(0, Math.min(most, pace.limit()) - count(before));
    },
    async send(command) {
      if (breaker.state(nowMs()) === 'open') return { kind: 'retry', code: 'RESTING' };
      const sentMs = nowMs();
      const { prio } = command;
      underWay.set(prio, count([prio]) + 1);
      try {
        const outcome = await driver.send(named(command, deps.productName));
        learn(outcome);
        if (prio !== 'SALE') pace.answered(sentMs, nowMs());
        return outcome;
      } finally {
        underWay.set(prio, count([prio]) - 1);
      }
    },
  };
}

/** Whether an outcome says that the system works. */
function healthOf(outcome: CommandOutcome): 'well' | 'ill' | 'nothing' {
  if (outcome.kind === 'unknown') return outcome.sent ? 'ill' : 'nothing';
  if (outcome.kind === 'retry') return OUR_OWN.has(outcome.code) ? 'nothing' : 'ill';
  return 'well';
}

function named(command: Command, name: OutletDeps['productName']): Command {
  if (!name) return command;
  const inItsWords = <R extends { product: string }>(set: readonly R[]): R[] =>
    set.map((right) => ({ ...right, product: name(right.product) }));
  if (command.op === 'ENTITLE') return { ...command, set: inItsWords(command.set) };
  if (command.op !== 'SWAP') return command;
  return { ...command, args: { ...command.args, set: inItsWords(command.args.set) } };
}
