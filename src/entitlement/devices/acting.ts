/** How an act on devices is done: in one transaction, once for its key, with the devices locked. */
import type { Pool, PoolClient } from 'pg';
import { isRetryable, transaction } from '../../platform/database/pool.ts';
import type { Clock, Ids, Logger } from '../../platform/ports.ts';
import type { UseFault } from '../../registry/devices/states.ts';
import {
  actBefore,
  changeDevice,
  type Device,
  type DeviceAct,
  type DeviceChange,
  type DeviceKind,
  keepAct,
  lockDevice,
} from '../../registry/devices/store.ts';
import type { CasCommands } from '../commands/service.ts';
import type { NewCasCommand } from '../commands/store.ts';

export type DeviceFault =
  | UseFault
  | 'unknown_device'
  | 'device_incompatible'
  | 'already_paired'
  | 'not_paired'
  | 'still_paired'
  | 'card_in_use'
  | 'card_not_in_use'
  | 'already_blacklisted'
  | 'not_blacklisted';

/** `state`: of the device that the act is about, or that took over. */
export type DeviceOutcome = { ok: true; state: string } | { ok: false; error: DeviceFault };

export interface Acting {
  /** Of the call: the act is done once for each. */
  key: string;
  /** `staff:5`. */
  by: string;
  /** How it came to us: `staff`, `partner`, `system`. */
  channel: string;
  reason: string;
  /** The second person, where one is required. */
  approvedBy?: string | undefined;
}

export interface DevicesDeps {
  pool: Pool;
  ids: Ids;
  clock: Clock;
  logger: Logger;
  commands: Pick<CasCommands, 'enqueue'>;
  /** The head-end that serves a card or decoder. */
  casOf(device: { kind: DeviceKind; name: string }): string;
  /** Does the site take listed devices alone? */
  listedOnly(siteId: bigint): boolean;
  /** The models of decoders that a file may name; null: any. */
  models: ReadonlySet<string> | null;
  /** There are commands to send, and sets. */
  wake(): void;
}

/** One act under way. */
export interface Work extends Acting {
  tx: PoolClient;
  deps: DevicesDeps;
  /** What it is called in the history: `swap`. */
  act: string;
  now: Date;
}

class Refused extends Error {
  readonly fault: DeviceFault;
  constructor(fault: DeviceFault) {
    super(fault);
    this.fault = fault;
  }
}

/** Ends the act: nothing of it stays. */
export function refuse(fault: DeviceFault): never {
  throw new Refused(fault);
}

const ATTEMPTS_MAX = 4;

/**
 * Does an act, or answers what it came to when it was done before. Two that lock each other, or
 * two under one key, are told apart by doing the one again.
 */
export async function perform(
  deps: DevicesDeps,
  act: string,
  acting: Acting,
  work: (w: Work) => Promise<string>,
): Promise<DeviceOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      const outcome = await transaction(deps.pool, (tx) => once(deps, act, acting, { tx, work }));
      deps.logger.info(`device.${act}`, { by: acting.by });
      deps.wake();
      return outcome;
    } catch (error) {
      if (error instanceof Refused) {
        // Perhaps because the same call has done it meanwhile.
        const before = await actBefore<DeviceOutcome>(deps.pool, acting.key);
        return before ?? { ok: false, error: error.fault };
      }
      const isLate = LATE.includes((error as { constraint?: string }).constraint ?? '');
      if (attempt === ATTEMPTS_MAX || !(isRetryable(error) || isLate)) throw error;
    }
  }
}

/** Somebody else was faster with the same thing: looked at again, it is there. */
const LATE = [
  'device_act_pkey',
  'card_number_key',
  'pairing_strict',
  'pairing_alone',
  'pairing_once',
];

async function once(
  deps: DevicesDeps,
  act: string,
  acting: Acting,
  { tx, work }: { tx: PoolClient; work: (w: Work) => Promise<string> },
): Promise<DeviceOutcome> {
  const before = await actBefore<DeviceOutcome>(tx, acting.key);
  if (before) return before;
  const now = deps.clock.now();
  const state = await work({ ...acting, tx, deps, act, now });
  const outcome: DeviceOutcome = { ok: true, state };
  await keepAct(tx, { key: acting.key, at: now, outcome });
  return outcome;
}

/** The device, locked; an act on what nobody ever heard of is refused. */
export async function known(w: Work, kind: DeviceKind, name: string): Promise<Device> {
  return (await lockDevice(w.tx, kind, name)) ?? refuse('unknown_device');
}

/** Puts the device into a state, or notes that something else of it changed; answers the state. */
export async function change(
  w: Work,
  device: Device,
  { to = device.state, ...more }: Partial<DeviceChange> = {},
): Promise<string> {
  const { act, now: at, by: actor, channel, reason, approvedBy } = w;
  const said: DeviceAct = { act, at, actor, channel, reason, approvedBy };
  const isDone = await changeDevice(w.tx, device, { ...said, ...more, to });
  return isDone ? to : refuse('device_state');
}

const DAY_MS = 86_400_000;
/** A head-end that is away this long is told by hand. */
const COMMAND_VALID_MS = 7 * DAY_MS;

type Ordered = Pick<NewCasCommand, 'op' | 'args' | 'target'> &
  Partial<Pick<NewCasCommand, 'rev' | 'prio'>> & { validMs?: number };

/** Orders a command of the head-end that serves the device; answers its id. */
export async function order(w: Work, { validMs, ...ordered }: Ordered): Promise<bigint> {
  const { kind, id: name } = ordered.target;
  if (kind !== 'card' && kind !== 'stb') throw new Error(`No device: ${kind}`);
  const command = {
    prio: 'SALE',
    ...ordered,
    casId: w.deps.casOf({ kind, name }),
    actor: w.by,
    reason: w.reason,
    ...(w.approvedBy === undefined ? {} : { approvedBy: w.approvedBy }),
    createdAt: w.now,
    notAfter: new Date(w.now.getTime() + (validMs ?? COMMAND_VALID_MS)),
  } as NewCasCommand;
  const [id] = await w.deps.commands.enqueue(w.tx, [command]);
  if (id === undefined) throw new Error('The command was not written');
  return id;
}

export const aboutCard = (id: string) => ({ kind: 'card', id }) as const;
export const aboutDecoder = (id: string) => ({ kind: 'stb', id }) as const;
