/**
 * What the head-end is to know: as soon as one device was made known to it, it may refuse all
 * others. So what is in use without a file is made known as well.
 */
import type { PoolClient } from 'pg';
import type { NewCasCommand } from '../commands/store.ts';
import type { DevicesDeps } from './acting.ts';

/** A head-end that is away this long is told by hand. */
const REGISTER_VALID_MS = 30 * 86_400_000;
const COMMANDS_PER_WRITE = 5_000;
/** The batch of what no file lists. */
const NO_BATCH = 'unlisted';

export interface Registering {
  by: string;
  reason: string;
  now: Date;
}

/** A device as a command makes it known. */
export function registration(
  deps: Pick<DevicesDeps, 'casOf'>,
  { by: actor, reason, now: createdAt }: Registering,
  device: { kind: 'card' | 'stb'; name: string; batch: string | null; model?: string },
): NewCasCommand {
  const { kind, name, batch, model } = device;
  return {
    ...{ op: 'CARD_REGISTER', casId: deps.casOf({ kind, name }), target: { kind, id: name } },
    args: { batch: batch ?? NO_BATCH, ...(model === undefined ? {} : { model }) },
    ...{ prio: 'BULK', actor, reason, createdAt },
    notAfter: new Date(createdAt.getTime() + REGISTER_VALID_MS),
  };
}

/** Orders many commands, some at a time. */
export async function orderAll(
  tx: PoolClient,
  { commands }: Pick<DevicesDeps, 'commands'>,
  all: readonly NewCasCommand[],
): Promise<void> {
  for (let at = 0; at < all.length; at += COMMANDS_PER_WRITE) {
    await commands.enqueue(tx, all.slice(at, at + COMMANDS_PER_WRITE));
  }
}

/**
 * Purpose: devices without a file that no command has made known; of `$1`, or all.
 * Locks: none. Plan: all of both tables for a file, keys else; `cas_command_target` for each.
 */
const NOT_KNOWN = `
SELECT x.kind, x.name
  FROM (SELECT 'stb' AS kind, serial AS name, file_id, state FROM decoder
        UNION ALL
        SELECT 'card', number, file_id, state FROM viewing_card) x
 WHERE x.file_id IS NULL AND x.state NOT IN ('replaced', 'retired', 'scrapped', 'blacklisted')
   AND ($1::text[] IS NULL OR x.name = ANY ($1))
   AND NOT EXISTS (SELECT FROM cas_command c WHERE c.op = 'CARD_REGISTER'
                      AND c.target_kind = x.kind AND c.target = x.name)
 ORDER BY x.kind DESC, x.name`;

/** Makes known what is in use without a file: these devices, or all. */
export async function registerUnlisted(
  tx: PoolClient,
  deps: Pick<DevicesDeps, 'casOf' | 'commands'>,
  said: Registering,
  names: readonly string[] | null,
): Promise<void> {
  const { rows } = await tx.query<{ kind: 'card' | 'stb'; name: string }>(NOT_KNOWN, [names]);
  const all = rows.map((row) => registration(deps, said, { ...row, batch: null }));
  await orderAll(tx, deps, all);
}

/** Whether devices were ever made known; before, the head-end takes any. */
export async function isListing(tx: PoolClient): Promise<boolean> {
  return (await tx.query('SELECT FROM device_file LIMIT 1')).rowCount === 1;
}
