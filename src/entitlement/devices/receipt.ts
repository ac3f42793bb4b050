/** Taking in the file of a manufacturer: all of it or nothing, once. */
import { isRetryable, transaction } from '../../platform/database/pool.ts';
import { type FileFault, readDeviceFile } from '../../registry/devices/manufacturer-file.ts';
import {
  fileBySha256,
  type ReceivedFile,
  unwelcome,
  writeList,
  writeVirtualPairings,
} from '../../registry/devices/store.ts';
import type { NewCasCommand } from '../commands/store.ts';
import type { DevicesDeps } from './acting.ts';
import { orderAll, type Registering, registerUnlisted, registration } from './registration.ts';

export interface GivenFile {
  text: string;
  /** SHA-256 of the text, in hex, given apart; null: the file has a checksum line. */
  sha256: string | null;
  siteId: bigint;
  by: string;
  channel: string;
}

export type Received =
  /** `isNew`: false when it was taken in before. */
  | { ok: true; file: ReceivedFile; isNew: boolean }
  /** The first faults, in the order of lines; line 0: the file, or what we know already. */
  | { ok: false; faults: FileFault[]; count: number };

const FAULTS_MAX = 50;

/** Takes a file in, and makes its devices known to the head-end. */
export async function receive(deps: DevicesDeps, given: GivenFile): Promise<Received> {
  const read = readDeviceFile(given.text, { sha256: given.sha256, models: deps.models });
  if (!read.ok) return refused(read.faults);
  const { list } = read;
  const known = await fileBySha256(deps.pool, list.sha256);
  if (known) return { ok: true, file: known, isNew: false };
  const id = await deps.ids.take();
  const now = deps.clock.now();
  const { siteId, by: actor, channel } = given;
  try {
    return await transaction(deps.pool, async (tx): Promise<Received> => {
      const others = await unwelcome(tx, list);
      if (others.length > 0) return refused(others.map(faultOf));
      await writeList(tx, list, { id, siteId, at: now, actor, channel });
      await writeVirtualPairings(tx, list, { at: now, by: actor });
      const said = { by: actor, reason: 'file of the manufacturer', now };
      // What was in use before there were files goes on.
      await registerUnlisted(tx, deps, said, null);
      await orderAll(tx, deps, commandsFor(deps, said, list));
      deps.logger.info('device.received', { file: id, cards: list.cards.length });
      return { ok: true, file: fileOf(id, list), isNew: true };
    });
  } catch (error) {
    // Somebody was faster with the same file, or with one that names the same things.
    const { code } = error as { code?: string };
    if (code === UNIQUE_VIOLATION || isRetryable(error)) return await receive(deps, given);
    throw error;
  } finally {
    deps.wake();
  }
}

const UNIQUE_VIOLATION = '23505';

const refused = (faults: FileFault[]): Received => ({
  ok: false,
  faults: faults.slice(0, FAULTS_MAX),
  count: faults.length,
});

const faultOf = ({ kind, name, isBlacklisted }: Awaited<ReturnType<typeof unwelcome>>[number]) => ({
  line: 0,
  code: isBlacklisted ? ('blacklisted' as const) : ('known' as const),
  value: `${kind} ${name}`,
});

type List = Parameters<typeof writeList>[1];

const fileOf = (id: bigint, { decoders, cards }: List): ReceivedFile => ({
  id,
  decoders: decoders.length,
  cards: cards.length,
});

function commandsFor(deps: DevicesDeps, said: Registering, list: List): NewCasCommand[] {
  const decoders = list.decoders.map(({ serial: name, batch, model }) =>
    registration(deps, said, { kind: 'stb', name, batch, model }),
  );
  const cards = list.cards.flatMap(({ number: name, batch, kind, stb }): NewCasCommand[] => {
    const known = registration(deps, said, { kind: 'card', name, batch });
    if (kind === 'physical' || stb === null) return [known];
    return [known, { ...known, op: 'PAIR', args: { stb } }];
  });
  return [...decoders, ...cards];
}
