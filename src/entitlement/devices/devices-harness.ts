/** Devices of a small world, as the stories of this room need them. */
import { createHash } from 'node:crypto';
import type { World } from '../../../test/stories/world.ts';
import { silentLogger } from '../../platform/log.ts';
import { createCasCommands } from '../commands/service.ts';
import { outletOf } from '../dispatch/dispatch-harness.ts';
import type { Command, CommandOutcome } from '../vip-control/command.ts';
import { createFakeRandom } from '../vip-control/testing.ts';
import type { Acting, DevicesDeps } from './acting.ts';
import { createDevices, type Devices } from './service.ts';

export const CAS = 'vip-control';
export const HEADING = 'stb_serial,model,chip_id,mac,card_number,batch';

/** A file as a manufacturer signs it. */
export function fileOf(lines: readonly string[], heading = HEADING): string {
  const content = `${[heading, ...lines].join('\n')}\n`;
  return `${content}#sha256,${createHash('sha256').update(content).digest('hex')}\n`;
}

export function devicesOf(world: World, more: Partial<DevicesDeps> = {}): Devices {
  const clock = { now: world.now };
  return createDevices({
    ...{ pool: world.pool, ids: world.ids, clock, logger: silentLogger },
    commands: createCasCommands({ pool: world.pool, clock }),
    casOf: () => CAS,
    listedOnly: () => false,
    models: null,
    wake: () => undefined,
    ...more,
  });
}

let calls = 0;
/** A call of somebody at a desk, under a key of its own unless it is given. */
export const acting = (more: Partial<Acting> = {}): Acting => {
  calls += 1;
  return { key: `call-${calls}`, by: 'staff:7', channel: 'staff', reason: 'asked for', ...more };
};

/** A head-end that notes what it is sent, and answers by this. */
export function headEnd(answer: (command: Command) => CommandOutcome = () => DONE) {
  const sent: Command[] = [];
  return {
    sent,
    state: () => 'connected' as const,
    capabilities: () => ({ osdMax: 160, maxWindow: 256, supports: [] }),
    async send(command: Command) {
      sent.push(command);
      return answer(command);
    },
  };
}
export const DONE: CommandOutcome = { kind: 'done', code: 'DONE', dup: false };

/** What sends the commands that were ordered. */
export const senderOf = (world: World, link: ReturnType<typeof headEnd>) =>
  createCasCommands({ pool: world.pool, clock: { now: world.now } }).sender({
    ...{
      casId: CAS,
      outlet: outletOf(link, world.now),
      clock: { now: world.now },
      random: createFakeRandom(),
    },
    logger: silentLogger,
  });

/** Commands in the order in which they were ordered, as `op target`. */
export async function ordered(world: World, name: string): Promise<string[]> {
  const rows = await world.rows(
    `SELECT op, target FROM cas_command WHERE $1 = ANY (subjects) ORDER BY id`,
    [name],
  );
  return rows.map(({ op, target }) => `${op} ${target}`);
}

/** The state of a card or decoder. */
export async function stateOf(world: World, name: string): Promise<unknown> {
  const rows = await world.rows(
    `SELECT state FROM viewing_card WHERE number = $1 UNION ALL
     SELECT state FROM decoder WHERE serial = $1`,
    [name],
  );
  return rows[0]?.state ?? null;
}
